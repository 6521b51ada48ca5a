# SPDX-License-Identifier: Apache-2.0
"""Framework: one version of what a developer promised, with its thresholds."""

from typing import ClassVar, Literal, TypeAlias

from pydantic import Field

from countermark.records.base import Count, Date, Digest, Part, PartyCode, Record, Slug, Text
from countermark.records.reference import Source
from countermark.records.threshold_rules import ThresholdRule

Action: TypeAlias = Literal["develop", "deploy"]
Force: TypeAlias = Literal["shall", "should", "may"]
Status: TypeAlias = Literal["in-force", "superseded", "withdrawn"]
Standing: TypeAlias = Literal["developer-alone", "one-institute", "several-institutes"]
"""Whose evidence it is, the least independent first."""


class Place(Part):
    """Where one provision was read, for what the framework's own sources do not tell."""

    source: Source = Field(description="What was read.")
    section: Text | None = Field(default=None, description="Section or page, where it is known.")


class Threshold(Part):
    """One threshold of a framework."""

    key: Slug = Field(description="Its key within the framework.")
    title: Text = Field(description="What it is about, in words.")
    force: Force = Field(description="How binding the developer's own words are.")
    actions: tuple[Action, ...] = Field(min_length=1, description="Which actions it bears on.")
    rule: ThresholdRule = Field(
        discriminator="kind", description="What it asks, by kind; or that it is not quantified."
    )
    status: Status | None = Field(
        default=None, description="Whether it is in force; absent: as the framework is."
    )
    domain: Slug | None = Field(default=None, description="Key of its domain in the framework.")
    mitigations: tuple[Slug, ...] | None = Field(
        default=None,
        description="Keys of the mitigations that may keep the residual risk below it.",
    )
    maximum_age_months: Count | None = Field(
        default=None, description="How old evidence may be when it is used."
    )
    standing: Standing | None = Field(
        default=None,
        description="The least independent evidence that can show it kept; absent: any.",
    )
    due_once: tuple[Slug, ...] | None = Field(
        default=None,
        description="Keys of the thresholds of which one must be reached before this one is due; "
        "absent: it is due always.",
    )
    assumed: tuple[Text, ...] | None = Field(
        default=None,
        description="What whoever encoded it had to choose because the developer does not say.",
    )
    read_in: Place | None = Field(default=None, description="Where it was read.")


class Domain(Part):
    """A kind of risk that a framework covers."""

    key: Slug = Field(description="Its key within the framework.")
    title: Text = Field(description="The developer's name of it, or ours.")
    risk: Slug | None = Field(default=None, description="Its code in the taxonomy of risks.")


class Mitigation(Part):
    """A measure that is to keep a risk below a threshold."""

    key: Slug = Field(description="Its key within the framework.")
    title: Text = Field(description="What it is, in our words.")
    sort: Literal["deployment", "security", "process"] = Field(description="What sort it is.")
    read_in: Place | None = Field(default=None, description="Where it was read.")


class Provision(Part):
    """Something that a framework provides, in our words."""

    key: Slug = Field(description="Its key within the framework.")
    words: Text = Field(description="What it provides, in our words.")
    force: Force | None = Field(default=None, description="How binding the words are, if known.")
    read_in: Place | None = Field(default=None, description="Where it was read.")


class Duty(Part):
    """A duty to disclose, to the public or to trusted actors."""

    key: Slug = Field(description="Its key within the framework.")
    words: Text = Field(description="What is to be disclosed, in our words.")
    to: Literal["public", "trusted-actors"] = Field(description="To whom.")
    force: Force = Field(description="How binding the developer's own words are.")
    before: Action | None = Field(
        default=None, description="The action before which it is due; absent: it blocks none."
    )
    read_in: Place | None = Field(default=None, description="Where it was read.")


class Framework(Record):
    """One version of a developer's safety framework."""

    SPEAKER: ClassVar[tuple[str, ...]] = ("recorded_by", "developer")
    kind: Literal["framework"] = "framework"
    version: Literal[1] = 1
    developer: PartyCode = Field(description="Whose it is: the developer's code.")
    recorded_by: PartyCode | None = Field(
        default=None, description="Who recorded it, where that is not the developer itself."
    )
    title: Text = Field(description="Its title.")
    label: Text = Field(description="The developer's own version label.")
    published: Date = Field(description="When it was published.")
    status: Status = Field(description="Whether it is in force.")
    demonstration: bool = Field(description="True where no real developer stands behind it.")
    source: Text = Field(description="Where its text can be read.")
    thresholds: tuple[Threshold, ...] = Field(min_length=1, description="Its thresholds.")
    effective: Date | None = Field(default=None, description="When it came into force, if known.")
    document: Digest | None = Field(
        default=None, description="Digest of the file that was published, as it was read."
    )
    domains: tuple[Domain, ...] | None = Field(default=None, description="What it covers.")
    mitigations: tuple[Mitigation, ...] | None = Field(default=None, description="Its measures.")
    process: tuple[Provision, ...] | None = Field(
        default=None, description="How it is decided what to do when a threshold is reached."
    )
    governance: tuple[Provision, ...] | None = Field(
        default=None, description="Who answers for it, and how it is reviewed."
    )
    disclosure: tuple[Duty, ...] | None = Field(default=None, description="Its duties to disclose.")
    not_encoded: tuple[Text, ...] | None = Field(
        default=None, description="What it is known or likely to say that is not here, and why."
    )
    sources: tuple[Source, ...] | None = Field(default=None, description="Where it was read.")
    as_of: Date | None = Field(default=None, description="When the sources were last read.")
