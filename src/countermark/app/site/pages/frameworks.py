# SPDX-License-Identifier: Apache-2.0
"""Frameworks: the list of all that are known, and everything that each version holds."""

from collections import Counter
from collections.abc import Iterator, Sequence

from countermark.app.site import addresses
from countermark.app.site.context import Download, Site, downloads, files
from countermark.app.site.known import Compared, Developer, Known
from countermark.app.site.naming import answer_sort, question
from countermark.app.site.page import JSON_TYPE, DataFile, Page, Sheet
from countermark.app.site.signs import STANDINGS, quantity
from countermark.commitments.wording import SORTS, asks
from countermark.records.determination import Determination


def framework_pages(site: Site, known: Sequence[Developer]) -> Iterator[Page | DataFile]:
    """Return the list of frameworks, and one page for each version."""
    sheet = Sheet(
        "frameworks/frameworks",
        "All versions",
        (
            *("developer", "title", "label", "published", "status", "thresholds", "not_quantified"),
            *(
                "framework",
                "document",
                "logged_by",
                "demonstration",
            ),
        ),
        tuple(_row(developer, version) for developer in known for version in developer.versions),
    )
    thresholds = Sheet("frameworks/thresholds", "All thresholds", _COLUMNS, _thresholds(known))
    yield site.render(
        "frameworks",
        "frameworks/",
        "Frameworks",
        known=[developer for developer in known if developer.versions],
        without=[developer for developer in known if not developer.versions],
        counts=_counts,
        downloads=downloads([sheet, thresholds]),
    )
    yield from files([sheet, thresholds])
    for developer in known:
        for version in developer.versions:
            yield from _framework_page(site, developer, version)


def _framework_page(site: Site, developer: Developer, version: Known) -> Iterator[Page | DataFile]:
    framework = version.framework
    record = Download("The record itself (JSON)", addresses.record("framework", version.digest))
    said = {e.digest: (e, r) for e, r in site.book.of_kind(Determination)}
    yield site.render(
        "framework",
        version.path,
        framework.title,
        digest=version.digest,
        entry=version.entry,
        developer=developer,
        framework=framework,
        known=version,
        counts=_counts(version),
        domains={domain.key: domain.title for domain in framework.domains or ()},
        measures={one.key: one.title for one in framework.mitigations or ()},
        changes=_touching(developer, version),
        alarms=developer.alarmed(version.digest),
        determinations=[pair for pair in said.values() if pair[1].framework == version.digest],
        decisions=[one for one in site.decisions if one.decision.framework == version.digest],
        question=question,
        answer_sort=answer_sort,
        asks=asks,
        sorts=SORTS,
        standings=STANDINGS,
        quantity=quantity,
        downloads=(record,),
    )
    if version.entry is None:
        yield DataFile(record.path, framework.to_bytes(), JSON_TYPE)


def _touching(developer: Developer, version: Known) -> list[Compared]:
    return [
        change
        for change in developer.changes
        if version.digest in (change.before.digest, change.after.digest)
    ]


def _counts(version: Known) -> Counter[str]:
    return Counter(quantity(threshold.rule) for threshold in version.framework.thresholds)


def _row(developer: Developer, version: Known) -> tuple[str | int | None, ...]:
    framework = version.framework
    return (
        *(developer.name, framework.title, framework.label, framework.published),
        *(framework.status, len(framework.thresholds), _counts(version)["not-quantified"]),
        *(version.digest, framework.document, version.recorder),
        "yes" if framework.demonstration else "no",
    )


_COLUMNS = (
    *("developer", "label", "framework", "threshold", "title", "kind", "asks", "force"),
    *(
        "status",
        "section",
        "standing_of_source",
    ),
)


def _thresholds(known: Sequence[Developer]) -> tuple[tuple[str | None, ...], ...]:
    return tuple(
        (
            *(developer.name, version.framework.label, version.digest, one.key, one.title),
            *(one.rule.kind, asks(one.rule), one.force, one.status or version.framework.status),
            one.read_in.section if one.read_in else None,
            one.read_in.source.standing if one.read_in else None,
        )
        for developer in known
        for version in developer.versions
        for one in version.framework.thresholds
    )
