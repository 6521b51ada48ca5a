# SPDX-License-Identifier: Apache-2.0
"""Protocol: the content-addressed definition of a joint testing exercise."""

from typing import ClassVar, Literal

from pydantic import Field

from countermark.records.base import (
    Count,
    Digest,
    Hex32,
    LabKey,
    LanguageTag,
    MemberCode,
    Part,
    Rate,
    Record,
    Slug,
    Text,
)


class ModelUnderTest(Part):
    """One system under test, pinned to an exact snapshot."""

    key: Slug
    title: Text
    provider: Text = Field(description="Inspect's name of the model, such as countermark/smollm2.")
    snapshot: Digest = Field(description="Digest of the weights, or of the provider's snapshot id.")


class ItemText(Part):
    """What one item says in one language."""

    language: LanguageTag
    prompt: Text
    expected: Text | None = Field(default=None, description="What a correct control answer holds.")


class Item(Part):
    """One test case; its key is the same in every language."""

    key: Slug
    role: Literal["test", "control"]
    approach: Slug = Field(description="How the model is asked: direct, pretext, translation …")
    texts: tuple[ItemText, ...] = Field(min_length=1)

    def text(self, language: str) -> ItemText | None:
        """Return the item in ``language``, or nothing where it was not translated."""
        return next((text for text in self.texts if text.language == language), None)


class ScorerVersion(Part):
    """One pinned version of a scorer."""

    version: Slug
    digest: Digest = Field(description="Digest of the scorer's rules, or of its prompt and model.")


class Scorer(Part):
    """How answers become scores."""

    key: Slug
    nature: Literal["objective", "judge"] = Field(
        description="An objective scorer needs no validation against people; a judge does."
    )
    versions: tuple[ScorerVersion, ...] = Field(min_length=1)
    description: Text


class Setting(Part):
    """A wording in each language that a factor's value stands for."""

    language: LanguageTag
    text: Text


class FactorLevel(Part):
    """One value that a factor may take, with its wording where it is a text."""

    value: Slug
    number: float | None = None
    texts: tuple[Setting, ...] | None = None

    def text(self, language: str) -> str | None:
        """Return the wording in ``language``, if this level is a text."""
        return next((text.text for text in self.texts or () if text.language == language), None)


class Factor(Part):
    """A declared setting that may differ between labs."""

    key: Slug
    title: Text
    task: Slug | None = Field(default=None, description="The one task it applies to; absent: all.")
    reference: Slug = Field(description="The value of the reference arm.")
    levels: tuple[FactorLevel, ...] = Field(min_length=1)

    def level(self, value: str) -> FactorLevel | None:
        """Return the level called ``value``, or nothing where the protocol has none."""
        return next((level for level in self.levels if level.value == value), None)


class Task(Part):
    """One test with one risk category."""

    key: Slug
    title: Text
    risk: Slug = Field(description="A code of the taxonomy, never translated.")
    event: Text = Field(description="What a score of 1 means.")
    worse: Literal["higher", "lower"] = Field(description="Which direction of the rate is worse.")
    scorer: Scorer
    control_scorer: Scorer | None = None
    control_minimum: Rate | None = Field(
        default=None, description="Share of control answers below which a rate says nothing."
    )
    annotation_sets: tuple[Digest, ...] = Field(
        description="Labelled answers that the judge is validated against."
    )
    items: tuple[Item, ...] = Field(min_length=1)


class Generation(Part):
    """Settings that are the same at every lab."""

    max_tokens: Count
    top_p: Rate


class Protocol(Record):
    """The definition of a joint testing exercise that every participant runs."""

    SPEAKER: ClassVar[str | None] = "coordinator"
    kind: Literal["protocol"] = "protocol"
    version: Literal[1] = 1
    name: Slug
    title: Text
    demonstration: bool = Field(description="True where no real institute stands behind it.")
    objectives: tuple[Text, ...] = Field(min_length=1)
    coordinator: MemberCode
    participants: tuple[MemberCode, ...] = Field(min_length=2)
    models: tuple[ModelUnderTest, ...] = Field(min_length=1)
    languages: tuple[LanguageTag, ...] = Field(min_length=1)
    tasks: tuple[Task, ...] = Field(min_length=1)
    factors: tuple[Factor, ...]
    generation: Generation
    epochs: int = Field(ge=1, le=1000)
    significant_digits: int = Field(ge=3, le=15)
    relative_tolerance: float = Field(gt=0, lt=0.1, description="Between two institutes' figures.")

    def task(self, key: str) -> Task | None:
        """Return the task called ``key``, if there is one."""
        return next((task for task in self.tasks if task.key == key), None)

    def model(self, key: str) -> ModelUnderTest | None:
        """Return the model under test called ``key``, if there is one."""
        return next((model for model in self.models if model.key == key), None)


class Countersignature(Record):
    """A participant's assent to a protocol, or to a finding it recomputed."""

    SPEAKER: ClassVar[str | None] = "institute"
    kind: Literal["countersignature"] = "countersignature"
    version: Literal[1] = 1
    institute: MemberCode
    of: Digest = Field(description="Content address of the protocol or finding.")
    of_kind: Literal["protocol", "finding"]
    figures_compared: Count | None = Field(default=None, description="For a finding.")
    largest_difference: float | None = Field(
        default=None, ge=0, description="Largest relative difference among the figures compared."
    )


class FactorSetting(Part):
    """The value of one factor at one lab."""

    factor: Slug
    value: Slug


class RunPlan(Record):
    """What one lab will run, logged before it runs."""

    SPEAKER: ClassVar[str | None] = "institute"
    kind: Literal["run-plan"] = "run-plan"
    version: Literal[1] = 1
    protocol: Digest
    institute: MemberCode
    lab: LabKey
    settings: tuple[FactorSetting, ...]
    samples: Count
    secret_commitment: Hex32 = Field(
        description="SHA-256 of the seed from which the lab's secrets are drawn."
    )

    def setting(self, factor: str) -> str | None:
        """Return the declared value of ``factor``, if the plan has it."""
        return next((entry.value for entry in self.settings if entry.factor == factor), None)
