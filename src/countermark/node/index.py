# SPDX-License-Identifier: Apache-2.0
"""``index.db``: which statements this node holds and where. A projection, rebuilt from the logs.

Every row comes from a leaf of the own log or of a verified mirror, the envelope that the leaf names
and the kept proof. Deleting the file loses nothing.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    create_engine,
    delete,
    insert,
    select,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from countermark.node.book import Book, Entry, LogState
from countermark.node.files import storage_errors
from countermark.node.log import LogFolder
from countermark.node.node import Node, timestamp
from countermark.node.state import Head
from countermark.node.witnessed import proves, quorum_of
from countermark.records.canonical import read_object
from countermark.records.errors import StorageError
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.note import parse_note
from countermark.transparency.proof import parse_proof
from countermark.transparency.statement import StatementFile
from countermark.transparency.tiles import read_entries

_metadata = MetaData()
_statements = Table(
    "statements",
    _metadata,
    Column("author", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("origin", String, nullable=False),
    Column("kind", String, nullable=False, index=True),
    Column("digest", String, nullable=False, index=True),
    Column("envelope", String, nullable=False),
    Column("witnessed", String),
    Column("witnesses", String, nullable=False),
    Column("file", String, nullable=False),
)
_logs = Table(
    "logs",
    _metadata,
    Column("author", String, primary_key=True),
    Column("origin", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("root", String, nullable=False),
    Column("checkpoint", String, nullable=False),
    Column("witnessed", String),
    Column("witnesses", String, nullable=False),
)


@dataclass(frozen=True, slots=True)
class _Row:
    author: str
    number: int
    origin: str
    kind: str
    digest: str
    envelope: str
    witnessed: str | None
    witnesses: str
    file: str


def reindex(node: Node) -> int:
    """Build the index anew from the logs and blobs; return how many statements it holds.

    Raises
    ------
    StorageError
        If it cannot be written; the old index is then still there.
    """
    try:
        return _build(node, keep=False)
    except DatabaseError as error:
        raise StorageError(
            f"cannot be written: {error.orig}",
            where=str(node.folder.index),
            next_step="Check the disk's free space, then run countermark node reindex.",
        ) from error


def refresh(node: Node) -> None:
    """Bring the index up to date with the logs; only new or newly witnessed statements are read.

    Where a log does not continue the one indexed, or the index is damaged, it is built anew.
    """
    indexed = _indexed_checkpoints(node.folder.index)
    if indexed and all(_grew(node, code, text) for code, text in indexed.items()):
        with contextlib.suppress(DatabaseError):
            _build(node, keep=True)
            return
    reindex(node)


def _build(node: Node, *, keep: bool) -> int:
    """Write the index in a folder of its own and put it in its place when whole."""
    # An index that is in place is never written to: other processes and threads may be reading it.
    path = node.folder.index
    with (
        storage_errors(path),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".index.") as folder,
    ):
        fresh = Path(folder) / path.name
        if keep:
            shutil.copyfile(path, fresh)
        count = _update(node, fresh)
        fresh.replace(path)
    return count


def _grew(node: Node, code: str, checkpoint: str) -> bool:
    party, log = node.roster.party(code), node.log_of(code)
    if party is None or not party.logs:
        return False
    then = parse_checkpoint(parse_note(checkpoint.encode()).text)
    return log.extends(log.head(*party.log_keys), Head(then.size, then.root))


def _update(node: Node, path: Path) -> int:
    """Add what the index at ``path`` lacks, in one transaction."""
    engine, names = _engine(path), [field.name for field in fields(_Row)]
    try:
        with engine.begin() as connection:
            _metadata.create_all(connection)
            known = {
                (row.author, row.number): row.witnessed
                for row in connection.execute(
                    select(_statements.c.author, _statements.c.number, _statements.c.witnessed)
                )
            }
            rows = [row for code in _authors(node) for row in _rows(node, code, known)]
            for row in rows:
                connection.execute(
                    delete(_statements).where(
                        _statements.c.author == row.author, _statements.c.number == row.number
                    )
                )
            if rows:
                values = [dict(zip(names, astuple(row), strict=True)) for row in rows]
                connection.execute(insert(_statements), values)
            connection.execute(delete(_logs))
            states = [state for code in _authors(node) if (state := _log_state(node, code))]
            if states:
                connection.execute(insert(_logs), [_log_row(state) for state in states])
            added = len({(row.author, row.number) for row in rows} - known.keys())
            return len(known) + added
    finally:
        engine.dispose()


def _log_row(state: LogState) -> dict[str, object]:
    return {
        "author": state.author,
        "origin": state.origin,
        "size": state.size,
        "root": state.root,
        "checkpoint": state.checkpoint,
        "witnessed": state.witnessed,
        "witnesses": json.dumps(state.witnesses),
    }


def book(node: Node) -> Book:
    """Return all that the node knows, from its index.

    An index that is missing, damaged, or not of the logs' present checkpoints is built first.
    """
    path = node.folder.index
    if not path.exists() or _checkpoints(node) != _indexed_checkpoints(path):
        refresh(node)
    try:
        statements, logs = _read(path)
    except DatabaseError:
        reindex(node)  # damaged where the checkpoints do not lie
        statements, logs = _read(path)
    entries = tuple(
        Entry(
            record=node.record(row.envelope),
            digest=row.digest,
            envelope=row.envelope,
            author=row.author,
            origin=row.origin,
            index=row.number,
            witnessed=row.witnessed,
            witnesses=tuple(json.loads(row.witnesses)),
            file=row.file,
        )
        for row in statements
    )
    states = tuple(
        LogState(
            author=row.author,
            origin=row.origin,
            size=row.size,
            root=row.root,
            checkpoint=row.checkpoint,
            witnessed=row.witnessed,
            witnesses=tuple(json.loads(row.witnesses)),
        )
        for row in logs
    )
    return Book(entries, states, node.roster)


def _read(path: Path) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    engine = _engine(path)
    try:
        with engine.connect() as connection:
            statements = select(_statements).order_by(_statements.c.author, _statements.c.number)
            logs = select(_logs).order_by(_logs.c.author)
            return connection.execute(statements).all(), connection.execute(logs).all()
    finally:
        engine.dispose()


def statement_file(node: Node, entry: Entry) -> bytes | None:
    """Return the published file of a statement, or nothing while no quorum has seen it."""
    proof = node.log_of(entry.author).proof(entry.index)
    if proof is None:
        return None
    return StatementFile(
        node.envelope(entry.envelope), parse_proof(proof, where=entry.file)
    ).to_bytes()


def statement_name(kind: str, author: str, index: int) -> str:
    """Return the name of a published statement's file."""
    return f"{kind}-{author.lower()}-{index:04d}.json"


def _checkpoints(node: Node) -> dict[str, str]:
    notes = {code: node.log_of(code).note() for code in _authors(node)}
    return {code: note.to_text() for code, note in notes.items() if note is not None}


def _indexed_checkpoints(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    engine = _engine(path)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(_logs.c.author, _logs.c.checkpoint)).all()
    except DatabaseError:
        return {}  # damaged or of another version: a projection is simply built anew
    finally:
        engine.dispose()
    return {row.author: row.checkpoint for row in rows}


def _engine(path: Path) -> Engine:
    return create_engine(f"sqlite:///{path}", poolclass=NullPool)


def _authors(node: Node) -> list[str]:
    return [party.code for party in node.roster.parties if party.logs]


def _rows(node: Node, code: str, known: Mapping[tuple[str, int], str | None]) -> Iterator[_Row]:
    log, party = node.log_of(code), node.roster.party(code)
    if party is None or not party.logs:
        return
    size = log.head(*party.log_keys).size
    for number, leaf in enumerate(read_entries(log.read, 0, size, size)):
        if known.get((code, number)) is not None:
            continue  # a witnessed statement never changes
        said = read_object(leaf, where=f"{code} leaf {number}")
        digest, kind = str(said["envelope"]), str(said["kind"])
        witnessed, witnesses = _witnessed(node, log, number)
        yield _Row(
            author=code,
            number=number,
            origin=party.logs[0].origin,
            kind=kind,
            digest=node.record(digest).digest,
            envelope=digest,
            witnessed=witnessed,
            witnesses=json.dumps(witnesses),
            file=statement_name(kind, code, number),
        )


def _witnessed(node: Node, log: LogFolder, number: int) -> tuple[str | None, tuple[str, ...]]:
    proof = log.proof(number)
    if proof is None:
        return None, ()
    note = parse_proof(proof).note
    if not proves(note, node.roster):
        return None, ()  # until it is made anew
    verdict = quorum_of(note, node.roster)
    return (timestamp(verdict.witnessed) if verdict.witnessed else None), verdict.counted


def _log_state(node: Node, code: str) -> LogState | None:
    note = node.log_of(code).note()
    if note is None:
        return None
    checkpoint = parse_checkpoint(note.text)
    verdict = quorum_of(note, node.roster)
    return LogState(
        author=code,
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        checkpoint=note.to_text(),
        witnessed=timestamp(verdict.witnessed) if verdict.witnessed else None,
        witnesses=verdict.counted,
    )
