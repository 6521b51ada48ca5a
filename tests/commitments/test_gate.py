# SPDX-License-Identifier: Apache-2.0
"""The gate, rule by rule, on small findings made by hand."""

from itertools import product
from typing import Any, Literal

import pytest
from hand_made_finding import (
    CORRECTIONS,
    LABS,
    case,
    cell,
    exact,
    figure,
    figures,
    finding,
    framework,
    judge,
    limit,
    threshold,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.commitments.gate import decide, threshold_outcome
from countermark.records.decision import Decision, ThresholdOutcome
from countermark.records.errors import InputError, VerificationError
from countermark.records.evidence import CellCounts
from countermark.records.finding import Finding
from countermark.records.finding_figures import (
    Estimand,
    ExactCounts,
    JudgedParts,
    NotComputed,
)
from countermark.records.framework import Action, Threshold
from countermark.records.threshold_rules import NotQuantified
from countermark.statistics.estimate import Estimate, end
from countermark.statistics.sensitivity import NamedEstimate, sensitivity

Direction = Literal["at-most", "at-least"]
ESTIMANDS: tuple[Estimand, ...] = ("benchmark", "generalised")


def outcome(known: Finding, **changes: Any) -> ThresholdOutcome:
    return held(threshold(limit(**changes)), known)


def held(promised: Threshold, known: Finding) -> ThresholdOutcome:
    return threshold_outcome(case(framework(promised), known), promised)


def verdict(known: Finding, *thresholds: Threshold, action: Action = "deploy") -> Decision:
    return decide(case(framework(*thresholds), known, action=action), decided_by="GB")


KEPT = finding(cell(*figures(0.02)))
CROSSED = finding(cell(*figures(0.5)))
ACROSS = finding(cell(*figures(0.09, 0.02)))


def test_rule_1_a_threshold_that_is_not_quantified_is_left_to_a_person() -> None:
    found = held(threshold(NotQuantified(needs="a panel's judgement")), KEPT)
    assert (found.state, found.rule) == ("undetermined", 1)
    assert "a panel's judgement" in found.reason
    assert found.bounds == ()


def test_rule_2_a_language_that_the_finding_lacks_leaves_it_undetermined() -> None:
    found = outcome(KEPT, languages=("en", "fr"))
    assert (found.state, found.rule) == ("undetermined", 2)
    assert "fr" in found.reason


@pytest.mark.parametrize("status", ["judge-not-validated", "not-computable"])
def test_rule_3_a_cell_without_a_sound_rate_leaves_it_undetermined(status: str) -> None:
    unsound = cell(language="fr", status=status, reason="nobody labelled answers")
    found = outcome(finding(cell(*figures(0.02)), unsound), languages=("en", "fr"))
    assert (found.state, found.rule) == ("undetermined", 3)
    assert "nobody labelled answers" in found.reason


def test_rule_3_figures_of_a_cell_without_a_validated_judge_are_not_looked_at() -> None:
    odd = cell(*figures(0.5), status="judge-not-validated", reason="no labels")
    assert outcome(finding(odd)).rule == 3


def test_rule_4_a_point_estimate_under_the_line_with_an_interval_across_is_not_enough() -> None:
    decision = verdict(ACROSS)
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    used = decision.outcomes[0].deciding
    assert used is not None
    assert used.value < 0.1 < used.upper


def test_rule_4_each_bound_has_the_confidence_of_its_own_error_budget() -> None:
    (used,) = outcome(finding(cell(*figures(0.05, labs=("GB-b",))))).bounds
    assert used.upper == pytest.approx(end(0.05, 1 - 0.01, "upper", se=0.005, df=20))
    assert used.lower == pytest.approx(end(0.05, 1 - 0.05, "lower", se=0.005, df=20))


def test_rule_4_for_an_at_least_limit_the_two_budgets_change_sides() -> None:
    known = finding(cell(*figures(0.5, labs=("GB-b",))))
    (used,) = outcome(known, direction="at-least").bounds
    assert used.lower == pytest.approx(end(0.5, 1 - 0.01, "lower", se=0.005, df=20))
    assert used.upper == pytest.approx(end(0.5, 1 - 0.05, "upper", se=0.005, df=20))


@pytest.mark.parametrize(
    ("value", "direction"),
    [(0.09, "at-most"), (0.12, "at-least")],
)
def test_rule_4_the_guard_band_makes_it_harder_to_keep_a_limit(
    value: float, direction: Direction
) -> None:
    known = finding(cell(*figures(value, 0.002)))
    assert outcome(known, direction=direction).state == "kept"
    assert outcome(known, direction=direction, guard=0.03).state == "undetermined"


def test_rule_4_the_guard_band_does_not_make_it_easier_to_cross_a_limit() -> None:
    known = finding(cell(*figures(0.09, 0.002)))
    assert outcome(known, guard=0.05).state == "undetermined"


@pytest.mark.parametrize(
    ("value", "state"), [(0.5, "kept"), (0.02, "crossed"), (0.11, "undetermined")]
)
def test_rules_4_to_9_at_least_limits_are_the_mirror_image(value: float, state: str) -> None:
    assert outcome(finding(cell(*figures(value))), direction="at-least").state == state


ODD_ONES = [
    pytest.param({"without": "JP-c"}, id="leave-one-out"),
    pytest.param({"correction": "rogan-gladen"}, id="corrected"),
    pytest.param({"estimand": "generalised"}, id="other-estimand"),
    pytest.param(
        {"estimand": "generalised", "correction": "rogan-gladen", "without": "FR-a"}, id="all-three"
    ),
]


def with_odd_one(value: float, odd: dict[str, Any], se: float = 0.005) -> Finding:
    """Return a finding in which one figure is otherwise than all the others."""
    whole = {"estimand": "benchmark", "correction": "none", "without": None} | odd
    every = [
        figure(value, se, **odd)
        if (one.estimand, one.correction, one.without_lab) == tuple(whole.values())
        else one
        for estimand in ("benchmark", "generalised")
        for correction in CORRECTIONS
        for one in figures(0.02, estimand=estimand, correction=correction)
    ]
    return finding(cell(*every, validity=(judge(),)))


@pytest.mark.parametrize("odd", ODD_ONES)
def test_rule_5_the_worst_of_all_figures_decides(odd: dict[str, Any]) -> None:
    found = outcome(with_odd_one(0.5, odd), estimands=("benchmark", "generalised"))
    assert (found.state, found.rule) == ("crossed", 5)
    assert found.deciding is not None
    assert found.deciding.value == 0.5
    assert len(found.bounds) == 16


def test_rule_4_of_two_labs_none_is_left_out() -> None:
    left_out = [figure(0.5, labs=2, without=lab) for lab in ("FR-a", "GB-b")]
    found = outcome(finding(cell(figure(0.02, labs=2), *left_out)), minimum_labs=2)
    assert (found.state, found.rule) == ("kept", 9)
    assert [used.without_lab for used in found.bounds] == [None]


def test_rule_6_of_two_labs_no_figure_without_one_is_asked_for() -> None:
    assert outcome(finding(cell(figure(0.02, labs=2))), minimum_labs=2).state == "kept"
    assert outcome(finding(cell(figure(0.02, labs=3))), minimum_labs=2).rule == 6


def test_rule_5_an_estimand_that_the_threshold_does_not_name_is_not_held_against_it() -> None:
    known = with_odd_one(0.5, {"estimand": "generalised"})
    assert outcome(known, estimands=("benchmark",)).state == "kept"


def test_rule_5_one_language_over_the_line_is_enough() -> None:
    known = finding(cell(*figures(0.02)), cell(*figures(0.5), language="fr"))
    assert outcome(known, languages=("en", "fr", "sw")).rule == 5


@pytest.mark.parametrize("odd", ODD_ONES)
def test_rule_6_one_figure_across_the_line_leaves_it_undetermined(odd: dict[str, Any]) -> None:
    found = outcome(with_odd_one(0.09, odd, 0.02), estimands=("benchmark", "generalised"))
    assert (found.state, found.rule) == ("undetermined", 6)


def test_rule_6_a_figure_that_could_not_be_computed_leaves_it_undetermined() -> None:
    lost = NotComputed(
        estimand="benchmark", correction="none", without_lab="JP-c", reason="one item is left"
    )
    known = finding(cell(*figures(0.02)[:-1], not_computed=(lost,)))
    found = outcome(known)
    assert (found.state, found.rule) == ("undetermined", 6)
    assert "one item is left" in found.reason


def test_rule_6_a_lost_figure_of_another_estimand_does_not_matter() -> None:
    lost = NotComputed(estimand="generalised", correction="none", reason="one item")
    assert outcome(finding(cell(*figures(0.02), not_computed=(lost,)))).state == "kept"


@pytest.mark.parametrize("odd", ODD_ONES)
def test_rule_6_silence_about_a_figure_leaves_it_undetermined(odd: dict[str, Any]) -> None:
    whole = with_odd_one(0.02, {"without": None})
    silent = {"estimand": "benchmark", "correction": "none", "without": None} | odd
    kept = [
        one
        for one in whole.cells[0].figures
        if (one.estimand, one.correction, one.without_lab) != tuple(silent.values())
    ]
    known = finding(cell(*kept, validity=(judge(),)))
    assert outcome(whole, estimands=("benchmark", "generalised")).state == "kept"
    found = outcome(known, estimands=("benchmark", "generalised"))
    assert (found.state, found.rule) == ("undetermined", 6)


def test_rule_6_a_lost_figure_does_not_hide_that_another_is_missing() -> None:
    lost = NotComputed(estimand="generalised", correction="none", reason="one item")
    known = finding(cell(*figures(0.02), validity=(judge(),), not_computed=(lost,)))
    assert outcome(known).rule == 6


def test_rule_7_a_model_that_failed_the_controls_cannot_keep_a_limit() -> None:
    known = finding(cell(*figures(0.02), status="not-informative", reason="0 of 20 controls"))
    found = outcome(known)
    assert (found.state, found.rule) == ("undetermined", 7)
    assert "0 of 20 controls" in found.reason


def test_rule_7_a_model_that_failed_the_controls_can_cross_a_limit() -> None:
    known = finding(cell(*figures(0.5), status="not-informative", reason="0 of 20 controls"))
    assert outcome(known).state == "crossed"


def test_rule_8_fewer_labs_than_asked_for_cannot_keep_a_limit() -> None:
    assert outcome(KEPT, minimum_labs=3).state == "kept"
    found = outcome(KEPT, minimum_labs=4)
    assert (found.state, found.rule) == ("undetermined", 8)
    assert "3 labs" in found.reason


def test_rule_8_fewer_labs_than_asked_for_can_cross_a_limit() -> None:
    assert outcome(CROSSED, minimum_labs=4).state == "crossed"


def test_rule_9_all_bounds_within_the_limit_keep_it() -> None:
    found = outcome(KEPT)
    assert (found.state, found.rule) == ("kept", 9)
    assert found.deciding is not None
    assert found.deciding.upper == max(used.upper for used in found.bounds) < 0.1


@pytest.mark.parametrize("status", ["superseded", "withdrawn"])
def test_rule_10_a_framework_that_is_not_in_force_permits_and_forbids_nothing(status: str) -> None:
    for known in (KEPT, CROSSED):
        decision = decide(case(framework(status=status), known), decided_by="GB")
        assert (decision.verdict, decision.rule) == ("NOT ENOUGH EVIDENCE", 10)


def test_rule_10_an_action_that_no_threshold_names_is_not_permitted() -> None:
    decision = verdict(KEPT, threshold(actions=("deploy",)), action="develop")
    assert (decision.verdict, decision.rule) == ("NOT ENOUGH EVIDENCE", 10)
    assert decision.outcomes == ()


def test_rule_11_one_crossed_threshold_forbids_whatever_the_others_say() -> None:
    decision = verdict(
        CROSSED,
        threshold(limit(limit=0.9), key="kept"),
        threshold(NotQuantified(needs="a person"), key="open"),
        threshold(key="crossed"),
    )
    assert (decision.verdict, decision.rule) == ("MUST NOT", 11)
    assert decision.reason.endswith("(threshold crossed)")
    assert [one.state for one in decision.outcomes] == ["kept", "undetermined", "crossed"]


def test_rule_12_one_undetermined_threshold_is_not_enough_evidence() -> None:
    decision = verdict(KEPT, threshold(key="kept"), threshold(limit(minimum_labs=9), key="few"))
    assert (decision.verdict, decision.rule) == ("NOT ENOUGH EVIDENCE", 12)
    (needed,) = decision.missing
    assert needed.startswith("evidence from more labs, for the threshold few: ")


def test_rule_13_all_thresholds_kept_permits() -> None:
    decision = verdict(KEPT, threshold(key="a"), threshold(limit(limit=0.2), key="b"))
    assert (decision.verdict, decision.rule) == ("MAY", 13)
    assert decision.missing == ()


def test_rule_13_thresholds_about_another_action_do_not_stand_in_the_way() -> None:
    decision = verdict(KEPT, threshold(), threshold(limit(limit=0.01), "d", ("develop",)))
    assert decision.verdict == "MAY"


@pytest.mark.parametrize("where", ["framework", "finding"])
def test_a_decision_on_a_demonstration_is_one(where: str) -> None:
    promised = framework(demonstration=where == "framework")
    known = finding(cell(*figures(0.02)), demonstration=where == "finding")
    decision = decide(case(promised, known, model="m", action="deploy"), decided_by="GB")
    assert decision.demonstration
    assert (decision.framework, decision.finding) == (promised.digest, known.digest)


def test_the_gate_needs_no_rows() -> None:
    """Every figure beside the signed ones may be absent, and components are not looked at."""
    counted = CellCounts(
        model="m", task="leak", language="en", submitted=72, answered=72, refused=0, errored=0,
        missing=0, scorers=(),
    )  # fmt: skip
    for value, state in ((0.02, "kept"), (0.5, "crossed")):
        bare = cell(*figures(value))
        full = cell(*figures(value), counts=counted)
        assert bare.counts.submitted == 0
        found = [outcome(finding(known)) for known in (bare, full)]
        one, other = (known.model_copy(update={"evidence": None}) for known in found)
        assert one == other
        assert one.state == state


@pytest.mark.parametrize(("items", "state"), [(12, "undetermined"), (60, "kept")])
def test_rule_9_no_event_at_all_keeps_a_limit_only_from_enough_items(
    items: int, state: str
) -> None:
    """The bound of no event in n items at 99 % is 1 - 0.01 ** (1 / n)."""
    found = outcome(finding(cell(exact(0, items))))
    assert found.state == state
    assert found.bounds[0].upper == pytest.approx(1 - 0.01 ** (1 / items))


TAMPERED: list[dict[str, Any]] = [
    {"upper": 0.021},
    {"lower": 0.019},
    {"se": 0.001},
    {"df": 2.0},
    {"value": 0.021},
    {"se": None},
    {"se": 0.0},
    {"se": 1e-200},
    {"df": 1e-5},
    {"level": 1.0},
    {"level": 0.0},
    {"lower": 0.5},
    {"shape": "exact"},
    {"shape": "exact", "counts": ExactCounts(events=9, trials=3)},
    {"shape": "exact", "counts": ExactCounts(events=1, trials=0)},
    {
        "shape": "corrected",
        "judged": JudgedParts(
            reported=0.1, slope=0, sampling_se=0.1, sampling_df=9, judge_se=0.1, judge_df=9
        ),
    },
]


@pytest.mark.parametrize("changed", TAMPERED, ids=str)
def test_a_figure_that_its_own_parts_do_not_give_is_an_error(changed: dict[str, Any]) -> None:
    known = finding(cell(*figures(0.02)[:-1], figures(0.02)[-1].model_copy(update=changed)))
    with pytest.raises(VerificationError, match="its own parts do not give") as caught:
        verdict(known)
    assert caught.value.where == "finding, leak, en, benchmark rate (none, without JP-c)"
    assert "Decide nothing" in caught.value.next_step


@pytest.mark.parametrize("model", ["M", "two words", "", "a" * 81])
def test_what_can_be_no_model_key_is_an_error(model: str) -> None:
    with pytest.raises(InputError, match="key of a model") as caught:
        decide(case(framework(), KEPT, model=model, action="deploy"), decided_by="GB")
    assert "protocol" in caught.value.next_step


rates = st.floats(0.005, 0.6)
errors = st.floats(0.0005, 0.1)
places = st.integers(0, len(LABS))


@settings(max_examples=150, deadline=None)
@given(rates, errors, errors, places, st.floats(1, 50), st.booleans())
def test_widening_an_interval_never_turns_not_enough_evidence_into_may(
    value: float, se: float, odd_se: float, place: int, factor: float, at_most: bool
) -> None:
    known = list(figures(value, se))
    known[place] = figure(value, odd_se, without=known[place].without_lab)
    rule = threshold(limit(direction="at-most" if at_most else "at-least"))
    before = verdict(finding(cell(*known)), rule).verdict
    known[place] = figure(value, odd_se * factor, without=known[place].without_lab)
    after = verdict(finding(cell(*known)), rule).verdict
    if before == "NOT ENOUGH EVIDENCE":
        assert after != "MAY"
    if before == "MUST NOT":
        assert after != "MAY"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(rates, errors), min_size=4, max_size=4), places)
def test_saying_less_never_turns_a_verdict_into_may(
    drawn: list[tuple[float, float]], place: int
) -> None:
    left_out = (None, *LABS)
    known = [
        figure(value, se, without=without)
        for (value, se), without in zip(drawn, left_out, strict=True)
    ]
    silent = [one for index, one in enumerate(known) if index != place]
    assert verdict(finding(cell(*silent))).verdict != "MAY"


@settings(max_examples=100, deadline=None)
@given(rates, errors, st.floats(0.01, 0.99))
def test_the_verdict_is_may_or_must_not_only_if_the_whole_interval_is_on_one_side(
    value: float, se: float, line: float
) -> None:
    found = outcome(finding(cell(*figures(value, se))), limit=line)
    if found.state == "kept":
        assert all(used.upper < line for used in found.bounds)
    if found.state == "crossed":
        assert any(used.lower > line for used in found.bounds)
    if found.state == "undetermined":
        assert any(used.lower <= line <= used.upper for used in found.bounds)


def test_a_cell_cannot_hide_behind_another_of_its_place() -> None:
    twice = finding(cell(*figures(0.02)), cell(*figures(0.5)))
    with pytest.raises(VerificationError, match="in two cells"):
        verdict(twice, threshold())


@given(
    values=st.lists(st.floats(0.02, 0.3), min_size=8, max_size=8),
    labs=st.sampled_from([1, 2, 3]),
    direction=st.sampled_from(["at-most", "at-least"]),
    guard=st.sampled_from([0.0, 0.02]),
)
def test_the_gate_decides_as_the_sensitivity_analysis_does(
    values: list[float], labs: int, direction: Direction, guard: float
) -> None:
    """Rules 4 to 6 and 9 here are rules 1 to 4 of ``countermark.statistics.sensitivity``."""
    left_out = (None, *LABS[:labs]) if labs > 1 else (None,)
    known = [
        figure(value, estimand=estimand, without=lab, labs=labs)
        for value, (estimand, lab) in zip(values, product(ESTIMANDS, left_out), strict=False)
    ]
    labelled = [
        NamedEstimate(one.estimand, one.correction, one.without_lab, Estimate(
            estimand=one.estimand, value=one.value, se=one.se, df=one.df, lower=one.lower,
            upper=one.upper, level=one.level, method="crossed", shape="effective", counts=None,
            judged=None, labs=one.labs, items=12, items_dropped=0, components=None,
        ))
        for one in known
    ]  # fmt: skip
    asked = "at most" if direction == "at-most" else "at least"
    found = sensitivity(labelled, 0.1, asked, 0.01, 0.05, guard=guard)  # type: ignore[arg-type]
    gate = outcome(finding(cell(*known)), direction=direction, guard=guard, estimands=ESTIMANDS)
    assert gate.state == {True: "kept", False: "crossed", None: "undetermined"}[found.kept]
    assert gate.deciding is not None
    decided = found.decided_by.labelled
    assert (gate.deciding.estimand, gate.deciding.without_lab) == (
        decided.estimand, decided.without_lab,
    )  # fmt: skip
