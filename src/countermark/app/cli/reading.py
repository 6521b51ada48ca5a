# SPDX-License-Identifier: Apache-2.0
"""Records that a person names: a bare record, or a published statement, which is verified first."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from countermark.app.cli.output import read_input
from countermark.node.book import Book, Entry
from countermark.node.files import read_file
from countermark.records.base import Record
from countermark.records.canonical import read_object
from countermark.records.errors import InputError, VerificationError
from countermark.signing.roster import ANY_TIME, Roster, load_roster
from countermark.transparency.statement import FORMAT
from countermark.transparency.verify import Verification, verify_statement

R = TypeVar("R", bound=Record)
STATEMENTS = "statements"


def read_record(kind: type[R], path: Path) -> R:
    """Read a record of one kind.

    A published statement is checked against the roster of the record that it lies in.

    Raises
    ------
    InputError
        If the file cannot be read or holds something else.
    VerificationError
        If it is a statement that does not check out.
    """
    return read_dated(kind, path)[0]


def read_dated(kind: type[R], path: Path) -> tuple[R, str | None]:
    """Read a record of one kind as :func:`read_record` does, and the day it was witnessed.

    There is no day of a bare record: nobody has seen it.
    """
    contents = read_input(path)
    value = read_object(contents, where=str(path))
    if value.get("format") != FORMAT:
        return kind.from_value(value, where=str(path)), None
    verification = _verified(contents, roster_in(roster_beside(path)), path)
    if not isinstance(verification.record, kind):
        stated = verification.record.kind_name() if verification.record else "no record"
        raise InputError(
            f"is a {stated}, not a {kind.kind_name()}",
            where=str(path),
            next_step=f"Give a file that holds a {kind.kind_name()}.",
        )
    return verification.record, verification.witnessed[:10] if verification.witnessed else None


def is_public_record(path: Path) -> bool:
    """Tell whether a folder is a public record: it has statements and a roster."""
    return (path / STATEMENTS).is_dir() and (path / "roster").is_dir()


def read_public_record(folder: Path) -> Book:
    """Read all statements of a public record, each verified against the record's roster.

    Raises
    ------
    InputError
        If the folder is no public record, a file cannot be read, or the roster is malformed.
    VerificationError
        If a statement, or the roster, does not check out.
    """
    if not is_public_record(folder):
        raise InputError(
            "is no public record: that is a folder with statements and roster in it",
            where=str(folder),
            next_step="Give the folder that a site was built into, such as demo/record.",
        )
    roster = roster_in(folder / "roster")
    entries = []
    for path in sorted((folder / STATEMENTS).glob("*.json")):
        verified = _verified(read_input(path), roster, path)
        if verified.record is not None:
            entries.append(_entry(verified, verified.record, path.name))
    ordered = sorted(entries, key=lambda entry: (entry.author, entry.index))
    return Book(tuple(ordered), (), roster)


def _entry(verified: Verification, record: Record, file: str) -> Entry:
    # A valid statement has all of these.
    return Entry(
        record=record,
        digest=record.digest,
        envelope=verified.envelope or "",
        author=verified.author or "",
        origin=verified.origin or "",
        index=verified.index or 0,
        witnessed=verified.witnessed,
        witnesses=verified.witnesses,
        file=file,
    )


def _verified(contents: bytes, roster: Roster, path: Path) -> Verification:
    verification = verify_statement(contents, roster, datetime.now(UTC))
    if not verification.valid:
        raise VerificationError(
            f"is a statement that does not check out: {verification.failures[0].detail}",
            where=str(path),
            next_step=f"See all checks: countermark verify {path}",
        )
    return verification


def roster_beside(path: Path) -> Path:
    """Return where the roster of a published file lies: beside it, or beside its folder."""
    here = path.absolute().parent
    return here / "roster" if (here / "roster").is_dir() else here.parent / "roster"


def roster_in(folder: Path) -> Roster:
    """Read and verify the roster in a folder.

    It may have expired since: what was witnessed while it was in force stays valid, and the
    verification of a statement asks for that.

    Raises
    ------
    InputError
        If the folder or one of its files is missing or malformed.
    VerificationError
        If the roster is not what its members signed.
    """
    return load_roster(roster_files_in(folder), at=ANY_TIME)


def roster_files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a roster's folder by name.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(
            "is no folder",
            where=str(folder),
            next_step="Give the folder with the members' roster.json and targets.json.",
        )
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return {path.name: read_file(path) or b"" for path in paths}
