# SPDX-License-Identifier: Apache-2.0
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.statistics import (
    Bootstrap,
    Crossing,
    Estimand,
    Estimate,
    NotComputable,
    Replicates,
    StatisticsError,
    bootstrap,
    bootstrapped,
    crossed,
    pigeonhole,
)
from countermark.statistics.layout import mean_squares

BOTH: tuple[Estimand, ...] = ("benchmark", "generalised")


def crossing_of(cells: np.ndarray, first: int = 0) -> Crossing:
    """Make a crossing of one score a cell; NaN means not scored."""
    labs, items = cells.shape
    scores = np.nan_to_num(cells)
    return Crossing(
        tuple(f"lab{k:02}" for k in range(labs)),
        tuple(f"item{i:05}" for i in range(first, first + items)),
        np.isfinite(cells).astype(int),
        scores,
        scores**2,
    )


def drawn(labs: int, items: int, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rate = rng.beta(2, 5, (1, items)) + rng.normal(0, 0.1, (labs, 1))
    return rng.binomial(2, np.clip(rate, 0.02, 0.98), (labs, items)) / 2


def replicated(crossing: Crossing, seed: int = 1, replicates: int = 2000) -> Replicates:
    (found,) = pigeonhole((crossing,), seed, replicates)
    assert isinstance(found, Replicates)
    return found


def computed(crossing: Crossing, estimand: Estimand, seed: int = 1) -> Bootstrap:
    found = bootstrap(crossing, estimand, seed)
    assert isinstance(found, Bootstrap)
    return found


def owen(cells: np.ndarray, seed: int, replicates: int) -> np.ndarray:
    """The pigeonhole bootstrap one replicate at a time: rows and columns are picked."""
    rng = np.random.Generator(np.random.PCG64(seed))
    labs, items = cells.shape
    rows = rng.integers(0, labs, (replicates, labs))
    columns = rng.integers(0, items, (replicates, items))
    picked = zip(rows, columns, strict=True)
    return np.array([cells[np.ix_(row, column)].mean() for row, column in picked])


def test_replicates_are_those_of_picking_rows_and_columns() -> None:
    cells = drawn(5, 40)
    rates = replicated(crossing_of(cells), seed=7, replicates=150).rates("generalised")
    assert rates == pytest.approx(owen(cells, 7, 150))


def test_rule_1_items_missing_at_a_lab_are_left_out() -> None:
    cells = drawn(4, 30)
    gaps = cells.copy()
    gaps[1, 3] = np.nan
    left = replicated(crossing_of(np.delete(cells, 3, axis=1)))
    assert replicated(crossing_of(gaps)).rates("generalised") == pytest.approx(
        left.rates("generalised")
    )


def test_rule_2_percentiles_of_three_labs_stay_within_their_means() -> None:
    cells = drawn(3, 50)
    found = computed(crossing_of(cells), "benchmark")
    means = cells.mean(axis=1)
    assert (found.percentile.lower, found.percentile.upper) == pytest.approx(
        (means.min(), means.max())
    )
    assert found.lower < means.min()
    assert found.upper > means.max()


@pytest.mark.parametrize("labs", [3, 10])
def test_rule_3_the_parts_are_the_mean_squares(labs: int) -> None:
    cells = drawn(labs, 200)
    found = replicated(crossing_of(cells), replicates=20_000).mean_squares()
    truth = mean_squares(cells)
    # A variance of 20,000 draws is known to 1 % (one standard error); labs have few distinct ones.
    assert float(found.lab) == pytest.approx(float(truth.lab), rel=0.05)
    assert float(found.item) == pytest.approx(float(truth.item), rel=0.05)
    assert float(found.lab_item) == pytest.approx(float(truth.lab_item), rel=0.05)


@pytest.mark.parametrize("estimand", BOTH)
def test_rule_3_the_interval_agrees_with_the_crossed_one(estimand: Estimand) -> None:
    crossing = crossing_of(drawn(4, 300))
    found, default = computed(crossing, estimand), crossed(crossing, estimand)
    assert isinstance(default, Estimate)
    assert default.se is not None
    assert found.value == pytest.approx(default.value)
    assert found.mean == pytest.approx(default.value, abs=3 * default.se / np.sqrt(2000))
    assert found.se == pytest.approx(default.se, rel=0.08)
    assert found.lower == pytest.approx(default.lower, abs=default.se / 2)
    assert found.upper == pytest.approx(default.upper, abs=default.se / 2)


def test_rule_4_equal_seeds_give_equal_bits_and_others_do_not() -> None:
    crossing = crossing_of(drawn(4, 60))
    for estimand in BOTH:
        assert computed(crossing, estimand, 5) == computed(crossing, estimand, 5)
        assert computed(crossing, estimand, 5).mean != computed(crossing, estimand, 6).mean


def test_rule_4_crossings_share_their_draws() -> None:
    one, other = drawn(4, 60, seed=1), drawn(4, 60, seed=2)
    both = pigeonhole((crossing_of(one), crossing_of(other)), 5)
    first, second = (r.rates("generalised") for r in both if isinstance(r, Replicates))
    # The replicate of a difference of tables is the difference of their replicates.
    difference = replicated(crossing_of((one - other + 1) / 2), 5).rates("generalised") * 2 - 1
    assert first - second == pytest.approx(difference)


def test_rule_4_a_crossing_that_lacks_items_uses_the_draws_of_its_own() -> None:
    cells = drawn(4, 60)
    part = crossing_of(cells[:, 20:], first=20)
    found = pigeonhole((crossing_of(cells), part), 5)[1]
    assert isinstance(found, Replicates)
    default = crossed(part, "generalised")
    result = bootstrapped(found, "generalised", 5)
    assert isinstance(default, Estimate)
    assert isinstance(result, Bootstrap)
    assert result.value == pytest.approx(default.value)
    assert result.se == pytest.approx(default.se, rel=0.1)
    tiny = pigeonhole((crossing_of(cells), crossing_of(cells[:, :2])), 5)[1]
    assert isinstance(tiny, NotComputable)


@pytest.mark.parametrize(
    "cells",
    [drawn(1, 40), drawn(4, 1), np.zeros((4, 40)), np.full((4, 40), 0.5)],
    ids=["one lab", "one item", "no event", "alike"],
)
def test_rule_5_nothing_to_draw_is_not_computable(cells: np.ndarray) -> None:
    assert isinstance(bootstrap(crossing_of(cells), "benchmark", 1), NotComputable)


def test_rule_5_few_items_with_events_do_not_generalise() -> None:
    cells = np.zeros((4, 40))
    cells[:, :5] = drawn(4, 5) / 2 + 0.25
    assert isinstance(bootstrap(crossing_of(cells), "generalised", 1), NotComputable)
    assert isinstance(bootstrap(crossing_of(cells), "benchmark", 1), Bootstrap)


def test_settings_that_make_no_sense_are_refused() -> None:
    crossing = crossing_of(drawn(3, 20))
    for seed, replicates in ((-1, 2000), (1, 10)):
        with pytest.raises(StatisticsError, match="is no bootstrap"):
            bootstrap(crossing, "benchmark", seed, replicates=replicates)
    with pytest.raises(StatisticsError, match="confidence level"):
        bootstrap(crossing, "benchmark", 1, level=95)
    with pytest.raises(StatisticsError, match="same labs"):
        pigeonhole((crossing, crossing.without_lab("lab00")), 1)
    assert pigeonhole((), 1) == ()


def test_many_items_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    crossing = crossing_of(drawn(4, 60))
    whole = computed(crossing, "generalised")
    monkeypatch.setattr(sys.modules[Bootstrap.__module__], "_BLOCK", 60 * 7)
    parts = computed(crossing, "generalised")
    assert parts.lower == pytest.approx(whole.lower, rel=1e-9)
    assert parts.mean == pytest.approx(whole.mean, rel=1e-9)


@given(st.integers(2, 5), st.integers(2, 12), st.integers(0, 10**6), st.sampled_from(BOTH))
@settings(deadline=None, max_examples=60)
def test_every_interval_has_width_and_stays_in_range(
    labs: int, items: int, seed: int, estimand: Estimand
) -> None:
    cells = np.random.default_rng(seed).integers(0, 2, (labs, items)).astype(float)
    found = bootstrap(crossing_of(cells), estimand, 1, replicates=100)
    if isinstance(found, Bootstrap):
        assert 0 <= found.lower < found.value < found.upper <= 1
