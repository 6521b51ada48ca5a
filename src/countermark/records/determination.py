# SPDX-License-Identifier: Apache-2.0
"""Determination: what a person found that no figure decides, signed."""

from typing import ClassVar, Literal

from pydantic import Field

from countermark.records.base import Date, Digest, Part, PartyCode, Record, Slug, Text
from countermark.records.reference import Source


class Weighed(Part):
    """One piece of evidence that was weighed: a statement, or a text by its source."""

    words: Text = Field(description="What it is, and what it shows.")
    statement: Digest | None = Field(default=None, description="The statement, if it is one.")
    source: Source | None = Field(
        default=None, description="Where it can be read, if it is a text."
    )


class Determination(Record):
    """A signed human judgement about one provision of a framework and one model."""

    SPEAKER: ClassVar[str | None] = "determined_by"
    kind: Literal["determination"] = "determination"
    version: Literal[1] = 1
    determined_by: PartyCode = Field(description="Code of whoever determines and says it.")
    framework: Digest = Field(description="The framework.")
    subject: Literal["threshold", "mitigation", "duty", "provision"] = Field(
        description="What it is about: a threshold, a mitigation in place, a duty fulfilled, or a "
        "provision of process or governance that is followed."
    )
    key: Slug = Field(
        description="Key of the threshold, mitigation, duty or provision in the framework."
    )
    model: Slug = Field(description="Key of the model.")
    identity: Digest | None = Field(
        default=None, description="Digest that pins the model's snapshot, if there is one."
    )
    conclusion: Literal["yes", "no", "unclear"] = Field(
        description="Whether the threshold is reached, the mitigation in place, the duty "
        "fulfilled, the provision followed."
    )
    level: Text | None = Field(
        default=None, description="The level or tier that was found, on the threshold's scale."
    )
    quantity: float | None = Field(
        default=None, description="The quantity that was found, for a trigger or an uplift."
    )
    unit: Literal["times", "FLOP", "months", "share"] | None = Field(
        default=None, description="Its unit."
    )
    mitigations: tuple[Slug, ...] | None = Field(
        default=None, description="Keys of the mitigations that were in place."
    )
    base_model: Slug | None = Field(
        default=None,
        description="Key of the same system without mitigations, where it is about one with them.",
    )
    date: Date = Field(description="When it was determined, to the day.")
    persons: tuple[Text, ...] = Field(
        min_length=1, description="Who judged, by name or by function."
    )
    reasons: Text = Field(description="Why, in words.")
    evidence: tuple[Weighed, ...] = Field(description="What was weighed.")
    demonstration: bool = Field(description="True where it is about no real system.")
