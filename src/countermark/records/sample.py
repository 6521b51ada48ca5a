# SPDX-License-Identifier: Apache-2.0
"""Sample: one answer of one model at one lab, in the form that is sealed and revealed."""

from typing import Literal

from pydantic import Field

from countermark.records.base import Hex32, LanguageTag, Part, Rate, Slug


class SampleKey(Part):
    """Which sample this is: unique within one lab's evidence."""

    model: Slug
    task: Slug
    language: LanguageTag
    item: Slug
    epoch: int = Field(ge=1)


class Score(Part):
    """What one scorer made of one answer."""

    scorer: Slug
    version: Slug
    status: Literal["scored", "unparsed", "not-attempted"]
    value: Rate | None = Field(default=None, description="Present exactly when scored.")


class SampleScores(Part):
    """The part of a sample that can be shown without its text."""

    key: SampleKey
    outcome: Literal["answered", "refused", "errored", "missing"]
    scores: tuple[Score, ...]


class Message(Part):
    """One message of the conversation."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=200_000)


class Transcript(Part):
    """The part of a sample that holds its text."""

    key: SampleKey
    messages: tuple[Message, ...]
    seed: int = Field(ge=0)
    error: str | None = None


class RevealedSample(Part):
    """One sample with the salts of its two leaves in the lab's sealed tree."""

    scores: SampleScores
    scores_salt: Hex32
    transcript: Transcript
    transcript_salt: Hex32
