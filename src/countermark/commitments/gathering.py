# SPDX-License-Identifier: Apache-2.0
"""What a record of statements holds about one question to the gate.

1. Every finding whose cells have the model, or the system with mitigations, is evidence, whatever
   it found: nobody chooses among them. Its date is when witnesses had seen it.
2. Every determination about the model, or about the system with mitigations, is evidence.
3. Earlier versions are those of the same developer and title that were published before, or on
   the same day and witnessed before; later ones were published after, by the day of the decision.
"""

from dataclasses import replace

from countermark.commitments.case import Case, DatedFinding, first_day
from countermark.commitments.versions import plain
from countermark.node.book import Book, Entry
from countermark.records.determination import Determination
from countermark.records.finding import Finding
from countermark.records.framework import Framework
from countermark.records.protocol import Protocol


def gather(book: Book, question: Case) -> Case:
    """Return a question with all that a book of verified statements holds about it."""
    models = {question.model, *question.mitigated}
    earlier, later = _other_versions(book, question)
    protocols = {entry.digest: record for entry, record in book.of_kind(Protocol)}
    return replace(
        question,
        tested=tuple(
            _tested(entry, record, protocols.get(record.protocol))
            for entry, record in book.of_kind(Finding)
            if any(cell.model in models for cell in record.cells)
        ),
        determinations=tuple(
            record for _, record in book.of_kind(Determination) if record.model in models
        ),
        earlier=earlier,
        later=later,
    )


def identities(protocol: Protocol | None) -> tuple[tuple[str, str], ...]:
    """Return what pins each model of a protocol, by its key."""
    return tuple((one.key, one.identity) for one in protocol.models) if protocol else ()


def _tested(entry: Entry, finding: Finding, protocol: Protocol | None) -> DatedFinding:
    day = entry.witnessed[:10] if entry.witnessed else None
    return DatedFinding(finding, day, identities(protocol))


def _other_versions(
    book: Book, question: Case
) -> tuple[tuple[Framework, ...], tuple[Framework, ...]]:
    """Return the versions before and after the one in question (rule 3)."""
    own = question.framework
    versions = {
        record.digest: ((first_day(record.published), entry.witnessed or "~", entry.index), record)
        for entry, record in reversed(book.of_kind(Framework))
        if record.developer == own.developer and plain(record.title) == plain(own.title)
    }
    day = first_day(own.published)
    logged = versions.pop(own.digest, None)
    if logged is None:  # of what nobody logged only the date is known
        before = [one for (of, *_), one in versions.values() if of < day]
        after = [one for (of, *_), one in versions.values() if of > day]
    else:
        before = [one for place, one in versions.values() if place < logged[0]]
        after = [one for place, one in versions.values() if place > logged[0]]
    at = question.at
    known = (one for one in after if at is None or first_day(one.published) <= at)
    return tuple(before), tuple(known)
