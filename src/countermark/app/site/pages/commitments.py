# SPDX-License-Identifier: Apache-2.0
"""The Frontier AI Safety Commitments: the grid of companies and commitments, never added up."""

from collections.abc import Iterator, Sequence

from countermark.app.site.context import Site, downloads, files
from countermark.app.site.known import Developer
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.commitments.deadlines import load_deadlines
from countermark.commitments.tracker import STATES, Grid, grid


def grids(site: Site, known: Sequence[Developer]) -> tuple[Grid, ...]:
    """Return the grid of the signatories, and one of the demonstration if there is one.

    Both are computed for the last day of which the record tells, so that the same record always
    gives the same page.
    """
    signatories = [one.as_company for one in known if one.company]
    others = [one.as_company for one in known if not one.company and one.demonstration]
    more = [one.as_company for one in known if not one.company and not one.demonstration]
    terms = (site.reference.commitments, site.book.entries, site.day)
    found = [grid([*signatories, *more], *terms)]
    if others:
        found.append(grid(others, *terms, demonstration=True))
    return tuple(found)


def commitment_pages(
    site: Site, known: Sequence[Developer], computed: Sequence[Grid]
) -> Iterator[Page | DataFile]:
    """Return the page of the commitments with its grids.

    Parameters
    ----------
    site
        The record.
    known
        The developers.
    computed
        Their grids, that of the signatories first.
    """
    sheets = [_cells(computed), _publications(site)]
    yield site.render(
        "commitments",
        "commitments/",
        site.reference.commitments.title,
        commitments=site.reference.commitments,
        grids=computed,
        states=STATES,
        deadlines=load_deadlines(),
        paths={developer.code: developer.path for developer in known},
        undocumented=[one for one in known if one.company and not one.company.publications],
        unwritten=[
            one for one in known if one.company and one.company.publications and not one.versions
        ],
        downloads=downloads(sheets),
    )
    yield from files(sheets)


def _cells(computed: Sequence[Grid]) -> Sheet:
    return Sheet(
        "commitments/grid",
        "The grid",
        (
            *("company", "commitment", "state", "rule", "words", "since", "statements", "replies"),
            *(
                "at",
                "demonstration",
            ),
        ),
        tuple(
            (
                *(cell.company, cell.commitment, cell.state, cell.rule, cell.words, cell.since),
                " ".join(one.digest for one in cell.statements) or None,
                " ".join(one.digest for one in cell.replies) or None,
                found.at,
                "yes" if found.demonstration else "no",
            )
            for found in computed
            for cell in found.cells
        ),
    )


def _publications(site: Site) -> Sheet:
    return Sheet(
        "commitments/publications",
        "Published documents",
        ("company", "joined", "document", "label", "date", "genre", "as_of"),
        tuple(
            (
                *(company.name, company.signed, found.title, found.label),
                *(found.date, found.genre, found.as_of),
            )
            for company in site.reference.companies
            for found in company.publications
        ),
    )
