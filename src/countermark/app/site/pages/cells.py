# SPDX-License-Identifier: Apache-2.0
"""One page for each cell of each finding: every figure, lab by lab and with labs left out."""

from collections.abc import Iterator

from countermark.app.site import addresses, figures
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.exercises import findings
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.app.site.strands import ESTIMANDS, headline, lab_chart, left_out_chart
from countermark.node.book import Entry
from countermark.records.finding import FindingCell
from countermark.records.finding_figures import Bounds
from countermark.records.protocol import Protocol

METHODS = {
    "crossed": "mean squares of lab × item (reported)",
    "mixed": "mixed model",
    "bootstrap": "redrawing labs and items",
}
AGREEMENT = {"cohen": "Cohen’s κ", "ac1": "Gwet’s AC1", "alpha-nominal": "Krippendorff’s α"}


def cell_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return one page for each cell whose task and system the protocol still names."""
    for entry, finding, protocol in findings(site.book):
        for cell in finding.cells:
            yield from _cell_page(site, entry, protocol, cell)


def _cell_page(
    site: Site, entry: Entry, protocol: Protocol, cell: FindingCell
) -> Iterator[Page | DataFile]:
    task, model = protocol.task(cell.task), protocol.model(cell.model)
    if task is None or model is None:
        return
    path = addresses.cell(entry.digest, cell.model, cell.task, cell.language)
    sheets = (
        _figures(path, cell),
        _labs(path, cell),
        _methods(path, cell),
        *_scorers(path, cell),
    )
    charts = [
        (estimand, chart)
        for estimand in ESTIMANDS
        if (chart := left_out_chart(site, cell, estimand, f"without-{estimand}"))
    ]
    yield site.render(
        "cell",
        path,
        f"{task.title}: {site.language(cell.language)}",
        digest=entry.digest,
        entry=entry,
        protocol=protocol,
        task=task,
        model=model,
        cell=cell,
        first=headline(cell),
        lab_chart=lab_chart(site, cell, "labs"),
        whole=[figure for figure in cell.figures if figure.without_lab is None],
        left_out=[figure for figure in cell.figures if figure.without_lab is not None],
        left_out_charts=charts,
        between=figures.interval,
        scatter=_scatter(cell),
        repeats=[
            (one, found)
            for one in cell.scorers or ()
            for found in (*((one.repeated,) if one.repeated else ()), *one.rejudged)
        ],
        method_words=METHODS,
        agreement_words=AGREEMENT,
        downloads=downloads(sheets),
    )
    yield from files(sheets)


def _scatter(cell: FindingCell) -> tuple[tuple[str, float | None, Bounds | None], ...]:
    spread = cell.precision
    if spread is None:
        return ()
    return (
        ("epochs of one item at one lab", spread.repeatability, spread.repeatability_bounds),
        ("items at one lab more than at another", spread.lab_item, spread.lab_item_bounds),
        ("labs", spread.between_lab, spread.between_lab_bounds),
        ("epochs at different labs", spread.reproducibility, spread.reproducibility_bounds),
    )


def _scorers(path: str, cell: FindingCell) -> Iterator[Sheet]:
    if cell.scorers:
        counts = (
            "submitted",
            "answered",
            "scored",
            "unparsed",
            "judge_refused",
            "not_attempted",
        )
        yield Sheet(
            f"{path}scorers",
            "Each scorer by itself",
            ("scorer", "version", "status", *counts, "value", "lower", "upper", "least", "most"),
            tuple(
                (
                    one.scorer,
                    one.version,
                    one.status,
                    *(getattr(one, name) for name in counts),
                    *(
                        (one.rate.value, one.rate.lower, one.rate.upper)
                        if one.rate
                        else (None,) * 3
                    ),
                    one.least,
                    one.most,
                )
                for one in cell.scorers
            ),
        )


def _methods(path: str, cell: FindingCell) -> Sheet:
    return Sheet(
        f"{path}methods",
        "Methods side by side",
        ("estimand", "method", "value", "lower", "upper", "level"),
        tuple(
            (one.estimand, one.method, one.value, one.lower, one.upper, one.level)
            for one in cell.methods
        ),
    )


def _figures(path: str, cell: FindingCell) -> Sheet:
    return Sheet(
        f"{path}figures",
        "All figures",
        (
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
            "s2_lab",
            "s2_item",
            "s2_lab_item",
            "s2_epoch",
        ),
        tuple(
            (
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
                *(
                    (parts.s2_lab, parts.s2_item, parts.s2_lab_item, parts.s2_epoch)
                    if (parts := figure.components)
                    else (None,) * 4
                ),
            )
            for figure in cell.figures
        ),
    )


def _labs(path: str, cell: FindingCell) -> Sheet:
    return Sheet(
        f"{path}labs",
        "Rates by lab",
        (
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
            "zeta",
            "mandel_h",
            "mandel_k",
        ),
        tuple(
            (
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
                lab.zeta,
                lab.mandel_h,
                lab.mandel_k,
            )
            for lab in cell.labs
        ),
    )
