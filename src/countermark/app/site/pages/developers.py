# SPDX-License-Identifier: Apache-2.0
"""Developers: what each promised and when, what changed, and what it answers."""

from collections import Counter
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from countermark.app.site.beside import lines
from countermark.app.site.charts import Mark, Moment, documents
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.known import Compared, Developer, Known
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.app.site.signs import SIGNS
from countermark.commitments.tracker import STATES, Cell, Grid
from countermark.records.reference import Publication

LEGEND: dict[Mark, str] = {
    "disc": "Logged by the developer itself",
    "diamond": "Logged by an institute",
    "ring": "Recorded from public sources, unsigned",
    "kite": "Listed only, not written down",
    "triangle": "A version with an alarm",
}


def developer_pages(
    site: Site, known: Sequence[Developer], grids: Sequence[Grid]
) -> Iterator[Page | DataFile]:
    """Return one page for each developer.

    Parameters
    ----------
    site
        The record.
    known
        The developers.
    grids
        The states of their commitments; each developer stands in one of the grids.
    """
    for developer in known:
        cells = next((row for grid in grids if (row := grid.row(developer.code))), ())
        yield from _developer_page(site, developer, cells)


def _developer_page(
    site: Site, developer: Developer, cells: Sequence[Cell]
) -> Iterator[Page | DataFile]:
    sheets = [_versions(developer), _states(developer, cells)]
    counts = Counter(cell.state for cell in cells)
    mine = {version.digest for version in developer.versions}
    yield site.render(
        "developer",
        developer.path,
        developer.name,
        developer=developer,
        company=developer.company,
        commitments=site.reference.commitments,
        cells=cells,
        counts={state: counts[state] for state in STATES if counts[state]},
        meanings=STATES,
        chart=_timeline(developer),
        effects=_effects,
        less=_less(developer.changes),
        told=sum(change.account is not None for change in developer.changes),
        listed=_not_encoded(developer),
        decisions=[one for one in site.decisions if one.decision.framework in mine],
        several_titles=len({one.framework.title.casefold() for one in developer.versions}) > 1,
        lines=lines,
        pressing=_pressing(cells),
        same=lambda cell: _same(cell, cells),
        downloads=downloads(sheets),
    )
    yield from files(sheets)


def _pressing(cells: Sequence[Cell]) -> dict[tuple[str, str], list[str]]:
    """Return since when commitments are contested or overdue, and which."""
    found: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        day = cell.since
        if cell.state in ("contested", "overdue") and day:
            found.setdefault((cell.state, day), []).append(cell.commitment.upper())
    return found


def _same(cell: Cell, cells: Sequence[Cell]) -> str | None:
    """Return the first commitment of which the same is said, where no statement speaks to it."""
    if cell.statements:
        return None
    alike = (one for one in cells if (one.state, one.words) == (cell.state, cell.words))
    first = next(alike).commitment
    return first if first != cell.commitment else None


def _effects(change: Compared) -> dict[str, int]:
    """Count the changes between two versions by effect."""
    found = Counter[str](one.effect for one in change.diff.changes)
    return {effect: found[effect] for effect in SIGNS["effect"] if found[effect]}


def _less(changes: Sequence[Compared]) -> dict[str, int]:
    """Count what asks less in all changes of version."""
    found = sum((Counter(_effects(change)) for change in changes), Counter[str]())
    return {effect: found[effect] for effect in ("weakened", "removed") if found[effect]}


def _not_encoded(developer: Developer) -> list[Publication]:
    """Return the listed documents of which no version is written down."""
    encoded = {(one.framework.title, one.framework.published) for one in developer.versions}
    found = developer.company.publications if developer.company else ()
    return [one for one in found if (one.title, one.date) not in encoded]


def _timeline(developer: Developer) -> Markup | None:
    moments = [
        Moment(_called(one.framework.title, one.framework.label), one.framework.published, mark)
        for one in developer.versions
        for mark in (_mark(developer, one),)
    ]
    moments += [
        Moment(_called(one.title, one.label), one.date, "kite") for one in _not_encoded(developer)
    ]
    if not moments:
        return None
    moments.sort(key=lambda one: one.date)
    used = {one.mark for one in moments}
    said = "; ".join(f"{one.date}: {one.label}, {LEGEND[one.mark].lower()}" for one in moments)
    return documents(
        "versions",
        f"Documents of {developer.name} in time",
        f"{said}.",
        moments,
        [(mark, words) for mark, words in LEGEND.items() if mark in used],
    )


def _called(title: str, label: str | None) -> str:
    # What makes versions of one title differ stands first, because a narrow page cuts the end.
    return f"{label}: {title}" if label and not label.startswith("no label, ") else title


def _mark(developer: Developer, version: Known) -> Mark:
    if developer.alarmed(version.digest):
        return "triangle"
    if version.entry is None:
        return "ring"
    return "disc" if version.own else "diamond"


def _versions(developer: Developer) -> Sheet:
    return Sheet(
        f"{developer.path}versions",
        "All versions",
        (
            *("title", "label", "published", "effective", "status", "framework", "document"),
            *(
                "logged_by",
                "index",
                "witnessed",
                "alarms",
            ),
        ),
        tuple(
            (
                *(one.framework.title, one.framework.label, one.framework.published),
                *(one.framework.effective, one.framework.status, one.digest),
                *(one.framework.document, one.recorder),
                one.entry.index if one.entry else None,
                one.entry.witnessed if one.entry else None,
                "; ".join(alarm.words for alarm in developer.alarmed(one.digest)) or None,
            )
            for one in developer.versions
        ),
    )


def _states(developer: Developer, cells: Sequence[Cell]) -> Sheet:
    return Sheet(
        f"{developer.path}commitments",
        "Commitments",
        ("commitment", "state", "rule", "words", "since", "statements", "replies"),
        tuple(
            (
                *(cell.commitment, cell.state, cell.rule, cell.words, cell.since),
                " ".join(one.digest for one in cell.statements) or None,
                " ".join(one.digest for one in cell.replies) or None,
            )
            for cell in cells
        ),
    )
