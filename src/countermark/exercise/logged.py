# SPDX-License-Identifier: Apache-2.0
"""What a node knows to be logged of an exercise: who signed, its own plan, the closing."""

from typing import TypeVar

from countermark.node.book import Book, Entry
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.records.errors import StateError
from countermark.records.evidence import Evidence, ExerciseClosing, SealedResult
from countermark.records.protocol import Countersignature, Protocol, RunPlan

R = TypeVar("R", RunPlan, SealedResult, Evidence)


def not_countersigned(book: Book, protocol: Protocol) -> tuple[str, ...]:
    """Return the participants whose countersignature of the protocol is not known here."""
    signed = {
        record.institute
        for _, record in book.of_kind(Countersignature)
        if record.of == protocol.digest
    }
    return tuple(code for code in protocol.participants if code not in signed)


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


def check_not_sealed(node: Node, protocol: Protocol) -> None:
    """Refuse to go on with what this lab has sealed already.

    Raises
    ------
    StateError
        If it has.
    """
    if own_record(read_book(node), node, SealedResult, protocol) is not None:
        raise StateError(
            "was sealed already",
            where=f"{node.code} {protocol.name}",
            next_step="A seal is final. Wait for the closing, then: countermark exercise reveal.",
        )


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


def witnessed_after(entry: Entry, other: Entry) -> bool:
    """Tell whether a statement was first witnessed after another one was."""
    return (entry.witnessed or "") > (other.witnessed or "")
