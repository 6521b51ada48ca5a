# SPDX-License-Identifier: Apache-2.0
"""A lab shows what it sealed: all, some or only counts; and single samples, later.

1. Nothing is shown before the coordinator has closed the exercise with this lab's seal in it.
2. A lab reveals once. What it left closed then can be shown later only sample by sample.
3. With *some*, the scores of all samples are open and the transcripts of the named items are
   closed, and those of private items; if no items are named, all transcripts are closed.
4. With *counts*, nothing is open: the counts and the salted leaves are published.
5. A single sample can be shown by its own lab, and by anybody who holds a revealed file in which it
   is open.
6. A lab that does not say how much it shows shows all but the transcripts of private items; only
   *all* opens those.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from pydantic import ValidationError

import countermark
from countermark.exercise.logged import closing_of, own_plan, own_record
from countermark.exercise.logs import Log
from countermark.exercise.private.content import private_items
from countermark.exercise.revealing.seal import (
    close,
    disclose,
    disclosure,
    opened,
    read_revealed,
    revealed_file,
    sealed_root,
)
from countermark.exercise.samples import count_cells
from countermark.exercise.stages.workspace import CONFIGURATIONS, Workspace, own_workspace
from countermark.node.book import Book
from countermark.node.index import book as read_book
from countermark.node.node import Node, timestamp
from countermark.node.policy import may_read_samples
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import (
    BlobReference,
    CellConfiguration,
    Disclosure,
    Evidence,
    ExerciseClosing,
    SealedResult,
    SoftwareVersion,
    configurations_digest,
)
from countermark.records.protocol import Protocol
from countermark.records.sample import DisclosedSample, OpenScores, RevealedSample

SAMPLES_TYPE = "application/jsonl"


def reveal(
    node: Node,
    protocol: Protocol,
    what: Disclosure | None = None,
    closed_items: Collection[str] | None = None,
) -> Evidence:
    """Open this lab's seal, wholly or in part, and log what it shows.

    Parameters
    ----------
    node, protocol
        The lab's node and what it sealed.
    what
        How much is shown; if nothing, by rule 6.
    closed_items
        With *some*: keys of the items whose transcripts stay closed; all if nothing.

    Raises
    ------
    InputError
        If the protocol has no such item, or closing them leaves everything open.
    StateError
        If nothing was sealed, the exercise is not closed or closed without this seal, it was
        revealed before, or the kept samples are not those that were sealed.
    """
    known, workspace = read_book(node), own_workspace(node, protocol)
    private = private_items(protocol)
    shows: Disclosure = what or ("some" if private else "all")
    if what is None or closed_items is not None:
        closed_items = private | set(closed_items or ())
    sealed, closing = _ready(known, node, protocol)
    if own_record(known, node, Evidence, protocol) is not None:
        raise StateError(
            "was revealed already",
            where=f"{sealed.lab} {protocol.name}",
            next_step="Show more of it sample by sample: countermark exercise reveal --sample.",
        )
    whole, logs = _sealed_samples(workspace, sealed), workspace.logs()
    samples = _shown(protocol, whole, shows, closed_items)
    data, shown = revealed_file(samples), opened(samples)
    evidence = Evidence(
        protocol=protocol.digest,
        run_plan=own_plan(node, protocol).digest,
        seal=sealed.digest,
        closing=closing.digest,
        institute=node.code,
        lab=sealed.lab,
        disclosure=shows,
        opened=shown,
        tree_key=workspace.tree_key.hex() if shows == "all" else None,
        secret_seed=workspace.seed.hex(),
        samples=BlobReference(digest=node.blobs.put(data), size=len(data), media_type=SAMPLES_TYPE),
        counts=count_cells(one for sample in whole if (one := sample.open_scores) is not None),
        deviations=workspace.deviations(),
        software=_software(logs),
        started=min(_utc(log.header.stats.started_at) for log in logs),
        finished=max(_utc(log.header.stats.completed_at) for log in logs),
        configurations=_sealed_configurations(workspace, sealed),
    )
    node.say(evidence)
    return evidence


def disclosed_samples(
    node: Node,
    protocol: Protocol,
    names: Sequence[str],
    lab: str | None = None,
    *,
    scores_only: bool = False,
) -> tuple[DisclosedSample, ...]:
    """Return single samples to be shown alone.

    Parameters
    ----------
    node, protocol
        Whose node it is, and the exercise.
    names
        Which samples: model/task/language/item/epoch.
    lab
        Whose samples, as revealed; nothing for this node's own, as sealed.
    scores_only
        Leave the transcripts closed.

    Raises
    ------
    InputError
        If there is no such sample, or what is asked for is closed.
    StateError
        If nothing of that lab may be shown yet, or is held here.
    """
    known = read_book(node)
    if lab is None:
        sealed, _ = _ready(known, node, protocol)
        seal = sealed.digest
        samples = _sealed_samples(own_workspace(node, protocol), sealed)
    else:
        seal, samples = _held(known, node, protocol, lab)
    places = {
        part.key.text: index
        for index, sample in enumerate(samples)
        if (part := sample.open_scores or sample.open_transcript) is not None
    }
    unknown = sorted(set(names) - places.keys())
    if unknown:
        raise InputError(
            f"has no open sample {unknown[0]}",
            where=lab or "this lab",
            next_step="Name it as model/task/language/item/epoch; countermark exercise challenge "
            "prints such names.",
        )
    chosen = [places[name] for name in names]
    lacking = next((index for index in chosen if samples[index].open_transcript is None), None)
    if lacking is not None and not scores_only:
        raise InputError(
            f"has not opened the transcript of {names[chosen.index(lacking)]}",
            where=lab or "this lab",
            next_step="Show its scores only, with --scores-only, or ask the lab for it.",
        )
    return tuple(disclose(samples, seal, index, scores_only=scores_only) for index in chosen)


def _ready(known: Book, node: Node, protocol: Protocol) -> tuple[SealedResult, ExerciseClosing]:
    """Return this lab's seal and the closing that lists it."""
    plan = own_plan(node, protocol)
    sealed, closing = own_record(known, node, SealedResult, protocol), closing_of(known, protocol)
    if sealed is None or closing is None:
        raise StateError(
            "is not closed yet" if sealed else "has nothing sealed",
            where=f"{plan.lab} {protocol.name}",
            next_step="Pull until the coordinator has closed it: countermark sync pull."
            if sealed
            else "Seal first: countermark exercise seal.",
        )
    if all(reference.seal != sealed.digest for reference in closing.seals):
        raise StateError(
            "was closed without this lab's seal",
            where=f"{plan.lab} {protocol.name}",
            next_step="Nobody would take the evidence; ask the coordinator why.",
        )
    return sealed, closing


def _held(
    known: Book, node: Node, protocol: Protocol, lab: str
) -> tuple[str, tuple[RevealedSample, ...]]:
    """Return a lab's seal and its samples as it revealed them."""
    evidence = next(
        (
            record
            for _, record in known.of_kind(Evidence)
            if (record.protocol, record.lab) == (protocol.digest, lab)
        ),
        None,
    )
    held = evidence is not None and may_read_samples(node.code, evidence, known.entries).allowed
    data = node.blobs.get(evidence.samples.digest) if evidence is not None and held else None
    if evidence is None or data is None:
        raise StateError(
            f"has revealed nothing that {node.code} holds",
            where=lab,
            next_step="Pull from the peers: countermark sync pull.",
        )
    try:
        return evidence.seal, read_revealed(data)
    except ValidationError as error:
        raise InputError(
            "has revealed a file that holds no samples",
            where=lab,
            next_step="Ask the lab to explain; its log keeps what it said.",
        ) from error


def _shown(
    protocol: Protocol,
    samples: Sequence[RevealedSample],
    what: Disclosure,
    closed_items: Collection[str] | None,
) -> tuple[RevealedSample, ...]:
    items = {item.key for task in protocol.tasks for item in task.items}
    unknown = sorted(set(closed_items or ()) - items)
    if unknown:
        raise InputError(
            f"names {unknown[0]!r}, which is no item of {protocol.name}",
            where="closed items",
            next_step="Use the items of the frozen protocol, one key a line.",
        )
    closed = items if closed_items is None else set(closed_items)
    samples = close(
        samples,
        scores=lambda _: what == "counts",
        transcript=lambda key: what == "counts" or (what == "some" and key.item in closed),
    )
    if disclosure(opened(samples)) != what:
        raise InputError(
            "closes nothing",
            where="closed items",
            next_step="Name the items to be closed, or disclose all.",
        )
    return samples


def _sealed_samples(workspace: Workspace, sealed: SealedResult) -> tuple[RevealedSample, ...]:
    try:
        samples = read_revealed(workspace.samples())
    except ValidationError:
        samples = ()
    whole = all(
        isinstance(sample.scores, OpenScores) and sample.open_transcript for sample in samples
    )
    if not samples or not whole or sealed_root(samples) != sealed.root:
        raise StateError(
            "is no longer what was sealed",
            where=str(workspace.folder / "samples.jsonl"),
            next_step="Bring the file back from your backup; nobody would take the evidence.",
        )
    return samples


def _sealed_configurations(
    workspace: Workspace, sealed: SealedResult
) -> tuple[CellConfiguration, ...] | None:
    if sealed.configurations is None:
        return None
    kept = workspace.configurations()
    if kept is None or configurations_digest(kept) != sealed.configurations:
        raise StateError(
            "is no longer what was sealed",
            where=str(workspace.folder / CONFIGURATIONS),
            next_step="Bring the file back from your backup; nobody would take the evidence.",
        )
    return kept


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
