# SPDX-License-Identifier: Apache-2.0
"""Protocols: what was agreed to be tested, and how."""

from collections.abc import Iterator
from functools import partial

from countermark.app.site import addresses
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.exercises import Exercise, exercises
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.exercise.private.content import sealed_items
from countermark.exercise.protocol.checks import all_scorers
from countermark.exercise.protocol.translations import translated, translation_statuses
from countermark.records.evidence import AnnotationSet
from countermark.records.protocol import ScorerVersion, Task
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
        (
            "task",
            "item",
            "role",
            "approach",
            "language",
            "prompt",
            "expected",
            "translation",
            "seal",
        ),
        tuple(
            (
                task.key,
                item.key,
                item.role,
                item.approach,
                text.language,
                text.prompt,
                text.expected,
                translated(text.translation) if text.translation else None,
                text.sealed.digest if text.sealed else None,
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
        judges=_judges,
        private=sealed_items,
        statuses=partial(translation_statuses, protocol),
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
            translated=translated,
            downloads=downloads([sheet]),
        )


def _judges(task: Task) -> list[tuple[str, ScorerVersion]]:
    """Return the versions of a task's scorers that are language models."""
    return [
        (scorer.key, version)
        for scorer in all_scorers(task)
        for version in scorer.versions
        if version.judge is not None
    ]
