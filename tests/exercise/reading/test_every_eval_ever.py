# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/reading/every_eval_ever.py``, by their numbers."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from other_tools import eee_record, eee_row, fixture, lines, write

from countermark.exercise.reading import every_eval_ever
from countermark.exercise.reading.documents import read_start, tally
from countermark.exercise.reading.found import FoundRun
from countermark.records.errors import InputError

PAIR = (eee_row("a", 1.0), eee_row("b", 0.0))


def runs(path: Path) -> list[FoundRun]:
    assert every_eval_ever.recognises(path, read_start(path))
    return list(every_eval_ever.read(path))


def one(folder: Path, *rows: dict[str, Any], **record: Any) -> FoundRun:
    write(folder, r__json=eee_record(**record), r_samples__jsonl=lines(*rows))
    (run,) = runs(folder / "r.json")
    return run


def result(name: str, metric: str, score: float = 0.5) -> dict[str, Any]:
    return {
        "evaluation_result_id": f"{name}/{metric}",
        "evaluation_name": name,
        "metric_config": {"metric_name": metric},
        "score_details": {"score": score},
    }


def test_rule_1_a_run_is_one_evaluation_and_its_metrics_are_scorers(tmp_path: Path) -> None:
    results = [result("sums", "accuracy"), result("sums", "speed", 2.0), result("words", "bleu")]
    write(tmp_path, r__json=eee_record(evaluation_results=results))
    first, second = runs(tmp_path / "r.json")
    assert (first.task, first.model, second.task) == ("sums", "org/m", "words")
    assert first.settings is not None
    assert (first.settings["stated.accuracy"], first.settings["stated.speed"]) == (0.5, 2.0)
    assert first.notes == ("No samples lie beside the record: only what it states is known.",)


def test_rule_2_samples_lie_beside_wherever_the_record_says(tmp_path: Path) -> None:
    sums = hashlib.sha256(lines(*PAIR)).hexdigest()
    said = {"file_path": "../../etc/passwd", "hash_algorithm": "sha256", "checksum": sums}
    run = one(tmp_path, *PAIR, detailed_evaluation_results=said)
    assert [(s.item, s.scores[0].value) for s in run.samples()] == [("a", 1.0), ("b", 0.0)]
    with pytest.raises(InputError, match="whose checksum the record gives"):
        one(tmp_path, PAIR[0], detailed_evaluation_results=said)


def test_rule_2_samples_alone_tell_their_model(tmp_path: Path) -> None:
    write(tmp_path, x_samples__jsonl=lines(*PAIR))
    (run,) = runs(tmp_path / "x_samples.jsonl")
    assert (run.model, run.task, run.submitted) == ("org/m", "sums", 2)
    assert "without the record" in run.notes[0]


def test_rule_2_samples_find_their_record(tmp_path: Path) -> None:
    write(tmp_path, x__json=eee_record(), x_samples__jsonl=lines(*PAIR))
    (run,) = runs(tmp_path / "x_samples.jsonl")
    assert (run.file, run.notes) == (str(tmp_path / "x.json"), ())


def test_rule_3_rows_of_one_sample_are_its_scores(tmp_path: Path) -> None:
    speed = [row | {"evaluation_result_id": "sums/speed"} for row in PAIR]
    results = [result("sums", "accuracy"), result("sums", "speed")]
    run = one(tmp_path, *PAIR, *speed, evaluation_results=results)
    assert tally(run.samples).samples == 2
    assert [s.scorer for s in next(run.samples()).scores] == ["accuracy", "speed"]


def test_rule_3_epochs_are_in_the_metadata(tmp_path: Path) -> None:
    rows = [eee_row("a", n, metadata={"epoch": str(n + 1)}) for n in (0, 1)]
    assert [(s.item, s.epoch) for s in one(tmp_path, *rows).samples()] == [("a", 1), ("a", 2)]


@pytest.mark.parametrize(
    ("change", "outcome", "status"),
    [
        ({}, "answered", "scored"),
        ({"output": {"raw": [""]}}, "answered", "scored"),
        ({"output": None}, "errored", "not-attempted"),
        ({"output": {"raw": []}}, "answered", "scored"),
        ({"output": {"raw": [None]}}, "errored", "not-attempted"),
        ({"error": "timeout"}, "errored", "not-attempted"),
        ({"evaluation": {"score": float("nan")}}, "answered", "unparsed"),
        ({"evaluation": {}}, "answered", "unparsed"),
        ({"evaluation": {"score": None, "is_correct": True}}, "answered", "scored"),
    ],
)
def test_rule_4_outcomes(change: Any, outcome: str, status: str, tmp_path: Path) -> None:
    (sample,) = one(tmp_path, eee_row("a", 1.0) | change).samples()
    assert (sample.outcome, sample.scores[0].status) == (outcome, status)


def test_rule_4_conversations(tmp_path: Path) -> None:
    turns = [
        {"turn_idx": 0, "role": "user", "content": "hi"},
        {"turn_idx": 1, "role": "assistant", "content": None, "tool_calls": [{"name": "ls"}]},
    ]
    row = eee_row("a", 1.0) | {"output": None, "messages": turns, "interaction_type": "agentic"}
    (sample,) = one(tmp_path, row).samples()
    assert sample.outcome == "answered"
    assert sample.messages[1].calls == ("ls",)


def test_rule_5_a_mean_that_differs_and_samples_that_lack_are_noted(tmp_path: Path) -> None:
    assert one(tmp_path / "same", *PAIR).notes == ()
    stated = result("sums", "accuracy", 0.9)
    stated["score_details"]["uncertainty"] = {"num_samples": 7}
    run = one(tmp_path / "other", *PAIR, evaluation_results=[stated])
    assert run.submitted == 7
    assert "the file states 0.9" in run.notes[0]
    assert run.notes[1] == "The file holds 2 of 7 samples."


def test_rule_6_version_0_2_is_read_with_a_note(tmp_path: Path) -> None:
    old = result("sums", "accuracy")
    del old["evaluation_result_id"]
    rows = [
        {k: v for k, v in row.items() if k != "evaluation_result_id"} for row in PAIR
    ]  # fmt: skip
    run = one(tmp_path, *rows, schema_version="0.2.0", evaluation_results=[old])
    assert run.notes == ("This is a record of version 0.2.0.",)
    assert tally(run.samples).means == {"accuracy": 0.5}


@pytest.mark.parametrize("version", ["0.1.0", "0.0.1"])
def test_rule_6_the_first_versions_are_read(version: str, tmp_path: Path) -> None:
    old = result("choice", "") | {"evaluation_result_id": None}
    source = {"dataset_name": "d", "samples_number": 2376, "sample_ids": [1, 2]}
    record = eee_record(
        schema_version=version,
        source_data=source if version == "0.1.0" else ["https://example.org"],
        evaluation_results=[old],
    )
    (run,) = runs(write(tmp_path, r__json=record) / "r.json")
    assert (run.task, run.stated) == ("choice", {"score": 0.5})
    assert run.submitted == (2 if version == "0.1.0" else None)
    assert run.notes[0] == f"This is a record of version {version}."


def test_rule_4_samples_inside_a_record_have_no_scores(tmp_path: Path) -> None:
    inner = [
        {"sample_id": "1", "input": "2+2", "ground_truth": "B", "response": "B", "choices": ["3"]},
        {"sample_id": "2", "input": "2+3", "ground_truth": "A"},
    ]
    record = eee_record(schema_version="0.1.0", detailed_evaluation_results_per_samples=inner)
    (run,) = runs(write(tmp_path, r__json=record) / "r.json")
    first, second = run.samples()
    assert [(m.role, m.text) for m in first.messages] == [("user", "2+2"), ("assistant", "B")]
    assert (first.outcome, first.target, second.outcome) == ("answered", "B", "errored")
    assert first.scores[0].status == "not-attempted"
    assert (run.submitted, run.stated) == (2, {"accuracy": 0.5})


def test_rule_7_rows_that_the_record_does_not_name_are_a_run(tmp_path: Path) -> None:
    rows = [eee_row("a", 1.0), eee_row("a", 0.0, evaluation_name="words")]
    write(tmp_path, r__json=eee_record(), r_samples__jsonl=lines(*rows))
    known, other = runs(tmp_path / "r.json")
    assert (known.task, known.submitted, known.notes[0][:21]) == (
        "sums",
        1,
        "accuracy: the mean of",
    )
    assert (other.task, other.model, other.submitted) == ("words", "org/m", 1)
    assert other.notes == ("The record does not name this evaluation.",)


def test_rule_7_rows_may_call_the_model_by_its_name(tmp_path: Path) -> None:
    run = one(tmp_path, *(row | {"model_id": "m"} for row in PAIR))
    assert (run.model, run.submitted, run.notes) == ("org/m", 2, ())


def test_a_real_record_is_read() -> None:
    (run,) = runs(fixture("eee/demo.json"))
    assert (run.model, run.submitted) == ("demo-org/demo-model", 1)
    assert "the mean of the samples here is 1, the file states 0.75" in run.notes[0]


def test_the_schema_of_the_form_is_no_record(tmp_path: Path) -> None:
    schema = b'{"$schema": "http://json-schema.org", "evaluation_id": 1, "evaluation_results": 2}'
    assert not every_eval_ever.recognises(tmp_path / "eval.schema.json", schema)


def test_a_file_of_records_by_lines_is_read(tmp_path: Path) -> None:
    write(tmp_path, a__jsonl=lines(eee_record(), eee_record(model_info={"id": "org/n"})))
    assert [run.model for run in runs(tmp_path / "a.jsonl")] == ["org/m", "org/n"]


GOOD = lines(*PAIR)
BROKEN: dict[str, tuple[Any, Any, str]] = {
    "truncated record": (b'{"evaluation_id": ', GOOD, "is no JSON"),
    "truncated rows": (eee_record(), GOOD[:-30], "is no JSON"),
    "version": (eee_record(schema_version="9.0"), GOOD, "schema_version '9.0'"),
    "no version": (eee_record(schema_version=None), GOOD, "schema_version ''"),
    "no results": (eee_record(evaluation_results={}), GOOD, "no list of evaluation_results"),
    "no name": (eee_record(evaluation_results=[{}]), GOOD, "no evaluation_name"),
    "no model": (eee_record(model_info={}), GOOD, "names no model"),
    "another model": (eee_record(), lines(eee_row("a", 1, model_id="x")), "rows of 'sums' by 'x'"),
    "no sample": (eee_record(), lines(eee_row("a", 1) | {"sample_id": None}), "no sample_id"),
    "no row model": (eee_record(), lines({"sample_id": "a"}), "no model_id"),
    "a list": (eee_record(), b"[1]\n", "is no row"),
    "twice": (eee_record(), GOOD + GOOD, "the sample 'a epoch 1' twice"),
    "deep": (eee_record(), b"[" * 100_000, "nested too deep"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_records_are_refused(case: str, tmp_path: Path) -> None:
    record, rows, what = BROKEN[case]
    write(tmp_path, r__json=record, r_samples__jsonl=rows)
    with pytest.raises(InputError, match=what) as caught:
        list(every_eval_ever.read(tmp_path / "r.json"))
    assert str(tmp_path) in str(caught.value.where)


def test_a_sample_twice_under_one_of_two_metrics_is_refused(tmp_path: Path) -> None:
    rows = (eee_row("a", 1), eee_row("a", 1), eee_row("a", 1, evaluation_result_id="sums/speed"))
    results = [result("sums", "accuracy"), result("sums", "speed")]
    with pytest.raises(InputError, match="'a' twice for one metric"):
        one(tmp_path, *rows, evaluation_results=results)
