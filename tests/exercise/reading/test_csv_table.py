# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/reading/csv_table.py``, by their numbers."""

import re
from pathlib import Path

import pytest
from other_tools import TABLE

from countermark.exercise.reading import csv_table
from countermark.exercise.reading.documents import read_start, tally
from countermark.exercise.reading.found import FoundRun, FoundSample
from countermark.records.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


def runs(folder: Path, table: bytes | str) -> list[FoundRun]:
    path = folder / "a.csv"
    path.write_bytes(table if isinstance(table, bytes) else table.encode())
    assert csv_table.recognises(path, read_start(path))
    return list(csv_table.read(path))


def samples(folder: Path, table: str) -> list[FoundSample]:
    (run,) = runs(folder, table)
    return list(run.samples())


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_rules_1_and_8_separators_marks_and_ends(
    separator: str, mark: bytes, end: bytes, tmp_path: Path
) -> None:
    table = mark + TABLE.replace(b",", separator.encode()).replace(b"\n", end)
    (run,) = runs(tmp_path, table)
    assert (run.model, run.task, run.language, run.submitted) == ("m", "t", "fr", 2)
    assert tally(run.samples).means == {"score": 0.5}
    assert [m.text for s in run.samples() for m in s.messages] == ["oui", "non"]


def test_rule_1_names_are_read_without_capitals_and_others_are_kept(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, "Model, Task ,ITEM,Risk\nm,t,a,fraud\n")
    (sample,) = run.samples()
    assert sample.metadata == {"risk": "fraud"}
    assert run.notes == (
        "Columns kept as metadata: risk.",
        "The table has no column of scores.",
    )


def test_rule_2_a_file_holds_many_runs(tmp_path: Path) -> None:
    table = (
        "lab,model,task,language,item,score\nA,m,t,fr,a,1\nB,m,t,fr,a,0\nA,m,t,,a,1\nA,m,t,fr,b,0\n"
    )
    found = runs(tmp_path, table)
    assert [(run.settings, run.language, run.submitted) for run in found] == [
        ({"lab": "A"}, "fr", 2),
        ({"lab": "B"}, "fr", 1),
        ({"lab": "A"}, None, 1),
    ]


def test_rule_3_with_a_scorer_each_row_is_a_score(tmp_path: Path) -> None:
    table = (
        "model,task,item,epoch,scorer,score\nm,t,a,1,x,1\nm,t,b,,x,0\nm,t,a,,y,0.5\nm,t,a,2,x,0\n"
    )
    found = samples(tmp_path, table)
    assert [(s.item, s.epoch) for s in found] == [("a", 1), ("b", 1), ("a", 2)]
    assert [(c.scorer, c.value) for c in found[0].scores] == [("x", 1.0), ("y", 0.5)]


def test_rule_4_several_columns_of_scores(tmp_path: Path) -> None:
    (sample,) = samples(tmp_path, "model,task,item,score:x,score:y\nm,t,a,1,\n")
    assert [(c.scorer, c.status) for c in sample.scores] == [("x", "scored"), ("y", "unparsed")]


@pytest.mark.parametrize(
    ("word", "status", "value"),
    [
        ("0.25", "scored", 0.25),
        ("-1", "scored", -1.0),
        (".5", "scored", 0.5),
        ("1e-3", "scored", 0.001),
        ("TRUE", "scored", 1.0),
        ("false", "scored", 0.0),
        ("", "unparsed", None),
        ("NaN", "unparsed", None),
        ("n/a", "unparsed", None),
        ("not attempted", "not-attempted", None),
    ],
)
def test_rule_5_scores(word: str, status: str, value: float | None, tmp_path: Path) -> None:
    (sample,) = samples(tmp_path, f"model,task,item,score\nm,t,a,{word}\n")
    assert (sample.scores[0].status, sample.scores[0].value) == (status, value)


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_rule_5_a_decimal_comma_is_refused(separator: str, tmp_path: Path) -> None:
    rows = ["model,task,item,score".replace(",", separator)]
    quoted = '"0,5"' if separator == "," else "0,5"
    rows.append(separator.join(["m", "t", "a", quoted]))
    with pytest.raises(InputError, match="'0,5': a comma may be decimal or not") as caught:
        runs(tmp_path, "\n".join(rows))
    assert str(caught.value.where).endswith("a.csv:2, column score")
    assert "0.5" in caught.value.next_step


@pytest.mark.parametrize(
    ("outcome", "error", "score", "found", "status"),
    [
        ("", "", "1", "answered", "scored"),
        ("", "timeout", "", "errored", "not-attempted"),
        ("Answered", "", "", "answered", "unparsed"),
        ("refused", "", "1", "refused", "not-attempted"),
        ("missing", "", "n/a", "missing", "not-attempted"),
    ],
)
def test_rule_6_outcomes(
    outcome: str, error: str, score: str, found: str, status: str, tmp_path: Path
) -> None:
    table = f"model,task,item,outcome,error,score\nm,t,a,{outcome},{error},{score}\n"
    (sample,) = samples(tmp_path, table)
    assert (sample.outcome, sample.scores[0].status) == (found, status)


def test_rule_7_what_else_is_said_of_a_sample(tmp_path: Path) -> None:
    table = (
        "model,task,item,prompt,answer,target,seconds,input_tokens,output_tokens,submitted\n"
        'm,t,a,"2+2,\nplease"," four ",4,0.5,7,1,3\n'
    )
    (run,) = runs(tmp_path, table)
    (sample,) = run.samples()
    assert [m.text for m in sample.messages] == ["2+2,\nplease", " four "]
    assert sample.target == "4"
    assert sample.usage is not None
    assert (sample.usage.seconds, sample.usage.input_tokens) == (0.5, 7)
    assert run.submitted == 3
    assert "The table holds 1 of 3 samples." in run.notes


@pytest.mark.parametrize(
    "table",
    [
        "model|task|item|score\nm|t|a|1\n",
        "sep=;\nmodel;task;item;score\nm;t;a;1\n",
        "\ufeffsep=,\r\nmodel,task,item,score\r\nm,t,a,1\r\n,,,\r\n , ,,\r\n",
        "model,task,item,epoch,submitted,score\nm,t,a,1.0,1.00,1\n",
    ],
)
def test_rule_8_what_spreadsheets_write_is_read(table: str, tmp_path: Path) -> None:
    (run,) = runs(tmp_path, table)
    (sample,) = run.samples()
    assert (sample.item, sample.epoch, sample.scores[0].value) == ("a", 1, 1.0)
    assert run.submitted == 1


HEAD = "model,task,item,score\n"
BROKEN: dict[str, tuple[bytes | str, str, str]] = {
    "empty": (b"", "a.csv", "is empty"),
    "blank": (b"\n\n", "a.csv", "is empty"),
    "no rows": (HEAD.encode(), "a.csv", "no row beside"),
    "no model": (b"task,item\nt,a\n", ":1", "no column model"),
    "column twice": (b"model,task,item,item\n", ":1", "the column 'item' twice"),
    "nameless column": (b"model,task,item,\n", ":1", "a column without a name"),
    "two ways": (b"model,task,item,scorer,score:x\n", ":1", "a column scorer and columns"),
    "no item": (HEAD.encode() + b"m,t,,1\n", ":2", "has no item"),
    "few fields": (HEAD.encode() + b"m,t,a\n", ":2", "has 3 fields where the first row has 4"),
    "many fields": (HEAD.encode() + b"m,t,a,0,5\n", ":2", "has 5 fields"),
    "a word": (HEAD.encode() + b"m,t,a,C\n", ":2, column score", "'C', which is no number"),
    "infinite": (HEAD.encode() + b"m,t,a,1e999\n", "score", "which is no number"),
    "arabic digits": (HEAD + "m,t,a,\u0661\n", "score", "which is no number"),
    "twice": (HEAD.encode() + b"m,t,a,1\nm,t,b,1\nm,t,a,0\n", ":4", "the sample 'a epoch 1' twice"),
    "epoch 0": (b"model,task,item,epoch\nm,t,a,0\n", ":2", "epochs count from 1"),
    "epoch": (b"model,task,item,epoch\nm,t,a,x\n", ":2", "'x' in column epoch"),
    "outcome": (b"model,task,item,outcome\nm,t,a,ok\n", ":2", "the outcome 'ok'"),
    "errored with a score": (
        b"model,task,item,outcome,score\nm,t,a,errored,1\n",
        ":2, column score",
        "a score for a sample that is errored",
    ),
    "language": (b"model,task,item,language\nm,t,a,jp\n", ":2, column language", "jp"),
    "submitted": (b"model,task,item,submitted\nm,t,a,2\nm,t,b,3\n", ":3", "another number"),
    "too few submitted": (b"model,task,item,submitted\nm,t,a,1\nm,t,b,1\n", "a.csv", "holds 2"),
    "seconds": (b"model,task,item,seconds\nm,t,a,fast\n", ":2", "'fast' in column seconds"),
    "open quote": (HEAD.encode() + b'm,t,"a,1\n' + b"x\n" * 9, ":2", "is no row of a table"),
    "stray quote": (HEAD.encode() + b'm,t,"a"b"",1\n', ":2", "is no row of a table"),
    "utf-16": ("model,task,item\nm,t,a\n".encode("utf-16"), ":1", "is not UTF-8"),
    "latin-1": (HEAD.encode() + b"m,t,\xe9,1\n", ":2", "is not UTF-8 .byte 4"),
    "old line ends": (b"model,task,item\rm,t,a\r", ":1", "a carriage return alone"),
    "zero byte": (HEAD.encode() + b"m,t,a\0,1\n", ":2", "holds a zero byte"),
    "two answers": (
        b"model,task,item,scorer,score,answer\nm,t,a,x,1,yes\nm,t,a,y,1,no\n",
        ":3",
        "another outcome or answer than line 2",
    ),
    "scorer twice": (
        b"model,task,item,scorer,score\nm,t,a,x,1\nm,t,a,x,0\n",
        ":3",
        "scores sample 'a' twice",
    ),
    "columns": (b"model,task,item" + b",x" * 2000, ":1", "has 2,003 columns"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_tables_are_refused_by_line(case: str, tmp_path: Path) -> None:
    data, where, what = BROKEN[case]
    path = tmp_path / "a.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(InputError, match=what) as caught:
        list(csv_table.read(path))
    assert str(caught.value.where).endswith(where)


def test_the_documentation_lists_every_column() -> None:
    text = (ROOT / "docs/logs-tools.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z_:A-Z]+)` \|", text, re.MULTILINE)
    assert listed == [*csv_table.COLUMNS[:9], "score:NAME", *csv_table.COLUMNS[9:]]
