# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy import stats

from countermark.statistics import (
    Crossing,
    Equivalence,
    NotComputable,
    RobustEquivalence,
    algorithm_a,
    crossed,
    equivalence,
    leave_one_out,
    robust_equivalence,
)


def grid_of(cells: np.ndarray) -> Crossing:
    labs, items = cells.shape
    return Crossing(
        tuple(f"lab{k}" for k in range(labs)),
        tuple(f"item{i:03}" for i in range(items)),
        np.ones((labs, items), dtype=int),
        cells,
        cells**2,
    )


def degrees(cells: np.ndarray) -> tuple[Equivalence, ...]:
    result = equivalence(grid_of(cells))
    assert not isinstance(result, NotComputable)
    return result


def simulated(labs: int, items: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(8)
    rate = np.repeat(rng.uniform(0.1, 0.6, (1, items)), labs, axis=0)
    rate[0] += shift
    return rng.binomial(1, rate).astype(float)


def test_rule_1_a_lab_is_compared_with_the_others_only() -> None:
    cells = simulated(4, 50)
    for k, lab in enumerate(degrees(cells)):
        others = np.delete(cells, k, axis=0).mean()
        assert lab.difference == pytest.approx(cells[k].mean() - others)


def test_rule_2_uncertainty_is_that_of_a_paired_t_test() -> None:
    cells = simulated(4, 50)
    first = degrees(cells)[0]
    low, high = stats.ttest_rel(cells[0], cells[1:].mean(axis=0)).confidence_interval(0.95)
    assert first.difference - first.expanded == pytest.approx(low)
    assert first.difference + first.expanded == pytest.approx(high)


def test_rule_2_items_that_differ_in_difficulty_alone_add_nothing() -> None:
    cells = simulated(4, 50) * 0.5
    harder = cells + np.linspace(0, 0.5, 50)
    assert degrees(harder)[0].expanded == pytest.approx(degrees(cells)[0].expanded)


def test_rule_3_a_lab_that_differs_is_seen() -> None:
    shifted = degrees(simulated(4, 200, shift=0.3))
    assert shifted[0].normalised > 1
    assert shifted[0].normalised == pytest.approx(shifted[0].difference / shifted[0].expanded)


def test_rule_3_size_is_one_in_twenty() -> None:
    rng = np.random.default_rng(11)
    hits = []
    for _ in range(300):
        rate = np.repeat(rng.uniform(0.1, 0.6, (1, 60)), 4, axis=0)
        hits += [abs(lab.normalised) > 1 for lab in degrees(rng.binomial(1, rate).astype(float))]
    assert 0.03 < np.mean(hits) < 0.07


def test_rule_4_no_uncertainty_is_zero() -> None:
    same = np.repeat(simulated(1, 20), 3, axis=0)
    assert all(lab.difference == 0 and lab.expanded > 0 for lab in degrees(same))
    opposite = np.array([np.zeros(20), np.ones(20)])
    assert degrees(opposite)[1].normalised > 1


def test_rule_5_zeta_is_the_paired_t_statistic() -> None:
    cells = simulated(4, 50)
    for k, lab in enumerate(degrees(cells)):
        others = np.delete(cells, k, axis=0).mean(axis=0)
        assert lab.zeta == pytest.approx(stats.ttest_rel(cells[k], others).statistic)
        assert lab.standard == pytest.approx(stats.sem(cells[k] - others))
        factor = stats.t.ppf(0.975, 49)
        assert (lab.expanded, lab.zeta) == pytest.approx(
            (factor * lab.standard, factor * lab.normalised)
        )


@pytest.mark.parametrize(
    ("zeta", "items", "signal", "words"),
    [
        (1.0, 40, "acceptable", "no more than repetition explains"),
        (2.5, 40, "warning", "more than repetition explains"),
        (3.01, 40, "action", "more than repetition explains"),
        (-3.01, 40, "action", "more than repetition explains"),
        (3.01, 4, "action", "no more than repetition explains"),  # t with 3 df reaches 3.18
    ],
)
def test_rule_6_signals_and_words(zeta: float, items: int, signal: str, words: str) -> None:
    cells = 0.4 + np.random.default_rng(1).normal(0, 0.05, (3, items))
    paired = cells[0] - cells[1:].mean(axis=0)
    cells[0] += zeta * stats.sem(paired) - paired.mean()
    found = degrees(cells)[0]
    assert found.zeta == pytest.approx(zeta)
    assert found.signal == signal
    side = "above" if zeta > 0 else "below"
    assert f"{side} the other labs on the same items, {words} (" in found.words
    assert found.words.startswith("lab0 is ")


def test_rule_7_robust_standing_by_the_formula() -> None:
    cells = simulated(6, 200, shift=0.3)
    result = robust_equivalence(grid_of(cells))
    assert isinstance(result, RobustEquivalence)
    assert result.consensus == algorithm_a(cells.mean(axis=1))
    unit = np.hypot(result.consensus.deviation, result.consensus.se)
    for lab, mean in zip(result.labs, cells.mean(axis=1), strict=True):
        assert lab.difference == pytest.approx(mean - result.consensus.value)
        assert lab.z_prime == pytest.approx(lab.difference / unit)
    assert result.labs[0].signal == "action"
    assert "stands out" in result.labs[0].words
    assert {lab.signal for lab in result.labs[1:]} == {"acceptable"}


def test_rule_7_labs_that_all_differ_do_not_stand_out() -> None:
    """Each differs from the others by more than repetition explains, but so do all."""
    cells = np.clip(simulated(5, 400) * 0.1 + np.linspace(0.1, 0.5, 5)[:, None], 0, 1)
    result = robust_equivalence(grid_of(cells))
    assert isinstance(result, RobustEquivalence)
    assert all(lab.signal == "acceptable" for lab in result.labs)
    assert degrees(cells)[0].signal == degrees(cells)[4].signal == "action"


def test_rule_7_needs_three_labs_that_differ() -> None:
    assert isinstance(robust_equivalence(grid_of(simulated(2, 20))), NotComputable)
    same = np.repeat(simulated(1, 20), 3, axis=0)
    assert isinstance(robust_equivalence(grid_of(same)), NotComputable)
    apart = Crossing.from_rows(["a", "b"], ["1", "2"], [1.0, 0.0])
    assert isinstance(robust_equivalence(apart), NotComputable)


def test_leave_one_out_is_the_estimate_of_the_rest() -> None:
    crossing = grid_of(simulated(4, 50))
    left = leave_one_out(crossing, level=0.9)
    assert not isinstance(left, NotComputable)
    assert [out.lab for out in left] == list(crossing.labs)
    assert left[2].benchmark == crossed(crossing.without_lab("lab2"), "benchmark", 0.9)
    assert left[2].generalised == crossed(crossing.without_lab("lab2"), "generalised", 0.9)


def test_one_lab_or_one_item_is_not_computable() -> None:
    assert isinstance(equivalence(grid_of(simulated(1, 9))), NotComputable)
    assert isinstance(equivalence(grid_of(simulated(3, 1))), NotComputable)
    assert isinstance(leave_one_out(grid_of(simulated(1, 9))), NotComputable)
    apart = Crossing.from_rows(["a", "b"], ["1", "2"], [1.0, 0.0])
    assert isinstance(equivalence(apart), NotComputable)
