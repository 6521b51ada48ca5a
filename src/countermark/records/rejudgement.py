# SPDX-License-Identifier: Apache-2.0
"""Rejudgement: what a lab's run of the protocol's judge made of answers that others hold too."""

from typing import ClassVar, Literal

from pydantic import Field

from countermark.records.base import (
    Digest,
    LabKey,
    LanguageTag,
    MemberCode,
    Part,
    Rate,
    Record,
    Slug,
    Text,
    Timestamp,
)
from countermark.records.evidence import ScorerCounts, SoftwareVersion
from countermark.records.sample import SampleKey


class Rejudged(Part):
    """What the judge replied about one answer, and the score that is read from it."""

    sample: SampleKey | None = Field(
        default=None, description="Which sample of the other lab; absent: a labelled answer."
    )
    labelled: Slug | None = Field(
        default=None, description="Key of a labelled answer; absent: a sample."
    )
    reply: str = Field(max_length=200_000, description="What the judge said.")
    status: Literal["scored", "unparsed", "judge-refused"] = Field(
        description="Whether a verdict could be read."
    )
    value: Rate | None = Field(default=None, description="Present exactly when scored.")


class Rejudgement(Record):
    """One judge's replies about answers of one task and language, without the model under test."""

    SPEAKER: ClassVar[str | None] = "institute"
    kind: Literal["rejudgement"] = "rejudgement"
    version: Literal[1] = 1
    protocol: Digest = Field(description="The protocol that pins the judge.")
    institute: MemberCode = Field(description="Who says it.")
    lab: LabKey = Field(description="The lab that ran the judge.")
    task: Slug = Field(description="The task.")
    language: LanguageTag = Field(description="The language of the answers.")
    scorer: Slug = Field(description="The judge.")
    scorer_version: Slug = Field(description="Its version.")
    of_lab: LabKey | None = Field(
        default=None, description="Whose answers; absent: labelled answers."
    )
    evidence: Digest | None = Field(
        default=None, description="The evidence that reveals the answers; absent: labelled answers."
    )
    annotation_set: Digest | None = Field(
        default=None, description="The labelled answers; absent: another lab's."
    )
    judgements: tuple[Rejudged, ...] = Field(
        min_length=1, description="One an answer, in the order in which they were revealed."
    )
    counts: ScorerCounts = Field(description="How many of each status.")
    served_by: tuple[Text, ...] = Field(
        min_length=1, description="The versions that the provider named in its replies."
    )
    software: tuple[SoftwareVersion, ...] = Field(description="The programs that took part.")
    started: Timestamp = Field(description="When the judge began.")
    finished: Timestamp = Field(description="When it ended.")
