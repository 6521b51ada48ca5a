# SPDX-License-Identifier: Apache-2.0
"""Protocols: what was agreed to be tested, and how."""

from collections.abc import Iterator

from countermark.app.site import addresses
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.exercises import Exercise, exercises
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.records.evidence import AnnotationSet
from countermark.taxonomy.risks import risks


def protocol_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return one page for each protocol, and one for the items of each of its tasks."""
    titles = {risk.code: risk.title for risk in risks()}
    for exercise in exercises(site.book):
        yield from _protocol_page(site, exercise, titles)


def _protocol_page(
    site: Site, exercise: Exercise, risk_titles: dict[str, str]
) -> Iterator[Page | DataFile]:
    protocol, entry = exercise.protocol, exercise.entry
    path = addresses.protocol(entry.digest)
    labelled = {found.digest: record for found, record in site.book.of_kind(AnnotationSet)}
    sheet = Sheet(
        f"{path}items",
        "All items in all languages",
        ("task", "item", "role", "approach", "language", "prompt", "expected"),
        tuple(
            (
                task.key,
                item.key,
                item.role,
                item.approach,
                text.language,
                text.prompt,
                text.expected,
            )
            for task in protocol.tasks
            for item in task.items
            for text in item.texts
        ),
    )
    yield site.render(
        "protocol",
        path,
        protocol.title,
        digest=entry.digest,
        entry=entry,
        protocol=protocol,
        assents=exercise.assents,
        risk_title=lambda code: risk_titles.get(code, code),
        labelled=labelled,
        downloads=downloads([sheet], entry),
    )
    yield from files([sheet])
    for task in protocol.tasks:
        yield site.render(
            "items",
            f"{path}{task.key}/",
            f"Items: {task.title}",
            digest=entry.digest,
            entry=entry,
            protocol=protocol,
            task=task,
            downloads=downloads([sheet]),
        )
