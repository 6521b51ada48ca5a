# SPDX-License-Identifier: Apache-2.0
"""The kinds of threshold: what a developer's framework may ask of a system.

A figure decides a metric bound, a regression and an uplift in a rate. A person decides, in a
signed determination, a capability level, an outcome, a score tier, a security level and an uplift
in cost or time. A trigger asks that an assessment follows it. What is *not quantified* no one
decides from the framework's own words.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from countermark.records.base import Count, LanguageTag, Part, Rate, Slug, Text
from countermark.records.finding_figures import Estimand

Alpha: TypeAlias = Annotated[float, Field(gt=0, lt=0.5)]


class MetricBound(Part):
    """A limit on a rate that a joint finding estimates."""

    kind: Literal["metric-bound"] = Field(
        default="metric-bound", description="Always *metric-bound*."
    )
    task: Slug = Field(description="Key of the task whose rate is limited.")
    languages: tuple[LanguageTag, ...] = Field(
        min_length=1, description="In which languages; each must keep the limit."
    )
    estimands: tuple[Estimand, ...] = Field(
        min_length=1, description="Which estimands must keep it."
    )
    direction: Literal["at-most", "at-least"] = Field(
        description="Whether the limit is a maximum or a minimum."
    )
    limit: Rate = Field(description="The limit.")
    guard: Rate = Field(description="Guard band subtracted from the limit before *below* is said.")
    alpha_miss: Alpha = Field(description="Chance of calling a crossed limit kept.")
    alpha_false: Alpha = Field(description="Chance of calling a kept limit crossed.")
    minimum_labs: Count = Field(description="Fewest labs whose evidence can show the limit kept.")


class Regression(Part):
    """A rate must not be worse than an earlier model's by more than a margin."""

    kind: Literal["regression"] = Field(default="regression", description="Always *regression*.")
    task: Slug = Field(description="Key of the task whose rate is compared.")
    languages: tuple[LanguageTag, ...] = Field(
        min_length=1, description="In which languages; each must hold."
    )
    estimands: tuple[Estimand, ...] = Field(min_length=1, description="Which estimands must hold.")
    baseline: Slug = Field(description="Key of the earlier model, tested in the same exercise.")
    worse: Literal["higher", "lower"] = Field(description="Which way is worse.")
    margin: Rate = Field(description="How much worse is still no regression.")
    alpha_miss: Alpha = Field(description="Chance of calling a regression none.")
    alpha_false: Alpha = Field(description="Chance of calling none a regression.")
    minimum_labs: Count = Field(description="Fewest labs whose evidence can show that it holds.")


class Uplift(Part):
    """How many times more can be done with the model than without it.

    A ratio of two rates is decided by a finding that has both tasks; one of costs or times by a
    determination that gives it.
    """

    kind: Literal["uplift"] = Field(default="uplift", description="Always *uplift*.")
    measure: Literal["rate", "cost", "time"] = Field(
        description="A ratio of success rates, or how many times less cost or time is needed."
    )
    ratio: float = Field(gt=0, description="The ratio from which the threshold is reached.")
    baseline: Text = Field(description="What it is compared with, in words.")
    task: Slug | None = Field(
        default=None, description="Key of the task with the model's help; with *rate* only."
    )
    baseline_task: Slug | None = Field(
        default=None, description="Key of the task without it; with *rate* only."
    )
    languages: tuple[LanguageTag, ...] | None = Field(
        default=None, description="In which languages; with *rate* only."
    )
    estimands: tuple[Estimand, ...] | None = Field(
        default=None, description="Which estimands; with *rate* only."
    )
    alpha_miss: Alpha | None = Field(
        default=None, description="Chance of calling a reached ratio not reached; *rate* only."
    )
    alpha_false: Alpha | None = Field(
        default=None, description="Chance of calling one reached that is not; with *rate* only."
    )
    minimum_labs: Count | None = Field(
        default=None, description="Fewest labs that can show it is not reached; with *rate* only."
    )


class CapabilityLevel(Part):
    """A level on a scale of capabilities, which a person determines from evidence."""

    kind: Literal["capability-level"] = Field(
        default="capability-level", description="Always *capability-level*."
    )
    scale: tuple[Text, ...] = Field(min_length=1, description="The levels, lowest first.")
    level: Text = Field(description="The level from which the threshold is reached.")
    evidence: tuple[Text, ...] = Field(description="What evidence the determination must weigh.")


class OutcomeThreshold(Part):
    """An outcome in the world that the system must not make possible."""

    kind: Literal["outcome"] = Field(default="outcome", description="Always *outcome*.")
    outcome: Text = Field(description="The outcome, in our words.")
    evidence: tuple[Text, ...] = Field(description="What evidence the determination must weigh.")


class Trigger(Part):
    """A quantity that, once reached, makes an assessment due."""

    kind: Literal["trigger"] = Field(default="trigger", description="Always *trigger*.")
    quantity: Literal["compute", "time", "benchmark"] = Field(
        description="Compute or time since the last assessment, or the score on a benchmark."
    )
    at_least: float = Field(gt=0, description="From which value the assessment is due.")
    unit: Literal["times", "FLOP", "months", "share"] = Field(
        description="The unit: *times* or *FLOP* of compute, *months*, or a *share* of a benchmark."
    )
    benchmark: Text | None = Field(default=None, description="Which benchmark.")
    demands: Text = Field(description="What is due, in our words.")


class ScoreTier(Part):
    """A tier that a scheme of scores puts the system into."""

    kind: Literal["score-tier"] = Field(default="score-tier", description="Always *score-tier*.")
    scale: tuple[Text, ...] = Field(min_length=1, description="The tiers, lowest first.")
    tier: Text = Field(description="The tier from which the threshold is reached.")
    demands: Text = Field(description="What that tier demands, in our words.")


class SecurityLevel(Part):
    """A level of security that must be in place."""

    kind: Literal["security-level"] = Field(
        default="security-level", description="Always *security-level*."
    )
    scale: tuple[Text, ...] = Field(min_length=1, description="The levels, lowest first.")
    level: Text = Field(description="The least level that must be in place.")


class NotQuantified(Part):
    """A threshold that no figure decides; the gate refuses to."""

    kind: Literal["not-quantified"] = Field(
        default="not-quantified", description="Always *not-quantified*."
    )
    needs: Text = Field(description="What a person would have to determine.")


ThresholdRule: TypeAlias = (
    MetricBound
    | Regression
    | Uplift
    | CapabilityLevel
    | OutcomeThreshold
    | Trigger
    | ScoreTier
    | SecurityLevel
    | NotQuantified
)
