# SPDX-License-Identifier: Apache-2.0
"""A lab judges again: answers that another lab revealed, or the labelled ones.

1. Only what this node may read is judged, after it was checked against its seal.
2. A lab speaks once of each judge and each cell; what it has said is not judged again.
3. What is said of a batch is logged as soon as the batch is judged, so a run that was stopped goes
   on where it stopped.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from countermark.exercise.logged import own_lab
from countermark.exercise.logs import Log
from countermark.exercise.rejudging.batches import (
    Batch,
    counted,
    judged,
    labelled_batches,
    place_of,
    revealed_batches,
)
from countermark.exercise.revealing.held import annotations, first_evidence, held_evidence
from countermark.node.index import book as read_book
from countermark.node.node import Node, timestamp
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import SoftwareVersion
from countermark.records.protocol import Protocol
from countermark.records.rejudgement import Rejudgement


def batches_to_judge(
    node: Node,
    protocol: Protocol,
    of_lab: str | None,
    scorer: str | None = None,
    version: str | None = None,
) -> tuple[Batch, ...]:
    """Return what this lab has not judged again yet.

    Parameters
    ----------
    node, protocol
        Whose node it is, and the exercise.
    of_lab
        Whose revealed answers; nothing for the labelled answers that the protocol names.
    scorer, version
        Only this judge, only this version; nothing for all.

    Raises
    ------
    InputError
        If the protocol has no such judge, or the lab has revealed nothing.
    StateError
        If the samples may not be read yet, or are not here.
    VerificationError
        If the evidence does not open its seal.
    """
    known, lab = read_book(node), own_lab(node)
    if of_lab is None:
        found = tuple(labelled_batches(protocol, annotations(known, protocol)))
    else:
        digest = first_evidence(known, protocol, None).get(of_lab)
        if digest is None:
            raise InputError(
                "has revealed nothing that this node knows of",
                where=f"--lab {of_lab}",
                next_step="Pull from the peers: countermark sync pull.",
            )
        found = tuple(revealed_batches(protocol, held_evidence(node, known, protocol, digest)))
    wanted = tuple(
        batch
        for batch in found
        if scorer in (None, batch.scorer) and version in (None, batch.pinned.version)
    )
    if not wanted:
        raise InputError(
            "has no answers for such a judge: it must be a model, and the answers open",
            where=of_lab or "labelled answers",
            next_step="See the protocol's scorers: countermark protocol show.",
        )
    said = {
        place_of(record)
        for entry, record in known.of_kind(Rejudgement)
        if (entry.author, record.lab, record.protocol) == (node.code, lab, protocol.digest)
    }
    return tuple(batch for batch in wanted if batch.place not in said)


def say_rejudged(node: Node, protocol: Protocol, batch: Batch, log: Log) -> Rejudgement:
    """Log what the judge made of a batch.

    Parameters
    ----------
    node, protocol, batch
        Who judged what.
    log
        The log of the judge's run: one sample an answer, named by its place in the batch.

    Raises
    ------
    StateError
        If the judge replied to nothing.
    """
    replies: dict[str, str] = {}
    served: set[str] = set()
    for sample in log.samples:
        place = str(sample.id)
        if sample.error is None and sample.messages and sample.messages[-1].role == "assistant":
            replies[batch.answers[int(place)].name] = sample.text(sample.messages[-1])
            served.add(sample.output.model or "not said")
    judgements = judged(batch, replies)
    if not judgements:
        raise StateError(
            "replied to none of the answers",
            where=f"{batch.scorer} {batch.pinned.version}",
            next_step=f"Look into {log.name}, then judge again.",
        )
    record = Rejudgement(
        protocol=protocol.digest,
        institute=node.code,
        lab=own_lab(node),
        task=batch.task,
        language=batch.language,
        scorer=batch.scorer,
        scorer_version=batch.pinned.version,
        of_lab=batch.of_lab,
        evidence=batch.evidence,
        annotation_set=batch.annotation_set,
        judgements=judgements,
        counts=counted(batch.scorer, batch.pinned.version, judgements),
        served_by=tuple(sorted(served)),
        software=_software(log),
        started=_utc(log.header.stats.started_at),
        finished=_utc(log.header.stats.completed_at),
    )
    node.say(record)
    return record


def _software(log: Log) -> tuple[SoftwareVersion, ...]:
    packages: Sequence[tuple[str, str]] = sorted(log.header.eval.packages.items())
    return tuple(SoftwareVersion(name=name, version=version) for name, version in packages)


def _utc(text: str) -> str:
    return timestamp(datetime.fromisoformat(text).astimezone(UTC))
