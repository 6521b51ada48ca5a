# SPDX-License-Identifier: Apache-2.0
"""What people who label do, through a page or a file: every act asks the node's policy first.

1. A link opens a session; the session ends with the link.
2. What a rater receives of an answer is a random name, the question, the answer, and their own
   label. Nothing in it depends on the lab, the model or what a judge said.
3. A label is kept only if it was given over the one that stands; else what stands is returned.
4. A part is submitted when it has a label, or *unsure*, for every answer; then it is closed.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from countermark.exercise.annotation.parts import Part, part_of, parts_of
from countermark.exercise.annotation.planning import LINK_BYTES
from countermark.exercise.annotation.showing import Direction, Paragraph, paragraphs
from countermark.node.drafts import Answer, Batch, Drafts, Kept
from countermark.node.node import Node
from countermark.node.policy import Act, Permission, Person, may_annotate
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import GivenLabel, Label
from countermark.taxonomy.languages import language as language_of

LABELS: tuple[Label, ...] = get_args(Label)


class Refused(Exception):
    """The policy said no.

    Parameters
    ----------
    permission
        By which rule, and why.
    """

    def __init__(self, permission: Permission) -> None:
        super().__init__(permission.reason)
        self.permission = permission


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who came in by a valid link.

    Parameters
    ----------
    batch, person
        Of what, and who.
    proof
        What a form of theirs has to carry, so that no other site can send it.
    ends
        When the session ends.
    """

    batch: str
    person: Person
    proof: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer as its rater receives it (rule 2)."""

    item: str
    prompt: tuple[Paragraph, ...]
    answer: tuple[Paragraph, ...]
    label: str
    version: int
    said: tuple[GivenLabel, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One part as one person works on it."""

    task: str
    title: str
    event: str
    question: str
    guidelines: str
    guidelines_language: str
    guidelines_direction: Direction
    language: str
    direction: Direction
    answers: tuple[Shown, ...]
    submitted: bool
    adjudicating: bool

    @property
    def done(self) -> int:
        """How many have a label, or *unsure*."""
        return sum(1 for one in self.answers if one.label)


@dataclass(frozen=True, slots=True)
class Saved:
    """What stands after a save, and whether that is what was sent."""

    kept: bool
    label: str
    version: int


@dataclass(frozen=True)
class Desk:
    """The desk at which people label, on one node."""

    node: Node

    def enter(self, link: str) -> tuple[str, datetime] | None:
        """Open a session by a valid link, and return its secret and its end."""
        now = self.node.clock()
        with Drafts(self.node.state).locked() as kept:
            found = kept.holder("link", link, now)
            if found is None:
                return None
            batch, person, ends = found
            secret = secrets.token_urlsafe(LINK_BYTES)
            kept.give("session", secret, batch, person.name, now, ends)
            return secret, ends

    def leave(self, secret: str) -> None:
        """End a session."""
        with Drafts(self.node.state).locked() as kept:
            kept.end(secret)

    def session(self, secret: str | None) -> Session | None:
        """Return whose session it is; nothing if it ended, or its person was revoked."""
        if not secret:
            return None
        with Drafts(self.node.state).locked() as kept:
            found = kept.holder("session", secret, self.node.clock())
        if found is None:
            return None
        batch, who, ends = found
        proof = hashlib.sha256(f"countermark-form/{secret}".encode()).hexdigest()
        return Session(batch, Person(who.name, who.role, who.languages), proof, ends)

    def sheets(self, session: Session) -> tuple[Sheet, ...]:
        """Return every part in which somebody has work, as it stands."""
        with Drafts(self.node.state).locked() as kept:
            parts = tuple(parts_of(kept, _batch(kept, session)))
        made = [_sheet(session.person, part) for part in parts if _concerns(session.person, part)]
        return tuple(sheet for sheet in made if sheet.answers)

    def sheet(self, session: Session, task: str, language: str) -> Sheet:
        """Return one part for somebody to work on.

        Raises
        ------
        Refused
            If it is not theirs.
        InputError
            If there is no such part.
        """
        with Drafts(self.node.state).locked() as kept:
            part = part_of(kept, _batch(kept, session), task, language)
        made = _sheet(session.person, part)
        if session.person.role != "adjudicator" or not made.answers:
            _require(session.person, "see", part)
        return made

    def save(self, session: Session, item: str, label: str, over: int) -> Saved:
        """Keep a label (rule 3).

        Raises
        ------
        Refused
            If the answer is not theirs to label.
        InputError
            If there is no such answer or label.
        """
        with Drafts(self.node.state).locked() as kept:
            found = kept.answer(session.batch, item)
            if found is None or label not in LABELS:
                raise InputError(
                    f"is none: {(item if found is None else label)[:40]!r}",
                    where="answer" if found is None else "label",
                    next_step=f"Use an answer of your list, and one of {', '.join(LABELS)}.",
                )
            part = part_of(kept, _batch(kept, session), found.task, found.language, found)
            adjudicating = session.person.role == "adjudicator"
            _require(session.person, "adjudicate" if adjudicating else "label", part, item)
            done, held = kept.save(
                session.batch, item, session.person.name, label, over, self.node.clock()
            )
        return Saved(done, held.label, held.version)

    def submit(self, session: Session, task: str, language: str) -> None:
        """Close a part for its rater (rule 4).

        Raises
        ------
        Refused
            If it is not theirs, or closed already.
        StateError
            If an answer has no label yet.
        """
        with Drafts(self.node.state).locked() as kept:
            part = part_of(kept, _batch(kept, session), task, language)
            submit_part(kept, session.person, part, self.node.clock())

    def oversee(self, session: Session) -> tuple[Part, ...]:
        """Return all parts, for the coordinator.

        Raises
        ------
        Refused
            If somebody else asks.
        """
        permission = may_annotate(session.person, "oversee")
        if not permission.allowed:
            raise Refused(permission)
        with Drafts(self.node.state).locked() as kept:
            return tuple(parts_of(kept, _batch(kept, session)))


def submit_part(kept: Kept, person: Person, part: Part, now: datetime) -> None:
    """Close a part for its rater, under the write lock (rule 4)."""
    _require(person, "submit", part)
    lacking = sum(person.name not in part.labels.get(one.item, {}) for one in part.answers)
    if lacking:
        raise StateError(
            f"still lacks {lacking} of {len(part.answers)} labels",
            where=f"{part.task}/{part.language}",
            next_step="Label the rest; where you cannot tell, say unsure.",
        )
    kept.submit(part.batch, person.name, part.task, part.language, now)


def _batch(kept: Kept, session: Session) -> Batch:
    return next(one for one in kept.batches() if one.batch == session.batch)


def _concerns(person: Person, part: Part) -> bool:
    if person.role == "adjudicator":
        return part.language in person.languages
    return may_annotate(person, "see", part.work(person)).allowed


def _require(person: Person, act: Act, part: Part, item: str | None = None) -> None:
    permission = may_annotate(person, act, part.work(person, item))
    if not permission.allowed:
        raise Refused(permission)


def _sheet(person: Person, part: Part) -> Sheet:
    adjudicating = person.role == "adjudicator"
    spoken = language_of(part.language)
    told = next(
        (one for one in part.plan.guidelines if one.language == part.language),
        part.plan.guidelines[0],
    )
    return Sheet(
        task=part.task,
        title=part.title,
        event=part.event,
        question=part.plan.question,
        guidelines=told.text,
        guidelines_language=told.language,
        guidelines_direction=language_of(told.language).direction,
        language=part.language,
        direction=spoken.direction,
        answers=tuple(
            _shown(person, part, one, spoken.direction)
            for one in part.ordered(person.name)
            if may_annotate(person, "see", part.work(person, one.item)).allowed
        ),
        submitted=person.name in part.submitted,
        adjudicating=adjudicating,
    )


def _shown(person: Person, part: Part, one: Answer, direction: Direction) -> Shown:
    held = part.labels.get(one.item, {}).get(person.name)
    sees = may_annotate(person, "see-labels", part.work(person, one.item)).allowed
    return Shown(
        item=one.item,
        prompt=paragraphs(one.prompt, direction),
        answer=paragraphs(one.answer, direction),
        label=held.label if held else "",
        version=held.version if held else 0,
        said=part.given(one.item) if sees else (),
    )
