# SPDX-License-Identifier: Apache-2.0
"""Protocol: the content-addressed definition of a joint testing exercise."""

from typing import ClassVar, Literal

from pydantic import Field, PrivateAttr

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
from countermark.records.canonical import JsonValue
from countermark.records.protocol_parts import (
    AgentSettings,
    AnnotationPlan,
    DisclosurePlan,
    ModelJudge,
    Precision,
    SandboxFile,
    SealedText,
    Swap,
    Translation,
)

Estimand = Literal["benchmark", "generalised"]


class ModelUnderTest(Part):
    """One system under test, pinned to an exact snapshot; a pseudonymous one by a seal of it."""

    key: Slug = Field(description="Its key in this exercise.")
    title: Text = Field(description="Its name for people.")
    provider: Text | None = Field(
        default=None, description="Inspect's name of the model, such as countermark/smollm2."
    )
    snapshot: Digest | None = Field(
        default=None, description="Digest of the weights, or of the provider's snapshot id."
    )
    sealed: SealedText | None = Field(
        default=None, description="Seal of both, where they are not said: it is pseudonymous."
    )

    @property
    def identity(self) -> str:
        """What pins it: the digest of its snapshot, or of the seal of one."""
        if self.sealed is not None:
            return f"sha256:{self.sealed.digest}"
        return self.snapshot or ""


class ItemText(Part):
    """What one item says in one language; a private item says only the seal of it."""

    language: LanguageTag = Field(description="The language.")
    prompt: Text | None = Field(default=None, description="What the model is asked.")
    expected: Text | None = Field(default=None, description="What a correct control answer holds.")
    translation: Translation | None = Field(default=None, description="How the wording came to be.")
    sealed: SealedText | None = Field(
        default=None, description="Seal of prompt and expected, where they are private."
    )


class Item(Part):
    """One test case; its key is the same in every language."""

    key: Slug = Field(description="Its key.")
    role: Literal["test", "control"] = Field(
        description="Whether it tests the model, or shows that the model can do the task at all."
    )
    approach: Slug = Field(description="How the model is asked: direct, pretext, translation …")
    texts: tuple[ItemText, ...] = Field(
        min_length=1, description="Its wording, one for each language it was translated into."
    )
    files: tuple[SandboxFile, ...] | None = Field(
        default=None, description="Files of its sandbox, if its task has one."
    )

    def text(self, language: str) -> ItemText | None:
        """Return the item in ``language``, or nothing where it was not translated."""
        return next((text for text in self.texts if text.language == language), None)


class ScorerVersion(Part):
    """One pinned version of a scorer."""

    version: Slug = Field(description="Its name.")
    digest: Digest = Field(description="Digest of the scorer's rules, or of ``judge``.")
    judge: ModelJudge | None = Field(
        default=None, description="The judge, where it is a language model."
    )


class Scorer(Part):
    """How answers become scores."""

    key: Slug = Field(description="Its key.")
    nature: Literal["objective", "judge"] = Field(
        description="An objective scorer needs no validation against people; a judge does."
    )
    versions: tuple[ScorerVersion, ...] = Field(
        min_length=1, description="The versions that labs may use."
    )
    description: Text = Field(description="What it does, in words.")


class Setting(Part):
    """A wording in each language that a factor's value stands for."""

    language: LanguageTag = Field(description="The language.")
    text: Text = Field(description="The wording.")


class FactorLevel(Part):
    """One value that a factor may take, with its wording where it is a text."""

    value: Slug = Field(description="Its name.")
    number: float | None = Field(
        default=None, description="The number it stands for, if it is one."
    )
    texts: tuple[Setting, ...] | None = Field(
        default=None, description="The wordings it stands for, if it is a text."
    )

    def text(self, language: str) -> str | None:
        """Return the wording in ``language``, if this level is a text."""
        return next((text.text for text in self.texts or () if text.language == language), None)


class Factor(Part):
    """A declared setting that may differ between labs."""

    key: Slug = Field(description="Its key.")
    title: Text = Field(description="What it is, in words.")
    task: Slug | None = Field(default=None, description="The one task it applies to; absent: all.")
    reference: Slug = Field(description="The value of the reference arm.")
    levels: tuple[FactorLevel, ...] = Field(min_length=1, description="The values it may take.")

    def level(self, value: str) -> FactorLevel | None:
        """Return the level called ``value``, or nothing where the protocol has none."""
        return next((level for level in self.levels if level.value == value), None)


class Task(Part):
    """One test with one risk category."""

    key: Slug = Field(description="Its key.")
    title: Text = Field(description="What it is, in words.")
    risk: Slug = Field(description="A code of the taxonomy, never translated.")
    event: Text = Field(description="What a score of 1 means.")
    worse: Literal["higher", "lower"] = Field(description="Which direction of the rate is worse.")
    scorer: Scorer = Field(description="What scores the test items.")
    control_scorer: Scorer | None = Field(
        default=None, description="What scores the control items, if there are any."
    )
    further_scorers: tuple[Scorer, ...] | None = Field(
        default=None, description="What else scores the test items, such as a second judge."
    )
    control_minimum: Rate | None = Field(
        default=None, description="Share of control answers below which a rate says nothing."
    )
    annotation_sets: tuple[Digest, ...] = Field(
        description="Labelled answers that the judge is validated against."
    )
    items: tuple[Item, ...] = Field(min_length=1, description="Its test cases.")
    agent: AgentSettings | None = Field(default=None, description="How it is run with tools.")
    annotation: AnnotationPlan | None = Field(
        default=None, description="Which of its answers people label."
    )
    precision: Precision | None = Field(
        default=None, description="How narrow its intervals are to be."
    )


class Generation(Part):
    """Settings that are the same at every lab."""

    max_tokens: Count = Field(description="Longest answer.")
    top_p: Rate = Field(description="Nucleus sampling; 1 is none.")
    retries: Count | None = Field(
        default=None, description="How often a sample that failed is tried again; absent: never."
    )


class LanguageComparison(Part):
    """How languages are compared; declared before anyone has seen a score."""

    reference: LanguageTag = Field(description="The language that others are compared with.")
    margin: float = Field(
        gt=0, lt=1, description="A difference up to this size does not matter, in parts of 1."
    )


class Protocol(Record):
    """The definition of a joint testing exercise that every participant runs."""

    SPEAKER: ClassVar[str | None] = "coordinator"
    kind: Literal["protocol"] = "protocol"
    version: Literal[1] = 1
    name: Slug = Field(description="A short name.")
    title: Text = Field(description="Its title.")
    demonstration: bool = Field(description="True where no real institute stands behind it.")
    objectives: tuple[Text, ...] = Field(
        min_length=1, description="What the exercise is to find out."
    )
    coordinator: MemberCode = Field(description="Who coordinates it and says the protocol.")
    participants: tuple[MemberCode, ...] = Field(
        min_length=2, description="The members that take part."
    )
    models: tuple[ModelUnderTest, ...] = Field(min_length=1, description="The systems under test.")
    languages: tuple[LanguageTag, ...] = Field(min_length=1, description="The languages.")
    tasks: tuple[Task, ...] = Field(min_length=1, description="The tests.")
    factors: tuple[Factor, ...] = Field(description="What may differ between labs.")
    generation: Generation = Field(description="What may not.")
    epochs: int = Field(ge=1, le=1000, description="How often each item is asked.")
    significant_digits: int = Field(
        ge=3, le=15, description="To how many digits figures are given."
    )
    relative_tolerance: float = Field(gt=0, lt=0.1, description="Between two institutes' figures.")
    comparison: LanguageComparison | None = Field(
        default=None, description="How languages are compared, if they are to be."
    )
    estimands: tuple[Estimand, ...] | None = Field(
        default=None, description="Which estimands the objectives are about; absent: both."
    )
    swaps: tuple[Swap, ...] | None = Field(
        default=None,
        description="Second arms; where there are any, every lab's first arm is the reference.",
    )
    disclosure: DisclosurePlan | None = Field(
        default=None, description="Who may see results; absent: as each lab reveals."
    )

    _frozen: "Protocol | None" = PrivateAttr(default=None)

    @property
    def frozen(self) -> "Protocol":
        """The protocol as it was frozen: with seals where its content is private."""
        return self._frozen or self

    def opened(self, models: tuple[ModelUnderTest, ...], tasks: tuple[Task, ...]) -> "Protocol":
        """Return the protocol with private content in the place of its seals.

        It is still the same document: its bytes and its digest are those that were frozen, so what
        is private is never written out with it.
        """
        opened = self.model_copy(update={"models": models, "tasks": tasks})
        opened._frozen = self.frozen  # noqa: SLF001  its own
        return opened

    def to_value(self) -> dict[str, JsonValue]:
        """Return the protocol as it was frozen, as a JSON object."""
        return super().to_value() if self._frozen is None else self._frozen.to_value()

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
    institute: MemberCode = Field(description="Who assents.")
    of: Digest = Field(description="Content address of the protocol or finding.")
    of_kind: Literal["protocol", "finding"] = Field(description="Which of the two it is.")
    figures_compared: Count | None = Field(default=None, description="For a finding.")
    largest_difference: float | None = Field(
        default=None, ge=0, description="Largest relative difference among the figures compared."
    )


class FactorSetting(Part):
    """The value of one factor at one lab."""

    factor: Slug = Field(description="Key of the factor.")
    value: Slug = Field(description="Name of its level.")


class RunPlan(Record):
    """What one lab will run, logged before it runs."""

    SPEAKER: ClassVar[str | None] = "institute"
    kind: Literal["run-plan"] = "run-plan"
    version: Literal[1] = 1
    protocol: Digest = Field(description="The protocol.")
    institute: MemberCode = Field(description="Who plans and says it.")
    lab: LabKey = Field(description="The lab that will run.")
    settings: tuple[FactorSetting, ...] = Field(description="The factors' values at this lab.")
    samples: Count = Field(description="How many samples it will run.")
    secret_commitment: Hex32 = Field(
        description="SHA-256 of the seed from which the lab's secrets are drawn."
    )

    def setting(self, factor: str) -> str | None:
        """Return the declared value of ``factor``, if the plan has it."""
        return next((entry.value for entry in self.settings if entry.factor == factor), None)
