# SPDX-License-Identifier: Apache-2.0
"""A part of a batch, one task in one language, as it stands: answers, raters, labels, verdicts.

1. The raters of a part are the first who were invited for its language, as many as the plan says.
   Whoever was revoked before submitting is no rater; the next takes the place and begins anew.
2. Each rater sees the answers in an order of their own, which says nothing of model or lab.
3. Of an adjudicator's words on an answer, the first person's counts, and they may still change it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from countermark.exercise.annotation.deciding import Verdict, verdict
from countermark.node.drafts import Answer, Batch, Held, Kept
from countermark.node.policy import Person, Work
from countermark.records.base import Part as RecordPart
from countermark.records.errors import InputError
from countermark.records.evidence import Draw, GivenLabel
from countermark.records.protocol import Task
from countermark.records.protocol_parts import AnnotationPlan


@dataclass(frozen=True)
class Part:
    """One task in one language, read under the write lock."""

    batch: str
    task: str
    title: str
    event: str
    language: str
    plan: AnnotationPlan
    draw: Draw
    answers: tuple[Answer, ...]
    raters: tuple[str, ...]
    adjudicators: frozenset[str]
    submitted: frozenset[str]
    labels: dict[str, dict[str, Held]]

    @property
    def complete(self) -> bool:
        """Whether all raters have submitted."""
        return len(self.raters) == self.plan.raters and self.submitted >= set(self.raters)

    def progress(self) -> dict[str, int]:
        """Return how many answers each rater has labelled."""
        return {name: sum(name in said for said in self.labels.values()) for name in self.raters}

    def said(self) -> list[dict[str, str]]:
        """Return what each rater has said of each answer so far, submitted or not."""
        return [
            {name: held.label for name, held in self.labels.get(one.item, {}).items()}
            for one in self.answers
        ]

    def given(self, item: str) -> tuple[GivenLabel, ...]:
        """Return what those raters said of an answer who have submitted."""
        said = self.labels.get(item, {})
        return tuple(
            GivenLabel(rater=name, label=said[name].label)  # type: ignore[arg-type]
            for name in self.raters
            if name in self.submitted and name in said
        )

    def adjudication(self, item: str) -> GivenLabel | None:
        """Return the adjudicator's word on an answer, if there is one (rule 3)."""
        said = self.labels.get(item, {})
        name = next((one for one in said if one in self.adjudicators - set(self.raters)), None)
        if name is None:
            return None
        return GivenLabel(rater=name, label=said[name].label)  # type: ignore[arg-type]

    def verdict(self, item: str, *, adjudicated: bool = True) -> Verdict:
        """Say where an answer stands; or stood, before adjudication."""
        word = self.adjudication(item) if adjudicated else None
        return verdict(self.given(item), self.plan.raters, self.plan.adjudication, word)

    def disputed(self) -> tuple[Answer, ...]:
        """Return the answers that go to an adjudicator, decided by one or not."""
        if not self.complete:
            return ()
        return tuple(
            one
            for one in self.answers
            if self.verdict(one.item, adjudicated=False).state == "disputed"
        )

    def waiting(self) -> tuple[Answer, ...]:
        """Return the answers that wait for an adjudicator."""
        return tuple(one for one in self.disputed() if self.adjudication(one.item) is None)

    def work(self, person: Person, item: str | None = None) -> Work:
        """Return what the policy has to know of this part, or of one answer of it."""
        disputed = False
        if item is not None and self.complete:
            word = self.adjudication(item)
            before = self.verdict(item, adjudicated=False).state
            disputed = before == "disputed" and (word is None or word.rater == person.name)
        return Work(
            language=self.language,
            raters=frozenset(self.raters),
            submitted=self.submitted,
            disputed=disputed,
            discussed=self.plan.adjudication == "discussion",
        )

    def ordered(self, name: str) -> tuple[Answer, ...]:
        """Return the answers in one person's order (rule 2)."""
        return tuple(
            sorted(
                self.answers,
                key=lambda one: hashlib.sha256(f"{name}/{one.item}".encode()).digest(),
            )
        )


class Planned(RecordPart):
    """What a batch keeps of a task: what its raters are told."""

    title: str
    event: str
    plan: AnnotationPlan

    @classmethod
    def of(cls, task: Task, plan: AnnotationPlan) -> "Planned":
        """Return what a batch keeps of a task of the protocol."""
        return cls(title=task.title, event=task.event, plan=plan)


def part_of(kept: Kept, batch: Batch, task: str, language: str, only: Answer | None = None) -> Part:
    """Read one part, or of its answers only one.

    Raises
    ------
    InputError
        If nothing was drawn of it.
    """
    draws = json.loads(batch.draws)
    said = draws.get(f"{task}/{language}")
    if said is None:
        raise InputError(
            "has nothing to be labelled",
            where=f"{task[:80]}/{language[:20]}",
            next_step="See what there is: countermark annotate status.",
        )
    told = Planned.model_validate_json(json.dumps(json.loads(batch.plans)[task]))
    submitted = kept.submitted(batch.batch, task, language)
    people = [one for one in kept.people(batch.batch) if language in one.languages]
    raters = [
        one.name
        for one in people
        if one.role == "annotator" and (not one.revoked or one.name in submitted)
    ]
    return Part(
        batch=batch.batch,
        task=task,
        title=told.title,
        event=told.event,
        language=language,
        plan=told.plan,
        draw=Draw.model_validate_json(json.dumps(said)),
        answers=(only,) if only else kept.answers(batch.batch, task, language),
        raters=tuple(raters[: told.plan.raters]),
        adjudicators=frozenset(one.name for one in people if one.role == "adjudicator"),
        submitted=submitted,
        labels=kept.labels(batch.batch, task, language, only.item if only else None),
    )


def parts_of(kept: Kept, batch: Batch) -> Iterator[Part]:
    """Read every part of a batch, in the protocol's order."""
    for name in json.loads(batch.draws):
        task, _, language = name.partition("/")
        yield part_of(kept, batch, task, language)
