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
from countermark.records.judging import JudgesCompared, RejudgementUse, ScorerFigures
from countermark.records.protocol import FactorSetting

Estimand = Literal["benchmark", "generalised"]
Correction = Literal["none", "rogan-gladen"]
Leading = Literal["rogan-gladen", "prediction-powered"]
CellStatus = Literal["reported", "not-informative", "judge-not-validated", "not-computable"]


class Components(Part):
    """Variance components on the scale of one 0/1 score, and the mean squares behind them."""

    s2_lab: float = Field(description="Variance between labs.")
    s2_item: float = Field(description="Variance between items.")
    s2_lab_item: float | None = Field(default=None, description="Absent with one epoch.")
    s2_epoch: float | None = Field(default=None, description="Absent with one epoch.")
    ms_lab: float = Field(description="Mean square of labs.")
    ms_item: float = Field(description="Mean square of items.")
    ms_lab_item: float = Field(description="Mean square of the interaction of lab and item.")
    epochs: float = Field(description="Harmonic mean of the epochs per lab and item.")


class ExactCounts(Part):
    """What an exact interval is made of."""

    events: float = Field(ge=0, description="Items, or parts of items, where the event happened.")
    trials: Count = Field(description="Items: labs and epochs repeat the same items.")
    found: Count | None = Field(
        default=None, description="Labelled answers of the kind never reported that were seen."
    )
    labelled: Count | None = Field(default=None, description="How many of that kind there were.")


class JudgedParts(Part):
    """The two parts of the error of a rate corrected for the judge."""

    reported: Rate = Field(description="The rate as the judges reported it.")
    slope: float = Field(description="How far the corrected rate moves when the reported one does.")
    sampling_se: float = Field(
        ge=0, description="Standard error that comes of the sampled answers."
    )
    sampling_df: float = Field(gt=0, description="Its degrees of freedom.")
    judge_se: float = Field(ge=0, description="Standard error that comes of the labelled answers.")
    judge_df: float = Field(gt=0, description="Its degrees of freedom.")


class Figure(Part):
    """One estimate with its estimand and interval."""

    estimand: Estimand = Field(
        description="What the rate is a rate of: these items, or the population of items."
    )
    correction: Correction = Field(
        description="How the judge's errors were taken out, if they were."
    )
    without_lab: LabKey | None = Field(default=None, description="The lab left out, if one was.")
    value: Rate = Field(description="The estimate.")
    se: float | None = Field(
        default=None, ge=0, description="Its standard error; absent for *exact* bounds."
    )
    df: float | None = Field(
        default=None, gt=0, description="Degrees of freedom of the standard error."
    )
    lower: Rate = Field(description="Lower end of the interval.")
    upper: Rate = Field(description="Upper end of the interval.")
    level: Rate = Field(description="Confidence level of the interval.")
    method: Slug = Field(description="Name of the method; see docs/statistics.md.")
    shape: Literal["effective", "corrected", "exact"] = Field(
        description="How a bound at another confidence is taken; see docs/statistics.md."
    )
    counts: ExactCounts | None = Field(default=None, description="For *exact* bounds.")
    judged: JudgedParts | None = Field(default=None, description="For *corrected* bounds.")
    labs: Count = Field(description="How many labs it rests on.")
    items: Count = Field(description="How many items it rests on.")
    items_dropped: Count = Field(description="Items left out because not every lab scored them.")
    components: Components | None = Field(
        default=None, description="The variance components behind it, where the method has any."
    )


class NotComputed(Part):
    """A figure that could not be computed, and why."""

    estimand: Estimand = Field(description="Which estimand.")
    correction: Correction = Field(description="Which correction.")
    without_lab: LabKey | None = Field(default=None, description="The lab left out, if one was.")
    reason: Text = Field(description="Why there is no such figure.")


class Bounds(Part):
    """The two ends of an interval."""

    lower: float = Field(description="Lower end.")
    upper: float = Field(description="Upper end.")


class Agreement(Part):
    """How far a judge and people agree beyond chance."""

    measure: Literal["cohen", "ac1", "alpha-nominal"] = Field(description="Which coefficient.")
    value: float = Field(description="1 is full agreement, 0 that of chance.")
    bounds: Bounds | None = Field(default=None, description="Its bootstrap interval.")


class MethodFigure(Part):
    """The joint rate by one of three methods; their differences show what the method decides."""

    estimand: Estimand = Field(description="Which estimand.")
    method: Literal["crossed", "mixed", "bootstrap"] = Field(
        description="Mean squares, a mixed model on the log-odds scale, or labs and items redrawn."
    )
    value: Rate = Field(description="The rate.")
    lower: Rate = Field(description="Lower end of its interval.")
    upper: Rate = Field(description="Upper end of its interval.")
    level: Rate = Field(description="Confidence level of the interval.")


class NewLabFigure(Part):
    """What one more lab is expected to report, run as the others were."""

    estimand: Estimand = Field(description="On these items, or on new ones of their population.")
    lower: Rate = Field(description="Lower end.")
    upper: Rate = Field(description="Upper end.")
    level: Rate = Field(description="Confidence level.")


class NoEventsFigure(Part):
    """What can be said of a rate of which no event was seen."""

    effective_items: float = Field(
        gt=0, description="How many items it rests on; labs and epochs repeat the same items."
    )
    upper: Rate = Field(description="One-sided upper bound.")
    level: Rate = Field(description="Confidence level of the bound.")


class ConsensusFigures(Part):
    """The labs' mean with the covariance that shared items give them (REML, Knapp-Hartung)."""

    value: float = Field(description="The mean.")
    lower: float = Field(description="Lower end of its interval.")
    upper: float = Field(description="Upper end of its interval.")
    level: Rate = Field(description="Confidence level of the interval.")
    between_lab: float = Field(ge=0, description="Standard deviation between labs.")
    share: Rate = Field(description="Share of the variance that is between labs (I squared).")


class NextRunFigure(Part):
    """The addition that would narrow the interval most for each answer that it costs."""

    estimand: Estimand = Field(description="Which estimand.")
    what: Text = Field(description="What to add.")
    answers: Count = Field(description="How many answers it takes.")
    half_width: float = Field(ge=0, description="Half the width of the interval to be expected.")


class FactorFigures(Part):
    """How far labs with one value of a factor are from labs with another."""

    model: Slug = Field(description="Key of the model under test.")
    task: Slug = Field(description="Key of the task.")
    language: LanguageTag = Field(description="Language of the cell.")
    factor: Slug = Field(description="Key of the factor.")
    setting: Slug = Field(description="The value.")
    against: Slug = Field(description="The value it is compared with.")
    difference: float = Field(description="Mean rate of its labs minus that of the others.")
    lower: float = Field(description="Lower end of the interval.")
    upper: float = Field(description="Upper end of the interval.")
    p_adjusted: Rate = Field(description="p-value of the factor, adjusted for all factors.")
    share: float | None = Field(
        default=None,
        description="Its share of the variance between labs (Shapley); below 0 if it explains less "
        "than chance would.",
    )
    designed: tuple[LabKey, ...] | None = Field(
        default=None,
        description="The labs that ran their items both ways, so that nothing else differs; "
        "absent: told from differences between labs.",
    )


class PrecisionFigures(Part):
    """How far results scatter within a lab and between labs (ISO 5725), as standard deviations."""

    repeatability: float | None = Field(default=None, ge=0, description="Absent with one epoch.")
    lab_item: float | None = Field(default=None, ge=0, description="Absent with one epoch.")
    between_lab: float = Field(ge=0, description="Between labs.")
    reproducibility: float = Field(ge=0, description="Within and between labs together.")
    f_statistic: float | None = Field(
        default=None, description="F statistic of the hypothesis that labs do not differ."
    )
    f_p_value: Rate | None = Field(default=None, description="Its p-value.")
    level: Rate | None = Field(default=None, description="Confidence level of the intervals.")
    repeatability_bounds: Bounds | None = Field(default=None, description="Its interval.")
    lab_item_bounds: Bounds | None = Field(default=None, description="Its interval.")
    between_lab_bounds: Bounds | None = Field(default=None, description="Its interval.")
    reproducibility_bounds: Bounds | None = Field(default=None, description="Its interval.")
    not_separable: Text | None = Field(
        default=None, description="What this design cannot tell apart, in words."
    )
    h_critical: float | None = Field(
        default=None, description="|h| above this marks a lab's mean (ASTM E691, 0.5 %)."
    )
    k_critical: float | None = Field(
        default=None, description="k above this marks a lab's repeatability (ASTM E691, 0.5 %)."
    )


class LabFigures(Part):
    """One lab's own rate and how it stands to the others'."""

    institute: MemberCode = Field(description="Whose lab it is.")
    lab: LabKey = Field(description="The lab.")
    value: Rate = Field(description="The lab's own rate.")
    lower: Rate = Field(description="Lower end of its interval.")
    upper: Rate = Field(description="Upper end of its interval.")
    scored: Count = Field(description="Samples that were scored.")
    events: float = Field(description="Sum of their scores.")
    difference: float | None = Field(default=None, description="From the other labs' mean.")
    expanded_uncertainty: float | None = Field(
        default=None, ge=0, description="Expanded uncertainty of the difference."
    )
    e_n: float | None = Field(default=None, description="|E_n| above 1: not equivalent.")
    zeta: float | None = Field(
        default=None, description="Difference over its standard uncertainty (ISO 13528)."
    )
    mandel_h: float | None = Field(
        default=None, description="How many standard deviations of lab means it is off."
    )
    mandel_k: float | None = Field(
        default=None, description="Its repeatability over that of all labs; absent with one epoch."
    )


class ControlFigures(Part):
    """How the model did on the control items of a cell."""

    passed: Count = Field(description="Control answers that were right.")
    tried: Count = Field(description="Control answers that were asked for.")
    lower: Rate = Field(description="Lower end of the interval of the share.")
    upper: Rate = Field(description="Upper end of the interval of the share.")
    minimum: Rate = Field(description="Share below which the cell says nothing; from the protocol.")


class JudgeValidity(Part):
    """What one judge version made of the labelled answers of one language."""

    version: Slug = Field(description="Version of the judge.")
    annotation_set: Digest = Field(description="The labelled answers.")
    labelled_by: Text = Field(description="Who labelled them.")
    positives: Count = Field(description="Answers that people labelled as the event.")
    true_positives: Count = Field(description="Those that the judge called so too.")
    negatives: Count = Field(description="Answers labelled as not the event.")
    true_negatives: Count = Field(description="Those that the judge called so too.")
    unparsed: Count = Field(description="Verdicts that could not be read.")
    sensitivity: Rate = Field(description="Share of positives that the judge saw.")
    sensitivity_lower: Rate = Field(description="Lower end of its interval.")
    sensitivity_upper: Rate = Field(description="Upper end of its interval.")
    specificity: Rate = Field(description="Share of negatives that the judge let pass.")
    specificity_lower: Rate = Field(description="Lower end of its interval.")
    specificity_upper: Rate = Field(description="Upper end of its interval.")
    agreement: tuple[Agreement, ...] = Field(
        description="Agreement of judge and people beyond chance."
    )
    scorer: Slug | None = Field(
        default=None, description="Key of a further scorer; absent: the task's own."
    )


class CellLeftOut(Part):
    """A lab whose answers are in other cells and not in this one, and why."""

    lab: LabKey = Field(description="The lab.")
    settings: tuple[Text, ...] = Field(
        min_length=1, description="Settings that it had otherwise here, and did not declare."
    )


class RectifiedFigure(Part):
    """The joint rate rectified with people's labels of a random sample of the same answers."""

    value: Rate = Field(description="The rate.")
    se: float | None = Field(default=None, ge=0, description="Its standard error.")
    lower: Rate = Field(description="Lower end of its interval.")
    upper: Rate = Field(description="Upper end of its interval.")
    level: Rate = Field(description="Confidence level of the interval.")
    labs: Count = Field(description="How many labs it rests on.")
    items: Count = Field(description="How many items it rests on.")


class LeadingCorrection(Part):
    """Which correction of a judge's errors leads, of two that are both given, and why."""

    estimand: Estimand = Field(description="Of which rate.")
    annotation_set: Digest = Field(description="The labelled sample.")
    leads: Leading | None = Field(default=None, description="Absent: neither may lead.")
    reason: Text = Field(description="Why, in a sentence or two.")
    rectified: RectifiedFigure | None = Field(
        default=None, description="The other is among the cell's figures."
    )
    not_rectified: Text | None = Field(default=None, description="Why there is no such rate.")
    difference: float | None = Field(
        default=None, description="Rectified rate minus the one by sensitivity and specificity."
    )
    disagree: bool = Field(description="They differ by more than the labels explain.")


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


class LanguageFigures(Part):
    """One language against the reference language, item by item."""

    model: Slug = Field(description="Key of the model under test.")
    task: Slug = Field(description="Key of the task.")
    language: LanguageTag = Field(description="The language.")
    reference: LanguageTag = Field(description="The language it is compared with.")
    estimand: Estimand = Field(description="Which estimand.")
    difference: float = Field(ge=-1, le=1, description="Its rate minus the reference's.")
    lower: float = Field(ge=-1, le=1, description="Lower end of the interval.")
    upper: float = Field(ge=-1, le=1, description="Upper end of the interval.")
    level: Rate = Field(description="Confidence level of the interval.")
    margin: float = Field(gt=0, description="The margin that the protocol declares.")
    p_adjusted: Rate | None = Field(
        default=None, description="p-value of no difference, adjusted for all languages (Holm)."
    )
    verdict: Literal["non-inferior", "different", "undetermined"] = Field(
        description="What is shown of it."
    )
    items: Count = Field(description="Items that every lab scored in both languages.")
    items_dropped: Count = Field(description="Items that are in only one of the two.")


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
