# SPDX-License-Identifier: Apache-2.0
"""Findings: the list, and one page each."""

from collections.abc import Iterator
from dataclasses import dataclass

from countermark.app.site import addresses
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.exercises import Assents, assents, findings
from countermark.app.site.figures import figure_text
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.app.site.pages.compared import comparison, settings_sheet
from countermark.app.site.strands import ESTIMANDS, STATUS, Strand, headline, strands
from countermark.exercise.explaining.factors import beside, measured, observed
from countermark.node.book import Entry
from countermark.records.finding import (
    Difference,
    Finding,
    FindingCell,
    Gap,
    LabSettings,
    LeftOutBecause,
)
from countermark.records.finding_figures import Estimand, Figure
from countermark.records.protocol import Factor, Protocol


@dataclass(frozen=True, slots=True)
class Listed:
    """A finding as lists show it."""

    entry: Entry
    finding: Finding
    protocol: Protocol
    strands: tuple[Strand, ...]
    assents: Assents

    @property
    def path(self) -> str:
        """Folder of the finding's page."""
        return addresses.finding(self.entry.digest)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimand of one cell, before and after the judge's errors are taken out."""

    estimand: Estimand
    scored: Figure | None
    corrected: Figure | None

    @property
    def any(self) -> Figure | None:
        """Whichever of the two there is."""
        return self.corrected or self.scored


def listed(site: Site) -> tuple[Listed, ...]:
    """Return all findings, the latest first."""
    return tuple(
        Listed(
            entry,
            finding,
            protocol,
            strands(site, finding, protocol),
            assents(site.book, entry.digest),
        )
        for entry, finding, protocol in findings(site.book)
    )


def finding_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the list of findings and one page for each."""
    rows = listed(site)
    sheet = Sheet(
        "findings/findings",
        "All headline rates",
        (
            "finding",
            "witnessed",
            "model",
            "task",
            "language",
            "status",
            "estimand",
            "correction",
            "value",
            "lower",
            "upper",
            "level",
        ),
        tuple(
            (
                row.entry.digest,
                row.entry.witnessed,
                cell.model,
                cell.task,
                cell.language,
                cell.status,
                *_headline_values(cell),
            )
            for row in rows
            for cell in row.finding.cells
        ),
    )
    yield site.render(
        "findings",
        "findings/",
        "Joint findings",
        rows=rows,
        headline=headline,
        status_words=STATUS,
        downloads=downloads([sheet]),
    )
    yield from files([sheet])
    for row in rows:
        yield from _finding_page(site, row)


LEFT_OUT: dict[LeftOutBecause, str] = {
    "not-sealed": "planned a run and sealed nothing",
    "not-revealed": "sealed, not revealed",
    "counts-only": "counts only",
    "scores-closed": "shows some of its scores and not others",
    "coordinator": "left out by the coordinator",
    "not-comparable": "did not run the same, and did not say so",
}
"""Why a lab is not in a finding's figures, in plain words."""


def _headline_values(cell: FindingCell) -> tuple[str | float | None, ...]:
    first = headline(cell)
    if cell.status != "reported" or first is None:
        return (None,) * 6
    return (first.estimand, first.correction, first.value, first.lower, first.upper, first.level)


def _finding_page(site: Site, row: Listed) -> Iterator[Page | DataFile]:
    finding, protocol = row.finding, row.protocol
    titles = {factor.key: factor.title for factor in protocol.factors} | {"lab": "the lab itself"}
    sheets = (
        _rates(row),
        _labs(row),
        _counts(row),
        _contrasts(row),
        _languages(row),
        settings_sheet(row.path, finding),
    )

    def cell_path(cell: FindingCell) -> str:
        return addresses.cell(row.entry.digest, cell.model, cell.task, cell.language)

    def aliases(difference: Difference) -> list[str]:
        return [titles.get(alias, alias) for alias in difference.aliases]

    yield site.render(
        "finding",
        row.path,
        protocol.title,
        digest=row.entry.digest,
        entry=row.entry,
        finding=finding,
        protocol=protocol,
        strands=row.strands,
        assents=row.assents,
        factors=protocol.factors,
        headline=headline,
        status_words=STATUS,
        lines=estimates,
        cell_path=cell_path,
        setting=_setting,
        aliases=aliases,
        factor_title=lambda key: titles.get(key, key),
        equivalent=_equivalent,
        gaps=[_told(site, protocol, gap) for gap in finding.gaps],
        measured=measured(finding),
        observed=observed(finding),
        beside=lambda factor: beside(finding, factor),
        left_out_words=lambda lab: lab.reason or LEFT_OUT[lab.because],
        **comparison(finding),
        downloads=downloads(sheets, row.entry),
    )
    yield from files(sheets)


def estimates(cell: FindingCell) -> tuple[Estimate, ...]:
    """Return a cell's figures over all labs, one line for each estimand that it has."""
    found = (
        Estimate(
            estimand,
            cell.figure(estimand),
            cell.figure(estimand, "rogan-gladen"),
        )
        for estimand in ESTIMANDS
    )
    return tuple(estimate for estimate in found if estimate.any)


def _setting(lab: LabSettings, factor: Factor) -> str:
    value = next((found.value for found in lab.settings if found.factor == factor.key), None)
    level = factor.level(value) if value else None
    if level is None or level.number is None:
        return value or "–"
    return f"{value} ({figure_text(level.number, 'number')})"


def _told(site: Site, protocol: Protocol, gap: Gap) -> dict[str, str]:
    model = protocol.model(gap.model) if gap.model else None
    task = protocol.task(gap.task) if gap.task else None
    place = [named.title for named in (model, task) if named]
    if gap.language:
        place.append(site.language(gap.language))
    title = gap.section.replace("-", " ").capitalize()
    return {"title": title, "where": ", ".join(place), "reason": gap.reason}


def _equivalent(cell: FindingCell) -> str:
    told = [lab.e_n for lab in cell.labs if lab.e_n is not None]
    return f"{sum(abs(e_n) <= 1 for e_n in told)} of {len(told)}" if told else "–"


def _rates(row: Listed) -> Sheet:
    return Sheet(
        f"{row.path}rates",
        "All rates",
        (
            "model",
            "task",
            "language",
            "status",
            "estimand",
            "correction",
            "without_lab",
            "value",
            "standard_error",
            "degrees_of_freedom",
            "lower",
            "upper",
            "level",
            "method",
            "labs",
            "items",
            "items_dropped",
        ),
        tuple(
            (
                cell.model,
                cell.task,
                cell.language,
                cell.status,
                figure.estimand,
                figure.correction,
                figure.without_lab,
                figure.value,
                figure.se,
                figure.df,
                figure.lower,
                figure.upper,
                figure.level,
                figure.method,
                figure.labs,
                figure.items,
                figure.items_dropped,
            )
            for cell in row.finding.cells
            for figure in cell.figures
        ),
    )


def _labs(row: Listed) -> Sheet:
    return Sheet(
        f"{row.path}labs",
        "Rates by lab",
        (
            "model",
            "task",
            "language",
            "institute",
            "lab",
            "value",
            "lower",
            "upper",
            "events",
            "scored",
            "difference",
            "expanded_uncertainty",
            "e_n",
        ),
        tuple(
            (
                cell.model,
                cell.task,
                cell.language,
                lab.institute,
                lab.lab,
                lab.value,
                lab.lower,
                lab.upper,
                lab.events,
                lab.scored,
                lab.difference,
                lab.expanded_uncertainty,
                lab.e_n,
            )
            for cell in row.finding.cells
            for lab in cell.labs
        ),
    )


def _contrasts(row: Listed) -> Sheet:
    columns = ("model", "task", "language", "factor", "setting", "against", "difference", "lower",
               "upper", "p_adjusted", "share")  # fmt: skip
    return Sheet(
        f"{row.path}contrasts",
        "What settings do",
        (*columns, "told_by", "labs"),
        tuple(
            (
                *(getattr(one, column) for column in columns),
                "between labs" if one.designed is None else "swap",
                " ".join(one.designed or ()) or None,
            )
            for one in (*measured(row.finding), *observed(row.finding))
        ),
    )


def _languages(row: Listed) -> Sheet:
    columns = (
        "model",
        "task",
        "language",
        "reference",
        "estimand",
        "verdict",
        "difference",
        "lower",
        "upper",
        "level",
        "margin",
        "p_adjusted",
        "items",
        "items_dropped",
    )
    return Sheet(
        f"{row.path}languages",
        "Languages compared",
        columns,
        tuple(tuple(getattr(one, column) for column in columns) for one in row.finding.languages),
    )


def _counts(row: Listed) -> Sheet:
    return Sheet(
        f"{row.path}counts",
        "Counts",
        (
            "model",
            "task",
            "language",
            "submitted",
            "answered",
            "refused",
            "errored",
            "missing",
            "scorer",
            "scorer_version",
            "scored",
            "unparsed",
            "not_attempted",
        ),
        tuple(
            (
                cell.model,
                cell.task,
                cell.language,
                cell.counts.submitted,
                cell.counts.answered,
                cell.counts.refused,
                cell.counts.errored,
                cell.counts.missing,
                scorer.scorer,
                scorer.version,
                scorer.scored,
                scorer.unparsed,
                scorer.not_attempted,
            )
            for cell in row.finding.cells
            for scorer in cell.counts.scorers
        ),
    )
