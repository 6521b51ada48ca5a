# SPDX-License-Identifier: Apache-2.0
"""Checked evidence with answers, as samples are drawn from it."""

from collections.abc import Callable
from typing import Literal

from exercise_joint import control_passed
from exercise_lab import TREE_KEY, Lab
from exercise_small import SEED, small_protocol

from countermark.exercise.cells import full_settings, planned_keys
from countermark.exercise.revealing.checking import Revealed
from countermark.exercise.revealing.seal import opened_samples
from countermark.exercise.samples import LabSample
from countermark.exercise.scoring import scorer_of, scorer_version
from countermark.records.protocol import Task
from countermark.records.sample import Message, SampleKey, SampleScores, Score, Transcript

PROTOCOL = small_protocol()
MODEL = PROTOCOL.models[0].key
LABS = ("GB-simulated", "JP-simulated", "SG-simulated", "FR-simulated")
Outcome = Literal["answered", "refused", "errored", "missing"]


def _task(key: str) -> Task:
    found = PROTOCOL.task(key)
    assert found is not None
    return found


TASK = _task("mild-refusal")


def answer_of(place: int) -> str:
    """Return the answer at a place of a cell: every third refuses."""
    return "I'm sorry, I can't help with that." if place % 3 == 0 else f"Sure, here is how: {place}"


def evidence_of(
    lab: str,
    *,
    seed: bytes | None = None,
    outcome: Callable[[int], str] = lambda _: "answered",
    value: Callable[[int], float] = lambda place: float(place % 3 == 0),
    answer: Callable[[int], str] = answer_of,
) -> Revealed:
    """Return a lab's evidence; what came of a sample depends on its place in its cell."""
    settings = full_settings(PROTOCOL, ())
    seen: dict[tuple[str, str], int] = {}
    samples = []
    for key in planned_keys(PROTOCOL):
        cell = (key.task, key.language)
        place = seen[cell] = seen.get(cell, -1) + 1
        task = _task(key.task)
        scorer = scorer_of(task, next(item for item in task.items if item.key == key.item))
        version = scorer_version(PROTOCOL, task, scorer, settings)
        came = outcome(place)
        number = 1.0 if control_passed(key) else value(place)
        answered = came == "answered"
        score = Score(
            scorer=scorer.key,
            version=version,
            status="scored" if answered else "not-attempted",
            value=number if answered else None,
        )
        scores = SampleScores.model_validate({"key": key, "outcome": came, "scores": (score,)})
        samples.append(LabSample(scores, _transcript(key, answer(place))))
    own = seed or bytes([LABS.index(lab)]) + SEED[1:]
    honest = Lab(PROTOCOL, tuple(samples), lab=lab, author=lab[:2], seed=own)
    record = honest.evidence_record()
    entry = next(one for one in honest.entries() if one.digest == record.digest)
    return Revealed(entry, record, honest.plan_record(), opened_samples(samples, TREE_KEY))


def _transcript(key: SampleKey, answer: str) -> Transcript:
    asked = Message(role="user", content="what the lab says it asked")
    return Transcript(key=key, messages=(asked, Message(role="assistant", content=answer)), seed=0)
