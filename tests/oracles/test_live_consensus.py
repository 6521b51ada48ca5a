# SPDX-License-Identifier: Apache-2.0
"""Consensus against metafor and pymare, asked now."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from countermark.statistics import Consensus, HeterogeneityMethod, consensus

pytestmark = pytest.mark.oracles

HERE = Path(__file__).parent
PYTHON = os.environ.get("COUNTERMARK_ORACLES")
# Closed forms and roots solved to the last digits on both sides.
EXACT = 1e-9
METHODS: dict[str, HeterogeneityMethod] = {"DL": "dl", "ML": "ml", "REML": "reml"}
# pymare iterates ML and REML with a general optimiser; half of the digits are right.
PYMARE = 1e-4


def test_metafor_still_gives_the_frozen_figures() -> None:
    """The golden test compares with these; here they are made again."""
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed: run `make oracles` as root on Debian")
    script = HERE / "live" / "consensus.R"
    ran = subprocess.run(
        ["Rscript", str(script)], capture_output=True, text=True, check=True, timeout=120
    )
    golden = json.loads((HERE / "consensus.json").read_text("utf-8"))
    made = dict(named(line) for line in ran.stdout.splitlines())
    made.pop("version")
    assert made.keys() == golden["figures"].keys()
    for name, values in golden["figures"].items():
        loose = name.startswith("correlated")
        assert made[name] == pytest.approx(
            values, rel=golden["tolerance"]["rma.mv"] if loose else EXACT
        )


def named(line: str) -> tuple[str, list[float]]:
    words = line.split()
    first = next(place for place, word in enumerate(words) if word[-1].isdigit())
    return " ".join(words[:first]), [float(word) for word in words[first:]]


def test_pymare_on_random_exercises() -> None:
    if PYTHON is None:
        pytest.skip("COUNTERMARK_ORACLES is not set: run `make oracles`")
    rng = np.random.default_rng(12)
    cases = []
    for labs in (3, 4, 6, 10, 15):
        for _ in range(6):
            variances = rng.uniform(0.5, 2, labs) * 1e-2
            values = rng.normal(0.3, np.sqrt(variances + 0.02))
            cases += [(values.tolist(), variances.tolist(), m) for m in ("DL", "ML", "REML")]
    ran = subprocess.run(
        [PYTHON, str(HERE / "live" / "consensus.py")],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    for (values, variances, name), wanted in zip(cases, json.loads(ran.stdout), strict=True):
        found = consensus(values, np.diag(variances), METHODS[name])  # Knapp-Hartung, as pymare
        assert isinstance(found, Consensus)
        tolerance = EXACT if name == "DL" else PYMARE
        assert [found.mu, found.se] == pytest.approx(wanted[:2], rel=tolerance)
        # A variance near 0 is compared with the errors' size.
        reach = tolerance * float(np.mean(variances))
        assert found.heterogeneity.tau2 == pytest.approx(wanted[2], rel=tolerance, abs=reach)
