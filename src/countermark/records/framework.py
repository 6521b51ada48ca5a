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
from countermark.records.finding import Correction, Estimand

Verdict = Literal["MAY", "MUST NOT", "NOT ENOUGH EVIDENCE"]


class MetricBound(Part):
    """A limit on a rate that a joint finding estimates."""

    kind: Literal["metric-bound"] = "metric-bound"
    task: Slug
    languages: tuple[LanguageTag, ...] = Field(min_length=1)
    estimands: tuple[Estimand, ...] = Field(min_length=1)
    direction: Literal["at-most", "at-least"]
    limit: Rate
    guard: Rate = Field(description="Guard band subtracted from the limit before *below* is said.")
    alpha_miss: float = Field(gt=0, lt=0.5, description="Chance of calling a crossed limit kept.")
    alpha_false: float = Field(gt=0, lt=0.5, description="Chance of calling a kept limit crossed.")
    minimum_labs: Count = Field(description="Fewest labs whose evidence can show the limit kept.")


class NotQuantified(Part):
    """A threshold that no figure decides; the gate refuses to."""

    kind: Literal["not-quantified"] = "not-quantified"
    needs: Text = Field(description="What a person would have to determine.")


class Threshold(Part):
    """One threshold of a framework."""

    key: Slug
    title: Text
    force: Literal["shall", "should", "may"]
    actions: tuple[Literal["develop", "deploy"], ...] = Field(min_length=1)
    rule: MetricBound | NotQuantified = Field(discriminator="kind")


class Framework(Record):
    """One version of a developer's safety framework."""

    SPEAKER: ClassVar[str | None] = "developer"
    kind: Literal["framework"] = "framework"
    version: Literal[1] = 1
    developer: Text
    title: Text
    label: Text = Field(description="The developer's own version label.")
    published: Date
    status: Literal["in-force", "superseded", "withdrawn"]
    demonstration: bool
    source: Text
    thresholds: tuple[Threshold, ...] = Field(min_length=1)


class BoundUsed(Part):
    """One interval that the gate held against a limit."""

    language: LanguageTag
    estimand: Estimand
    correction: Correction
    without_lab: str | None = None
    value: Rate
    lower: Rate = Field(description="One-sided lower bound, at its error budget.")
    upper: Rate = Field(description="One-sided upper bound, at its error budget.")
    state: Literal["kept", "crossed", "undetermined"]


class ThresholdOutcome(Part):
    """What became of one threshold."""

    threshold: Slug
    state: Literal["kept", "crossed", "undetermined"]
    rule: Count = Field(description="Number of the gate's rule that decided.")
    reason: Text
    limit: Rate | None = None
    deciding: BoundUsed | None = Field(default=None, description="The worst case.")
    bounds: tuple[BoundUsed, ...]


class Decision(Record):
    """A release decision: a framework's thresholds held against a finding."""

    SPEAKER: ClassVar[str | None] = "decided_by"
    kind: Literal["decision"] = "decision"
    version: Literal[1] = 1
    decided_by: PartyCode
    framework: Digest
    finding: Digest
    model: Slug
    action: Literal["develop", "deploy"]
    demonstration: bool
    verdict: Verdict
    rule: Count = Field(description="Number of the gate's rule that decided.")
    reason: Text
    outcomes: tuple[ThresholdOutcome, ...]
    missing: tuple[Text, ...] = Field(description="Evidence that would be needed to decide.")
