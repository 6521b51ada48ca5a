# SPDX-License-Identifier: Apache-2.0
"""What a lab still has to run: a cell with a finished log is never run again.

Running a cell twice and keeping the better log would be choosing one's results. Inspect writes into
``running/``; only finished logs move on to ``logs/``, from where they are sealed. What a stop or a
crash left unfinished is set aside in ``unfinished/``, and its cell goes on from there: finished
samples are taken over, and only the others are asked for.
"""

from pathlib import Path

from countermark.exercise.cells import CellRun
from countermark.exercise.logged import own_plan
from countermark.exercise.logs import read_log
from countermark.exercise.matching import match_log
from countermark.exercise.stages.planning import cell_runs
from countermark.exercise.stages.workspace import Workspace, own_workspace
from countermark.node.files import storage_errors
from countermark.node.node import Node
from countermark.records.errors import InputError
from countermark.records.protocol import ModelUnderTest, Protocol

UNFINISHED = "unfinished"


def pending_runs(node: Node, protocol: Protocol, model: ModelUnderTest) -> tuple[CellRun, ...]:
    """Return the planned cells of one model that have no finished log.

    Parameters
    ----------
    node, protocol
        The lab's node and what it planned to run.
    model
        Which of the protocol's models.
    """
    workspace, lab = own_workspace(node, protocol), own_plan(node, protocol).lab
    keep_finished(workspace)
    matches = [match_log(log, protocol, lab) for log in workspace.logs()]
    done = {
        (match.run.task, match.run.language, match.run.arm)
        for match in matches
        if match.run is not None and match.model == model
    }
    return tuple(
        run for run in cell_runs(node, protocol) if (run.task, run.language, run.arm) not in done
    )


def interrupted_logs(workspace: Workspace) -> tuple[Path, ...]:
    """Return the logs that were set aside, in the order in which they were begun."""
    return tuple(sorted((workspace.folder / UNFINISHED).glob("*.eval")))


def keep_finished(workspace: Workspace) -> None:
    """Move finished logs on to where they are sealed from, and set the others aside."""
    for path in sorted(workspace.run_folder.glob("*.eval")):
        folder = workspace.log_folder if _is_finished(path) else workspace.folder / UNFINISHED
        with storage_errors(folder):
            folder.mkdir(exist_ok=True, mode=0o700)
            path.replace(folder / path.name)


def _is_finished(path: Path) -> bool:
    try:
        return read_log(path).header.status == "success"
    except InputError:
        return False
