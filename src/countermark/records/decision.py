# SPDX-License-Identifier: Apache-2.0
"""Decision: what follows from a framework and the evidence."""

from typing import ClassVar, Literal, TypeAlias

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
from countermark.records.framework import Action, Standing

Verdict: TypeAlias = Literal["MAY", "MUST NOT", "NOT ENOUGH EVIDENCE"]
State: TypeAlias = Literal["kept", "mitigated", "crossed", "undetermined"]


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


class ComparisonUsed(Part):
    """One interval of a difference or a ratio of two rates that the gate held against a limit."""

    language: LanguageTag = Field(description="Of which cells.")
    estimand: Estimand = Field(description="Of which estimand.")
    correction: Correction = Field(description="With which correction.")
    without_lab: str | None = Field(default=None, description="The lab left out, if one was.")
    value: float | None = Field(
        default=None, description="The difference, or the ratio; absent where it has no value."
    )
    lower: float = Field(description="One-sided lower bound, at its error budget.")
    upper: float | None = Field(
        default=None, description="One-sided upper bound; absent where there is none."
    )
    state: Literal["kept", "crossed", "undetermined"] = Field(
        description="What this bound alone would say."
    )


class NextTest(Part):
    """The test that would decide a threshold for least, as far as the figures tell."""

    words: Text = Field(description="What to do.")
    labs: Count | None = Field(default=None, description="How many labs, if they are counted.")
    items: Count | None = Field(default=None, description="How many items, if they are counted.")
    epochs: Count | None = Field(default=None, description="How many epochs, if they are counted.")


class ThresholdOutcome(Part):
    """What became of one threshold."""

    threshold: Slug = Field(description="Key of the threshold.")
    state: State = Field(description="What became of it.")
    rule: Count = Field(description="Number of the gate's rule that decided.")
    reason: Text = Field(description="Why, in words.")
    limit: Rate | None = Field(default=None, description="The limit, if it is one on a rate.")
    deciding: BoundUsed | None = Field(default=None, description="The worst case.")
    bounds: tuple[BoundUsed, ...] = Field(
        description="Every bound that was held against the limit."
    )
    comparisons: tuple[ComparisonUsed, ...] | None = Field(
        default=None, description="Every difference or ratio that was held against the limit."
    )
    distance: float | None = Field(
        default=None,
        description="From the limit to the bound that decides, in the unit of the limit: negative "
        "where the bound is on the allowed side.",
    )
    standing: Standing | None = Field(
        default=None, description="How independent the evidence is that was used."
    )
    evidence: tuple[Digest, ...] | None = Field(
        default=None, description="The findings and determinations that decided."
    )
    residual: Text | None = Field(
        default=None, description="What is known of the risk with mitigations in place."
    )
    next_test: NextTest | None = Field(
        default=None, description="What would decide it, where it is undetermined."
    )


class EvidenceUsed(Part):
    """One piece of evidence that the gate was given, and whether it counted."""

    statement: Digest = Field(description="The finding or determination.")
    sort: Literal["finding", "determination"] = Field(description="Which of the two.")
    by: tuple[PartyCode, ...] = Field(description="Whose evidence it is.")
    date: Date | None = Field(default=None, description="When it was made, if that is known.")
    mitigations: tuple[Slug, ...] | None = Field(
        default=None, description="With which mitigations in place."
    )
    left_out: Text | None = Field(default=None, description="Why it did not count, if it did not.")


class Decision(Record):
    """A release decision: a framework's thresholds held against the evidence."""

    SPEAKER: ClassVar[str | None] = "decided_by"
    kind: Literal["decision"] = "decision"
    version: Literal[1] = 1
    decided_by: PartyCode = Field(description="Code of who decided and says it.")
    framework: Digest = Field(description="The framework.")
    finding: Digest | None = Field(
        default=None, description="The finding, or the first of several; absent if there was none."
    )
    model: Slug = Field(description="Key of the model under test.")
    action: Action = Field(description="What was asked for.")
    demonstration: bool = Field(
        description="True where the framework or the evidence is a demonstration."
    )
    verdict: Verdict = Field(description="The verdict.")
    rule: Count = Field(description="Number of the gate's rule that decided.")
    reason: Text = Field(description="Why, in words.")
    outcomes: tuple[ThresholdOutcome, ...] = Field(
        description="What became of each threshold that bears on the action."
    )
    missing: tuple[Text, ...] = Field(description="Evidence that would be needed to decide.")
    at: Date | None = Field(default=None, description="The day for which it was decided.")
    identity: Digest | None = Field(
        default=None, description="Digest that pins the model's snapshot, if it was given."
    )
    standing: Standing | None = Field(
        default=None, description="The least independent evidence that a threshold rests on."
    )
    evidence: tuple[EvidenceUsed, ...] | None = Field(
        default=None, description="Every finding and determination that was given."
    )
    warnings: tuple[Text, ...] | None = Field(
        default=None, description="What a reader of the verdict should know of the framework."
    )
