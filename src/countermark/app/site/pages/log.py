# SPDX-License-Identifier: Apache-2.0
"""The logs: all of them, one page for each author, and every record's own bytes."""

from collections.abc import Iterator

from countermark.app.site import addresses
from countermark.app.site.context import PAGES, Site, downloads, files
from countermark.app.site.page import JSON_TYPE, DataFile, Page, Sheet
from countermark.node.book import Entry, LogState
from countermark.records.evidence import Evidence, ExerciseClosing, SealedResult
from countermark.records.finding import Dissent
from countermark.records.protocol import Countersignature, RunPlan

DETAILS = {
    "protocol": "title",
    "countersignature": "of_kind",
    "run-plan": "lab",
    "sealed-result": "lab",
    "evidence": "lab",
    "framework": "label",
    "decision": "verdict",
    "annotation-set": "title",
    "determination": "key",
    "account": "date",
    "reply": "date",
}
"""The field of each kind that tells one record from another."""


def log_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the overview, one page for each log, and the bytes of every record."""
    sheet = Sheet(
        "log/log",
        "All statements",
        (
            "origin",
            "index",
            "author",
            "kind",
            "digest",
            "envelope",
            "witnessed",
            "witnesses",
            "file",
        ),
        tuple(
            (
                entry.origin,
                entry.index,
                entry.author,
                entry.record.kind_name(),
                entry.digest,
                entry.envelope,
                entry.witnessed,
                " ".join(entry.witnesses),
                entry.file,
            )
            for entry in site.book.entries
        ),
    )
    yield site.render("logs", "log/", "The logs", downloads=downloads([sheet]))
    yield from files([sheet])
    for log in site.book.logs:
        yield _log_page(site, log)
    records = {(entry.record.kind_name(), entry.digest): entry for entry in site.book.entries}
    for (kind, digest), entry in records.items():
        yield DataFile(addresses.record(kind, digest), entry.record.to_bytes(), JSON_TYPE)


def _log_page(site: Site, log: LogState) -> Page:
    entries = [entry for entry in site.book.entries if entry.origin == log.origin]
    return site.render(
        "log",
        addresses.log(log.author),
        f"Log of {site.who(log.author)}",
        log=log,
        entries=[(entry, _said(entry), _page_of(site, entry)) for entry in entries],
        party=site.book.roster.party(log.author),
    )


def _said(entry: Entry) -> str:
    """Return what an entry says in a few words."""
    kind = entry.record.kind_name()
    words = kind.replace("-", " ").capitalize()
    return f"{words}: {getattr(entry.record, DETAILS[kind])}" if kind in DETAILS else words


def _page_of(site: Site, entry: Entry) -> str | None:
    """Return the page that shows an entry, if the book holds what the page needs."""
    record = entry.record
    if entry.digest in site.shown:
        return PAGES[record.kind_name()](entry.digest)
    if isinstance(record, Countersignature | Dissent):
        about = site.book.find(record.of)
        return _page_of(site, about) if about else None
    if isinstance(record, RunPlan | SealedResult | ExerciseClosing | Evidence):
        return addresses.exercise(record.protocol) if record.protocol in site.shown else None
    return None
