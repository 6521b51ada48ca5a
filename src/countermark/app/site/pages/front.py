# SPDX-License-Identifier: Apache-2.0
"""The front page: what this is, what was found last, and whether the logs are whole."""

from collections.abc import Iterator

from countermark.app.site.context import MISSING, Site, downloads, files
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.app.site.pages.findings import listed
from countermark.app.site.strands import STATUS, headline
from countermark.network.indicators import indicators


def front_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the front page, its indicators as files, and the page for what is not there."""
    figures = indicators(site.book)
    sheet = Sheet(
        "indicators",
        "Indicators",
        ("code", "title", "numerator", "denominator", "unit", "explanation"),
        tuple(
            (
                found.code,
                found.title,
                found.numerator,
                found.denominator,
                found.unit,
                found.explanation,
            )
            for found in figures
        ),
    )
    yield site.render(
        "front",
        "",
        "Joint tests of AI systems, on the record",
        latest=next(iter(listed(site)), None),
        indicators=figures,
        headline=headline,
        status_words=STATUS,
        downloads=downloads([sheet]),
    )
    yield from files([sheet])


def missing_page(site: Site) -> Page:
    """Return the page that says there is no such page."""
    return site.render("missing", MISSING, "There is no such page")
