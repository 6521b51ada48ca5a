# SPDX-License-Identifier: Apache-2.0
"""The gate's rules 14 to 26: other kinds of threshold, and what evidence counts."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hand_made_case import (
    COMPUTE,
    COST,
    FILTER,
    LEVEL,
    MONTHS,
    OUTCOME,
    REPORT,
    SECURITY,
    TIER,
    determined,
    regression,
    uplift,
)
from hand_made_finding import case, cell, exact, figures, finding, framework, limit, threshold

from countermark.commitments.case import Case, DatedFinding
from countermark.commitments.gate import decide
from countermark.records.decision import Decision, ThresholdOutcome
from countermark.records.determination import Determination
from countermark.records.finding import Finding
from countermark.records.finding_figures import LabFigures
from countermark.records.framework import Framework
from countermark.records.threshold_rules import ThresholdRule

AT = date(2026, 11, 29)


def ask(question: Case) -> Decision:
    return decide(question, decided_by="GB")


def one(question: Case) -> ThresholdOutcome:
    (found,) = ask(question).outcomes
    return found


def judged(rule: ThresholdRule, *words: str, **changes: Any) -> ThresholdOutcome:
    """Return what becomes of a threshold with one determination for each word."""
    promised = framework(threshold(rule))
    said = tuple(
        determined(promised, word, reasons=f"made up {place}", **changes)
        for place, word in enumerate(words)
    )
    return one(case(promised, determinations=said, at=AT))


def labs(*institutes: str) -> tuple[LabFigures, ...]:
    return tuple(
        LabFigures(institute=code, lab=f"{code}-a", value=0.1, lower=0, upper=1, scored=9, events=1)
        for code in institutes
    )


def two_models(new: float, old: float, se: float = 0.004) -> Finding:
    return finding(cell(*figures(new, se)), cell(*figures(old, se), model="old"))


def with_and_without(helped: float, alone: float, se: float = 0.004) -> Finding:
    return finding(cell(*figures(helped, se)), cell(*figures(alone, se), task="alone"))


@pytest.mark.parametrize(
    ("new", "old", "state"),
    [(0.10, 0.10, "kept"), (0.30, 0.10, "crossed"), (0.15, 0.10, "undetermined")],
)
def test_rule_14_a_regression_is_decided_by_the_difference(
    new: float, old: float, state: str
) -> None:
    found = one(case(framework(threshold(regression())), two_models(new, old)))
    assert found.state == state
    assert found.bounds == ()
    used = (found.comparisons or ())[0]
    assert used.value == pytest.approx(new - old)
    assert used.upper is not None
    assert used.lower < new - old < used.upper


def test_rule_14_where_lower_is_worse_the_difference_turns() -> None:
    rule = threshold(regression(worse="lower"))
    assert one(case(framework(rule), two_models(0.3, 0.1))).state == "kept"
    assert one(case(framework(rule), two_models(0.1, 0.3))).state == "crossed"


def test_rule_14_both_bounds_have_half_the_budget() -> None:
    known = two_models(0.1, 0.1)
    most = threshold(limit(alpha_miss=0.005))
    least = threshold(limit(direction="at-least", limit=0.01, alpha_miss=0.005))
    upper = one(case(framework(most), known)).bounds[0].upper
    lower = one(case(framework(least), known)).bounds[0].lower
    (used, *_) = one(case(framework(threshold(regression())), known)).comparisons or ()
    assert used.upper == pytest.approx(upper - lower)


def test_rule_14_without_the_earlier_model_in_the_finding_nothing_is_shown() -> None:
    found = one(case(framework(threshold(regression())), finding(cell(*figures(0.1)))))
    assert (found.state, found.rule) == ("undetermined", 2)
    assert "old" in found.reason


@pytest.mark.parametrize(
    ("helped", "alone", "state"),
    [(0.2, 0.2, "kept"), (0.6, 0.2, "crossed"), (0.4, 0.2, "undetermined")],
)
def test_rule_15_an_uplift_in_a_rate_is_decided_by_the_ratio(
    helped: float, alone: float, state: str
) -> None:
    found = one(case(framework(threshold(uplift())), with_and_without(helped, alone)))
    assert found.state == state
    assert (found.comparisons or ())[0].value == pytest.approx(helped / alone)


def test_rule_15_a_baseline_that_may_be_nothing_has_no_upper_bound() -> None:
    known = finding(cell(*figures(0.1, labs=("GB-b",))), cell(exact(0, 12), task="alone"))
    found = one(case(framework(threshold(uplift())), known))
    assert found.state == "undetermined"
    assert any(used.upper is None for used in found.comparisons or ())


@pytest.mark.parametrize("rule", [LEVEL, OUTCOME, TIER, COST])
def test_rule_16_persons_decide_what_no_figure_decides(rule: ThresholdRule) -> None:
    assert judged(rule, "no").state == "kept"
    assert judged(rule, "yes").state == "crossed"
    assert judged(rule, "unclear").state == "undetermined"
    assert judged(rule).state == "undetermined"
    assert judged(rule, "no", "yes", "no").state == "crossed"
    assert judged(rule, "no", "unclear").state == "undetermined"
    assert {judged(rule, *words).rule for words in (("no",), ("yes",), ())} == {16}


def test_rule_16_the_level_outweighs_the_word() -> None:
    assert judged(LEVEL, "no", level="low").state == "kept"
    assert judged(LEVEL, "no", level="critical").state == "crossed"
    assert judged(TIER, "no", level="MR3").state == "crossed"
    assert judged(LEVEL, "no", level="medium").state == "undetermined"
    assert judged(COST, "no", quantity=12.0, unit="times").state == "crossed"
    assert judged(COST, "no", quantity=3.0, unit="times").state == "kept"


def test_rule_16_a_quantity_in_another_unit_shows_nothing() -> None:
    assert judged(COST, "no", quantity=3.0, unit="months").state == "undetermined"


def test_rule_17_a_trigger_that_fired_waits_for_what_it_demands() -> None:
    promised = framework(threshold(COMPUTE))
    below = determined(promised, "no", quantity=2.0, unit="times")
    fired = determined(promised, "no", quantity=5.0, unit="times")
    before = determined(promised, "yes", subject="duty", date="2026-10-01")
    since = determined(promised, "yes", subject="duty", date="2026-11-02")
    expected: list[tuple[tuple[Determination, ...], str]] = [
        ((), "undetermined"),
        ((below,), "kept"),
        ((fired,), "undetermined"),
        ((fired, before), "undetermined"),
        ((fired, since), "kept"),
        ((below, fired), "undetermined"),
    ]
    for said, state in expected:
        found = one(case(promised, determinations=said, at=AT))
        assert (found.state, found.rule) == (state, 17)


def test_rule_17_a_quantity_in_another_unit_does_not_say_that_it_did_not_fire() -> None:
    found = judged(COMPUTE, "no", quantity=1e25, unit="FLOP")
    assert (found.state, found.rule) == ("undetermined", 17)
    assert "times" in found.reason


@pytest.mark.parametrize(
    ("assessed", "state"),
    [(None, "undetermined"), ("2026-10-01", "kept"), ("2026-01-05", "undetermined")],
)
def test_rule_17_a_trigger_of_time_fires_so_long_after_the_last_assessment(
    assessed: str | None, state: str
) -> None:
    promised = framework(threshold(MONTHS))
    said = (determined(promised, "yes", subject="duty", date=assessed),) if assessed else ()
    assert one(case(promised, determinations=said, at=AT)).state == state


@pytest.mark.parametrize(
    ("levels", "state"),
    [
        ((), "undetermined"),
        (("SML-2",), "kept"),
        (("SML-3", "SML-2"), "kept"),
        (("SML-1",), "crossed"),
        (("SML-3", "SML-1"), "crossed"),
        (("SML-3", "another"), "undetermined"),
        ((None,), "undetermined"),
    ],
)
def test_rule_18_security_must_be_at_the_level_required(
    levels: tuple[str | None, ...], state: str
) -> None:
    promised = framework(threshold(SECURITY))
    said = tuple(determined(promised, "yes", level=level) for level in levels)
    found = one(case(promised, determinations=said, at=AT))
    assert (found.state, found.rule) == (state, 18)


KEPT, CROSSED = finding(cell(*figures(0.02))), finding(cell(*figures(0.5)))
SNAPSHOTS = ("sha256:" + "a" * 64, "sha256:" + "b" * 64)


def test_rule_19_a_finding_about_another_snapshot_shows_nothing_and_says_why() -> None:
    mine, other = SNAPSHOTS
    for identity, state in ((mine, "kept"), (other, "undetermined")):
        tested = (DatedFinding(KEPT, "2026-11-01", (("m", identity),)),)
        decision = ask(Case(framework(), "m", "deploy", AT, mine, tested))
        assert decision.outcomes[0].state == state
    assert decision.outcomes[0].rule == 19
    assert "another snapshot" in decision.outcomes[0].reason
    (left_out,) = decision.evidence or ()
    assert other in str(left_out.left_out)


def test_rule_19_determinations_of_another_version_model_snapshot_or_day_show_nothing() -> None:
    promised = framework(threshold(LEVEL))
    mine, other = SNAPSHOTS
    for changes in (
        {"framework": other},
        {"model": "n"},
        {"identity": other},
        {"date": "2026-11-30"},
    ):
        said = (determined(promised, "no", **changes),)
        decision = ask(case(promised, determinations=said, at=AT, identity=mine))
        assert (decision.outcomes[0].state, decision.outcomes[0].rule) == ("undetermined", 19)
        assert [used.left_out is not None for used in decision.evidence or ()] == [True]


def test_rule_19_a_judgement_that_is_left_out_is_no_reason_against_a_finding() -> None:
    promised = framework(threshold())
    tested = DatedFinding(finding(cell(*figures(0.02))), "2026-11-01", (("m", SNAPSHOTS[1]),))
    said = determined(promised, "no", identity=SNAPSHOTS[1])
    question = Case(promised, "m", "deploy", AT, SNAPSHOTS[0], (tested,), (said,))
    reason = one(question).reason
    assert reason == f"no finding counts: it tested another snapshot of m: {SNAPSHOTS[1]}"


def test_rule_19_what_is_left_out_of_another_threshold_is_no_reason() -> None:
    promised = framework(threshold(LEVEL), threshold(SECURITY, key="s"))
    said = (determined(promised, "no", date="2026-11-30"),)
    level, security = ask(case(promised, determinations=said, at=AT)).outcomes
    assert (level.rule, security.rule) == (19, 18)
    assert security.next_test is not None
    assert "level of security" in security.next_test.words


@pytest.mark.parametrize(
    ("on", "rule"), [("2026-10-01", 9), ("2025-12-29", 20), (None, 20), ("2026", 20)]
)
def test_rule_20_what_is_older_than_the_threshold_allows_keeps_nothing(
    on: str | None, rule: int
) -> None:
    promised = framework(threshold(maximum_age_months=6))
    question = Case(promised, "m", "deploy", AT, tested=(DatedFinding(KEPT, on),))
    assert one(question).rule == rule
    crossed = replace(question, tested=(DatedFinding(CROSSED, on),))
    assert one(crossed).state == "crossed", "age takes nothing from what speaks against"


def test_rule_20_an_old_judgement_holds_if_it_speaks_against() -> None:
    promised = framework(threshold(LEVEL, maximum_age_months=6))
    for word, expected in (("no", ("undetermined", 20)), ("yes", ("crossed", 16))):
        said = (determined(promised, word, date="2025-12-01"),)
        found = one(case(promised, determinations=said, at=AT))
        assert (found.state, found.rule) == expected


def test_rule_21_of_several_findings_the_crossing_one_decides() -> None:
    assert one(case(framework(), KEPT, CROSSED)).state == "crossed"
    wide = finding(cell(*figures(0.09, 0.02)))
    found = one(case(framework(), wide, KEPT))
    assert found.state == "kept"
    assert found.evidence == (KEPT.digest,)


def test_rule_21_several_findings_share_the_budget() -> None:
    wide = finding(cell(*figures(0.09, 0.02)))
    alone, beside = (one(case(framework(), *known)) for known in ((KEPT,), (KEPT, wide)))
    stricter = one(case(framework(threshold(limit(alpha_miss=0.005))), KEPT))
    assert beside.bounds[0].upper > alone.bounds[0].upper
    assert beside.bounds[0].upper == pytest.approx(stricter.bounds[0].upper)


def test_rule_21_a_finding_of_another_task_takes_nothing_from_the_budget() -> None:
    other = finding(cell(*figures(0.09, 0.02), task="another"))
    alone, beside = (one(case(framework(), *known)) for known in ((KEPT,), (KEPT, other)))
    assert beside == alone


@pytest.mark.parametrize(
    ("institutes", "wanted", "state"),
    [
        (("GB", "JP"), "several-institutes", "kept"),
        (("GB",), "several-institutes", "undetermined"),
        (("GB",), "one-institute", "kept"),
        (("GB",), None, "kept"),
    ],
)
def test_rule_22_evidence_must_be_as_independent_as_the_threshold_asks(
    institutes: tuple[str, ...], wanted: Any, state: str
) -> None:
    known = finding(cell(*figures(0.02), labs=labs(*institutes)))
    found = one(case(framework(threshold(standing=wanted)), known))
    assert found.state == state
    assert found.rule == (9 if state == "kept" else 22)
    assert found.standing == ("several-institutes" if len(institutes) > 1 else "one-institute")


def test_rule_22_the_developer_alone_is_least_independent() -> None:
    promised = framework(threshold(LEVEL, standing="one-institute"))
    said = (determined(promised, "no", determined_by="example"),)
    found = one(case(promised, determinations=said, at=AT))
    assert (found.state, found.rule, found.standing) == ("undetermined", 22, "developer-alone")
    both = (*said, determined(promised, "no"))
    decision = ask(case(promised, determinations=both, at=AT))
    assert (decision.verdict, decision.standing) == ("MAY", "one-institute")


MITIGATED = framework(threshold(mitigations=("filter",)), mitigations=(FILTER,))
GUARDED = cell(*figures(0.02), model="m-guarded")


def in_place(conclusion: str = "yes", **changes: Any) -> Determination:
    changes = {"model": "m-guarded", "subject": "mitigation", "key": "filter", **changes}
    return determined(MITIGATED, conclusion, **changes)


def guarded(*said: Determination, promised: Framework = MITIGATED, **more: Any) -> Decision:
    both = finding(cell(*figures(0.5)), more.pop("cell", GUARDED))
    mitigated = more.pop("mitigated", ("m-guarded",))
    return ask(case(promised, both, determinations=said, mitigated=mitigated, at=AT))


def test_rule_23_crossed_and_shown_to_be_mitigated_is_allowed() -> None:
    decision = guarded(in_place())
    assert (decision.verdict, decision.rule) == ("MAY", 13)
    (found,) = decision.outcomes
    assert (found.state, found.rule) == ("mitigated", 23)
    assert "50" in found.reason or "above the limit" in found.reason
    assert "filter" in str(found.residual)


def test_rule_23_without_evidence_for_the_mitigation_it_stays_crossed() -> None:
    cases = [
        guarded(),
        guarded(in_place("no")),
        guarded(in_place(), in_place("no", determined_by="JP")),
        guarded(in_place(key="another")),
        guarded(in_place(), mitigated=()),
        guarded(in_place(), cell=cell(*figures(0.5), model="m-guarded")),
        guarded(in_place(), cell=cell(*figures(0.09, 0.02), model="m-guarded")),
        guarded(in_place(), promised=framework(threshold(), mitigations=(FILTER,))),
    ]
    for decision in cases:
        assert (decision.verdict, decision.rule) == ("MUST NOT", 11)
        assert decision.outcomes[0].residual
    # What would show the residual risk is named among the evidence that is missing.
    (needed,) = cases[0].missing
    assert needed.startswith("evidence that with filter in place the system keeps the threshold t")
    assert cases[-1].missing == ()


def test_rule_23_what_persons_determine_may_be_mitigated_too() -> None:
    promised = framework(threshold(LEVEL, mitigations=("filter",)), mitigations=(FILTER,))
    said = (
        determined(promised, "yes"),
        determined(promised, "yes", subject="mitigation", key="filter"),
        determined(promised, "no", mitigations=("filter",)),
    )
    assert one(case(promised, determinations=said, at=AT)).state == "mitigated"
    assert one(case(promised, determinations=said[:2], at=AT)).state == "crossed"
    assert one(case(promised, determinations=(said[0], said[2]), at=AT)).state == "crossed"


def test_rule_24_a_duty_that_must_be_done_before_is_waited_for() -> None:
    promised = framework(threshold(), disclosure=(REPORT,))
    done = determined(promised, "yes", subject="duty", key="report")
    undone = determined(promised, "no", subject="duty", key="report", determined_by="JP")
    for said, verdict, rule in (
        ((), "NOT ENOUGH EVIDENCE", 24),
        ((done,), "MAY", 13),
        ((done, undone), "NOT ENOUGH EVIDENCE", 24),
    ):
        decision = ask(case(promised, KEPT, determinations=said, at=AT))
        assert (decision.verdict, decision.rule) == (verdict, rule)
        assert bool(decision.missing) == (rule == 24)
    assert ask(case(promised, CROSSED, at=AT)).rule == 11, "a duty never softens a crossing"


@pytest.mark.parametrize("changes", [{"before": None}, {"before": "develop"}, {"force": "may"}])
def test_rule_24_other_duties_block_nothing(changes: dict[str, Any]) -> None:
    duty = REPORT.model_copy(update=changes)
    assert ask(case(framework(threshold(), disclosure=(duty,)), KEPT)).verdict == "MAY"


def test_rule_25_a_threshold_that_was_deleted_or_changed_is_warned_of() -> None:
    old = framework(
        threshold(key="gone"), threshold(limit(limit=0.05)), label="1", published="2025-08-20"
    )
    new = framework(threshold(), label="2", published="2026-06-30")
    decision = ask(case(new, KEPT, earlier=(old, new)))
    assert (decision.verdict, decision.framework) == ("MAY", new.digest)
    gone, changed = decision.warnings or ()
    assert gone.startswith("the threshold gone of version 1 (2025-08-20) is not in version 2")
    assert "threshold t of version 1" in changed


def test_rule_25_a_later_version_is_warned_of() -> None:
    newer = framework(threshold(key="new"), label="2", published="2026-10-01")
    decision = ask(case(framework(), KEPT, later=(newer,)))
    assert decision.verdict == "MAY"
    assert decision.warnings == (
        "version 2 (2026-10-01) came after version 1, by which this was decided",
    )


def test_rule_25_thresholds_out_of_force_and_choices_of_the_encoder_are_warned_of() -> None:
    promised = framework(
        threshold(key="old", status="withdrawn"),
        threshold(assumed=("the estimand",)),
        disclosure=(REPORT.model_copy(update={"force": "should"}),),
    )
    decision = ask(case(promised, KEPT))
    assert [found.threshold for found in decision.outcomes] == ["t"]
    said = " | ".join(decision.warnings or ())
    assert "old is withdrawn" in said
    assert "chose: the estimand" in said
    assert "should be: a report" in said


def test_rule_25_a_finding_of_an_unknown_snapshot_is_warned_of() -> None:
    decision = ask(case(framework(), KEPT, identity=SNAPSHOTS[0]))
    (warning,) = decision.warnings or ()
    assert warning.startswith("nothing says which snapshot of m")
    assert ask(case(framework(), KEPT)).warnings is None


def test_rule_25_a_judgement_of_an_unknown_snapshot_is_warned_of() -> None:
    promised = framework(threshold(LEVEL))
    loose, tied = (determined(promised, "no", identity=one) for one in (None, SNAPSHOTS[0]))
    decision = ask(case(promised, determinations=(loose, tied), identity=SNAPSHOTS[0], at=AT))
    (warning,) = decision.warnings or ()
    assert warning.endswith(f"the determination {loose.digest} judged")


def test_rule_25_a_system_that_nobody_ties_to_the_model_is_warned_of() -> None:
    loose, tied = in_place(), in_place(base_model="m")
    told = "no determination says that m-guarded is m with mitigations in place"
    assert guarded(loose).warnings == (told,)
    assert guarded(loose, tied).warnings is None


def test_a_decision_without_any_finding_names_none() -> None:
    promised = framework(threshold(LEVEL))
    decision = ask(case(promised, determinations=(determined(promised, "no"),), at=AT))
    assert (decision.verdict, decision.finding) == ("MAY", None)
    assert Decision.from_bytes(decision.to_bytes(), where="decision") == decision


def test_an_undetermined_threshold_has_a_next_test() -> None:
    wide = finding(cell(*figures(0.05, 0.02)))
    found = one(case(framework(), wide))
    assert found.next_test is not None
    assert found.next_test.items
    assert found.distance is not None
    assert found.distance > 0
    assert one(case(framework(), KEPT)).next_test is None


@pytest.mark.parametrize(
    ("able", "level", "state", "rule"),
    [
        ("no", "SML-1", "kept", 26),
        ("no", None, "kept", 26),
        ("yes", "SML-1", "crossed", 18),
        ("yes", "SML-2", "kept", 18),
        ("yes", None, "undetermined", 18),
        (None, "SML-1", "undetermined", 26),
        (None, "SML-2", "kept", 18),
        (None, None, "undetermined", 26),
    ],
)
def test_rule_26_a_threshold_is_due_once_another_is_reached(
    able: str | None, level: str | None, state: str, rule: int
) -> None:
    promised = framework(
        threshold(LEVEL, key="able"), threshold(SECURITY, key="safe", due_once=("able",))
    )
    said = [determined(promised, word, key="able") for word in (able,) if word]
    said += [determined(promised, "yes", key="safe", level=found) for found in (level,) if found]
    outcome = ask(case(promised, determinations=tuple(said))).outcomes[1]
    assert (outcome.state, outcome.rule) == (state, rule)


def test_rule_26_says_whose_word_it_is_that_it_is_not_due() -> None:
    promised = framework(
        threshold(LEVEL, key="able"),
        threshold(TIER, key="scored"),
        threshold(SECURITY, key="safe", due_once=("able", "scored")),
    )
    said = (
        determined(promised, "no", key="able"),
        determined(promised, "no", key="scored", determined_by=promised.developer),
    )
    outcome = ask(case(promised, determinations=said)).outcomes[2]
    assert outcome.standing == "developer-alone"
    assert outcome.evidence == tuple(sorted(one.digest for one in said))
    assert "due once able or scored is reached" in outcome.reason


def test_rule_26_what_is_no_longer_in_force_makes_nothing_idle() -> None:
    promised = framework(
        threshold(LEVEL, key="able", status="withdrawn"),
        threshold(SECURITY, key="safe", due_once=("able",)),
    )
    said = (
        determined(promised, "no", key="able"),
        determined(promised, "yes", key="safe", level="SML-1"),
    )
    assert ask(case(promised, determinations=said)).verdict == "MUST NOT"
