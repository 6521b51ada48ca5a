# SPDX-License-Identifier: Apache-2.0
"""Golden values: ASTM E691, glucose in serum; 8 labs, 3 results, one material (item)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from countermark.statistics import (
    Crossing,
    Interval,
    NotComputable,
    Precision,
    StatisticsError,
    precision,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "oracles" / "e691.json").read_text("utf-8"))
PRINTED = GOLDEN["tolerance"]["printed with 6 digits"]
A = GOLDEN["A"]
SCALE = 100.0  # scores run from 0 to 1


def computed(crossing: Crossing, level: float = 0.95) -> Precision:
    result = precision(crossing, level)
    assert isinstance(result, Precision)
    return result


def ends(interval: Interval | NotComputable) -> tuple[float, float]:
    assert isinstance(interval, Interval)
    return interval.lower, interval.upper


def three_results(means: list[float], deviations: list[float], scale: float) -> Precision:
    rows = [
        (f"lab{k}", "A", (mean + step * deviation) / scale)
        for k, (mean, deviation) in enumerate(zip(means, deviations, strict=True))
        for step in (-1, 0, 1)  # three results with this mean and deviation
    ]
    return computed(Crossing.from_rows(*zip(*rows, strict=True)))


@pytest.fixture(scope="module")
def glucose() -> Precision:
    return three_results(A["means"], A["deviations"], SCALE)


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
    assert glucose.repeatability * SCALE == pytest.approx(A["s_r"], abs=PRINTED)
    assert glucose.between_labs == 0
    assert glucose.reproducibility * SCALE == pytest.approx(A["s_R"], abs=PRINTED)
    spread = float(np.std(A["means"], ddof=1))
    assert spread == pytest.approx(A["s_x"], abs=PRINTED)
    assert math.sqrt(spread**2 + A["s_r"] ** 2 * 2 / 3) == pytest.approx(A["s_R_raw"], abs=PRINTED)


@pytest.mark.parametrize("material", ["B", "D", "E"])
def test_rule_2_materials_known_by_their_summaries(material: str) -> None:
    """Eight means with the printed spread and eight equal deviations give the printed figures."""
    printed, scale = GOLDEN[material], 1000.0
    spread = math.sqrt(printed["s_R_raw"] ** 2 - printed["s_r"] ** 2 * 2 / 3)
    means = np.arange(8.0)
    means = 200 + (means - means.mean()) * spread / means.std(ddof=1)
    result = three_results(means.tolist(), [printed["s_r"]] * 8, scale)
    assert result.repeatability is not None
    assert result.repeatability * scale == pytest.approx(printed["s_r"], abs=PRINTED)
    assert result.reproducibility * scale == pytest.approx(printed["s_R"], abs=PRINTED)


def test_rule_5_glucose_f_test(glucose: Precision) -> None:
    test = glucose.f_test
    assert test is not None
    assert [test.df_labs, test.df_error] == A["f_df"]
    assert test.statistic == pytest.approx(A["f"], abs=5e-4)


def test_glucose_mandel(glucose: Precision) -> None:
    rough = GOLDEN["tolerance"]["printed with 3 digits"]
    assert [lab.h for lab in glucose.mandel] == pytest.approx(A["h"], abs=rough)
    assert [lab.k for lab in glucose.mandel] == pytest.approx(A["k"], abs=rough)
    assert glucose.h_critical == pytest.approx(A["h_critical"], abs=PRINTED)
    assert glucose.k_critical == pytest.approx(A["k_critical"], abs=PRINTED)


def test_rule_6_glucose_repeatability_has_the_chi_square_interval(glucose: Precision) -> None:
    assert glucose.repeatability is not None
    low, high = ends(glucose.repeatability_interval)
    assert low == pytest.approx(glucose.repeatability * math.sqrt(16 / stats.chi2.ppf(0.975, 16)))
    assert high == pytest.approx(glucose.repeatability * math.sqrt(16 / stats.chi2.ppf(0.025, 16)))


def test_rule_6_glucose_reproducibility_by_graybill_and_wang(glucose: Precision) -> None:
    """With G and H of the two mean squares, whose multiples add up to the raw figure."""
    parts = ((A["s_x"] ** 2, 7), (A["s_r"] ** 2 * 2 / 3, 16))
    down = sum((x * (1 - n / stats.chi2.ppf(0.975, n))) ** 2 for x, n in parts)
    up = sum((x * (n / stats.chi2.ppf(0.025, n) - 1)) ** 2 for x, n in parts)
    low, high = ends(glucose.reproducibility_interval)
    raw = A["s_R_raw"] ** 2
    assert low * SCALE == pytest.approx(math.sqrt(raw - math.sqrt(down)), rel=1e-5)
    assert high * SCALE == pytest.approx(math.sqrt(raw + math.sqrt(up)), rel=1e-5)


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


def test_rule_3_and_4_say_in_words_what_is_inseparable(glucose: Precision) -> None:
    once = computed(grid_of(simulated(4, 30, 1)))
    assert once.inseparable is not None
    assert "run once" in once.inseparable
    assert once.repeatability_interval == once.lab_item_interval == NotComputable(once.inseparable)
    assert glucose.inseparable is not None
    assert "one item" in glucose.inseparable
    assert glucose.lab_item_interval == NotComputable(glucose.inseparable)
    assert computed(grid_of(simulated(4, 30, 2))).inseparable is None


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.integers(2, 12), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_rule_6_intervals_hold_what_they_are_for(
    labs: int, items: int, epochs: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.binomial(1, rng.uniform(0, 1, (labs, items, 1)), (labs, items, epochs))
    result = precision(grid_of(scores.astype(float)))
    assert isinstance(result, Precision)
    pairs = (
        (result.repeatability, result.repeatability_interval),
        (result.lab_item, result.lab_item_interval),
        (result.between_labs, result.between_labs_interval),
        (result.reproducibility, result.reproducibility_interval),
        (result.i2, result.i2_interval),
    )
    for value, interval in pairs:
        if isinstance(interval, NotComputable):
            assert len(interval.reason) > 20
        else:
            assert value is not None
            assert 0 <= interval.lower <= value * (1 + 1e-9)
            assert value <= interval.upper * (1 + 1e-9)
            assert interval.upper <= max(1.0 if value is result.i2 else 0.5, value) * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_rule_6_between_labs_is_above_zero_exactly_if_the_f_test_rejects(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rate = np.clip(rng.beta(2, 3, (1, 60)) + rng.normal(0, 0.07, (4, 1)), 0, 1)[..., None]
    crossing = grid_of(rng.binomial(1, rate, (4, 60, 2)).astype(float))
    for level in (0.5, 0.8, 0.95):
        result = computed(crossing, level)
        assert result.f_test is not None
        tail = (1 - level) / 2
        no_upper = isinstance(result.between_labs_interval, NotComputable)
        assert no_upper == (result.f_test.p > 1 - tail)
        assert no_upper == isinstance(result.i2_interval, NotComputable)
        if not no_upper:
            assert (ends(result.between_labs_interval)[0] > 0) == (result.f_test.p < tail)
            assert (ends(result.i2_interval)[0] > 0) == (result.f_test.p < tail)


def test_rule_6_a_wider_level_gives_a_wider_interval() -> None:
    crossing = grid_of(simulated(5, 40, 2))
    narrow, wide = computed(crossing, 0.8), computed(crossing, 0.99)
    for name in ("repeatability", "lab_item", "between_labs", "reproducibility", "i2"):
        inner = ends(getattr(narrow, f"{name}_interval"))
        outer = ends(getattr(wide, f"{name}_interval"))
        assert outer[0] <= inner[0] < inner[1] <= outer[1]
        assert outer != inner


def test_rule_7_share_of_labs() -> None:
    scores = simulated(5, 40, 2)
    scores[0] = scores[:3].max(axis=0)  # one lab is higher, so that F is above 1
    result = computed(grid_of(scores))
    assert result.f_test is not None
    assert result.f_test.statistic > 1
    assert result.i2 == pytest.approx(1 - 1 / result.f_test.statistic)
    low, high = ends(result.i2_interval)
    critical = stats.f.ppf([0.975, 0.025], 4, 4 * 39)
    assert low == pytest.approx(1 - critical[0] / result.f_test.statistic)
    assert high == pytest.approx(1 - critical[1] / result.f_test.statistic)


def test_epochs_that_a_lab_lacks_count_nothing() -> None:
    """A cell with one epoch says nothing of repeatability, so pooling leaves it out."""
    scores = simulated(4, 30, 2)
    whole = grid_of(scores)
    count = whole.count.copy()
    count[0, :5] = 1
    total = np.where(count == 1, scores[..., 0], whole.total)
    uneven = Crossing(whole.labs, whole.items, count, total, total)
    result = computed(uneven)
    within = (whole.square - whole.total**2 / 2)[count == 2]
    assert result.repeatability == pytest.approx(math.sqrt(within.sum() / within.size))
    low, high = ends(result.repeatability_interval)
    assert low < math.sqrt(within.sum() / within.size) < high


def test_f_test_is_absent_without_noise() -> None:
    same = computed(grid_of(np.tile(simulated(1, 20, 1), (3, 1, 1))))
    assert same.f_test is None
    assert same.between_labs == 0
    assert {lab.h for lab in same.mandel} == {0.0}
    assert same.i2 is None
    for interval in (
        same.between_labs_interval,
        same.reproducibility_interval,
        same.i2_interval,
    ):
        assert isinstance(interval, NotComputable)
        assert "Nothing varied" in interval.reason


def test_all_ones_have_no_interval() -> None:
    ones = computed(grid_of(np.ones((3, 10, 2))))
    assert ones.reproducibility == 0
    for name in ("repeatability", "lab_item", "between_labs", "reproducibility", "i2"):
        assert isinstance(getattr(ones, f"{name}_interval"), NotComputable)


def test_what_needs_more_labs_or_runs_is_not_computable() -> None:
    assert isinstance(precision(grid_of(simulated(1, 5, 2))), NotComputable)
    assert isinstance(precision(grid_of(simulated(3, 1, 1))), NotComputable)
    apart = Crossing.from_rows(["a", "b"], ["1", "2"], [1.0, 0.0])
    assert isinstance(precision(apart), NotComputable)
    with pytest.raises(StatisticsError, match="confidence"):
        precision(grid_of(simulated(3, 5, 2)), 95)
