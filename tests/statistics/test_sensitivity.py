# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import (
    Crossing,
    Direction,
    Estimand,
    Estimate,
    NamedEstimate,
    NotComputable,
    Sensitivity,
    StatisticsError,
    Validity,
    bound,
    cases,
    decide,
    sensitivity,
)
from countermark.statistics.intervals import score_bound

# t table, 97.5 %, by degrees of freedom.
T95 = {10: 2.2281388520, 1_000_000: 1.9599663946}


def estimate(value: float, size: float = 400, labs: int = 4, df: int = 10) -> Estimate:
    return Estimate(
        estimand="generalised", value=value, se=math.sqrt(value * (1 - value) / size), df=df,
        lower=score_bound(value, size, -T95[df]), upper=score_bound(value, size, T95[df]),
        level=0.95, method="crossed", shape="effective", counts=None, judged=None, labs=labs,
        items=400, items_dropped=0, components=None,
    )  # fmt: skip


def case(
    value: float | None, lab: str | None = None, estimand: Estimand = "generalised",
    correction: str = "none", labs: int = 4,
) -> NamedEstimate:  # fmt: skip
    found = NotComputable("one item") if value is None else estimate(value, labs=labs)
    return NamedEstimate(estimand, correction, lab, found)


# Against a limit of 0.3: shown below, not clear, shown above.
BELOW, UNCLEAR, ABOVE = 0.1, 0.28, 0.5


def asked(
    *given: NamedEstimate, limit: float = 0.3, direction: Direction = "at most"
) -> Sensitivity:
    return sensitivity(given, limit, direction, alpha_miss=0.01, alpha_false=0.05)


@given(
    values=st.lists(st.floats(0.02, 0.98), min_size=1, max_size=6),
    limit=st.floats(0, 1),
    guard=st.floats(0, 0.1),
)
def test_rule_1_each_case_is_decided_by_itself(
    values: list[float], limit: float, guard: float
) -> None:
    given = [case(value, lab) for lab, value in zip([None, *"abcde"], values, strict=False)]
    found = sensitivity(given, limit, "at least", 0.02, 0.1, guard=guard)
    assert [one.labelled for one in found.outcomes] == given
    for one in found.outcomes:
        alone = decide(one.labelled.estimate, limit, "at least", 0.02, 0.1, guard=guard)
        assert one.decision == alone


def test_rule_2_the_worst_outcome_decides() -> None:
    none, lab = case(BELOW), case(UNCLEAR, "a")
    corrected = case(ABOVE, correction="rogan-gladen")
    assert asked(none).worst == "below"
    assert asked(none, lab).worst == "undetermined"
    assert asked(none, lab, corrected).worst == "exceeds"
    assert asked(none).kept is True
    assert asked(none, lab).kept is None
    assert asked(none, lab, corrected).kept is False
    at_least = asked(case(ABOVE), lab, corrected, direction="at least")
    assert at_least.worst == "undetermined"
    assert asked(case(ABOVE), case(BELOW, "a"), direction="at least").worst == "below"


@given(order=st.permutations([BELOW, UNCLEAR, ABOVE, 0.12, 0.45]))
def test_rule_2_the_order_of_the_cases_changes_nothing(order: list[float]) -> None:
    found = asked(*(case(value, lab) for lab, value in zip([None, *"abcd"], order, strict=True)))
    assert found.worst == "exceeds"
    assert found.decided_by.labelled.estimate == estimate(ABOVE)


def test_rule_3_one_lab_left_out_may_weaken_and_may_break() -> None:
    weak = asked(case(BELOW), case(UNCLEAR, "a"))
    assert (weak.worst, weak.alone) == ("undetermined", False)
    broken = asked(case(BELOW), case(ABOVE, "a"), case(BELOW, "b"))
    assert (broken.worst, broken.alone) == ("exceeds", True)
    both = asked(case(ABOVE), case(ABOVE, "a"))
    assert (both.worst, both.alone) == ("exceeds", False)


def test_rule_4_of_two_labs_none_is_left_out() -> None:
    left = case(ABOVE, "a", labs=1)
    found = asked(case(BELOW, labs=2), left)
    assert (found.worst, found.set_aside) == ("below", (left,))
    assert asked(case(BELOW, labs=3), case(ABOVE, "a", labs=2)).set_aside == ()


def test_rule_5_a_missing_figure_is_undetermined() -> None:
    found = asked(case(BELOW), case(None, estimand="benchmark"))
    assert found.worst == "undetermined"
    assert isinstance(found.decided_by.labelled.estimate, NotComputable)
    assert asked(case(ABOVE), case(None, "a")).worst == "exceeds"
    unclear = asked(case(None), case(UNCLEAR, "a"))
    assert unclear.decided_by.labelled == case(UNCLEAR, "a")


def test_rule_6_of_equally_bad_cases_the_farthest_bound_decides() -> None:
    assert (
        asked(case(0.08), case(BELOW, "a"), case(0.09, "b")).decided_by.labelled.without_lab == "a"
    )
    one = asked(case(BELOW), case(BELOW, "a"), case(BELOW, "b"))
    assert one.decided_by.labelled.without_lab is None
    high = asked(case(0.8), case(0.6, "a"), case(0.7, "b"), direction="at least")
    assert (high.worst, high.decided_by.labelled.without_lab) == ("exceeds", "a")


def test_rule_7_each_single_choice_that_changes_the_outcome() -> None:
    benchmark = case(BELOW, estimand="benchmark")
    generalised, without_a = case(UNCLEAR), case(ABOVE, "a")
    corrected = case(BELOW, correction="rogan-gladen")
    without_b = case(BELOW, "b")
    found = asked(benchmark, generalised, without_a, corrected, without_b)
    named = {(flip.choice, flip.one.labelled, flip.other.labelled) for flip in found.flips}
    assert named == {
        ("estimand", benchmark, generalised),
        ("lab", generalised, without_a),
        ("correction", generalised, corrected),
        ("lab", generalised, without_b),
    }
    assert asked(case(BELOW), case(BELOW, "a")).flips == ()


def test_rule_8_many_cases_never_help_a_broken_limit_and_the_false_alarm_is_bounded() -> None:
    """Simulated: estimates with a rate at the limit; five cases that share most of their rows."""
    rng = np.random.default_rng(4)
    kept = broken = first = 0
    reps, size, alpha = 1500, 2000, 0.05
    for _ in range(reps):
        shared = rng.normal(0, 1)
        z = 0.8 * shared + 0.6 * rng.normal(size=5)
        values = 0.3 + z * math.sqrt(0.3 * 0.7 / size)
        given = [
            NamedEstimate("generalised", "none", lab, estimate(value, size, df=1_000_000))
            for lab, value in zip([None, *"abcd"], values, strict=True)
        ]
        found = sensitivity(given, 0.3, "at most", alpha, alpha)
        kept += found.kept is True
        broken += found.kept is False
        first += found.outcomes[0].decision.kept is False
    noise = 2 * math.sqrt(alpha * (1 - alpha) / reps)
    assert found.false_alarm_most == pytest.approx(0.25)
    assert kept / reps <= alpha + noise
    assert first / reps == pytest.approx(alpha, abs=noise)
    assert alpha + noise < broken / reps <= found.false_alarm_most


def crossing_of(labs: int) -> Crossing:
    rng = np.random.default_rng(2)
    scores = rng.binomial(1, rng.beta(1, 6, (1, 90)) * np.ones((labs, 1))).astype(float)
    keys = (tuple("abcdef"[:labs]), tuple(f"i{i:03}" for i in range(90)))
    return Crossing(*keys, np.ones(scores.shape, dtype=int), scores, scores)


def test_cases_are_all_combinations_of_choices() -> None:
    crossing = crossing_of(3)
    validity = {"v": Validity(90, 100, 190, 200, "en")}
    found = cases(crossing, versions=dict.fromkeys("abc", "v"), validity=validity, language="en")
    assert len({(one.estimand, one.correction, one.without_lab) for one in found}) == 16
    assert len(cases(crossing)) == 8
    assert len(cases(crossing_of(2))) == 6
    for one in found:
        assert isinstance(one.estimate, Estimate)
        assert one.estimate.estimand == one.estimand
        assert one.estimate.labs == (3 if one.without_lab is None else 2)
    worst = sensitivity(found, 0.5, "at most", 0.01, 0.05)
    highest = max(bound(one.estimate, 0.99, "upper") for one in found)  # type: ignore[arg-type]
    assert worst.decided_by.decision.upper == highest


def test_cases_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(StatisticsError, match="each once"):
        asked(case(BELOW), case(ABOVE))
    for nothing in ((), (case(BELOW, "a"),)):
        with pytest.raises(StatisticsError, match="all labs"):
            asked(*nothing)
