# SPDX-License-Identifier: Apache-2.0
"""A finding arranged for reading: one strand for each task of each system, languages as rows."""

from dataclasses import dataclass
from itertools import product

from markupsafe import Markup

from countermark.app.site.charts import Chart, Line, Mark, Row, Span, intervals
from countermark.app.site.context import Site
from countermark.app.site.figures import interval_text, rate_text
from countermark.records.finding import Finding, FindingCell
from countermark.records.finding_figures import Correction, Estimand, Figure
from countermark.records.protocol import ModelUnderTest, Protocol, Task

STATUS = {
    "reported": "reported",
    "not-informative": "not informative",
    "judge-not-validated": "judge not validated",
    "not-computable": "not computable",
}
SHAPES = {"not-informative": "◇", "judge-not-validated": "△", "not-computable": "✕"}
ESTIMANDS: tuple[Estimand, ...] = ("benchmark", "generalised")
MARKS: dict[tuple[Estimand, bool], Mark] = {
    ("benchmark", True): "disc",
    ("generalised", True): "diamond",
    ("benchmark", False): "ring",
    ("generalised", False): "kite",
}
"""Filled marks are the figures that are shown first, open ones those before the correction."""


@dataclass(frozen=True, slots=True)
class Strand:
    """One task of one system in every language."""

    key: str
    task: Task
    model: ModelUnderTest
    cells: tuple[FindingCell, ...]
    judged: bool
    chart: Markup

    @property
    def reported(self) -> tuple[FindingCell, ...]:
        """The cells with a published rate."""
        return tuple(cell for cell in self.cells if cell.status == "reported")

    @property
    def unreported(self) -> tuple[FindingCell, ...]:
        """The cells without one."""
        return tuple(cell for cell in self.cells if cell.status != "reported")


def headline(cell: FindingCell) -> Figure | None:
    """Return the figure that is shown first: the generalised rate, which claims least."""
    correction = cell.headline_correction
    return cell.figure("generalised", correction) or cell.figure("benchmark", correction)


def strands(site: Site, finding: Finding, protocol: Protocol) -> tuple[Strand, ...]:
    """Arrange the cells of a finding in the order of its protocol."""
    return tuple(
        _strand(site, finding, task, model, protocol.languages)
        for task, model in product(protocol.tasks, protocol.models)
        if any((cell.task, cell.model) == (task.key, model.key) for cell in finding.cells)
    )


def corrections(cell: FindingCell) -> tuple[Correction, ...]:
    """Return the corrections a cell may have figures for, the one shown first leading."""
    first = cell.headline_correction
    return (first,) if first == "none" else (first, "none")


def span(figure: Figure, mark: Mark) -> Span:
    """Return a figure as it is drawn."""
    return Span(figure.lower, figure.value, figure.upper, mark)


def spoken(figure: Figure) -> str:
    """Return a figure and its interval in words."""
    return f"{rate_text(figure.value)} ({interval_text(figure.lower, figure.upper)})"


def lab_chart(site: Site, cell: FindingCell, key: str) -> Markup:
    """Draw each lab's own rate against the joint one."""
    joint = cell.figure("benchmark")
    rows = []
    said = []
    for lab in cell.labs:
        apart = lab.e_n is not None and abs(lab.e_n) > 1
        mark: Mark = "triangle" if apart else "square"
        name = site.who(lab.institute)
        note = f"{rate_text(lab.value)}{', not equivalent' if apart else ''}"
        rows.append(Row(name, note, (Span(lab.lower, lab.value, lab.upper, mark),)))
        said.append(f"{name}: {note}, interval {interval_text(lab.lower, lab.upper)}")
    legend: tuple[tuple[Mark, str], ...] = (("square", "One lab’s own rate, as it scored"),)
    if any(row.spans[0].mark == "triangle" for row in rows):
        legend += (("triangle", "A lab that is not equivalent"),)
    line = None
    if joint:
        rows.append(Row("All labs", rate_text(joint.value), (span(joint, "ring"),)))
        line = Line(f"all labs {rate_text(joint.value)}", joint.value)
        said.append(f"All labs together: {spoken(joint)}")
        legend += (("ring", "All labs, on these items"),)
    return intervals(Chart(key, "Rates by lab", "; ".join(said) + ".", tuple(rows), legend, line))


def left_out_chart(site: Site, cell: FindingCell, estimand: Estimand, key: str) -> Markup | None:
    """Draw the rate without each lab in turn, if the finding has those figures."""
    correction = cell.headline_correction
    whole = cell.figure(estimand, correction)
    rows = []
    said = []
    for lab in cell.labs:
        without = cell.figure(estimand, correction, lab.lab)
        if without:
            mark = MARKS[estimand, True]
            name = f"Without {site.who(lab.institute)}"
            rows.append(Row(name, rate_text(without.value), (span(without, mark),)))
            said.append(f"{name}: {spoken(without)}")
    if not rows or not whole:
        return None
    line = Line(f"all labs {rate_text(whole.value)}", whole.value)
    title = "The same rate without each lab in turn"
    return intervals(Chart(key, title, "; ".join(said) + ".", tuple(rows), (), line))


def _strand(
    site: Site, finding: Finding, task: Task, model: ModelUnderTest, languages: tuple[str, ...]
) -> Strand:
    found = (finding.cell(model.key, task.key, language) for language in languages)
    cells = tuple(cell for cell in found if cell)
    judged = any(cell.validity for cell in cells)
    key = f"{task.key}-{model.key}".replace(".", "-")
    title = f"{task.title}, {model.title}: rates by language"
    rows = tuple(_row(site, cell) for cell in cells)
    said = "; ".join(_said(site, cell) for cell in cells) + "."
    return Strand(
        key,
        task,
        model,
        cells,
        judged,
        intervals(Chart(key, title, said, rows, _legend(judged))),
    )


def _legend(judged: bool) -> tuple[tuple[Mark, str], ...]:
    before: tuple[tuple[Mark, str], ...] = (
        ("ring", "These items, before the correction"),
        ("kite", "Items like these, before the correction"),
    )
    shown: tuple[tuple[Mark, str], ...] = (
        ("disc", "These items (benchmark rate)"),
        ("diamond", "Items like these (generalised rate)"),
    )
    return shown + before if judged else shown


def _row(site: Site, cell: FindingCell) -> Row:
    name = site.language(cell.language)
    first = headline(cell)
    if cell.status != "reported" or first is None:
        return Row(name, f"{SHAPES.get(cell.status, '')} {STATUS[cell.status]}")
    spans = tuple(
        span(figure, MARKS[estimand, correction == cell.headline_correction])
        for correction, estimand in product(corrections(cell), ESTIMANDS)
        if (figure := cell.figure(estimand, correction))
    )
    return Row(name, rate_text(first.value), spans)


def _said(site: Site, cell: FindingCell) -> str:
    name = site.language(cell.language)
    if cell.status != "reported":
        return f"{name}: {STATUS[cell.status]}"
    told = [
        f"{estimand} {spoken(figure)}"
        for estimand in ESTIMANDS
        if (figure := cell.figure(estimand, cell.headline_correction))
    ]
    return f"{name}: {', '.join(told)}"
