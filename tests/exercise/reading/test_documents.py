# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/reading/documents.py``, by their numbers."""

import os
import tracemalloc
from pathlib import Path

import pytest

from countermark.exercise.reading import documents
from countermark.exercise.reading.documents import (
    Keys,
    LineIndex,
    decode,
    read_document,
    read_lines,
    sibling,
)
from countermark.records.errors import InputError


def test_rule_1_a_huge_document_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(4 << 30)  # takes no room on the disk
    tracemalloc.start()
    with pytest.raises(InputError, match="is 4,294,967,296 bytes; at most 536,870,912"):
        read_document(path, "x")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("quoted", [False, True])
def test_rule_1_a_long_line_is_refused(
    quoted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_LINE_BYTES", 1000)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"1\n" + b'"' + b"x\n" * 900 if quoted else b"1\n" + b"x" * 1001)
    with pytest.raises(InputError, match="is longer than 1,000 bytes") as caught:
        list(read_lines(path, "x", quoted=quoted))
    assert str(caught.value.where).endswith(":2")


def test_rule_2_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, what in (("pipe", "is no file"), (".", "is no file"), ("none", "does not exist")):
        with pytest.raises(InputError, match=what):
            read_document(tmp_path / name, "x")
        with pytest.raises(InputError, match=what):
            list(read_lines(tmp_path / name, "x"))


def test_rule_2_no_link_beside_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").symlink_to("a")
    assert sibling(tmp_path / "x", "a", "x") == tmp_path / "a"
    assert sibling(tmp_path / "x", "c", "x") is None
    with pytest.raises(InputError, match="is a link"):
        sibling(tmp_path / "x", "b", "x")


def test_rule_3_words_that_are_no_json_stay_words() -> None:
    value = decode(b'{"a": NaN, "b": [Infinity, -Infinity], "c": 1.5}', "w", "x")
    assert value == {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": 1.5}


@pytest.mark.parametrize(
    "data", [b"", b"{", b'"\xff"', b'"\\ud800"', b'["\\ud800", NaN]', b"1e999", b"[NaN, " * 9999]
)
def test_rule_4_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"is no JSON|nested too deep"):
        decode(data, "w", "x")


def test_rule_5_lines_are_read_again_by_their_place(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b'one\r\n\n"two\n2"\n  \nthree')
    found = list(read_lines(path, "x", quoted=True))
    assert [(line.number, line.data) for line in found] == [
        (1, b"one"),
        (3, b'"two\n2"'),
        (6, b"three"),
    ]
    index = LineIndex()
    for line in found[1:]:
        index.add(line)
    assert list(index.lines(path, "x", quoted=True)) == found[1:]


def test_rule_5_a_key_that_comes_twice_is_found_however_far_apart() -> None:
    keys = Keys("the item")
    for number in range(200_000):
        keys.add(str(number), f"line {number}")
    keys.add("7", "the end")
    with pytest.raises(InputError, match="the item '7' twice") as caught:
        keys.close()
    assert caught.value.where == "the end"


def test_rule_5_keys_take_little_memory() -> None:
    tracemalloc.start()
    keys = Keys("the item")
    for number in range(300_000):
        keys.add(str(number), "w")
    keys.close()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 4 << 20
    assert peak < 40 << 20


def test_errors_do_not_repeat_the_input() -> None:
    with pytest.raises(InputError) as caught:
        documents.refuse("x" * 9999, "y" * 9999, "Do this or that.")
    assert len(str(caught.value)) < 800
