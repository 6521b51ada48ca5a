# SPDX-License-Identifier: Apache-2.0
"""A finding as the terminal shows it: one line a figure, in the order of the record."""

from collections.abc import Iterator

from countermark.app.cli.judge_lines import rejudgement_lines, scorer_lines
from countermark.app.compared_words import SHAPES, WORDS, value_line
from countermark.exercise.explaining.factors import beside, measured, observed
from countermark.records.finding import Finding, FindingCell
from countermark.records.finding_figures import (
    Bounds,
    FactorFigures,
    LeadingCorrection,
    PrecisionFigures,
)
from countermark.taxonomy.languages import language


def shown(finding: Finding) -> Iterator[str]:
    """Return the lines: labs, then each cell, then what goes across cells, then what is missing.

    Parameters
    ----------
    finding
        As it was published.
    """
    for lab in finding.labs:
        yield f"{lab.lab}: {lab.transcripts_checked} of {lab.samples} scores computed again"
    for one in finding.left_out:
        yield f"{one.lab}: left out ({one.reason or one.because})"
    yield from _compared(finding)
    yield from rejudgement_lines(finding)
    for cell in finding.cells:
        yield f"{cell.model}  {cell.task}  {language(cell.language).english}: {cell.status}"
        for line in _cell(cell):
            yield f"    {line}"
    for factor in (*measured(finding), *observed(finding)):
        yield (
            f"{factor.model}  {factor.task}  {language(factor.language).english}: {factor.factor} "
            f"{factor.setting} minus {factor.against} {factor.difference:+.4f}  "
            f"({factor.lower:+.4f} to {factor.upper:+.4f}, adjusted p {factor.p_adjusted:.2g}), "
            + _told_by(finding, factor)
        )
    for pair in finding.languages:
        yield (
            f"{pair.model}  {pair.task}  {language(pair.language).english} minus "
            f"{language(pair.reference).english}: {pair.verdict}, {pair.estimand} "
            f"{pair.difference:+.4f}  ({pair.lower:+.4f} to {pair.upper:+.4f} at {pair.level:g}, "
            f"margin {pair.margin:g}, {pair.items} common items)"
        )
    for gap in finding.gaps:
        place = "  ".join(part for part in (gap.model, gap.task, gap.language) if part)
        yield f"not computed: {gap.section}{f', {place}' if place else ''}: {gap.reason}"


def _told_by(finding: Finding, factor: FactorFigures) -> str:
    if factor.designed is not None:
        return f"measured by a swap at {', '.join(factor.designed)}"
    return f"between labs, not measured by a swap: {beside(finding, factor.factor)}"


def _compared(finding: Finding) -> Iterator[str]:
    for row in finding.comparability or ():
        yield f"{SHAPES[row.status]} {row.name}: {WORDS[row.status]}"
        if row.status != "same":
            yield from (f"    {value_line(one, one.lab)}" for one in row.values)


def _cell(cell: FindingCell) -> Iterator[str]:
    if cell.reason:
        yield cell.reason
    for out in cell.left_out or ():
        yield f"{out.lab}: not in these figures: {', '.join(out.settings)}"
    for figure in cell.figures:
        if figure.without_lab is None:
            yield (
                f"{figure.estimand:<12} {figure.correction:<13} {figure.value:.4f}  "
                f"({figure.lower:.4f} to {figure.upper:.4f} at {figure.level:g}, "
                f"{figure.labs} labs, {figure.items} items, {figure.method})"
            )
    for one in cell.corrections or ():
        yield _rectified(one)
    for method in cell.methods:
        yield (
            f"{method.estimand:<12} {'by ' + method.method:<13} {method.value:.4f}  "
            f"({method.lower:.4f} to {method.upper:.4f} at {method.level:g})"
        )
    for new in cell.new_lab:
        yield (
            f"{new.estimand:<12} one more lab: {new.lower:.4f} to {new.upper:.4f} at {new.level:g}"
        )
    if cell.no_events:
        none = cell.no_events
        yield f"no events: at most {none.upper:.4f} at {none.level:g}"
    if cell.precision:
        yield from _precision(cell.precision)
    for lab in cell.labs:
        told = (
            ("E_n", lab.e_n),
            ("zeta", lab.zeta),
            ("h", lab.mandel_h),
            ("k", lab.mandel_k),
        )
        beside = ", ".join(f"{name} {value:.2f}" for name, value in told if value is not None)
        yield (
            f"{lab.lab:<26} {lab.value:.4f}  ({lab.lower:.4f} to {lab.upper:.4f})"
            + (f"  {beside}" if beside else "")
        )
    yield from scorer_lines(cell)
    for following in cell.next_run:
        yield (
            f"next run for the {following.estimand} rate: {following.what} more, "
            f"{following.answers} answers, to about ± {following.half_width:.4f}"
        )


def _rectified(one: LeadingCorrection) -> str:
    found = one.rectified
    figures = (
        f"{found.value:.4f}  ({found.lower:.4f} to {found.upper:.4f} at {found.level:g}, "
        f"{found.labs} labs, {found.items} items)"
        if found
        else "none"
    )
    return f"{one.estimand:<12} {'by people':<13} {figures}  {one.reason}"


def _precision(spread: PrecisionFigures) -> Iterator[str]:
    parts = (
        ("repeatability", spread.repeatability, spread.repeatability_bounds),
        ("lab x item", spread.lab_item, spread.lab_item_bounds),
        ("between labs", spread.between_lab, spread.between_lab_bounds),
        ("reproducibility", spread.reproducibility, spread.reproducibility_bounds),
    )
    words = ", ".join(
        f"{name} {value:.4f}{_between(bounds)}"
        for name, value, bounds in parts
        if value is not None
    )
    test = "" if spread.f_p_value is None else f"; labs alike: p {spread.f_p_value:.2g}"
    yield f"standard deviations: {words}{test}"
    if spread.not_separable:
        yield spread.not_separable


def _between(bounds: Bounds | None) -> str:
    return f" ({bounds.lower:.4f} to {bounds.upper:.4f})" if bounds else ""
