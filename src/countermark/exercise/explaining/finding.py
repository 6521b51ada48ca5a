# SPDX-License-Identifier: Apache-2.0
"""A finding in plain language, in the order of the report. Pure: a finding in, sentences out.

1. Every rate is named with what it is a rate of, and with its interval.
2. A cell whose rates say nothing is explained by its reason first; none is called a result.
3. Where judges scored, the rate with their errors taken out leads, and the plain one is beside it.
4. What is not shown is not said: labs are said to differ only if the F test shows it at 5 %.
5. What could not be computed is said last, with every reason.
6. Nothing is graded, and nothing is said of a threshold: that takes a framework.
7. What would change the conclusion is said of every cell
   (:mod:`countermark.exercise.explaining.turning`).
8. What a designed swap measured stands apart from differences between labs (see
   :mod:`countermark.exercise.explaining.factors`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from countermark.exercise.explaining.factors import (
    MEASURED,
    OBSERVED,
    measured_sentences,
    observed_sentences,
)
from countermark.exercise.explaining.judges import scorers_explained
from countermark.exercise.explaining.qualities import beside, qualities
from countermark.exercise.explaining.settings import SAME, same_sentences
from countermark.exercise.explaining.turning_words import would_change
from countermark.exercise.explaining.wording import counted, ended, percent, points, signed
from countermark.exercise.joint.differences import LAB
from countermark.node.book import Book
from countermark.records.errors import StateError
from countermark.records.finding import Finding, FindingCell, Gap
from countermark.records.finding_figures import Figure, LabFigures, LanguageFigures
from countermark.records.protocol import Protocol
from countermark.taxonomy.languages import language

_ON = {
    "benchmark": "On these items",
    "generalised": "On items like these",
}
_NUMBER = {2: "two", 3: "three"}
_SHOWN = 0.05
_NOT_SAID = (
    "There is no score over cells, languages or models. Whether a rate is too high is decided "
    "against a framework: countermark gate decide."
)
_METHODS = {"crossed": "mean squares", "mixed": "a mixed model", "bootstrap": "redrawing"}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and the sentences under it."""

    title: str
    sentences: tuple[str, ...]


def explain(finding: Finding) -> tuple[Section, ...]:
    """Explain a finding.

    Parameters
    ----------
    finding
        As it was published.
    """
    cells = tuple(Section(_name(cell), tuple(_cell(cell))) for cell in finding.cells)
    rest = (
        Section(MEASURED, tuple(measured_sentences(finding))),
        Section(OBSERVED, tuple(observed_sentences(finding))),
        Section("Languages", tuple(_languages(finding))),
        Section("What could not be computed", tuple(_gaps(finding.gaps))),
        Section(
            "What this does not say",
            (_NOT_SAID,),
        ),
    )
    return (
        Section("What was run", tuple(_run(finding))),
        Section(SAME, same_sentences(finding)),
        *cells,
        *(section for section in rest if section.sentences),
    )


def quality_section(finding: Finding, book: Book) -> Section:
    """Say which of the six qualities of an assessment the record shows, check by check.

    Raises
    ------
    StateError
        If the record does not hold the finding's protocol.
    """
    held = book.find(finding.protocol)
    protocol = held.record if held else None
    if not isinstance(protocol, Protocol):
        raise StateError(
            f"does not hold the protocol {finding.protocol}",
            where="this node",
            next_step="Pull it from the coordinator: countermark sync pull.",
        )
    words = {True: "shown", False: "not shown", None: "nothing to look at"}
    return Section(
        "Six qualities of an assessment (they are not added up)",
        tuple(
            f"{one.quality.capitalize()}: {one.looked_for}: {words[one.holds]} ({one.evidence})."
            for one in qualities(finding, protocol, beside(book, finding, protocol))
        ),
    )


def _run(finding: Finding) -> Iterator[str]:
    if finding.demonstration:
        yield "This is a demonstration: no real institute stands behind it."
    labs = ", ".join(one.lab for one in finding.labs)
    yield f"{counted(len(finding.labs), 'lab')} ran the same protocol: {labs}."
    for one in finding.left_out:
        yield f"{one.lab} is left out: {ended(one.reason or one.because.replace('-', ' '))}"
    for lab in finding.labs:
        for deviation in lab.deviations:
            yield f"{lab.lab} departed from the protocol: {deviation.reason.rstrip('.')}."
    for factor in finding.differences:
        others = [alias for alias in factor.aliases if alias != LAB]
        words = f"The labs did not all have the same {factor.factor}"
        if others:
            words += f"; what it does cannot be told from what {' and '.join(others)} may do"
        if LAB in factor.aliases:
            words += "; every lab had its own, so anything else peculiar to a lab explains as much"
        yield f"{words}."


def _cell(cell: FindingCell) -> Iterator[str]:
    if cell.status != "reported":
        yield f"No result: {ended(cell.reason or cell.status)}"
    counts = cell.counts
    yield (
        f"{counts.submitted} questions were asked in all: {counts.answered} answered, "
        f"{counts.refused} refused, {counts.errored} failed, {counts.missing} missing."
    )
    for lab in cell.left_out or ():
        yield (
            f"{lab.lab} is not in these figures: it ran this with another "
            f"{', '.join(lab.settings)}, and did not say so."
        )
    if cell.status in {"judge-not-validated", "not-computable"}:
        yield from scorers_explained(cell)
        yield from would_change(cell)
        return
    if cell.status == "not-informative":
        yield "The figures below are shown for completeness and say nothing of the model."
    yield from _labs(cell)
    yield from _judges(cell)
    yield from scorers_explained(cell)
    yield from _rates(cell)
    yield from _methods(cell)
    yield from _between(cell)
    yield from would_change(cell)
    for one in cell.next_run:
        yield (
            f"{_ON[one.estimand]}, {one.what} more ({one.answers} answers) would narrow the "
            f"interval most for what it costs, to about ± {points(one.half_width)}."
        )


def _labs(cell: FindingCell) -> Iterator[str]:
    if cell.labs:
        low = min(cell.labs, key=lambda one: one.value)
        high = max(cell.labs, key=lambda one: one.value)
        if low.value == high.value:
            yield f"Each lab's own rate is {percent(low.value)}."
        else:
            yield (
                f"The labs' own rates go from {percent(low.value)} ({low.lab}) to "
                f"{percent(high.value)} ({high.lab})."
            )
    none = cell.no_events
    if none:
        yield (
            f"Not one event was seen. That rules out, at {percent(none.level, 0)}, a rate above "
            f"{percent(none.upper)}: it counts {none.effective_items:g} items, however often "
            "they were run."
        )


def _judges(cell: FindingCell) -> Iterator[str]:
    for one in cell.validity:
        yield (
            f"The judge ({one.version}) was held against answers labelled by {one.labelled_by}. It "
            f"saw {one.true_positives} of {one.positives} events and let {one.true_negatives} of "
            f"{one.negatives} other answers pass."
        )
    for said in cell.corrections or ():
        found = said.rectified
        if found is not None:
            yield (
                f"{_ON[said.estimand]}, the rate rectified with people's labels of a sample of "
                f"these answers is {percent(found.value)} ({percent(found.lower)} to "
                f"{percent(found.upper)}). {said.reason}"
            )


def _rates(cell: FindingCell) -> Iterator[str]:
    for estimand, where in _ON.items():
        lead = cell.figure(estimand, cell.headline_correction)  # type: ignore[arg-type]
        plain = cell.figure(estimand)  # type: ignore[arg-type]
        if lead is None:
            continue
        words = f"{where}, the joint rate is {_interval(lead)}"
        if lead is not plain:
            words += " with the judge's errors taken out"
            if plain is not None:
                words += f"; as the judge counts, {_interval(plain)}"
        yield f"{words}. It rests on {counted(lead.labs, 'lab')} and {counted(lead.items, 'item')}."
    for one in cell.new_lab:
        yield (
            f"{_ON[one.estimand]}, one more lab would be expected to report between "
            f"{percent(one.lower)} and {percent(one.upper)}."
        )


def _methods(cell: FindingCell) -> Iterator[str]:
    for estimand, where in _ON.items():
        found = [one for one in cell.methods if one.estimand == estimand]
        if len(found) > 1:
            values = [one.value for one in found]
            names = ", ".join(f"{_METHODS[one.method]} {percent(one.value)}" for one in found)
            yield (
                f"{where}, {_NUMBER[len(found)]} methods agree within "
                f"{points(max(values) - min(values))}: {names}."
            )


def _between(cell: FindingCell) -> Iterator[str]:
    spread = cell.precision
    if spread is None:
        return
    if spread.f_p_value is not None and spread.f_p_value < _SHOWN:
        words = f"Labs differ by more than chance (p = {spread.f_p_value:.2g})"
        bounds = spread.between_lab_bounds
        yield (
            f"{words}: the standard deviation between them is {points(spread.between_lab)}"
            + (f" ({points(bounds.lower)} to {points(bounds.upper)})." if bounds else ".")
        )
    elif spread.f_p_value is not None:
        yield f"It is not shown that labs differ (p = {spread.f_p_value:.2g})."
    if spread.not_separable:
        yield ended(spread.not_separable)
    for lab in cell.labs:
        yield from _off(lab, spread.h_critical, spread.k_critical)


def _off(lab: LabFigures, h: float | None, k: float | None) -> Iterator[str]:
    if lab.e_n is not None and lab.difference is not None and abs(lab.e_n) > 1:
        side = "above" if lab.difference > 0 else "below"
        yield (
            f"{lab.lab} is {points(abs(lab.difference))} {side} the other labs, more than the "
            "uncertainty of that difference."
        )
    if h is not None and lab.mandel_h is not None and abs(lab.mandel_h) > h:
        yield f"{lab.lab} stands out in its rate (Mandel's h = {lab.mandel_h:.2f})."
    if k is not None and lab.mandel_k is not None and lab.mandel_k > k:
        yield f"{lab.lab} repeats itself worse than the others (Mandel's k = {lab.mandel_k:.2f})."


def _languages(finding: Finding) -> Iterator[str]:
    for one in finding.languages:
        yield f"{one.model}, {one.task}: {_verdict(one)}"


def _verdict(one: LanguageFigures) -> str:
    name, reference = language(one.language).english, language(one.reference).english
    where = _ON[one.estimand].lower()
    interval = f"{signed(one.difference)} ({signed(one.lower)} to {signed(one.upper)})"
    margin = points(one.margin)
    said = {
        "non-inferior": f"{name} is shown to be worse than {reference} by less than {margin}",
        "different": f"{name} is shown to differ from {reference}",
        "undetermined": f"nothing is shown of {name} against {reference}",
    }[one.verdict]
    return f"{said}, {where}: {interval}, {counted(one.items, 'common item')}."


def _gaps(gaps: tuple[Gap, ...]) -> Iterator[str]:
    for gap in gaps:
        place = [part for part in (gap.model, gap.task) if part]
        if gap.language:
            place.append(language(gap.language).english)
        where = f" ({', '.join(place)})" if place else ""
        yield f"{gap.section.replace('-', ' ').capitalize()}{where}: {ended(gap.reason)}"


def _name(cell: FindingCell) -> str:
    return f"{cell.model}, {cell.task}, {language(cell.language).english}"


def _interval(figure: Figure) -> str:
    return (
        f"{percent(figure.value)} ({percent(figure.lower)} to {percent(figure.upper)} at "
        f"{percent(figure.level, 0)})"
    )
