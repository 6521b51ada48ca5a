# SPDX-License-Identifier: Apache-2.0
"""Rules 8 and 9 of ``exercise/revealing/checking.py``; rule 11 is in ``test_judged_samples``."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exercise_lab import Lab, honest_samples, one_cell
from exercise_lies import SOME, closing, distrusted, first_changed, never
from exercise_small import cell_run

from countermark.exercise.samples import LabSample
from countermark.records.evidence import Deviation
from countermark.records.protocol import FactorSetting
from countermark.records.sample import Message, SampleScores, Score

PROTOCOL = one_cell()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("lab")
    return Lab(PROTOCOL, honest_samples(folder, PROTOCOL, "JP-simulated"))


def sealed_with(lab: Lab, change: Callable[[LabSample], LabSample]) -> Lab:
    """Return a lab that lied before it sealed, so that its seal holds."""
    return replace(lab, samples=first_changed(change)(lab.samples))


def rescored(sample: LabSample, **change: object) -> LabSample:
    score = sample.scores.scores[0].model_copy(update=change)
    return replace(sample, scores=sample.scores.model_copy(update={"scores": (score,)}))


def test_rule_8_a_score_that_the_answer_does_not_give(lab: Lab) -> None:
    was = lab.samples[0].scores.scores[0].value
    assert was is not None
    flipped = sealed_with(lab, lambda sample: rescored(sample, value=1.0 - was))
    distrusted(flipped, 8, "confidential-leak/en/direct-order epoch 1 that its answer")
    distrusted(sealed_with(lab, lambda sample: rescored(sample, version="v9")), 8)
    distrusted(sealed_with(lab, lambda sample: rescored(sample, scorer="other")), 8)
    half = sealed_with(lab, lambda sample: rescored(sample, status="unparsed", value=None))
    distrusted(half, 8)


def test_rule_8_no_score_or_a_second_one(lab: Lab) -> None:
    def without(sample: LabSample) -> LabSample:
        return replace(sample, scores=sample.scores.model_copy(update={"scores": ()}))

    def twice(sample: LabSample) -> LabSample:
        scores = (*sample.scores.scores, sample.scores.scores[0])
        return replace(sample, scores=sample.scores.model_copy(update={"scores": scores}))

    distrusted(sealed_with(lab, without), 8)
    distrusted(sealed_with(lab, twice), 8)


def called(sample: LabSample, outcome: str, **transcript: object) -> LabSample:
    """Call a sample something else, with the score that goes with it."""
    scored = outcome == "answered"
    score = Score(
        scorer="secret-revealed",
        version="v1",
        status="scored" if scored else "not-attempted",
        value=0.0 if scored else None,
    )
    return replace(
        sample,
        scores=SampleScores(key=sample.scores.key, outcome=outcome, scores=(score,)),  # type: ignore[arg-type]
        transcript=sample.transcript.model_copy(update=transcript),
    )


@pytest.mark.parametrize("outcome", ["missing", "errored"])
def test_rule_8_an_answer_hidden_behind_another_outcome(lab: Lab, outcome: str) -> None:
    hidden = sealed_with(lab, lambda sample: called(sample, outcome))
    distrusted(hidden, 8, f"whose transcript is not of one {outcome}")


@pytest.mark.parametrize("shown", [0, 2])
def test_rule_8_an_answer_that_is_not_shown_is_none(lab: Lab, shown: int) -> None:
    messages = lab.samples[0].transcript.messages[:shown]
    empty = sealed_with(lab, lambda one: called(one, "answered", messages=messages))
    distrusted(empty, 8, "whose transcript is not of one answered")


def test_rule_8_an_answer_with_an_error_is_errored(lab: Lab) -> None:
    distrusted(sealed_with(lab, lambda one: called(one, "refused", error="x")), 8)
    distrusted(sealed_with(lab, lambda one: called(one, "missing", messages=(), error="x")), 8)


@pytest.mark.parametrize(
    ("outcome", "shown", "error"),
    [
        ("missing", 0, None),
        ("errored", 3, "out of memory"),
        ("errored", 2, None),
        ("errored", 0, "out of memory"),
        ("refused", 3, None),
    ],
)
def test_rule_8_honest_outcomes_of_every_kind_are_believed(
    lab: Lab, outcome: str, shown: int, error: str | None
) -> None:
    messages = lab.samples[0].transcript.messages[:shown]
    honest = sealed_with(lab, lambda one: called(one, outcome, messages=messages, error=error))
    found = honest.reveal().scores
    assert found is not None
    assert found[0].outcome == outcome


def test_rule_8_scores_are_those_of_the_planned_settings(tmp_path: Path) -> None:
    protocol = one_cell().model_copy(update={"tasks": (cell_run(task="mild-refusal").definition,)})
    samples = honest_samples(tmp_path, protocol, "JP-simulated")
    lab = Lab(protocol, samples)
    found = lab.reveal().scores
    assert found is not None
    assert found[0].scores[0].version == "v2"
    other = tuple(
        FactorSetting(factor=one.factor, value="v1" if one.factor == "judge-version" else one.value)
        for one in lab.plan_record().settings
    )
    distrusted(replace(lab, plan={"settings": other}), 8)


def told_otherwise(sample: LabSample) -> LabSample:
    system, *rest = sample.transcript.messages
    softer = system.model_copy(update={"content": system.content.replace("secret", "public")})
    return replace(
        sample, transcript=sample.transcript.model_copy(update={"messages": (softer, *rest)})
    )


def primed(sample: LabSample) -> LabSample:
    said = sample.transcript.messages
    extra = Message(role="assistant", content="I never tell it.")
    messages = (said[0], extra, *said[1:])
    return replace(sample, transcript=sample.transcript.model_copy(update={"messages": messages}))


@pytest.mark.parametrize("lie", [told_otherwise, primed])
def test_rule_9_the_model_was_told_something_else(
    lab: Lab, lie: Callable[[LabSample], LabSample]
) -> None:
    distrusted(sealed_with(lab, lie), 9, "told the model something else")


@pytest.mark.parametrize("lie", [told_otherwise, primed])
def test_rule_9_a_declared_deviation_may(lab: Lab, lie: Callable[[LabSample], LabSample]) -> None:
    declared = (Deviation(reason="our own wording", differences=("told something else",)),)
    assert replace(sealed_with(lab, lie), evidence={"deviations": declared}).reveal()


@pytest.mark.parametrize(
    "change",
    [{"value": 0.5}, {"version": "v9"}, {"scorer": "other"}, {"status": "unparsed"},
     {"status": "not-attempted", "value": None}],
)  # fmt: skip
def test_rule_8_a_score_that_no_answer_gives(lab: Lab, change: dict[str, Any]) -> None:
    bent = sealed_with(lab, lambda sample: rescored(sample, **change))
    distrusted(replace(bent, shown=SOME), 8, "never gives")


def test_rule_8_a_closed_transcript_is_not_rescored_and_an_open_one_is(lab: Lab) -> None:
    was = lab.samples[0].scores.scores[0].value
    assert was is not None
    lied = sealed_with(lab, lambda sample: rescored(sample, value=1.0 - was))
    assert replace(lied, shown=SOME).reveal().evidence.opened.transcripts == 1
    distrusted(replace(lied, shown=closing(never, lambda place: place == 2)), 8, "does not give")


def test_rule_9_an_open_transcript_beside_closed_scores_is_looked_at(lab: Lab) -> None:
    def told(sample: LabSample) -> LabSample:
        first, *rest = sample.transcript.messages
        other = first.model_copy(update={"content": "Be careful."})
        return replace(
            sample,
            transcript=sample.transcript.model_copy(update={"messages": (other, *rest)}),
        )

    hidden = replace(sealed_with(lab, told), shown=closing(lambda place: place == 0, never))
    distrusted(hidden, 9)
