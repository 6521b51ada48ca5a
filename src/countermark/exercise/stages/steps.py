# SPDX-License-Identifier: Apache-2.0
"""The stages of an exercise as one lab or the coordinator takes them, each leaving a statement.

::

    plan ──▶ run or import ──▶ seal ──▶ (coordinator) close ──▶ reveal (see disclosing.py)

Each stage checks that the one before it is logged, and each is taken once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from countermark.exercise.cells import CellRun, arms_of, check_arm, full_settings, planned_keys
from countermark.exercise.comparing.accounts import configurations_of, lab_account
from countermark.exercise.comparing.comparability import compare_labs
from countermark.exercise.logs import Log, is_zip, read_log
from countermark.exercise.matching import Cell, Difference, cell_of, match_log
from countermark.exercise.protocol.checks import check_protocol
from countermark.exercise.revealing.seal import (
    opened_samples,
    revealed_file,
    sealed_root,
    secret_commitment,
)
from countermark.exercise.samples import LabSample, count_cells, samples_of
from countermark.exercise.scoring.rulebook import check_scorers
from countermark.exercise.stages.workspace import Workspace, make_workspace, open_workspace
from countermark.node.book import Book
from countermark.node.files import write_atomic
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import (
    CellConfiguration,
    Deviation,
    Evidence,
    ExerciseClosing,
    SealedResult,
    SealReference,
    configurations_digest,
)
from countermark.records.protocol import Countersignature, FactorSetting, Protocol, RunPlan

PLANNED_LATE = "the run plan was logged after the run"
SAMPLES_TYPE = "application/jsonl"
R = TypeVar("R", RunPlan, SealedResult, Evidence)


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


def sign_protocol(node: Node, protocol: Protocol) -> None:
    """Countersign a protocol as a participant.

    Raises
    ------
    StateError
        If the node is no participant.
    """
    _check_participant(node, protocol)
    check_protocol(protocol, where=protocol.name)
    check_scorers(protocol)
    node.say(Countersignature(institute=node.code, of=protocol.digest, of_kind="protocol"))


def plan_run(
    node: Node,
    protocol: Protocol,
    settings: tuple[FactorSetting, ...],
    seed: bytes | None = None,
) -> Workspace:
    """Log what this lab will run, and make its private folder.

    Parameters
    ----------
    node
        The lab's node.
    protocol
        A protocol that all participants have countersigned.
    settings
        Values of the declared factors; the others have the reference value.
    seed
        The secret seed of an imported log; fresh if nothing.

    Raises
    ------
    StateError
        If it is planned already, not all have countersigned, or this node is no participant or has
        no lab.
    InputError
        If the protocol has no such factor or value.
    """
    _check_participant(node, protocol)
    waiting = not_countersigned(read_book(node), protocol)
    if waiting:
        raise StateError(
            f"is not countersigned by {', '.join(waiting)}",
            where=protocol.name,
            next_step="Pull from the peers, or ask them to sign: countermark protocol sign.",
        )
    if planned_workspace(node, protocol) is not None:
        raise StateError(
            "was planned already",
            where=f"{node.code} {protocol.name}",
            next_step="Go on with countermark exercise run, import or seal.",
        )
    check_scorers(protocol)
    check_arm(protocol, settings)
    lab, declared = own_lab(node), full_settings(protocol, settings)
    # Before the plan: what it commits to must be on the disk. A folder without a plan is made anew.
    workspace = make_workspace(node, protocol, seed)
    node.say(
        RunPlan(
            protocol=protocol.digest,
            institute=node.code,
            lab=lab,
            settings=declared,
            samples=sum(1 for _ in planned_keys(protocol, lab)),
            secret_commitment=secret_commitment(workspace.seed),
        )
    )
    return workspace


def cell_runs(node: Node, protocol: Protocol) -> tuple[CellRun, ...]:
    """Return the cells that this lab planned to run, one a task and language, its swaps last."""
    plan, workspace = own_plan(node, protocol), own_workspace(node, protocol)
    return tuple(
        CellRun(
            protocol=protocol,
            task=task.key,
            language=language,
            lab=plan.lab,
            settings=plan.settings,
            seed=workspace.seed,
            arm=arm,
        )
        for arm, task in arms_of(protocol, plan.lab)
        for language in protocol.languages
    )


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
    _check_not_sealed(node, protocol)
    workspace = planned_workspace(node, protocol)
    if workspace is None:
        workspace = plan_run(node, protocol, match.run.settings, match.run.seed)
        workspace.declare(Deviation(reason=PLANNED_LATE, differences=()))
    unplanned = _unplanned(own_plan(node, protocol), workspace, match.run)
    if unplanned:
        return Imported(None, (*differences, *unplanned))
    cell = (match.model.key, match.run.task, match.run.language, match.run.arm)
    if cell in _by_cell(protocol, lab, workspace.logs()):
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


def seal(
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
    _check_not_sealed(node, protocol)
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


def close(node: Node, protocol: Protocol) -> ExerciseClosing:
    """As the coordinator, say which labs have sealed; revealing may begin.

    Raises
    ------
    StateError
        If this node is not the coordinator, it was closed before, or no seal was witnessed yet.
    """
    if node.code != protocol.coordinator:
        raise StateError(
            f"is coordinated by {protocol.coordinator}, not {node.code}",
            where=protocol.name,
            next_step="Run this on the coordinator's node.",
        )
    known = read_book(node)
    if closing_of(known, protocol) is not None:
        raise StateError(
            "was closed already",
            where=protocol.name,
            next_step="A closing is final. The labs that it lists may reveal.",
        )
    references = []
    for entry, record in known.of_kind(SealedResult):
        proof = node.log_of(entry.author).proof(entry.index)
        if record.protocol == protocol.digest and proof is not None:
            references.append(
                SealReference(
                    institute=record.institute,
                    lab=record.lab,
                    seal=entry.digest,
                    envelope=entry.envelope,
                    proof=proof.decode(),
                )
            )
    if not references:
        raise StateError(
            "has no witnessed seal yet",
            where=protocol.name,
            next_step="Pull from the peers until their seals are witnessed: countermark sync pull.",
        )
    sealed = {reference.lab for reference in references}
    planned = [plan.lab for _, plan in known.of_kind(RunPlan) if plan.protocol == protocol.digest]
    closing = ExerciseClosing(
        protocol=protocol.digest,
        coordinator=node.code,
        seals=tuple(sorted(references, key=lambda reference: reference.lab)),
        not_sealed=tuple(sorted(set(planned) - sealed)),
    )
    node.say(closing)
    return closing


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
    by_cell = _by_cell(protocol, own_plan(node, protocol).lab, logs)
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
    by_cell = _by_cell(protocol, plan.lab, logs)
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


def not_countersigned(book: Book, protocol: Protocol) -> tuple[str, ...]:
    """Return the participants whose countersignature of the protocol is not known here."""
    signed = {
        record.institute
        for _, record in book.of_kind(Countersignature)
        if record.of == protocol.digest
    }
    return tuple(code for code in protocol.participants if code not in signed)


def own_plan(node: Node, protocol: Protocol) -> RunPlan:
    """Return this lab's logged run plan.

    Raises
    ------
    StateError
        If there is none.
    """
    plan = own_record(read_book(node), node, RunPlan, protocol)
    if plan is None:
        raise StateError(
            "has no run plan",
            where=f"{node.code} {protocol.name}",
            next_step="Plan it by running it: countermark exercise run.",
        )
    return plan


def closing_of(book: Book, protocol: Protocol) -> ExerciseClosing | None:
    """Return the coordinator's closing of an exercise, if it is known here."""
    return next(
        (
            record
            for entry, record in book.of_kind(ExerciseClosing)
            if (entry.author, record.protocol) == (protocol.coordinator, protocol.digest)
        ),
        None,
    )


def planned_workspace(node: Node, protocol: Protocol) -> Workspace | None:
    """Return the private folder of this lab's run once its plan is logged."""
    planned = own_record(read_book(node), node, RunPlan, protocol) is not None
    return open_workspace(node, protocol) if planned else None


def own_workspace(node: Node, protocol: Protocol) -> Workspace:
    """Return the private folder of this lab's run.

    Raises
    ------
    StateError
        If there is none.
    """
    workspace = open_workspace(node, protocol)
    if workspace is None:
        raise StateError(
            "was not begun on this node",
            where=f"{node.code} {protocol.name}",
            next_step="Begin with countermark exercise run or import.",
        )
    return workspace


def own_lab(node: Node) -> str:
    """Return the lab that runs exercises on this node.

    Raises
    ------
    StateError
        If its configuration names none.
    """
    if node.config.lab is None:
        raise StateError(
            "names no lab",
            where=f"{node.folder.root}/node.toml",
            next_step=f'Add a line such as: lab = "{node.code}-lab".',
        )
    return node.config.lab


def _check_participant(node: Node, protocol: Protocol) -> None:
    if node.code not in protocol.participants:
        raise StateError(
            f"{node.code} is not among the participants: {', '.join(protocol.participants)}",
            where=protocol.name,
            next_step="Ask the coordinator for a protocol that lists you.",
        )


def _check_not_sealed(node: Node, protocol: Protocol) -> None:
    if own_record(read_book(node), node, SealedResult, protocol) is not None:
        raise StateError(
            "was sealed already",
            where=f"{node.code} {protocol.name}",
            next_step="A seal is final. Wait for the closing, then: countermark exercise reveal.",
        )


def own_record(book: Book, node: Node, kind: type[R], protocol: Protocol) -> R | None:
    """Return the first record of a kind that this node logged about an exercise."""
    return next(
        (
            record
            for entry, record in book.of_kind(kind)
            if entry.author == node.code and record.protocol == protocol.digest
        ),
        None,
    )


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


def _by_cell(protocol: Protocol, lab: str, logs: Sequence[Log]) -> dict[Cell, Log]:
    found: dict[Cell, Log] = {}
    for log in logs:
        cell = cell_of(log, protocol, lab)
        if cell is None:
            continue
        if cell in found:
            raise StateError(
                f"is of the same cell as {found[cell].name}",
                where=log.name,
                next_step="Keep the log of the first run, and move the other away.",
            )
        found[cell] = log
    return found
