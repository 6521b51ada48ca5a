# SPDX-License-Identifier: Apache-2.0
"""The published frameworks of the companies of the commitments that could be encoded.

They are recorded data, not statements: nobody signed them, and no ``recorded_by`` stands in them.
Whoever logs one does so under its own name. A file is held to these rules:

1. It passes :mod:`countermark.commitments.checks`, and those of :func:`read_folder`.
2. A publication of the company has its title and its date, and the file bears that one's key.
3. It has sources, and the day they were last read.
4. It names nobody who recorded it.
"""

from collections.abc import Iterable
from functools import cache

from countermark.commitments.checks import check_framework
from countermark.commitments.reference import companies
from countermark.node.book import Entry
from countermark.records.canonical import content_digest
from countermark.records.errors import InputError
from countermark.records.framework import Framework
from countermark.records.reference import Publication
from countermark.taxonomy.reading import packaged, read_folder


@cache
def load_frameworks() -> tuple[Framework, ...]:
    """Return all encoded frameworks, by key.

    Raises
    ------
    InputError
        If a file breaks a rule of the module docstring.
    """
    found = read_folder(Framework, packaged("commitments", "frameworks"), framework_key)
    for framework in found:
        where = f"{framework_key(framework)}.json"
        check_framework(framework, where=where)
        if not framework.sources or framework.as_of is None:
            raise InputError(
                "has no sources, or no day on which they were read",
                where=where,
                next_step="Add sources and as_of.",
            )
        if framework.recorded_by is not None:
            raise InputError(
                "names who recorded it",
                where=where,
                next_step="Take recorded_by out; whoever logs the framework sets it.",
            )
    return found


def frameworks_of(company: str) -> tuple[Framework, ...]:
    """Return the encoded frameworks of a company, by its slug, oldest first."""
    own = (framework for framework in load_frameworks() if framework.developer == company)
    return tuple(sorted(own, key=lambda framework: (framework.published, framework_key(framework))))


def known_framework(key: str) -> Framework | None:
    """Return the encoded framework of a key, or nothing if there is none."""
    return next((found for found in load_frameworks() if framework_key(found) == key), None)


def published_as(framework: Framework) -> Publication | None:
    """Return the publication that a framework encodes: same company, title and date."""
    return next(
        (
            publication
            for company in companies()
            if company.slug == framework.developer
            for publication in company.publications
            if (publication.title, publication.date) == (framework.title, framework.published)
        ),
        None,
    )


def framework_key(framework: Framework) -> str:
    """Return the key of an encoded framework: that of its publication.

    Raises
    ------
    InputError
        If the company has no such publication.
    """
    publication = published_as(framework)
    if publication is None:
        raise InputError(
            f"is no known publication of {framework.developer}",
            where=f"{framework.title}, {framework.published}",
            next_step="Add it to the publications, or correct the developer, title or date.",
        )
    return publication.key


def standings(framework: Framework) -> tuple[str, ...]:
    """Return how its text was read: from the developer's own, from somebody's account, or both."""
    found = {source.standing for source in framework.sources or ()}
    return tuple(standing for standing in ("primary", "secondary") if standing in found)


def as_logged_by(framework: Framework, code: str, document: bytes | None = None) -> Framework:
    """Return a framework as a node would log it.

    Parameters
    ----------
    framework
        The framework, as it was read.
    code
        The node's code. Where it is not the developer's, the framework says who recorded it.
    document
        The bytes of the file that the developer published, whose digest is put in.

    Raises
    ------
    InputError
        If the framework names another file than that.
    """
    added: dict[str, str] = {}
    if framework.recorded_by is None and code != framework.developer:
        added["recorded_by"] = code
    if document is not None:
        digest = content_digest(document)
        if framework.document not in (None, digest):
            raise InputError(
                f"has the digest {digest}, but the framework names {framework.document}",
                where="the published file",
                next_step="Give the file that was encoded, or encode this one as another version.",
            )
        added["document"] = digest
    return framework.model_copy(update=added)


def not_logged_by(
    code: str, frameworks: Iterable[Framework], entries: Iterable[Entry]
) -> tuple[Framework, ...]:
    """Return the frameworks that a node has still to log, each once, oldest first.

    The order is that of publication, because a developer's log that has an older version after a
    newer one raises an alarm (:mod:`countermark.commitments.versions`, rule 6).

    Parameters
    ----------
    code
        The node's code.
    frameworks
        The frameworks as the node would log them.
    entries
        What was logged, by whomever.
    """
    said = {entry.digest for entry in entries if entry.author == code}
    fresh = {one.digest: one for one in frameworks if one.digest not in said}
    return tuple(sorted(fresh.values(), key=lambda one: (one.published, one.effective or "")))
