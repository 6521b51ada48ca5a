# SPDX-License-Identifier: Apache-2.0
"""Comparing what peers have seen: every fork is found and becomes evidence that verifies."""

from pathlib import Path

import pytest
from lying_peer import LyingPeer, plan_of
from nodes import HONEST, Network, plan, spoil

from countermark.network.sync import pull
from countermark.node.audit import audit_node
from countermark.node.forks import keep_evidence
from countermark.records.errors import StateError, VerificationError
from countermark.signing.keys import generate_key
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, with_cosignatures
from countermark.transparency.equivocation import verify_equivocation
from countermark.transparency.note import Note, NoteSigner, sign_note
from countermark.transparency.proof import TlogProof
from countermark.transparency.statement import leaf_of
from countermark.transparency.tiles import inclusion_proof


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


def forked(network: Network, *samples: int) -> list[Note]:
    """Notes by KE's key, each of its true log with another statement at the end."""
    liar = LyingPeer(network["KE"])
    return [
        liar.tree_note([*liar.leaves, leaf_of(liar.signed(plan("KE", number)))])
        for number in samples
    ]


def other_tree(network: Network) -> Note:
    liar = LyingPeer(network["KE"])
    return liar.tree_note(liar.leaves[::-1])


def test_rule_7_a_fork_that_this_node_cosigned_itself_is_found(network: Network) -> None:
    node = network.open("GB")
    spoil(node.cosigned("KE"), other_tree(network).to_bytes())
    report = audit_node(node, "KE")
    assert any("this node as a witness have" in problem for problem in report.problems)
    (found,) = report.evidence
    proves(keep_evidence(network.root / "evidence", found), network)


def test_rule_7_a_fork_that_a_peer_cosigned_is_found(network: Network) -> None:
    peer = LyingPeer(network["JP"])
    peer.serve("cosignatures/KE", other_tree(network).to_bytes())
    (found,) = audit_node(network.open("GB"), "KE", {"JP": peer}).evidence
    proves(keep_evidence(network.root / "evidence", found), network)


def test_rule_7_peers_are_compared_with_each_other(network: Network) -> None:
    """Each shows a tree that continues this copy; but not both can be."""
    one, other = forked(network, 300, 301)
    peers = {code: LyingPeer(network[code]) for code in ("JP", "SG")}
    for peer, note in zip(peers.values(), (one, other), strict=True):
        peer.serve("peers/KE/log/checkpoint", note.to_bytes())
    for code, peer in peers.items():
        assert audit_node(network.open("GB"), "KE", {code: peer}).evidence == ()
    (found,) = audit_node(network.open("GB"), "KE", peers).evidence
    proves(keep_evidence(network.root / "evidence", found), network)


def test_rule_7_what_another_key_signed_accuses_no_log(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    longer = Checkpoint("ke.example/log", 9, bytes(32))
    strange = sign_checkpoint(longer, NoteSigner("ke.example/log", generate_key()))
    elsewhere = Checkpoint("jp.example/log", 9, bytes(32)).text
    misplaced = Note(elsewhere, (sign_note(elsewhere, network["KE"].log_signer),))
    for note in (strange, misplaced):
        liar.serve("peers/KE/log/checkpoint", note.to_bytes())
        report = audit_node(network.open("KE"), peers={"GB": liar})
        assert (report.problems, report.evidence) == ((), ())


def test_rule_7_a_fork_that_only_kept_proofs_show_becomes_evidence(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    fork = [*liar.leaves[1::-1], *liar.leaves[2:]]
    note = liar.tree_note(fork)
    lines = [cosign(note.text, ahead[code].witness_signer, ahead.clock()) for code in HONEST]
    note = with_cosignatures(note, lines, origin="ke.example/log")
    proof = TlogProof(3, inclusion_proof(plan_of(fork).files.get, 3, 4), note)
    spoil(ahead["KE"].folder.log / "proof/3", proof.to_bytes())
    (found,) = audit_node(ahead.open("KE")).evidence
    proves(keep_evidence(ahead.root / "evidence", found), ahead)


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
