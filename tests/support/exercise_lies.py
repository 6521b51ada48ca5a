# SPDX-License-Identifier: Apache-2.0
"""What a lab may change after it has sealed, and how it is found out."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from exercise_lab import Lab

from countermark.exercise.revealing.seal import close
from countermark.exercise.samples import LabSample
from countermark.records.canonical import canonical
from countermark.records.errors import VerificationError
from countermark.records.sample import Message, OpenScores, RevealedSample

Samples = tuple[LabSample, ...]


def distrusted(lab: Lab, rule: int, text: str = "has") -> VerificationError:
    with pytest.raises(VerificationError, match=text) as caught:
        lab.reveal()
    assert caught.value.what.endswith(f"(rule {rule} of revealing)")
    assert caught.value.where == f"the evidence of {lab.lab}"
    assert caught.value.next_step
    return caught.value


def lines(change: Callable[[list[Any]], object]) -> Callable[[bytes], bytes]:
    """Change the revealed samples, and write them canonically again."""

    def to_file(data: bytes) -> bytes:
        samples = [json.loads(line) for line in data.splitlines()]
        change(samples)
        return b"".join(canonical(sample) + b"\n" for sample in samples)

    return to_file


def with_answer(sample: LabSample, text: str, value: float) -> LabSample:
    told = sample.transcript.messages[:-1]
    said = (*told, Message(role="assistant", content=text))
    score = sample.scores.scores[0].model_copy(update={"value": value})
    return replace(
        sample,
        scores=sample.scores.model_copy(update={"scores": (score,)}),
        transcript=sample.transcript.model_copy(update={"messages": said}),
    )


def first_changed(
    change: Callable[[LabSample], LabSample],
) -> Callable[[Samples], Samples]:
    return lambda samples: (change(samples[0]), *samples[1:])


def closing(
    scores: Callable[[int], bool], transcripts: Callable[[int], bool]
) -> Callable[[tuple[RevealedSample, ...]], tuple[RevealedSample, ...]]:
    """Close the scores and transcripts at some places."""

    def to_shown(samples: tuple[RevealedSample, ...]) -> tuple[RevealedSample, ...]:
        keys = [one.scores.value.key for one in samples if isinstance(one.scores, OpenScores)]
        return close(
            samples,
            scores=lambda key: scores(keys.index(key)),
            transcript=lambda key: transcripts(keys.index(key)),
        )

    return to_shown


def never(_: int) -> bool:
    return False


def always(_: int) -> bool:
    return True


SOME = closing(never, lambda place: place != 2)
COUNTS = closing(always, always)
MIXED = closing(lambda place: place < 3, always)
