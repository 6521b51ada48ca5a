# SPDX-License-Identifier: Apache-2.0
"""The 95 % intervals hold the truth in 93 to 97 % of exercises.

The simulation is that of ``benchmarks/coverage.py``, with fixed seeds. Its many repetitions at
once are first shown to be what ``crossed`` computes.
"""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from countermark.statistics import Crossing, Estimand, Estimate, bound, crossed
from countermark.statistics.layout import degrees_of_freedom, error_variance, mean_squares

BOTH: tuple[Estimand, ...] = ("benchmark", "generalised")
# Ten expected events among the items, or more. Labs, items, rate, s_lab.
SETTINGS = (
    (3, 50, 0.5, 0.0),
    (3, 300, 0.2, 0.1),
    (3, 300, 0.5, 0.3),
    (4, 50, 0.2, 0.3),
    (4, 300, 0.05, 0.1),
    (6, 300, 0.3, 0.0),
    (6, 100, 0.1, 0.3),
    (10, 50, 0.2, 0.1),
    (10, 300, 0.05, 0.3),
)
REPS = 1500
# Two Monte Carlo standard errors: a true coverage on the edge of the bar may fall this far out.
NOISE = 2 * np.sqrt(0.95 * 0.05 / REPS)


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


def simulate(labs: int, items: int, rate: float, s_lab: float, reps: int = REPS) -> Any:
    seed = np.random.default_rng([labs, items, round(100 * rate), round(100 * s_lab)])
    return study.simulate(study.Setting(labs, items, rate, s_lab), reps, seed)


@pytest.mark.parametrize("estimand", BOTH)
def test_many_repetitions_at_once_are_what_crossed_computes(estimand: Estimand) -> None:
    cells = simulate(3, 12, 0.05, 0.3, reps=40).cells
    cells[0], cells[1] = 0.0, 1.0
    ends = study.crossed_ends(cells, estimand, 0.9)
    methods = set()
    for j, cell in enumerate(cells):
        labs, items = cell.shape
        keys = (tuple(map(str, range(labs))), tuple(f"{i:03}" for i in range(items)))
        # 0/1 answers, so the sum of squares is the sum.
        crossing = Crossing(*keys, np.full(cell.shape, 2), 2 * cell, 2 * cell)
        result = crossed(crossing, estimand, 0.9)
        assert isinstance(result, Estimate)
        methods.add(result.method)
        assert (result.lower, result.upper) == pytest.approx((ends.lower[j], ends.upper[j]))
        assert bound(result, 0.95, "upper") == pytest.approx(ends.upper[j])
    assert "exact" in methods
    assert len(methods) == 2


@cache
def covers(setting: tuple[int, int, float, float]) -> dict[Estimand, float]:
    drawn = simulate(*setting)
    return {
        estimand: study.crossed_ends(drawn.cells, estimand).cover(drawn.truth(estimand))
        for estimand in BOTH
    }


@pytest.mark.parametrize("setting", SETTINGS)
def test_coverage_is_nominal(setting: tuple[int, int, float, float]) -> None:
    for cover in covers(setting).values():
        assert 0.93 - NOISE < cover < 0.97 + NOISE


@pytest.mark.parametrize("estimand", BOTH)
def test_mean_coverage_is_closer_to_nominal(estimand: Estimand) -> None:
    """Pooled over settings the noise is small, so the bar is narrower and has no allowance."""
    assert 0.94 < np.mean([covers(setting)[estimand] for setting in SETTINGS]) < 0.965


def test_coverage_fails_without_the_item_variance() -> None:
    """The bar can fail: leave the item variance out, and most intervals miss."""
    drawn = simulate(6, 300, 0.3, 0.0)
    error = error_variance(mean_squares(drawn.cells), "benchmark")
    ends = study.score_ends(drawn.cells, error, degrees_of_freedom(error), 0.95)
    assert ends.cover(drawn.truth("generalised")) < 0.85


def test_meta_analysis_of_labs_that_share_items_fails_the_bar() -> None:
    drawn = simulate(10, 300, 0.3, 0.1)
    truth = drawn.truth("generalised")
    assert study.naive(drawn.cells, 2).cover(truth) < 0.8
    for knapp_hartung in (False, True):
        ends = study.meta_analysis(drawn.cells, knapp_hartung=knapp_hartung)
        assert ends.cover(truth) < 0.85


def test_the_upper_bound_of_a_rare_event_fails_no_more_than_it_says() -> None:
    """Threshold decisions rest on this bound; value + t * se misses several times as often."""
    missed, symmetric = [], []
    for setting in ((4, 50, 0.05, 0.1), (6, 300, 0.05, 0.1), (10, 50, 0.05, 0.1)):
        drawn = simulate(*setting)
        truth = drawn.truth("generalised")
        missed.append((study.crossed_ends(drawn.cells, "generalised", 0.98).upper < truth).mean())
        ends = study.symmetric_ends(drawn.cells, "generalised", 0.98)
        symmetric.append((ends.upper < truth).mean())
    assert np.mean(missed) < 0.015
    assert np.mean(symmetric) > 0.02
