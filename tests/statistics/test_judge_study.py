# SPDX-License-Identifier: Apache-2.0
"""What correcting a judge is worth, by a small run of ``benchmarks/judges.py``."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def load_benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "judges.py"
    spec = importlib.util.spec_from_file_location("judges_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


study = load_benchmark()
REPS = 250
NOISE = 2 * np.sqrt(0.95 * 0.05 / REPS)


@cache
def outcomes(assumption: str, labs: int = 4, items: int = 200, rate: float = 0.1) -> dict[str, Any]:
    rng = np.random.default_rng(12)
    setting = study.Setting(labs, items, rate, 0.1)
    return {one.method: one for one in study.judge_study(setting, 200, assumption, REPS, rng)}


@pytest.mark.parametrize(("labs", "items", "rate"), [(4, 200, 0.1), (3, 200, 0.5), (6, 500, 0.02)])
def test_with_a_random_sample_the_rectified_interval_is_nominal(
    labs: int, items: int, rate: float
) -> None:
    found = outcomes("as assumed", labs, items, rate)
    leading = found["leading"]
    assert 0.93 - NOISE < leading.cover < 0.97 + NOISE
    assert leading.none < 0.1
    assert leading.width < found["rogan-gladen"].width
    assert found["judge only"].cover < 0.8


def test_a_shifted_sample_breaks_the_rectified_rate_and_rogan_gladen_leads() -> None:
    found = outcomes("shifted")
    assert found["prediction-powered"].cover < 0.8
    assert found["labels only"].cover < 0.2
    assert found["leading"] == study.Outcome(
        "leading", *(getattr(found["rogan-gladen"], name) for name in ("cover", "width", "none"))
    )
    assert found["leading"].cover > 0.93


def test_a_judge_that_errs_otherwise_here_breaks_rogan_gladen() -> None:
    found = outcomes("drift")
    assert found["rogan-gladen"].cover < 0.6
    assert found["leading"].cover > 0.93 - NOISE
