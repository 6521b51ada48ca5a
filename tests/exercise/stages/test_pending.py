# SPDX-License-Identifier: Apache-2.0
import shutil
from pathlib import Path

from exercise_finished import FinishedExercise
from scripted import log_value, write_log

from countermark.exercise.demonstration import demonstration
from countermark.exercise.private.content import provider_of
from countermark.exercise.stages.pending import keep_finished, pending_runs
from countermark.exercise.stages.planning import cell_runs
from countermark.exercise.stages.workspace import own_workspace
from countermark.node.node import Node

PROTOCOL = demonstration()[0]
MODEL = PROTOCOL.models[0]


def lab(finished_exercise: FinishedExercise, tmp_path: Path) -> Node:
    """Return a lab of a finished exercise whose logs are taken away again."""
    shutil.copytree(finished_exercise.root / "nodes" / "KE", tmp_path / "KE")
    node = Node.open(tmp_path / "KE")
    shutil.rmtree(own_workspace(node, PROTOCOL).log_folder)
    return node


def test_a_cell_with_a_finished_log_is_not_run_again(
    finished_exercise: FinishedExercise, tmp_path: Path
) -> None:
    node = lab(finished_exercise, tmp_path)
    workspace = own_workspace(node, PROTOCOL)
    whole = pending_runs(node, PROTOCOL, MODEL)
    assert whole == cell_runs(node, PROTOCOL)
    write_log(workspace.run_folder / "a.eval", *log_value(whole[0], provider_of(MODEL)))
    assert pending_runs(node, PROTOCOL, MODEL) == whole[1:]
    assert [path.name for path in workspace.log_folder.iterdir()] == ["a.eval"]


def test_a_log_that_a_stop_left_unfinished_is_set_aside_and_its_cell_run_anew(
    finished_exercise: FinishedExercise, tmp_path: Path
) -> None:
    node = lab(finished_exercise, tmp_path)
    workspace = own_workspace(node, PROTOCOL)
    whole = pending_runs(node, PROTOCOL, MODEL)
    header, samples = log_value(whole[0], provider_of(MODEL))
    write_log(workspace.run_folder / "stopped.eval", header | {"status": "cancelled"}, samples)
    (workspace.run_folder / "torn.eval").write_bytes(b"PK\x03\x04 torn")
    keep_finished(workspace)
    assert pending_runs(node, PROTOCOL, MODEL) == whole
    aside = workspace.folder / "unfinished"
    assert sorted(path.name for path in aside.iterdir()) == ["stopped.eval", "torn.eval"]
    assert workspace.logs() == ()


def test_only_the_owner_can_look_into_a_run(finished_exercise: FinishedExercise) -> None:
    assert (finished_exercise.root / "nodes" / "KE" / "runs").stat().st_mode & 0o077 == 0
