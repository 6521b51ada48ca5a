# SPDX-License-Identifier: Apache-2.0
"""``state.db``: what no log can rebuild, kept in transactions.

1. How far this node's own log goes: changed under the write lock before a checkpoint is published,
   so that two processes, or a restored backup, can never publish two different logs of one size.
2. How far this node as a witness has followed each log: compare-and-swap before it cosigns.
3. What people who label answers have drafted, and their links: see ``drafts.py``.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    insert,
    select,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from countermark.records.errors import StateError, StorageError

STATE_FORMAT = 1

_metadata = MetaData()
_format = Table("format", _metadata, Column("number", Integer, primary_key=True))
_heads = Table(
    "heads",
    _metadata,
    Column("role", String, primary_key=True),
    Column("origin", String, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("root", String, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log goes.

    Parameters
    ----------
    size
        Number of leaves.
    root
        Root of the tree over them, 32 bytes.
    """

    size: int
    root: bytes


class State:
    """The node's own memory of heads, in SQLite; what is committed is on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
        event.listen(self._engine, "connect", _durable)
        event.listen(self._engine, "begin", _write_lock)
        with self.transaction() as connection:
            _metadata.create_all(connection)
            found = connection.execute(select(_format.c.number)).scalar()
            if found is None:
                connection.execute(insert(_format).values(number=STATE_FORMAT))
            elif found > STATE_FORMAT:
                raise StateError(
                    f"was written by a newer Countermark (format {found}, known {STATE_FORMAT})",
                    where=str(path),
                    next_step="Use the newer Countermark for this node.",
                )

    @contextlib.contextmanager
    def locked(self) -> Iterator["Heads"]:
        """Hold the write lock: whoever else wants it waits. What is kept is durable on leaving."""
        with self.transaction() as connection:
            yield Heads(connection)

    def head(self, role: str, origin: str) -> Head | None:
        """Return the head kept for ``origin`` in a role: ``log`` or ``witness``."""
        with self.locked() as heads:
            return heads.read(role, origin)

    def swap(self, role: str, origin: str, expected: Head | None, new: Head) -> bool:
        """Replace a head if it is still ``expected``, durably; return whether it was."""
        with self.locked() as heads:
            if heads.read(role, origin) != expected:
                return False
            heads.keep(role, origin, new)
            return True

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Hold the write lock over all of it; on leaving, everything or nothing is on the disk."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise StorageError(
                f"cannot be used: {error.orig}",
                where=str(self._path),
                next_step="Check the disk's free space and that no other program holds the file. "
                "If the file is damaged, bring back the newest copy.",
            ) from error


@dataclass(frozen=True, slots=True)
class Heads:
    """The heads, while the write lock is held."""

    _connection: Connection

    def read(self, role: str, origin: str) -> Head | None:
        """Return the head kept for ``origin`` in a role."""
        row = self._connection.execute(
            select(_heads.c.size, _heads.c.root).where(
                _heads.c.role == role, _heads.c.origin == origin
            )
        ).one_or_none()
        return Head(row.size, bytes.fromhex(row.root)) if row else None

    def keep(self, role: str, origin: str, head: Head) -> None:
        """Replace the head of ``origin`` in a role."""
        self._connection.execute(
            delete(_heads).where(_heads.c.role == role, _heads.c.origin == origin)
        )
        self._connection.execute(
            insert(_heads).values(role=role, origin=origin, size=head.size, root=head.root.hex())
        )


def _durable(connection: object, _record: object) -> None:
    # The driver's own transactions begin too late for compare-and-swap: turn them off.
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    # A commit here deletes the journal. FULL does not flush that deletion, so after a power failure
    # the journal could come back and undo a head whose checkpoint is already published.
    cursor.execute("PRAGMA synchronous=EXTRA")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _write_lock(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
