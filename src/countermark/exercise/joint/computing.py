# SPDX-License-Identifier: Apache-2.0
"""Computing a finding from what a node holds, and checking another institute's finding."""

from collections.abc import Mapping
from dataclasses import dataclass

from countermark.exercise.joint.finding import joint_finding
from countermark.exercise.joint.recheck import Comparison, compare
from countermark.exercise.logged import closing_of, witnessed_after
from countermark.exercise.rejudging.batches import LoggedRejudgement, place_of
from countermark.exercise.revealing.held import annotations, first_evidence, held_evidence
from countermark.node.book import Book
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError
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


def _rejudgements(
    known: Book, protocol: Protocol, published: Finding | None
) -> list[LoggedRejudgement]:
    """Return what labs judged again; of a published finding, what was known then."""
    logged = known.find(published.digest) if published else None
    named = {one.rejudgement for one in (published.rejudgements or ())} if published else set()
    # A lab speaks once of each judge and each cell.
    first: dict[tuple[str | None, ...], LoggedRejudgement] = {}
    for entry, said in known.of_kind(Rejudgement):
        late = logged is not None and witnessed_after(entry, logged)
        if said.protocol == protocol.digest and (not late or entry.digest in named):
            one = LoggedRejudgement(entry.digest, entry.author, said)
            first.setdefault((entry.author, said.lab, *place_of(said)), one)
    return list(first.values())


def _left_out(
    lab: str, because: LeftOutBecause, reason: str | None = None, evidence: str | None = None
) -> LeftOut:
    return LeftOut(institute=lab[:2], lab=lab, because=because, reason=reason, evidence=evidence)
