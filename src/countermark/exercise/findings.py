# SPDX-License-Identifier: Apache-2.0
"""Computing a finding from what a node holds, and checking another institute's finding."""

from dataclasses import dataclass

from countermark.exercise.joint import joint_finding
from countermark.exercise.recheck import Comparison, compare
from countermark.exercise.sealing import Revealed, check_revealed
from countermark.node.book import Book
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.node.policy import may_read_samples
from countermark.records.errors import StateError
from countermark.records.evidence import AnnotationSet, Evidence
from countermark.records.finding import Dissent, Finding
from countermark.records.protocol import Countersignature, Protocol

MOST_FIGURES = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """A finding held against one's own computation.

    Parameters
    ----------
    comparison
        How far the figures agree.
    said
        What the node logged: a countersignature or a dissent.
    """

    comparison: Comparison
    said: Countersignature | Dissent


def compute_finding(node: Node, protocol: Protocol) -> Finding:
    """Compute the joint finding from the evidence that this node holds, checked seal by seal.

    Raises
    ------
    StateError
        If no evidence was revealed yet, or samples are missing here.
    VerificationError
        If some lab's evidence does not open its seal.
    """
    known = read_book(node)
    # A lab speaks once: its first evidence counts, so that logging it again weighs nothing.
    first: dict[str, str] = {}
    for entry, evidence in known.of_kind(Evidence):
        if evidence.protocol == protocol.digest and entry.author in protocol.participants:
            first.setdefault(evidence.lab, entry.digest)
    revealed = [_revealed(node, known, protocol, digest) for digest in first.values()]
    if not revealed:
        raise StateError(
            "has no revealed evidence",
            where=protocol.name,
            next_step="Wait for the labs to reveal, then: countermark sync pull.",
        )
    annotations = [record for _, record in known.of_kind(AnnotationSet)]
    lacking = {digest for task in protocol.tasks for digest in task.annotation_sets} - {
        known.digest for known in annotations
    }
    if lacking:
        raise StateError(
            f"lacks labelled answers that the protocol names: {', '.join(sorted(lacking))}",
            where=protocol.name,
            next_step="Pull from the coordinator, who logs them with the protocol.",
        )
    return joint_finding(protocol, revealed, annotations)


def check_finding(node: Node, protocol: Protocol, finding: Finding) -> Checked:
    """Recompute a published finding, then countersign it or log a dissent with the own figures."""
    own = compute_finding(node, protocol)
    comparison = compare(finding, own)
    said: Countersignature | Dissent
    if comparison.agrees:
        said = Countersignature(
            institute=node.code,
            of=finding.digest,
            of_kind="finding",
            figures_compared=comparison.figures,
            largest_difference=comparison.largest_difference,
        )
    else:
        count = len(comparison.disagreements)
        said = Dissent(
            institute=node.code,
            of=finding.digest,
            reason=f"{count} of the finding's values are not what our own computation from the "
            "revealed evidence gives",
            figures=comparison.disagreements[:MOST_FIGURES],
        )
    node.say(said)
    return Checked(comparison, said)


def _revealed(node: Node, known: Book, protocol: Protocol, digest: str) -> Revealed:
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
