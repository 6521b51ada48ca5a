# SPDX-License-Identifier: Apache-2.0
"""Six qualities of a risk assessment, as checks of a finding with their evidence. Pure.

The network's Joint Statement on Risk Assessment (San Francisco, November 2024) wants assessments
that are actionable, transparent, comprehensive, multi-stakeholder, iterative and reproducible. Each
word is made of checks that a machine can answer from what was said; the text of a check says what
was looked for, its evidence what was found. Nothing is added up, and no quality is granted.

*Actionable*

1. At least one rate is published with its interval and estimand.
2. A decision holds a framework's thresholds against it.
3. It says what to run next.

*Transparent*

4. Every estimate names its estimand and method, and every gap has its reason.
5. Every score can be computed again by others: transcripts are open.
6. The wording of every item is published, not only its seal.

*Comprehensive*

7. Every cell that the protocol plans has a published rate.
8. More than one risk category and more than one language were tested.

*Multi-stakeholder*

9. More than one institute ran it, and none that said the framework.
10. People labelled answers for every judge that scored.
11. Every participant countersigned the finding or logged a dissent.

*Iterative*

12. The same model was tested before or after, by another exercise in the record.
13. What could not be computed is named, for the next exercise to mend.

*Reproducible*

14. Every model is pinned to a snapshot.
15. Participants computed the figures again and agree.
16. The scatter between labs is given where labs can be compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from countermark.node.book import Book
from countermark.records.decision import Decision
from countermark.records.finding import Dissent, Finding, FindingCell
from countermark.records.framework import Framework
from countermark.records.protocol import Countersignature, Protocol

Quality = Literal[
    "actionable",
    "transparent",
    "comprehensive",
    "multi-stakeholder",
    "iterative",
    "reproducible",
]


@dataclass(frozen=True, slots=True)
class Beside:
    """What the record holds beside a finding.

    Parameters
    ----------
    countersigned, dissented
        Codes of the participants that countersigned the finding, and that dissented from it.
    decisions
        How many decisions hold a framework against it.
    deciders
        Codes of the developers whose frameworks were held against it.
    other_exercises
        How many other protocols of the record test a model with one of its snapshots.
    """

    countersigned: tuple[str, ...] = ()
    dissented: tuple[str, ...] = ()
    decisions: int = 0
    deciders: tuple[str, ...] = ()
    other_exercises: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Parameters
    ----------
    number
        Of the rule in the module docstring.
    quality
        Which quality it bears on.
    looked_for
        What the check asks.
    holds
        Whether it was found; ``None`` where there is nothing to look at.
    evidence
        What was found, with its counts.
    """

    number: int
    quality: Quality
    looked_for: str
    holds: bool | None
    evidence: str


def qualities(finding: Finding, protocol: Protocol, beside: Beside) -> tuple[Check, ...]:
    """Return all checks of a finding, in order of their numbers."""
    return (
        *_actionable(finding, beside),
        *_transparent(finding, protocol),
        *_comprehensive(finding, protocol),
        *_shared(finding, protocol, beside),
        *_iterative(finding, beside),
        *_reproducible(finding, protocol, beside),
    )


def beside(book: Book, finding: Finding, protocol: Protocol) -> Beside:
    """Return what a book holds beside a finding."""
    of = finding.digest
    decisions = [one for _, one in book.of_kind(Decision) if one.finding == of]
    held = {one.framework for one in decisions}
    snapshots = {model.identity for model in protocol.models}
    others = {
        entry.digest
        for entry, one in book.of_kind(Protocol)
        if entry.digest != finding.protocol and snapshots & {model.identity for model in one.models}
    }
    dissented = {one.institute for _, one in book.of_kind(Dissent) if one.of == of}
    signed = {one.institute for _, one in book.of_kind(Countersignature) if one.of == of}
    taking_part = set(protocol.participants)
    return Beside(
        countersigned=tuple(sorted((signed - dissented) & taking_part)),
        dissented=tuple(sorted(dissented & taking_part)),
        decisions=len(decisions),
        deciders=tuple(
            sorted(
                {one.developer for entry, one in book.of_kind(Framework) if entry.digest in held}
            )
        ),
        other_exercises=len(others),
    )


def _reported(finding: Finding) -> tuple[FindingCell, ...]:
    return tuple(cell for cell in finding.cells if cell.status == "reported")


def _actionable(finding: Finding, beside: Beside) -> Iterator[Check]:
    found, planned = len(_reported(finding)), len(finding.cells)
    yield Check(
        1,
        "actionable",
        "A rate is published with its interval",
        found > 0,
        f"{found} of {planned} cells have one",
    )
    yield Check(
        2,
        "actionable",
        "A framework's thresholds were held against it",
        beside.decisions > 0,
        f"{beside.decisions} decisions in this record",
    )
    told = sum(bool(cell.next_run) for cell in _reported(finding))
    yield Check(
        3,
        "actionable",
        "It says what to run next",
        told > 0,
        f"for {told} of {found} published cells",
    )


def _transparent(finding: Finding, protocol: Protocol) -> Iterator[Check]:
    figures = sum(len(cell.figures) for cell in finding.cells)
    yield Check(
        4,
        "transparent",
        "Every estimate names its estimand and method, every gap its reason",
        figures > 0 or bool(finding.gaps),
        f"{figures} estimates, {len(finding.gaps)} gaps",
    )
    checked = sum(lab.transcripts_checked for lab in finding.labs)
    sealed = sum(lab.samples for lab in finding.labs)
    yield Check(
        5,
        "transparent",
        "Every score can be computed again from an open transcript",
        checked == sealed,
        f"{checked} of {sealed} samples",
    )
    texts = [text for task in protocol.tasks for item in task.items for text in item.texts]
    shown = sum(text.prompt is not None for text in texts)
    yield Check(
        6,
        "transparent",
        "The wording of every item is published",
        shown == len(texts),
        f"{shown} of {len(texts)} wordings; the others are sealed",
    )


def _comprehensive(finding: Finding, protocol: Protocol) -> Iterator[Check]:
    planned = len(protocol.models) * len(protocol.tasks) * len(protocol.languages)
    found = len(_reported(finding))
    yield Check(
        7,
        "comprehensive",
        "Every planned cell has a published rate",
        found == planned,
        f"{found} of {planned}",
    )
    tested = {task.risk for task in protocol.tasks}
    languages = {cell.language for cell in _reported(finding)}
    yield Check(
        8,
        "comprehensive",
        "More than one risk category and language were tested",
        len(tested) > 1 and len(languages) > 1,
        f"{len(tested)} categories; published rates in {len(languages)} languages",
    )


def _shared(finding: Finding, protocol: Protocol, beside: Beside) -> Iterator[Check]:
    institutes = {lab.institute for lab in finding.labs}
    own = sorted(institutes & set(beside.deciders))
    yield Check(
        9,
        "multi-stakeholder",
        "Several institutes ran it, none of them the developer",
        len(institutes) > 1 and not own,
        f"{len(institutes)} institutes" + (f"; {', '.join(own)} is the developer" if own else ""),
    )
    judged = [
        cell
        for cell in finding.cells
        if (task := protocol.task(cell.task)) is not None and task.scorer.nature == "judge"
    ]
    labelled = sum(bool(cell.validity) for cell in judged)
    yield Check(
        10,
        "multi-stakeholder",
        "People labelled answers for every judge that scored",
        labelled == len(judged) if judged else None,
        f"in {labelled} of {len(judged)} judged cells" if judged else "no judge scored",
    )
    spoke = set(beside.countersigned) | set(beside.dissented)
    yield Check(
        11,
        "multi-stakeholder",
        "Every participant countersigned it or dissented",
        spoke >= set(protocol.participants),
        f"{len(beside.countersigned)} countersigned, {len(beside.dissented)} dissented, of "
        f"{len(protocol.participants)}",
    )


def _iterative(finding: Finding, beside: Beside) -> Iterator[Check]:
    yield Check(
        12,
        "iterative",
        "The same model was tested by another exercise in the record",
        beside.other_exercises > 0,
        f"{beside.other_exercises} other exercises",
    )
    silent = sum(cell.status != "reported" and not cell.reason for cell in finding.cells)
    yield Check(
        13,
        "iterative",
        "What could not be computed is named with its reason",
        silent == 0,
        f"{len(finding.gaps)} gaps; {silent} cells without a reason",
    )


def _reproducible(finding: Finding, protocol: Protocol, beside: Beside) -> Iterator[Check]:
    yield Check(
        14,
        "reproducible",
        "Every model is pinned to a snapshot",
        all(model.identity for model in protocol.models),
        f"{sum(bool(model.identity) for model in protocol.models)} of {len(protocol.models)}",
    )
    yield Check(
        15,
        "reproducible",
        "Participants computed the figures again and agree",
        bool(beside.countersigned) and not beside.dissented,
        f"{len(beside.countersigned)} agree within {finding.relative_tolerance:g}, "
        f"{len(beside.dissented)} do not",
    )
    cells = [cell for cell in _reported(finding) if len(cell.labs) > 1]
    told = sum(cell.precision is not None for cell in cells)
    yield Check(
        16,
        "reproducible",
        "The scatter between labs is given",
        told == len(cells) if cells else None,
        f"in {told} of {len(cells)} cells with several labs" if cells else "no cell has two labs",
    )
