# SPDX-License-Identifier: Apache-2.0
"""The Frontier AI Safety Commitments, and what each signatory has published."""

from collections.abc import Iterator

from countermark.app.site import addresses
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.page import DataFile, Page, Sheet


def commitment_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the page of the commitments, and one for each company."""
    sheet = Sheet(
        "commitments/publications",
        "Published documents",
        ("company", "signed", "document", "label", "date", "genre", "as_of"),
        tuple(
            (
                company.name,
                company.signed,
                found.title,
                found.label,
                found.date,
                found.genre,
                found.as_of,
            )
            for company in site.reference.companies
            for found in company.publications
        ),
    )
    yield site.render(
        "commitments",
        "commitments/",
        site.reference.commitments.title,
        commitments=site.reference.commitments,
        downloads=downloads([sheet]),
    )
    yield from files([sheet])
    for company in site.reference.companies:
        yield site.render(
            "company",
            addresses.company(company.slug),
            company.name,
            company=company,
            commitments=site.reference.commitments,
        )
