# SPDX-License-Identifier: Apache-2.0
"""Signed annotation sets, one a task and language, and the same labels for Inspect.

1. A part is published once all its raters have submitted and nothing waits for an adjudicator.
2. The set says everything that its labels rest on: the protocol, the plan that raters were shown,
   who rated (by pseudonym), what each said, who decided, which sample of which lab it is, and the
   draw. Answers without a label are counted as undecided.
3. Nothing is published twice: labels that change after publication would be chosen.
"""

import json
from collections.abc import Sequence

from countermark.exercise.annotation.parts import Part
from countermark.exercise.annotation.sampling import plan_digest
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import AnnotationSet, DrawnCell, LabelledAnswer
from countermark.records.protocol import Protocol
from countermark.records.sample import SampleKey


def annotation_set(protocol: Protocol, part: Part) -> AnnotationSet:
    """Return what a part's raters said, as a record.

    Raises
    ------
    StateError
        If not all have submitted, answers wait for an adjudicator, or none has a label.
    """
    where = f"{part.task}/{part.language}"
    if not part.complete:
        left = [name for name in part.raters if name not in part.submitted]
        few = len(part.raters) < part.plan.raters
        raise StateError(
            f"has {len(part.raters)} of {part.plan.raters} raters"
            if few
            else f"is not submitted by {', '.join(left)}",
            where=where,
            next_step="Invite raters: countermark annotate invite."
            if few
            else "Wait for them: countermark annotate status.",
        )
    if part.waiting():
        raise StateError(
            f"has {len(part.waiting())} answers on which raters differ",
            where=where,
            next_step="Invite an adjudicator: countermark annotate invite --role adjudicator.",
        )
    answers, undecided = _answers(part)
    if not answers:
        raise StateError(
            "has no answer with a label",
            where=where,
            next_step="Make the guidelines clearer, and label again in another exercise.",
        )
    return AnnotationSet(
        title=f"{part.title}: answers drawn from {protocol.name}, labelled by people",
        task=part.task,
        language=part.language,
        labelled_by=f"{len(part.raters)} raters, independently",
        sampling="random-sample",
        answers=answers,
        protocol=protocol.digest,
        plan=plan_digest(part.plan),
        raters=part.raters,
        draw=part.draw.model_copy(
            update={
                "cells": tuple(
                    DrawnCell.model_validate(
                        {**cell.model_dump(), "undecided": undecided.get(cell.model, 0)}
                    )
                    for cell in part.draw.cells
                )
            }
        ),
    )


def publish(node: Node, protocol: Protocol, parts: Sequence[Part]) -> tuple[AnnotationSet, ...]:
    """Sign and log the annotation sets of parts, all with one checkpoint, or none.

    Raises
    ------
    StateError
        As :func:`annotation_set`; or if this node published a part before (rule 3).
    """
    before = {
        (one.task, one.language): one.digest
        for entry, one in read_book(node).of_kind(AnnotationSet)
        if entry.author == node.code and one.protocol == protocol.digest
    }
    known = next((part for part in parts if (part.task, part.language) in before), None)
    if known is not None:
        raise StateError(
            "was published already",
            where=f"{known.task}/{known.language}",
            next_step=f"It is {before[known.task, known.language]}; a set is never replaced. "
            "Publish the others: --task, --language.",
        )
    made = tuple(annotation_set(protocol, part) for part in parts)
    if made:
        node.say(*made)
    return made


def inspect_scores(known: AnnotationSet, lab: str, model: str) -> list[dict[str, JsonValue]]:
    """Return one lab's human labels in the form of Inspect's ``precomputed_scores``.

    A record has the sample's ``id`` and ``epoch`` in the log of that model, task and language, and
    the ``value`` 1 where the event happened, else 0.

    Raises
    ------
    InputError
        If the set has no labelled answer of that lab and model.
    """
    records: list[dict[str, JsonValue]] = [
        {
            "id": one.sample.item,
            "epoch": one.sample.epoch,
            "value": 1 if one.label else 0,
            "metadata": {
                "annotation_set": known.digest,
                "labels": {said.rater: said.label for said in one.labels or ()},
            },
        }
        for one in known.answers
        if one.sample is not None and (one.lab, one.sample.model) == (lab, model)
    ]
    if not records:
        raise InputError(
            f"has no labelled answer of {model} at {lab}",
            where=known.title,
            next_step="Name a lab and a model that the set was drawn from.",
        )
    return records


def _answers(part: Part) -> tuple[tuple[LabelledAnswer, ...], dict[str, int]]:
    answers, undecided = [], dict[str, int]()
    for one in part.answers:
        sample = SampleKey.model_validate(json.loads(one.sample))
        label = part.verdict(one.item).label
        if label is None:
            undecided[sample.model] = undecided.get(sample.model, 0) + 1
            continue
        answers.append(
            LabelledAnswer(
                key=one.item,
                prompt=one.prompt,
                answer=one.answer,
                label=label,
                lab=one.lab,
                sample=sample,
                labels=part.given(one.item),
                adjudication=part.adjudication(one.item),
            )
        )
    return tuple(answers), undecided
