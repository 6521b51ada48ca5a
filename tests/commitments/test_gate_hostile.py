# SPDX-License-Identifier: Apache-2.0
"""The gate against those who would have it say MAY: whose word, of what, from when."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hand_made_case import (
    COMPUTE,
    FILTER,
    LEVEL,
    MONTHS,
    OUTCOME,
    SECURITY,
    determined,
    regression,
)
from hand_made_finding import case, cell, figures, finding, framework, threshold

from countermark.commitments.case import Case, DatedFinding
from countermark.commitments.gate import decide
from countermark.records.decision import Decision, ThresholdOutcome
from countermark.records.errors import InputError, VerificationError
from countermark.records.finding_figures import LabFigures
from countermark.records.threshold_rules import NotQuantified, OutcomeThreshold, ThresholdRule

AT = date(2026, 11, 29)
LONG = OutcomeThreshold(outcome="o", evidence=("y" * 15_000, "z" * 15_000))
KEPT = finding(cell(*figures(0.02)))
SNAPSHOTS = ("sha256:" + "a" * 64, "sha256:" + "b" * 64)


def ask(question: Case) -> Decision:
    return decide(question, decided_by="GB")


def one(question: Case) -> ThresholdOutcome:
    (found,) = ask(question).outcomes
    return found


def judged(rule: ThresholdRule, word: str, **changes: Any) -> ThresholdOutcome:
    promised = framework(threshold(rule))
    said = (determined(promised, word, **changes),)
    return one(case(promised, determinations=said, at=AT))


def labs(*institutes: str) -> tuple[LabFigures, ...]:
    return tuple(
        LabFigures(institute=code, lab=f"{code}-a", value=0.1, lower=0, upper=1, scored=9, events=1)
        for code in institutes
    )


@pytest.mark.parametrize("wanted", ["one-institute", "several-institutes", None])
def test_rule_19_what_another_developer_determined_is_left_out(wanted: Any) -> None:
    promised = framework(threshold(LEVEL, standing=wanted))
    said = tuple(determined(promised, "no", determined_by=code) for code in ("beta", "gamma"))
    decision = ask(case(promised, determinations=said, at=AT))
    assert (decision.outcomes[0].state, decision.outcomes[0].rule) == ("undetermined", 19)
    assert "neither the developer nor a member" in decision.outcomes[0].reason


def test_rule_19_the_same_finding_without_its_snapshot_or_day_hides_neither() -> None:
    mine, other = SNAPSHOTS
    pinned, bare = DatedFinding(KEPT, "2026-11-01", (("m", other),)), DatedFinding(KEPT)
    for tested in ((pinned, bare), (bare, pinned)):
        assert one(Case(framework(), "m", "deploy", AT, mine, tested)).rule == 19
    promised = framework(threshold(maximum_age_months=6))
    old, new = DatedFinding(KEPT, "2020-11-01"), DatedFinding(KEPT, "2026-11-01")
    for tested in ((old, new), (new, old)):
        assert one(Case(promised, "m", "deploy", AT, tested=tested)).rule == 20
    for tested in ((bare, new), (new, bare)):
        assert one(Case(promised, "m", "deploy", AT, tested=tested)).state == "kept"


def test_rule_19_the_snapshot_of_the_model_does_not_pin_the_system_with_mitigations() -> None:
    mine, other = SNAPSHOTS
    promised = framework(threshold(LEVEL, mitigations=("filter",)), mitigations=(FILTER,))
    said = (
        determined(promised, "yes"),
        determined(promised, "yes", subject="mitigation", key="filter", model="g"),
        determined(promised, "no", model="g"),
    )
    against = determined(promised, "yes", model="g", identity=other, determined_by="JP")
    question = case(promised, determinations=said, mitigated=("g",), at=AT, identity=mine)
    assert one(question).state == "mitigated"
    assert one(replace(question, determinations=(*said, against))).state == "crossed"


@pytest.mark.parametrize("rule", [LEVEL, OUTCOME, SECURITY])
def test_rule_16_and_18_what_is_reached_in_spite_of_mitigations_is_reached(
    rule: ThresholdRule,
) -> None:
    promised = framework(threshold(rule, mitigations=("filter",)), mitigations=(FILTER,))
    good, bad = ("yes", "yes") if rule is SECURITY else ("no", "yes")
    levels = ("SML-3", "SML-1") if rule is SECURITY else (None, None)
    own = determined(promised, good, level=levels[0], determined_by="example")
    other = determined(promised, bad, level=levels[1], mitigations=("filter",))
    assert one(case(promised, determinations=(own,), at=AT)).state == "kept"
    assert one(case(promised, determinations=(own, other), at=AT)).state == "crossed"


@pytest.mark.parametrize("word", ["no", "unclear"])
def test_rule_18_a_level_whose_word_does_not_say_that_it_is_reached_shows_nothing(
    word: str,
) -> None:
    found = judged(SECURITY, word, level="SML-3")
    assert (found.state, found.rule) == ("undetermined", 18)
    assert judged(SECURITY, word, level="SML-1").state == "crossed"


@pytest.mark.parametrize(
    ("fired", "done", "state"),
    [
        ("2026", "2026-03-01", "undetermined"),
        ("2026-03", "2026-03-15", "undetermined"),
        ("2024-02", "2024-02-29", "kept"),
        ("2024-02", "2024-02-28", "undetermined"),
        ("2023-02", "2023-02-28", "kept"),
        ("2025", "2026", "kept"),
    ],
)
def test_rule_17_what_may_have_fired_since_is_not_done(fired: str, done: str, state: str) -> None:
    promised = framework(threshold(COMPUTE))
    said = (
        determined(promised, "yes", date=fired),
        determined(promised, "yes", subject="duty", date=done),
    )
    assert one(case(promised, determinations=said, at=AT)).state == state


@pytest.mark.parametrize("rule", [COMPUTE, MONTHS])
def test_rule_17_what_somebody_denies_later_is_not_done(rule: ThresholdRule) -> None:
    promised = framework(threshold(rule))
    own = determined(promised, "yes", subject="duty", date="2026-10-01", determined_by="example")
    fired = determined(promised, "yes", date="2026-09-01")
    assert one(case(promised, determinations=(fired, own), at=AT)).state == "kept"
    for word, date_, state in (
        ("no", "2026-10-20", "undetermined"),
        ("unclear", "2026-10-01", "undetermined"),
        ("no", "2026-09-30", "kept"),
    ):
        other = determined(promised, word, subject="duty", date=date_)
        found = one(case(promised, determinations=(fired, own, other), at=AT))
        assert (found.state, found.rule) == (state, 17)


def test_rule_17_a_trigger_of_time_fires_when_somebody_says_so_too() -> None:
    promised = framework(threshold(MONTHS))
    own = determined(promised, "yes", subject="duty", date="2026-10-01", determined_by="example")
    fired = determined(promised, "yes", quantity=9.0, unit="months", date="2026-10-02")
    assert one(case(promised, determinations=(own, fired), at=AT)).state == "undetermined"


def test_rule_20_binds_triggers() -> None:
    promised = framework(threshold(COMPUTE, maximum_age_months=6))
    for day, rule in (("2019", 20), ("2026-10-01", 17)):
        said = (determined(promised, "no", date=day),)
        assert one(case(promised, determinations=said, at=AT)).rule == rule


def test_rule_22_whoever_says_that_a_trigger_fired_does_not_vouch_for_it() -> None:
    promised = framework(threshold(COMPUTE, standing="one-institute"))
    fired = determined(promised, "yes", date="2026-09-01")
    own = determined(promised, "yes", subject="duty", date="2026-10-01", determined_by="example")
    found = one(case(promised, determinations=(fired, own), at=AT))
    assert (found.state, found.rule) == ("undetermined", 22)


def test_rule_23_what_was_tested_with_something_else_shows_nothing() -> None:
    lock = FILTER.model_copy(update={"key": "lock"})
    promised = framework(threshold(LEVEL, mitigations=("filter",)), mitigations=(FILTER, lock))
    base = (
        determined(promised, "yes"),
        determined(promised, "yes", subject="mitigation", key="filter"),
    )
    for tested, state in (
        (("lock",), "crossed"),
        (("filter", "lock"), "crossed"),
        (("filter",), "mitigated"),
    ):
        said = (*base, determined(promised, "no", mitigations=tested))
        assert one(case(promised, determinations=said, at=AT)).state == state


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"determined_by": "example"}, "crossed"),
        ({"date": "2019"}, "crossed"),
        ({}, "mitigated"),
    ],
)
def test_rule_23_a_mitigation_is_in_place_on_a_word_that_the_threshold_takes(
    changes: dict[str, Any], state: str
) -> None:
    promised = framework(
        threshold(mitigations=("filter",), standing="one-institute", maximum_age_months=6),
        mitigations=(FILTER,),
    )
    both = finding(
        cell(*figures(0.5), labs=labs("GB")),
        cell(*figures(0.02), model="m-guarded", labs=labs("GB", "JP")),
    )
    said = determined(promised, "yes", subject="mitigation", key="filter", model="m-guarded",
                      **changes)  # fmt: skip
    tested = (DatedFinding(both, "2026-11-01"),)
    found = one(Case(promised, "m", "deploy", AT, None, tested, (said,), ("m-guarded",)))
    assert found.state == state
    if state == "mitigated":
        assert found.standing == "one-institute", "whoever is less independent of the two"
        assert found.evidence == tuple(sorted((both.digest, said.digest)))


def test_rule_23_a_crossing_counts_though_nobody_vouches_for_the_mitigation_there() -> None:
    promised = framework(
        threshold(mitigations=("filter",), standing="one-institute"), mitigations=(FILTER,)
    )
    cells = [
        cell(*figures(value), model=model, labs=labs("GB"))
        for model, value in (("m", 0.5), ("a", 0.02), ("b", 0.5))
    ]
    said = tuple(
        determined(promised, "yes", subject="mitigation", key="filter", model=model,
                   determined_by=code)
        for model, code in (("a", "GB"), ("b", "example"))
    )  # fmt: skip
    question = case(promised, finding(*cells), determinations=said, mitigated=("a", "b"), at=AT)
    assert one(question).state == "crossed"
    assert one(replace(question, mitigated=("a",))).state == "mitigated"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"determined_by": "example"}, "undetermined"),
        ({"date": "2019"}, "undetermined"),
        ({}, "kept"),
    ],
)
def test_rule_26_not_due_is_shown_as_the_threshold_itself_asks(
    changes: dict[str, Any], state: str
) -> None:
    promised = framework(
        threshold(LEVEL, key="able"),
        threshold(SECURITY, key="safe", due_once=("able",), standing="one-institute",
                  maximum_age_months=6),
    )  # fmt: skip
    said = (
        determined(promised, "no", key="able", **changes),
        determined(promised, "yes", key="safe", level="SML-1"),
    )
    able, safe = ask(case(promised, determinations=said, at=AT)).outcomes
    assert (able.state, safe.state, safe.rule) == ("kept", state, 26)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"effective": "2026-11-30"}, 10),
        ({"effective": "2027"}, 10),
        ({"published": "2026-12"}, 10),
        ({"effective": "2026-11-29"}, 13),
        ({"published": "2026-11"}, 13),
    ],
)
def test_rule_10_a_framework_that_is_not_in_force_yet_decides_nothing(
    changes: dict[str, Any], rule: int
) -> None:
    decision = ask(case(framework(**changes), KEPT, at=AT))
    assert (decision.verdict == "MAY", decision.rule) == (rule == 13, rule)


def test_rule_14_the_baseline_itself_is_not_shown_to_be_no_worse() -> None:
    found = one(case(framework(threshold(regression(baseline="m"))), KEPT))
    assert (found.state, found.rule) == ("undetermined", 2)


def test_two_figures_of_one_choice_in_a_cell_are_no_sound_finding() -> None:
    for old in ((0.1, 0.3), (0.3, 0.1)):
        known = finding(cell(*figures(0.3)), cell(*figures(old[0]), *figures(old[1]), model="old"))
        with pytest.raises(VerificationError, match="in two figures of old, leak, en"):
            ask(case(framework(threshold(regression())), known))


def test_words_that_a_record_cannot_hold_are_cut() -> None:
    promised = framework(threshold(NotQuantified(needs="x" * 20_000)), threshold(LONG, key="long"))
    decision = ask(case(promised, KEPT, at=AT))
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    assert max(len(one.reason) for one in decision.outcomes) == 20_000
    assert Decision.from_bytes(decision.to_bytes(), where="decision") == decision


@pytest.mark.parametrize("identity", ["garbage", "", "sha256:" + "A" * 64])
def test_what_can_pin_no_snapshot_is_an_error(identity: str) -> None:
    with pytest.raises(InputError, match="cannot be the digest of a snapshot"):
        ask(case(framework(), KEPT, identity=identity))
