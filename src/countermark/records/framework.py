# SPDX-License-Identifier: Apache-2.0
"""Framework and decision: what a developer promised, and what follows from a finding."""

from typing import ClassVar, Literal

from pydantic import Field

from countermark.records.base import (
    Count,
    Date,
    Digest,
    LanguageTag,
    Part,
    PartyCode,
    Rate,
    Record,
    Slug,
    Text,
)
from countermark.records.finding_figures import Correction, Estimand

Verdict = Literal["MAY", "MUST NOT", "NOT ENOUGH EVIDENCE"]


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
    alpha_miss: float = Field(gt=0, lt=0.5, description="Chance of calling a crossed limit kept.")
    alpha_false: float = Field(gt=0, lt=0.5, description="Chance of calling a kept limit crossed.")
    minimum_labs: Count = Field(description="Fewest labs whose evidence can show the limit kept.")


class NotQuantified(Part):
    """A threshold that no figure decides; the gate refuses to."""

    kind: Literal["not-quantified"] = Field(
        default="not-quantified", description="Always *not-quantified*."
    )
    needs: Text = Field(description="What a person would have to determine.")


class Threshold(Part):
    """One threshold of a framework."""

    key: Slug = Field(description="Its key within the framework.")
    title: Text = Field(description="What it is about, in words.")
    force: Literal["shall", "should", "may"] = Field(
        description="How binding the developer's own words are."
    )
    actions: tuple[Literal["develop", "deploy"], ...] = Field(
        min_length=1, description="Which actions it bears on."
    )
    rule: MetricBound | NotQuantified = Field(
        discriminator="kind", description="A limit on a rate, or that there is none."
    )


class Framework(Record):
    """One version of a developer's safety framework."""

    SPEAKER: ClassVar[str | None] = "developer"
    kind: Literal["framework"] = "framework"
    version: Literal[1] = 1
    developer: PartyCode = Field(description="Whose it is: the developer's code in the roster.")
    title: Text = Field(description="Its title.")
    label: Text = Field(description="The developer's own version label.")
    published: Date = Field(description="When it was published.")
    status: Literal["in-force", "superseded", "withdrawn"] = Field(
        description="Whether it is in force."
    )
    demonstration: bool = Field(description="True where no real developer stands behind it.")
    source: Text = Field(description="Where its text can be read.")
    thresholds: tuple[Threshold, ...] = Field(min_length=1, description="Its thresholds.")


class BoundUsed(Part):
    """One interval that the gate held against a limit."""

    language: LanguageTag = Field(description="Of which cell.")
    estimand: Estimand = Field(description="Of which estimand.")
    correction: Correction = Field(description="With which correction.")
    without_lab: str | None = Field(default=None, description="The lab left out, if one was.")
    value: Rate = Field(description="The estimate.")
    lower: Rate = Field(description="One-sided lower bound, at its error budget.")
    upper: Rate = Field(description="One-sided upper bound, at its error budget.")
    state: Literal["kept", "crossed", "undetermined"] = Field(
        description="What this bound alone would say."
    )


class ThresholdOutcome(Part):
    """What became of one threshold."""

    threshold: Slug = Field(description="Key of the threshold.")
    state: Literal["kept", "crossed", "undetermined"] = Field(description="What became of it.")
    rule: Count = Field(description="Number of the gate's rule that decided.")
    reason: Text = Field(description="Why, in words.")
    limit: Rate | None = Field(default=None, description="The limit, if it has one.")
    deciding: BoundUsed | None = Field(default=None, description="The worst case.")
    bounds: tuple[BoundUsed, ...] = Field(
        description="Every bound that was held against the limit."
    )


class Decision(Record):
    """A release decision: a framework's thresholds held against a finding."""

    SPEAKER: ClassVar[str | None] = "decided_by"
    kind: Literal["decision"] = "decision"
    version: Literal[1] = 1
    decided_by: PartyCode = Field(description="Code of who decided and says it.")
    framework: Digest = Field(description="The framework.")
    finding: Digest = Field(description="The finding.")
    model: Slug = Field(description="Key of the model under test.")
    action: Literal["develop", "deploy"] = Field(description="What was asked for.")
    demonstration: bool = Field(
        description="True where the framework or the finding is a demonstration."
    )
    verdict: Verdict = Field(description="The verdict.")
    rule: Count = Field(description="Number of the gate's rule that decided.")
    reason: Text = Field(description="Why, in words.")
    outcomes: tuple[ThresholdOutcome, ...] = Field(
        description="What became of each threshold that bears on the action."
    )
    missing: tuple[Text, ...] = Field(description="Evidence that would be needed to decide.")
