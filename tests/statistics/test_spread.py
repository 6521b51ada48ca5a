# SPDX-License-Identifier: Apache-2.0
"""Intervals for variances hold the truth; the simulation is that of ``benchmarks/precision.py``."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from countermark.statistics.layout import mean_squares
from countermark.statistics.spread import (
    between,
    chi_square,
    difference_of_cells,
    interaction_cells,
    mean_of_cells,
    share_of_labs,
    sum_of,
    within_cells,
)


def load_benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "precision.py"
    spec = importlib.util.spec_from_file_location("precision_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


study = load_benchmark()
REPS = 1000
NOISE = 2 * np.sqrt(0.95 * 0.05 / REPS)
DESIGNS = [
    study.Design(3, 100, 2, 0.2, 0.1),
    study.Design(4, 50, 3, 0.2, 0.3),
    study.Design(6, 100, 2, 0.1, 0.3),
    study.Design(6, 100, 1, 0.2, 0.3),
    study.Design(10, 100, 2, 0.2, 0.3),
    study.Design(6, 60, 2, 0.5, 0.3, "normal"),
]


@pytest.mark.parametrize(
    "design", DESIGNS, ids=lambda d: f"{d.scores}-{d.labs}x{d.items}x{d.epochs}"
)
def test_coverage(design: object) -> None:
    """At least 93 %; the upper bar is loose where the method is known to be wide."""
    figures = study.coverage(design, REPS, np.random.default_rng(4))
    for name in study.NAMES:
        if not np.isnan(figures[name]):
            assert 0.93 - NOISE < figures[name] < 0.985 + NOISE, name
    assert figures["absent"] < 0.06


def test_textbook_intervals_fail_for_binary_scores_and_hold_for_normal_ones() -> None:
    """The simulation can tell: this is why the textbook is not followed."""
    rng = np.random.default_rng(5)
    binary = study.coverage(study.Design(6, 100, 2, 0.1, 0.3), REPS, rng)
    normal = study.coverage(study.Design(6, 100, 2, 0.5, 0.3, "normal"), REPS, rng)
    for name in ("textbook repeatability", "textbook reproducibility"):
        assert binary[name] < 0.7
        assert normal[name] > 0.93


def test_the_true_variances_are_those_of_many_simulated_labs() -> None:
    design = study.Design(400, 400, 2, 0.2, 0.5)
    drawn = study.draw(design, 1, np.random.default_rng(6))
    ms = mean_squares(drawn.cells[0])
    repeat = drawn.epochs.mean()
    assert repeat == pytest.approx(drawn.truth["repeatability"], rel=0.05)
    assert ms.lab_item - repeat / 2 == pytest.approx(drawn.truth["lab_item"], rel=0.2)
    found = (ms.lab - ms.lab_item) / 400
    assert found == pytest.approx(drawn.truth["between_labs"], rel=0.25)


def test_rule_1_and_2_cell_figures_average_to_the_mean_squares() -> None:
    rng = np.random.default_rng(7)
    cells = rng.uniform(size=(3, 4, 9))
    ms = mean_squares(cells)
    assert interaction_cells(cells).mean(axis=(1, 2)) == pytest.approx(ms.lab_item)
    within, repeats = rng.uniform(size=(4, 9)), rng.integers(0, 3, (4, 9)).astype(float)
    pooled = np.asarray(within[repeats > 0].sum() / repeats.sum())
    figures = within_cells(np.where(repeats > 0, within, 0.0), repeats, pooled)
    assert figures.mean() == pytest.approx(pooled)
    same = within_cells(within, np.full((4, 9), 2.0), np.asarray(within.mean() / 2))
    assert same == pytest.approx(within / 2)


def test_rule_3_chi_square_of_a_mean_square() -> None:
    spread = chi_square(np.asarray(0.02), 10, 0.95)
    assert float(spread.lower) == pytest.approx(0.02 * 10 / 20.48317735029956)
    assert float(spread.upper) == pytest.approx(0.02 * 10 / 3.2469727802368396)


def test_rule_4_ends_are_zero_at_the_critical_values_of_f() -> None:
    error, labs, df = 0.1, 4, 60
    for tail, end in ((0.975, "lower"), (0.025, "upper")):
        critical = stats.f.ppf(tail, labs - 1, df) * error
        for lab, beyond in ((critical * (1 - 1e-6), False), (critical * (1 + 1e-6), True)):
            spread = between(np.asarray(lab), labs, np.asarray(error), df, 20, 0.95)
            value = float(getattr(spread, end))
            assert (value > 0) == beyond
            assert np.isnan(value) or value < 1e-6


def test_rule_4_without_error_it_is_the_chi_square_interval() -> None:
    spread = between(np.asarray(0.1), 6, np.asarray(0.0), 60, 20, 0.95)
    low, high = 0.1 / 20 * 5 / stats.chi2.ppf([0.975, 0.025], 5)
    assert (float(spread.lower), float(spread.upper)) == pytest.approx((low, high))


def test_rule_4_batches_are_what_single_layouts_give() -> None:
    lab, error = np.array([0.5, 0.2, 0.05, 0.0]), np.array([0.1, 0.1, 0.1, 0.1])
    many = between(lab, 4, error, 60, 21, 0.95)
    for j in range(4):
        one = between(lab[j], 4, error[j], 60, 21, 0.95)
        assert float(one.lower) == many.lower[j]
        assert float(one.upper) == many.upper[j] or np.isnan(many.upper[j])
    assert np.isnan(many.upper[3])


def test_rule_5_one_part_alone_keeps_its_interval() -> None:
    part = chi_square(np.asarray(0.02), 10, 0.95)
    alone = sum_of(part)
    assert float(alone.lower) == pytest.approx(float(part.lower))
    assert float(alone.upper) == pytest.approx(float(part.upper))


def test_rule_6_share_without_error_is_not_known() -> None:
    spread = share_of_labs(np.array([0.2, 0.0]), 4, np.array([0.0, 0.1]), 30, 0.95)
    assert np.isnan(spread.value[0])
    assert spread.value[1] == -np.inf
    assert np.isnan(spread.upper).all()


def test_rule_7_ends_stay_where_variances_of_scores_can_be() -> None:
    spread = chi_square(np.asarray([0.2, 0.4]), 2, 0.95)
    assert spread.upper.tolist() == [0.25, 0.4]
    low = difference_of_cells(np.random.default_rng(8).normal(0.01, 1, (4, 30)), 0.95)
    assert float(low.lower) == 0


def test_rule_8_nothing_varied() -> None:
    for found in (
        chi_square(np.asarray(0.0), 5, 0.95),
        mean_of_cells(np.zeros((3, 8)), 0.95),
        mean_of_cells(np.full((3, 8), 0.25), 0.95),
        difference_of_cells(np.zeros((3, 8)), 0.95),
        between(np.asarray(0.0), 3, np.asarray(0.0), 14, 8, 0.95),
        sum_of(chi_square(np.asarray(0.0), 5, 0.95)),
    ):
        assert np.isnan(found.lower)
        assert np.isnan(found.upper)
