# SPDX-License-Identifier: Apache-2.0
"""Tables that are not as they should be are refused with file and line."""

from pathlib import Path

import pytest
from corpora import DOCUMENTS, PAIR_ROWS, UNCOUNTED, traced, write_corpus

from countermark.commitments import corpus_tables
from countermark.commitments.corpus import read_corpus
from countermark.commitments.corpus_tables import COUNTS, PAIRS, read_manifest, read_pairs
from countermark.records.errors import CountermarkError, InputError

HEADER = ",".join((*PAIRS, *COUNTS)).encode()


def refused(folder: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_corpus(folder)
    return caught.value


def test_a_table_that_is_missing(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert error.where == str(tmp_path / "corpus" / "manifest.csv")


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        (b"", "has no column provider", 1),
        (b"provider,v_i,v_next,traced\n", "has no column disclosure_regime", 1),
        (HEADER + b",v_i\n", "has the column v_i twice", 1),
        (HEADER + b"\nx,1,2\n", "has 3 cells", 2),
        (HEADER + b'\n"x,1,2,yes,none,,,,\n', "is not CSV", 2),
        (HEADER + b"\n" + b"x" * 131_073 + b",1,2,yes,none,,,,\n", "is not CSV", 2),
        (HEADER + b"\nx,1,\xff,yes,none,,,,\n", "is not UTF-8", 2),
    ],
    ids=["empty", "column", "twice", "cells", "quote", "long", "utf-8"],
)
def test_rules_1_and_2_the_form(tmp_path: Path, text: bytes, what: str, line: int) -> None:
    path = tmp_path / "pairs.csv"
    path.write_bytes(text)
    with pytest.raises(InputError, match=what) as caught:
        read_pairs(path)
    assert caught.value.where == f"{path}:{line}"


def test_rule_1_a_huge_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_tables, "MAX_BYTES", 100)
    write_corpus(tmp_path)
    with pytest.raises(CountermarkError, match="larger than") as caught:
        read_corpus(tmp_path)
    assert "manifest.csv" in str(caught.value)


def test_rule_1_too_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_tables, "MAX_ROWS", 2)
    error = refused(write_corpus(tmp_path))
    assert "more than 2 rows" in error.what


def test_rule_1_line_ends_of_another_system_and_long_cells(tmp_path: Path) -> None:
    row = (*DOCUMENTS[0][:5], "x" * 20_000, *DOCUMENTS[0][6:])
    path = write_corpus(tmp_path, documents=[row]) / "corpus" / "manifest.csv"
    ours = path.read_bytes()
    assert b"\r\n" in ours
    there = read_manifest(path)
    assert len(there[0].url) == 20_000
    path.write_bytes(ours.replace(b"\r\n", b"\n"))
    assert read_manifest(path) == there


def test_rule_1_a_byte_order_mark_is_no_column(tmp_path: Path) -> None:
    path = write_corpus(tmp_path) / "corpus" / "pairs.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_pairs(path)) == len(PAIR_ROWS)


@pytest.mark.parametrize("digest", ["a" * 63, "g" * 64, "sha256:" + "a" * 64])
def test_rule_3_a_bad_digest(tmp_path: Path, digest: str) -> None:
    row = (*DOCUMENTS[0][:6], digest, "na")
    error = refused(write_corpus(tmp_path, documents=[row]))
    assert "as sha256" in error.what
    assert str(error.where).endswith("manifest.csv:2")


def test_rule_3_a_bad_date(tmp_path: Path) -> None:
    row = (*DOCUMENTS[0][:4], "2025-02-30", *DOCUMENTS[0][5:])
    assert "as publication_date" in refused(write_corpus(tmp_path, documents=[row])).what


def test_rule_3_a_digest_may_be_unknown(tmp_path: Path) -> None:
    documents = read_manifest(write_corpus(tmp_path) / "corpus" / "manifest.csv")
    assert [one.digest for one in documents if one.companion] == [None]


def test_rule_4_a_row_that_is_there_twice(tmp_path: Path) -> None:
    error = refused(write_corpus(tmp_path, documents=[DOCUMENTS[0], DOCUMENTS[0]]))
    assert "is there twice" in error.what
    # The first row has a note of two lines.
    assert str(error.where).endswith("manifest.csv:4")


def test_rule_4_a_row_without_its_key(tmp_path: Path) -> None:
    error = refused(
        write_corpus(tmp_path, pairs=[("Example", "", "v2", "yes", "none", *UNCOUNTED)])
    )
    assert "has nothing as v_i" in error.what


@pytest.mark.parametrize(
    "codes",
    [
        {"outcome": "Q"},
        {"told": "QUIET"},
        {"material": "maybe"},
        {"told": "NA"},
        {"outcome": "R"},
        {"first": "QUIET"},
        {"first": "NA"},
        {"first_material": "maybe"},
    ],
    ids=[
        *("outcome", "announcement", "material", "material without status", "material retained"),
        *("first announcement", "first without status", "first material"),
    ],
)
def test_rule_5_codes(tmp_path: Path, codes: dict[str, str]) -> None:
    error = refused(write_corpus(tmp_path, rows=[traced(1), traced(2, **codes)]))
    assert str(error.where).endswith("tracing_FINAL.csv:4")


def test_rule_6_a_pair_that_was_not_traced_has_no_counts(tmp_path: Path) -> None:
    pairs = read_pairs(write_corpus(tmp_path) / "corpus" / "pairs.csv")
    assert [pair.counted is None for pair in pairs] == [not pair.traced for pair in pairs]


@pytest.mark.parametrize("count", ["", "-1", "1.0", "few", "٣"])
def test_rule_6_counts_that_are_none(tmp_path: Path, count: str) -> None:
    row = ("Example", "v1", "v2", "yes", "none", "4", count, "3", "0")
    error = refused(write_corpus(tmp_path, pairs=[row]))
    assert "as n_announced" in error.what
    assert str(error.where).endswith("pairs.csv:2")
