# SPDX-License-Identifier: Apache-2.0
"""Golden values: the likelihood of paired answers, maximised numerically; McNemar's test."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from countermark.statistics import (
    Crossing,
    Difference,
    Estimand,
    NotComputable,
    StatisticsError,
    difference,
)
from countermark.statistics.pairs import tango_variance

BOTH: tuple[Estimand, ...] = ("benchmark", "generalised")


def crossing(scores: np.ndarray, labs: str = "", first_item: int = 0) -> Crossing:
    """Scores ``(K, I)`` or ``(K, I, E)``."""
    scores = scores if scores.ndim == 3 else scores[..., None]
    names = tuple(labs) or tuple(f"lab{k:02}" for k in range(scores.shape[0]))
    items = tuple(f"q{i + first_item:04}" for i in range(scores.shape[1]))
    count = np.full(scores.shape[:2], scores.shape[2])
    return Crossing(names, items, count, scores.sum(axis=2), (scores**2).sum(axis=2))


def drawn(labs: int, items: int, epochs: int = 1, shift: float = 0.1, seed: int = 4) -> Difference:
    first, second = two_runs(labs, items, epochs, shift, seed)
    return computed(difference(first, second, "generalised"))


def two_runs(
    labs: int, items: int, epochs: int = 1, shift: float = 0.1, seed: int = 4
) -> tuple[Crossing, Crossing]:
    rng = np.random.default_rng(seed)
    rate = rng.beta(2, 3, (1, items, 1)) * 0.8
    shape = (labs, items, epochs)
    return (
        crossing((rng.uniform(size=shape) < rate + shift).astype(float)),
        crossing((rng.uniform(size=shape) < rate).astype(float)),
    )


def computed(result: Difference | NotComputable) -> Difference:
    assert isinstance(result, Difference), result
    return result


@pytest.mark.parametrize("null", [-0.4, -0.05, 0.0, 0.1, 0.3, 0.6])
@pytest.mark.parametrize(("positive", "negative"), [(0.3, 0.1), (0.2, 0.0), (0.0, 0.25)])
def test_the_variance_is_that_of_the_greatest_likelihood(
    positive: float, negative: float, null: float
) -> None:
    """Maximise p10 log(q + x) + p01 log(q) + (1 - p10 - p01) log(1 - 2q - x) over q."""

    def loss(q: float) -> float:
        parts = ((positive, q + null), (negative, q), (1 - positive - negative, 1 - 2 * q - null))
        return -sum(share * math.log(chance) for share, chance in parts if share)

    low, high = max(0.0, -null), (1 - null) / 2
    options = {"xatol": 1e-12}
    q = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options=options).x
    expected = 2 * q + null - null**2
    got = tango_variance(
        np.asarray(positive - negative), np.asarray(positive + negative), np.asarray(null)
    )
    assert float(got) == pytest.approx(expected, abs=1e-6)


def test_one_lab_with_one_epoch_is_mcnemar() -> None:
    """One lab's 0/1 pairs: the squared statistic at 0 is McNemar's, but for I - 1 instead of I."""
    first, second = two_runs(1, 400)
    a, b = first.total[0], second.total[0]
    more, less = int(((a - b) > 0).sum()), int(((a - b) < 0).sum())
    mcnemar = (more - less) / math.sqrt(more + less) * math.sqrt(399 / 400)
    result = computed(difference(first, second, "generalised"))
    assert result.basis == "items"
    assert result.p == pytest.approx(2 * special.stdtr(399, -abs(mcnemar)), rel=1e-9)
    assert result.effective_pairs == pytest.approx(399)


def test_many_scores_that_vary_little_give_the_t_interval() -> None:
    rng = np.random.default_rng(2)
    base = rng.uniform(0.2, 0.6, (1, 500))
    shifted = base + rng.normal(0.1, 0.05, (1, 500))
    result = computed(difference(crossing(shifted), crossing(base), "generalised"))
    t = stats.ttest_1samp((shifted - base)[0], 0).confidence_interval(0.95)
    assert (result.lower, result.upper) == pytest.approx((t.low, t.high), abs=2e-4)


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(2, 30), st.floats(0, 0.2))
def test_swapping_the_crossings_mirrors_everything(
    seed: int, labs: int, items: int, shift: float
) -> None:
    first, second = two_runs(labs, items, 1, shift, seed)
    there = computed(difference(first, second, "generalised"))
    back = computed(difference(second, first, "generalised"))
    assert there.value == -back.value
    assert (there.lower, there.upper) == pytest.approx((-back.upper, -back.lower), abs=1e-9)
    assert there.p == pytest.approx(back.p, rel=1e-9)
    assert -1 <= there.lower <= there.value <= there.upper <= 1


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(2, 30))
def test_p_values_move_with_the_null_and_agree_with_the_bounds(
    seed: int, labs: int, items: int
) -> None:
    result = drawn(labs, items, seed=seed)
    nulls = np.linspace(-0.99, 0.99, 41)
    rising = [result.p_at_most(x) for x in nulls]
    falling = [result.p_at_least(x) for x in nulls]
    assert (np.diff(rising) >= -1e-12).all()
    assert (np.diff(falling) <= 1e-12).all()
    for level in (0.9, 0.99):
        upper, lower = result.upper_at(level), result.lower_at(level)
        if lower > -1 and upper < 1:
            assert result.p_at_least(upper) <= 1 - level + 1e-7
            assert result.p_at_most(lower) <= 1 - level + 1e-7


def test_rule_1_labs_and_items_that_cannot_be_paired_are_named() -> None:
    rng = np.random.default_rng(1)
    first = crossing(rng.integers(0, 2, (3, 10)).astype(float), labs="abc")
    second = crossing(rng.integers(0, 2, (3, 10)).astype(float), labs="bcd", first_item=2)
    for estimand in BOTH:
        result = computed(difference(first, second, estimand))
        assert result.labs == ("b", "c")
        assert result.labs_dropped == ("a", "d")
        assert result.items == 8
        assert result.items_dropped == ("q0000", "q0001", "q0010", "q0011")
        by_hand = first.total[1:, 2:] - second.total[:2, :8]
        assert result.value == pytest.approx(by_hand.mean())


def test_rule_2_benchmark_takes_its_error_from_the_labs() -> None:
    first, second = two_runs(4, 50, 2)
    result = computed(difference(first, second, "benchmark"))
    means = (first.total / first.count - second.total / second.count).mean(axis=1)
    assert result.basis == "lab-means"
    assert result.df == 3
    assert result.se == pytest.approx(means.std(ddof=1) / 2)


def test_rule_2_a_lab_that_reacts_otherwise_widens_random_labs_only() -> None:
    rng = np.random.default_rng(3)
    base = rng.uniform(0.3, 0.5, (4, 60))
    moved = base + np.array([[0.0], [0.0], [0.0], [0.4]]) + rng.normal(0, 0.01, (4, 60))
    first, second = crossing(moved), crossing(base)
    random = computed(difference(first, second, "generalised"))
    fixed = computed(difference(first, second, "generalised", labs="fixed"))
    assert random.value == fixed.value
    assert random.p > 0.05 > fixed.p
    assert random.df is not None
    assert random.df < 4
    assert fixed.df == 59


@pytest.mark.parametrize("estimand", BOTH)
@pytest.mark.parametrize("c", [0.0, 0.25, -0.5, 1.0])
def test_rule_3_differences_all_alike_give_an_exact_interval(estimand: Estimand, c: float) -> None:
    base = np.full((3, 20), max(0.0, -c))
    result = computed(difference(crossing(base + c), crossing(base), estimand))
    assert result.basis == "exact"
    assert result.se is None
    assert result.value == c
    # A share of others of s would have escaped notice with probability (1 - s) ** 20.
    unseen = 1 - 0.025 ** (1 / 20)
    assert result.upper == pytest.approx(c + (1 - c) * unseen)
    assert result.lower == pytest.approx(c - (1 + c) * unseen)
    assert (result.p == 1.0) == (c == 0)


def test_rule_4_one_lab_speaks_for_itself() -> None:
    once = two_runs(1, 30)
    assert computed(difference(*once, "generalised")).labs_are == "fixed"
    refused = difference(*once, "benchmark")
    assert isinstance(refused, NotComputable)
    assert "repeated epochs" in refused.reason
    twice = two_runs(1, 30, 3)
    result = computed(difference(*twice, "benchmark"))
    within = [
        (side.square - side.total**2 / side.count).sum() / (side.count - 1).sum() for side in twice
    ]
    assert result.basis == "epochs"
    assert result.df == pytest.approx(60)
    assert result.se == pytest.approx(math.sqrt(sum(within) / 3 / 30))


def test_rule_4_epochs_average_out_over_fixed_labs() -> None:
    twice = two_runs(3, 30, 2)
    result = computed(difference(*twice, "benchmark", labs="fixed"))
    within = [
        (side.square - side.total**2 / side.count).sum() / (side.count - 1).sum() for side in twice
    ]
    assert result.basis == "epochs"
    assert result.se == pytest.approx(math.sqrt(sum(within) / 2 / 30 / 3))


def test_rule_4_epochs_that_never_differ_count_as_one_answer_that_might() -> None:
    once = np.random.default_rng(1).integers(0, 2, (2, 12, 1)).astype(float)
    same = np.repeat(once, 2, axis=2)
    other = np.repeat(np.roll(once, 1, axis=1), 2, axis=2)
    result = computed(difference(crossing(same), crossing(other), "benchmark", labs="fixed"))
    assert result.se == pytest.approx(1 / 2 / 12)  # one item at one of two labs


@pytest.mark.parametrize("estimand", BOTH)
def test_rule_5_nothing_in_common_is_not_computable(estimand: Estimand) -> None:
    ones = np.ones((2, 3))
    apart = difference(crossing(ones, labs="ab"), crossing(ones, labs="cd"), estimand)
    assert isinstance(apart, NotComputable)
    assert "No lab" in apart.reason
    other = difference(crossing(ones), crossing(ones, first_item=7), estimand)
    assert isinstance(other, NotComputable)
    assert "same key" in other.reason


def test_rule_5_one_item_says_nothing_of_the_population() -> None:
    one = crossing(np.array([[0.0], [1.0], [1.0]]))
    nil = crossing(np.array([[0.0], [0.0], [0.0]]))
    assert isinstance(difference(one, nil, "generalised"), NotComputable)
    assert computed(difference(one, nil, "benchmark")).df == 2


def test_settings_that_make_no_sense_are_refused() -> None:
    first, second = two_runs(2, 5)
    with pytest.raises(StatisticsError, match="benchmark or generalised"):
        difference(first, second, "neither")  # type: ignore[arg-type]
    with pytest.raises(StatisticsError, match="confidence level"):
        difference(first, second, "generalised", 95)
    with pytest.raises(StatisticsError, match="from -1 to 1"):
        drawn(2, 5).p_at_least(1.0)
