# SPDX-License-Identifier: Apache-2.0
"""The decisions of a book, dated, the newest first, each with what its author decided later."""

from dataclasses import dataclass

from countermark.node.book import Book, Entry
from countermark.records.decision import Decision
from countermark.records.finding import Finding
from countermark.records.framework import Framework
from countermark.records.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision, as lists and pages show it.

    Parameters
    ----------
    entry, decision, framework
        Its first statement, what it says, and the framework that it names.
    system
        What the protocol calls the system, or its key where no protocol is held.
    later
        Content address of what the same author decided last about the same system and action;
        nothing where this is the last.
    """

    entry: Entry
    decision: Decision
    framework: Framework
    system: str
    later: str | None

    @property
    def standing(self) -> str:
        """Whether it is its author's latest on the question, as a sign names it."""
        return "earlier" if self.later else "latest"


def decisions(book: Book) -> tuple[Decided, ...]:
    """Return every decision whose framework the book holds, the newest first."""
    frameworks = {entry.digest: record for entry, record in book.of_kind(Framework)}
    found = {
        entry.digest: (entry, record, frameworks[record.framework])
        for entry, record in reversed(book.of_kind(Decision))
        if record.framework in frameworks
    }
    rows = sorted(found.values(), key=_moment, reverse=True)
    latest: dict[tuple[str, ...], str] = {}
    for row in rows:
        latest.setdefault(_question(*row), row[0].digest)
    return tuple(
        Decided(*row, _system(book, row[1]), None if last == row[0].digest else last)
        for row in rows
        for last in (latest[_question(*row)],)
    )


def _moment(row: tuple[Entry, Decision, Framework]) -> tuple[str, str, int]:
    entry, decision, _ = row
    witnessed = entry.witnessed or "~"  # not yet, so later than all that are
    return decision.at or witnessed[:10], witnessed, entry.index


def _question(entry: Entry, decision: Decision, framework: Framework) -> tuple[str, ...]:
    return entry.author, framework.developer, decision.model, decision.action


def _system(book: Book, decision: Decision) -> str:
    finding = book.find(decision.finding) if decision.finding else None
    if finding is None or not isinstance(finding.record, Finding):
        return decision.model
    held = book.find(finding.record.protocol)
    protocol = held.record if held else None
    model = protocol.model(decision.model) if isinstance(protocol, Protocol) else None
    return model.title if model else decision.model
