# SPDX-License-Identifier: Apache-2.0
"""The record frozen to a folder that any web server, or none, can show."""

import tempfile
from pathlib import Path

from countermark.app.site.page import Page
from countermark.app.site.pages import all_pages
from countermark.app.site.reference import Reference
from countermark.node.book import Book
from countermark.records.errors import StorageError


def build_site(book: Book, reference: Reference, out: Path) -> int:
    """Write every page and file below ``out``, which is replaced as a whole.

    The same input gives the same bytes. Nothing stands at ``out`` half written: the files are
    written beside it and moved there at the end.

    Returns
    -------
    int
        How many pages were written, files not counted.

    Raises
    ------
    StorageError
        If the folder cannot be written, or ``out`` holds something that is no site.
    """
    if _is_something_else(out):
        raise StorageError(
            "holds something else than a site",
            where=str(out),
            next_step="Name a new folder, or one that an earlier build has written.",
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as beside:
            pages = _write(book, reference, Path(beside) / "new")
            if out.exists():
                out.rename(Path(beside) / "old")
            (Path(beside) / "new").rename(out)
    except OSError as error:
        raise StorageError(
            f"cannot be written: {error.strerror}",
            where=str(error.filename or out),
            next_step="Free some space or name a folder that you may write to, then build again.",
        ) from error
    return pages


def _is_something_else(out: Path) -> bool:
    if not out.is_dir():
        return out.exists()
    return not (out / "index.html").is_file() and any(out.iterdir())


def _write(book: Book, reference: Reference, folder: Path) -> int:
    pages = 0
    for found in all_pages(book, reference):
        file = folder / found.path
        file.parent.mkdir(parents=True, exist_ok=True)
        body = found.html if isinstance(found, Page) else found.body
        file.write_bytes(body)
        pages += isinstance(found, Page)
    return pages
