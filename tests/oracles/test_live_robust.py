# SPDX-License-Identifier: Apache-2.0
"""Algorithm A against pt13528, asked now."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from countermark.statistics import RobustMean, algorithm_a

pytestmark = pytest.mark.oracles

# Both stop when a round moves less than about 1e-13. Slow cases have many such rounds to come.
TOLERANCE = 1e-10


def test_pt13528_on_random_lists_with_outliers() -> None:
    python = os.environ.get("COUNTERMARK_ORACLES")
    if python is None:
        pytest.skip("COUNTERMARK_ORACLES is not set: run `make oracles`")
    rng = np.random.default_rng(13)
    lists = [rng.standard_t(2, size=rng.integers(3, 15)).tolist() for _ in range(500)]
    ran = subprocess.run(
        [python, str(Path(__file__).parent / "live" / "robust.py")],
        input=json.dumps(lists),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    for values, wanted in zip(lists, json.loads(ran.stdout), strict=True):
        found = algorithm_a(values)
        assert isinstance(found, RobustMean)
        assert [found.value, found.deviation] == pytest.approx(wanted, abs=TOLERANCE)
