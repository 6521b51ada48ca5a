# SPDX-License-Identifier: Apache-2.0
"""Declarations with the indicators computed for their principles, and partnerships."""

from collections.abc import Iterator

from countermark.app.site import addresses
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.page import JSON_TYPE, DataFile, Page, Sheet
from countermark.network.indicators import indicators


def declaration_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the list of declarations and one page for each."""
    computed = {indicator.code: indicator for indicator in indicators(site.book)}
    sheet = Sheet(
        "declarations/declarations",
        "Declarations and principles",
        (
            "declaration",
            "date",
            "place",
            "principle",
            "words",
            "indicator",
            "numerator",
            "denominator",
        ),
        tuple(
            (
                declaration.key,
                declaration.date,
                declaration.place,
                principle.key,
                principle.words,
                principle.indicator,
                *(
                    (found.numerator, found.denominator)
                    if (found := computed.get(principle.indicator or ""))
                    else (None, None)
                ),
            )
            for declaration in site.reference.declarations
            for principle in declaration.principles
        ),
    )
    yield site.render("declarations", "declarations/", "Declarations", downloads=downloads([sheet]))
    yield from files([sheet])
    for declaration in site.reference.declarations:
        path = addresses.declaration(declaration.key)
        yield site.render(
            "declaration", path, declaration.title, declaration=declaration, computed=computed
        )
        yield DataFile(f"{path}declaration.json", declaration.to_bytes(), JSON_TYPE)


def partnership_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the page of all partnerships."""
    sheet = Sheet(
        "partnerships/partnerships",
        "Partnerships",
        ("key", "title", "parties", "date", "opens", "as_of"),
        tuple(
            (
                found.key,
                found.title,
                "; ".join(found.parties),
                found.date,
                "; ".join(found.opens),
                found.as_of,
            )
            for found in site.reference.partnerships
        ),
    )
    yield site.render("partnerships", "partnerships/", "Partnerships", downloads=downloads([sheet]))
    yield from files([sheet])
