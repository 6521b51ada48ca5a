# SPDX-License-Identifier: Apache-2.0
"""Which logged statements count for the tracker, sorted by the company that they are about.

The numbers of the rules are those of :mod:`countermark.commitments.tracker`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from countermark.commitments.case import is_institute
from countermark.commitments.versions import certainly_before
from countermark.node.book import Entry
from countermark.records import Record
from countermark.records.account import Account, Reply
from countermark.records.decision import Decision
from countermark.records.determination import Determination
from countermark.records.finding import Finding
from countermark.records.framework import Framework
from countermark.records.reference import Partnership, Publication

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that counts, with the day that it is of, if that is known."""

    entry: Entry
    day: str | None

    @property
    def author(self) -> str:
        """Who signed it."""
        return self.entry.author


@dataclass(slots=True)
class Dossier:
    """All that counts about one company.

    Frameworks, accounts, determinations, decisions and replies are each with their statement.
    """

    frameworks: list[tuple[Said, Framework]] = field(default_factory=list)
    accounts: list[tuple[Said, Account]] = field(default_factory=list)
    determinations: list[tuple[Said, Determination]] = field(default_factory=list)
    decisions: list[tuple[Said, Decision]] = field(default_factory=list)
    replies: list[tuple[Said, Reply]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Index:
    """All statements that count.

    Parameters
    ----------
    dossiers
        By the developer's code.
    publications, partnerships
        By the name of a publisher and of a party.
    evidence
        Statements that a decision can rest on, by digest.
    """

    dossiers: dict[str, Dossier]
    publications: dict[str, list[tuple[Said, Publication]]]
    partnerships: dict[str, list[tuple[Said, Partnership]]]
    evidence: dict[str, Said]

    def about(self, developer: str) -> Dossier:
        """Return what counts about one developer."""
        return self.dossiers.get(developer) or Dossier()


def index(entries: Iterable[Entry], *, at: str, demonstration: bool) -> Index:
    """Return the statements that count (rules 1 to 4), in one pass over them.

    Parameters
    ----------
    entries
        Logged statements, in any order and as often as they come.
    at
        The day of the computation.
    demonstration
        Whether demonstrations count, and nothing else, instead of all but them.
    """
    found = Index(defaultdict(Dossier), defaultdict(list), defaultdict(list), {})
    judged: list[tuple[Said, Determination | Decision]] = []
    developer_of: dict[str, str] = {}
    for entry in _once(entries):
        record, day = entry.record, _day(entry)
        later = day is not None and certainly_before(at, day)
        if later or getattr(record, "demonstration", False) != demonstration:
            continue
        said = Said(entry, day)
        if isinstance(record, Framework) and _may_speak(said, record.developer):
            found.dossiers[record.developer].frameworks.append((said, record))
            developer_of[entry.digest] = record.developer
        elif isinstance(record, Determination | Decision):
            judged.append((said, record))
        else:
            _sort(said, record, found)
    for said, judgement in judged:
        developer = developer_of.get(judgement.framework)
        if developer is None or not _may_speak(said, developer):
            continue
        if isinstance(judgement, Determination):
            found.dossiers[developer].determinations.append((said, judgement))
            found.evidence[said.entry.digest] = said
        else:
            found.dossiers[developer].decisions.append((said, judgement))
    return found


def _once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield each author's statements once, in an order that is always the same (rule 2)."""
    counted: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        kept = counted.setdefault((entry.digest, entry.author), entry)
        if kept is not entry and _place(entry) < _place(kept):
            counted[entry.digest, entry.author] = entry
    for key in sorted(counted):
        yield counted[key]


def _sort(said: Said, record: Record, found: Index) -> None:
    """Put a statement that needs no other to be understood where it belongs."""
    match record:
        case Account() if _may_speak(said, record.developer):
            found.dossiers[record.developer].accounts.append((said, record))
        case Reply() if said.author == record.developer:
            found.dossiers[record.developer].replies.append((said, record))
        case Finding():
            found.evidence[said.entry.digest] = said
        case Publication() if record.genre == "safety-framework":
            found.publications[record.publisher].append((said, record))
        case Partnership() if is_institute(said.author):
            for party in record.parties:
                found.partnerships[party].append((said, record))


def _place(entry: Entry) -> tuple[str, str, int]:
    return entry.witnessed or "~", entry.origin, entry.index


def _may_speak(said: Said, developer: str) -> bool:
    return said.author == developer or is_institute(said.author)


def _day(entry: Entry) -> str | None:
    """Return the day that a statement is of: its own, or that of its witnessing (rule 1)."""
    record = entry.record
    names = {Framework: "published", Decision: "at"}
    own = getattr(record, names.get(type(record), "date"), None)
    return own or (entry.witnessed[:10] if entry.witnessed else None)
