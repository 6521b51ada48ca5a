# SPDX-License-Identifier: Apache-2.0
"""Two versions of a framework, threshold by threshold: what changed, and whether it was told."""

from collections import Counter
from collections.abc import Iterator, Sequence

from countermark.app.site.context import Site, downloads, files
from countermark.app.site.figures import label
from countermark.app.site.known import Compared, Developer
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.app.site.signs import SIGNS
from countermark.commitments.wording import asks
from countermark.records.framework import Threshold


def change_pages(site: Site, known: Sequence[Developer]) -> Iterator[Page | DataFile]:
    """Return one page for each two versions that follow each other."""
    for developer in known:
        for change in developer.changes:
            yield from _change_page(site, developer, change)


def _change_page(site: Site, developer: Developer, change: Compared) -> Iterator[Page | DataFile]:
    sheet = Sheet(
        f"{change.path}changes",
        "All changes",
        ("section", "key", "new_key", "effect", "aspect", "before", "after", "rule", "told"),
        tuple(
            (
                *(one.section, one.key, one.new_key, one.effect, one.aspect),
                *(one.before, one.after, one.rule, one.told),
            )
            for one in change.diff.changes
        ),
    )
    labels = [label(one.framework.label) for one in (change.before, change.after)]
    yield site.render(
        "change",
        change.path,
        f"{change.after.framework.title}: from {labels[0]} to {labels[1]}",
        developer=developer,
        change=change,
        diff=change.diff,
        effects=_counted(change, "effect"),
        told=_counted(change, "told"),
        sides=_sides(change),
        files=(change.before.framework.document, change.after.framework.document),
        asks=asks,
        downloads=downloads([sheet]),
    )
    yield from files([sheet])


def _counted(change: Compared, sort: str) -> dict[str, int]:
    """Count the changes by effect, or those that change what is asked by whether it was told."""
    found = Counter(
        getattr(one, sort) for one in change.diff.changes if sort == "effect" or one.material
    )
    return {state: found[state] for state in SIGNS[sort] if found[state]}


def _sides(
    change: Compared,
) -> list[tuple[Threshold | None, Threshold | None, tuple[str, ...]]]:
    """Return the aligned thresholds with the effects of their changes."""
    old = {one.key: one for one in change.before.framework.thresholds}
    new = {one.key: one for one in change.after.framework.thresholds}
    return [
        (
            old.get(pair.key or ""),
            new.get(pair.new_key or ""),
            tuple(
                dict.fromkeys(
                    one.effect
                    for one in change.diff.changes
                    if one.section == "threshold"
                    and (one.key, one.new_key) == (pair.key, pair.new_key)
                )
            ),
        )
        for pair in change.diff.thresholds
    ]
