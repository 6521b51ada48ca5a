# SPDX-License-Identifier: Apache-2.0
"""The tracker: companies and the eight commitments, each cell computed from logged statements.

A state says what kind of evidence was logged. It is no grade, and says nothing of how safe a
system or how good a framework is. These kinds of statements speak to the commitments:

========== ======================== ============================================ =================
Commitment Claimed by               Evidenced by                                 Contested by
========== ======================== ============================================ =================
I          domains of risk          determination on a threshold; finding used
                                    in a decision
II         thresholds               determination on a threshold; decision in
                                    which a threshold was decided
III        mitigations, security    determination that one is in place           determination
           level                                                                 that it is not
IV         process                  decision MAY; determination that a           decision MUST NOT
                                    provision of process is followed             beside own MAY;
                                                                                 determination
V          later version, account   one mitigation examined on two days
VI         governance               determination that a provision is followed   determination
VII        framework, publication,  determination that a duty is fulfilled       determination;
           account                                                               alarm; silent
                                                                                 weakening
VIII       evidence by others,      finding or determination used in a decision;
           duties to trusted actors partnership with an institute
========== ======================== ============================================ =================

What counts:

1. A statement counts from the day that it is of: its own date, else that of its witnessing. What
   is certainly later than the day of the computation does not count.
2. A statement that one author logged several times counts once; order does not matter.
3. Demonstrations count apart from all others, and only where they are asked for.
4. *Independent* is a statement signed by a member of the network. Others than members and the
   developer itself are passed over, and what an institute merely records of a developer is the
   developer's claim. A finding or determination counts where a logged framework or decision ties it
   to the developer.
5. A framework speaks for its developer while it is the newest of its title, whatever case, white
   space or unseen marks it is written with, in force, and not the
   older of the two that a logged account is about. Support counts only for such a framework; a
   contradiction stays when a newer version is published.
6. Of an author's determinations about one thing and one model, and of its decisions about one model
   and action, the latest counts. The developer's replies stand beside a cell and change no state
   but by rule 15.

The state of a cell is that of the first rule that applies; all statements that speak to it are
listed:

7. *Contested*: an institute determined that a mitigation is not in place, a duty not fulfilled, a
   provision not followed.
8. *Contested*: an institute decided MUST NOT, and the developer MAY, for one model and action.
9. *Contested*: an alarm of the developer's history (:mod:`countermark.commitments.versions`).
10. *Contested*: the developer's own account is silent on a weakened or removed part.
11. *Evidenced*: an institute's determination, which is not *unclear*.
12. *Evidenced*: an institute's decision.
13. *Evidenced*: an institute's finding or determination that an institute's decision used, or a
    partnership that an institute logged.
14. *Evidenced*: institutes examined one mitigation on several days.
15. *Not applicable*: the developer's latest signed reply on the commitment says so, with its
    reason. What is *overdue* by rule 18 stays so, with the reply beside it.
16. *Claimed*: a framework in force has what the commitment asks for.
17. *Claimed*: a publication, a later version or an account was logged. The words of a later version
    say what it weakened or removed without any account of it.
18. *Overdue*: a known deadline for this commitment has passed, and neither the log nor the
    reference data have a framework of the company; not where a source leaves open whether it was
    due (:mod:`countermark.commitments.deadlines`).
19. *Unknown*: none of these.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from countermark.commitments.case import is_institute
from countermark.commitments.deadlines import load_deadlines
from countermark.commitments.reference import Company
from countermark.commitments.tracker_index import Index, index
from countermark.commitments.tracker_rules import Behind, Stance, signals
from countermark.commitments.versions import certainly_before
from countermark.node.book import Entry
from countermark.records.framework import Framework
from countermark.records.reference import Declaration

State: TypeAlias = Literal[
    "contested", "evidenced", "not applicable", "claimed", "overdue", "unknown"
]
STATES: dict[State, str] = {
    "contested": "an independent statement, or the log itself, contradicts",
    "evidenced": "somebody independent supports it",
    "not applicable": "the developer says that it does not apply, and why",
    "claimed": "the developer says so, and nobody else does",
    "overdue": "a deadline has passed, and no framework is known: one document, shown beside each "
    "commitment that it answers",
    "unknown": "no statement here speaks for it or against it, so this record cannot tell",
}
"""What each state means."""

_TOGETHER = (9, 10)  # by these rules two versions give a state that neither gives alone
_BY_STANCE: tuple[tuple[Stance, State], ...] = (
    ("contradicts", "contested"),
    ("supports", "evidenced"),
    ("declines", "not applicable"),
    ("claims", "claimed"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the developer replied, beside a cell."""

    digest: str
    date: str
    words: str
    file: str
    of: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One company and one commitment.

    Parameters
    ----------
    company, commitment
        The company's slug and the commitment's key.
    state, rule
        The state, and the number of the rule that gave it.
    words
        Why, in a sentence.
    since
        The day of the statement that gives the state, or the deadline. Where two versions give it
        together, that of the later.
    statements
        All statements that speak to it; those that give the state first.
    replies
        What the developer replied to the commitment or to one of the statements.
    """

    company: str
    commitment: str
    state: State
    rule: int
    words: str
    since: str | None
    statements: tuple[Behind, ...]
    replies: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The state of every commitment for every company, on a day.

    Parameters
    ----------
    at
        The day of the computation.
    companies
        Slug and name, in the order in which they were given.
    commitments
        Key and title, in order.
    cells
        Company by company, commitment by commitment.
    demonstration
        Whether it was computed from demonstrations.
    """

    at: str
    companies: tuple[tuple[str, str], ...]
    commitments: tuple[tuple[str, str], ...]
    cells: tuple[Cell, ...]
    demonstration: bool

    def row(self, company: str) -> tuple[Cell, ...]:
        """Return one company's cells."""
        return tuple(cell for cell in self.cells if cell.company == company)

    def counts(self) -> dict[State, int]:
        """Return how many cells are in each state."""
        found = Counter(cell.state for cell in self.cells)
        return {state: found[state] for state in STATES}

    def to_value(self) -> dict[str, Any]:
        """Return the grid as a JSON object."""
        return {
            "at": self.at,
            "demonstration": self.demonstration,
            "states": dict(STATES),
            "commitments": [{"key": key, "title": title} for key, title in self.commitments],
            "companies": [{"slug": slug, "name": name} for slug, name in self.companies],
            "cells": [asdict(cell) for cell in self.cells],
        }


def demonstrated(statements: Iterable[Entry]) -> tuple[Company, ...]:
    """Return the developers of the frameworks that are demonstrations; no deadline binds them."""
    names = {
        entry.record.developer
        for entry in statements
        if isinstance(entry.record, Framework) and entry.record.demonstration
    }
    return tuple(Company(name, name, "", (), "", ()) for name in sorted(names))


def grid(
    companies: Iterable[Company],
    commitments: Declaration,
    statements: Iterable[Entry],
    at: str,
    *,
    demonstration: bool = False,
) -> Grid:
    """Compute the state of every commitment for every company.

    Parameters
    ----------
    companies
        The companies, with the documents that the reference data know of.
    commitments
        The commitments, whose principles have the keys *i* to *viii*.
    statements
        What was logged, in any order.
    at
        The day of the computation (YYYY-MM-DD).
    demonstration
        Whether to compute from demonstrations instead.
    """
    known = index(statements, at=at, demonstration=demonstration)
    listed = tuple(companies)
    keys = tuple((one.key, one.title) for one in commitments.principles)
    cells = []
    for company in listed:
        found: dict[str, dict[Behind, None]] = defaultdict(dict)
        for key, statement in signals(company, known):
            found[key][statement] = None
        replies = _replies(company, known)
        cells += [_cell(company, key, tuple(found[key]), replies, known, at) for key, _ in keys]
    names = tuple((company.slug, company.name) for company in listed)
    return Grid(at, names, keys, tuple(cells), demonstration)


def _cell(
    company: Company,
    commitment: str,
    found: tuple[Behind, ...],
    replies: tuple[tuple[str | None, Answer], ...],
    known: Index,
    at: str,
) -> Cell:
    stances = [stance for stance, _ in _BY_STANCE]
    ordered = tuple(
        sorted(
            found,
            key=lambda one: (
                stances.index(one.stance),
                *(one.rule, one.date or "~", one.author, one.digest, one.words),
            ),
        )
    )
    digests = {one.digest for one in ordered}
    beside = tuple(
        answer for about, answer in replies if about == commitment or answer.of in digests
    )
    state, rule, words, since = _state(company, commitment, ordered, known, at)
    return Cell(company.slug, commitment, state, rule, words, since, ordered, beside)


def _state(
    company: Company, commitment: str, ordered: tuple[Behind, ...], known: Index, at: str
) -> tuple[State, int, str, str | None]:
    due = _due(company, commitment, known, at)
    for stance, state in _BY_STANCE:
        deciding = [one for one in ordered if one.stance == stance]
        if deciding and not (stance == "declines" and due and due[0] == "overdue"):
            first = deciding[0]
            return state, first.rule, f"{first.words}.", _since(first, deciding)
    return due or ("unknown", 19, _unknown(company, known, at), None)


def _due(
    company: Company, commitment: str, known: Index, at: str
) -> tuple[State, int, str, str | None] | None:
    """Return the state that a deadline gives (rule 18), or that a source leaves it open."""
    for deadline in load_deadlines():
        if (
            company.signed == deadline.signed
            and commitment in deadline.commitments
            and certainly_before(deadline.due, at)
            and not _has_framework(company, known, at)
        ):
            left_open = [one for one in deadline.left_open if one.slug == company.slug]
            if left_open:
                source = left_open[0].source
                words = f"{left_open[0].words} ({source.title}, {source.publisher})"
                return "unknown", 19, f"No statement was logged. {words}", None
            words = f"Not found in the log or in our sources of {company.as_of}. It was due: "
            return "overdue", 18, words + deadline.words, deadline.due
    return None


def _since(first: Behind, deciding: list[Behind]) -> str | None:
    """Return the day of the statement that gives a state; of two together, of the later."""
    if first.rule not in _TOGETHER:
        return first.date
    days = [one.date for one in deciding if one.words == first.words and one.date]
    return max(days, default=None)


def _has_framework(company: Company, known: Index, at: str) -> bool:
    names = dict.fromkeys((company.name, *company.publishers))
    return (
        bool(known.about(company.slug).frameworks)
        or any(
            said.author == company.slug or is_institute(said.author)
            for name in names
            for said, _ in known.publications.get(name, ())
        )
        or bool(_documents(company, at))
    )


def _documents(company: Company, at: str) -> list[str]:
    return [
        f"{one.title} ({one.date})"
        for one in company.publications
        if one.genre == "safety-framework" and not certainly_before(at, one.date)
    ]


def _unknown(company: Company, known: Index, at: str) -> str:
    logged = known.about(company.slug).frameworks
    if logged:
        count = f"{len(logged)} logged framework{'s' if len(logged) > 1 else ''}"
        return f"Nothing in {count}, as written down, speaks to it, and no other statement does."
    documents = _documents(company, at)
    if documents:
        return f"No statement was logged. Our sources know of {documents[-1]}."
    return "No statement was logged."


def _replies(company: Company, known: Index) -> tuple[tuple[str | None, Answer], ...]:
    found = sorted(
        known.about(company.slug).replies, key=lambda one: (one[1].date, one[0].entry.digest)
    )
    return tuple(
        (
            reply.commitment,
            Answer(said.entry.digest, reply.date, reply.words, said.entry.file, reply.of),
        )
        for said, reply in found
    )
