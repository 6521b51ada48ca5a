# SPDX-License-Identifier: Apache-2.0
"""A log that was lost or damaged comes back from peers; what does not verify is never kept."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from lying_peer import LyingPeer, plan_of
from nodes import HONEST, Network, plan, snapshot, spoil

from countermark.network.sync import settle
from countermark.node.audit import audit_node
from countermark.node.blobs import blob_path
from countermark.node.index import book
from countermark.node.log import OWN, LogFolder, append
from countermark.node.repair import Repaired, repair
from countermark.records.errors import StateError, VerificationError
from countermark.transparency.cosignature import cosign, with_cosignatures
from countermark.transparency.note import Note
from countermark.transparency.proof import TlogProof, parse_proof
from countermark.transparency.statement import leaf_of
from countermark.transparency.tiles import inclusion_proof


def mend(network: Network, *others: str, trust_peers: bool = False) -> Repaired:
    folders = [network.place(code) for code in others or ("GB",)]
    return repair(network.open("KE"), folders, trust_peers=trust_peers)


def whole(network: Network) -> None:
    network.open("KE").refuse_damage()
    assert audit_node(network.open("KE")).problems == ()


def log(network: Network) -> Path:
    return network["KE"].folder.log


def test_a_whole_log_is_left_as_it_is(network: Network) -> None:
    before = snapshot(network.place("KE"))
    assert mend(network) == Repaired(2, 0, 0, 0, ())
    assert snapshot(network.place("KE")) == before


def test_a_lost_log_with_its_blobs_comes_back(network: Network) -> None:
    for entry in book(network["KE"]).entries:
        if entry.author == "KE":
            (network.place("KE") / blob_path(entry.envelope)).unlink()
    shutil.rmtree(log(network))
    found = mend(network)
    assert (found.size, found.blobs, found.proofs, found.missing) == (2, 2, 2, ())
    whole(network)


@pytest.mark.parametrize(
    "name", ["checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2", "proof/1"]
)
@pytest.mark.parametrize("gone", [True, False])
def test_each_damaged_or_lost_file_comes_back(network: Network, name: str, *, gone: bool) -> None:
    path = log(network) / name
    before = path.read_bytes()
    if gone:
        path.unlink()
    else:
        spoil(path)
    mend(network)
    whole(network)
    assert name == "checkpoint" or path.read_bytes() == before


def test_a_log_of_many_tiles_comes_back_from_two_damaged_copies(
    network: Network, tmp_path: Path
) -> None:
    node = network.open("KE")
    append(node.log, node.state, node.log_signer, [b"{\"envelope\":\"sha256:%064d\"}" % n
                                                   for n in range(1000)])  # fmt: skip
    copies = [tmp_path / "one", tmp_path / "two"]
    for copy in copies:
        shutil.copytree(log(network), copy / "log")
    before = snapshot(log(network))
    spoil(copies[0] / "log/tile/0/001")
    (copies[1] / "log/tile/entries/002").unlink()
    (log(network) / "tile/0/001").unlink()
    (log(network) / "tile/entries/002").unlink()
    spoil(log(network) / "tile/1/000.p/3")
    assert repair(node, copies).files == 3
    assert snapshot(log(network)) == before
    (log(network) / "tile/0/001").unlink()
    with pytest.raises(StateError, match="no source has tile/0/001; nothing was written"):
        repair(node, copies[:1])


def test_rule_1_a_peer_with_another_log_changes_nothing(network: Network) -> None:
    spoil(log(network) / "tile/0/000.p/2")
    for path in (network.place("GB") / "peers/KE/log").glob("tile/**/*.p/*"):
        spoil(path)
    before = snapshot(network.place("KE"))
    with pytest.raises(StateError, match="nothing was written"):
        mend(network)
    assert snapshot(network.place("KE")) == before


def test_rule_2_a_lost_state_db_is_for_the_operator_to_decide(network: Network) -> None:
    (network.place("KE") / "state.db").unlink()
    with pytest.raises(StateError, match="was signed") as caught:
        mend(network)
    assert "--trust-peers" in caught.value.next_step
    mend(network, trust_peers=True)
    whole(network)
    node = network.open("KE")
    assert append(node.log, node.state, node.log_signer, [b"{}"]).size == 3


def test_rule_2_the_newest_checkpoint_of_all_peers_counts(ahead: Network) -> None:
    shutil.rmtree(log(ahead))
    (ahead.place("KE") / "state.db").unlink()
    assert mend(ahead, "GB", "JP", trust_peers=True).size == 4
    whole(ahead)


def test_rule_2_two_signed_checkpoints_of_one_size_stop_it(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    note = liar.tree_note([*liar.leaves[1:], b"{}"])
    spoil(network.place("GB") / "peers/KE/log/checkpoint", note.to_bytes())
    with pytest.raises(VerificationError, match="the log was forked"):
        mend(network, trust_peers=True)


def test_rule_4_a_proof_of_another_statement_is_not_kept(network: Network) -> None:
    mirror = network.place("GB") / "peers/KE/log/proof"
    (log(network) / "proof/1").unlink()
    spoil(mirror / "1", (mirror / "0").read_bytes())
    assert mend(network).proofs == 0
    assert not (log(network) / "proof/1").exists()


def test_rule_4_an_envelope_that_nobody_has_is_named(network: Network) -> None:
    (entry, *_) = [e for e in book(network["KE"]).entries if e.author == "KE"]
    for code in ("KE", "GB"):
        spoil(network.place(code) / blob_path(entry.envelope))
    assert mend(network).missing == (entry.envelope,)


def test_rule_2_what_state_db_knows_is_the_beginning_of_what_comes_back(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    forked = plan_of([*liar.leaves[::-1], b"{}"])
    note = liar.tree_note([*liar.leaves[::-1], b"{}"])
    mirror = network["GB"].mirror("KE")
    for path, data in {**forked.files, "checkpoint": note.to_bytes()}.items():
        mirror.write(path, data)
    before = snapshot(network.place("KE"))
    with pytest.raises(VerificationError, match="has two logs: the newest checkpoint, of size 3"):
        mend(network, trust_peers=True)
    assert snapshot(network.place("KE")) == before


def test_rule_4_a_proof_of_the_same_statement_in_another_place_is_not_kept(
    network: Network,
) -> None:
    envelope = LyingPeer(network["KE"]).signed(plan("KE", 300))
    network["KE"].blobs.put(envelope.to_bytes())
    node = network["KE"]
    append(node.log, node.state, node.log_signer, [leaf_of(envelope)] * 2)
    settle(network.some([*HONEST, "GB", "KE"]), network.sources)
    mirror = network.place("GB") / "peers/KE/log/proof"
    spoil(mirror / "3", (mirror / "2").read_bytes())
    (log(network) / "proof/3").unlink()
    assert mend(network).proofs == 0
    assert not (log(network) / "proof/3").exists()


def test_rule_4_a_proof_that_too_few_witnessed_is_not_kept(network: Network) -> None:
    mirror = network.place("GB") / "peers/KE/log/proof/1"
    proof = parse_proof(mirror.read_bytes())
    few = Note(proof.note.text, proof.note.signatures[:3])
    spoil(mirror, replace(proof, note=few).to_bytes())
    (log(network) / "proof/1").unlink()
    assert mend(network).proofs == 0


def test_rule_4_a_proof_of_another_tree_is_not_kept(ahead: Network) -> None:
    """Three witnesses have cosigned a fork that holds the same statement at the same place."""
    liar = LyingPeer(ahead["KE"])
    fork = [*liar.leaves[1::-1], *liar.leaves[2:]]
    note = liar.tree_note(fork)
    lines = [cosign(note.text, ahead[code].witness_signer, ahead.clock()) for code in HONEST]
    note = with_cosignatures(note, lines, origin="ke.example/log")
    proof = TlogProof(3, inclusion_proof(plan_of(fork).files.get, 3, 4), note)
    other = ahead.place(HONEST[0])
    spoil(other / "peers/KE/log/proof/3", proof.to_bytes())
    (log(ahead) / "proof/3").unlink()
    assert mend(ahead, HONEST[0]).proofs == 0
    assert not (log(ahead) / "proof/3").exists()


def test_rule_5_the_head_is_durable_before_its_checkpoint(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    known = network["KE"].state.head(OWN, "ke.example/log")
    (log(network) / "checkpoint").unlink()
    (network.place("KE") / "state.db").unlink()
    real = LogFolder.write

    def crash(self: LogFolder, name: str, data: bytes) -> None:
        if name == "checkpoint":
            raise Crash
        real(self, name, data)

    with monkeypatch.context() as patched:
        patched.setattr(LogFolder, "write", crash)
        with pytest.raises(Crash):
            mend(network, trust_peers=True)
    assert network.open("KE").state.head(OWN, "ke.example/log") == known
    assert not (log(network) / "checkpoint").exists()
