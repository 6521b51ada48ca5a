# SPDX-License-Identifier: Apache-2.0
"""Parts of a protocol: how it was made, and how it is run, judged, labelled and disclosed."""

from typing import Literal

from pydantic import Field

from countermark.records.base import (
    Count,
    Date,
    Hex32,
    LabKey,
    LanguageTag,
    Part,
    PartyCode,
    Rate,
    Slug,
    Text,
)
from countermark.records.canonical import canonical, content_digest

Tlp = Literal["RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR"]


class SealedText(Part):
    """What is published of something private: whoever is shown it can check that it is this."""

    salt: Hex32 = Field(description="Drawn for this text alone.")
    digest: Hex32 = Field(description="SHA-256 of 0x00, the salt and the canonical JSON of it.")


class Translation(Part):
    """How a wording came to be."""

    status: Literal["source", "machine", "human"] = Field(
        description="Written in this language, translated by a program, or by a person."
    )
    by: Text | None = Field(default=None, description="Which program, or who.")
    reviewed_by: tuple[Text, ...] | None = Field(
        default=None, description="Who has read it against the source; absent: nobody has."
    )


class SandboxFile(Part):
    """A file that lies in the sandbox when an item begins."""

    path: Text = Field(description="Its path, relative to the working folder.")
    text: str = Field(max_length=200_000, description="Its contents.")


class AgentSettings(Part):
    """How a task with tools is run."""

    scaffold: Slug = Field(description="The loop around the model, such as react.")
    tools: tuple[Slug, ...] = Field(min_length=1, description="The tools that it may call.")
    sandbox: Literal["local", "docker"] | None = Field(
        default=None, description="Where tools run; absent: in no sandbox."
    )
    message_limit: Count = Field(description="Most messages of a sample.")
    token_limit: Count | None = Field(default=None, description="Most tokens of a sample.")
    time_limit: Count | None = Field(default=None, description="Most seconds of a sample.")
    attempts: int = Field(ge=1, le=100, description="How often an answer may be handed in.")


class ModelJudge(Part):
    """A judge that is a language model: its prompt and its exact snapshot."""

    provider: Text = Field(description="Inspect's name of the model.")
    snapshot: Text = Field(description="The exact version that the provider names.")
    prompt: Text = Field(
        description="What it is asked; {prompt} and {answer} stand for the item and the answer."
    )
    temperature: float = Field(ge=0, le=5, description="Sampling temperature.")
    max_tokens: Count = Field(description="Longest reply.")
    verdict: Text = Field(description="What comes before its verdict in the reply, such as GRADE:")
    event: tuple[Text, ...] = Field(
        min_length=1, description="Verdicts that say that the task's event happened."
    )
    no_event: tuple[Text, ...] = Field(min_length=1, description="Verdicts that say it did not.")
    refusal: tuple[Text, ...] | None = Field(
        default=None, description="Wordings by which the judge itself refuses to judge."
    )
    repeats: int | None = Field(
        default=None,
        ge=2,
        le=100,
        description="How often each answer of a subsample is judged in all.",
    )
    repeated_share: Rate | None = Field(
        default=None, description="Share of the samples that are judged again."
    )

    @property
    def digest(self) -> str:
        """What a scorer version that is this judge is pinned by: the address of all it says."""
        return content_digest(canonical(self.model_dump(mode="json", exclude_none=True)))


class Guidelines(Part):
    """What annotators are told, in one language."""

    language: LanguageTag = Field(description="The language of the guidelines.")
    text: Text = Field(description="The guidelines.")


class AnnotationPlan(Part):
    """Which answers people label, and how; declared before there are any."""

    per_cell: int = Field(ge=1, description="Answers drawn at random of each model and language.")
    raters: int = Field(ge=1, le=20, description="How many label each answer, independently.")
    adjudication: Literal["third-rater", "discussion"] | None = Field(
        default=None, description="What happens where raters differ; absent: the majority counts."
    )
    question: Text = Field(description="What a rater decides, in one sentence.")
    guidelines: tuple[Guidelines, ...] = Field(min_length=1, description="In which languages.")


class Precision(Part):
    """How narrow an interval the exercise is to reach."""

    half_width: float = Field(gt=0, lt=0.5, description="Half its width, in parts of 1.")
    level: Rate = Field(description="Confidence level of the interval.")
    expected_rate: Rate = Field(description="The rate that was assumed in planning.")


class Swap(Part):
    """One lab's second arm: the reference arm with one factor changed."""

    lab: LabKey = Field(description="The lab that runs it.")
    factor: Slug = Field(description="Key of the factor that is changed.")
    value: Slug = Field(description="The value that it has instead of the reference.")
    tasks: tuple[Slug, ...] | None = Field(default=None, description="Of which tasks; absent: all.")

    @property
    def arm(self) -> str:
        """Key of the arm in samples and configurations."""
        return f"{self.factor}.{self.value}"


class DisclosurePlan(Part):
    """Who may see results, and from when."""

    label: Tlp = Field(description="Traffic Light Protocol 2.0.")
    audience: tuple[PartyCode, ...] = Field(
        description="Named recipients beside the label; an empty list names nobody."
    )
    embargo_until: Date | None = Field(
        default=None, description="Nothing is published before this day."
    )
