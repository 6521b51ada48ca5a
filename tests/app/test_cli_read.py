# SPDX-License-Identifier: Apache-2.0
"""``exercise read``: what is in a log, and that nothing broken is shown as whole."""

import json
from pathlib import Path

import pytest
from command_line import countermark
from exercise_zip import HEADER, SAMPLE, member, zip_of

FIELDS = {
    "file", "tool", "tool_version", "model", "task", "language", "status", "created", "settings",
    "samples", "submitted", "items", "epochs", "outcomes", "scores", "stated", "usage",
    "trajectory", "notes",
}  # fmt: skip


@pytest.fixture
def good(tmp_path: Path) -> Path:
    header = {**HEADER, "plan": {"config": {"temperature": 0.5}}, "results": {"total_samples": 3}}
    answer = {"role": "assistant", "content": "Hello"}
    scored = {**SAMPLE, "messages": [answer], "scores": {"match": {"value": "C"}}}
    failed = {**SAMPLE, "id": "b", "error": {"message": "no network"}}
    path = tmp_path / "good.eval"
    members = [
        member("header.json", header),
        member("samples/a_epoch_1.json", scored),
        member("samples/b_epoch_1.json", failed),
    ]
    path.write_bytes(zip_of(members))
    return path


def test_json_says_what_was_found(good: Path) -> None:
    ran = countermark("exercise", "read", good, "--json")
    assert ran.code == 0, ran.err
    (found,) = json.loads(ran.out)
    assert found.keys() == FIELDS
    assert (found["tool"], found["model"], found["task"]) == ("inspect", "m", "t")
    assert (found["submitted"], found["samples"]) == (3, 2)
    assert found["outcomes"] == {"answered": 1, "refused": 0, "errored": 1, "missing": 1}
    assert found["scores"] == {
        "match": {"scored": 1, "unparsed": 0, "not_attempted": 2, "mean": 1.0}
    }
    assert found["settings"]["generate.temperature"] == 0.5


def test_people_read_the_same(good: Path) -> None:
    ran = countermark("exercise", "read", good)
    assert ran.code == 0, ran.err
    assert "3 samples submitted, 2 in the log" in ran.out
    assert "1 answered, 0 refused, 1 errored, 1 missing" in ran.out
    assert "score match: mean 1 of 1 scored; 0 unparsed, 2 not attempted" in ran.out
    assert "generate.temperature = 0.5" in ran.out


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_one_broken_file_and_nothing_is_shown(
    good: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    cut, wrong = tmp_path / "cut.eval", tmp_path / "wrong.txt"
    cut.write_bytes(good.read_bytes()[:-40])
    wrong.write_text("words")
    ran = countermark("exercise", "read", good, cut, wrong, *options)
    assert (ran.code, ran.out) == (1, "")
    assert str(cut) in ran.err
    assert str(wrong) in ran.err
    assert "2 of 3 could not be read" in ran.err


def test_what_a_log_says_moves_no_cursor(good: Path) -> None:
    bad = member("header.json", {**HEADER, "eval": {**HEADER["eval"], "task": "\x1b[2Jt\nu"}})
    good.write_bytes(zip_of([bad]))
    ran = countermark("exercise", "read", good)
    assert ran.code == 0
    assert "\x1b" not in ran.out


def test_what_is_no_log_in_a_folder_is_passed_over_and_named(good: Path) -> None:
    (good.parent / "notes.txt").write_text("words")
    ran = countermark("exercise", "read", good.parent)
    assert ran.code == 0
    assert "3 samples submitted" in ran.out
    assert f"no logs: {good.parent / 'notes.txt'}" in ran.err


def test_what_a_log_states_is_told_apart_from_what_was_computed(tmp_path: Path) -> None:
    header = {**HEADER, "results": {
        "total_samples": 9,
        "scores": [{"name": "match", "scorer": "match", "metrics": {"accuracy": {"value": 0.25}}}],
    }}  # fmt: skip
    path = tmp_path / "bare.json"
    path.write_text(json.dumps(header))
    (found,) = json.loads(countermark("exercise", "read", path, "--json").out)
    assert (found["scores"], found["stated"]) == ({}, {"match/accuracy": 0.25})
    assert found["outcomes"]["missing"] == 9
    text = countermark("exercise", "read", path).out
    assert "stated by the file, not computed here: match/accuracy = 0.25" in text
