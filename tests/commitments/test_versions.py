# SPDX-License-Identifier: Apache-2.0
"""The history of a developer's frameworks: order, pairs, alarms."""

import pytest
from frameworks import DEVELOPER, bound, entry, framework, threshold
from hypothesis import given
from hypothesis import strategies as st

from countermark.commitments.versions import certainly_before, history
from countermark.records.account import Account
from countermark.records.framework import Framework

FILE, OTHER_FILE = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
FIRST = framework(label="1", published="2025-01-01")
SECOND = framework(label="2", published="2025-06-01")
THIRD = framework(label="3", published="2025-06-30")


def sorts(*versions: Framework, author: str = DEVELOPER) -> list[str]:
    logged = [entry(version, author, index) for index, version in enumerate(versions)]
    found = history(DEVELOPER, logged)
    return [alarm.sort for alarm in (*found.alarms, *found.notices)]


def test_rule_1_a_version_logged_twice_is_one_version() -> None:
    late = entry(FIRST, DEVELOPER, 0, "2026-11-02T00:00:00Z")
    early = entry(FIRST, "GB", 4, "2026-11-01T00:00:00Z")
    (version,) = history(DEVELOPER, [early, late, late]).versions
    assert (version.logged, version.entry.author) == (2, DEVELOPER)


def test_rule_2_versions_stand_in_the_order_of_their_dates() -> None:
    found = history(
        DEVELOPER, [entry(THIRD, "GB", 0), entry(FIRST, "GB", 1), entry(SECOND, "GB", 2)]
    )
    assert [version.framework.label for version in found.versions] == ["1", "2", "3"]


def test_rule_3_pairs_are_of_one_title_and_one_hand() -> None:
    other = framework(title="Another document", label="2", published="2025-02-01")
    by_gb = framework(label="1.5", published="2025-03-01", recorded_by="GB")
    logged = [entry(FIRST, DEVELOPER, 0), entry(other, DEVELOPER, 1), entry(SECOND, DEVELOPER, 2)]
    found = history(DEVELOPER, [*logged, entry(by_gb, "GB")])
    assert [(p.before.framework.label, p.after.framework.label) for p in found.pairs] == [
        ("1", "2")
    ]


def test_rule_3_an_account_names_a_pair_of_two_titles() -> None:
    renamed = framework(title="Scaling framework", label="2", published="2025-06-01")
    account = Account(
        developer=DEVELOPER,
        before=FIRST.digest,
        after=renamed.digest,
        date="2025-06-01",
        changes=(),
        demonstration=False,
    )
    logged = [entry(one, DEVELOPER, i) for i, one in enumerate((FIRST, renamed, account))]
    (pair,) = history(DEVELOPER, logged).pairs
    assert pair.account == account
    assert pair.diff().account == account.digest


def test_rule_4_a_file_that_changed_under_one_label_is_an_alarm() -> None:
    before = framework(document=FILE)
    after = framework(document=OTHER_FILE, recorded_by="GB")
    found = history(DEVELOPER, [entry(before, DEVELOPER), entry(after, "GB")])
    (alarm,) = found.alarms
    assert (alarm.sort, alarm.rule, alarm.label) == ("changed-file", 4, "1")
    assert set(alarm.digests) == {before.digest, after.digest}


def test_rule_4_a_label_written_otherwise_is_one_label() -> None:
    assert sorts(
        framework(label="V 1", document=FILE), framework(label="v  1", document=OTHER_FILE)
    ) == ["changed-file"]


def test_rule_5_content_that_changed_under_one_label_is_an_alarm() -> None:
    looser = framework(threshold(rule=bound(limit=0.9)))
    assert sorts(framework(), looser) == ["changed-content"]
    assert sorts(framework(), framework(label="2", published="2025-02-01")) == []


@pytest.mark.parametrize(
    ("published", "alarms"),
    [("2024-12-31", ["older-after-newer"]), ("2024", ["older-after-newer"]), ("2025", [])],
)
def test_rule_6_an_older_version_logged_after_a_newer_is_an_alarm(
    published: str, alarms: list[str]
) -> None:
    assert sorts(FIRST, framework(label="0", published=published)) == alarms


def test_rule_6_others_may_record_the_past() -> None:
    past = framework(label="0", published="2023-01-01", recorded_by="GB")
    assert sorts(framework(recorded_by="GB"), past, author="GB") == []


def test_rule_7_an_encoder_may_correct_itself() -> None:
    first = framework(recorded_by="GB", document=FILE)
    again = framework(threshold(force="may"), recorded_by="GB", document=FILE)
    assert sorts(first, again, author="GB") == ["recorded-again"]


def test_rule_7_so_may_the_developer_with_one_file() -> None:
    first, again = framework(document=FILE), framework(threshold(force="may"), document=FILE)
    assert sorts(first, again) == ["recorded-again"]


def test_two_hands_that_put_one_text_otherwise_are_no_alarm() -> None:
    ours = framework(threshold(force="may"), recorded_by="GB")
    found = history(DEVELOPER, [entry(framework(), DEVELOPER), entry(ours, "GB")])
    assert (found.alarms, found.notices) == ((), ())


@pytest.mark.parametrize(
    ("one", "other", "before"),
    [
        ("2024", "2025-01-01", True),
        ("2025-01", "2025-01-31", False),
        ("2025-01-31", "2025-01", False),
        ("2025-02-01", "2025-01", False),
    ],
)
def test_dates_of_several_precisions(one: str, other: str, *, before: bool) -> None:
    assert certainly_before(one, other) is before


@given(st.permutations(range(5)))
def test_the_order_of_statements_does_not_matter(order: list[int]) -> None:
    versions = [
        *(FIRST, SECOND, THIRD),
        framework(document=FILE),
        framework(document=OTHER_FILE, published="2024"),
    ]
    logged = [entry(version, DEVELOPER, index) for index, version in enumerate(versions)]
    mixed = [logged[index] for index in order]
    assert history(DEVELOPER, mixed) == history(DEVELOPER, [*logged, *logged])


@pytest.mark.parametrize(
    "title", ["Safety  framework", "SAFETY\u200b framework\u2060", "Ｓafety framework"]
)
def test_rule_4_a_title_that_looks_alike_is_one_title(title: str) -> None:
    plain = framework(title="Safety framework", document=FILE)
    assert sorts(plain, framework(title=title, document=OTHER_FILE)) == ["changed-file"]


@given(st.permutations(range(3)))
def test_rule_3_of_several_accounts_the_latest_counts(order: list[int]) -> None:
    accounts = [
        Account(developer=DEVELOPER, before=FIRST.digest, after=SECOND.digest, date=day,
                changes=(), demonstration=False)
        for day in ("2025-06-01", "2025-06-30", "2025-05")
    ]  # fmt: skip
    logged = [entry(one, DEVELOPER, i) for i, one in enumerate((FIRST, SECOND))]
    logged += [entry(accounts[place], DEVELOPER, 2 + place) for place in order]
    (pair,) = history(DEVELOPER, logged).pairs
    assert pair.account == accounts[1]
