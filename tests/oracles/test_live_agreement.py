# SPDX-License-Identifier: Apache-2.0
"""Agreement against krippendorff and statsmodels, on random tables."""

import json
import os
import subprocess
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from countermark.statistics import Agreement, Coefficient, Ratings, Resampling, agreement

PYTHON = os.environ.get("COUNTERMARK_ORACLES")
LEVELS = [0.0, 1.0, 2.0, 3.0]
# The formulas are closed and short; only the order of summation differs.
TOLERANCE = 1e-10


@pytest.mark.oracles
@pytest.mark.skipif(not PYTHON, reason="COUNTERMARK_ORACLES is not set; run `make oracles`")
def test_agreement_is_that_of_krippendorff_and_statsmodels() -> None:
    rng = np.random.default_rng(8)
    tables = []
    for raters, units, missing in ((2, 40, 0.0), (3, 100, 0.0), (4, 30, 0.3), (6, 200, 0.1)):
        truth = rng.integers(0, 4, (units, 1))
        same = rng.random((units, raters)) < 0.6
        table = np.where(same, truth, rng.integers(0, 4, (units, raters))).astype(float)
        table[rng.random(table.shape) < missing] = np.nan
        tables.append(table)
    asked = {
        "levels": LEVELS,
        "tables": [
            [[None if np.isnan(cell) else cell for cell in row] for row in table]
            for table in tables
        ],
    }
    answer = subprocess.run(
        [str(PYTHON), str(Path(__file__).parent / "live" / "agreement.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    compared = 0
    for table, figures in zip(tables, json.loads(answer.stdout), strict=True):
        ratings = Ratings.from_table(table, LEVELS)
        for coefficient in get_args(Coefficient):
            if coefficient in figures:
                ours = agreement(ratings, coefficient, Resampling(1, 100))
                assert isinstance(ours, Agreement)
                assert ours.value == pytest.approx(figures[coefficient], rel=TOLERANCE), coefficient
                compared += 1
    assert compared == 4 * 3 + 2 + 3
