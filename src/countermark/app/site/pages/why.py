# SPDX-License-Identifier: Apache-2.0
"""One page for each finding on what stands behind it: agreement, error, choices, next runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from countermark.app.site import addresses
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.exercises import findings
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.exercise.explaining.error_shares import ErrorShare, error_shares
from countermark.exercise.explaining.factors import measured_sentences, observed_sentences
from countermark.exercise.explaining.qualities import Check, beside, qualities
from countermark.exercise.explaining.turning import Turning, turning
from countermark.exercise.explaining.turning_words import choice_words, would_change
from countermark.node.book import Entry
from countermark.records.finding import Finding, FindingCell
from countermark.records.finding_figures import NextRunFigure
from countermark.records.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Told:
    """One cell and what is behind its rate."""

    cell: FindingCell
    name: str
    path: str
    shares: tuple[ErrorShare, ...]
    turning: Turning | None
    sentences: tuple[str, ...]


def why_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return one page for each finding."""
    for entry, finding, protocol in findings(site.book):
        yield from _why_page(site, entry, finding, protocol)


def _why_page(
    site: Site, entry: Entry, finding: Finding, protocol: Protocol
) -> Iterator[Page | DataFile]:
    told = tuple(_told(site, entry, protocol, cell) for cell in finding.cells)
    checks = qualities(finding, protocol, beside(site.book, finding, protocol))
    path = addresses.why(entry.digest)
    sheets = (_choices(path, told), _shares(path, told), _checks(path, checks))
    yield site.render(
        "why",
        path,
        f"What stands behind it: {protocol.title}",
        digest=entry.digest,
        entry=entry,
        finding=finding,
        protocol=protocol,
        told=told,
        measured=tuple(measured_sentences(finding)),
        observed=tuple(observed_sentences(finding)),
        next_runs=_next_runs(told),
        choice_words=choice_words,
        qualities=_by_quality(checks),
        downloads=downloads(sheets),
    )
    yield from files(sheets)


def _told(site: Site, entry: Entry, protocol: Protocol, cell: FindingCell) -> Told:
    task, model = protocol.task(cell.task), protocol.model(cell.model)
    parts = [task.title if task else cell.task, site.language(cell.language)]
    if len(protocol.models) > 1:
        parts.insert(1, model.title if model else cell.model)
    found = turning(cell)
    return Told(
        cell,
        ", ".join(parts),
        addresses.cell(entry.digest, cell.model, cell.task, cell.language),
        error_shares(cell),
        found if isinstance(found, Turning) else None,
        tuple(would_change(cell)),
    )


def _next_runs(told: tuple[Told, ...]) -> tuple[tuple[Told, NextRunFigure, float], ...]:
    """Return the next runs of published cells, the one that narrows most an answer first."""
    rows = []
    for one in told:
        for run in one.cell.next_run:
            now = one.cell.figure(run.estimand)
            if now is not None and one.cell.status == "reported":
                rows.append((one, run, (now.upper - now.lower) / 2))
    return tuple(
        sorted(rows, key=lambda row: (row[1].half_width - row[2]) / max(1, row[1].answers))
    )


def _by_quality(checks: tuple[Check, ...]) -> tuple[tuple[str, tuple[Check, ...]], ...]:
    names = dict.fromkeys(check.quality for check in checks)
    return tuple(
        (name, tuple(check for check in checks if check.quality == name)) for name in names
    )


def _choices(path: str, told: tuple[Told, ...]) -> Sheet:
    return Sheet(
        f"{path}choices",
        "Every other choice",
        ("model", "task", "language", "kind", "estimand", "correction", "without_lab", "method",
         "value", "lower", "upper", "moves", "turns"),
        tuple(
            (one.cell.model, one.cell.task, one.cell.language, choice.kind, choice.estimand,
             choice.correction, choice.without_lab, choice.method, choice.value, choice.lower,
             choice.upper, choice.moves, "yes" if choice.turns else "no")
            for one in told
            if one.turning
            for choice in one.turning.choices
        ),
    )  # fmt: skip


def _shares(path: str, told: tuple[Told, ...]) -> Sheet:
    return Sheet(
        f"{path}errors",
        "Where the error comes from",
        ("model", "task", "language", "source", "variance", "share"),
        tuple(
            (one.cell.model, one.cell.task, one.cell.language, part.source, part.variance,
             part.share)
            for one in told
            for part in one.shares
        ),
    )  # fmt: skip


def _checks(path: str, checks: tuple[Check, ...]) -> Sheet:
    words = {True: "shown", False: "not shown", None: "nothing to look at"}
    return Sheet(
        f"{path}qualities",
        "Six qualities, check by check",
        ("number", "quality", "looked_for", "found", "evidence"),
        tuple(
            (one.number, one.quality, one.looked_for, words[one.holds], one.evidence)
            for one in checks
        ),
    )
