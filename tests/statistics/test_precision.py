# SPDX-License-Identifier: Apache-2.0
"""Golden values: ASTM E691, glucose in serum; cell means and deviations of 8 labs, 3 results."""

import math

import numpy as np
import pytest

from countermark.statistics import Crossing, NotComputable, Precision, precision

MEANS = (41.28333, 41.44, 41.45, 41.45667, 41.46333, 42.02, 40.45667, 42.57667)
DEVIATIONS = (0.2230097, 0.4850773, 1.0608016, 1.8117763, 0.3666515, 1.408119, 1.247811, 0.8224557)
SCALE = 100.0  # scores run from 0 to 1


def computed(crossing: Crossing) -> Precision:
    result = precision(crossing)
    assert isinstance(result, Precision)
    return result


@pytest.fixture(scope="module")
def glucose() -> Precision:
    rows = [
        (f"lab{k}", "A", (mean + step * deviation) / SCALE)
        for k, (mean, deviation) in enumerate(zip(MEANS, DEVIATIONS, strict=True))
        for step in (-1, 0, 1)  # three results with this mean and deviation
    ]
    return computed(Crossing.from_rows(*zip(*rows, strict=True)))


def simulated(labs: int, items: int, epochs: int) -> np.ndarray:
    rng = np.random.default_rng(20)
    rate = np.clip(rng.beta(2, 3, (1, items)) + rng.normal(0, 0.1, (labs, 1)), 0, 1)
    scores: np.ndarray = rng.binomial(1, rate[..., None], (labs, items, epochs)).astype(float)
    return scores


def grid_of(scores: np.ndarray) -> Crossing:
    labs, items, epochs = scores.shape
    return Crossing(
        tuple(f"lab{k:02}" for k in range(labs)),
        tuple(f"item{i:04}" for i in range(items)),
        np.full((labs, items), epochs),
        scores.sum(axis=2),
        (scores**2).sum(axis=2),
    )


def test_rule_2_glucose_has_no_lab_effect_so_reproducibility_is_repeatability(
    glucose: Precision,
) -> None:
    assert glucose.repeatability is not None
    assert glucose.repeatability * SCALE == pytest.approx(1.063224, abs=2e-6)
    assert glucose.between_labs == 0
    assert glucose.reproducibility * SCALE == pytest.approx(1.063224, abs=2e-6)


def test_rule_5_glucose_f_test(glucose: Precision) -> None:
    test = glucose.f_test
    assert test is not None
    assert (test.df_labs, test.df_error) == (7, 16)
    assert test.statistic == pytest.approx(0.975, abs=5e-4)


def test_glucose_mandel(glucose: Precision) -> None:
    h = (-0.388, -0.129, -0.113, -0.102, -0.091, 0.828, -1.752, 1.746)
    k = (0.210, 0.456, 0.998, 1.704, 0.345, 1.324, 1.174, 0.774)
    assert [lab.h for lab in glucose.mandel] == pytest.approx(h, abs=1e-3)
    assert [lab.k for lab in glucose.mandel] == pytest.approx(k, abs=1e-3)
    assert glucose.h_critical == pytest.approx(2.152492, abs=1e-6)
    assert glucose.k_critical == pytest.approx(2.060840, abs=1e-6)


def test_rule_1_an_item_that_a_lab_lacks_changes_nothing() -> None:
    rows = [(f"l{k}", f"i{i}", float((k * i) % 3 == 0)) for k in range(3) for i in range(6)]
    more = [*rows, ("l0", "extra", 1.0)]
    one, other = (Crossing.from_rows(*zip(*r, strict=True)) for r in (rows, more))
    assert computed(one).items_dropped == 0
    assert computed(other).items_dropped == 1
    assert computed(one).reproducibility == computed(other).reproducibility


def test_rule_3_one_epoch_cannot_tell_repeatability_from_interaction() -> None:
    result = computed(grid_of(simulated(4, 30, 1)))
    assert result.repeatability is None
    assert result.lab_item is None
    assert result.reproducibility > 0


def test_rule_3_the_two_designs_mean_the_same_reproducibility() -> None:
    """With repeated epochs s_R is put together from three parts; with one it is seen directly."""
    scores = simulated(20, 400, 4)
    parts = computed(grid_of(scores))
    direct = computed(grid_of(scores[:, :, :1]))
    assert parts.reproducibility == pytest.approx(direct.reproducibility, rel=0.02)


def test_rule_4_one_item_keeps_lab_and_interaction_together(glucose: Precision) -> None:
    assert glucose.lab_item is None
    assert glucose.items == 1


def test_rule_5_f_test_against_sums_of_squares_by_hand() -> None:
    scores = simulated(5, 40, 2)
    cells = scores.mean(axis=2)
    labs, items = cells.shape
    grand = cells.mean()
    ss_lab = items * sum((row.mean() - grand) ** 2 for row in cells)
    ss_item = labs * sum((column.mean() - grand) ** 2 for column in cells.T)
    ss_rest = ((cells - grand) ** 2).sum() - ss_lab - ss_item
    df_rest = (labs - 1) * (items - 1)
    result = computed(grid_of(scores))
    assert result.f_test is not None
    assert result.f_test.statistic == pytest.approx((ss_lab / (labs - 1)) / (ss_rest / df_rest))
    assert result.repeatability == pytest.approx(math.sqrt(scores.var(axis=2, ddof=1).mean()))


def test_f_test_is_absent_without_noise() -> None:
    same = computed(grid_of(np.tile(simulated(1, 20, 1), (3, 1, 1))))
    assert same.f_test is None
    assert same.between_labs == 0
    assert {lab.h for lab in same.mandel} == {0.0}


def test_what_needs_more_labs_or_runs_is_not_computable() -> None:
    assert isinstance(precision(grid_of(simulated(1, 5, 2))), NotComputable)
    assert isinstance(precision(grid_of(simulated(3, 1, 1))), NotComputable)
    apart = Crossing.from_rows(["a", "b"], ["1", "2"], [1.0, 0.0])
    assert isinstance(precision(apart), NotComputable)
