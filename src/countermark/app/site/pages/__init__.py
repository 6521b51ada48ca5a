# SPDX-License-Identifier: Apache-2.0
"""Every page of the record, by topic, and the files that go with them."""

from collections.abc import Iterator
from importlib.resources import files

from countermark.app.site.context import MISSING, Site
from countermark.app.site.known import known_developers
from countermark.app.site.page import DataFile, Page
from countermark.app.site.pages.accounts import account_pages
from countermark.app.site.pages.cells import cell_pages
from countermark.app.site.pages.changes import change_pages
from countermark.app.site.pages.commitments import commitment_pages, grids
from countermark.app.site.pages.decisions import decision_pages
from countermark.app.site.pages.declarations import declaration_pages, partnership_pages
from countermark.app.site.pages.determinations import determination_pages
from countermark.app.site.pages.developers import developer_pages
from countermark.app.site.pages.exercises import exercise_pages
from countermark.app.site.pages.findings import finding_pages
from countermark.app.site.pages.frameworks import framework_pages
from countermark.app.site.pages.front import front_pages, missing_page
from countermark.app.site.pages.law import law_pages
from countermark.app.site.pages.log import log_pages
from countermark.app.site.pages.members import member_pages
from countermark.app.site.pages.protocols import protocol_pages
from countermark.app.site.pages.replies import reply_pages
from countermark.app.site.pages.verify import verify_pages
from countermark.app.site.pages.why import why_pages
from countermark.app.site.pages.words import word_pages
from countermark.app.site.reference import Reference
from countermark.node.book import Book

__all__ = ["MISSING", "all_pages"]

STATIC = {
    "style.css": "text/css; charset=utf-8",
    "mark.svg": "image/svg+xml",
    "verify.js": "text/javascript; charset=utf-8",
    "verify-page.js": "text/javascript; charset=utf-8",
}


def all_pages(book: Book, reference: Reference) -> Iterator[Page | DataFile]:
    """Return the whole record: every page and every file, each path once.

    Parameters
    ----------
    book
        The verified statements of a node.
    reference
        What public sources say about members, declarations and companies.
    """
    site = Site(book, reference)
    known = known_developers(site)
    computed = grids(site, known)
    yield from front_pages(site)
    yield missing_page(site)
    yield from finding_pages(site)
    yield from cell_pages(site)
    yield from why_pages(site)
    yield from exercise_pages(site)
    yield from protocol_pages(site)
    yield from decision_pages(site)
    yield from determination_pages(site, computed)
    yield from account_pages(site, known, computed)
    yield from reply_pages(site, computed)
    yield from log_pages(site)
    yield from member_pages(site)
    yield from declaration_pages(site)
    yield from partnership_pages(site)
    yield from commitment_pages(site, known, computed)
    yield from developer_pages(site, known, computed)
    yield from framework_pages(site, known)
    yield from change_pages(site, known)
    yield from law_pages(site)
    yield from word_pages(site)
    yield from verify_pages(site)
    folder = files("countermark.app.site")
    for name, media_type in STATIC.items():
        yield DataFile(name, (folder / name).read_bytes(), media_type)
