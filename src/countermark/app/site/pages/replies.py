# SPDX-License-Identifier: Apache-2.0
"""Replies: what a developer answers, beside what it answers."""

from collections.abc import Iterator, Sequence

from countermark.app.site import addresses
from countermark.app.site.context import Site, downloads
from countermark.app.site.naming import answer_sort, called
from countermark.app.site.page import Page
from countermark.commitments.tracker import Grid
from countermark.node.book import Entry
from countermark.records.account import Reply
from countermark.records.decision import Decision
from countermark.records.determination import Determination


def reply_pages(site: Site, grids: Sequence[Grid]) -> Iterator[Page]:
    """Return one page for each reply.

    Parameters
    ----------
    site
        The record.
    grids
        The states of the commitments.
    """
    found = {entry.digest: (entry, reply) for entry, reply in site.book.of_kind(Reply)}
    for entry, reply in found.values():
        yield _reply_page(site, entry, reply, grids)


def _reply_page(site: Site, entry: Entry, reply: Reply, grids: Sequence[Grid]) -> Page:
    answered = site.entries.get(reply.of) if reply.of else None
    record = answered.record if answered else None
    said = record if isinstance(record, Decision | Determination) else None
    framework = site.framework(said.framework) if said else None
    return site.render(
        "reply",
        addresses.reply(entry.digest),
        called(site, entry),
        digest=entry.digest,
        entry=entry,
        reply=reply,
        answered=answered,
        answered_called=called(site, answered) if answered else None,
        said=said,
        framework=framework,
        sort=answer_sort(said, framework)
        if isinstance(said, Determination)
        else said and "verdict",
        cells=[
            cell
            for grid in grids
            for cell in grid.cells
            if entry.digest in {answer.digest for answer in cell.replies}
        ],
        downloads=downloads((), entry),
    )
