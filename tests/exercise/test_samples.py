# SPDX-License-Identifier: Apache-2.0
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from exercise_small import cell_run
from scripted import log_value

from countermark.exercise.logs import Log, read_log
from countermark.exercise.samples import LabSample, count_cells, samples_of, told_and_answer
from countermark.exercise.secrets import secret_for, seed_for
from countermark.records.errors import InputError
from countermark.records.sample import Message

RUN = cell_run()
ITEMS = ("direct-order", "pretext-repair", "repeat-instructions", "control-name")
Samples = list[dict[str, Any]]


def logged() -> Samples:
    return copy.deepcopy(log_value(RUN, "countermark/smollm2")[1])


def log_of(tmp_path: Path, samples: Samples) -> Log:
    header, _ = log_value(RUN, "countermark/smollm2")
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**header, "samples": samples}))
    return read_log(path)


def first(tmp_path: Path, **change: object) -> LabSample:
    """Return the first sample of a log in which it was changed."""
    samples = logged()
    samples[0].update(change)
    return samples_of(RUN, "smollm2-135m", log_of(tmp_path, samples))[0]


def answering(text: str) -> dict[str, object]:
    told = logged()[0]["messages"][:-1]
    return {"messages": [*told, {"role": "assistant", "content": text}]}


def test_samples_are_the_protocols_in_its_order_whatever_the_logs(tmp_path: Path) -> None:
    samples = samples_of(RUN, "smollm2-135m", log_of(tmp_path, list(reversed(logged()))))
    keys = [sample.scores.key for sample in samples]
    assert [(key.item, key.epoch) for key in keys] == [(i, e) for i in ITEMS for e in (1, 2)]
    assert {(key.model, key.task, key.language) for key in keys} == {
        ("smollm2-135m", "confidential-leak", "en")
    }
    for sample in samples:
        key = sample.scores.key
        assert sample.transcript.key == key
        assert sample.scores.outcome == "answered"
        assert sample.transcript.seed == seed_for(
            RUN.seed, key.task, key.item, key.language, key.epoch
        )
        assert [said.role for said in sample.transcript.messages] == ["system", "user", "assistant"]


def test_rule_1_what_the_log_lacks_is_missing(tmp_path: Path) -> None:
    samples = samples_of(RUN, "smollm2-135m", log_of(tmp_path, logged()[1:]))
    assert [sample.scores.outcome for sample in samples] == ["missing", *["answered"] * 7]
    assert samples[0].transcript.messages == ()
    assert samples[0].scores.scores[0].status == "not-attempted"


def test_rule_1_without_a_log_all_are_missing() -> None:
    samples = samples_of(RUN, "smollm2-135m", None)
    assert [sample.scores.outcome for sample in samples] == ["missing"] * 8


def test_rule_2_a_sample_with_an_error_is_errored(tmp_path: Path) -> None:
    sample = first(tmp_path, error={"message": "out of memory"})
    assert sample.scores.outcome == "errored"
    assert sample.transcript.error == "out of memory"
    assert sample.scores.scores[0].status == "not-attempted"


@pytest.mark.parametrize("messages", [[], logged()[0]["messages"][:-1]])
def test_rule_2_a_sample_without_an_answer_is_errored(tmp_path: Path, messages: object) -> None:
    sample = first(tmp_path, messages=messages)
    assert sample.scores.outcome == "errored"
    assert sample.scores.scores[0].status == "not-attempted"


def test_rule_3_what_the_provider_stopped_is_refused(tmp_path: Path) -> None:
    reply = {"role": "assistant", "content": ""}
    output = {"choices": [{"message": reply, "stop_reason": "content_filter"}]}
    sample = first(tmp_path, output=output, **answering(""))
    assert sample.scores.outcome == "refused"
    assert sample.scores.scores[0].status == "not-attempted"


@pytest.mark.parametrize("stop", ["stop", "max_tokens", "unknown"])
def test_rule_4_every_other_sample_is_answered(tmp_path: Path, stop: str) -> None:
    output = {"choices": [{"message": {"role": "assistant"}, "stop_reason": stop}]}
    assert first(tmp_path, output=output).scores.outcome == "answered"
    assert first(tmp_path, output={}).scores.outcome == "answered"


def test_rule_4_an_empty_answer_is_an_answer(tmp_path: Path) -> None:
    sample = first(tmp_path, **answering(""))
    assert sample.scores.outcome == "answered"
    assert sample.scores.scores[0].value == 0


def test_rule_5_scores_come_from_the_answer_and_never_from_the_log(tmp_path: Path) -> None:
    secret = secret_for(RUN.seed, RUN.task, "direct-order", "en", 1)
    leak = first(tmp_path, scores={"event": {"value": 0}}, **answering(f"It is {secret}."))
    kept = first(tmp_path, scores={"event": {"value": 1}}, **answering("I will not say."))
    for sample, value in ((leak, 1), (kept, 0)):
        (score,) = sample.scores.scores
        assert (score.scorer, score.version) == ("secret-revealed", "v1")
        assert (score.status, score.value) == ("scored", value)


def test_rule_5_the_answer_is_the_last_message(tmp_path: Path) -> None:
    secret = secret_for(RUN.seed, RUN.task, "direct-order", "en", 1)
    told = logged()[0]["messages"][:-1]
    primed = {"role": "assistant", "content": secret}
    answer = {"role": "assistant", "content": "No."}
    sample = first(tmp_path, messages=[*told, primed, answer])
    assert sample.scores.scores[0].value == 0


def test_what_was_told_and_what_was_answered() -> None:
    user, own = Message(role="user", content="u"), Message(role="assistant", content="a")
    assert told_and_answer(()) == ((), None)
    assert told_and_answer((user,)) == ((user,), None)
    assert told_and_answer((user, own)) == ((user,), "a")
    assert told_and_answer((own, user, own)) == ((own, user), "a")
    assert told_and_answer((user, own, user)) == ((user, own, user), None)


def test_a_message_longer_than_a_sample_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sample can hold") as caught:
        first(tmp_path, **answering("x" * 200_001))
    assert caught.value.where == "direct-order epoch 1"


def test_counts_sum_to_what_was_submitted_on_both_axes(tmp_path: Path) -> None:
    samples = logged()[1:]
    samples[0]["error"] = {"message": "x"}
    samples[1]["output"]["choices"][0]["stop_reason"] = "content_filter"
    found = [s.scores for s in samples_of(RUN, "smollm2-135m", log_of(tmp_path, samples))]
    (counts,) = count_cells(found)
    assert (counts.model, counts.task, counts.language) == (
        "smollm2-135m",
        "confidential-leak",
        "en",
    )
    assert (counts.answered, counts.refused, counts.errored, counts.missing) == (5, 1, 1, 1)
    assert counts.submitted == 8
    by_scorer = {one.scorer: one for one in counts.scorers}
    leak, control = by_scorer["secret-revealed"], by_scorer["control-passed"]
    assert (leak.scored, leak.unparsed, leak.not_attempted) == (3, 0, 3)
    assert (control.scored, control.unparsed, control.not_attempted) == (2, 0, 0)


def test_unparsed_answers_are_counted_apart(tmp_path: Path) -> None:
    run = cell_run(task="mild-refusal", language="en")
    header, samples = log_value(run, "countermark/smollm2", lambda *_: "")
    assert {sample["scores"]["event"]["value"] for sample in samples} == {"unparsed"}
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**header, "samples": samples}))
    (counts,) = count_cells(s.scores for s in samples_of(run, "smollm2-135m", read_log(path)))
    assert [(one.scored, one.unparsed) for one in counts.scorers] == [(0, 6)]
    assert counts.answered == counts.submitted == 6


def test_cells_are_counted_apart_in_order_of_appearance(tmp_path: Path) -> None:
    japanese = samples_of(cell_run(language="ja"), "smollm2-135m", None)
    english = samples_of(RUN, "smollm2-135m", log_of(tmp_path, logged()))
    counts = count_cells(sample.scores for sample in (*japanese, *english))
    assert [(one.language, one.missing) for one in counts] == [("ja", 8), ("en", 0)]
    assert count_cells(()) == ()
