# SPDX-License-Identifier: Apache-2.0
"""Finding: what the labs found together, with every figure a decision needs."""

from typing import ClassVar, Literal

from pydantic import Field

from countermark.records.base import (
    Count,
    Digest,
    LabKey,
    LanguageTag,
    MemberCode,
    Part,
    Rate,
    Record,
    Slug,
    Text,
)
from countermark.records.compared import ComparedSetting
from countermark.records.evidence import CellCounts, Deviation
from countermark.records.finding_figures import (
    ConsensusFigures,
    ControlFigures,
    Correction,
    Estimand,
    FactorFigures,
    Figure,
    JudgeValidity,
    LabFigures,
    LanguageFigures,
    LeadingCorrection,
    MethodFigure,
    NewLabFigure,
    NextRunFigure,
    NoEventsFigure,
    NotComputed,
    PrecisionFigures,
)
from countermark.records.judging import JudgesCompared, RejudgementUse, ScorerFigures
from countermark.records.protocol import FactorSetting

CellStatus = Literal["reported", "not-informative", "judge-not-validated", "not-computable"]


class CellLeftOut(Part):
    """A lab whose answers are in other cells and not in this one, and why."""

    lab: LabKey = Field(description="The lab.")
    settings: tuple[Text, ...] = Field(
        min_length=1, description="Settings that it had otherwise here, and did not declare."
    )


class FindingCell(Part):
    """The joint result of one model x task x language."""

    model: Slug = Field(description="Key of the model under test.")
    task: Slug = Field(description="Key of the task.")
    language: LanguageTag = Field(description="Language of the cell.")
    status: CellStatus = Field(description="Whether its rates say something; if not, why not.")
    reason: Text | None = Field(default=None, description="Why the status is not *reported*.")
    counts: CellCounts = Field(description="Samples of all labs together, on both axes.")
    controls: ControlFigures | None = Field(
        default=None, description="How the model did on control items, where the task has any."
    )
    validity: tuple[JudgeValidity, ...] = Field(
        description="How often each version of the judge was right; empty for an objective scorer."
    )
    figures: tuple[Figure, ...] = Field(
        description="Every estimate: by estimand, by correction, with all labs and without each."
    )
    not_computed: tuple[NotComputed, ...] = Field(
        description="Estimates that could not be computed."
    )
    precision: PrecisionFigures | None = Field(
        default=None, description="How far labs and runs scatter."
    )
    labs: tuple[LabFigures, ...] = Field(description="Each lab's own rate.")
    robust_mean: Rate | None = Field(
        default=None, description="Mean of the labs' rates by Algorithm A of ISO 13528."
    )
    methods: tuple[MethodFigure, ...] = Field(
        description="The uncorrected joint rate by three methods, side by side."
    )
    new_lab: tuple[NewLabFigure, ...] = Field(
        description="What one more lab is expected to report."
    )
    no_events: NoEventsFigure | None = Field(
        default=None, description="The bound of a rate without one event."
    )
    consensus: ConsensusFigures | None = Field(
        default=None, description="The labs' mean as a consensus of dependent values."
    )
    next_run: tuple[NextRunFigure, ...] = Field(
        description="What to add to this cell for the least answers."
    )
    left_out: tuple[CellLeftOut, ...] | None = Field(
        default=None, description="Labs that ran it otherwise and did not say so; absent: none."
    )
    scorers: tuple[ScorerFigures, ...] | None = Field(
        default=None, description="Each scorer by itself; absent: one, that scored every answer."
    )
    further_validity: tuple[JudgeValidity, ...] | None = Field(
        default=None, description="How often further judges were right, if there are any."
    )
    judges_compared: tuple[JudgesCompared, ...] | None = Field(
        default=None, description="Scorers against each other, if there are several."
    )
    corrections: tuple[LeadingCorrection, ...] | None = Field(
        default=None, description="Where people labelled a sample of this cell's answers."
    )

    def figure(
        self, estimand: Estimand, correction: Correction = "none", without_lab: str | None = None
    ) -> Figure | None:
        """Return the figure so named, or nothing where it was not computed."""
        return next(
            (
                figure
                for figure in self.figures
                if (figure.estimand, figure.correction, figure.without_lab)
                == (estimand, correction, without_lab)
            ),
            None,
        )

    @property
    def headline_correction(self) -> Correction:
        """The correction whose figures are shown first: the judge's errors taken out, if known."""
        return "rogan-gladen" if self.validity else "none"


class LabSettings(Part):
    """What one lab declared, and whether it deviated."""

    institute: MemberCode = Field(description="Whose lab it is.")
    lab: LabKey = Field(description="The lab.")
    evidence: Digest = Field(description="Its evidence.")
    settings: tuple[FactorSetting, ...] = Field(description="The factors' values that it declared.")
    deviations: tuple[Deviation, ...] = Field(description="Where it departed from the protocol.")
    samples: Count = Field(description="How many it sealed.")
    transcripts_checked: Count = Field(
        description="Of how many the transcript is open, so that the score was computed again."
    )


LeftOutBecause = Literal[
    "not-sealed", "not-revealed", "counts-only", "scores-closed", "coordinator", "not-comparable"
]


class LeftOut(Part):
    """A lab of the exercise that is not in the figures, and why."""

    institute: MemberCode = Field(description="Whose lab it is.")
    lab: LabKey = Field(description="The lab.")
    because: LeftOutBecause = Field(description="How far it came, or that it was left out.")
    reason: Text | None = Field(
        default=None, description="Why the coordinator leaves it out, if that is why."
    )
    evidence: Digest | None = Field(default=None, description="Its evidence, if it logged some.")


class Difference(Part):
    """A factor whose value is not the same at every lab, and what it is tied up with."""

    factor: Slug = Field(description="Key of the factor.")
    aliases: tuple[Slug, ...] = Field(
        description="Other factors, or *lab*, that changed together with it."
    )


class Gap(Part):
    """A section of the analysis that could not be computed, and why."""

    section: Slug = Field(description="Which section; see docs/statistics.md.")
    model: Slug | None = Field(default=None, description="Where, if not everywhere.")
    task: Slug | None = Field(default=None, description="Where, if not everywhere.")
    language: LanguageTag | None = Field(default=None, description="Where, if not everywhere.")
    reason: Text = Field(description="Why.")


class Finding(Record):
    """The joint finding of an exercise; never one overall score."""

    SPEAKER: ClassVar[str | None] = "coordinator"
    kind: Literal["finding"] = "finding"
    version: Literal[1] = 1
    protocol: Digest = Field(description="The protocol of the exercise.")
    coordinator: MemberCode = Field(description="Who computed it and says it.")
    demonstration: bool = Field(description="True where no real institute stands behind it.")
    significant_digits: Count = Field(description="To how many digits figures are given.")
    relative_tolerance: float = Field(
        gt=0, description="Two computations agree if they differ by no more, relatively."
    )
    absolute_tolerance: float = Field(
        gt=0, description="Or absolutely, where figures are close to 0."
    )
    labs: tuple[LabSettings, ...] = Field(
        min_length=1, description="The labs whose evidence it rests on."
    )
    left_out: tuple[LeftOut, ...] = Field(
        description="Labs of the exercise that are not in the figures."
    )
    differences: tuple[Difference, ...] = Field(
        description="Factors that were not the same at every lab."
    )
    cells: tuple[FindingCell, ...] = Field(
        min_length=1, description="One for each model, task and language."
    )
    seed: Count = Field(description="Of all draws; it comes of the protocol's digest.")
    replicates: Count = Field(description="Draws of the bootstrap.")
    factors: tuple[FactorFigures, ...] = Field(
        description="What settings do, where the labs' settings tell it."
    )
    languages: tuple[LanguageFigures, ...] = Field(
        description="Differences from the reference language, if one is declared."
    )
    gaps: tuple[Gap, ...] = Field(
        description="What of the analysis could not be computed, and why."
    )
    comparability: tuple[ComparedSetting, ...] | None = Field(
        default=None, description="Every setting that some lab told, lab by lab; absent: none did."
    )
    rejudgements: tuple[RejudgementUse, ...] | None = Field(
        default=None, description="Judgements by labs that did not run the model, if there are any."
    )

    def cell(self, model: str, task: str, language: str) -> FindingCell | None:
        """Return one cell of the finding, or nothing where it has none."""
        return next(
            (
                cell
                for cell in self.cells
                if (cell.model, cell.task, cell.language) == (model, task, language)
            ),
            None,
        )


class OwnFigure(Part):
    """One figure on which a participant differs from the published finding."""

    where: Text = Field(description="Path in the finding.")
    published: float | None = Field(
        default=None, description="What the finding has; absent if it has none."
    )
    own: float | None = Field(
        default=None, description="What the participant got; absent if nothing."
    )


class Dissent(Record):
    """A participant's statement that its own recomputation gave other figures."""

    SPEAKER: ClassVar[str | None] = "institute"
    kind: Literal["dissent"] = "dissent"
    version: Literal[1] = 1
    institute: MemberCode = Field(description="Who dissents.")
    of: Digest = Field(description="The finding.")
    reason: Text = Field(description="Why, in words.")
    figures: tuple[OwnFigure, ...] = Field(description="The figures that differ.")
