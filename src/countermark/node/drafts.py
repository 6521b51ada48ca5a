# SPDX-License-Identifier: Apache-2.0
"""What people who label answers have drafted, in ``state.db``: kept at once, or not at all.

1. Each save is one transaction under the write lock, and on the disk before it is confirmed. A
   process that is killed loses nothing that was confirmed.
2. A save names the version that it was made over. Over another version it changes nothing, unless
   it says what stands there already: a save that is sent again does no harm.
3. Of a link or a session only the SHA-256 is kept. Both expire, and both end when their person is
   revoked.
4. Who may do what is not decided here: see ``policy.py``.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from countermark.node.policy import AnnotationRole
from countermark.node.state import State
from countermark.records.errors import StateError

_metadata = MetaData()


def _table(name: str, keys: Sequence[str], columns: Sequence[str], *numbers: str) -> Table:
    return Table(
        f"annotation_{name}",
        _metadata,
        *(Column(key, String, primary_key=True) for key in keys),
        *(Column(column, String, nullable=False) for column in columns),
        *(Column(number, Integer, nullable=False) for number in numbers),
    )


_batches = _table("batches", ["batch"], ["plans", "draws", "made"])
_answers = _table(
    "answers",
    ["batch", "item"],
    ["lab", "sample", "task", "language", "prompt", "answer"],
    "place",
)
_people = _table("people", ["batch", "name"], ["role", "languages", "revoked"], "place")
_tokens = _table("tokens", ["hash"], ["kind", "batch", "name", "expires"])
_labels = _table("labels", ["batch", "item", "name"], ["label", "saved"], "version")
_submissions = _table("submissions", ["batch", "name", "task", "language"], ["at"])

TokenKind = Literal["link", "session"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One drawn answer, by the name under which raters see it.

    Parameters
    ----------
    item
        A random name, which says nothing of lab or model.
    lab, sample
        Whose answer it is, and which, as JSON.
    task, language, prompt, answer
        What is shown of it.
    """

    item: str
    lab: str
    sample: str
    task: str
    language: str
    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one exercise has drawn to be labelled: what raters are told, and the draws, as JSON."""

    batch: str
    plans: str
    draws: str


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody who was invited, in the order of inviting."""

    name: str
    role: AnnotationRole
    languages: frozenset[str]
    revoked: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A label as it is kept, and how often it was changed."""

    label: str
    version: int


class Drafts:
    """The drafts of all batches of a node."""

    def __init__(self, state: State) -> None:
        self._state = state
        with state.transaction() as connection:
            _metadata.create_all(connection)

    @contextlib.contextmanager
    def locked(self) -> Iterator["Kept"]:
        """Hold the write lock: what is read stays true until what follows from it is kept."""
        with self._state.transaction() as connection:
            yield Kept(connection)


def hashed(secret: str) -> str:
    """Return what is kept of a link or a session (rule 3)."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that is kept, while the write lock is held."""

    _connection: Connection

    def batches(self) -> tuple[Batch, ...]:
        """Return all batches, in order of their names."""
        rows = self._connection.execute(select(_batches).order_by(_batches.c.batch))
        return tuple(Batch(row.batch, row.plans, row.draws) for row in rows)

    def begin(self, batch: Batch, answers: Sequence[Answer], now: datetime) -> None:
        """Keep what was drawn.

        Raises
        ------
        StateError
            If the batch was drawn before.
        """
        if any(known.batch == batch.batch for known in self.batches()):
            raise StateError(
                "was drawn already",
                where=batch.batch,
                next_step="A sample is drawn once. See it: countermark annotate status.",
            )
        self._connection.execute(
            insert(_batches).values(
                batch=batch.batch, plans=batch.plans, draws=batch.draws, made=_time(now)
            )
        )
        if answers:
            self._connection.execute(
                insert(_answers),
                [
                    {
                        "batch": batch.batch,
                        "item": one.item,
                        "lab": one.lab,
                        "sample": one.sample,
                        "task": one.task,
                        "language": one.language,
                        "prompt": one.prompt,
                        "answer": one.answer,
                        "place": place,
                    }
                    for place, one in enumerate(answers)
                ],
            )

    def answers(self, batch: str, task: str, language: str) -> tuple[Answer, ...]:
        """Return the answers of one part, in the order of the draw."""
        table = _answers.c
        rows = self._connection.execute(
            select(_answers)
            .where(table.batch == batch, table.task == task, table.language == language)
            .order_by(table.place)
        )
        return tuple(_answer(row) for row in rows)

    def answer(self, batch: str, item: str) -> Answer | None:
        """Return one answer."""
        table = _answers.c
        row = self._connection.execute(
            select(_answers).where(table.batch == batch, table.item == item)
        ).one_or_none()
        return _answer(row) if row is not None else None

    def people(self, batch: str) -> tuple[Invited, ...]:
        """Return who was invited, in the order of inviting."""
        rows = self._connection.execute(
            select(_people).where(_people.c.batch == batch).order_by(_people.c.place)
        )
        return tuple(
            Invited(row.name, row.role, frozenset(json.loads(row.languages)), bool(row.revoked))
            for row in rows
        )

    def invite(self, batch: str, person: Invited) -> None:
        """Keep that somebody was invited; whoever was before stands as now said."""
        known = [one.name for one in self.people(batch)]
        table, said = _people.c, json.dumps(sorted(person.languages))
        if person.name in known:
            self._connection.execute(
                update(_people)
                .where(table.batch == batch, table.name == person.name)
                .values(role=person.role, languages=said, revoked="")
            )
            return
        self._connection.execute(
            insert(_people).values(
                batch=batch,
                name=person.name,
                role=person.role,
                languages=said,
                revoked="",
                place=len(known),
            )
        )

    def revoke(self, batch: str, name: str, now: datetime) -> None:
        """End somebody's links and sessions."""
        self._connection.execute(
            update(_people)
            .where(_people.c.batch == batch, _people.c.name == name)
            .values(revoked=_time(now))
        )
        self._connection.execute(
            delete(_tokens).where(_tokens.c.batch == batch, _tokens.c.name == name)
        )

    def give(
        self, kind: TokenKind, secret: str, batch: str, name: str, now: datetime, expires: datetime
    ) -> None:
        """Keep the hash of a link or a session; those that have expired are thrown away."""
        self._connection.execute(delete(_tokens).where(_tokens.c.expires <= _time(now)))
        self._connection.execute(
            insert(_tokens).values(
                hash=hashed(secret), kind=kind, batch=batch, name=name, expires=_time(expires)
            )
        )

    def holder(
        self, kind: TokenKind, secret: str, now: datetime
    ) -> tuple[str, Invited, datetime] | None:
        """Return whose link or session it is, with its batch and its end; nothing if it ended."""
        row = self._connection.execute(
            select(_tokens).where(_tokens.c.hash == hashed(secret), _tokens.c.kind == kind)
        ).one_or_none()
        if row is None or row.expires <= _time(now):
            return None
        found = next((one for one in self.people(row.batch) if one.name == row.name), None)
        if found is None or found.revoked:
            return None
        return row.batch, found, datetime.fromisoformat(row.expires)

    def end(self, secret: str) -> None:
        """End one link or session."""
        self._connection.execute(delete(_tokens).where(_tokens.c.hash == hashed(secret)))

    def labels(
        self, batch: str, task: str, language: str, item: str | None = None
    ) -> dict[str, dict[str, Held]]:
        """Return what everybody said of the answers of one part, or of one: by answer and name."""
        here, answer = _labels.c, _answers.c
        query = (
            select(_labels)
            .join(_answers, (answer.batch == here.batch) & (answer.item == here.item))
            .where(here.batch == batch, answer.task == task, answer.language == language)
        )
        rows = self._connection.execute(query if item is None else query.where(here.item == item))
        found: dict[str, dict[str, Held]] = {}
        for row in rows:
            found.setdefault(row.item, {})[row.name] = Held(row.label, row.version)
        return found

    def label(self, batch: str, item: str, name: str) -> Held | None:
        """Return what one person said of one answer."""
        table = _labels.c
        row = self._connection.execute(
            select(_labels).where(table.batch == batch, table.item == item, table.name == name)
        ).one_or_none()
        return Held(row.label, row.version) if row is not None else None

    def save(
        self, batch: str, item: str, name: str, label: str, over: int, now: datetime
    ) -> tuple[bool, Held]:
        """Keep a label if it was made over the version that stands; return if so, and what stands.

        ``over`` is the version that the person saw; 0 where there was none (rule 2).
        """
        held = self.label(batch, item, name)
        if held is not None and held.label == label:
            return True, held
        if over != (held.version if held else 0):
            return False, held or Held("", 0)
        new = Held(label, over + 1)
        self.replace(batch, item, name, new, now)
        return True, new

    def replace(self, batch: str, item: str, name: str, held: Held, now: datetime) -> None:
        """Keep a label in place of whatever stands."""
        table = _labels.c
        self._connection.execute(
            delete(_labels).where(table.batch == batch, table.item == item, table.name == name)
        )
        self._connection.execute(
            insert(_labels).values(
                batch=batch,
                item=item,
                name=name,
                label=held.label,
                version=held.version,
                saved=_time(now),
            )
        )

    def submitted(self, batch: str, task: str, language: str) -> frozenset[str]:
        """Return who has submitted a part."""
        table = _submissions.c
        rows = self._connection.execute(
            select(table.name).where(
                table.batch == batch, table.task == task, table.language == language
            )
        )
        return frozenset(row.name for row in rows)

    def submit(self, batch: str, name: str, task: str, language: str, now: datetime) -> None:
        """Keep that somebody has submitted a part, once."""
        if name not in self.submitted(batch, task, language):
            self._connection.execute(
                insert(_submissions).values(
                    batch=batch, name=name, task=task, language=language, at=_time(now)
                )
            )


def _answer(row: object) -> Answer:
    return Answer(*(getattr(row, name) for name in Answer.__dataclass_fields__))


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
