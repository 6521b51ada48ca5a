# SPDX-License-Identifier: Apache-2.0
"""The hook that takes finished logs into a node; once through Inspect's own command line."""

import asyncio
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from exercise_small import Snapshots, scripted_log
from exercise_steps import At, files, said
from inspect_home import environment

from countermark.exercise.cells import CellRun
from countermark.exercise.logs import read_log
from countermark.exercise.matching import match_log
from countermark.exercise.stages.planning import cell_runs
from countermark.exercise.stages.workspace import own_workspace
from countermark.node.node import Node
from countermark.records.evidence import SealedResult

pytestmark = pytest.mark.model


def ended(path: Path, status: str = "success", **metadata: Any) -> Any:
    """Return what Inspect tells a hook at the end of a task."""
    about = metadata or (read_log(path).header.eval.metadata or {})
    log = SimpleNamespace(
        status=status, location=f"file://{path}", eval=SimpleNamespace(metadata=about)
    )
    return SimpleNamespace(log=log)


def planned(node: Node, snapshots: Snapshots) -> CellRun:
    runs = cell_runs(node, snapshots.protocol)
    return next(run for run in runs if (run.task, run.language) == ("confidential-leak", "en"))


def told(
    data: Any, node: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    from countermark.exercise.inspect.hook import NODE, ImportFinished

    monkeypatch.setenv(NODE, str(node))
    hook = ImportFinished()
    assert hook.enabled()
    asyncio.run(hook.on_task_end(data))
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_rule_1_a_finished_log_of_a_planned_protocol_is_taken_once(
    at: At,
    snapshots: Snapshots,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node = at("planned").institutes["JP"]
    root = node.folder.root
    path = scripted_log(tmp_path / "a.eval", planned(node, snapshots))
    assert told(ended(path, status="error"), root, monkeypatch, capsys) == ""
    assert told(ended(path, other="task"), root, monkeypatch, capsys) == ""
    assert "a.eval is kept as smollm2" in told(ended(path), root, monkeypatch, capsys)
    (kept,) = own_workspace(node, snapshots.protocol).logs()
    assert match_log(kept, snapshots.protocol, "JP-simulated").differences == ()
    before = files(node)
    assert "was taken before" in told(ended(path), root, monkeypatch, capsys)
    assert files(node) == before


def test_rules_1_and_3_what_cannot_be_taken_is_said_and_breaks_nothing(
    at: At,
    snapshots: Snapshots,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nodes = at("planned").institutes
    run = planned(nodes["JP"], snapshots)
    path = scripted_log(tmp_path / "a.eval", run)
    elsewhere = told(ended(path), nodes["GB"].folder.root, monkeypatch, capsys)
    assert "was not taken" in elsewhere
    assert "was not taken" in told(ended(path), tmp_path / "nowhere", monkeypatch, capsys)
    unknown = {**run.metadata(), "protocol": "sha256:" + "0" * 64}
    data = ended(path, countermark=unknown)
    assert "has not planned its protocol" in told(
        data, nodes["JP"].folder.root, monkeypatch, capsys
    )


def test_rule_2_a_log_that_differs_is_left_to_a_person(
    at: At,
    snapshots: Snapshots,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from scripted import log_value, write_log

    node = at("planned").institutes["JP"]
    header, samples = log_value(planned(node, snapshots), "other/model")
    path = write_log(tmp_path / "a.eval", header, samples)
    left = told(ended(path), node.folder.root, monkeypatch, capsys)
    assert "was not taken: the model is other/model" in left
    assert own_workspace(node, snapshots.protocol).logs() == ()


def test_rule_4_logs_of_exercise_run_are_passed_over(
    at: At,
    snapshots: Snapshots,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node = at("planned").institutes["JP"]
    folder = own_workspace(node, snapshots.protocol).run_folder
    path = scripted_log(folder / "a.eval", planned(node, snapshots))
    assert told(ended(path), node.folder.root, monkeypatch, capsys) == ""
    assert path.exists()


def ends_all_cells(
    node: Node,
    snapshots: Snapshots,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> list[str]:
    """Let the hook see a log of every planned cell, and return what it said of each."""
    runs = cell_runs(node, snapshots.protocol)
    paths = [scripted_log(tmp_path / f"{place}.eval", run) for place, run in enumerate(runs)]
    return [told(ended(path), node.folder.root, monkeypatch, capsys) for path in paths]


def test_rule_5_the_last_log_is_followed_by_the_seal(
    at: At,
    snapshots: Snapshots,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node = at("planned").institutes["JP"]
    *before, last = ends_all_cells(node, snapshots, tmp_path, monkeypatch, capsys)
    assert [line.rpartition(": ")[2].strip() for line in before] == ["3", "2", "1"]
    assert "the result is sealed" in last
    (sealed,) = said(node, SealedResult)
    assert sealed.lab == "JP-simulated"


def test_rule_5_keys_that_do_not_open_leave_the_seal_to_a_person(
    at: At,
    snapshots: Snapshots,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node = at("planned").institutes["JP"]
    monkeypatch.setattr(Node, "keys_are_encrypted", lambda _: True)
    *_, last = ends_all_cells(node, snapshots, tmp_path, monkeypatch, capsys)
    assert "Next: countermark exercise seal" in last
    assert said(node, SealedResult) == []


def test_inspects_own_command_leaves_its_log_in_the_node(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node = at("planned").institutes["JP"]
    run = planned(node, snapshots)
    protocol = tmp_path / "protocol.json"
    protocol.write_bytes(snapshots.protocol.to_bytes())
    command = [sys.executable, "-m", "inspect_ai", "eval", "countermark/exercise"]
    command += ["--model", "countermark/smollm2", "--log-dir", str(tmp_path / "logs")]
    command += ["--display", "none"]
    settings = ",".join(f"{one.factor}={one.value}" for one in run.full_settings)
    arguments = {
        "protocol": protocol,
        "task": run.task,
        "language": run.language,
        "lab": run.lab,
        "settings": settings,
        "seed": run.seed.hex(),
    }
    for name, value in arguments.items():
        command += ["-T", f"{name}={value}"]
    env = environment(tmp_path, COUNTERMARK_NODE=str(node.folder.root))
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "is kept as" in ran.stderr
    (kept,) = own_workspace(node, snapshots.protocol).logs()
    assert match_log(kept, snapshots.protocol, run.lab).differences == ()
