# SPDX-License-Identifier: Apache-2.0
"""Sample: one answer of one model at one lab, in the form that is sealed, revealed and disclosed.

A sealed sample has two leaves, its scores and its transcript. Each is shown *open*, as its value
and salt, or *closed*, as its hash. The objects that say so are closed: no other field fits in.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from countermark.records.base import Count, Digest, Hex32, LanguageTag, Part, Rate, Slug, Text

SAMPLE_FORMAT = "countermark-sample"
MAX_PATH = 63


class SampleKey(Part):
    """Which sample this is: unique within one lab's evidence."""

    model: Slug = Field(description="Key of the model under test.")
    task: Slug = Field(description="Key of the task.")
    language: LanguageTag = Field(description="The language.")
    item: Slug = Field(description="Key of the item.")
    epoch: int = Field(ge=1, description="Which time the item was asked, from 1.")
    arm: Slug | None = Field(default=None, description="The swap that it is of; absent: reference.")

    @property
    def text(self) -> str:
        """How a person names it: model/task/language/item/epoch, and the arm of a swap."""
        name = f"{self.model}/{self.task}/{self.language}/{self.item}/{self.epoch}"
        return name if self.arm is None else f"{name}/{self.arm}"


class Score(Part):
    """What one scorer made of one answer."""

    scorer: Slug = Field(description="Key of the scorer.")
    version: Slug = Field(description="The version of it that was used.")
    status: Literal["scored", "unparsed", "judge-refused", "not-attempted"] = Field(
        description="Whether there is a score; if not, why: *not-attempted* had nothing to score."
    )
    value: Rate | None = Field(default=None, description="Present exactly when scored.")
    repeat: int | None = Field(
        default=None, ge=2, description="Which judgement of the same answer; absent: the first."
    )


class Trajectory(Part):
    """Facts of a conversation with tools."""

    tool_calls: Count = Field(description="How many calls there were.")
    repeated_calls: Count = Field(
        description="How many repeated an earlier one: same tool, same arguments."
    )
    failed_calls: Count = Field(description="How many ended in an error.")
    limit: Slug | None = Field(default=None, description="The limit that stopped it, if one did.")


class SampleScores(Part):
    """The part of a sample that can be shown without its text."""

    key: SampleKey = Field(description="Which sample it is.")
    outcome: Literal["answered", "refused", "errored", "missing"] = Field(
        description="What became of it; *refused*: the provider's own filter stopped it."
    )
    scores: tuple[Score, ...] = Field(
        description="What each scorer made of it, in the protocol's order."
    )
    trajectory: Trajectory | None = Field(default=None, description="Of a task with tools.")


class ToolCall(Part):
    """One call of a tool."""

    tool: Text = Field(description="Its name.")
    arguments: str = Field(max_length=200_000, description="Its arguments, as canonical JSON.")


class Message(Part):
    """One message of the conversation."""

    role: Literal["system", "user", "assistant", "tool"] = Field(description="Who speaks.")
    content: str = Field(max_length=200_000, description="What is said.")
    calls: tuple[ToolCall, ...] | None = Field(default=None, description="Tools that it called.")
    failed: Literal[True] | None = Field(
        default=None, description="Of a tool: the call ended in an error; absent: it did not."
    )


class Judgement(Part):
    """What a judge that is a model replied about the answer; its score is read from it."""

    scorer: Slug = Field(description="Key of the judge.")
    version: Slug = Field(description="The version of it that was used.")
    reply: str = Field(max_length=200_000, description="All that the judge replied.")
    repeat: int | None = Field(
        default=None, ge=2, description="Which judgement of the same answer; absent: the first."
    )


class Transcript(Part):
    """The part of a sample that holds its text."""

    key: SampleKey = Field(description="Which sample it is.")
    messages: tuple[Message, ...] = Field(
        description="The conversation, in its order; empty where there was none."
    )
    seed: int = Field(ge=0, description="Its generation seed, derived from the lab's secret seed.")
    error: str | None = Field(
        default=None, description="The error that ended it, as the log has it; absent: none did."
    )
    judgements: tuple[Judgement, ...] | None = Field(default=None, description="Judges' replies.")


class _Closed(Part):
    model_config = ConfigDict(extra="forbid")


class OpenScores(_Closed):
    """The scores of a sample, with what shows that they were sealed."""

    value: SampleScores = Field(description="The scores.")
    salt: Hex32 = Field(description="What its leaf was salted with, 32 bytes in lower-case hex.")


class OpenTranscript(_Closed):
    """The transcript of a sample, with what shows that it was sealed."""

    value: Transcript = Field(description="The transcript.")
    salt: Hex32 = Field(description="What its leaf was salted with, 32 bytes in lower-case hex.")


class ClosedLeaf(_Closed):
    """A part of a sample that is not shown; the hash keeps its place in the sealed tree."""

    leaf: Hex32 = Field(description="Hash of the part and its salt, 32 bytes in lower-case hex.")


class RevealedSample(_Closed):
    """One sample as a lab shows it: a line of the revealed file."""

    scores: OpenScores | ClosedLeaf = Field(description="Its scores, open or closed.")
    transcript: OpenTranscript | ClosedLeaf = Field(description="Its transcript, open or closed.")

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

    format: Literal["countermark-sample"] = Field(description="Names this form of file.")
    version: Literal[1]
    seal: Digest = Field(description="Content address of the sealed-result.")
    samples: int = Field(ge=1, description="How many were sealed.")
    index: int = Field(ge=0, description="Which of them this is, from 0.")
    path: tuple[Hex32, ...] = Field(
        max_length=MAX_PATH, description="From the sibling of the sample's own node up."
    )
    sample: RevealedSample = Field(description="The sample, each part open or closed.")
