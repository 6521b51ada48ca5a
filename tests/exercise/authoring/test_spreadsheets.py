# SPDX-License-Identifier: Apache-2.0
import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.authoring.lines import ItemLine, LabelledLine, read_lines
from countermark.records.errors import InputError

HEAD = "key,role,approach,prompt"
ROW = "a,test,direct,Why?"
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), min_size=1, max_size=40
).filter(lambda text: text.strip())


def lines(folder: Path, data: str | bytes) -> list[ItemLine]:
    path = folder / "t.en.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return [placed.line for placed in read_lines(ItemLine, path).values()]


def refused(folder: Path, data: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        lines(folder, data)
    return caught.value


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rule_1_a_byte_order_mark_and_line_ends_do_not_matter(
    tmp_path: Path, start: bytes, end: str
) -> None:
    (line,) = lines(tmp_path, start + end.join([HEAD, ROW, ""]).encode())
    assert line == ItemLine(key="a", role="test", approach="direct", prompt="Why?")


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (f"{HEAD}\n{ROW}\nb,test,direct,\xff".encode("latin-1"), ":3", "not UTF-8"),
        (f'{HEAD}\n{ROW}\nb,test,direct,"open', ":3", "not CSV"),
        (f'{HEAD}\nb,test,direct,"a"b', ":2", "not CSV"),
        (f'{HEAD}\n"b","test","direct","two\nlines"\nc,test', ":4", "2 cells where there are 4"),
        (f"{HEAD}\n{ROW},more", ":2", "5 cells"),
        (f"{HEAD}\nb,test,direct,{'x' * 200_000}", ":2", "not CSV"),
    ],
)
def test_rules_1_and_3_what_is_no_such_csv_names_the_line_on_which_the_row_begins(
    tmp_path: Path, data: str | bytes, where: str, what: str
) -> None:
    error = refused(tmp_path, data)
    assert (error.where or "").endswith(f"t.en.csv{where}")
    assert what in error.what


@pytest.mark.parametrize(
    ("head", "what"),
    [
        ("key;role;approach;prompt", "'key;role;approach;prompt'"),
        ("key,role,approach,promt", "'promt'"),
        ("key,role,key,prompt", "'key' twice"),
        ("", "column None"),
        ("key,role,approach,prompt,translation", "'translation'"),
    ],
)
def test_rule_2_the_columns_are_the_fields(tmp_path: Path, head: str, what: str) -> None:
    error = refused(tmp_path, f"{head}\n{ROW}\n" if head else "")
    assert what in error.what
    assert (error.where or "").endswith(":1")


def test_rule_2_columns_come_in_any_order_and_reach_inside(tmp_path: Path) -> None:
    head = "translation.reviewed_by,prompt,key,translation.by,approach,role,translation.status"
    (line,) = lines(tmp_path, f"{head}\nA; B ;,Why?,a,m 1,direct,test,machine")
    assert line.translation is not None
    assert line.translation.status == "machine"
    assert line.translation.reviewed_by == ("A", "B")


def test_rule_3_an_empty_cell_is_an_absent_field_and_an_empty_row_nothing(tmp_path: Path) -> None:
    data = f"{HEAD},expected,private,translation.status\n{ROW},,,\n,,,,,,\n\n"
    assert lines(tmp_path, data) == [
        ItemLine(key="a", role="test", approach="direct", prompt="Why?")
    ]
    error = refused(tmp_path, f"{HEAD}\na,,direct,Why?")
    assert "'role' of 'a'" in error.what


def test_rule_4_yes_or_no_is_true_or_false(tmp_path: Path) -> None:
    assert [
        line.private for line in lines(tmp_path, f"{HEAD},private\n{ROW},TRUE\nb,test,d,?,false")
    ] == [True, False]
    assert "'yes' in private" in refused(tmp_path, f"{HEAD},private\n{ROW},yes").what


def test_rule_4_labels_are_true_or_false(tmp_path: Path) -> None:
    path = tmp_path / "t.en.csv"
    path.write_text("key,prompt,answer,label\na,Why?,No.,True\n")
    assert read_lines(LabelledLine, path)["a"].line.label is True


def test_rule_5_a_line_break_is_a_line_feed(tmp_path: Path) -> None:
    (line,) = lines(tmp_path, f'{HEAD}\r\na,test,direct,"one\r\ntwo\rthree"\r\n')
    assert line.prompt == "one\ntwo\nthree"


@given(prompts=st.lists(texts, min_size=1, max_size=5), expected=texts)
def test_csv_says_what_a_line_of_json_says(
    tmp_path_factory: pytest.TempPathFactory, prompts: list[str], expected: str
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    rows = [
        {"key": f"k{n}", "role": "test", "approach": "direct", "prompt": p, "expected": expected}
        for n, p in enumerate(prompts)
    ]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    path = folder / "t.en.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    assert lines(folder, out.getvalue()) == [
        placed.line for placed in read_lines(ItemLine, path).values()
    ]
