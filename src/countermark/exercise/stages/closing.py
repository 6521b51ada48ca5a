# SPDX-License-Identifier: Apache-2.0
"""Closing an exercise: the coordinator says which labs have sealed, and revealing may begin."""

from countermark.exercise.logged import closing_of
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.records.errors import StateError
from countermark.records.evidence import ExerciseClosing, SealedResult, SealReference
from countermark.records.protocol import Protocol, RunPlan


def close_exercise(node: Node, protocol: Protocol) -> ExerciseClosing:
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
