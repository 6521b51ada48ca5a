# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
from exercise_zip import HEADER, honest, zip_of
from other_tools import (
    eee_record,
    eee_row,
    lines,
    lm_eval_results,
    lm_eval_sample,
    write,
    write_helm,
)

from countermark.exercise.reading.detect import FORMATS, MOST_FILES, find_logs, read_runs
from countermark.records.errors import InputError


@pytest.mark.parametrize("name", ["a.eval", "a.zip", "a.json", "a"])
def test_rule_1_contents_tell_the_format(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(json.dumps(HEADER).encode() if "." not in name else zip_of(honest()))
    (run,) = read_runs(path)
    assert (run.tool, run.model) == ("inspect", "m")


@pytest.mark.parametrize("contents", [b"", b"{}", b"PK", b"\xff" * 9, b"[" * 100_000, b"a,b\n1,2"])
def test_rule_2_recognising_raises_nothing(contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(contents)
    for one in FORMATS:
        assert one.recognises(path, contents) in {True, False}
        assert one.together(path) in {path, tmp_path}


def test_rule_3_what_nobody_recognises_is_refused_with_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    for path, words in (
        (tmp_path / "a.txt", "no log of a tool"),
        (tmp_path, "holds no log of a tool"),
        (tmp_path / "absent", "cannot be read"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            list(read_runs(path))
        assert caught.value.where == str(path)
    with pytest.raises(InputError) as caught:
        list(read_runs(tmp_path))
    assert all(one.name in caught.value.next_step for one in FORMATS)


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"\x1f\x8b\x08", "packed with gzip"),
        (b"SQLite format 3\0", "is a database"),
        (json.dumps({"a.eval": HEADER}).encode(), "is a list of Inspect logs"),
        ("model,item".encode("utf-16"), "is text in UTF-16"),
        (b"model;task;prompt_id;score\nm;t;1;0\n", "without a column item"),
        (lines({"goal": "", "attempt_id": "1", "probe": "a", "detector": "b"}), "hit log of garak"),
        (b'{"config_general": {"lighteval_sha": "?"}, "results": {}}', "of lighteval"),
        (b'{"name": "a", "description": "b", "examples": []}', "no result"),
    ],
)
def test_rule_3_what_is_nearly_a_log_is_refused_with_what_to_give(
    contents: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(contents)
    with pytest.raises(InputError, match=words) as caught:
        list(read_runs(tmp_path / "a"))
    assert "These are read" not in caught.value.next_step


def test_rule_4_a_folder_of_many_runs_gives_each_once(tmp_path: Path) -> None:
    for suite in ("one", "two"):
        write_helm(tmp_path / "runs" / "v1" / suite)
    write(tmp_path / "out" / "org__m", results__json=lm_eval_results(),
          samples_sums__jsonl=lines(lm_eval_sample(0, 1.0), lm_eval_sample(1, 0.0)))  # fmt: skip
    write(tmp_path / "eee", a__json=eee_record(), a_samples__jsonl=lines(eee_row("1", 1.0)))
    (tmp_path / "b.eval").write_bytes(zip_of(honest()))
    (tmp_path / "c.txt").write_text("words")
    (tmp_path / ".hidden.eval").write_text("words")
    (tmp_path / "linked").symlink_to(tmp_path / "out")
    (tmp_path / "linked.eval").symlink_to(tmp_path / "b.eval")
    logs = find_logs(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for _, path in logs.paths] == [
        "b.eval", "eee/a.json", "out/org__m", "runs/v1/one", "runs/v1/two",
    ]  # fmt: skip
    assert [path.name for path in logs.passed] == ["c.txt", "linked.eval"]
    assert [run.tool for run in logs.runs()] == [
        "inspect", "every-eval-ever", "lm-evaluation-harness", "helm", "helm",
    ]  # fmt: skip


def test_rule_4_several_dates_of_one_folder_are_runs_of_their_own(tmp_path: Path) -> None:
    for day, score in (("2025-01-01T00-00-00.5", 1.0), ("2025-01-02T00-00-00.5", 0.0)):
        (tmp_path / f"mine_{day}.json").write_text(json.dumps(lm_eval_results()))
        (tmp_path / f"samples_sums_{day}.jsonl").write_bytes(lines(lm_eval_sample(0, score)))
    first, second = read_runs(tmp_path)
    assert [next(run.samples()).scores[0].value for run in (first, second)] == [1.0, 0.0]


def test_rule_4_a_folder_that_holds_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("countermark.exercise.reading.detect.MOST_FILES", 1)
    for name in "ab":
        (tmp_path / name).write_text("words")
    with pytest.raises(InputError, match="more than 1 files"):
        find_logs(tmp_path)
    assert MOST_FILES > 1
