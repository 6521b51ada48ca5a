# SPDX-License-Identifier: Apache-2.0
"""Sealing: a lab commits to all its samples, before anyone reveals."""

from collections.abc import Mapping, Sequence

from countermark.exercise.comparing.accounts import configurations_of, lab_account
from countermark.exercise.comparing.comparability import compare_labs
from countermark.exercise.logged import check_not_sealed, closing_of, own_plan
from countermark.exercise.logs import Log
from countermark.exercise.matching import logs_by_cell
from countermark.exercise.revealing.seal import opened_samples, revealed_file, sealed_root
from countermark.exercise.samples import LabSample, count_cells, samples_of
from countermark.exercise.stages.planning import cell_runs
from countermark.exercise.stages.workspace import own_workspace
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.records.errors import StateError
from countermark.records.evidence import (
    CellConfiguration,
    Deviation,
    SealedResult,
    configurations_digest,
)
from countermark.records.protocol import Protocol


def seal_samples(
    node: Node,
    protocol: Protocol,
    missing: str | None = None,
    differing: Mapping[str, str] | None = None,
) -> SealedResult:
    """Commit to all samples of this lab, before anyone reveals.

    Parameters
    ----------
    node, protocol
        The lab's node and what it ran.
    missing
        Why cells were not run, if some were not; their samples are sealed as *missing*.
    differing
        Settings in which the runs differ from what the protocol or the other labs have, and why.

    Raises
    ------
    StateError
        If it was sealed before, the exercise is closed, nothing was run, or the logs show a setting
        that the protocol does not ask for and nobody declared.
    """
    plan, workspace = own_plan(node, protocol), own_workspace(node, protocol)
    check_not_sealed(node, protocol)
    if closing_of(read_book(node), protocol) is not None:
        raise StateError(
            "was closed without this lab",
            where=f"{plan.lab} {protocol.name}",
            next_step="A seal after the closing proves nothing; ask for another exercise.",
        )
    logs = workspace.logs()
    if not logs:
        raise StateError(
            "has no logs",
            where=str(workspace.log_folder),
            next_step="Run or import first: countermark exercise run, or import.",
        )
    samples, lacking = lab_samples(node, protocol, logs)
    if lacking and missing is None:
        raise StateError(
            f"lacks {len(lacking)} cells: {', '.join(lacking)}",
            where=plan.lab,
            next_step="Run or import them, or seal without them: --missing 'why'.",
        )
    if lacking and missing is not None:
        workspace.declare(
            Deviation(reason=missing, differences=tuple(f"not run: {cell}" for cell in lacking))
        )
    for name, reason in (differing or {}).items():
        workspace.declare(Deviation(reason=reason, differences=(), settings=(name,)))
    configurations = _configurations(node, protocol, logs, samples)
    workspace.keep_configurations(configurations)
    opened = opened_samples(samples, workspace.tree_key)
    workspace.keep_samples(revealed_file(opened))
    result = SealedResult(
        protocol=protocol.digest,
        run_plan=plan.digest,
        institute=node.code,
        lab=plan.lab,
        samples=len(samples),
        root=sealed_root(opened),
        configurations=configurations_digest(configurations),
    )
    node.say(result)
    return result


def lab_samples(
    node: Node, protocol: Protocol, logs: Sequence[Log]
) -> tuple[tuple[LabSample, ...], tuple[str, ...]]:
    """Return every sample that the protocol asks a lab for, and the cells without a log.

    Samples of such cells are *missing*.

    Raises
    ------
    StateError
        If two logs are of one cell.
    """
    by_cell = logs_by_cell(protocol, own_plan(node, protocol).lab, logs)
    samples: list[LabSample] = []
    lacking = []
    for model in protocol.models:
        for run in cell_runs(node, protocol):
            cell = (model.key, run.task, run.language, run.arm)
            own = by_cell.get(cell)
            if own is None:
                lacking.append(" ".join(part for part in cell if part))
            samples.extend(samples_of(run, model.key, own))
    return tuple(samples), tuple(lacking)


def _configurations(
    node: Node, protocol: Protocol, logs: Sequence[Log], samples: Sequence[LabSample]
) -> tuple[CellConfiguration, ...]:
    """Return how each cell was run, refusing what would be kept out of the joint rates unsaid."""
    plan, workspace = own_plan(node, protocol), own_workspace(node, protocol)
    by_cell = logs_by_cell(protocol, plan.lab, logs)
    found = configurations_of(protocol, cell_runs(node, protocol), by_cell, workspace.prices())
    counts = count_cells(sample.scores for sample in samples)
    own = lab_account(protocol, plan.lab, plan.settings, found, workspace.deviations(), counts)
    settings = sorted({name for names in compare_labs([own]).blocked.values() for name in names})
    if settings:
        raise StateError(
            f"ran with another {', '.join(settings)} than the protocol asks for, or with several",
            where=plan.lab,
            next_step="Say so, each with its reason, before others see it: "
            f"countermark exercise seal --differs '{settings[0]}=why'.",
        )
    return found
