# SPDX-License-Identifier: Apache-2.0
"""The tracker: each rule, and what holds of any statements."""

from dataclasses import replace

import pytest
from frameworks import DEVELOPER, bound, entry, framework, threshold
from hypothesis import given
from hypothesis import strategies as st
from tracked import (
    COMPANY,
    WHOLE,
    account,
    decision,
    determination,
    finding,
    partnership,
    publication,
    reply,
    using,
)

from countermark.commitments.deadlines import load_deadlines
from countermark.commitments.reference import companies, load_commitments
from countermark.commitments.tracker import STATES, Cell, Grid, grid
from countermark.node.book import Entry
from countermark.records import Record
from countermark.records.account import Account, Announced

AT = "2025-12-01"
KEYS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii")
NEXT = framework(
    threshold("leaks", bound(limit=0.9)), label="2", published="2025-06-01", title=WHOLE.title
)


def said(record: Record, index: int = 0, witnessed: str | None = None) -> Entry:
    """Return a record as logged by whoever speaks in it, or by GB."""
    return entry(record, record.speaker or "GB", index, witnessed)


def computed(*records: Record | Entry, at: str = AT, **options: bool) -> Grid:
    logged = [
        one if isinstance(one, Entry) else said(one, index) for index, one in enumerate(records)
    ]
    return grid((COMPANY,), load_commitments(), logged, at, **options)


def cell(key: str, *records: Record | Entry, at: str = AT, **options: bool) -> Cell:
    return computed(*records, at=at, **options).row(DEVELOPER)[KEYS.index(key)]


def found(key: str, *records: Record | Entry, at: str = AT) -> tuple[str, int]:
    one = cell(key, *records, at=at)
    return one.state, one.rule


def test_rule_1_what_is_later_does_not_count() -> None:
    assert found("ii", WHOLE, at="2025-01-14") == ("unknown", 19)
    assert found("ii", WHOLE, at="2025-01-15") == ("claimed", 16)


def test_rule_1_a_statement_without_a_date_is_of_the_day_that_it_was_witnessed() -> None:
    judged = said(using(finding()))
    evidence = said(finding(), witnessed="2025-11-01T00:00:00Z")
    assert found("viii", WHOLE, judged, evidence, at="2025-10-31") == ("claimed", 16)
    later = cell("viii", WHOLE, judged, evidence)
    assert (later.state, later.since) == ("evidenced", "2025-11-01")


def test_rule_2_order_and_repetition_do_not_matter() -> None:
    records = (WHOLE, determination("mitigation", "filter"), finding(), using(finding()))
    assert computed(*records) == computed(*reversed(records), *records)


def test_rule_3_demonstrations_count_apart() -> None:
    shown = WHOLE.model_copy(update={"demonstration": True})
    assert found("ii", shown) == ("overdue", 18)
    assert cell("ii", shown, demonstration=True).state == "claimed"
    assert cell("ii", WHOLE, demonstration=True).state == "overdue"


@pytest.mark.parametrize("author", ["another-developer", DEVELOPER])
def test_rule_4_only_members_are_independent(author: str) -> None:
    own = entry(determination("mitigation", "filter", determined_by=author), author)
    assert found("iii", WHOLE, own) == ("claimed", 16)


def test_rule_4_what_an_institute_records_is_the_developers_claim() -> None:
    assert found("ii", WHOLE.model_copy(update={"recorded_by": "GB"})) == ("claimed", 16)


def test_rule_4_others_are_passed_over() -> None:
    forged = entry(WHOLE, "another-developer")
    assert found("ii", forged) == ("overdue", 18)


def test_rule_5_support_counts_only_for_the_newest_in_force() -> None:
    support = determination("threshold", "leaks")
    assert found("ii", WHOLE, support) == ("evidenced", 11)
    assert found("ii", WHOLE, support, NEXT) == ("claimed", 16)
    withdrawn = NEXT.model_copy(update={"status": "withdrawn"})
    assert found("ii", WHOLE, support, withdrawn) == ("unknown", 19)


def test_rule_5_an_account_tells_that_a_document_was_followed_by_one_of_another_title() -> None:
    renamed = NEXT.model_copy(update={"title": "Another title"})
    assert found("iii", WHOLE, renamed) == ("claimed", 16)
    assert found("iii", WHOLE, renamed, account(WHOLE, renamed)) == ("unknown", 19)
    assert found("iii", WHOLE, account(WHOLE, renamed)) == ("claimed", 16)


def test_rule_5_a_contradiction_stays_when_a_newer_version_is_published() -> None:
    assert found("iii", WHOLE, determination("mitigation", "filter", "no"), NEXT) == (
        "contested",
        7,
    )


def test_rule_6_the_latest_of_an_authors_determinations_counts() -> None:
    missing = determination("mitigation", "filter", "no")
    mended = determination("mitigation", "filter", "yes", date="2025-08-01")
    assert found("iii", WHOLE, mended, missing) == ("evidenced", 11)
    # Another institute's is another judgement.
    other = determination("mitigation", "filter", date="2025-08-01", determined_by="FR")
    assert found("iii", WHOLE, other, missing) == ("contested", 7)


def test_rule_6_a_reply_stands_beside_and_changes_no_state() -> None:
    missing = determination("mitigation", "filter", "no")
    to_it, to_all = reply(of=missing.digest), reply(commitment="iii", date="2025-05-02")
    elsewhere = reply(commitment="iv")
    one = cell("iii", WHOLE, missing, to_it, to_all, elsewhere)
    assert (one.state, [answer.digest for answer in one.replies]) == (
        "contested",
        [to_it.digest, to_all.digest],
    )


@pytest.mark.parametrize(
    ("key", "subject", "part"),
    [
        ("iii", "mitigation", "filter"),
        ("iv", "provision", "halt"),
        ("vi", "provision", "board"),
        ("vii", "duty", "report"),
    ],
)
def test_rules_7_and_11_determinations(key: str, subject: str, part: str) -> None:
    assert found(key, WHOLE, determination(subject, part, "no")) == ("contested", 7)
    assert found(key, WHOLE, determination(subject, part)) == ("evidenced", 11)
    assert found(key, WHOLE, determination(subject, part, "unclear")) == ("claimed", 16)
    assert found(key, WHOLE, determination(subject, "another-key")) == ("claimed", 16)


def test_rule_8_must_not_beside_the_developers_own_may() -> None:
    refused, own = decision("MUST NOT"), decision("MAY", by=DEVELOPER)
    assert found("iv", WHOLE, refused) == ("claimed", 16)
    one = cell("iv", WHOLE, refused, own)
    assert (one.state, one.rule, one.since) == ("contested", 8, "2025-04-01")
    assert {statement.digest for statement in one.statements} >= {refused.digest, own.digest}


@pytest.mark.parametrize(
    "changed", [{"action": "develop"}, {"model": "model-b"}, {"identity": f"sha256:{'b' * 64}"}]
)
def test_rule_8_is_about_one_model_and_action(changed: dict[str, str]) -> None:
    refused = decision("MUST NOT", identity=f"sha256:{'a' * 64}")
    assert found("iv", WHOLE, refused, decision("MAY", by=DEVELOPER, **changed)) == ("claimed", 16)


def test_rule_9_a_file_that_changed_under_its_label() -> None:
    files = [f"sha256:{letter * 64}" for letter in "ab"]
    first, second = (WHOLE.model_copy(update={"document": file}) for file in files)
    one = cell("vii", first, second)
    assert (one.state, one.rule) == ("contested", 9)
    assert {statement.digest for statement in one.statements if statement.rule == 9} == {
        first.digest,
        second.digest,
    }


def test_rule_10_an_account_that_is_silent_on_what_was_weakened() -> None:
    assert found("vii", WHOLE, NEXT) == ("claimed", 16)
    assert found("vii", WHOLE, NEXT, account(WHOLE, NEXT)) == ("contested", 10)


def test_rule_10_an_account_that_tells_contests_nothing() -> None:
    looser = WHOLE.model_copy(
        update={
            "label": "2",
            "published": "2025-06-01",
            "thresholds": (WHOLE.thresholds[0].model_copy(update={"force": "may"}),),
        }
    )
    told = Announced(threshold="leaks", words="It binds less.", effect="weakened")
    assert found("vii", WHOLE, looser, account(WHOLE, looser, told)) == ("claimed", 16)


def test_rule_11_a_threshold_that_was_examined_speaks_to_two_commitments() -> None:
    examined = determination("threshold", "leaks", "no")
    assert found("i", WHOLE, examined) == found("ii", WHOLE, examined) == ("evidenced", 11)


def test_rule_12_an_institutes_decision() -> None:
    assert found("iv", WHOLE, decision("MAY")) == ("evidenced", 12)
    assert found("ii", WHOLE, decision("MUST NOT")) == ("evidenced", 12)
    assert found("ii", WHOLE, decision("NOT ENOUGH EVIDENCE")) == ("claimed", 16)
    assert found("iv", WHOLE, decision("MAY", by=DEVELOPER)) == ("claimed", 16)


def test_rule_13_a_finding_that_an_institute_used() -> None:
    assert found("viii", WHOLE, finding()) == ("claimed", 16)
    assert found("viii", WHOLE, using(finding())) == ("claimed", 16)
    assert found("viii", WHOLE, finding(), using(finding())) == ("evidenced", 13)
    assert found("i", WHOLE, finding(), using(finding())) == ("evidenced", 13)


def test_rule_13_a_partnership_that_an_institute_logged() -> None:
    assert found("viii", WHOLE, partnership()) == ("evidenced", 13)
    assert found("viii", WHOLE, entry(partnership(), DEVELOPER)) == ("claimed", 16)


def test_rule_14_a_mitigation_examined_on_several_days() -> None:
    first, second = (
        determination("mitigation", "filter", date=date) for date in ("2025-03-01", "2025-09-01")
    )
    assert found("v", WHOLE, first) == ("unknown", 19)
    assert found("v", WHOLE, first, second) == ("evidenced", 14)


def test_rule_15_not_applicable_is_signed_and_has_its_reason() -> None:
    declined = reply(commitment="viii", says="not-applicable", words="We train no such model.")
    one = cell("viii", declined)
    assert (one.state, one.rule) == ("not applicable", 15)
    assert "We train no such model" in one.words
    assert found("viii", entry(declined, "another-developer")) == ("unknown", 19)
    assert found("viii", declined, WHOLE, partnership()) == ("evidenced", 13)


def test_rule_15_the_latest_reply_counts_and_hides_no_deadline() -> None:
    declined = reply(commitment="viii", says="not-applicable", words="We train no such model.")
    taken_back = reply(commitment="viii", words="We do now.", date="2025-09-01")
    assert found("viii", declined, taken_back) == ("unknown", 19)
    again = declined.model_copy(update={"date": "2025-10-01"})
    assert found("viii", again, taken_back) == ("not applicable", 15)
    late = cell("iv", declined.model_copy(update={"commitment": "iv"}))
    assert (late.state, late.rule) == ("overdue", 18)
    assert [one.words for one in late.replies] == ["We train no such model."]


@pytest.mark.parametrize("key", [key for key in KEYS if key != "v"])
def test_rule_16_a_framework_in_force_claims(key: str) -> None:
    assert found(key, WHOLE) == ("claimed", 16)


def test_rule_16_what_a_framework_does_not_have_it_does_not_claim() -> None:
    bare = framework()
    states = {key: found(key, bare)[0] for key in KEYS}
    assert states == dict.fromkeys(KEYS, "unknown") | {"ii": "claimed", "vii": "claimed"}


def test_rule_17_publications_later_versions_and_accounts_claim() -> None:
    assert found("vii", publication()) == ("claimed", 17)
    assert found("vii", publication(publisher="Somebody Else")) == ("unknown", 19)
    assert found("vii", publication(genre="research")) == ("unknown", 19)
    assert found("v", WHOLE, NEXT) == ("claimed", 17)
    assert found("v", account(WHOLE, NEXT)) == ("claimed", 17)


def test_rule_17_a_later_version_says_what_it_weakened_without_an_account() -> None:
    weaker = WHOLE.model_copy(update={"label": "2", "published": "2025-06-01", "governance": None})
    assert "1 part was weakened or removed, and no account" in cell("v", WHOLE, weaker).words
    told = cell("v", WHOLE, weaker, account(WHOLE, weaker))
    assert all("no account" not in one.words for one in told.statements)


def test_rule_18_a_deadline_that_has_passed() -> None:
    (deadline,) = load_deadlines()
    assert deadline.due == "2025-02-11"
    assert {state for state, _ in (found(key, at="2025-02-11") for key in KEYS)} == {"unknown"}
    one = cell("iv", at="2025-02-12")
    assert (one.state, one.rule, one.since) == ("overdue", 18, "2025-02-11")


def test_rule_18_is_for_the_commitments_that_the_text_gives_a_day_for() -> None:
    (deadline,) = load_deadlines()
    states = {key: found(key) for key in KEYS}
    assert {key for key, state in states.items() if state == ("overdue", 18)} == {
        *("i", "ii", "iii", "iv", "v", "vi")
    }
    assert set(deadline.commitments) == set(KEYS) - {"vii", "viii"}
    assert states["vii"] == states["viii"] == ("unknown", 19)
    first, second, *_ = deadline.read_in
    assert first.source.standing == second.source.standing == "primary"
    assert first.section
    assert second.section


def test_rule_18_binds_those_of_whom_a_source_says_so() -> None:
    later = replace(COMPANY, signed="2025-02")
    (first, *_) = grid((later,), load_commitments(), (), AT).cells
    assert first.state == "unknown"


def test_rule_18_a_document_that_our_sources_know_is_not_overdue() -> None:
    known = replace(COMPANY, publications=(publication(),))
    (first, *_) = grid((known,), load_commitments(), (), AT).cells
    assert (first.state, first.words) == (
        "unknown",
        "No statement was logged. Our sources know of Example framework (2025-02-01).",
    )


def test_rule_19_nothing_was_logged() -> None:
    assert {one.state for one in computed(at="2024-06-01").cells} == {"unknown"}


def test_rule_19_what_was_logged_need_not_speak_to_it() -> None:
    one = cell("v", WHOLE)
    assert (one.state, one.rule, one.statements) == ("unknown", 19, ())
    assert one.words == (
        "Nothing in 1 logged framework, as written down, speaks to it, and no other statement does."
    )


def test_a_grid_has_each_cell_once_and_counts_them() -> None:
    full = computed(WHOLE)
    assert [one.commitment for one in full.cells] == list(KEYS)
    assert sum(full.counts().values()) == 8
    assert set(full.counts()) == set(STATES)
    assert full.to_value()["cells"][0]["state"] == "claimed"


def test_what_gives_the_state_stands_first() -> None:
    missing = determination("mitigation", "filter", "no")
    other = determination("mitigation", "filter", determined_by="FR")
    one = cell("iii", WHOLE, other, missing)
    assert [statement.stance for statement in one.statements] == [
        "contradicts",
        "supports",
        "claims",
    ]
    assert one.words == "GB found mitigation filter of Example framework, 1 not in place."


INDEPENDENT = [
    determination("mitigation", "filter"),
    determination("mitigation", "filter", "no", determined_by="FR"),
    determination("threshold", "leaks", "unclear"),
    determination("duty", "report"),
    decision("MUST NOT"),
    decision("MAY", by="FR"),
    using(finding()),
    finding(),
    partnership(),
    WHOLE.model_copy(update={"recorded_by": "GB"}),
]
OWN = [
    WHOLE,
    NEXT,
    account(WHOLE, NEXT),
    decision("MAY", by=DEVELOPER),
    determination("mitigation", "filter", determined_by=DEVELOPER),
    reply(commitment="iii", says="not-applicable"),
    publication(),
]
some = st.lists(st.sampled_from(range(len(INDEPENDENT))), max_size=8)
own = st.lists(st.sampled_from(range(len(OWN))), max_size=8)


@given(own)
def test_the_developer_alone_is_never_evidence(chosen: list[int]) -> None:
    logged = [entry(OWN[index], DEVELOPER, index) for index in chosen]
    assert {one.state for one in grid((COMPANY,), load_commitments(), logged, AT).cells} <= {
        "claimed",
        "contested",
        "not applicable",
        "overdue",
        "unknown",
    }


@given(some, own)
def test_the_developers_own_word_never_makes_evidence(chosen: list[int], added: list[int]) -> None:
    independent = [said(INDEPENDENT[index], index) for index in chosen] + [said(WHOLE, 50)]
    claims = [entry(OWN[index], DEVELOPER, index) for index in added]
    before, after = computed(*independent), computed(*independent, *claims)
    for was, now in zip(before.cells, after.cells, strict=True):
        if was.state not in {"evidenced", "contested"}:
            assert now.state != "evidenced"


@given(some, own, st.randoms(use_true_random=False))
def test_order_and_repetition_never_matter(
    chosen: list[int], added: list[int], draw: object
) -> None:
    logged = [said(INDEPENDENT[index], index) for index in chosen]
    logged += [entry(OWN[index], DEVELOPER, index) for index in added]
    mixed = logged * 2
    draw.shuffle(mixed)  # type: ignore[attr-defined]
    assert computed(*mixed) == computed(*logged)


@given(some, own)
def test_a_state_rests_on_statements_of_its_kind(chosen: list[int], added: list[int]) -> None:
    logged = [said(INDEPENDENT[index], index) for index in chosen]
    logged += [entry(OWN[index], DEVELOPER, index) for index in added]
    for one in computed(*logged).cells:
        authors = {
            statement.author for statement in one.statements if statement.stance == "supports"
        }
        spoken = [statement for statement in one.statements if statement.stance != "declines"]
        assert one.state not in {"overdue", "unknown"} or not spoken
        assert one.state != "unknown" or not one.statements
        assert one.state != "evidenced" or authors
        assert DEVELOPER not in authors


def test_rule_18_where_a_source_leaves_it_open_nothing_is_overdue() -> None:
    (deadline,) = load_deadlines()
    slugs = {one.slug for one in deadline.left_open}
    assert slugs
    listed = [company for company in companies() if company.slug in slugs]
    found = grid(listed, load_commitments(), (), "2026-11-29")
    assert {(one.state, one.rule) for one in found.cells} == {("unknown", 19)}
    assert all("open" in one.words for one in found.cells if one.commitment in deadline.commitments)


def test_what_two_versions_give_together_holds_since_the_later() -> None:
    weaker = WHOLE.model_copy(update={"label": "2", "published": "2025-06-01", "disclosure": None})
    silent = Account(
        developer=DEVELOPER,
        before=WHOLE.digest,
        after=weaker.digest,
        date="2025-06-02",
        changes=(),
        demonstration=False,
    )
    one = cell("vii", WHOLE, weaker, silent)
    assert (one.state, one.rule, one.since) == ("contested", 10, "2025-06-01")
    assert one.statements[0].date == WHOLE.published


@pytest.mark.parametrize("title", ["{}\u200b", " {}", "{}\u2060 "])
def test_rule_5_a_title_that_looks_alike_is_one_title(title: str) -> None:
    alike = NEXT.model_copy(update={"title": title.format(NEXT.title)})
    assert found("iii", WHOLE, alike) == ("unknown", 19)


@pytest.mark.parametrize("day", ["2025", "2025-03", "2025-03-01"])
def test_rule_14_days_that_may_be_one_are_not_several(day: str) -> None:
    first = determination("mitigation", "filter")
    again = determination("mitigation", "filter", date=day, reasons="again")
    assert found("v", WHOLE, first, again) == ("unknown", 19)


@pytest.mark.parametrize("words", [" ", ".", "\n"])
def test_rule_15_without_a_reason_nothing_is_declined(words: str) -> None:
    blank = reply(commitment="i", says="not-applicable", words=words)
    assert found("i", blank) == ("overdue", 18)


def test_rule_18_what_another_company_publishes_in_its_name_is_passed_over() -> None:
    (name,) = COMPANY.publishers
    known = publication().model_copy(update={"publisher": name})
    assert found("i", entry(known, "GB")) == ("unknown", 19)
    assert found("i", entry(known, "another-developer")) == ("overdue", 18)
