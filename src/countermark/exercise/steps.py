# SPDX-License-Identifier: Apache-2.0
"""The stages of an exercise as one lab or the coordinator takes them, each leaving a statement.

::

    plan ──▶ run or import ──▶ seal ──▶ (coordinator) close ──▶ reveal

Each stage checks that the one before it is logged, and each is taken once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import countermark
from countermark.exercise.cells import CellRun, full_settings, planned_keys
from countermark.exercise.logs import Log, read_log
from countermark.exercise.matching import Difference, match_log
from countermark.exercise.samples import LabSample, count_cells, samples_of
from countermark.exercise.scoring.rulebook import check_scorers
from countermark.exercise.sealing import revealed_file, sealed_root, secret_commitment
from countermark.exercise.workspace import Workspace, make_workspace, open_workspace
from countermark.node.book import Book
from countermark.node.files import write_atomic
from countermark.node.index import book as read_book
from countermark.node.node import Node, timestamp
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import (
    BlobReference,
    Deviation,
    Evidence,
    ExerciseClosing,
    SealedResult,
    SealReference,
    SoftwareVersion,
)
from countermark.records.protocol import Countersignature, FactorSetting, Protocol, RunPlan

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
    if node.code not in protocol.participants:
        raise StateError(
            f"{node.code} is not among the participants: {', '.join(protocol.participants)}",
            where=protocol.name,
            next_step="Ask the coordinator for a protocol that lists you.",
        )
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
        If it is planned already, not all have countersigned, or this node has no lab.
    """
    waiting = not_countersigned(read_book(node), protocol)
    if waiting:
        raise StateError(
            f"is not countersigned by {', '.join(waiting)}",
            where=protocol.name,
            next_step="Pull from the peers, or ask them to sign: countermark protocol sign.",
        )
    if open_workspace(node, protocol) is not None:
        raise StateError(
            "was planned already",
            where=f"{node.code} {protocol.name}",
            next_step="Go on with countermark exercise run, import or seal.",
        )
    check_scorers(protocol)
    workspace = make_workspace(node, protocol, seed)
    node.say(
        RunPlan(
            protocol=protocol.digest,
            institute=node.code,
            lab=_lab(node),
            settings=full_settings(protocol, settings),
            samples=sum(1 for _ in planned_keys(protocol)),
            secret_commitment=secret_commitment(workspace.seed),
        )
    )
    return workspace


def cell_runs(node: Node, protocol: Protocol) -> tuple[CellRun, ...]:
    """Return the cells that this lab planned to run, one a task and language."""
    plan, workspace = own_plan(node, protocol), own_workspace(node, protocol)
    return tuple(
        CellRun(
            protocol=protocol,
            task=task.key,
            language=language,
            lab=plan.lab,
            settings=plan.settings,
            seed=workspace.seed,
        )
        for task in protocol.tasks
        for language in protocol.languages
    )


def import_log(
    node: Node, protocol: Protocol, path: Path, lab: str, deviation: str | None
) -> Imported:
    """Take a log that was made elsewhere, if it matches the protocol or is a declared deviation.

    A lab without a run plan gets one from its first log; that it was planned after the run is
    itself declared.
    """
    log = read_log(path)
    match = match_log(log, protocol, lab)
    refused = match.run is None or any(not found.waivable for found in match.differences)
    if match.run is None or refused or (match.differences and deviation is None):
        return Imported(None, match.differences)
    if lab != _lab(node):
        raise InputError(
            f"is not this node's lab {_lab(node)}",
            where=f"--lab {lab}",
            next_step="Import the log on the node of the lab that ran it.",
        )
    workspace = open_workspace(node, protocol)
    late: tuple[Deviation, ...] = ()
    if workspace is None:
        workspace = plan_run(node, protocol, match.run.settings, match.run.seed)
        late = (Deviation(reason="the run plan was logged after the run", differences=()),)
    unplanned = _unplanned(own_plan(node, protocol), workspace, match.run)
    if unplanned:
        return Imported(None, (*match.differences, *unplanned))
    target = workspace.log_folder / f"{match.run.task}_{match.run.language}_{log_key(log)}.eval"
    if any(_same_cell(log, known) for known in workspace.logs()):
        raise StateError(
            f"a log of {match.run.task} in {match.run.language} was taken before",
            where=str(workspace.log_folder),
            next_step="Keep the first; results are not replaced once they were imported.",
        )
    declared = late
    if match.differences and deviation is not None:
        texts = tuple(found.text for found in match.differences)
        declared += (Deviation(reason=deviation, differences=texts),)
    for one in declared:
        workspace.declare(one)
    write_atomic(target, path.read_bytes(), mode=0o600)
    return Imported(target, match.differences)


def seal(node: Node, protocol: Protocol, missing: str | None = None) -> SealedResult:
    """Commit to all samples of this lab, before anyone reveals.

    Parameters
    ----------
    node, protocol
        The lab's node and what it ran.
    missing
        Why cells were not run, if some were not; their samples are sealed as *missing*.

    Raises
    ------
    StateError
        If it was sealed before, or nothing was run.
    """
    plan, workspace = own_plan(node, protocol), own_workspace(node, protocol)
    if _own(read_book(node), node, SealedResult, protocol) is not None:
        raise StateError(
            "was sealed already",
            where=f"{plan.lab} {protocol.name}",
            next_step="A seal is final. Wait for the closing, then: countermark exercise reveal.",
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
    workspace.keep_samples(revealed_file(samples, workspace.tree_key))
    result = SealedResult(
        protocol=protocol.digest,
        run_plan=plan.digest,
        institute=node.code,
        lab=plan.lab,
        samples=len(samples),
        root=sealed_root(samples, workspace.tree_key),
    )
    node.say(result)
    return result


def close(node: Node, protocol: Protocol) -> ExerciseClosing:
    """As the coordinator, say which labs have sealed; revealing may begin.

    Raises
    ------
    StateError
        If this node is not the coordinator, or no seal was witnessed yet.
    """
    if node.code != protocol.coordinator:
        raise StateError(
            f"is coordinated by {protocol.coordinator}, not {node.code}",
            where=protocol.name,
            next_step="Run this on the coordinator's node.",
        )
    known = read_book(node)
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
    planned = [
        plan.lab for _, plan in known.of_kind(RunPlan) if plan.protocol == protocol.digest
    ]
    closing = ExerciseClosing(
        protocol=protocol.digest,
        coordinator=node.code,
        seals=tuple(sorted(references, key=lambda reference: reference.lab)),
        not_sealed=tuple(sorted(set(planned) - sealed)),
    )
    node.say(closing)
    return closing


def reveal(node: Node, protocol: Protocol) -> Evidence:
    """Open this lab's seal: publish its samples and what they were sealed with.

    Raises
    ------
    StateError
        If nothing was sealed, the exercise is not closed, or it was revealed before.
    """
    known, workspace = read_book(node), own_workspace(node, protocol)
    plan, sealed = own_plan(node, protocol), _own(known, node, SealedResult, protocol)
    closing = next(
        (record for _, record in known.of_kind(ExerciseClosing) if record.protocol == protocol.digest),
        None,
    )
    if sealed is None or closing is None:
        raise StateError(
            "is not closed yet" if sealed else "has nothing sealed",
            where=f"{plan.lab} {protocol.name}",
            next_step="Pull until the coordinator has closed it: countermark sync pull."
            if sealed
            else "Seal first: countermark exercise seal.",
        )
    if _own(known, node, Evidence, protocol) is not None:
        raise StateError(
            "was revealed already",
            where=f"{plan.lab} {protocol.name}",
            next_step="Nothing is left to do for this lab.",
        )
    data, logs = workspace.samples(), workspace.logs()
    samples, _ = lab_samples(node, protocol, logs)
    evidence = Evidence(
        protocol=protocol.digest,
        run_plan=plan.digest,
        seal=sealed.digest,
        closing=closing.digest,
        institute=node.code,
        lab=plan.lab,
        tree_key=workspace.tree_key.hex(),
        secret_seed=workspace.seed.hex(),
        samples=BlobReference(
            digest=node.blobs.put(data), size=len(data), media_type=SAMPLES_TYPE
        ),
        counts=count_cells(sample.scores for sample in samples),
        deviations=workspace.deviations(),
        software=_software(logs),
        started=min(_utc(log.header.stats.started_at) for log in logs),
        finished=max(_utc(log.header.stats.completed_at) for log in logs),
    )
    node.say(evidence)
    return evidence


def lab_samples(
    node: Node, protocol: Protocol, logs: Sequence[Log]
) -> tuple[tuple[LabSample, ...], tuple[str, ...]]:
    """Return every sample that the protocol asks a lab for, and the cells without a log.

    Samples of such cells are *missing*.
    """
    plan = own_plan(node, protocol)
    by_cell = {}
    for log in logs:
        match = match_log(log, protocol, plan.lab)
        if match.run is not None and match.model is not None:
            by_cell[match.model.key, match.run.task, match.run.language] = log
    samples: list[LabSample] = []
    lacking = []
    for model in protocol.models:
        for run in cell_runs(node, protocol):
            log = by_cell.get((model.key, run.task, run.language))
            if log is None:
                lacking.append(f"{model.key} {run.task} {run.language}")
            samples.extend(samples_of(run, model.key, log))
    return tuple(samples), tuple(lacking)


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
    plan = _own(read_book(node), node, RunPlan, protocol)
    if plan is None:
        raise StateError(
            "has no run plan",
            where=f"{node.code} {protocol.name}",
            next_step="Plan it by running it: countermark exercise run.",
        )
    return plan


def log_key(log: Log) -> str:
    """Return a name for a log's model, fit for a file name."""
    return "".join(c if c.isalnum() else "-" for c in log.header.eval.model)


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


def _lab(node: Node) -> str:
    if node.config.lab is None:
        raise StateError(
            "names no lab",
            where=f"{node.folder.root}/node.toml",
            next_step=f'Add a line such as: lab = "{node.code}-lab".',
        )
    return node.config.lab


def _own(book: Book, node: Node, kind: type[R], protocol: Protocol) -> R | None:
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
    if run.full_settings != plan.settings:
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


def _same_cell(log: Log, other: Log) -> bool:
    def cell(one: Log) -> tuple[object, ...]:
        said = (one.header.eval.metadata or {}).get("countermark", {})
        return one.header.eval.model, said.get("task"), said.get("language")

    return cell(log) == cell(other)


def _software(logs: Sequence[Log]) -> tuple[SoftwareVersion, ...]:
    versions = {("countermark", countermark.__version__)}
    for log in logs:
        versions |= set(log.header.eval.packages.items())
    return tuple(SoftwareVersion(name=name, version=version) for name, version in sorted(versions))


def _utc(text: str) -> str:
    try:
        return timestamp(datetime.fromisoformat(text).astimezone(UTC))
    except ValueError as error:
        raise InputError(
            f"has no time of its run: {text!r}",
            where="an Inspect log",
            next_step="Give a log of a run that finished.",
        ) from error
