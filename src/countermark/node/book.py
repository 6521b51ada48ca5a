# SPDX-License-Identifier: Apache-2.0
"""The book: all statements a node holds, verified, as plain values that pages and rules read."""

from dataclasses import dataclass
from typing import TypeVar

from countermark.records import Record
from countermark.signing.roster import Roster

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Entry:
    """One verified statement and where it stands.

    Parameters
    ----------
    record
        What was said.
    digest
        Content address of the record.
    envelope
        Content address of the signed envelope.
    author
        Roster code of whoever signed it and logged it.
    origin, index
        The author's log, and the statement's place in it, from 0.
    witnessed
        Median time of the cosignatures (UTC, ISO 8601), or nothing while no quorum has cosigned.
    witnesses
        Names of the witnesses whose cosignatures the statement's proof carries.
    file
        Name of its published statement file.
    """

    record: Record
    digest: str
    envelope: str
    author: str
    origin: str
    index: int
    witnessed: str | None
    witnesses: tuple[str, ...]
    file: str


@dataclass(frozen=True, slots=True)
class LogState:
    """One log as this node last saw and checked it."""

    author: str
    origin: str
    size: int
    root: str
    checkpoint: str
    witnessed: str | None
    witnesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """Everything a node knows, in log order within each author."""

    entries: tuple[Entry, ...]
    logs: tuple[LogState, ...]
    roster: Roster

    def of_kind(self, kind: type[R]) -> tuple[tuple[Entry, R], ...]:
        """Return the entries whose record is of ``kind``, each with its record."""
        return tuple(
            (entry, entry.record) for entry in self.entries if isinstance(entry.record, kind)
        )

    def find(self, digest: str) -> Entry | None:
        """Return the first entry whose record has this content address."""
        return next((entry for entry in self.entries if entry.digest == digest), None)
