# SPDX-License-Identifier: Apache-2.0
"""What this node holds of what labs revealed and people labelled, now or as of a finding."""

from countermark.exercise.logged import witnessed_after
from countermark.exercise.revealing.checking import Revealed, check_revealed
from countermark.node.book import Book
from countermark.node.node import Node
from countermark.node.policy import may_read_samples
from countermark.records.errors import StateError
from countermark.records.evidence import AnnotationSet, Evidence
from countermark.records.finding import Finding
from countermark.records.protocol import Protocol


def first_evidence(known: Book, protocol: Protocol, published: Finding | None) -> dict[str, str]:
    """Return each lab's first evidence by its digest; of a published finding, as it was then."""
    logged = known.find(published.digest) if published else None
    named = {one.evidence for one in published.labs} if published else set()
    named |= {one.evidence for one in published.left_out if one.evidence} if published else set()
    # A lab speaks once: its first evidence counts, so that logging it again weighs nothing.
    first: dict[str, str] = {}
    for entry, evidence in known.of_kind(Evidence):
        of_this = evidence.protocol == protocol.digest and entry.author in protocol.participants
        late = logged is not None and witnessed_after(entry, logged)
        if of_this and (not late or entry.digest in named):
            first.setdefault(evidence.lab, entry.digest)
    return first


def revealed_labs(node: Node, known: Book, protocol: Protocol) -> tuple[Revealed, ...]:
    """Return the checked evidence of every lab that has revealed, in order of the labs.

    Raises
    ------
    StateError
        If samples are missing here.
    VerificationError
        If some lab's evidence does not open its seal.
    """
    first = first_evidence(known, protocol, None)
    return tuple(held_evidence(node, known, protocol, first[lab]) for lab in sorted(first))


def held_evidence(node: Node, known: Book, protocol: Protocol, digest: str) -> Revealed:
    """Return evidence whose samples this node holds and may read, checked against its seal.

    Raises
    ------
    StateError
        If it is not here or may not be read.
    VerificationError
        If it does not open its seal.
    """
    entry = known.find(digest)
    if entry is None or not isinstance(entry.record, Evidence):
        raise StateError(
            f"lacks the evidence {digest}",
            where=node.code,
            next_step="Rebuild the index: countermark node reindex.",
        )
    evidence = entry.record
    permission = may_read_samples(node.code, evidence, known.entries)
    data = node.blobs.get(evidence.samples.digest) if permission.allowed else None
    if data is None:
        raise StateError(
            f"lacks the samples of {evidence.lab}"
            + ("" if permission.allowed else f": {permission.reason}"),
            where=node.code,
            next_step="Pull from the peers: countermark sync pull.",
        )
    return check_revealed(known, protocol, entry, evidence, data)


def annotations(
    known: Book, protocol: Protocol, published: Finding | None = None
) -> list[AnnotationSet]:
    """Return the sets that the protocol names, then those that participants drew from it."""
    logged = known.find(published.digest) if published else None
    cells = published.cells if published else ()
    used = {judge.annotation_set for cell in cells for judge in cell.validity}
    used |= {one.annotation_set for cell in cells for one in cell.corrections or ()}
    named = {digest for task in protocol.tasks for digest in task.annotation_sets}
    sets = known.of_kind(AnnotationSet)
    held = [record for entry, record in sets if entry.digest in named]
    # The first that was logged counts, and what was logged after the finding is not in it.
    drawn = sorted(
        (
            (entry, record)
            for entry, record in sets
            if record.protocol == protocol.digest
            and entry.author in protocol.participants
            and entry.witnessed is not None
            and (logged is None or entry.digest in used or not witnessed_after(entry, logged))
        ),
        key=lambda one: (one[0].witnessed or "", one[0].digest),
    )
    held += [record for _, record in drawn]
    lacking = named - {one.digest for one in held}
    if lacking:
        raise StateError(
            f"lacks labelled answers that the protocol names: {', '.join(sorted(lacking))}",
            where=protocol.name,
            next_step="Pull from the coordinator, who logs them with the protocol.",
        )
    return held
