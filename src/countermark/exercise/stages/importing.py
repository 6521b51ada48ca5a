# SPDX-License-Identifier: Apache-2.0
"""Taking a log that was made elsewhere, by Inspect, for a cell of this lab."""

from dataclasses import dataclass
from pathlib import Path

from countermark.exercise.cells import CellRun
from countermark.exercise.logged import check_not_sealed, own_lab, own_plan
from countermark.exercise.logs import is_zip, read_log
from countermark.exercise.matching import Difference, logs_by_cell, match_log
from countermark.exercise.samples import samples_of
from countermark.exercise.stages.planning import plan_run
from countermark.exercise.stages.workspace import Workspace, planned_workspace
from countermark.node.files import write_atomic
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import Deviation
from countermark.records.protocol import Protocol, RunPlan

PLANNED_LATE = "the run plan was logged after the run"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one imported log.

    Parameters
    ----------
    kept
        Where the log was kept; nothing if it was refused.
    differences
        How it differs from the protocol.
    """

    kept: Path | None
    differences: tuple[Difference, ...]


def import_log(
    node: Node,
    protocol: Protocol,
    path: Path,
    lab: str,
    deviation: str | None,
    declared: tuple[Difference, ...] = (),
) -> Imported:
    """Take a log that was made elsewhere, if it matches the protocol or is a declared deviation.

    A lab without a run plan gets one from its first log; that it was planned after the run is
    itself declared.

    Parameters
    ----------
    node, protocol
        Where it is taken, for which exercise.
    path
        An Inspect log.
    lab
        Who ran it.
    deviation
        Why a log that differs is taken, if it is.
    declared
        Differences that were found before the log had this form.

    Raises
    ------
    InputError
        If the file is no log, or one of another lab.
    StateError
        If a log of this cell was taken before, or the lab has sealed.
    """
    log = read_log(path)
    match = match_log(log, protocol, lab)
    differences = (*declared, *match.differences)
    refused = match.run is None or any(not found.waivable for found in match.differences)
    if match.run is None or match.model is None or refused or (differences and deviation is None):
        return Imported(None, differences)
    if lab != own_lab(node):
        raise InputError(
            f"is not this node's lab {own_lab(node)}",
            where=f"--lab {lab}",
            next_step="Import the log on the node of the lab that ran it.",
        )
    samples_of(match.run, match.model.key, log)  # what cannot be sealed is better refused now
    check_not_sealed(node, protocol)
    workspace = planned_workspace(node, protocol)
    if workspace is None:
        workspace = plan_run(node, protocol, match.run.settings, match.run.seed)
        workspace.declare(Deviation(reason=PLANNED_LATE, differences=()))
    unplanned = _unplanned(own_plan(node, protocol), workspace, match.run)
    if unplanned:
        return Imported(None, (*differences, *unplanned))
    cell = (match.model.key, match.run.task, match.run.language, match.run.arm)
    if cell in logs_by_cell(protocol, lab, workspace.logs()):
        raise StateError(
            f"a log of {match.run.task} in {match.run.language} was taken before",
            where=str(workspace.log_folder),
            next_step="Keep the first; results are not replaced once they were imported.",
        )
    data = path.read_bytes()
    name = "_".join(part for part in cell if part)
    target = workspace.log_folder / f"{name}{'.eval' if is_zip(data) else '.json'}"
    if differences and deviation is not None:
        texts = tuple(found.text for found in differences)
        settings = tuple(dict.fromkeys(n for found in differences for n in found.settings))
        workspace.declare(Deviation(reason=deviation, differences=texts, settings=settings or None))
    write_atomic(target, data, mode=0o600)
    return Imported(target, differences)


def _unplanned(plan: RunPlan, workspace: Workspace, run: CellRun) -> tuple[Difference, ...]:
    found = []
    if run.arm is None and run.full_settings != plan.settings:
        found.append(Difference(3, "its settings are not those of the run plan", waivable=False))
    if run.seed != workspace.seed:
        found.append(
            Difference(
                3,
                "its secret seed is not the run plan's; run all cells of a lab with one -T seed",
                waivable=False,
            )
        )
    return tuple(found)
