# SPDX-License-Identifier: Apache-2.0
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from countermark.statistics import (
    Crossing,
    Estimate,
    StatisticsError,
    Validity,
    bound,
    correct,
    crossed,
    decide,
    exceedance,
)

SHAPES = ("effective", "exact", "exact none", "exact all", "corrected", "judged none", "judged all")
VALIDITY = {"v1": Validity(85, 100, 186, 200, "en")}


def crossing_of(scores: np.ndarray) -> Crossing:
    """Make a crossing of ``(K, I)`` sums of two epochs of 0/1 answers."""
    labs, items = scores.shape
    keys = (tuple(f"lab{k}" for k in range(labs)), tuple(f"item{i:04}" for i in range(items)))
    return Crossing(*keys, np.full(scores.shape, 2), scores.astype(float), scores.astype(float))


@cache
def estimate_of(shape: str) -> Estimate:
    rng = np.random.default_rng(5)
    scores = rng.binomial(2, rng.beta(2, 6, (1, 80)) * np.ones((4, 1)))
    if shape == "exact":
        scores = np.ones_like(scores)
    if shape.endswith("none"):
        scores = np.zeros_like(scores)
    if shape.endswith("all"):
        scores = np.full_like(scores, 2)
    crossing = crossing_of(scores)
    if shape.startswith(("corrected", "judged")):
        # Scores that are all 0 or 1 belong to one judge version, used by all labs.
        result = correct(crossing, dict.fromkeys(crossing.labs, "v1"), VALIDITY, "en").generalised
    else:
        result = crossed(crossing, "generalised")
    assert isinstance(result, Estimate)
    return result


def test_the_shapes_are_what_they_are_called() -> None:
    assert [estimate_of(shape).shape for shape in SHAPES] == [
        "effective", "exact", "exact", "exact", "corrected", "exact", "exact",
    ]  # fmt: skip


def test_rule_1_is_a_t_tail() -> None:
    estimate = estimate_of("effective")
    size, df = estimate.effective_sample_size, estimate.df
    assert size is not None
    assert df is not None
    limit = 0.36
    deviate = (estimate.value - limit) / math.sqrt(limit * (1 - limit) / size)
    # The t distribution function by numerical integration of its density.
    chance, _ = integrate.quad(lambda t: stats.t.pdf(t, df), -np.inf, deviate, epsabs=1e-12)
    assert exceedance(estimate, limit).most == pytest.approx(chance, abs=1e-9)


@given(limit=st.floats(0.001, 0.999))
def test_rule_2_is_a_binomial_tail(limit: float) -> None:
    counts = estimate_of("exact").counts
    assert counts is not None
    found = exceedance(estimate_of("exact"), limit)
    x, n = round(counts.events), counts.trials
    assert (x, n) == (40, 80)
    assert found.least == pytest.approx(stats.binom.cdf(x - 1, n, limit), abs=1e-12)
    assert found.most == pytest.approx(stats.binom.cdf(x, n, limit), abs=1e-12)


def test_rule_2_of_nothing_but_non_events_the_power_remains() -> None:
    found = exceedance(estimate_of("exact none"), 0.03)
    assert found.least == 0
    assert found.most == pytest.approx(0.97**80)
    found = exceedance(estimate_of("exact all"), 0.97)
    assert found.least == pytest.approx(1 - 0.97**80)
    assert found.most == 1


@given(shape=st.sampled_from(SHAPES), level=st.floats(0.5, 0.999))
def test_rules_2_and_3_the_bound_at_the_confidence_is_the_limit(shape: str, level: float) -> None:
    estimate = estimate_of(shape)
    upper, lower = bound(estimate, level, "upper"), bound(estimate, level, "lower")
    if 0 < upper < 1:
        assert exceedance(estimate, upper).most == pytest.approx(1 - level, abs=1e-9)
    if 0 < lower < 1:
        assert exceedance(estimate, lower).least == pytest.approx(level, abs=1e-9)


@given(shape=st.sampled_from(SHAPES), limits=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_the_confidence_falls_as_the_limit_rises(shape: str, limits: tuple[float, float]) -> None:
    low, high = (exceedance(estimate_of(shape), limit) for limit in sorted(limits))
    assert 0 <= high.least <= high.most <= 1
    assert low.least >= high.least - 1e-12
    assert low.most >= high.most - 1e-12
    assert low.complement.most == pytest.approx(1 - low.least)


@pytest.mark.parametrize("shape", SHAPES)
def test_rule_4_the_ends_of_the_scale(shape: str) -> None:
    estimate = estimate_of(shape)
    assert exceedance(estimate, 0.0).most == 1
    assert exceedance(estimate, 1.0).most == 0


@given(
    shape=st.sampled_from(SHAPES),
    limit=st.floats(0.001, 0.999),
    alphas=st.tuples(st.floats(0.001, 0.5), st.floats(0.001, 0.5)),
)
def test_rule_5_the_confidence_says_what_the_decision_says(
    shape: str, limit: float, alphas: tuple[float, float]
) -> None:
    miss, false = alphas
    found = decide(estimate_of(shape), limit, "at most", miss, false)
    assert found.exceedance is not None
    if abs(found.exceedance.most - miss) > 1e-9:
        assert (found.outcome == "below") == (found.exceedance.most < miss)
    if abs(found.exceedance.least - (1 - false)) > 1e-9 and found.outcome != "below":
        assert (found.outcome == "exceeds") == (found.exceedance.least > 1 - false)


def test_a_rate_at_the_limit_is_seldom_thought_below_it() -> None:
    """Simulated: with the rate at the limit, the confidence is below 5 % in at most 5 %."""
    rng = np.random.default_rng(8)
    low = 0
    for _ in range(400):
        spread = rng.normal(0, 0.04, (4, 1)) + rng.normal(0, 0.15, (1, 60))
        scores = rng.binomial(2, np.clip(0.4 + spread, 0, 1))
        estimate = crossed(crossing_of(scores), "generalised")
        assert isinstance(estimate, Estimate)
        low += exceedance(estimate, 0.4).most < 0.05
    assert 5 <= low <= 0.05 * 400 + 2 * math.sqrt(0.05 * 0.95 * 400)


@pytest.mark.parametrize("limit", [-0.1, 1.1, float("nan")])
def test_a_limit_that_is_no_rate_is_refused(limit: float) -> None:
    with pytest.raises(StatisticsError, match="not a rate"):
        exceedance(estimate_of("effective"), limit)
