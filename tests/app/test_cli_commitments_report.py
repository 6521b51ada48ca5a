# SPDX-License-Identifier: Apache-2.0
"""``countermark commitments report``: an outline from files, as Markdown or JSON."""

from pathlib import Path

import pytest
from command_line import countermark, done
from reported_evidence import DECIDED, FOUND, FULL, determined

from countermark.records.base import Record


def kept(folder: Path, name: str, record: Record) -> Path:
    path = folder / f"{name}.json"
    path.write_bytes(record.to_bytes())
    return path


@pytest.fixture
def words(tmp_path: Path) -> list[object]:
    return [
        "--framework", kept(tmp_path, "f", FULL), "--finding", kept(tmp_path, "g", FOUND),
        "--decision", kept(tmp_path, "d", DECIDED),
        "--determination", kept(tmp_path, "t", determined()),
    ]  # fmt: skip


def test_a_report_is_markdown_on_stdout_and_the_count_is_talk(words: list[object]) -> None:
    ran = done("commitments", "report", "--for", "eu-code", *words)
    assert ran.out.startswith("# Safety and Security Model Report: outline\n")
    assert "- mitigation filter found in place on 2026-11-20" in ran.out
    assert FULL.digest in ran.out
    assert "in part" in ran.err


@pytest.mark.parametrize(("key", "fields"), [("eu-code", 21), ("sb53", 12), ("haip", 7)])
def test_each_report_as_json(words: list[object], key: str, fields: int) -> None:
    value = done("commitments", "report", "--for", key, *words, "--json").value
    assert (value["report"], value["model"], len(value["fields"])) == (key, "m", fields)
    assert value["legal_advice"] is False


def test_what_does_not_belong_together_is_refused(words: list[object], tmp_path: Path) -> None:
    other = kept(tmp_path, "other", determined(model="other"))
    ran = countermark("commitments", "report", "--for", "sb53", *words, "--determination", other)
    assert (ran.code, ran.out) == (1, "")
    assert "about 2 models" in ran.err
    ran = countermark("commitments", "report", "--for", "sb53", *words, "--finding", words[1])
    assert ran.code == 1
    assert "finding" in ran.err
    assert countermark("commitments", "report", "--for", "mars", *words).code == 2
