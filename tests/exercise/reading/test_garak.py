# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/reading/garak.py``, by their numbers."""

import json
from pathlib import Path
from typing import Any

import pytest
from other_tools import fixture, garak_attempt, garak_report, lines, write

from countermark.exercise.reading import garak
from countermark.exercise.reading.documents import read_start, tally
from countermark.exercise.reading.found import FoundRun
from countermark.records.errors import InputError

REPORT = "a.report.jsonl"
TURNS = ({"role": "user", "content": "hi"}, {"role": "assistant", "content": "no"})


def runs(folder: Path, data: bytes) -> list[FoundRun]:
    path = folder / REPORT
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    assert garak.recognises(path, read_start(path))
    return list(garak.read(path))


def test_rule_1_a_run_is_one_probe(tmp_path: Path) -> None:
    other = garak_attempt(5, 0.0, probe_classname="probes.x.Y", detector_results={"e.E": [0.0]})
    found = runs(tmp_path, garak_report(garak_attempt(0, 1.0), other, garak_attempt(1, 0.0)))
    assert [(run.task, run.model, run.submitted) for run in found] == [
        ("test.Test", "openai/m", 2),
        ("x.Y", "openai/m", 1),
    ]
    assert (found[0].tool_version, found[0].status) == ("0.14.0", "success")


def test_rule_1_older_reports_say_model_type_and_write_texts(tmp_path: Path) -> None:
    data = lines(
        {"entry_type": "start_run setup", "plugins.model_type": "test", "plugins.model_name": "B"},
        {"entry_type": "init", "garak_version": "0.9.0"},
        garak_attempt(0, 1.0, prompt="hi", outputs=["no"], status=2)
        | {"messages": [[TURNS[0], TURNS[1]]]},
        {
            "entry_type": "eval", "probe": "test.Test", "detector": "detector.d.D",
            "passed": 0, "total": 1,
        },
    )  # fmt: skip
    (run,) = runs(tmp_path, data)
    (sample,) = run.samples()
    assert (run.model, run.tool_version, run.language) == ("test/B", "0.9.0", None)
    assert [(m.role, m.text) for m in sample.messages] == [("user", "hi"), ("assistant", "no")]
    assert tally(run.samples).means == {"d.D": 1.0, "d.D/hit": 1.0}
    assert run.notes == ("The report has no end: the run may not have finished.",)
    assert run.status == "started"


def test_rule_1_the_first_versions_write_their_arguments_and_no_end(tmp_path: Path) -> None:
    given = {"model_type": "test", "model_name": "Blank", "eval_threshold": 0.8, "generations": 1}
    data = lines(
        {**given, "entry_type": "config"},
        {"entry_type": "init", "garak_version": "0.9.0.6", "start_time": "2023-07-24T10:00:00"},
        garak_attempt(0, 0.7, prompt="hi", outputs=["no"]),
        {"entry_type": "eval", "probe": "test.Test", "detector": "detector.d.D", "passed": 1,
         "total": 1},
    )  # fmt: skip
    (run,) = runs(tmp_path, data)
    assert (run.model, run.tool_version, run.status) == ("test/Blank", "0.9.0.6", None)
    assert tally(run.samples).means == {"d.D": 0.7, "d.D/hit": 0.0}
    assert run.notes == ()
    assert run.settings is not None
    assert run.settings["config.generations"] == 1


def test_rule_2_a_sample_is_one_output(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, garak_report(garak_attempt(3, 1.0, 0.0)))
    assert [(s.item, s.epoch) for s in run.samples()] == [("3", 1), ("3", 2)]
    assert tally(run.samples).means["d.D/hit"] == 0.5
    assert run.notes == ()


def test_rule_2_numbers_that_come_twice_are_told_apart(tmp_path: Path) -> None:
    again = garak_attempt(0, 0.0, uuid="abcdef01-2345")
    (run,) = runs(tmp_path, garak_report(garak_attempt(0, 1.0), again))
    assert [s.item for s in run.samples()] == ["0-00000000", "0-abcdef01"]


def test_rule_3_the_last_line_of_an_attempt_counts(tmp_path: Path) -> None:
    first = garak_attempt(0, 1.0, status=1, detector_results={})
    lost = garak_attempt(1, 0.0, status=1, detector_results={})
    (run,) = runs(tmp_path, garak_report(first, lost, garak_attempt(0, 1.0)))
    judged, unjudged = run.samples()
    assert [score.status for score in judged.scores] == ["scored"] * 2
    assert (unjudged.item, unjudged.outcome) == ("1-00000001", "answered")
    assert [score.status for score in unjudged.scores] == ["not-attempted"] * 2


def test_rule_4_outputs_that_are_absent(tmp_path: Path) -> None:
    attempt = garak_attempt(0, None, 1.0, 0.0) | {"outputs": [None, {"text": ""}, {"text": "x"}]}
    without = garak_attempt(1)
    (run,) = runs(tmp_path, garak_report(attempt, without, nones=1, total_processed=3))
    samples = list(run.samples())
    assert [s.outcome for s in samples] == ["errored", "answered", "answered", "errored"]
    assert [s.scores[0].status for s in samples] == [
        "not-attempted",
        "scored",
        "scored",
        "not-attempted",
    ]


def test_rule_4_numbers_belong_to_the_outputs_that_are_there(tmp_path: Path) -> None:
    attempt = garak_attempt(0, 1.0, 0.0) | {"outputs": [None, {"text": "a"}, {"text": "b"}]}
    (run,) = runs(tmp_path, garak_report(attempt, passed=1, total_evaluated=2))
    scores = [{score.scorer: score for score in s.scores}["d.D"] for s in run.samples()]
    assert [score.value for score in scores] == [None, 1.0, 0.0]
    assert scores[0].status == "not-attempted"
    assert run.notes == ()


def test_rule_5_hits_are_counted_from_the_threshold(tmp_path: Path) -> None:
    attempts = [garak_attempt(n, score) for n, score in enumerate((0.49, 0.5, 0.9, None))]
    (run,) = runs(tmp_path, garak_report(*attempts, passed=1, total_evaluated=3, nones=1))
    scores = [{score.scorer: score for score in s.scores} for s in run.samples()]
    assert [one["d.D/hit"].value for one in scores] == [0.0, 1.0, 1.0, None]
    assert [one["d.D"].value for one in scores] == [0.49, 0.5, 0.9, None]
    assert scores[3]["d.D"].status == "unparsed"
    assert run.notes == ()


def test_rule_6_outputs_that_were_judged_and_are_not_here_are_missing(tmp_path: Path) -> None:
    data = garak_report(garak_attempt(0, 1.0), passed=5, total_evaluated=9, total_processed=10)
    (run,) = runs(tmp_path, data)
    assert run.submitted == 10
    assert run.notes[0] == "The report holds 1 of the 10 outputs judged."
    assert "the file states 0.444" in run.notes[1]
    assert run.settings is not None
    assert run.settings["eval.d.D.passed"] == 5


def test_rule_7_the_language_is_said_where_all_prompts_are_in_it(tmp_path: Path) -> None:
    (run,) = runs(tmp_path / "one", garak_report(garak_attempt(0, 1.0)))
    assert run.language == "en"
    french = {"turns": [{"role": "user", "content": {"text": "oui", "lang": "fr"}}]}
    (run,) = runs(
        tmp_path / "two",
        garak_report(garak_attempt(0, 1.0), garak_attempt(1, 0.0, prompt=french)),
    )
    assert run.language is None
    assert "The prompts are in en, fr" in run.notes[0]


@pytest.mark.parametrize("indent", [None, 2])
def test_rule_8_a_digest_alone_gives_probes_without_samples(
    indent: int | None, tmp_path: Path
) -> None:
    digest = {
        "entry_type": "digest",
        "meta": {"garak_version": "0.11", "setup": {"plugins.model_type": "test.Repeat"}},
        "eval": {
            "dan": {"_summary": {}, "dan.D": {"_summary": {}, "d.D": {"absolute_score": 0.7}}}
        },
    }
    (run,) = runs(tmp_path, json.dumps(digest, indent=indent).encode())
    assert (run.model, run.task, run.submitted) == ("test.Repeat", "dan.D", None)
    assert run.settings is not None
    assert run.settings["eval.d.D.absolute_score"] == 0.7
    assert run.notes == ("The report holds no attempt of this probe.",)


def test_rule_6_older_evals_without_what_passed(tmp_path: Path) -> None:
    data = lines({"entry_type": "eval", "probe": "a", "detector": "d", "fails": 5, "total": 10})
    (run,) = runs(tmp_path, data)
    assert (run.submitted, run.model) == (10, "unknown")


def test_a_real_report_keeps_its_counts() -> None:
    (run,) = garak.read(fixture("garak/with-ci.report.jsonl"))
    assert (run.submitted, tally(run.samples).samples, run.language) == (50, 4, "en")
    assert run.settings is not None
    assert run.settings["eval.always.Pass.confidence_upper"] == 0.38
    assert "4 of the 50" in run.notes[0]


HEAD = lines({"entry_type": "init", "garak_version": "1"})
BROKEN = {
    "truncated": (HEAD + b'{"entry_type": "att', ":2", "is no JSON"),
    "no attempt": (HEAD, REPORT, "no attempt and no eval"),
    "no kind": (HEAD + b"{}\n", ":2", "no entry_type"),
    "a list": (HEAD + b"[]\n", ":2", "no entry_type"),
    "no probe": (HEAD + lines({"entry_type": "attempt"}), ":2", "no probe or no uuid"),
    "no detector": (HEAD + lines({"entry_type": "eval", "probe": "a"}), ":2", "no detector"),
    "attempt twice": (HEAD + lines(garak_attempt(0, 1.0)) * 2, ":3", "the attempt '00000000-0000'"),
    "eval twice": (
        HEAD + lines({"entry_type": "eval", "probe": "a", "detector": "b"}) * 2,
        ":3",
        "eval of a by b twice",
    ),
    "deep": (HEAD + b"[" * 100_000, ":2", "nested too deep"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_reports_are_refused_by_line(case: str, tmp_path: Path) -> None:
    data, where, what = BROKEN[case]
    path = write(tmp_path, a__report__jsonl=data) / REPORT
    with pytest.raises(InputError, match=what) as caught:
        list(garak.read(path))
    assert str(caught.value.where).endswith(where)


def test_numbers_that_are_none_are_unparsed(tmp_path: Path) -> None:
    scores: list[Any] = [float("nan"), "x"]
    (run,) = runs(tmp_path, garak_report(garak_attempt(0, *scores), passed=0, total_evaluated=0))
    assert {score.status for s in run.samples() for score in s.scores} == {"unparsed"}
