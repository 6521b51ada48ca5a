# SPDX-License-Identifier: Apache-2.0
"""What a finding says of the scorers of a cell: their rates, how far they repeat and agree."""

from typing import Literal

from pydantic import Field

from countermark.records.base import Count, Digest, LabKey, LanguageTag, Part, Rate, Slug, Text


class ScorerRate(Part):
    """The joint rate by one scorer on these items, with its interval."""

    value: Rate = Field(description="The rate.")
    lower: Rate = Field(description="Lower end of its interval.")
    upper: Rate = Field(description="Upper end of its interval.")
    level: Rate = Field(description="Confidence level of the interval.")


class Repeatability(Part):
    """How far a judge says the same of the same answers."""

    labs: tuple[LabKey, ...] = Field(
        min_length=1, description="Who judged again; the labs themselves, or another."
    )
    answers: Count = Field(description="Answers with a verdict each time.")
    sessions: Count = Field(description="How often each was judged.")
    unread: Count = Field(description="Answers left out, for want of a verdict.")
    flips: Rate = Field(description="Share of answers whose verdicts are not all alike.")
    flips_lower: Rate = Field(description="Lower end of its interval.")
    flips_upper: Rate = Field(description="Upper end of its interval.")
    differ: Rate = Field(description="Chance that two verdicts on one answer are unlike.")
    s2_chance: float = Field(ge=0, description="Variance of a verdict on one answer, by chance.")
    s2_session: float = Field(ge=0, description="Variance of what a whole run is shifted by.")
    share: Rate | None = Field(
        default=None,
        description="Share of a verdict's variance that is the judge's chance; absent where the "
        "judge has no rate, which could be computed from it.",
    )
    level: Rate = Field(description="Confidence level of the interval.")


class ScorerFigures(Part):
    """What one scorer, in one version, made of the test answers of a cell, at all labs."""

    scorer: Slug = Field(description="Its key.")
    version: Slug = Field(description="Its version.")
    nature: Literal["objective", "judge"] = Field(description="As the protocol declares it.")
    model: Text | None = Field(
        default=None, description="The judge's snapshot, where it is a model; absent: rules."
    )
    status: Literal["reported", "judge-not-validated", "not-computable"] = Field(
        description="Whether it has a rate; if not, why not."
    )
    reason: Text | None = Field(default=None, description="Why the status is not *reported*.")
    submitted: Count = Field(description="Test questions of the labs that used it.")
    answered: Count = Field(description="Those that were answered.")
    scored: Count = Field(description="Answers with a score.")
    unparsed: Count = Field(description="Answers of which it gave no readable verdict.")
    judge_refused: Count = Field(description="Answers that the judge itself refused to judge.")
    not_attempted: Count = Field(description="Questions that it did not look at.")
    rate: ScorerRate | None = Field(default=None, description="As it counts.")
    corrected: ScorerRate | None = Field(
        default=None, description="With the judge's errors taken out."
    )
    least: Rate | None = Field(
        default=None, description="Share of events if no answer without a score was one."
    )
    most: Rate | None = Field(
        default=None, description="Share of events if every answer without a score was one."
    )
    repeated: Repeatability | None = Field(
        default=None, description="The same lab's repeats on a random subsample."
    )
    rejudged: tuple[Repeatability, ...] = Field(
        description="Other labs' runs of it on the same answers, against the first verdicts."
    )


class PairAgreement(Part):
    """One coefficient of agreement of two judges beyond chance."""

    measure: Literal["cohen", "ac1", "alpha-nominal"] = Field(description="Which coefficient.")
    value: float = Field(description="1 is full agreement, 0 that of chance.")
    lower: float | None = Field(default=None, description="Lower end of its bootstrap interval.")
    upper: float | None = Field(default=None, description="Upper end of its bootstrap interval.")


class JudgesCompared(Part):
    """How far two scorers say the same of the same answers."""

    first: Slug = Field(description="Key of the one.")
    first_version: Slug = Field(description="Its version.")
    second: Slug = Field(description="Key of the other.")
    second_version: Slug = Field(description="Its version.")
    answers: Count = Field(description="Answers of which both have a verdict.")
    alike: Count = Field(description="Those on which the verdicts are the same.")
    agreement: tuple[PairAgreement, ...] = Field(
        description="Agreement beyond chance; empty where one of them has no rate, which could be "
        "computed from it."
    )


class RejudgementUse(Part):
    """One lab's rejudgement, as the finding took it or did not."""

    rejudgement: Digest = Field(description="The statement.")
    lab: LabKey = Field(description="The lab that judged.")
    of_lab: LabKey | None = Field(default=None, description="Whose answers; absent: labelled.")
    task: Slug = Field(description="The task.")
    language: LanguageTag = Field(description="The language.")
    scorer: Slug = Field(description="The judge.")
    scorer_version: Slug = Field(description="Its version.")
    answers: Count = Field(description="How many it judged.")
    left_out: Text | None = Field(default=None, description="Why it is not used, if it is not.")
