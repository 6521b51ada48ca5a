# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from scipy import stats

from countermark.statistics import (
    Bootstrap,
    Crossing,
    Estimand,
    Estimate,
    NewLab,
    NotComputable,
    Reading,
    StatisticsError,
    bootstrap,
    clopper_pearson,
    crossed,
    effective_items,
    new_lab,
    rates,
)
from countermark.statistics.intervals import score_bound
from countermark.statistics.layout import effective_events

BOTH: tuple[Estimand, ...] = ("benchmark", "generalised")


def crossing_of(cells: np.ndarray) -> Crossing:
    """Make a crossing of one score a cell; NaN means not scored."""
    labs, items = cells.shape
    scores = np.nan_to_num(cells)
    return Crossing(
        tuple(f"lab{k:02}" for k in range(labs)),
        tuple(f"item{i:05}" for i in range(items)),
        np.isfinite(cells).astype(int),
        scores,
        scores**2,
    )


def drawn(labs: int, items: int, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rate = rng.beta(2, 5, (1, items)) + rng.normal(0, 0.1, (labs, 1))
    return rng.binomial(2, np.clip(rate, 0.02, 0.98), (labs, items)) / 2


CROSSING = crossing_of(drawn(4, 80))


def shifted(by: float) -> object:
    """Stand in for the mixed model: the crossed rate, moved."""

    def fit(crossing: Crossing, estimand: Estimand, level: float) -> Reading:
        e = crossed(crossing, estimand, level)
        assert isinstance(e, Estimate)
        lower, upper = e.lower + by, e.upper + by
        return Reading("mixed", estimand, e.value + by, e.se, e.df, lower, upper, level)

    return fit


def test_rule_1_each_method_is_shown_or_says_why_not() -> None:
    result = rates(CROSSING, 0.9, 1)
    for one in (result.benchmark, result.generalised):
        assert one.estimate == crossed(CROSSING, one.estimand, 0.9)
        assert one.bootstrap == bootstrap(CROSSING, one.estimand, 1, 0.9)
        assert one.mixed == NotComputable("No mixed model was fitted.")
        assert [reading.method for reading in one.readings] == ["crossed", "bootstrap"]
    three = rates(CROSSING, 0.9, 1, mixed=shifted(0.0))  # type: ignore[arg-type]
    methods = [reading.method for reading in three.generalised.readings]
    assert methods == ["crossed", "mixed", "bootstrap"]


def test_rule_2_agreement_is_the_largest_difference() -> None:
    close = rates(CROSSING, 0.95, 1, mixed=shifted(0.001)).generalised  # type: ignore[arg-type]
    values = [reading.value for reading in close.readings]
    assert close.agree_within == pytest.approx(max(values) - min(values))
    assert close.inside
    far = rates(CROSSING, 0.95, 1, mixed=shifted(0.3)).generalised  # type: ignore[arg-type]
    assert far.agree_within == pytest.approx(0.3, abs=0.01)
    assert far.inside is False


def test_rule_2_one_method_agrees_with_nothing() -> None:
    alone = rates(crossing_of(drawn(1, 80)), 0.95, 1).generalised
    assert [reading.method for reading in alone.readings] == ["crossed"]
    assert alone.agree_within is None
    assert alone.inside is None


def test_rule_3_a_further_lab_on_these_items_is_one_more_lab_mean() -> None:
    cells = drawn(5, 80)
    means = cells.mean(axis=1)
    found = new_lab(crossing_of(cells), "benchmark", 0.9)
    assert isinstance(found, NewLab)
    assert found.se == pytest.approx(np.std(means, ddof=1) * math.sqrt(1 + 1 / 5))
    assert found.df == pytest.approx(4)
    p = means.mean()
    t = float(stats.t.ppf(0.95, 4))
    assert found.upper == pytest.approx(score_bound(p, p * (1 - p) / found.se**2, t))
    assert found.lower == pytest.approx(score_bound(p, p * (1 - p) / found.se**2, -t))


def test_rule_3_a_further_lab_on_new_items_adds_both_sets_of_items() -> None:
    cells = drawn(5, 80)
    labs, items = cells.shape
    ms_lab = items * cells.mean(axis=1).var(ddof=1)
    ms_item = labs * cells.mean(axis=0).var(ddof=1)
    rest = cells - cells.mean(axis=1, keepdims=True) - cells.mean(axis=0) + cells.mean()
    noise = (rest**2).sum() / ((labs - 1) * (items - 1))
    assert ms_item > noise
    found, joint = new_lab(crossing_of(cells), "generalised"), crossed(crossing_of(cells), BOTH[1])
    assert isinstance(found, NewLab)
    assert isinstance(joint, Estimate)
    assert joint.se is not None
    more = ms_lab / items + (ms_item - noise) / (labs * items)
    assert found.se == pytest.approx(math.sqrt(joint.se**2 + more))
    assert 4 <= found.df <= 79


def test_rule_3_what_shows_no_spread_predicts_no_lab() -> None:
    for cells in (drawn(1, 40), drawn(4, 1), np.zeros((4, 40))):
        assert isinstance(new_lab(crossing_of(cells), "benchmark"), NotComputable)
    few = np.zeros((4, 40))
    few[:2, :5] = 1
    assert isinstance(new_lab(crossing_of(few), "benchmark"), NewLab)
    assert isinstance(new_lab(crossing_of(few), "generalised"), NotComputable)
    apart = Crossing.from_rows(["a", "b"], ["1", "2"], [1.0, 0.0])
    assert isinstance(new_lab(apart, "benchmark"), NotComputable)


def test_rule_4_no_event_has_an_upper_bound_on_items() -> None:
    result = rates(crossing_of(np.zeros((6, 100))), 0.95, 1)
    assert result.no_events is not None
    assert result.no_events.effective_items == 100
    assert result.no_events.upper == pytest.approx(clopper_pearson(0, 100, 0.9).upper)
    assert isinstance(result.generalised.estimate, Estimate)
    assert isinstance(result.generalised.bootstrap, NotComputable)
    assert rates(CROSSING, 0.95, 1).no_events is None


def test_rule_4_items_scored_at_fewer_labs_count_for_less() -> None:
    cells = np.zeros((4, 100))
    cells[1:, 50:] = np.nan
    crossing = crossing_of(cells)
    items = (50 * 4 + 50) ** 2 / (50 * 16 + 50)
    assert effective_items(crossing) == pytest.approx(items)
    result = rates(crossing, 0.95, 1)
    assert result.no_events is not None
    assert result.no_events.upper == pytest.approx(1 - 0.05 ** (1 / items))
    nothing = Crossing(("a",), ("1",), np.zeros((1, 1), int), np.zeros((1, 1)), np.zeros((1, 1)))
    assert effective_items(nothing) == 0
    assert rates(nothing, 0.95, 1).no_events is None


def test_events_are_counted_by_the_items_that_carry_them() -> None:
    cells = np.zeros((3, 4, 20))
    cells[0, :, :7] = 1
    cells[1] = 1
    cells[1, 0, :5] = 0
    cells[2, :, 0], cells[2, 0, 1] = 1, 1
    assert effective_events(cells) == pytest.approx([7, 5, 1.25**2 / (1 + 1 / 16)])
    assert effective_events(np.zeros((2, 3))) == 0
    assert effective_events(np.ones((2, 3))) == 0


def test_the_seed_and_the_replicates_are_kept() -> None:
    result = rates(CROSSING, 0.95, 9, replicates=500)
    assert (result.seed, result.replicates) == (9, 500)
    assert isinstance(result.benchmark.bootstrap, Bootstrap)
    assert result.benchmark.bootstrap.replicates == 500
    assert rates(CROSSING, 0.95, 9, replicates=500) == result


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(StatisticsError, match="confidence level"):
        rates(CROSSING, 95, 1)
    with pytest.raises(StatisticsError, match="confidence level"):
        new_lab(CROSSING, "benchmark", 95)
    with pytest.raises(StatisticsError, match="is impossible"):
        Reading("mixed", "benchmark", 0.5, None, None, 0.6, 0.7, 0.95)
