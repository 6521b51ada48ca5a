# SPDX-License-Identifier: Apache-2.0
"""The public record of a node as files: statements, roster, revealed samples, pages.

::

    statements/<kind>-<author>-<number>.json   all that `verify` needs beside the roster
    roster/                                    the members' signed roster
    blobs/sha256/…                             revealed samples
    site/                                      the pages; open site/index.html
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from countermark.app.site.build import build_site
from countermark.app.site.reference import load_reference
from countermark.node.blobs import blob_path
from countermark.node.book import Book
from countermark.node.files import storage_errors, write_atomic
from countermark.node.index import book as read_book
from countermark.node.index import statement_file
from countermark.node.node import Node
from countermark.node.policy import may_read_samples
from countermark.records.errors import StateError
from countermark.records.evidence import Evidence

STATEMENTS = "statements"


@dataclass(frozen=True, slots=True)
class Written:
    """How much was written."""

    statements: int
    pages: int


def write_record(node: Node, out: Path) -> Written:
    """Write the whole record into a new folder, or in place of an earlier record.

    The folder is built beside ``out`` and put in its place when whole.

    Raises
    ------
    StateError
        If ``out`` holds something that is no record.
    """
    if out.exists() and any(out.iterdir()) and not (out / STATEMENTS).is_dir():
        raise StateError(
            "holds something that is no public record",
            where=str(out),
            next_step="Give a new folder.",
        )
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            written = _write(node, read_book(node), fresh)
            put_in_place(fresh, out)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    return written


def put_in_place(fresh: Path, out: Path) -> None:
    """Rename a whole new folder to its place; what stood there goes once the new one stands."""
    fresh.chmod(0o755)
    old = fresh.with_name(f"{fresh.name}.old")
    if out.exists():
        out.replace(old)
    try:
        fresh.replace(out)
    except BaseException:
        if old.exists():
            old.replace(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def published(node: Node, book: Book) -> Iterator[tuple[str, bytes]]:
    """Yield every file of the record but the pages, with its path: what needs no rendering."""
    for entry in book.entries:
        data = statement_file(node, entry)
        # What no quorum has seen yet is not published.
        if data is not None:
            yield f"{STATEMENTS}/{entry.file}", data
    for name, data in node.roster_files().items():
        yield f"roster/{name}", data
    for _, evidence in book.of_kind(Evidence):
        samples = node.blobs.get(evidence.samples.digest)
        if samples is not None and may_read_samples("public", evidence, book.entries).allowed:
            yield blob_path(evidence.samples.digest), samples


def _write(node: Node, book: Book, out: Path) -> Written:
    statements = 0
    for path, data in published(node, book):
        write_atomic(out / path, data)
        statements += path.startswith(f"{STATEMENTS}/")
    return Written(statements, build_site(book, load_reference(), out / "site"))
