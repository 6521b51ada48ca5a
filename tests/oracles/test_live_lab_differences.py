# SPDX-License-Identifier: Apache-2.0
"""R is asked again, and must say what is frozen in ``lab_differences.json``.

The figures are sums, small linear systems and F quantiles in double precision on both sides, so
1e-10 relative is far above their rounding and far below any error of method.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from countermark.statistics import (
    Crossing,
    FactorEffect,
    LabExplanation,
    Shares,
    benjamini_hochberg,
    explain_labs,
    holm,
    identifiability,
)

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "lab_differences.json").read_text(encoding="utf-8"))
RELATIVE = 1e-10

pytestmark = pytest.mark.oracles


@pytest.fixture(scope="module")
def said() -> dict[str, list[float]]:
    if not os.environ.get("COUNTERMARK_ORACLES"):
        pytest.skip("COUNTERMARK_ORACLES is not set; run `make oracles`")
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("Rscript is not installed; `make oracles` says how to get it")
    script = str(HERE / "live" / "lab_differences.R")
    out = subprocess.run([rscript, script], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in out.splitlines())
    return {name: [float(figure) for figure in figures] for name, *figures in rows}


def test_r_says_what_is_frozen(said: dict[str, list[float]]) -> None:
    assert said
    for name, figures in said.items():
        assert GOLDEN[name] == pytest.approx(figures, rel=RELATIVE), name


def test_adjusted_p_values(said: dict[str, list[float]]) -> None:
    assert holm(said["p"]) == pytest.approx(said["holm"], rel=RELATIVE)
    assert benjamini_hochberg(said["p"]) == pytest.approx(said["benjamini_hochberg"], rel=RELATIVE)


def test_effects_tests_inflation_and_shares(said: dict[str, list[float]]) -> None:
    settings = {
        f"lab{k}": {"prompt": prompt, "provider": provider, "temperature": temperature}
        for k, (prompt, provider, temperature) in enumerate(
            zip("aabbccabc", "pqpqpqqqp", "001011110", strict=True)
        )
    }
    vif = [each.vif for each in identifiability(settings).factors]
    assert vif == pytest.approx(said["vif"], rel=RELATIVE)
    means = said["means"]
    rows = [(f"lab{k}", f"q{i}", mean) for k, mean in enumerate(means) for i in range(40)]
    result = explain_labs(Crossing.from_rows(*zip(*rows, strict=True)), settings)
    assert isinstance(result, LabExplanation)
    found = [each.finding for each in result.factors]
    assert all(isinstance(each, FactorEffect) for each in found)
    effects = [effect for each in found for effect in each.effects]  # type: ignore[union-attr]
    assert [e.difference for e in effects] == pytest.approx(said["coefficients"], rel=RELATIVE)
    assert [e.se for e in effects] == pytest.approx(said["errors"], rel=RELATIVE)
    tests = [each.test for each in found]  # type: ignore[union-attr]
    assert [test.statistic for test in tests] == pytest.approx(said["f"], rel=RELATIVE)
    assert [test.p for test in tests] == pytest.approx(said["p_f"], rel=RELATIVE)
    assert isinstance(result.shares, Shares)
    observed = [share.observed for share in result.shares.factors]
    assert observed == pytest.approx(said["lmg"], rel=RELATIVE)
