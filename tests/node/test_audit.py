# SPDX-License-Identifier: Apache-2.0
"""Every kind of damage to a log is found and named."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from lying_peer import plan_of
from nodes import HONEST, Clock, Network, config, plan, snapshot, spoil

from countermark.network.sync import settle
from countermark.node.audit import Report, audit_node
from countermark.node.blobs import blob_path
from countermark.node.index import book
from countermark.node.log import append
from countermark.node.node import Node
from countermark.records.errors import StateError
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, with_cosignatures
from countermark.transparency.note import Note
from countermark.transparency.proof import TlogProof
from countermark.transparency.tiles import inclusion_proof, read_entries


def audited(network: Network) -> Report:
    return audit_node(network.open("KE"))


def found(network: Network, *sayings: str) -> None:
    problems = audited(network).problems
    for saying in sayings:
        assert any(saying in problem for problem in problems), problems


def place(network: Network, path: str) -> Path:
    return network["KE"].folder.log / path


def envelope(network: Network, index: int) -> Path:
    (entry,) = [e for e in book(network["KE"]).entries if (e.author, e.index) == ("KE", index)]
    return network["KE"].folder.root / blob_path(entry.envelope)


def checkpoint(network: Network) -> Note:
    note = network["KE"].log.note()
    assert note is not None
    return note


def test_a_whole_log_has_no_problems_and_is_left_as_it_is(network: Network) -> None:
    for path in network["KE"].folder.keys.iterdir():
        path.unlink()  # an audit needs none
    nodes, before = network.nodes, snapshot(network.root)
    assert len(nodes) == 6
    for code in [*HONEST, "GB", "KE"]:
        report = audit_node(network.open(code))
        assert report.problems == ()
        assert (report.origin, report.size) == (f"{code.lower()}.example/log", report.statements)
        assert len(report.witnesses) == 4
    assert snapshot(network.root) == before


def test_a_node_without_a_log_cannot_be_audited(network: Network, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="has no log that the roster lists"):
        audit_node(network["example-developer"])
    stranger = Node.create(tmp_path / "zz", config("ZZ"), None, Clock())
    stranger.accept_roster(network["KE"].roster_files())
    with pytest.raises(StateError, match="has no log that the roster lists"):
        audit_node(stranger)


@pytest.mark.parametrize("data", [b"", b"\xff", b"no note", b"a\n\nb\n"])
def test_rule_1_a_checkpoint_that_is_none(network: Network, data: bytes) -> None:
    spoil(place(network, "checkpoint"), data)
    assert audited(network).size == 0
    found(network, "checkpoint: ")


def test_rule_1_a_checkpoint_by_another_key(network: Network) -> None:
    spoil(place(network, "checkpoint"), network["JP"].log.read("checkpoint"))
    found(network, "is not signed by the log ke.example/log")


def test_rule_1_any_changed_byte_of_the_checkpoint(network: Network) -> None:
    # What the log itself signed: its three lines and its signature line.
    path = place(network, "checkpoint")
    whole = path.read_bytes()
    for byte in range(0, 150, 3):
        spoil(path, whole[:byte] + bytes([whole[byte] ^ 1]) + whole[byte + 1 :])
        found(network, "checkpoint")


def test_rule_1_no_quorum(network: Network) -> None:
    note = checkpoint(network)
    few = Note(note.text, note.signatures[:3])
    spoil(place(network, "checkpoint"), few.to_bytes())
    found(network, "no quorum of witnesses has cosigned it")


def test_rule_2_a_tile_with_a_changed_byte(network: Network) -> None:
    spoil(place(network, "tile/0/000.p/2"))
    found(network, "tile/0/000.p/2: is not what the entries give")


def test_rule_2_a_tile_that_is_gone(network: Network) -> None:
    place(network, "tile/0/000.p/2").unlink()
    found(network, "tile/0/000.p/2: is not what the entries give")


def test_rule_2_an_entry_with_a_changed_byte(network: Network) -> None:
    spoil(place(network, "tile/entries/000.p/2"))
    found(network, "the root of the checkpoint is not what the entries give")


def test_rule_2_an_entry_that_is_dropped(network: Network) -> None:
    log = network["KE"].log
    one = plan_of(list(read_entries(log.read, 0, 1, 2))).files["tile/entries/000.p/1"]
    spoil(place(network, "tile/entries/000.p/2"), one)
    found(network, "holds 1 entries, not 2")


def test_rule_2_entries_that_are_gone(network: Network) -> None:
    place(network, "tile/entries/000.p/2").unlink()
    found(network, "tile/entries/000.p/2: is missing")


def test_rule_3_an_envelope_with_a_changed_byte(network: Network) -> None:
    spoil(envelope(network, 1))
    found(network, "leaf 1: ")
    assert audited(network).statements == 1


def test_rule_3_an_envelope_that_is_gone(network: Network) -> None:
    envelope(network, 0).unlink()
    found(network, "leaf 0: ", "lacks the envelope")


def test_rule_3_a_leaf_that_is_not_its_envelopes(network: Network) -> None:
    # The log is sound in itself: somebody with its key logged a leaf that says another kind.
    node = network["KE"]
    leaf = next(read_entries(node.log.read, 0, 1, 2))
    append(
        node.log, node.state, node.log_signer, [leaf.replace(b'"run-plan"', b'"evidence"'), b"{}"]
    )
    found(network, "leaf 2: it is not the leaf of the statement", "leaf 3: ")


def test_rule_4_a_proof_that_is_gone(network: Network) -> None:
    place(network, "proof/1").unlink()
    found(network, "leaf 1: no quorum has witnessed it yet")


def test_rule_4_what_was_said_since_is_not_witnessed_yet(network: Network) -> None:
    network["KE"].say(plan("KE", 300))
    found(network, "no quorum of witnesses has cosigned it", "leaf 2: no quorum")
    assert audited(network).statements == 2


def test_rule_4_any_changed_byte_of_a_proof(network: Network) -> None:
    path = place(network, "proof/0")
    whole = path.read_bytes()
    for byte in range(0, len(whole), 17):
        spoil(path, whole[:byte] + bytes([whole[byte] ^ 1]) + whole[byte + 1 :])
        found(network, "leaf 0: ")


def test_rule_4_a_proof_of_another_leaf(network: Network) -> None:
    spoil(place(network, "proof/0"), place(network, "proof/1").read_bytes())
    found(network, "leaf 0: ")


def test_rule_4_a_proof_of_the_same_statement_elsewhere(network: Network) -> None:
    node = network["KE"]
    leaf = next(read_entries(node.log.read, 0, 1, 2))
    append(node.log, node.state, node.log_signer, [leaf])
    settle(network.nodes, network.sources)
    assert audited(network).problems == ()
    spoil(place(network, "proof/2"), place(network, "proof/0").read_bytes())
    found(network, "leaf 2: its proof is of leaf 0")


def publish(network: Network, leaves: Sequence[bytes]) -> Note:
    """Write KE's log anew, with whatever leaves, signed and witnessed."""
    log, plan = network["KE"].log, plan_of(leaves)
    for path, data in plan.files.items():
        log.write(path, data)
    head = Checkpoint("ke.example/log", plan.size, plan.root)
    note = sign_checkpoint(head, network["KE"].log_signer)
    lines = [cosign(note.text, network[code].witness_signer, network.clock()) for code in HONEST]
    whole = with_cosignatures(note, lines, origin="ke.example/log")
    log.write("checkpoint", whole.to_bytes())
    return whole


def test_rule_5_a_log_that_was_forked(network: Network) -> None:
    """All is signed, witnessed and whole; only the kept proofs are of another tree."""
    log = network["KE"].log
    first, second = read_entries(log.read, 0, 2, 2)
    note = publish(network, [first, second, first])
    for index in range(3):
        hashes = inclusion_proof(log.read, index, 3)
        log.keep_proof(index, TlogProof(index, hashes, note).to_bytes())
    assert audited(network).problems == ()
    # Another continuation of the same size, with the proofs of the one before.
    publish(network, [first, second, second])
    found(network, "leaf 0: its proof is of another tree of size 3; the log was forked")
    # And one that is shorter than what was proved.
    publish(network, [first, second])
    found(network, "leaf 1: its proof is of another tree of size 3; the log was forked")
