# SPDX-License-Identifier: Apache-2.0
"""Sample: one answer of one model at one lab, in the form that is sealed, revealed and disclosed.

A sealed sample has two leaves, its scores and its transcript. Each is shown *open*, as its value
and salt, or *closed*, as its hash. The objects that say so are closed: no other field fits in.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from countermark.records.base import Digest, Hex32, LanguageTag, Part, Rate, Slug

SAMPLE_FORMAT = "countermark-sample"
MAX_PATH = 63


class SampleKey(Part):
    """Which sample this is: unique within one lab's evidence."""

    model: Slug
    task: Slug
    language: LanguageTag
    item: Slug
    epoch: int = Field(ge=1)

    @property
    def text(self) -> str:
        """How a person names it: model/task/language/item/epoch."""
        return f"{self.model}/{self.task}/{self.language}/{self.item}/{self.epoch}"


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


class _Closed(Part):
    model_config = ConfigDict(extra="forbid")


class OpenScores(_Closed):
    """The scores of a sample, with what shows that they were sealed."""

    value: SampleScores
    salt: Hex32


class OpenTranscript(_Closed):
    """The transcript of a sample, with what shows that it was sealed."""

    value: Transcript
    salt: Hex32


class ClosedLeaf(_Closed):
    """A part of a sample that is not shown; the hash keeps its place in the sealed tree."""

    leaf: Hex32


class RevealedSample(_Closed):
    """One sample as a lab shows it: a line of the revealed file."""

    scores: OpenScores | ClosedLeaf
    transcript: OpenTranscript | ClosedLeaf

    @property
    def open_scores(self) -> SampleScores | None:
        """The scores, if they are shown."""
        return self.scores.value if isinstance(self.scores, OpenScores) else None

    @property
    def open_transcript(self) -> Transcript | None:
        """The transcript, if it is shown."""
        return self.transcript.value if isinstance(self.transcript, OpenTranscript) else None


class DisclosedSample(_Closed):
    """One sample shown alone, with its place in the sealed tree; the content of a file."""

    format: Literal["countermark-sample"]
    version: Literal[1]
    seal: Digest = Field(description="Content address of the sealed-result.")
    samples: int = Field(ge=1, description="How many were sealed.")
    index: int = Field(ge=0, description="Which of them this is, from 0.")
    path: tuple[Hex32, ...] = Field(
        max_length=MAX_PATH, description="From the sibling of the sample's own node up."
    )
    sample: RevealedSample
