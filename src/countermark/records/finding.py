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
from countermark.records.evidence import CellCounts, Deviation
from countermark.records.protocol import FactorSetting

Estimand = Literal["benchmark", "generalised"]
Correction = Literal["none", "rogan-gladen"]
CellStatus = Literal["reported", "not-informative", "judge-not-validated", "not-computable"]


class Components(Part):
    """Variance components on the scale of one 0/1 score, and the mean squares behind them."""

    s2_lab: float
    s2_item: float
    s2_lab_item: float | None = Field(default=None, description="Absent with one epoch.")
    s2_epoch: float | None = Field(default=None, description="Absent with one epoch.")
    ms_lab: float
    ms_item: float
    ms_lab_item: float
    epochs: float = Field(description="Harmonic mean of the epochs per lab and item.")


class ExactCounts(Part):
    """What an exact interval is made of."""

    events: float = Field(ge=0)
    trials: Count = Field(description="Items: labs and epochs repeat the same items.")
    found: Count | None = Field(
        default=None, description="Labelled answers of the kind never reported that were seen."
    )
    labelled: Count | None = Field(default=None, description="How many of that kind there were.")


class JudgedParts(Part):
    """The two parts of the error of a rate corrected for the judge."""

    reported: Rate = Field(description="The rate as the judges reported it.")
    slope: float = Field(description="How far the corrected rate moves when the reported one does.")
    sampling_se: float = Field(ge=0)
    sampling_df: float = Field(gt=0)
    judge_se: float = Field(ge=0)
    judge_df: float = Field(gt=0)


class Figure(Part):
    """One estimate with its estimand and interval."""

    estimand: Estimand
    correction: Correction
    without_lab: LabKey | None = Field(default=None, description="The lab left out, if one was.")
    value: Rate
    se: float | None = Field(default=None, ge=0)
    df: float | None = Field(default=None, gt=0)
    lower: Rate
    upper: Rate
    level: Rate
    method: Slug
    shape: Literal["effective", "corrected", "exact"] = Field(
        description="How a bound at another confidence is taken; see docs/statistics.md."
    )
    counts: ExactCounts | None = Field(default=None, description="For *exact* bounds.")
    judged: JudgedParts | None = Field(default=None, description="For *corrected* bounds.")
    labs: Count
    items: Count
    items_dropped: Count
    components: Components | None = None


class NotComputed(Part):
    """A figure that could not be computed, and why."""

    estimand: Estimand
    correction: Correction
    without_lab: LabKey | None = None
    reason: Text


class PrecisionFigures(Part):
    """How far results scatter within a lab and between labs (ISO 5725), as standard deviations."""

    repeatability: float | None = Field(default=None, ge=0, description="Absent with one epoch.")
    lab_item: float | None = Field(default=None, ge=0, description="Absent with one epoch.")
    between_lab: float = Field(ge=0)
    reproducibility: float = Field(ge=0)
    f_statistic: float | None = None
    f_p_value: Rate | None = None


class LabFigures(Part):
    """One lab's own rate and how it stands to the others'."""

    institute: MemberCode
    lab: LabKey
    value: Rate
    lower: Rate
    upper: Rate
    scored: Count
    events: float
    difference: float | None = Field(default=None, description="From the other labs' mean.")
    expanded_uncertainty: float | None = Field(default=None, ge=0)
    e_n: float | None = Field(default=None, description="|E_n| above 1: not equivalent.")


class ControlFigures(Part):
    """How the model did on the control items of a cell."""

    passed: Count
    tried: Count
    lower: Rate
    upper: Rate
    minimum: Rate


class JudgeValidity(Part):
    """What one judge version made of the labelled answers of one language."""

    version: Slug
    annotation_set: Digest
    labelled_by: Text
    positives: Count
    true_positives: Count
    negatives: Count
    true_negatives: Count
    unparsed: Count
    sensitivity: Rate
    sensitivity_lower: Rate
    sensitivity_upper: Rate
    specificity: Rate
    specificity_lower: Rate
    specificity_upper: Rate


class FindingCell(Part):
    """The joint result of one model x task x language."""

    model: Slug
    task: Slug
    language: LanguageTag
    status: CellStatus
    reason: Text | None = Field(default=None, description="Why the status is not *reported*.")
    counts: CellCounts
    controls: ControlFigures | None = None
    validity: tuple[JudgeValidity, ...]
    figures: tuple[Figure, ...]
    not_computed: tuple[NotComputed, ...]
    precision: PrecisionFigures | None = None
    labs: tuple[LabFigures, ...]

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

    institute: MemberCode
    lab: LabKey
    evidence: Digest
    settings: tuple[FactorSetting, ...]
    deviations: tuple[Deviation, ...]
    samples: Count = Field(description="How many it sealed.")
    transcripts_checked: Count = Field(
        description="Of how many the transcript is open, so that the score was computed again."
    )


LeftOutBecause = Literal[
    "not-sealed", "not-revealed", "counts-only", "scores-closed", "coordinator"
]


class LeftOut(Part):
    """A lab that planned a run and is not in the figures, and why."""

    institute: MemberCode
    lab: LabKey
    because: LeftOutBecause
    reason: Text | None = Field(
        default=None, description="Why the coordinator leaves it out, if that is why."
    )
    evidence: Digest | None = Field(default=None, description="Its evidence, if it logged some.")


class Difference(Part):
    """A factor whose value is not the same at every lab, and what it is tied up with."""

    factor: Slug
    aliases: tuple[Slug, ...] = Field(
        description="Other factors, or *lab*, that changed together with it."
    )


class Finding(Record):
    """The joint finding of an exercise; never one overall score."""

    SPEAKER: ClassVar[str | None] = "coordinator"
    kind: Literal["finding"] = "finding"
    version: Literal[1] = 1
    protocol: Digest
    coordinator: MemberCode
    demonstration: bool
    significant_digits: Count
    relative_tolerance: float = Field(gt=0)
    absolute_tolerance: float = Field(gt=0)
    labs: tuple[LabSettings, ...] = Field(min_length=1)
    left_out: tuple[LeftOut, ...]
    differences: tuple[Difference, ...]
    cells: tuple[FindingCell, ...] = Field(min_length=1)

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
    published: float | None = None
    own: float | None = None


class Dissent(Record):
    """A participant's statement that its own recomputation gave other figures."""

    SPEAKER: ClassVar[str | None] = "institute"
    kind: Literal["dissent"] = "dissent"
    version: Literal[1] = 1
    institute: MemberCode
    of: Digest
    reason: Text
    figures: tuple[OwnFigure, ...]
