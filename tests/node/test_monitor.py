# SPDX-License-Identifier: Apache-2.0
"""Comparing what peers have seen: every fork is found and becomes evidence that verifies."""

from pathlib import Path

import pytest
from lying_peer import LyingPeer
from nodes import HONEST, Network, plan, spoil

from countermark.network.sync import pull
from countermark.node.audit import audit_node
from countermark.node.forks import keep_evidence
from countermark.records.errors import StateError, VerificationError
from countermark.transparency.equivocation import verify_equivocation


def proves(path: Path, network: Network) -> None:
    checks = verify_equivocation(path.read_bytes(), network["GB"].roster)
    assert [check.ok for check in checks] == [True, True, True], checks


def test_honest_logs_and_mirrors_are_compared_and_agree(ahead: Network) -> None:
    for reader in ("GB", "KE", HONEST[0]):
        for code in ("KE", "GB"):
            report = audit_node(ahead.open(reader), code, ahead.peers(reader))
            assert report.problems == ()
            assert report.evidence == ()
            assert report.compared >= 4


def test_a_peer_that_is_not_mirrored_cannot_be_audited(network: Network) -> None:
    with pytest.raises(StateError, match="has no mirror of ZZ"):
        audit_node(network.open("GB"), "ZZ")


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_rule_7_a_fork_shown_to_one_peer_is_found_by_another(network: Network, size: int) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log([*liar.leaves[1:], b"{}", *(b"%d" % n for n in range(5))][:size])
    report = audit_node(network.open("GB"), "KE", {"KE": liar})
    assert any("the log was forked" in problem for problem in report.problems)
    (found,) = report.evidence
    proves(keep_evidence(network.root / "evidence", found), network)


def test_rule_7_an_own_log_that_was_rolled_back_is_found(ahead: Network) -> None:
    node, old = ahead.open("KE"), LyingPeer(ahead["KE"])
    spoil(node.folder.log / "checkpoint", old.tree_note(old.leaves[:2]).to_bytes())
    report = audit_node(node, peers=ahead.peers("KE"))
    assert any("it was rolled back" in problem for problem in report.problems)
    assert report.evidence == ()


def test_rule_6_an_older_partial_tile_with_a_changed_byte(ahead: Network) -> None:
    for name in ("tile/0/000.p/2", "tile/entries/000.p/2"):
        path = ahead["KE"].folder.log / name
        whole = path.read_bytes()
        spoil(path)
        problems = audit_node(ahead.open("KE")).problems
        assert problems == (f"{name}: is not the beginning of the tile that it grew into",)
        spoil(path, whole)
    assert audit_node(ahead.open("KE")).problems == ()


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_pull_that_meets_a_fork_leaves_evidence(network: Network, size: int) -> None:
    liar, victim = LyingPeer(network["KE"]), network.open("GB")
    liar.show_log([*liar.leaves[1:], b"{}", b"{}", b"{}"][:size])
    with pytest.raises(VerificationError, match="the evidence that it signed two different logs"):
        pull(victim, {"KE": liar})
    (path,) = (victim.folder.root / "evidence").iterdir()
    assert path.name == f"equivocation-ke-example-log-{min(size, 2)}.json"
    proves(path, network)


def test_a_peer_that_only_went_back_is_refused_without_an_accusation(ahead: Network) -> None:
    victim, liar = ahead.open(HONEST[0]), LyingPeer(ahead["KE"])
    liar.show_log(liar.leaves[:2])
    with pytest.raises(VerificationError, match="rolled back"):
        pull(victim, {"KE": liar})
    assert not (victim.folder.root / "evidence").exists()


def test_a_crashed_appends_tiles_do_not_look_like_older_ones(network: Network) -> None:
    node = network.open("KE")
    node.log.write("tile/0/000.p/4", b"x" * 128)
    node.say(plan("KE", 500), plan("KE", 501), plan("KE", 502))
    assert not any("beginning" in problem for problem in audit_node(node).problems)
