# SPDX-License-Identifier: Apache-2.0
"""Evidence: what one lab seals, what it reveals, and the closing in between."""

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
    Record,
    Slug,
    Text,
    Timestamp,
)
from countermark.records.canonical import canonical, content_digest
from countermark.records.sample import SampleKey


class SealedResult(Record):
    """A lab's commitment to all its samples, logged before anyone reveals."""

    SPEAKER: ClassVar[str | None] = "institute"
    kind: Literal["sealed-result"] = "sealed-result"
    version: Literal[1] = 1
    protocol: Digest = Field(description="The protocol that was run.")
    run_plan: Digest = Field(description="The lab's run plan.")
    institute: MemberCode = Field(description="Who seals, and says it.")
    lab: LabKey = Field(description="The lab whose samples they are.")
    samples: Count = Field(
        description="How many samples are sealed: all that were planned, run or not."
    )
    root: Hex32 = Field(description="Root of the salted Merkle tree; two leaves a sample.")
    configurations: Digest | None = Field(
        default=None,
        description="Digest of the list of configurations that the evidence will show.",
    )


class SealReference(Part):
    """One lab's seal as the coordinator saw it, with the proof that it was logged."""

    institute: MemberCode = Field(description="Whose seal it is.")
    lab: LabKey = Field(description="The lab that sealed.")
    seal: Digest = Field(description="Content address of the sealed-result.")
    envelope: Digest = Field(description="Content address of the seal's signed envelope.")
    proof: str = Field(description="The seal's tlog-proof.")


class ExerciseClosing(Record):
    """The coordinator's word that sealing is over; revealing may begin."""

    SPEAKER: ClassVar[str | None] = "coordinator"
    kind: Literal["exercise-closing"] = "exercise-closing"
    version: Literal[1] = 1
    protocol: Digest = Field(description="The protocol of the exercise.")
    coordinator: MemberCode = Field(description="Who closes it, and says so.")
    seals: tuple[SealReference, ...] = Field(
        min_length=1, description="The seals that were witnessed by then, in order of the labs."
    )
    not_sealed: tuple[LabKey, ...] = Field(description="Labs with a run plan and no seal.")


class ScorerCounts(Part):
    """The second axis of counts: what one scorer made of the submitted samples."""

    scorer: Slug = Field(description="Key of the scorer.")
    version: Slug = Field(description="The version of it that was used.")
    scored: Count = Field(description="How many samples have a score.")
    unparsed: Count = Field(
        description="Of how many the answer, or the judge's reply, could not be read."
    )
    not_attempted: Count = Field(
        description="How many had nothing to score: no answer, or no reply of the judge."
    )
    judge_refused: Count | None = Field(
        default=None, description="The judge itself refused to judge; absent: it never did."
    )


class CellCounts(Part):
    """Counts of one cell at one lab; each axis sums to ``submitted``."""

    model: Slug = Field(description="Key of the model under test.")
    task: Slug = Field(description="Key of the task.")
    language: LanguageTag = Field(description="Language of the cell.")
    submitted: Count = Field(
        description="Samples that the protocol asks for: each item, as often as it is asked."
    )
    answered: Count = Field(description="How many have an answer.")
    refused: Count = Field(description="How many the provider's own filter stopped.")
    errored: Count = Field(description="How many ended in an error, or without an answer.")
    missing: Count = Field(description="How many are in no log.")
    scorers: tuple[ScorerCounts, ...] = Field(
        description="What each version of each scorer made of them."
    )
    arm: Slug | None = Field(default=None, description="The swap that it is of; absent: reference.")


class BlobReference(Part):
    """A file that lies beside the statements, by its content."""

    digest: Digest = Field(description="Digest of its bytes.")
    size: Count = Field(description="How many bytes it has.")
    media_type: Text = Field(description="Its media type, such as application/jsonl.")


class Deviation(Part):
    """A declared difference from the protocol."""

    reason: Text = Field(description="Why, in words.")
    differences: tuple[Text, ...] = Field(
        description="What differs, one line each; empty where the reason or the settings say it."
    )
    settings: tuple[Text, ...] | None = Field(
        default=None, description="Names of the settings that it is about; absent: not told."
    )


class SoftwareVersion(Part):
    """One program that took part in a run."""

    name: Text = Field(description="Name of the program or package.")
    version: Text = Field(description="Its version.")


class EffectiveSetting(Part):
    """One setting as a run had it, by the name under which labs are compared."""

    name: Text = Field(description="Dotted name, such as generation.temperature.")
    value: str = Field(max_length=20_000, description="Its value as canonical JSON.")


class Consumption(Part):
    """What a run consumed, as far as is known."""

    input_tokens: Count | None = Field(
        default=None, description="Tokens that models read, from a cache or not; absent: not known."
    )
    output_tokens: Count | None = Field(
        default=None, description="Tokens that models wrote; absent: not known."
    )
    total_tokens: Count | None = Field(
        default=None, description="All tokens, as the log counts them; absent: not known."
    )
    seconds: float | None = Field(
        default=None,
        ge=0,
        description="Seconds that its samples worked, without waits, summed; absent: not known.",
    )
    cost_usd: float | None = Field(
        default=None,
        ge=0,
        description="US dollars, as the provider says or the lab's price gives; absent: not known.",
    )
    energy_kwh: float | None = Field(
        default=None, ge=0, description="Energy in kilowatt-hours; absent: not measured."
    )


class CellConfiguration(Part):
    """How one lab really ran one cell: what comparability compares."""

    model: Slug = Field(description="Key of the model under test.")
    task: Slug = Field(description="Key of the task.")
    language: LanguageTag = Field(description="Language of the cell.")
    arm: Slug | None = Field(default=None, description="The swap that it is of; absent: reference.")
    settings: tuple[EffectiveSetting, ...] = Field(description="In order of their names.")
    consumption: Consumption | None = Field(
        default=None, description="What the run consumed; absent: its log does not say."
    )


Disclosure = Literal["all", "some", "counts"]


def configurations_digest(configurations: tuple[CellConfiguration, ...]) -> str:
    """Return what a seal says of the configurations: the digest of their canonical JSON."""
    return content_digest(
        canonical([one.model_dump(mode="json", exclude_none=True) for one in configurations])
    )


class Opened(Part):
    """How much of what was sealed is shown."""

    samples: Count = Field(description="How many were sealed.")
    scores: Count = Field(description="Of how many the scores are open.")
    transcripts: Count = Field(description="Of how many the transcript is open.")


class Evidence(Record):
    """One lab's signed results, revealed after the closing."""

    SPEAKER: ClassVar[str | None] = "institute"
    kind: Literal["evidence"] = "evidence"
    version: Literal[1] = 1
    protocol: Digest = Field(description="The protocol that was run.")
    run_plan: Digest = Field(description="The lab's run plan.")
    seal: Digest = Field(description="The seal that it opens.")
    closing: Digest = Field(description="The closing that lists the seal.")
    institute: MemberCode = Field(description="Who reveals, and says it.")
    lab: LabKey = Field(description="The lab whose results they are.")
    disclosure: Disclosure = Field(description="Whether all, some or nothing of the seal is open.")
    opened: Opened = Field(description="How much of the seal is open.")
    tree_key: Hex32 | None = Field(
        default=None,
        description="The key from which all salts of the sealed tree derive; only if all is open.",
    )
    secret_seed: Hex32 = Field(description="Opens the run plan's secret commitment.")
    samples: BlobReference = Field(
        description="The file of samples, one a line, each part open or closed."
    )
    counts: tuple[CellCounts, ...] = Field(
        description="Counts of all sealed samples, one entry a cell."
    )
    deviations: tuple[Deviation, ...] = Field(
        description="What was declared to differ from the protocol; empty: nothing."
    )
    software: tuple[SoftwareVersion, ...] = Field(
        description="The programs and packages that took part."
    )
    started: Timestamp = Field(description="When the first run began.")
    finished: Timestamp = Field(description="When the last run ended.")
    configurations: tuple[CellConfiguration, ...] | None = Field(
        default=None, description="How each cell was really run; absent: the seal has none."
    )


Label = Literal["yes", "no", "unsure"]


class GivenLabel(Part):
    """What one person said of one answer."""

    rater: Slug = Field(description="Pseudonym of the person.")
    label: Label = Field(description="Whether the task's event happened; unsure is no label.")


class LabelledAnswer(Part):
    """One answer with the label that people gave it."""

    key: Slug = Field(description="Its key, unique in the set.")
    prompt: str = Field(max_length=200_000, description="What was asked.")
    answer: str = Field(max_length=200_000, description="The answer to it.")
    label: bool = Field(description="True where the task's event happened.")
    lab: LabKey | None = Field(default=None, description="The lab whose answer it is.")
    sample: SampleKey | None = Field(default=None, description="Which of the lab's samples.")
    labels: tuple[GivenLabel, ...] | None = Field(
        default=None, description="What each rater said, independently."
    )
    adjudication: GivenLabel | None = Field(
        default=None, description="The word that decided where raters differed."
    )


class DrawnCell(Part):
    """How many answers of one model were drawn to be labelled."""

    model: Slug = Field(description="Key of the model under test.")
    eligible: Count = Field(description="Answers that could be drawn, each with the same chance.")
    drawn: Count = Field(description="How many were drawn.")
    undecided: Count = Field(description="Of how many people came to no label.")
    digest: Digest = Field(description="Digest of which were drawn, in the order of the draw.")
    closed_labs: tuple[LabKey, ...] = Field(
        description="Labs with answers that could not be drawn, because they are not open."
    )


class Draw(Part):
    """How answers were drawn to be labelled; whoever holds the evidence can draw them again."""

    seed: Hex32 = Field(description="Follows from the secret seeds that the evidence opened.")
    evidence: tuple[Digest, ...] = Field(min_length=1, description="Of the labs drawn from.")
    cells: tuple[DrawnCell, ...] = Field(min_length=1, description="One a model.")


class AnnotationSet(Record):
    """Labels that people gave to answers in one language."""

    kind: Literal["annotation-set"] = "annotation-set"
    version: Literal[1] = 1
    title: Text = Field(description="Its title.")
    task: Slug = Field(description="Key of the task whose event people looked for.")
    language: LanguageTag = Field(description="Language of the answers.")
    labelled_by: Text = Field(description="Who labelled them, in words.")
    sampling: Literal["fixed-set", "random-sample"] = Field(
        description="Whether they are a set that somebody put together, or drawn at random."
    )
    answers: tuple[LabelledAnswer, ...] = Field(
        min_length=1, description="The answers with their labels."
    )
    protocol: Digest | None = Field(
        default=None, description="The exercise whose answers they are; absent: of none."
    )
    plan: Digest | None = Field(
        default=None, description="Digest of the annotation plan, with what raters were told."
    )
    raters: tuple[Slug, ...] | None = Field(default=None, description="Pseudonyms of the raters.")
    draw: Draw | None = Field(default=None, description="How the answers were drawn.")
