# SPDX-License-Identifier: Apache-2.0
"""What a book holds about one exercise, gathered; and who assented to a document.

Nothing is judged here: statements are only brought together by the content addresses they name.
"""

from dataclasses import dataclass

from countermark.app.site.decided import decisions
from countermark.node.book import Book, Entry
from countermark.records.account import Account, Reply
from countermark.records.determination import Determination
from countermark.records.evidence import Evidence, ExerciseClosing, SealedResult
from countermark.records.finding import Dissent, Finding
from countermark.records.framework import Framework
from countermark.records.protocol import Countersignature, Protocol, RunPlan


@dataclass(frozen=True, slots=True)
class Assents:
    """Who countersigned a document, and who dissented, each once."""

    countersigned: tuple[tuple[Entry, Countersignature], ...]
    dissents: tuple[tuple[Entry, Dissent], ...]

    def entry(self, institute: str) -> Entry | None:
        """Return an institute's countersignature."""
        return next((e for e, record in self.countersigned if record.institute == institute), None)

    def dissent(self, institute: str) -> Entry | None:
        """Return an institute's dissent."""
        return next((e for e, record in self.dissents if record.institute == institute), None)


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise: its protocol and everything that names it."""

    entry: Entry
    protocol: Protocol
    assents: Assents
    plans: tuple[tuple[Entry, RunPlan], ...]
    seals: tuple[tuple[Entry, SealedResult], ...]
    closings: tuple[tuple[Entry, ExerciseClosing], ...]
    evidence: tuple[tuple[Entry, Evidence], ...]
    findings: tuple[tuple[Entry, Finding], ...]


def latest_first(entry: Entry) -> tuple[str, int]:
    """Order entries by the time they were witnessed; use with ``reverse=True``."""
    return entry.witnessed or "", entry.index


def assents(book: Book, digest: str) -> Assents:
    """Return who countersigned a protocol or finding, and who dissented from it."""
    signed = {r.institute: (e, r) for e, r in book.of_kind(Countersignature) if r.of == digest}
    dissents = {r.institute: (e, r) for e, r in book.of_kind(Dissent) if r.of == digest}
    return Assents(
        tuple(signed[institute] for institute in sorted(signed)),
        tuple(dissents[institute] for institute in sorted(dissents)),
    )


def exercises(book: Book) -> tuple[Exercise, ...]:
    """Return every exercise of the book, the latest first."""
    protocols = {entry.digest: (entry, record) for entry, record in book.of_kind(Protocol)}
    gathered = [exercise(book, entry, record) for entry, record in protocols.values()]
    return tuple(sorted(gathered, key=lambda found: latest_first(found.entry), reverse=True))


def exercise(book: Book, entry: Entry, protocol: Protocol) -> Exercise:
    """Return everything the book holds about one protocol."""
    of = entry.digest
    return Exercise(
        entry,
        protocol,
        assents(book, of),
        tuple(found for found in book.of_kind(RunPlan) if found[1].protocol == of),
        tuple(found for found in book.of_kind(SealedResult) if found[1].protocol == of),
        tuple(found for found in book.of_kind(ExerciseClosing) if found[1].protocol == of),
        tuple(found for found in book.of_kind(Evidence) if found[1].protocol == of),
        tuple(found for found in book.of_kind(Finding) if found[1].protocol == of),
    )


def findings(book: Book) -> tuple[tuple[Entry, Finding, Protocol], ...]:
    """Return every finding whose protocol the book holds, the latest first."""
    protocols = {entry.digest: record for entry, record in book.of_kind(Protocol)}
    found = {
        entry.digest: (entry, record, protocols[record.protocol])
        for entry, record in book.of_kind(Finding)
        if record.protocol in protocols
    }
    return tuple(sorted(found.values(), key=lambda row: latest_first(row[0]), reverse=True))


def with_page(book: Book) -> frozenset[str]:
    """Return the digests of the records that have a page: those whose context the book holds."""
    return frozenset(
        entry.digest
        for found in (
            book.of_kind(Protocol),
            book.of_kind(Framework),
            book.of_kind(Determination),
            book.of_kind(Account),
            book.of_kind(Reply),
            findings(book),
        )
        for entry, *_ in found
    ) | frozenset(one.entry.digest for one in decisions(book))
