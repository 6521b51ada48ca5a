# SPDX-License-Identifier: Apache-2.0
"""Freezing, showing and comparing protocols by the command line."""

import json
from pathlib import Path

import pytest
from command_line import countermark, done
from documented_folder import documented_folder

from countermark.exercise import demonstration

SHIPPED = Path(demonstration.__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return documented_folder(tmp_path / "exercise")


@pytest.fixture
def frozen(folder: Path, tmp_path: Path) -> Path:
    out, private = tmp_path / "protocol.json", tmp_path / "private.json"
    done("protocol", "freeze", folder, "-o", out, "--private", private)
    return out


def test_freezing_private_content_says_where_it_is_kept(folder: Path, tmp_path: Path) -> None:
    out, private = tmp_path / "protocol.json", tmp_path / "private.json"
    ran = done("protocol", "freeze", folder, "-o", out, "-p", private)
    assert f"Wrote {private}" in ran.err
    assert "rival" not in out.read_text("utf-8")
    again = done("protocol", "freeze", folder, "-o", tmp_path / "again.json", "-p", private)
    assert again.out == ran.out
    assert (tmp_path / "again.json").read_bytes() == out.read_bytes()


def test_freezing_private_content_without_a_place_for_it_writes_nothing(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "protocol.json"
    ran = countermark("protocol", "freeze", folder, "-o", out)
    assert ran.code == 2
    assert "--private FILE" in ran.err
    assert not out.exists()


def test_show_tells_all_of_a_protocol(frozen: Path) -> None:
    shown = done("protocol", "show", frozen).out
    for words in (
        "a demonstration: no real institute stands behind it",
        "objective: Show what a protocol folder can hold.",
        "estimands: benchmark, generalised",
        "disclosure TLP:AMBER, to KR; nothing is published before 2026-06-01",
        "model model-a: Model A; pseudonymous, only a seal of it is public",
        "private: 1 of its items; only a seal of it is public",
        "en: written in this language (2 of 2 items)",
        "translated by B. Traductrice; read against the source by nobody (1 of 2 items)",
        "example-translator 1.2 (a program); read against the source by A. Lecteur (1 of 2 items)",
        "judge fraud-judge v1: openai/example-judge (example-judge-2025-01-01)",
        "10% judged 3 times",
        "2 raters, third-rater decides; guidelines in en",
        "precision: ±0.1 at 0.95, planned for a rate of 0.3",
        "with tools: bash, python; scaffold react; sandbox docker",
        "at most 30 messages, 20000 tokens, 600 seconds; 1 attempts",
        "sandbox files: for 1 items",
        "languages are compared with en, margin 0.1",
        "swap KE-nairobi: temperature = t03, in fraud-advice",
    ):
        assert words in shown
    assert "openai/example-model" not in shown


def test_show_says_that_each_seal_opens(frozen: Path, tmp_path: Path) -> None:
    private = tmp_path / "private.json"
    ran = done("protocol", "show", frozen, "--private", private)
    assert "model model-a: Model A (openai/example-model-2025-01-01, sha256:1111" in ran.out
    assert "each of its 3 seals opens" in ran.out
    value = done("protocol", "show", frozen, "--private", private, "--json").value
    assert "rival" in value["tasks"][0]["items"][1]["texts"][0]["prompt"]
    assert "rival" not in done("protocol", "show", frozen, "--json").out


def test_show_refuses_what_does_not_open_the_seals(frozen: Path, tmp_path: Path) -> None:
    private = tmp_path / "private.json"
    value = json.loads(private.read_bytes())
    value["texts"][0]["content"]["prompt"] = "Something else."
    private.write_text(json.dumps(value))
    ran = countermark("protocol", "show", frozen, "--private", private)
    assert (ran.code, ran.out) == (5, "")
    assert "fraud-advice/false-review in en: is not what the protocol sealed" in ran.err
    ran = countermark("protocol", "show", frozen, "--private", tmp_path / "absent.json")
    assert (ran.code, ran.out) == (1, "")


def test_diff_of_a_protocol_with_itself_is_nothing(frozen: Path) -> None:
    ran = done("protocol", "diff", frozen, frozen)
    assert ran.out == "The two are the same.\n"
    assert done("protocol", "diff", frozen, frozen, "--json").value["changes"] == []
    assert done("protocol", "diff", SHIPPED, SHIPPED).out == "The two are the same.\n"


def test_diff_exits_with_0_where_all_results_remain_comparable(
    folder: Path, frozen: Path, tmp_path: Path
) -> None:
    file = folder / "protocol.yaml"
    file.write_text(file.read_text("utf-8").replace("epochs: 2", "epochs: 5"), "utf-8")
    out, private = tmp_path / "second.json", tmp_path / "private.json"
    done("protocol", "freeze", folder, "-o", out, "-p", private)
    ran = done("protocol", "diff", frozen, out)
    assert "✓ epochs: each item is asked 5 times, and was 2 (rule 13)" in ran.out
    assert ran.out.endswith("All results of what both protocols ask for remain comparable.\n")


def test_diff_exits_with_3_where_some_results_must_not_be_compared(
    folder: Path, frozen: Path
) -> None:
    ran = countermark("protocol", "diff", frozen, folder)
    assert ran.code == 3
    assert "nobody can tell" in ran.out
    ran = countermark("protocol", "diff", frozen, SHIPPED, "--json")
    assert ran.code == 3
    assert ran.value["comparable"] == "none"
    assert {"rule", "place", "what", "then", "keeps"} == set(ran.value["changes"][0])


def test_diff_names_what_it_cannot_read(frozen: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    ran = countermark("protocol", "diff", frozen, bad)
    assert (ran.code, ran.out) == (1, "")
    assert countermark("protocol", "diff", frozen, tmp_path / "absent").code == 2
