# SPDX-License-Identifier: Apache-2.0
"""Pages about what developers promise: decisions, frameworks, changes, the grid, and law."""

import csv
import io
import re
from dataclasses import replace
from typing import get_args

import pytest
import sample_promises
from frameworks import entry
from sample_book import DEVELOPER, sample_book
from sample_pages import Reader, data_files, only, pages, read, render

from countermark.app.site import addresses
from countermark.app.site.context import Site
from countermark.app.site.known import known_developers
from countermark.app.site.reference import load_reference
from countermark.app.site.signs import SIGNS, quantity, sign
from countermark.commitments.announcing import Told
from countermark.commitments.safety_case import Standing
from countermark.commitments.tracker import STATES
from countermark.commitments.wording import SORTS, asks
from countermark.records.account import Effect
from countermark.records.decision import Decision, State, Verdict
from countermark.records.framework import Framework

OLD, NEW, OTHER = sample_promises.versions()


def decided() -> tuple[str, Decision]:
    """Return the page and the record of the decision of the real gate."""
    ((logged, decision),) = [
        found for found in sample_book().of_kind(Decision) if found[1].action == "develop"
    ]
    return f"{addresses.decision(logged.digest)}index.html", decision


@pytest.mark.parametrize(
    ("sort", "states"),
    [
        ("verdict", get_args(Verdict)),
        ("state", get_args(State)),
        ("standing", get_args(Standing)),
        ("effect", get_args(Effect)),
        ("told", get_args(Told)),
        ("commitment", tuple(STATES)),
    ],
)
def test_every_state_has_a_shape_of_its_own_and_a_word(sort: str, states: tuple[str, ...]) -> None:
    assert set(SIGNS[sort]) == set(states)
    assert len({found.shape for found in SIGNS[sort].values()}) == len(states)
    for state in states:
        assert (SIGNS[sort][state].word or state) in sign(sort, state)


def test_a_decision_answers_the_five_questions_of_an_official() -> None:
    path, decision = decided()
    text = read(path).text
    top = text[: text.index("What to know of this verdict")]
    assert "NOT ENOUGH EVIDENCE" in top[:120]
    assert "version 2 of its framework, “Promises of the example developer”" in top
    assert "as things stood on 22 November 2026" in top
    assert "United Kingdom (simulated) decided by rule" in top
    assert "least independent evidence it rests on is that of the developer alone" in top
    for question in ("promised", "known", "missing"):
        assert f"What {'was' if question == 'promised' else 'is'} {question}" in top
    assert "Who says so" in top
    assert "Since when" in top
    assert f"{len(decision.outcomes)} thresholds: 3 ● kept, 4 ◇ undetermined" in top


def test_a_decision_shows_each_threshold_with_what_it_asks_and_why() -> None:
    path, decision = decided()
    text = read(path).text
    rules = {threshold.key: threshold.rule for threshold in NEW.thresholds}
    for outcome in decision.outcomes:
        asked = asks(rules[outcome.threshold])
        assert asked[0].upper() + asked[1:] in text
        assert outcome.reason[1:].rstrip(".") in text
        assert outcome.next_test is None or outcome.next_test.words.rstrip(".") in text
    assert all(words[1:] in text for words in (*decision.missing, *(decision.warnings or ())))


def test_a_decision_shows_all_evidence_and_why_some_was_left_out() -> None:
    path, decision = decided()
    text = read(path).text
    assert decision.evidence
    assert text.count("● counted") == sum(not one.left_out for one in decision.evidence)
    (left_out,) = [one.left_out for one in decision.evidence if one.left_out]
    assert f"○ left out: {left_out[0].upper()}{left_out[1:]}" in text
    assert "Judged by a panel of three." in text


def test_a_decision_can_be_read_as_a_safety_case() -> None:
    path, decision = decided()
    text = read(path).text
    goals = re.findall(r"G\d+ Goal (?:●|◇|✕) \w+", text)
    assert len(goals) == 1 + len(decision.outcomes)
    assert {"C1 Context", "S1 Strategy", "A1 Assumption", "Sn3 Solution"} <= set(
        re.findall(r"(?:C|S|A|Sn)\d Context|S\d Strategy|A\d Assumption|Sn\d Solution", text)
    )


def test_a_framework_marks_plainly_what_is_not_quantified() -> None:
    text = read(f"{addresses.framework(NEW.digest)}index.html").text
    assert text.count("◇ not quantified: the gate refuses to decide it") == sum(
        threshold.rule.kind == "not-quantified" for threshold in NEW.thresholds
    )
    assert "Not a number. A person would have to determine: What is honest." in text


@pytest.mark.parametrize(
    "framework", [NEW, *load_reference().frameworks], ids=lambda one: one.label
)
def test_a_framework_shows_all_that_it_holds(framework: Framework) -> None:
    text = read(f"{addresses.framework(framework.digest)}index.html").text
    for domain in framework.domains or ():
        assert domain.title in text
    for threshold in framework.thresholds:
        assert threshold.title in text
        assert SORTS[threshold.rule.kind][1:] in text
        assert sign("quantity", quantity(threshold.rule)).striptags() in text
        assert not threshold.read_in or (threshold.read_in.section or "") in text
        assert all(chosen[1:].rstrip(".") in text for chosen in threshold.assumed or ())
    provided = (framework.process, framework.governance)
    for words in (
        *(one.words for parts in provided for one in parts or ()),
        *(duty.words for duty in framework.disclosure or ()),
        *(one.title for one in framework.mitigations or ()),
        *(framework.not_encoded or ()),
    ):
        assert words[1:].rstrip(".") in text
    assert all(source.title in text for source in framework.sources or ())
    assert (framework.document or "Not known") in text


def test_a_recorded_framework_says_that_nobody_signed_it() -> None:
    recorded = load_reference().frameworks[0]
    text = read(f"{addresses.framework(recorded.digest)}index.html").text
    assert "Nobody signed it, the developer included." in text
    record = data_files()[addresses.record("framework", recorded.digest)]
    assert record.body == recorded.to_bytes()
    logged = read(f"{addresses.framework(NEW.digest)}index.html").text
    assert "The developer itself logged and signed it." in logged


def test_a_developer_shows_its_versions_alarms_changes_decisions_and_replies() -> None:
    text = read(f"{addresses.company(DEVELOPER)}index.html").text
    assert "! alarm, changed file: Promises of the example developer, 2: The published file" in text
    assert "Logged by the developer itself" in text
    assert all(version.digest[7:19] in text for version in (OLD, NEW, OTHER))
    assert "The filter was off for one day, for repairs." in text
    assert "1 ▼ weakened" in text
    assert "NOT ENOUGH EVIDENCE" in text
    (reply,) = re.findall(r"III\. Say.*?IV\. Say", text)
    assert "⇄ contested" in reply
    assert "The developer’s reply, 22 November 2026" in reply


def test_a_change_says_whether_the_developer_announced_it() -> None:
    path = f"{addresses.change(OLD.digest, NEW.digest)}index.html"
    text = read(path).text
    rows = list(csv.DictReader(io.StringIO(data_files()[f"{path[:-10]}changes.csv"].body.decode())))
    found = [(row["effect"], row["told"]) for row in rows]
    assert sorted(found) == [("added", "announced"), ("removed", "silent"), ("weakened", "silent")]
    for effect, told in found:
        shape, shown = SIGNS["effect"][effect].shape, SIGNS["told"][told].word or told
        assert re.search(rf"{shape} {effect}\s*rule \d+ [^▼⊖✚]*{shown}", text), effect
    assert "Announced, and not found here The typeface is new." in text
    again = read(f"{addresses.change(NEW.digest, OTHER.digest)}index.html").text
    assert "not the same: something changed that is not written down" in again


def test_changes_in_recorded_frameworks_are_said_to_be_ours() -> None:
    versions = [one for one in load_reference().frameworks if one.developer == "google"]
    old, new = sorted(versions, key=lambda one: one.published)[:2]
    text = read(f"{addresses.change(old.digest, new.digest)}index.html").text
    assert "A difference may be ours and not the developer’s" in text
    assert "No account of the change by the developer was logged." in text


def test_recorded_versions_are_compared_within_one_title_only() -> None:
    for developer in known_developers(Site(sample_book(), load_reference())):
        for change in developer.changes:
            titles = {one.framework.title.casefold() for one in (change.before, change.after)}
            assert len(titles) == 1 or change.account


def test_the_grid_has_a_state_with_shape_and_word_for_each_company_and_commitment() -> None:
    reader = read("commitments/index.html")
    companies = load_reference().companies
    links = [link for link in reader.links if re.search(r"/index\.html#[iv]+$", link)]
    assert len(links) == 8 * (len(companies) + 1)
    rows = list(csv.DictReader(data_files()["commitments/grid.csv"].body.decode().splitlines()))
    for state in {row["state"] for row in rows}:
        assert f"{SIGNS['commitment'][state].shape} {state}" in reader.text
    assert {row["demonstration"] for row in rows if row["company"] == DEVELOPER} == {"yes"}
    assert "Demonstration: no real developer stands behind this table." in reader.text
    assert "It is no grade, and cells are never added up." in reader.text


def test_no_demonstration_speaks_for_a_real_company() -> None:
    rows = csv.DictReader(data_files()["commitments/grid.csv"].body.decode().splitlines())
    assert {row["statements"] for row in rows if row["demonstration"] == "no"} == {""}


def test_a_version_that_somebody_logs_stays_between_its_neighbours() -> None:
    book = sample_book()
    line = [
        one
        for one in load_reference().frameworks
        if (one.developer, one.title) == ("google", "Frontier Safety Framework")
    ]
    before, between, after, *_ = sorted(line, key=lambda one: (one.published, one.label))
    logged = between.model_copy(update={"recorded_by": "GB"})
    known = replace(book, entries=(*book.entries, entry(logged, "GB", 99)))
    (google,) = [
        found for found in known_developers(Site(known, load_reference())) if found.code == "google"
    ]
    compared = {(one.before.digest, one.after.digest) for one in google.changes}
    assert {(before.digest, logged.digest), (logged.digest, after.digest)} <= compared
    assert (before.digest, after.digest) not in compared


def test_a_recorded_framework_that_somebody_logs_counts_once() -> None:
    book = sample_book()
    recorded = next(one for one in load_reference().frameworks if one.developer == "google")
    logged = recorded.model_copy(update={"recorded_by": "GB"})
    extended = replace(book, entries=(*book.entries, entry(logged, "GB", 99)))
    site = Site(extended, load_reference())
    (google,) = [found for found in known_developers(site) if found.code == "google"]
    digests = [version.digest for version in google.versions]
    assert logged.digest in digests
    assert recorded.digest not in digests
    assert not any(version.own for version in google.versions)


def test_the_law_says_who_what_and_when_with_sources_and_no_advice() -> None:
    for instrument in load_reference().law:
        text = read(f"law/{instrument.key}/index.html").text
        assert "This is no legal advice." in text
        assert instrument.who[1:].rstrip(".") in text
        for duty in instrument.obligations:
            assert duty.what.rstrip(".") in text
            assert duty.timing.words[1:].rstrip(".") in text
            assert duty.provision[1:].rstrip(".") in text
            assert instrument.cited(duty.source).title in text
        assert all(words[1:].rstrip(".") in text for words in instrument.left_out)
    overview = read("law/index.html").text
    assert "This is no legal advice." in overview
    # What holds now may have begun later than the duties.
    assert "Applies since 2 August 2025. Since 2 August 2026: Applies, and the Comm" in overview


def test_a_record_without_frameworks_still_has_all_companies_and_no_alarm() -> None:
    book = sample_book()
    found = render(replace(book, entries=(), logs=()))
    text = Reader(found["commitments/index.html"]).text
    assert "The same for the demonstration" not in text
    assert f"{addresses.company('google')}index.html" in found
    assert f"{addresses.company(DEVELOPER)}index.html" not in found
    assert only(r"frameworks/index\.html") in pages()
