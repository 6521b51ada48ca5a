# SPDX-License-Identifier: Apache-2.0
"""Computing a finding from what a node holds, and checking another institute's finding."""

from collections.abc import Mapping
from dataclasses import dataclass

from countermark.exercise.joint.finding import joint_finding
from countermark.exercise.joint.recheck import Comparison, compare
from countermark.exercise.rejudging.batches import LoggedRejudgement, place_of
from countermark.exercise.revealing.checking import Revealed, check_revealed
from countermark.exercise.stages.steps import closing_of
from countermark.node.book import Book, Entry
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.node.policy import may_read_samples
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import AnnotationSet, Evidence
from countermark.records.finding import Dissent, Finding, LeftOut, LeftOutBecause
from countermark.records.protocol import Countersignature, Protocol
from countermark.records.rejudgement import Rejudgement

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


def compute_finding(
    node: Node,
    protocol: Protocol,
    without: Mapping[str, str] | None = None,
    published: Finding | None = None,
) -> Finding:
    """Compute the joint finding from the evidence that this node holds, checked seal by seal.

    Parameters
    ----------
    node, protocol
        Who computes, and of which exercise.
    without
        Labs that the coordinator leaves out, each with the reason.
    published
        Compute it as of this finding: what was revealed after it is not taken.

    Raises
    ------
    InputError
        If a lab to be left out takes no part in this exercise.
    StateError
        If no lab has revealed its scores yet, samples are missing here, or no labs ran the same.
    VerificationError
        If some lab's evidence does not open its seal.
    """
    known, without = read_book(node), without or {}
    closing = closing_of(known, protocol)
    sealed = {seal.lab for seal in closing.seals} if closing else set()
    first = first_evidence(known, protocol, published)
    labs = sealed | first.keys() | set(closing.not_sealed if closing else ())
    unknown = sorted(without.keys() - labs)
    if unknown:
        raise InputError(
            f"has no lab {unknown[0]}",
            where=protocol.name,
            next_step=f"Leave out one of {', '.join(sorted(labs))}.",
        )
    left_out = [
        _left_out(lab, "coordinator", without[lab], first.get(lab)) for lab in sorted(without)
    ]
    revealed = []
    for lab in sorted(set(first) - set(without)):
        checked = held_evidence(node, known, protocol, first[lab])
        if checked.scores is not None:
            revealed.append(checked)
        else:
            closed = checked.evidence.disclosure == "counts"
            because: LeftOutBecause = "counts-only" if closed else "scores-closed"
            left_out.append(_left_out(lab, because, None, first[lab]))
    if not revealed:
        raise StateError(
            "has no revealed evidence with open scores",
            where=protocol.name,
            next_step="Wait for the labs to reveal, then: countermark sync pull.",
        )
    left_out += [
        _left_out(lab, "not-revealed" if lab in sealed else "not-sealed")
        for lab in labs - first.keys() - without.keys()
    ]
    again = _rejudgements(known, protocol, published)
    labelled = annotations(known, protocol, published)
    return joint_finding(protocol, revealed, labelled, left_out, again)


def check_finding(node: Node, protocol: Protocol, finding: Finding) -> Checked:
    """Recompute a published finding, then countersign it or log a dissent with the own figures.

    Evidence that was witnessed after the finding was is no reason to dissent from it.
    """
    without = {
        one.lab: one.reason
        for one in finding.left_out
        if one.because == "coordinator" and one.reason is not None
    }
    own = compute_finding(node, protocol, without, finding)
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


def first_evidence(known: Book, protocol: Protocol, published: Finding | None) -> dict[str, str]:
    """Return each lab's first evidence by its digest; of a published finding, as it was then."""
    logged = known.find(published.digest) if published else None
    named = {one.evidence for one in published.labs} if published else set()
    named |= {one.evidence for one in published.left_out if one.evidence} if published else set()
    # A lab speaks once: its first evidence counts, so that logging it again weighs nothing.
    first: dict[str, str] = {}
    for entry, evidence in known.of_kind(Evidence):
        of_this = evidence.protocol == protocol.digest and entry.author in protocol.participants
        late = logged is not None and _is_late(entry, logged)
        if of_this and (not late or entry.digest in named):
            first.setdefault(evidence.lab, entry.digest)
    return first


def _rejudgements(
    known: Book, protocol: Protocol, published: Finding | None
) -> list[LoggedRejudgement]:
    """Return what labs judged again; of a published finding, what was known then."""
    logged = known.find(published.digest) if published else None
    named = {one.rejudgement for one in (published.rejudgements or ())} if published else set()
    # A lab speaks once of each judge and each cell.
    first: dict[tuple[str | None, ...], LoggedRejudgement] = {}
    for entry, said in known.of_kind(Rejudgement):
        late = logged is not None and _is_late(entry, logged)
        if said.protocol == protocol.digest and (not late or entry.digest in named):
            one = LoggedRejudgement(entry.digest, entry.author, said)
            first.setdefault((entry.author, said.lab, *place_of(said)), one)
    return list(first.values())


def _is_late(entry: Entry, logged: Entry) -> bool:
    return (entry.witnessed or "") > (logged.witnessed or "")


def _left_out(
    lab: str, because: LeftOutBecause, reason: str | None = None, evidence: str | None = None
) -> LeftOut:
    return LeftOut(institute=lab[:2], lab=lab, because=because, reason=reason, evidence=evidence)


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
            and (logged is None or entry.digest in used or not _is_late(entry, logged))
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
