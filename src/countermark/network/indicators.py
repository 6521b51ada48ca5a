# SPDX-License-Identifier: Apache-2.0
"""What a node can say, from its own book, about how far shared principles are met.

Each indicator counts records and nothing else; none is a score, and they are never added up.

1. ``validated-scoring``: of the reported cells, those whose scorer is objective or was checked
   against people's labels.
2. ``languages-covered``: of the languages that protocols name, those with a reported cell.
3. ``rates-with-interval``: of the rates in findings (figures, labs, controls), those whose
   interval has a width.
4. ``findings-countersigned``: of the participants of each finding's exercise, those who stand by
   it: its coordinator by publishing, the others by a countersignature.
5. ``witnessed-statements``: of all statements, those that a quorum of witnesses cosigned.
6. ``offline-models``: of the models under test, those that the embedded provider runs.
7. ``overall-scores``: of all figures in findings, those stated of no cell, comparison of cells or
   lab, which would merge several results into one. Each is found by walking the record, unknown
   fields included.
8. ``deviations-declared``: of the evidence revealed, how much declares a deviation.
9. ``dissents``: of the findings, those from which a participant dissents.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from countermark.node.book import Book
from countermark.records.canonical import JsonValue
from countermark.records.evidence import Evidence
from countermark.records.finding import Dissent, Finding, FindingCell
from countermark.records.protocol import Countersignature, Protocol

EMBEDDED_PROVIDER: Final = "countermark/"
_READING_SETTINGS: Final = frozenset(
    {
        "version",
        "significant_digits",
        "relative_tolerance",
        "absolute_tolerance",
        "seed",
        "replicates",
    }
)
_OF_CELLS: Final = ("cells", "labs", "languages", "factors")
"""Lists whose entries name the model, task and language, or the lab, that they are of."""

_LAB_COUNTS: Final = frozenset({"samples", "transcripts_checked"})


@dataclass(frozen=True, slots=True)
class Indicator:
    """One figure: so many of so many.

    Parameters
    ----------
    code
        The name by which a principle refers to it.
    title
        What it is about.
    numerator, denominator
        The two counts.
    unit
        What is counted, in the plural.
    explanation
        How it is counted.
    """

    code: str
    title: str
    numerator: int
    denominator: int
    unit: str
    explanation: str

    @property
    def statement(self) -> str:
        """The figure in words; *nothing yet* while there is nothing to count."""
        if not self.denominator:
            return "nothing yet"
        return f"{self.numerator} of {self.denominator} {self.unit}"


def indicators(book: Book) -> tuple[Indicator, ...]:
    """Compute all indicators from what a node holds.

    Parameters
    ----------
    book
        The verified statements of a node.

    Returns
    -------
    tuple of Indicator
        Always the same ones, in the order of the module docstring.
    """
    return (
        _validated_scoring(book),
        _languages_covered(book),
        _rates_with_interval(book),
        _findings_countersigned(book),
        _witnessed_statements(book),
        _offline_models(book),
        _overall_scores(book),
        _deviations_declared(book),
        _dissents(book),
    )


def _validated_scoring(book: Book) -> Indicator:
    reported = _reported_cells(book)
    return Indicator(
        code="validated-scoring",
        title="Scoring that can be trusted",
        numerator=sum(
            bool(cell.validity) or _scored_objectively(book, finding, cell)
            for finding, cell in reported
        ),
        denominator=len(reported),
        unit="reported cells",
        explanation="Cells whose scorer is objective, or whose judge was checked against labels "
        "that people gave in that language.",
    )


def _languages_covered(book: Book) -> Indicator:
    named = {tag for _, protocol in book.of_kind(Protocol) for tag in protocol.languages}
    reported = {cell.language for _, cell in _reported_cells(book)}
    return Indicator(
        code="languages-covered",
        title="Languages with a result",
        numerator=len(reported),
        denominator=len(named | reported),
        unit="languages",
        explanation="Languages named by a protocol for which a finding reports at least one cell.",
    )


def _rates_with_interval(book: Book) -> Indicator:
    intervals = [
        (rate.lower, rate.upper)
        for _, finding in book.of_kind(Finding)
        for cell in finding.cells
        for rate in (*cell.figures, *cell.labs, *((cell.controls,) if cell.controls else ()))
    ]
    return Indicator(
        code="rates-with-interval",
        title="Rates that carry an interval",
        numerator=sum(lower < upper for lower, upper in intervals),
        denominator=len(intervals),
        unit="published rates",
        explanation="Joint rates, rates of single labs and control rates whose lower and upper "
        "bounds differ.",
    )


def _findings_countersigned(book: Book) -> Indicator:
    assents = {
        (signed.of, signed.institute)
        for _, signed in book.of_kind(Countersignature)
        if signed.of_kind == "finding"
    }
    asked = {
        (entry.digest, member, member == finding.coordinator)
        for entry, finding in book.of_kind(Finding)
        for member in _participants(book, finding)
    }
    return Indicator(
        code="findings-countersigned",
        title="Findings that participants stand by",
        numerator=sum(
            published or (digest, member) in assents for digest, member, published in asked
        ),
        denominator=len(asked),
        unit="signatures of participants",
        explanation="Over all findings, participants who recomputed the finding and countersigned "
        "it. The coordinator counts by publishing it.",
    )


def _witnessed_statements(book: Book) -> Indicator:
    return Indicator(
        code="witnessed-statements",
        title="Statements under witness",
        numerator=sum(entry.witnessed is not None for entry in book.entries),
        denominator=len(book.entries),
        unit="statements",
        explanation="Statements in logs whose checkpoint a quorum of witnesses cosigned.",
    )


def _offline_models(book: Book) -> Indicator:
    models = {
        (model.provider, model.identity)
        for _, protocol in book.of_kind(Protocol)
        for model in protocol.models
    }
    return Indicator(
        code="offline-models",
        title="Runs that need no network",
        numerator=sum((provider or "").startswith(EMBEDDED_PROVIDER) for provider, _ in models),
        denominator=len(models),
        unit="models under test",
        explanation="Models that the embedded provider runs, so that a lab can take part with one "
        "computer and no connection.",
    )


def _overall_scores(book: Book) -> Indicator:
    findings = [finding for _, finding in book.of_kind(Finding)]
    overall = sum(len(_numbers_outside_cells(finding)) for finding in findings)
    inside = sum(
        len(cell.figures) + len(cell.labs) for finding in findings for cell in finding.cells
    ) + sum(len(finding.languages) + len(finding.factors) for finding in findings)
    return Indicator(
        code="overall-scores",
        title="Overall scores",
        numerator=overall,
        denominator=overall + inside,
        unit="published figures",
        explanation="Numbers that a finding states outside any cell, which would merge several "
        "results into one. The principle asks for none.",
    )


def _deviations_declared(book: Book) -> Indicator:
    evidence = [revealed for _, revealed in book.of_kind(Evidence)]
    return Indicator(
        code="deviations-declared",
        title="Deviations declared",
        numerator=sum(bool(revealed.deviations) for revealed in evidence),
        denominator=len(evidence),
        unit="labs’ results",
        explanation="Labs’ results that declare a difference from the protocol. A low figure is "
        "neither good nor bad.",
    )


def _dissents(book: Book) -> Indicator:
    disputed = {dissent.of for _, dissent in book.of_kind(Dissent)}
    findings = book.of_kind(Finding)
    return Indicator(
        code="dissents",
        title="Findings with a dissent",
        numerator=sum(entry.digest in disputed for entry, _ in findings),
        denominator=len(findings),
        unit="findings",
        explanation="Findings for which a participant published figures of its own that differ.",
    )


def _reported_cells(book: Book) -> list[tuple[Finding, FindingCell]]:
    return [
        (finding, cell)
        for _, finding in book.of_kind(Finding)
        for cell in finding.cells
        if cell.status == "reported"
    ]


def _protocol_of(book: Book, finding: Finding) -> Protocol | None:
    entry = book.find(finding.protocol)
    return entry.record if entry and isinstance(entry.record, Protocol) else None


def _scored_objectively(book: Book, finding: Finding, cell: FindingCell) -> bool:
    protocol = _protocol_of(book, finding)
    task = protocol.task(cell.task) if protocol else None
    return task is not None and task.scorer.nature == "objective"


def _participants(book: Book, finding: Finding) -> set[str]:
    protocol = _protocol_of(book, finding)
    # Without its protocol, a finding still says whose results it rests on.
    return set(protocol.participants) if protocol else {lab.institute for lab in finding.labs}


def _numbers_outside_cells(finding: Finding) -> list[float]:
    kept = {
        name: value
        for name, value in finding.to_value().items()
        if name not in _OF_CELLS and name not in _READING_SETTINGS
    }
    # How many samples a lab sealed, and in how many the score was computed again, is no result.
    labs: list[JsonValue] = [
        {name: value for name, value in lab.model_dump().items() if name not in _LAB_COUNTS}
        for lab in finding.labs
    ]
    return list(_numbers({**kept, "labs": labs}))


def _numbers(value: JsonValue) -> Iterator[float]:
    if isinstance(value, dict):
        for child in value.values():
            yield from _numbers(child)
    elif isinstance(value, list):
        for child in value:
            yield from _numbers(child)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
