# SPDX-License-Identifier: Apache-2.0
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import (
    Crossing,
    Decision,
    Direction,
    Estimate,
    Guard,
    NotComputable,
    StatisticsError,
    bound,
    crossed,
    decide,
    exceedance,
    significant,
)


@pytest.fixture(scope="module")
def estimate() -> Estimate:
    rng = np.random.default_rng(5)
    scores = rng.binomial(2, rng.beta(2, 8, (1, 200)) * np.ones((5, 1))) / 2
    keys = (tuple("abcde"), tuple(f"{i:03}" for i in range(200)))
    # Answers are 0 or 1, so the sum of squares is the sum.
    result = crossed(Crossing(*keys, np.full((5, 200), 2), 2 * scores, 2 * scores), "generalised")
    assert isinstance(result, Estimate)
    return result


def verdict(
    estimate: Estimate | NotComputable,
    limit: float,
    direction: Direction = "at most",
    guard: float | Guard = 0.0,
) -> Decision:
    return decide(estimate, limit, direction, alpha_miss=0.01, alpha_false=0.05, guard=guard)


def test_rule_1_below_needs_the_upper_bound_at_alpha_miss(estimate: Estimate) -> None:
    upper = bound(estimate, 0.99, "upper")
    assert verdict(estimate, upper + 1e-9).outcome == "below"
    assert verdict(estimate, upper - 1e-9).outcome == "undetermined"
    assert verdict(estimate, upper + 0.02, guard=0.02 + 1e-9).outcome == "undetermined"
    assert verdict(estimate, upper + 0.02, guard=0.02 - 1e-9).outcome == "below"
    assert verdict(estimate, upper + 1e-9).upper == upper
    assert verdict(estimate, upper + 1e-9).kept is True


def test_rule_2_exceeds_needs_the_lower_bound_at_alpha_false(estimate: Estimate) -> None:
    lower = bound(estimate, 0.95, "lower")
    assert verdict(estimate, lower - 1e-9).outcome == "exceeds"
    assert verdict(estimate, lower + 1e-9).outcome == "undetermined"
    assert verdict(estimate, lower - 1e-9, guard=0.05).outcome == "exceeds"
    assert verdict(estimate, lower - 1e-9).kept is False


@given(limit=st.floats(0, 1), guard=st.floats(0, 0.2))
def test_rule_3_at_least_is_the_mirror_image(
    estimate: Estimate, limit: float, guard: float
) -> None:
    mirrored = replace(
        estimate,
        value=1 - estimate.value,
        lower=1 - estimate.upper,
        upper=1 - estimate.lower,
    )
    one = verdict(estimate, limit, "at most", guard)
    other = verdict(mirrored, 1 - limit, "at least", guard)
    assert one.kept is other.kept
    assert one.lower_level == other.upper_level


def test_rule_3_at_least_exceeds_is_the_good_side(estimate: Estimate) -> None:
    lower = bound(estimate, 0.99, "lower")
    decision = verdict(estimate, lower - 0.02, "at least", guard=0.01)
    assert (decision.outcome, decision.kept) == ("exceeds", True)
    assert verdict(estimate, lower - 0.02, "at least", guard=0.03).outcome == "undetermined"
    decision = verdict(estimate, bound(estimate, 0.95, "upper") + 1e-9, "at least")
    assert (decision.outcome, decision.kept) == ("below", False)


def test_rule_4_between_the_bounds_and_on_them_nothing_is_shown(estimate: Estimate) -> None:
    for limit in (
        estimate.value,
        bound(estimate, 0.99, "upper"),
        bound(estimate, 0.95, "lower"),
    ):
        decision = verdict(estimate, limit)
        assert (decision.outcome, decision.kept) == ("undetermined", None)


def test_rule_5_no_estimate_shows_nothing() -> None:
    decision = verdict(NotComputable("one item"), 0.5)
    assert (decision.outcome, decision.lower, decision.upper) == ("undetermined", None, None)


def test_rule_6_signed_figures_decide_without_rows(estimate: Estimate) -> None:
    """What a gate has: the figures after a round trip to eight digits, no components."""
    assert estimate.se is not None
    assert estimate.df is not None
    signed = replace(
        estimate,
        value=significant(estimate.value),
        se=significant(estimate.se),
        df=significant(estimate.df),
        lower=significant(estimate.lower),
        upper=significant(estimate.upper),
        components=None,
    )
    one, other = verdict(estimate, 0.3), verdict(signed, 0.3)
    assert one.outcome == other.outcome
    assert one.upper == pytest.approx(other.upper, rel=1e-6)


def test_rule_6_the_exact_method_decides_from_its_counts() -> None:
    keys = (("a", "b"), tuple(f"{i:03}" for i in range(300)))
    none = np.zeros((2, 300))
    result = crossed(Crossing(*keys, np.ones((2, 300), dtype=int), none, none), "generalised")
    assert isinstance(result, Estimate)
    decision = decide(result, 0.01, "at most", alpha_miss=0.05, alpha_false=0.05)
    assert decision.outcome == "below"
    assert decision.upper == pytest.approx(0.00993608194, rel=1e-8)  # golden, 300 items
    assert decide(result, 0.01, "at most", 0.01, 0.05).outcome == "undetermined"


@pytest.mark.parametrize("direction", ["at most", "at least"])
def test_rule_7_a_guard_band_of_twice_the_uncertainty(
    estimate: Estimate, direction: Direction
) -> None:
    """The estimate's own 95 % interval gives U, on the side that must not be passed."""
    at_most = direction == "at most"
    expanded = estimate.upper - estimate.value if at_most else estimate.value - estimate.lower
    assert estimate.level == 0.95
    end = bound(estimate, 0.99, "upper" if at_most else "lower")
    sign = 1 if at_most else -1
    just, not_quite = (end + sign * (2 * expanded + more) for more in (1e-9, -1e-9))
    assert verdict(estimate, just, direction, Guard(2)).kept is True
    assert verdict(estimate, not_quite, direction, Guard(2)).kept is None
    found = verdict(estimate, just, direction, Guard(2))
    assert found.expanded == pytest.approx(expanded)
    assert found.guard == pytest.approx(2 * expanded)
    assert found == verdict(estimate, just, direction, found.guard or 0)
    assert verdict(estimate, just, direction, Guard(0)).guard == 0


def test_rule_7_the_uncertainty_of_a_symmetric_interval_is_that_of_gum() -> None:
    """At a rate of one half and many answers the score interval is nearly symmetric."""
    estimate = Estimate(
        estimand="generalised", value=0.5, se=1e-4, df=9.0,
        lower=bound_at(-1), upper=bound_at(1), level=0.95, method="crossed", shape="effective",
        counts=None, judged=None, labs=4, items=900, items_dropped=0, components=None,
    )  # fmt: skip
    assert verdict(estimate, 0.7).expanded == pytest.approx(2.262157 * 1e-4, rel=1e-6)


def bound_at(sign: int) -> float:
    """Solve (0.5 - x)**2 = t**2 x (1 - x) / n by hand, with n = 0.25 / 1e-8; t table for df 9."""
    weight = 2.2621571627**2 / (0.25 / 1e-8)
    return 0.5 + sign * 0.5 * math.sqrt(weight / (1 + weight))


def test_rule_7_no_estimate_has_no_guard_band_of_its_own() -> None:
    assert verdict(NotComputable("one item"), 0.5, guard=Guard(1)).guard is None
    assert verdict(NotComputable("one item"), 0.5, guard=0.1).guard == 0.1
    for multiple in (-1.0, float("nan"), float("inf")):
        with pytest.raises(StatisticsError, match="guard band"):
            Guard(multiple)


@given(limit=st.floats(0, 1), guard=st.floats(0, 0.2))
def test_rule_8_confidence_and_distance_are_told_beside_the_outcome(
    estimate: Estimate, limit: float, guard: float
) -> None:
    one, other = (verdict(estimate, limit, d, guard) for d in ("at most", "at least"))
    assert one.exceedance == exceedance(estimate, limit) == other.conformance
    assert one.conformance is not None
    assert one.exceedance is not None
    assert one.conformance.most == pytest.approx(1 - one.exceedance.least)
    assert one.distance == estimate.value - limit
    nothing = verdict(NotComputable("one item"), limit, guard=guard)
    assert (nothing.exceedance, nothing.conformance, nothing.distance) == (None, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 1.5},
        {"limit": float("nan")},
        {"alpha_miss": 0.0},
        {"alpha_false": 0.6},
        {"guard": -0.1},
        {"direction": "under"},
    ],
)
def test_settings_that_make_no_sense_are_refused(
    estimate: Estimate, wrong: dict[str, object]
) -> None:
    asked = {"limit": 0.1, "direction": "at most", "alpha_miss": 0.01, "alpha_false": 0.05}
    with pytest.raises(StatisticsError):
        decide(estimate, **(asked | wrong))  # type: ignore[arg-type]
