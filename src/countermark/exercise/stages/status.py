# SPDX-License-Identifier: Apache-2.0
"""Which stage of an exercise each participant has reached, by what it has logged."""

from dataclasses import dataclass
from typing import Literal

from countermark.exercise.logged import closing_of
from countermark.node.book import Book
from countermark.records.evidence import Evidence, SealedResult
from countermark.records.finding import Dissent, Finding
from countermark.records.protocol import Countersignature, Protocol, RunPlan

Stage = Literal[
    "not countersigned",
    "countersigned",
    "planned",
    "sealed",
    "revealed",
    "countersigned the finding",
    "dissented",
]


@dataclass(frozen=True, slots=True)
class InstituteStage:
    """The latest stage of one participant.

    Parameters
    ----------
    institute, stage
        Who it is, and how far it has come.
    shows
        What it shows of its samples, or that it was closed without showing them; nothing before.
    """

    institute: str
    stage: Stage
    shows: str | None = None


def shows(evidence: Evidence) -> str:
    """Say in words how much of what a lab sealed is open."""
    opened = evidence.opened
    if evidence.disclosure == "all":
        return "everything open"
    if evidence.disclosure == "counts":
        return "counts only"
    scores = "scores" if opened.scores == opened.samples else f"{opened.scores} of the scores"
    return f"{scores} open, {opened.transcripts} of {opened.samples} transcripts open"


def stages(protocol: Protocol, book: Book) -> tuple[InstituteStage, ...]:
    """Return the latest stage of each participant, in the protocol's order."""
    findings = {
        finding.digest
        for _, finding in book.of_kind(Finding)
        if finding.protocol == protocol.digest
    }
    return tuple(
        InstituteStage(code, _stage(code, protocol, book, findings), _shows(code, protocol, book))
        for code in protocol.participants
    )


def _stage(code: str, protocol: Protocol, book: Book, findings: set[str]) -> Stage:
    own = [entry.record for entry in book.entries if entry.author == code]
    stage: Stage = "not countersigned"
    for record in own:
        if isinstance(record, Dissent) and record.of in findings:
            return "dissented"
        if isinstance(record, Countersignature) and record.of in findings:
            return "countersigned the finding"
    reached: tuple[tuple[type[RunPlan | SealedResult | Evidence], Stage], ...] = (
        (RunPlan, "planned"),
        (SealedResult, "sealed"),
        (Evidence, "revealed"),
    )
    if any(isinstance(r, Countersignature) and r.of == protocol.digest for r in own):
        stage = "countersigned"
    for kind, name in reached:
        if any(isinstance(r, kind) and r.protocol == protocol.digest for r in own):
            stage = name
    return stage


def _shows(code: str, protocol: Protocol, book: Book) -> str | None:
    own = [entry.record for entry in book.entries if entry.author == code]
    for record in own:
        # The first counts; see first_evidence in revealing/held.py.
        if isinstance(record, Evidence) and record.protocol == protocol.digest:
            return shows(record)
    closing = closing_of(book, protocol)
    if closing is None:
        return None
    if any(seal.institute == code for seal in closing.seals):
        return "sealed, not revealed"
    return "planned, not sealed" if any(lab[:2] == code for lab in closing.not_sealed) else None
