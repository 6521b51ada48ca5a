# SPDX-License-Identifier: Apache-2.0
"""The Frontier AI Safety Commitments, who signed them, and what the signatories published.

Nothing here judges a company: a document is listed with its date, its source and the kind of
thresholds that it states.
"""

from dataclasses import dataclass
from functools import cache

from pydantic import Field

from countermark.records.base import Date, Part, Slug, Text
from countermark.records.reference import Declaration, Publication, Source
from countermark.taxonomy.reading import packaged, read_folder, read_list


class Signatory(Part):
    """One company that signed, and the names under which it publishes."""

    slug: Slug
    name: Text
    signed: Date
    publishers: tuple[Text, ...] = Field(min_length=1)


class SignatoryList(Part):
    """The file of all signatories."""

    as_of: Date
    sources: tuple[Source, ...] = Field(min_length=1)
    companies: tuple[Signatory, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Company:
    """A signatory with the documents that were found.

    Parameters
    ----------
    slug, name
        How addresses and pages call it.
    signed
        When it signed (ISO 8601, to the day or the month).
    publications
        Its documents, oldest first.
    as_of
        The day until which sources were searched.
    publishers
        The names under which it publishes.
    """

    slug: str
    name: str
    signed: str
    publications: tuple[Publication, ...]
    as_of: str
    publishers: tuple[str, ...]

    @property
    def standing(self) -> str:
        """One sentence on what was found; never a judgement."""
        if not self.publications:
            return f"no framework found in our sources as of {self.as_of}"
        latest = self.publications[-1]
        label = f" ({latest.label})" if latest.label else ""
        return f"latest found: {latest.title}{label}, {latest.date}"


@cache
def load_commitments() -> Declaration:
    """Return the Frontier AI Safety Commitments."""
    folder = packaged("commitments", "commitments")
    (commitments,) = read_folder(Declaration, folder, lambda record: record.key)
    return commitments


@cache
def load_publications() -> tuple[Publication, ...]:
    """Return the signatories' published frameworks, by key."""
    folder = packaged("commitments", "publications")
    return read_folder(Publication, folder, lambda record: record.key)


@cache
def companies() -> tuple[Company, ...]:
    """Return all signatories with their documents, in the order of the published list."""
    listed = read_list(SignatoryList, packaged("commitments", "companies.json"))
    return tuple(
        Company(
            slug=company.slug,
            name=company.name,
            signed=company.signed,
            publications=_published_by(company.publishers),
            as_of=listed.as_of,
            publishers=company.publishers,
        )
        for company in listed.companies
    )


def _published_by(publishers: tuple[str, ...]) -> tuple[Publication, ...]:
    own = (found for found in load_publications() if found.publisher in publishers)
    return tuple(sorted(own, key=lambda found: (found.date, found.key)))
