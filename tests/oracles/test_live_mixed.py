# SPDX-License-Identifier: Apache-2.0
"""Mixed models against R's lme4, glmmTMB and ordinal, and the Python package glmm, asked anew."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mixed_tables import ORACLES, Table, cbpp, penicillin, simulated, verbagg, wine

from countermark.statistics.mixed import MixedFit, mixed

pytestmark = pytest.mark.oracles


def write_cells(table: Table, path: Path) -> None:
    rows = ["lab,language,model,item,total,count"]
    for g, group in enumerate(table.golden["data"]["groups"]):
        lab, model, language = group.split()
        rows += [
            f"{lab},{language},{model},{i},{total:.0f},{count:.0f}"
            for i, (total, count) in enumerate(
                zip(table.response.total[g], table.response.count[g], strict=True)
            )
        ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mixed") / "cells.csv"
    write_cells(simulated(), path)
    return path


@pytest.fixture(scope="module")
def answers(cells: Path) -> dict[str, Any]:
    rscript = shutil.which("Rscript")
    if not rscript:
        pytest.skip("R is not installed; `make oracles` as root installs it.")
    found = subprocess.run(
        [rscript, str(ORACLES / "live" / "mixed.R"), str(cells)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer


def fitted(table: Table, *, restricted: bool) -> MixedFit:
    fit = mixed(table.response, table.fixed, table.random, restricted=restricted)
    assert isinstance(fit, MixedFit)
    return fit


# glmmTMB maximises the same function. Its optimiser stops at a relative tolerance near 1e-10 of the
# log-likelihood; of one near -4,000 that is 4e-7, which an effect moves within 1e-3 of its standard
# error, and a standard deviation within 1e-3 of itself.
@pytest.mark.parametrize(
    ("name", "table"), [("cbpp", cbpp), ("verbagg", verbagg), ("simulated", simulated)]
)
@pytest.mark.parametrize("restricted", [False, True])
def test_glmmtmb(answers: dict[str, Any], name: str, table: Any, restricted: bool) -> None:
    theirs = answers[name]["tmb_restricted" if restricted else "tmb"]
    ours = fitted(table(), restricted=restricted)
    se = np.array(theirs["se"])
    assert ours.loglik == pytest.approx(theirs["loglik"], rel=1e-8)
    assert np.all(np.abs(ours.beta - theirs["beta"]) < 1e-3 * se)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(se, rel=1e-4)
    assert sorted(d.value for d in ours.deviations) == pytest.approx(
        sorted(theirs["sd"].values()), rel=1e-3
    )


# glmer stops about 2e-4 of log-likelihood before the maximum.
@pytest.mark.parametrize(
    ("name", "table"), [("cbpp", cbpp), ("verbagg", verbagg), ("simulated", simulated)]
)
def test_glmer(answers: dict[str, Any], name: str, table: Any) -> None:
    theirs, ours = answers[name]["lme4"], fitted(table(), restricted=False)
    assert -1e-6 < ours.loglik - theirs["loglik"] < 1e-3
    assert np.all(np.abs(ours.beta - theirs["beta"]) < 0.01 * np.array(theirs["se"]))


# The normal likelihood is exact in both; lmer's own optimiser leaves 1e-6 of a parameter.
@pytest.mark.parametrize("restricted", [False, True])
def test_lmer(answers: dict[str, Any], restricted: bool) -> None:
    theirs = answers["penicillin"]["restricted" if restricted else "ml"]
    ours = fitted(penicillin(), restricted=restricted)
    assert ours.loglik == pytest.approx(theirs["loglik"], rel=1e-10)
    assert ours.beta[0] == pytest.approx(theirs["beta"], rel=1e-8)
    assert ours.residual == pytest.approx(theirs["residual"], rel=1e-5)
    assert ours.sd("item") == pytest.approx(theirs["sd"]["plate"], rel=1e-5)
    assert ours.sd("sample") == pytest.approx(theirs["sd"]["sample"], rel=1e-5)


# clmm leaves the bottles' standard deviation at 4e-6 where the maximum is at 0.
def test_clmm(answers: dict[str, Any]) -> None:
    theirs, ours = answers["wine"]["ml"], fitted(wine(), restricted=False)
    assert ours.loglik == pytest.approx(theirs["loglik"], rel=1e-7)
    assert ours.beta[1:] == pytest.approx(theirs["beta"], rel=1e-4)
    assert ours.cuts is not None
    assert ours.cuts - ours.beta[0] == pytest.approx(theirs["cuts"], rel=1e-4)
    assert ours.sd("item") == pytest.approx(theirs["sd"]["judge"], rel=1e-4)
    assert ours.sd("bottle") == pytest.approx(0, abs=1e-4)


# glmm maximises the same function, by cells with weights; the bar of the project is 1e-6.
def test_glmm(cells: Path) -> None:
    python = os.environ.get("COUNTERMARK_ORACLES")
    if not python:
        pytest.skip("COUNTERMARK_ORACLES is not set; run `make oracles`.")
    found = subprocess.run(
        [python, str(ORACLES / "live" / "mixed_glmm.py"), str(cells)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    theirs = json.loads(found.stdout)
    ours = fitted(simulated(), restricted=False)
    assert ours.loglik == pytest.approx(theirs["loglik"], rel=1e-6)
    assert ours.beta == pytest.approx(theirs["beta"], rel=1e-3)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs["se"], rel=1e-3)
