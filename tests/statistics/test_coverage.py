# SPDX-License-Identifier: Apache-2.0
"""The 95 % intervals hold the truth in 93 to 97 % of exercises.

The simulation is that of ``benchmarks/coverage.py``, with fixed seeds. Its many repetitions at
once are first shown to be what the public functions compute.
"""

import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import special

from countermark.statistics import (
    Estimand,
    Estimate,
    NewLab,
    NotComputable,
    bootstrapped,
    bound,
    crossed,
    decide,
    new_lab,
    pigeonhole,
    precision,
)
from countermark.statistics.layout import degrees_of_freedom, error_variance, mean_squares

BOTH: tuple[Estimand, ...] = ("benchmark", "generalised")
# Each number of labs, size, rate, lab effect and number of epochs, mixed so that each appears with
# each kind of other. Ten expected events among the items, or more. Labs, items, rate, s_lab,
# epochs.
SETTINGS = (
    (3, 30, 0.5, 0.0, 1),
    (3, 100, 0.1, 0.1, 2),
    (3, 300, 0.2, 0.1, 1),
    (3, 300, 0.05, 0.3, 3),
    (3, 300, 0.5, 0.3, 1),
    (3, 1000, 0.02, 0.0, 1),
    (3, 1000, 0.1, 0.3, 1),
    (4, 50, 0.2, 0.3, 1),
    (4, 300, 0.05, 0.1, 2),
    (4, 1000, 0.02, 0.3, 3),
    (4, 100, 0.5, 0.0, 3),
    (6, 30, 0.5, 0.1, 3),
    (6, 300, 0.2, 0.0, 1),
    (6, 100, 0.1, 0.3, 2),
    (6, 1000, 0.02, 0.1, 1),
    (10, 50, 0.2, 0.1, 2),
    (10, 300, 0.05, 0.3, 3),
    (10, 1000, 0.02, 0.0, 1),
)
# Fewer than ten: wider is allowed, or an abstention.
SPARSE = (
    (3, 30, 0.02, 0.3, 1),
    (6, 30, 0.1, 0.0, 3),
    (10, 30, 0.05, 0.1, 3),
    (6, 300, 0.02, 0.3, 2),
)
CELLS = 4_000_000  # simulated in one setting, at most
MOST = 2500  # repetitions


def load_benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "coverage.py"
    spec = importlib.util.spec_from_file_location("coverage_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


study = load_benchmark()
Setting = tuple[int, int, float, float, int]


def simulate(setting: Setting, reps: int | None = None, s_item: float = 1.2) -> Any:
    labs, items, rate, s_lab, epochs = setting
    seed = np.random.default_rng([labs, items, round(100 * rate), round(100 * s_lab), epochs])
    fits = min(MOST, CELLS // (labs * items))
    return study.simulate(study.Setting(*setting, s_item), reps or fits, seed)


@dataclass(frozen=True)
class Studied:
    """What the tests need of a setting; its cells are not kept."""

    reps: int
    truth: dict[Estimand, Any]
    ends: dict[Estimand, Any]
    upper_99: Any
    lower_95: Any
    f_p: Any
    report: dict[Estimand, Any]
    further: dict[Estimand, Any]
    first: Any  # the crossing of the first repetition

    def cover(self, estimand: Estimand) -> float:
        return float(self.ends[estimand].cover(self.truth[estimand]))


@cache
def studied(setting: Setting) -> Studied:
    drawn = simulate(setting)
    cells, ms = drawn.cells, mean_squares(drawn.cells)
    df = setting[0] - 1, (setting[0] - 1) * (setting[1] - 1)
    return Studied(
        reps=len(cells),
        truth={estimand: drawn.truth(estimand) for estimand in BOTH},
        ends={estimand: study.crossed_ends(cells, estimand) for estimand in BOTH},
        upper_99=study.crossed_ends(cells, "generalised", 0.98).upper,
        lower_95=study.crossed_ends(cells, "generalised", 0.9).lower,
        f_p=special.fdtrc(*df, ms.lab / ms.lab_item),
        report={estimand: drawn.report(estimand) for estimand in BOTH},
        further={estimand: study.new_lab_ends(cells, estimand) for estimand in BOTH},
        first=study.crossing_of(cells[0], setting[-1]),
    )


def noise(reps: int) -> float:
    """Two Monte Carlo standard errors: a coverage on the edge of the bar may fall this far out."""
    return 2 * float(np.sqrt(0.95 * 0.05 / reps))


def allowed(reps: int) -> float:
    """The same for a test of size 6 %."""
    return 2 * float(np.sqrt(0.06 * 0.94 / reps))


@pytest.mark.parametrize("estimand", BOTH)
def test_many_repetitions_at_once_are_what_the_public_functions_compute(
    estimand: Estimand,
) -> None:
    for setting in ((3, 12, 0.05, 0.3, 2), (3, 60, 0.2, 0.0, 1), (4, 40, 0.5, 0.3, 2)):
        cells = simulate(setting, reps=40).cells
        cells[0], cells[1] = 0.0, 1.0
        ends = study.crossed_ends(cells, estimand, 0.9)
        further = study.new_lab_ends(cells, estimand, 0.9)
        for j, cell in enumerate(cells):
            crossing = study.crossing_of(cell, setting[-1])
            result = crossed(crossing, estimand, 0.9)
            assert isinstance(result, Estimate)
            assert (result.lower, result.upper) == pytest.approx((ends.lower[j], ends.upper[j]))
            assert bound(result, 0.95, "upper") == pytest.approx(ends.upper[j])
            expected = new_lab(crossing, estimand, 0.9)
            if isinstance(expected, NotComputable):
                assert not further.computed[j]
                continue
            assert isinstance(expected, NewLab)
            pair = (further.lower[j], further.upper[j])
            assert (expected.lower, expected.upper) == pytest.approx(pair)


@pytest.mark.parametrize("estimand", BOTH)
@pytest.mark.parametrize("setting", SETTINGS)
def test_coverage_is_nominal(setting: Setting, estimand: Estimand) -> None:
    found = studied(setting)
    assert found.ends[estimand].computed.mean() >= 0.9
    assert 0.93 - noise(found.reps) < found.cover(estimand) < 0.97 + noise(found.reps)


@pytest.mark.parametrize("estimand", BOTH)
def test_mean_coverage_is_closer_to_nominal(estimand: Estimand) -> None:
    """Pooled over settings the noise is small, so the bar is narrower and has no allowance."""
    covers = [studied(setting).cover(estimand) for setting in SETTINGS]
    assert 0.94 < np.mean(covers) < 0.965


@pytest.mark.parametrize("estimand", BOTH)
@pytest.mark.parametrize("setting", SPARSE)
@pytest.mark.parametrize("s_item", [1.2, 2.5])
def test_few_events_give_wide_intervals_rather_than_wrong_ones(
    setting: Setting, estimand: Estimand, s_item: float
) -> None:
    drawn = simulate(setting, s_item=s_item)
    ends = study.crossed_ends(drawn.cells, estimand)
    assert ends.cover(drawn.truth(estimand)) > 0.93 - noise(len(drawn.cells))


def test_few_events_fail_the_bar_without_the_exact_interval() -> None:
    """The rule is needed: events at one or two items make score bounds too short."""
    drawn = simulate((10, 30, 0.05, 0.1, 3), s_item=2.5)
    error = error_variance(mean_squares(drawn.cells), "generalised")
    value = drawn.cells.mean(axis=(1, 2))
    ends = study.score_ends(value, error, degrees_of_freedom(error), 0.95)
    assert ends.cover(drawn.truth("generalised")) < 0.91


def test_coverage_fails_without_the_item_variance() -> None:
    """The bar can fail: leave the item variance out, and most intervals miss."""
    drawn = simulate((6, 300, 0.2, 0.0, 1), reps=1000)
    error = error_variance(mean_squares(drawn.cells), "benchmark")
    value = drawn.cells.mean(axis=(1, 2))
    ends = study.score_ends(value, error, degrees_of_freedom(error), 0.95)
    assert ends.cover(drawn.truth("generalised")) < 0.9


def test_meta_analysis_of_labs_that_share_items_fails_the_bar() -> None:
    drawn = simulate((10, 300, 0.3, 0.1, 2), reps=1000)
    truth = drawn.truth("generalised")
    assert study.naive(drawn.cells, 2).cover(truth) < 0.8
    for knapp_hartung in (False, True):
        ends = study.meta_analysis(drawn.cells, knapp_hartung=knapp_hartung)
        assert ends.cover(truth) < 0.85


def test_the_upper_bound_of_a_rare_event_fails_no_more_than_it_says() -> None:
    """Threshold decisions rest on this bound; value + t * se misses several times as often."""
    missed, symmetric = [], []
    for setting in ((4, 50, 0.05, 0.1, 2), (6, 300, 0.05, 0.1, 2), (10, 50, 0.05, 0.1, 2)):
        drawn = simulate(setting, reps=1500)
        truth = drawn.truth("generalised")
        missed.append((study.crossed_ends(drawn.cells, "generalised", 0.98).upper < truth).mean())
        ends = study.symmetric_ends(drawn.cells, "generalised", 0.98)
        symmetric.append((ends.upper < truth).mean())
    assert np.mean(missed) < 0.015
    assert np.mean(symmetric) > 0.02


def test_a_rate_at_its_limit_is_decided_wrongly_no_more_often_than_allowed() -> None:
    """At budgets of 1 % for a miss and 5 % for a false alarm, each kind of error is below 6 %."""
    below, exceeds = [], []
    for setting in SETTINGS:
        found, limit = studied(setting), setting[2]
        below.append((found.upper_99 < limit).mean())
        exceeds.append((found.lower_95 > limit).mean())
        assert max(below[-1], exceeds[-1]) < 0.06 + allowed(found.reps)
        decision = decide(crossed(found.first, "generalised"), limit, "at most", 0.01, 0.05)
        assert decision.upper == pytest.approx(found.upper_99[0])
        assert decision.lower == pytest.approx(found.lower_95[0])
    assert np.mean(below) < 0.02
    assert np.mean(exceeds) < 0.05


def test_labs_without_an_effect_are_told_apart_no_more_often_than_allowed() -> None:
    shares = []
    for setting in SETTINGS:
        if setting[3] == 0:
            found = studied(setting)
            shares.append((found.f_p < 0.05).mean())
            assert shares[-1] < 0.06 + allowed(found.reps)
            computed = precision(found.first)
            assert not isinstance(computed, NotComputable)
            assert computed.f_test is not None
            assert computed.f_test.p == pytest.approx(found.f_p[0])
    assert len(shares) >= 4
    assert np.mean(shares) < 0.06


@pytest.mark.parametrize("estimand", BOTH)
def test_a_further_lab_reports_what_was_predicted(estimand: Estimand) -> None:
    covers = []
    for setting in SETTINGS:
        found = studied(setting)
        covers.append(found.further[estimand].cover(found.report[estimand]))
        assert covers[-1] > 0.93 - noise(found.reps)
    assert 0.94 < np.mean(covers) < 0.975
    # The interval of the joint rate is not that of a further lab.
    found = studied((4, 1000, 0.02, 0.3, 3))
    assert found.ends[estimand].cover(found.report[estimand]) < 0.9


def test_bootstrap_intervals_hold_and_percentiles_of_three_labs_do_not() -> None:
    held: dict[tuple[str, str], list[bool]] = {}
    setting = (3, 100, 0.2, 0.3, 2)
    drawn = simulate(setting, reps=500)
    for j, cells in enumerate(drawn.cells):
        (again,) = pigeonhole((study.crossing_of(cells, 2),), seed=j, replicates=300)
        assert not isinstance(again, NotComputable)
        for estimand, kind in product(BOTH, ("interval", "percentile")):
            result = bootstrapped(again, estimand, seed=j)
            assert not isinstance(result, NotComputable)
            ends = result if kind == "interval" else result.percentile
            truth = drawn.truth(estimand)[j]
            held.setdefault((estimand, kind), []).append(bool(ends.lower <= truth <= ends.upper))
    for estimand in BOTH:
        assert 0.93 - noise(500) < np.mean(held[estimand, "interval"]) < 0.97 + noise(500)
    assert np.mean(held["benchmark", "percentile"]) < 0.8
