# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/reading/lm_eval.py``, by their numbers."""

from pathlib import Path
from typing import Any

import pytest
from other_tools import dumped, fixture, lines, lm_eval_results, lm_eval_sample, write

from countermark.exercise.reading import lm_eval
from countermark.exercise.reading.documents import read_start, tally
from countermark.exercise.reading.found import FoundRun
from countermark.records.errors import InputError

DATE = "2026-01-21T03-44-18.458309"


def runs(path: Path) -> list[FoundRun]:
    assert path.is_dir() or lm_eval.recognises(path, read_start(path))
    return list(lm_eval.read(path))


def one(folder: Path, *samples: dict[str, Any], **results: Any) -> FoundRun:
    write(folder, results__json=lm_eval_results(**results), samples_sums__jsonl=lines(*samples))
    (run,) = runs(folder / "results.json")
    return run


@pytest.fixture
def pair() -> tuple[dict[str, Any], dict[str, Any]]:
    return lm_eval_sample(0, 1.0), lm_eval_sample(1, 0.0)


def test_rule_1_a_run_is_one_task_and_a_group_is_none(tmp_path: Path) -> None:
    results = lm_eval_results()
    results["results"] |= {"sub": {"acc,none": 1.0}, "all": {"acc,none": 0.75}}
    results["configs"]["sub"] = {"task": "sub"}
    results["group_subtasks"] = {"all": ["sums", "sub"], "sums": [], "sub": []}
    results["groups"] = {"all": {"acc,none": 0.75}}
    found = runs(write(tmp_path, results__json=results) / "results.json")
    assert [(run.task, run.model, run.tool_version) for run in found] == [
        ("sums", "org/m", "0.4.9"),
        ("sub", "org/m", "0.4.9"),
    ]


def test_rule_1_results_of_version_0_3_are_read(tmp_path: Path) -> None:
    old = {
        "results": {"sciq": {"acc": 0.891, "acc_stderr": 0.01, "acc_norm": 0.816}},
        "versions": {"sciq": 0},
        "config": {"model": "gpt2", "model_args": "use_fast=True,pretrained=org/bloom"},
    }
    (run,) = runs(write(tmp_path, results_v03__json=old) / "results_v03.json")
    assert (run.task, run.model, run.tool_version) == ("sciq", "org/bloom", None)
    assert run.settings is not None
    assert run.settings["results.acc"] == 0.891


def test_rule_2_samples_are_taken_from_the_file_of_the_same_date(
    tmp_path: Path, pair: tuple[dict[str, Any], ...]
) -> None:
    (tmp_path / f"results_{DATE}.json").write_bytes(dumped(lm_eval_results()))
    (tmp_path / f"samples_sums_{DATE}.jsonl").write_bytes(lines(*pair))
    other = tmp_path / f"samples_sums_{DATE.replace('18.4', '19.4')}.jsonl"
    other.write_bytes(lines(lm_eval_sample(7, 0.0)))
    (by_results,) = runs(tmp_path / f"results_{DATE}.json")
    (by_samples,) = runs(tmp_path / f"samples_sums_{DATE}.jsonl")
    by_folder, without = runs(tmp_path)
    assert (without.file, without.model) == (str(other), "unknown")
    for run in (by_results, by_samples, by_folder):
        assert [sample.item for sample in run.samples()] == ["0", "1"]
        assert (run.model, run.submitted, run.notes) == ("org/m", 2, ())


def test_rule_2_a_samples_file_alone_names_no_model(
    tmp_path: Path, pair: tuple[dict[str, Any], ...]
) -> None:
    write(tmp_path, samples_sums__jsonl=lines(*pair))
    (run,) = runs(tmp_path / "samples_sums.jsonl")
    assert (run.task, run.model, run.submitted) == ("sums", "unknown", 2)
    assert "names no model" in run.notes[0]
    assert [score.scorer for sample in run.samples() for score in sample.scores] == [
        "exact_match,none"
    ] * 2


@pytest.mark.parametrize(
    "name",
    ["pretrained__org__m,dtype__float32_sums", "pretrained=org__m,dtype=float32_sums"],
)
def test_rule_2_samples_files_were_named_for_the_arguments_of_the_model(
    name: str, tmp_path: Path, pair: tuple[dict[str, Any], ...]
) -> None:
    config = {"model": "hf", "model_args": "pretrained=org/m,dtype=float32"}
    results = lm_eval_results(config=config, model_name=None)
    write(tmp_path, results__json=results, other__jsonl=lines(*pair))
    (tmp_path / f"{name}.jsonl").write_bytes(dumped(list(pair)))
    found, without = runs(tmp_path)
    assert (found.task, found.model, tally(found.samples).samples) == ("sums", "org/m", 2)
    assert (without.task, without.model) == ("other", "unknown")
    (by_samples,) = runs(tmp_path / f"{name}.jsonl")
    assert (by_samples.file, by_samples.model) == (str(tmp_path / "results.json"), "org/m")


def test_rule_3_what_the_results_state_is_shown_without_samples(tmp_path: Path) -> None:
    (run,) = runs(write(tmp_path, results__json=lm_eval_results()) / "results.json")
    assert run.stated == {"exact_match,none": 0.5, "exact_match_stderr,none": 0.5}


def test_rule_2_a_samples_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    write(tmp_path, results__json=lm_eval_results())
    (tmp_path / "samples_sums.jsonl").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match="is a link"):
        runs(tmp_path / "results.json")


def test_rule_3_what_the_file_lacks_is_missing(tmp_path: Path) -> None:
    few = one(tmp_path / "few", lm_eval_sample(0, 0.5), **{
        "n-samples": {"sums": {"original": 9, "effective": 5}}
    })  # fmt: skip
    assert few.submitted == 5
    assert few.notes == ("The file holds 1 of 5 samples.",)
    (none,) = runs(write(tmp_path / "none", results__json=lm_eval_results()) / "results.json")
    assert (none.submitted, list(none.samples())) == (2, [])
    assert "No samples file" in none.notes[0]


def test_rule_4_filters_of_one_document_are_scores_of_one_sample(tmp_path: Path) -> None:
    strict = [lm_eval_sample(n, 0.0, filter="strict-match") for n in (0, 1)]
    loose = [lm_eval_sample(n, 1.0, filter="flexible-extract") for n in (0, 1)]
    run = one(tmp_path, *strict, *loose, results={
        "sums": {"exact_match,strict-match": 0.0, "exact_match,flexible-extract": 1.0}
    })  # fmt: skip
    assert run.submitted == 2
    assert tally(run.samples).means == {
        "exact_match,strict-match": 0.0,
        "exact_match,flexible-extract": 1.0,
    }
    assert run.notes == ()


@pytest.mark.parametrize("as_list", [False, True])
def test_rule_4_old_files_that_do_not_name_the_filter(tmp_path: Path, as_list: bool) -> None:
    samples = []
    for score in (0.0, 1.0):
        for doc in (0, 1):
            sample = lm_eval_sample(doc, score)
            samples.append({k: v for k, v in sample.items() if k not in {"filter", "metrics"}})
    results = lm_eval_results(
        results={"sums": {"exact_match,strict": 0.0, "exact_match,loose": 1.0}}
    )
    results["configs"]["sums"]["filter_list"] = [{"name": "strict"}, {"name": "loose"}]
    data = dumped(samples) if as_list else lines(*samples)
    write(tmp_path, results__json=results, samples_sums__jsonl=data)
    (run,) = runs(tmp_path / "results.json")
    assert tally(run.samples).samples == 2
    assert tally(run.samples).means == {"exact_match,strict": 0.0, "exact_match,loose": 1.0}


def test_rule_4_several_metrics_are_several_scores(tmp_path: Path) -> None:
    sample = lm_eval_sample(0, 1.0, metrics=["acc", "acc_norm"], acc=True, acc_norm=0.0)
    (found,) = one(tmp_path, sample).samples()
    assert [(s.scorer, s.value) for s in found.scores] == [
        ("acc,none", 1.0),
        ("acc_norm,none", 0.0),
    ]


@pytest.mark.parametrize(
    ("raw", "status", "value"),
    [
        (0.25, "scored", 0.25),
        (True, "scored", 1.0),
        (None, "unparsed", None),
        ("n/a", "unparsed", None),
        (float("nan"), "unparsed", None),
        ([1, 2], "not-attempted", None),
    ],
)
def test_rule_5_statuses(tmp_path: Path, raw: Any, status: str, value: float | None) -> None:
    (found,) = one(tmp_path, lm_eval_sample(0, raw)).samples()
    (score,) = found.scores
    assert (score.status, score.value, found.outcome) == (status, value, "answered")


def test_rule_5_a_metric_over_all_samples_has_a_note(tmp_path: Path) -> None:
    run = one(tmp_path, lm_eval_sample(0, [1.5, 2]), lm_eval_sample(1, [0.5, 3]))
    assert any("computed over all samples" in note for note in run.notes)


@pytest.mark.parametrize(
    ("resps", "outcome", "answer"),
    [
        ([["four"]], "answered", "four"),
        ([[""]], "answered", ""),
        ([], "errored", None),
        ([[None]], "errored", None),
        ([[["-1.5", "False"]]], "answered", None),
    ],
)
def test_rule_6_outcomes(tmp_path: Path, resps: Any, outcome: str, answer: str | None) -> None:
    sample = lm_eval_sample(0, 1.0, resps=resps, filtered_resps=None)
    (found,) = one(tmp_path, sample).samples()
    assert found.outcome == outcome
    assert (found.scores[0].status == "not-attempted") == (outcome == "errored")
    said = [message.text for message in found.messages if message.role == "assistant"]
    assert said == ([] if answer is None else [answer])


def test_rule_7_a_mean_that_differs_is_noted(
    tmp_path: Path, pair: tuple[dict[str, Any], ...]
) -> None:
    assert one(tmp_path / "same", *pair).notes == ()
    run = one(tmp_path / "other", *pair, results={"sums": {"exact_match,none": 0.75}})
    assert run.settings is not None
    assert run.settings["results.exact_match,none"] == 0.75
    assert "the mean of the samples here is 0.5, the file states 0.75" in run.notes[0]


def test_a_chat_prompt_is_read_as_its_turns(tmp_path: Path) -> None:
    chat = '[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]'
    sample = lm_eval_sample(0, 1.0, arguments={"gen_args_0": {"arg_0": [chat]}})
    (found,) = one(tmp_path, sample).samples()
    assert [(m.role, m.text) for m in found.messages] == [
        ("system", "s"),
        ("user", "u"),
        ("assistant", "four"),
    ]


def test_a_real_file_gives_its_own_aggregate() -> None:
    first, second = runs(fixture("lm_eval/results.json"))
    assert (first.submitted, tally(first.samples).samples) == (5000, 10)
    assert first.settings is not None
    stated = first.settings["results.exact_match,none"]
    assert tally(first.samples).means == {"exact_match,none": stated}
    assert (second.submitted, list(second.samples())) == (5000, [])


GOOD = lines(lm_eval_sample(0, 1.0), lm_eval_sample(1, 0.0))
BROKEN = {
    "truncated": (GOOD[:-40], "samples_sums.jsonl:2", "is no JSON"),
    "no document": (lines({"resps": [], "doc": 1}), ":1", "has no doc_id"),
    "twice": (lines(lm_eval_sample(0, 1.0)) * 2, ":2", "the document '0' twice"),
    "a list line": (GOOD + b"[1]\n", ":3", "is no sample"),
    "deep": (GOOD + b"[" * 100_000 + b"\n", ":3", "nested too deep"),
    "latin-1": (GOOD + b'{"doc_id": "\xe9"}\n', ":3", "is no JSON"),
    "surrogate": (GOOD + b'{"doc_id": "\\ud800", "x": NaN}\n', ":3", "is no JSON"),
    "number": (GOOD + b'{"doc_id": 1e999}\n', ":3", "is no JSON"),
    "three filters": (
        lines(
            lm_eval_sample(0, 1.0, filter="a"),
            lm_eval_sample(0, 1.0, filter="b"),
            lm_eval_sample(0, 1.0, filter="b"),
        ),
        ":3",
        "more than once under a filter",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_samples_are_refused_by_line(case: str, tmp_path: Path) -> None:
    data, where, what = BROKEN[case]
    write(tmp_path, results__json=lm_eval_results(), samples_sums__jsonl=data)
    with pytest.raises(InputError, match=what) as caught:
        list(lm_eval.read(tmp_path / "results.json"))
    assert str(caught.value.where).endswith(where)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (b'{"results": {"a": ', "is no JSON"),
        (b'{"results": [1]}', "no object 'results'"),
        (b'{"results": {"a": 1}}', "no object 'results'"),
        (b"[1]", "no object 'results'"),
    ],
)
def test_broken_results_are_refused(value: bytes, what: str, tmp_path: Path) -> None:
    write(tmp_path, results__json=value)
    with pytest.raises(InputError, match=what):
        list(lm_eval.read(tmp_path / "results.json"))


def test_a_task_named_like_a_path_opens_no_path(tmp_path: Path) -> None:
    write(tmp_path / "outside", samples_x__jsonl=GOOD)
    name = "../outside/samples_x"
    write(
        tmp_path / "run",
        results__json=lm_eval_results(results={name: {"exact_match,none": 0.5}}, configs={}),
    )
    (run,) = runs(tmp_path / "run/results.json")
    assert list(run.samples()) == []
