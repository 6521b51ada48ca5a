# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from countermark.statistics import (
    Crossing,
    Estimand,
    Estimate,
    NotComputable,
    StatisticsError,
    clopper_pearson,
    crossed,
)

BOTH: tuple[Estimand, ...] = ("benchmark", "generalised")


def grid_of(scores: np.ndarray) -> Crossing:
    """Make a crossing of ``(K, I, E)`` scores; NaN means not scored."""
    labs, items, _ = scores.shape
    return Crossing(
        tuple(f"lab{k:02}" for k in range(labs)),
        tuple(f"item{i:04}" for i in range(items)),
        np.isfinite(scores).sum(axis=2),
        np.nansum(scores, axis=2),
        np.nansum(scores**2, axis=2),
    )


def drawn(labs: int, items: int, epochs: int, s_lab: float = 0.1, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rate = rng.beta(2, 5, (1, items)) + rng.normal(0, s_lab, (labs, 1))
    size = (labs, items, epochs)
    return rng.binomial(1, np.clip(rate, 0.02, 0.98)[..., None], size).astype(float)


def computed(crossing: Crossing, estimand: Estimand, level: float = 0.95) -> Estimate:
    result = crossed(crossing, estimand, level)
    assert isinstance(result, Estimate)
    return result


def anova(cells: np.ndarray) -> tuple[float, float, float]:
    """Two-way analysis of variance by the textbook's sums of squares."""
    labs, items = cells.shape
    correction = cells.sum() ** 2 / cells.size
    ss_lab = (cells.sum(axis=1) ** 2).sum() / items - correction
    ss_item = (cells.sum(axis=0) ** 2).sum() / labs - correction
    ss_rest = (cells**2).sum() - correction - ss_lab - ss_item
    return ss_lab / (labs - 1), ss_item / (items - 1), ss_rest / ((labs - 1) * (items - 1))


def test_rule_1_items_missing_at_a_lab_are_dropped_and_counted() -> None:
    scores = drawn(3, 20, 2)
    gaps = scores.copy()
    gaps[0, 4] = gaps[2, 7] = np.nan
    whole = computed(grid_of(np.delete(scores, [4, 7], axis=1)), "generalised")
    result = computed(grid_of(gaps), "generalised")
    assert (result.items, result.items_dropped) == (18, 2)
    assert (result.value, result.se, result.lower) == (whole.value, whole.se, whole.lower)


def test_rule_2_each_cell_counts_the_same() -> None:
    scores = drawn(3, 20, 4)
    gaps = scores.copy()
    gaps[0, :, 2:] = np.nan
    result = computed(grid_of(gaps), "generalised")
    assert result.value == pytest.approx(np.nanmean(gaps, axis=2).mean())
    assert result.components is not None
    assert result.components.epochs_harmonic == pytest.approx(1 / np.mean([1 / 2, 1 / 4, 1 / 4]))


def test_rule_3_benchmark_is_a_t_interval_on_lab_means() -> None:
    scores = drawn(5, 60, 2)
    means = scores.mean(axis=(1, 2))
    result = computed(grid_of(scores), "benchmark")
    assert result.method == "lab-means"
    assert result.value == pytest.approx(means.mean())
    assert result.se == pytest.approx(stats.sem(means))
    assert result.df == pytest.approx(4)


def test_rule_4_generalised_is_the_two_way_layout() -> None:
    scores = drawn(5, 60, 2, s_lab=0.2)
    ms_lab, ms_item, ms_rest = anova(scores.mean(axis=2))
    assert ms_lab > ms_rest
    result = computed(grid_of(scores), "generalised")
    assert result.method == "crossed"
    assert result.se == pytest.approx(math.sqrt((ms_lab + ms_item - ms_rest) / 300))
    parts = result.components
    assert parts is not None
    s2_epoch = scores.var(axis=2, ddof=1).mean()
    assert parts.s2_lab == pytest.approx((ms_lab - ms_rest) / 60)
    assert parts.s2_item == pytest.approx((ms_item - ms_rest) / 5)
    assert parts.s2_epoch == pytest.approx(s2_epoch)
    assert parts.s2_lab_item == pytest.approx(max(0, ms_rest - s2_epoch / 2))
    assert parts.inseparable == ()


def test_rule_4_degrees_of_freedom_are_the_smaller_of_two() -> None:
    for s_lab in (0.02, 0.2):
        scores = drawn(3, 60, 2, s_lab=s_lab, seed=5)
        ms_lab, ms_item, ms_rest = anova(scores.mean(axis=2))
        total = max(ms_lab + ms_item - ms_rest, 2 / 3 * ms_item)
        share = max(0, ms_lab - 0.4 * ms_rest) / total
        satterthwaite = total**2 / (ms_lab**2 / 2 + ((1 - share) * total) ** 2 / 59)
        quantile = math.sqrt(
            share * stats.t.ppf(0.975, 2) ** 2 + (1 - share) * stats.t.ppf(0.975, 59) ** 2
        )
        matched = 59.0
        if share:
            matched = optimize.brentq(lambda df, q=quantile: stats.t.ppf(0.975, df) - q, 1.5, 60)
        result = computed(grid_of(scores), "generalised")
        assert result.df == pytest.approx(max(2, min(satterthwaite, matched)))


def test_rule_4_labs_that_agree_by_chance_take_no_more_than_a_third_off() -> None:
    scores = drawn(4, 60, 2, s_lab=0.0, seed=9)
    ms_lab, ms_item, ms_rest = anova(scores.mean(axis=2))
    assert ms_lab < ms_rest
    result = computed(grid_of(scores), "generalised")
    least = 2 / 3 * ms_item
    assert result.se == pytest.approx(math.sqrt(max(ms_lab + ms_item - ms_rest, least) / 240))
    same = np.tile(drawn(1, 60, 1), (4, 1, 1))
    same[:2, 0], same[2:, 0], same[:2, 1], same[2:, 1] = 0, 1, 1, 0
    ms_lab, ms_item, ms_rest = anova(same[:, :, 0])
    assert ms_lab == pytest.approx(0, abs=1e-12)
    result = computed(grid_of(same), "generalised")
    assert result.se == pytest.approx(math.sqrt(max(ms_item - ms_rest, 2 / 3 * ms_item) / 240))
    assert result.df == pytest.approx(59)


@pytest.mark.parametrize("estimand", BOTH)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_rule_5_all_cells_alike_gives_the_exact_interval_on_items(
    estimand: Estimand, value: float
) -> None:
    result = computed(grid_of(np.full((6, 100, 3), value)), estimand, 0.9)
    exact = clopper_pearson(100 * value, 100, 0.9)
    assert (result.method, result.value) == ("exact", value)
    assert (result.lower, result.upper) == (exact.lower, exact.upper)
    assert result.se is None
    assert result.counts is not None
    assert result.counts.trials == 100  # not 100 x 6 labs x 3 epochs


def test_rule_5_events_at_few_items_give_the_exact_interval_on_items() -> None:
    scores = np.zeros((6, 1000, 3))
    scores[:, :11] = 1  # 11 carriers; 12 * (1 - 0.022)**2 = 11.5 are needed
    few = computed(grid_of(scores), "generalised")
    exact = clopper_pearson(11, 1000)
    assert few.method == "exact"
    assert (few.lower, few.upper) == pytest.approx((exact.lower, exact.upper))
    assert few.components is not None
    assert computed(grid_of(1 - scores), "generalised").method == "exact"
    assert computed(grid_of(scores), "benchmark").method == "lab-means"
    scores[:, 11] = 1
    assert computed(grid_of(scores), "generalised").method == "crossed"
    scores[:, :12, 1:] = 0
    assert computed(grid_of(scores), "generalised").method == "crossed"  # twelve alike are twelve
    scores[:, :1] = 1  # 1, and eleven times 1/3: 4.67**2 / 2.22 = 9.8
    assert computed(grid_of(scores), "generalised").method == "exact"


def test_rule_5_near_one_half_few_items_are_enough() -> None:
    scores = np.zeros((6, 8, 3))
    scores[:, :4] = 1
    assert computed(grid_of(scores), "generalised").method == "crossed"


def test_rule_5_one_event_does_not_make_the_interval_shorter_than_none() -> None:
    scores = np.zeros((6, 30, 3))
    none = computed(grid_of(scores), "generalised").upper
    scores[0, 0, 0] = 1
    assert computed(grid_of(scores), "generalised").upper > none


def test_benchmark_is_never_certain_because_labs_agree() -> None:
    same_means = np.array([[[1.0], [0.0], [0.0]], [[0.0], [1.0], [0.0]], [[0.0], [0.0], [1.0]]])
    result = computed(grid_of(same_means), "benchmark")
    assert result.se == pytest.approx(math.sqrt(anova(same_means[:, :, 0])[2] / 9))
    agreed = np.repeat(drawn(1, 40, 1), 4, axis=0)
    result = computed(grid_of(agreed), "benchmark")
    assert result.se == pytest.approx(1 / (4 * 40))  # one item at one lab


def test_rule_6_one_lab_generalises_over_items_only() -> None:
    scores = drawn(1, 60, 2)
    result = computed(grid_of(scores), "generalised")
    assert (result.method, result.labs, result.components) == ("single-lab", 1, None)
    assert result.se == pytest.approx(stats.sem(scores.mean(axis=2)[0]))
    assert result.df == pytest.approx(59)


def test_rule_6_one_lab_on_these_items_has_its_epochs_only() -> None:
    scores = drawn(1, 60, 3)
    result = computed(grid_of(scores), "benchmark")
    variance = scores.var(axis=2, ddof=1).mean()
    assert result.se == pytest.approx(math.sqrt(variance / 180))
    assert result.df == pytest.approx(120)
    steady = computed(grid_of(np.repeat(drawn(1, 60, 1), 2, axis=2)), "benchmark")
    assert steady.se == pytest.approx(1 / 60)
    assert isinstance(crossed(grid_of(drawn(1, 60, 1)), "benchmark"), NotComputable)


def test_rule_7_nothing_in_common_is_not_computable() -> None:
    apart = Crossing.from_rows(["a", "b"], ["1", "2"], [1.0, 0.0])
    result = crossed(apart, "benchmark")
    assert isinstance(result, NotComputable)
    assert "None of the 2 items" in result.reason


def test_rule_7_one_item_does_not_generalise() -> None:
    crossing = grid_of(drawn(4, 1, 5))
    assert isinstance(crossed(crossing, "generalised"), NotComputable)
    assert computed(crossing, "benchmark").df == pytest.approx(3)


def test_one_epoch_names_what_it_cannot_separate() -> None:
    parts = computed(grid_of(drawn(4, 30, 1)), "generalised").components
    assert parts is not None
    assert (parts.s2_lab_item, parts.s2_epoch) == (None, None)
    assert parts.inseparable == ("lab_item", "epoch")


def test_settings_that_make_no_sense_are_refused() -> None:
    crossing = grid_of(drawn(2, 3, 1))
    with pytest.raises(StatisticsError, match="not an estimand"):
        crossed(crossing, "overall")  # type: ignore[arg-type]
    with pytest.raises(StatisticsError, match="confidence level"):
        crossed(crossing, "benchmark", 95)


GRIDS = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 3)).flatmap(
    lambda shape: st.lists(
        st.sampled_from([0.0, 0.5, 1.0]),
        min_size=shape[0] * shape[1] * shape[2],
        max_size=shape[0] * shape[1] * shape[2],
    ).map(lambda values: np.array(values).reshape(shape))
)


@given(scores=GRIDS, estimand=st.sampled_from(BOTH), data=st.data())
@settings(deadline=None)
def test_renaming_labs_and_items_changes_nothing(
    scores: np.ndarray, estimand: Estimand, data: st.DataObject
) -> None:
    """The order differs, so sums may differ in their last bits, and nowhere else."""
    labs, items, _ = scores.shape
    shuffled = scores[data.draw(st.permutations(range(labs)))]
    shuffled = shuffled[:, data.draw(st.permutations(range(items)))]
    one, other = crossed(grid_of(scores), estimand), crossed(grid_of(shuffled), estimand)
    assert type(one) is type(other)
    if isinstance(one, Estimate) and isinstance(other, Estimate):
        assert one.method == other.method
        ends = (other.value, other.lower, other.upper)
        assert (one.value, one.lower, one.upper) == pytest.approx(ends, abs=1e-9)


@given(scores=GRIDS, estimand=st.sampled_from(BOTH))
@settings(deadline=None)
def test_every_interval_has_width_and_stays_in_range(
    scores: np.ndarray, estimand: Estimand
) -> None:
    result = crossed(grid_of(scores), estimand)
    if isinstance(result, Estimate):
        assert 0 <= result.lower <= result.value <= result.upper <= 1
        assert result.lower < result.upper


# The two mean squares are equal but for rounding: machines must not differ on which is larger.
TIED = np.array([0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 1], dtype=float).reshape(2, 2, 3)


@given(scores=GRIDS, estimand=st.sampled_from(BOTH))
@example(scores=TIED, estimand="generalised")
@settings(deadline=None)
def test_events_and_non_events_mirror(scores: np.ndarray, estimand: Estimand) -> None:
    one, other = crossed(grid_of(scores), estimand), crossed(grid_of(1 - scores), estimand)
    if isinstance(one, Estimate) and isinstance(other, Estimate):
        assert one.lower == pytest.approx(1 - other.upper, abs=1e-9)


def test_equal_input_gives_equal_bits() -> None:
    scores = drawn(5, 80, 2)
    rows = [(f"lab{k}", f"item{i}", float(scores[k, i, e])) for k, i, e in np.ndindex(scores.shape)]
    mixed = [rows[j] for j in np.random.default_rng(1).permutation(len(rows))]
    one, other = (Crossing.from_rows(*zip(*r, strict=True)) for r in (rows, mixed))
    for estimand in BOTH:
        assert crossed(one, estimand) == crossed(other, estimand)
