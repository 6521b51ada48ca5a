# SPDX-License-Identifier: Apache-2.0
"""Parts of a finding: the figures of a cell, of its labs and judges, of settings and languages."""

from typing import Literal

from pydantic import Field

from countermark.records.base import (
    Count,
    Digest,
    LabKey,
    LanguageTag,
    MemberCode,
    Part,
    Rate,
    Slug,
    Text,
)

Estimand = Literal["benchmark", "generalised"]
Correction = Literal["none", "rogan-gladen"]
Leading = Literal["rogan-gladen", "prediction-powered"]


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
