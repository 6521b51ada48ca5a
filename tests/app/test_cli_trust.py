# SPDX-License-Identifier: Apache-2.0
"""Repair, audits of mirrors, evidence of forks and ``verify --at``, as a person types them."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from command_line import countermark, done, statement
from exercise_finished import FinishedExercise
from lying_peer import LyingPeer
from nodes import spoil

from countermark.node.node import Node
from countermark.transparency.equivocation import find_equivocation

VECTORS = Path(__file__).parents[1] / "vectors" / "v0.1"


@pytest.fixture
def nodes(finished_exercise: FinishedExercise, tmp_path: Path) -> Path:
    finished_exercise.copy(tmp_path)
    return tmp_path / "nodes"


@pytest.fixture
def evidence(nodes: Path, tmp_path: Path) -> Path:
    """Evidence that KE signed two logs of one size, beside the roster."""
    node = Node.open(nodes / "KE")
    liar = LyingPeer(node)
    note = node.log.note()
    assert note is not None
    other = liar.tree_note([b"{}", *liar.leaves[1:]])
    found = find_equivocation(note, other, (node.log_signer.log_key,), node.log.read)
    assert found is not None
    folder = tmp_path / "evidence"
    shutil.copytree(nodes / "GB" / "roster", folder / "roster")
    path = folder / found.file_name
    path.write_bytes(found.to_bytes())
    return path


def test_repair_brings_a_lost_log_back(nodes: Path) -> None:
    shutil.rmtree(nodes / "KE" / "log")
    words = ("log", "repair", "--node", nodes / "KE", "--from", nodes / "GB")
    found = done(*words, "--json").value
    assert found["size"] > 3
    assert found["proofs"] == found["size"]
    assert (found["missing"], found["files"] > 2) == ([], True)
    assert done("log", "audit", nodes / "KE").out.startswith("✓")
    assert "0 files of the log, 0 blobs, 0 proofs" in done(*words).out


def test_repair_without_state_db_needs_a_word_for_it(nodes: Path) -> None:
    (nodes / "KE" / "state.db").unlink()
    words = ("log", "repair", "--node", nodes / "KE", "--from", nodes / "GB")
    ran = countermark(*words)
    assert (ran.code, ran.out) == (1, "")
    assert "--trust-peers" in ran.err
    assert "leaves are whole" in done(*words, "--trust-peers").out
    done("sync", "pull", "--node", nodes / "KE")


def test_mirrors_are_audited_by_name_or_all(nodes: Path) -> None:
    (one,) = done("log", "audit", nodes / "GB", "--of", "KE", "--json").value
    assert one["origin"].startswith("ke.")
    every = done("log", "audit", nodes / "GB", "--mirrors", "--json").value
    assert len(every) == 6
    newest = nodes / "GB" / "peers" / "KE" / "log" / "checkpoint"
    spoil(newest)
    ran = countermark("log", "audit", nodes / "GB", "--mirrors")
    assert (ran.code, ran.out.count("✓")) == (5, 5)


def test_an_audit_writes_evidence_of_a_fork_that_verify_explains(
    nodes: Path, tmp_path: Path
) -> None:
    liar = LyingPeer(Node.open(nodes / "KE"))
    forked = liar.tree_note([b"{}", *liar.leaves[1:]])
    spoil(nodes / "JP" / "peers" / "KE" / "log" / "checkpoint", forked.to_bytes())
    folder = tmp_path / "kept"
    ran = countermark("log", "audit", nodes / "GB", "--of", "KE", "--evidence", folder)
    assert ran.code == 5
    assert "the log was forked" in ran.out
    (path,) = folder.iterdir()
    assert f"evidence: {path}" in ran.out
    shown = done("verify", path, "--roster", nodes / "GB" / "roster").out
    assert "evidence that the log was forked" in shown


def test_verify_explains_a_fork(evidence: Path) -> None:
    ran = done("verify", evidence)
    assert ran.out.count("✓") == 3
    assert "do not trust it" in ran.out
    (one,) = done("verify", evidence, "--json").value
    assert (one["valid"], one["kind"]) == (True, None)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8, 0.95])
def test_evidence_with_a_changed_byte_accuses_nobody(evidence: Path, place: float) -> None:
    data = bytearray(evidence.read_bytes())
    data[int(len(data) * place)] ^= 1
    evidence.write_bytes(data)
    ran = countermark("verify", evidence)
    assert ran.code == 5
    assert "do not trust it" not in ran.out


def test_evidence_by_another_roster_accuses_nobody(evidence: Path, other_roster: Path) -> None:
    ran = countermark("verify", evidence, "--roster", other_roster)
    assert ran.code == 5
    assert "✗ 2." in ran.out


@pytest.fixture
def other_roster(tmp_path: Path) -> Path:
    from exercise_small import small_protocol

    from countermark.app.demo.cast import assemble

    return assemble(tmp_path / "other", small_protocol()).institutes["GB"].folder.roster


def test_a_time_before_it_was_witnessed_and_one_after(record: Path) -> None:
    finding = statement(record, "finding")
    ran = countermark("verify", "--at", "2001-01-01", finding)
    assert ran.code == 5
    assert "✗ 7." in ran.out
    assert "later than 2001-01-01" in ran.out
    assert done("verify", "--at", "2099-01-31T12:00:00Z", finding).out.count("✓") == 7
    assert countermark("verify", "--at", "noon", finding).code == 2


def test_a_node_with_a_damaged_log_says_nothing(nodes: Path, record: Path) -> None:
    """Each command that would sign or go on refuses, and names the way out."""
    newest = max((nodes / "KE/log/tile/0/000.p").iterdir(), key=lambda path: int(path.name))
    spoil(newest)
    checkpoint = (nodes / "KE/log/checkpoint").read_bytes()
    protocol = statement(record, "protocol")
    for words in (("sync", "pull"), ("exercise", "seal", "--protocol", protocol)):
        ran = countermark(*words, "--node", nodes / "KE")
        assert ran.code != 0, words
        assert "tiles that do not give the root" in ran.err
        assert "countermark log repair" in ran.err
    assert (nodes / "KE/log/checkpoint").read_bytes() == checkpoint


def test_a_node_whose_state_db_is_older_than_its_log_says_nothing(nodes: Path) -> None:
    with sqlite3.connect(nodes / "KE/state.db") as state:
        state.execute("DELETE FROM heads WHERE role = 'log'")
    for words in (("sync", "pull"), ("node", "status")):
        ran = countermark(*words, "--node", nodes / "KE")
        assert ran.code != 0, words
        assert "state.db was replaced or restored from a backup" in ran.err


def test_verify_checks_a_disclosed_sample_against_the_seals_that_lie_beside_it() -> None:
    ran = countermark("verify", "--json", *sorted((VECTORS / "samples").glob("*.json")))
    assert ran.code == 5
    assert {Path(one["file"]).name: one["valid"] for one in ran.value} == {
        "0.json": True,
        "2-unknown-seal.json": False,
        "3-changed.json": False,
        "3-scores.json": True,
    }


def test_verify_takes_the_seal_from_the_files_given_if_it_verifies(tmp_path: Path) -> None:
    sample = tmp_path / "sample.json"
    sample.write_bytes((VECTORS / "samples" / "0.json").read_bytes())
    words = ("verify", "--roster", VECTORS / "roster", sample)
    alone = countermark(*words)
    assert alone.code == 5
    assert "is not here" in alone.out
    seal = VECTORS / "statements" / "sealed-result-before.json"
    assert countermark(*words, seal).code == 0
    forged = tmp_path / "forged.json"
    forged.write_bytes(seal.read_bytes().replace(b'"sig":"', b'"sig":"A', 1))
    assert countermark(*words, forged).code == 5
