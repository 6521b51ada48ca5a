# SPDX-License-Identifier: Apache-2.0
"""The Go project's reference code and ours agree on logs that either made."""

import copy
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.interop

FOLDER = Path(__file__).resolve().parents[2] / "interop"
REFERENCE = Path(os.environ.get("INTEROP_GOPATH", "/usr/share/gocode"))
AVAILABLE = shutil.which("go") and (REFERENCE / "src/golang.org/x/mod/sumdb/tlog").is_dir()


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("interop_run", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not AVAILABLE and os.environ.get("CI") != "true":
        pytest.skip("no Go: apt-get install golang-go golang-golang-x-mod-dev")
    return tmp_path_factory.mktemp("interop")


@pytest.fixture(scope="module")
def interop() -> ModuleType:
    return load()


@pytest.fixture(scope="module")
def figures(interop: ModuleType, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = interop.run(folder)
    return found


def test_both_sides_agree_on_everything(
    figures: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\n{json.dumps(figures, indent=2)}")  # noqa: T201 - these figures are what `make interop` is for
    assert figures["agree"]
    assert figures["our_mistakes"] == 0


def test_the_reference_code_accepts_ours_and_nothing_false(figures: dict[str, Any]) -> None:
    judged = figures["go_judges_ours"]
    assert judged["accepted"] == {"inclusions": 1000, "consistency": 1000, "checkpoints": 200}
    assert judged["refused"] == {"inclusions": 1000, "consistency": 1000, "checkpoints": 400}
    assert judged["disagreements"] == 0
    assert judged["leaves"] > 65_537
    assert judged["tiles"] > 2_000
    assert judged["signatures"] > 1_000


def test_our_code_accepts_theirs_and_nothing_false(figures: dict[str, Any]) -> None:
    judged = figures["we_judge_theirs"]
    assert (judged["inclusions"], judged["consistency"], judged["checkpoints"]) == (550, 550, 11)
    for kind in ("inclusions", "consistency", "checkpoints"):
        assert judged[f"false {kind}"] == 0
        assert judged[f"false {kind} judged"] > 100
    assert judged["disagreements"] == 0


@pytest.fixture
def ours(figures: dict[str, Any], folder: Path) -> dict[str, Any]:
    cases: dict[str, Any] = json.loads((folder / "ours.json").read_text("utf-8"))
    small = [log for log in cases["logs"] if len(log["leaves"]) < 300]
    return {
        "logs": small,
        "checkpoints": cases["checkpoints"][:30],
        "inclusions": cases["inclusions"][:30],
        "consistency": cases["consistency"][:30],
    }


def wrong_root(cases: dict[str, Any]) -> None:
    cases["logs"][3]["heads"][0]["root"] = cases["logs"][4]["heads"][0]["root"]


def lost_tile(cases: dict[str, Any]) -> None:
    del cases["logs"][-1]["files"]["tile/1/000.p/1"]


def exchanged_leaves(cases: dict[str, Any]) -> None:
    leaves = cases["logs"][-1]["leaves"]
    leaves[0], leaves[-1] = leaves[-1], leaves[0]


def false_inclusion(cases: dict[str, Any]) -> None:
    case = next(case for case in cases["inclusions"] if case["proof"])
    case["proof"].pop()


def false_consistency(cases: dict[str, Any]) -> None:
    case = next(case for case in cases["consistency"] if case["proof"])
    case["proof"].reverse()
    case["proof"].append(case["old_root"])


def exchanged_witness(cases: dict[str, Any]) -> None:
    case = next(case for case in cases["checkpoints"] if len(case["witnesses"]) > 1)
    case["witnesses"].pop()


def honest_case_refused(cases: dict[str, Any]) -> None:
    cases["inclusions"][0]["accept"] = False


@pytest.mark.parametrize(
    "lie",
    [
        wrong_root,
        lost_tile,
        exchanged_leaves,
        false_inclusion,
        false_consistency,
        exchanged_witness,
        honest_case_refused,
    ],
)
def test_the_program_sees_a_difference(
    lie: Callable[[dict[str, Any]], None],
    ours: dict[str, Any],
    interop: ModuleType,
    folder: Path,
    tmp_path: Path,
) -> None:
    """Without this, a program that says yes to everything would pass."""
    for cases, expected in ((ours, 0), (copy.deepcopy(ours), 1)):
        if expected:
            lie(cases)
        interop.write(cases, tmp_path / "cases.json")
        code, judged = interop.ask(folder / "interop", "check", str(tmp_path / "cases.json"))
        assert (code, judged["disagreements"] > 0) == (expected, bool(expected))
