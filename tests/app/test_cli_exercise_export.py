# SPDX-License-Identifier: Apache-2.0
"""``exercise export``: a log of any tool as records of another project."""

import json
from pathlib import Path

import pytest
from command_line import countermark, done
from other_tools import TABLE, lines, lm_eval_results, lm_eval_sample, write, write_helm

WORDS = ("--to", "every-eval-ever", "--organisation", "Kenya AISI", "--at", "2026-01-02")


def test_a_table_becomes_a_record_with_its_samples(tmp_path: Path) -> None:
    log = write(tmp_path, a__csv=TABLE) / "a.csv"
    ran = done("exercise", "export", log, *WORDS, "-o", tmp_path / "out", "--json")
    samples, record = map(Path, ran.value["files"])
    told = json.loads(record.read_bytes())
    assert told["evaluation_results"][0]["score_details"]["score"] == 0.5
    assert str(samples).endswith(told["detailed_evaluation_results"]["file_path"])
    again = done("exercise", "export", log, *WORDS, "-o", tmp_path / "again", "--json")
    assert [Path(f).read_bytes() for f in again.value["files"]] == [
        samples.read_bytes(),
        record.read_bytes(),
    ]


def test_a_folder_is_a_log_too(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done("exercise", "export", write_helm(tmp_path / "run"), *WORDS, "-o", out)
    assert len(list(out.rglob("*.json"))) == 1


def test_a_run_without_scores_is_named(tmp_path: Path) -> None:
    results = lm_eval_results()
    results["results"]["other"] = {"acc,none": 1.0}
    write(tmp_path, results__json=results, samples_sums__jsonl=lines(lm_eval_sample(0, 1.0)))
    ran = done("exercise", "export", tmp_path / "results.json", *WORDS, "-o", tmp_path / "out")
    assert "Left out, for no sample of it has a score: other" in ran.err


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"model,task,item,score\nm,t,a,1\nm,t,b,0,5\n", ":3: has 5 fields"),
        (b"nothing of ours", "is no log of a tool that is known"),
        (b"model,task,item\nm,t,a\n", "has no score of any sample"),
    ],
)
def test_a_broken_log_leaves_nothing_behind(data: bytes, what: str, tmp_path: Path) -> None:
    log = write(tmp_path, a__csv=data) / "a.csv"
    ran = countermark("exercise", "export", log, *WORDS, "-o", tmp_path / "out")
    assert ran.code == 1
    assert what in ran.err
    assert not (tmp_path / "out").exists()
