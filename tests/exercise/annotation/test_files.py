# SPDX-License-Identifier: Apache-2.0
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from annotation_desk import BATCH, LANGUAGES, TASK, Office, open_office, plain_answers

from countermark.exercise.annotation.desk import Refused
from countermark.exercise.annotation.files import COLUMNS, SheetFile, sheets_for, take_sheet
from countermark.records.errors import InputError, StateError
from countermark.records.protocol import Protocol

HOSTILE = [
    "=HYPERLINK(\"http://x\",\"y\")", "+1", "-1+cmd|' /C calc'!A0", "@SUM(1)", "\tTab", "'quoted",
    "\u202eright", "two\nlines, and a comma; \"quotes\"", "", "\u0000nul", "ends\r\nhere",
]  # fmt: skip
PROTOCOL = cast("Protocol", SimpleNamespace(digest=BATCH, name="exercise"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(tmp_path / "node", [("en", f"Asked {i}", t) for i, t in enumerate(HOSTILE)])


def sheet(office: Office, name: str = "rater-1") -> SheetFile:
    (found,) = sheets_for(office.node, PROTOCOL, name)
    return found


def rows(found: SheetFile) -> list[list[str]]:
    return list(csv.reader(io.StringIO(found.csv.decode("utf-8-sig"), newline="")))


def written(table: list[list[str]], delimiter: str = ",") -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows(table)
    return buffer.getvalue().encode()


def labelled(office: Office, label: str = "yes") -> list[list[str]]:
    head, *others = rows(sheet(office))
    return [head, *([*row[:3], label] for row in others)]


def take(office: Office, data: bytes, file: str = "s.csv", **options: bool) -> int:
    return take_sheet(office.node, PROTOCOL, "rater-1", data, file, **options)


def nothing_kept(office: Office) -> bool:
    return all("rater-1" not in said for said in office.part().labels.values())


def test_rule_1_a_sheet_names_no_lab_and_both_forms_say_the_same(office: Office) -> None:
    found = sheet(office)
    assert found.name == f"rater-1.{TASK}.en"
    lines = [json.loads(line) for line in found.jsonl.splitlines()]
    assert tuple(rows(found)[0]) == COLUMNS
    assert [row[0] for row in rows(found)[1:]] == [line["id"] for line in lines]
    assert b"nairobi" not in found.csv + found.jsonl
    assert "[U+202E]right" in {line["answer"] for line in lines}


def test_rule_2_no_cell_is_computed_by_a_spreadsheet(office: Office) -> None:
    for row in rows(sheet(office))[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    assert {row[2] for row in rows(sheet(office))} >= {'\'=HYPERLINK("http://x","y")', "''quoted"}


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_filled_sheet_comes_back_whole(office: Office, delimiter: str) -> None:
    assert take(office, written(labelled(office), delimiter)) == len(HOSTILE)
    assert not nothing_kept(office)
    assert {row[3] for row in rows(sheet(office))[1:]} == {"yes"}
    assert rows(sheet(office, "rater-2"))[1][3] == ""


def test_the_other_form_comes_back_too(office: Office) -> None:
    lines = [json.loads(line) for line in sheet(office).jsonl.splitlines()]
    data = "\n".join(json.dumps({**line, "label": "No "}) for line in lines).encode()
    assert take(office, data, "s.jsonl", submit=True) == len(HOSTILE)
    assert office.part().submitted == {"rater-1"}


FAULTS: dict[str, tuple[Callable[[list[list[str]]], None], str]] = {
    "unknown": (lambda t: t[2].__setitem__(0, "f" * 16), "is no answer of this exercise"),
    "twice": (lambda t: t.append(list(t[1])), "comes twice"),
    "answer": (lambda t: t[3].__setitem__(2, "mine"), "has a changed answer"),
    "question": (lambda t: t[3].__setitem__(1, "mine"), "has a changed question"),
    "label": (lambda t: t[4].__setitem__(3, "perhaps"), "has the label 'perhaps'"),
    "column": (lambda t: t[1].append("more"), "has 5 cells"),
    "head": (lambda t: t[0].reverse(), "has other columns"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_rule_3_a_sheet_is_taken_whole_or_not_at_all(office: Office, name: str) -> None:
    table = labelled(office)
    spoil, words = FAULTS[name]
    spoil(table)
    with pytest.raises(InputError, match=words) as caught:
        take(office, written(table))
    assert str(caught.value.where).startswith("s.csv:")
    if name in {"unknown", "twice", "answer", "question", "label"}:
        assert any(row[0] in str(caught.value) for row in table[1:])
    assert nothing_kept(office)


@pytest.mark.parametrize(
    ("data", "file"),
    [
        (b"\xff\xfe", "s.csv"),
        (b'id,question,answer,label\n"open', "s.csv"),
        (b'{"id": "a"}', "s.jsonl"),
        (b'{"id": 1, "question": "", "answer": "", "label": ""}', "s.jsonl"),
        (b"not json", "s.jsonl"),
    ],
)
def test_rule_3_what_is_no_sheet_is_refused(office: Office, data: bytes, file: str) -> None:
    with pytest.raises(InputError):
        take(office, data, file)
    assert nothing_kept(office)


def test_rule_3_an_empty_label_is_none_yet(office: Office) -> None:
    table = labelled(office)
    table[1][3] = ""
    assert take(office, written(table)) == len(HOSTILE) - 1
    with pytest.raises(StateError, match="still lacks 1"):
        take(office, written(table), submit=True)


def test_rule_4_a_later_sheet_replaces_until_the_part_is_handed_in(office: Office) -> None:
    take(office, written(labelled(office, "yes")))
    take(office, written(labelled(office, "no")), submit=True)
    assert {row[3] for row in rows(sheet(office))[1:]} == {"no"}
    with pytest.raises(Refused) as caught:
        take(office, written(labelled(office, "yes")))
    assert caught.value.permission.rule == 6
    assert {row[3] for row in rows(sheet(office))[1:]} == {"no"}


def test_a_sheet_of_another_language_is_not_this_raters(tmp_path: Path) -> None:
    answers = [one for language in LANGUAGES for one in plain_answers(2, language)]
    office = open_office(tmp_path / "node", answers)
    office.invite("farsi", "annotator", ["fa"])
    english = next(one for one in sheets_for(office.node, PROTOCOL, "rater-1") if "en" in one.name)
    with pytest.raises(Refused):
        take_sheet(office.node, PROTOCOL, "farsi", english.csv, "s.csv")
    for name in ("third", "nobody"):
        with pytest.raises(InputError, match="has no rater called"):
            sheets_for(office.node, PROTOCOL, name)
