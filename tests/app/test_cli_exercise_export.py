# SPDX-License-Identifier: Apache-2.0
"""``exercise export``: a log, or what labs revealed, as records of another project."""

import json
import shutil
from pathlib import Path

import pytest
from command_line import countermark, done, statement
from exercise_finished import FinishedExercise
from other_tools import TABLE, lines, lm_eval_results, lm_eval_sample, write, write_helm

from countermark.app.cli.reading import read_record
from countermark.records.evidence import Evidence

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
    assert "Left out: other: no sample of it has a score" in ran.err


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


def evidence_words(record: Path, out: Path) -> tuple[object, ...]:
    form = ("--to", "every-eval-ever", "--at", "2026-11-29", "-o", out)
    return ("--protocol", statement(record, "protocol"), *form)


def test_a_public_record_and_a_node_give_the_same_records(
    record: Path, finished_exercise: FinishedExercise, tmp_path: Path
) -> None:
    out, again = tmp_path / "out", tmp_path / "again"
    ran = done("exercise", "export", record, *evidence_words(record, out), "--json")
    finished_exercise.copy(tmp_path / "exercise")
    node = tmp_path / "exercise" / "nodes" / "GB"
    done("exercise", "export", "--node", node, *evidence_words(record, again))
    files = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert len(files) == len(ran.value["files"]) > 0
    assert files == {
        path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()
    }
    told = json.loads(next(data for path, data in files.items() if path.suffix == ".json"))
    digest = told["source_metadata"]["additional_details"]["statement"]
    shown = (record / "statements").glob("evidence-*")
    assert digest in {read_record(Evidence, path).digest for path in shown}
    ran = done("exercise", "read", *(out / path for path in files if path.suffix == ".json"))
    assert "note:" not in ran.out


def test_a_changed_statement_of_a_record_stops_the_export(record: Path, tmp_path: Path) -> None:
    copy = tmp_path / "record"
    shutil.copytree(record, copy)
    evidence = statement(copy, "evidence")
    evidence.write_bytes(evidence.read_bytes()[:-9] + b"A" + evidence.read_bytes()[-8:])
    ran = countermark("exercise", "export", copy, *evidence_words(record, tmp_path / "out"))
    assert ran.code == 5
    assert evidence.name in ran.err
    assert not (tmp_path / "out").exists()


def test_words_that_do_not_fit_together_are_refused(record: Path, tmp_path: Path) -> None:
    asked = evidence_words(record, tmp_path / "out")
    for words in (
        (record, *WORDS, "-o", tmp_path / "out"),
        (record, *asked, "--organisation", "Kenya AISI"),
        (record, "--node", tmp_path, *asked),
        asked,
        asked[2:],
    ):
        ran = countermark("exercise", "export", *words)
        assert (ran.code, "Next" in ran.err or "Usage" in ran.err) == (2, True), ran
    assert not (tmp_path / "out").exists()
