# SPDX-License-Identifier: Apache-2.0
"""What a peer may publish, and what it may not: each lie is refused and leaves nothing behind."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from lying_peer import LyingPeer, envelope_in, plan_of, refused
from nodes import HONEST, PROTOCOL, Network, plan, seal

from countermark.network import news
from countermark.network.sync import pull, settle
from countermark.node.blobs import blob_path
from countermark.node.log import append
from countermark.records.canonical import canonical, content_digest
from countermark.records.errors import InputError, StorageError, VerificationError
from countermark.signing.keys import generate_key
from countermark.transparency.cosignature import cosign, with_cosignatures
from countermark.transparency.note import Note, NoteSigner, SignatureLine, parse_note
from countermark.transparency.proof import TlogProof, parse_proof
from countermark.transparency.statement import leaf_of
from countermark.transparency.tiles import inclusion_proof

Lie = Callable[[Network, LyingPeer], None]


# --- rules 1 to 3: the log ---


def _another_key(network: Network, liar: LyingPeer) -> None:
    liar.sign(liar.checkpoint, NoteSigner("ke.example/log", generate_key()))


def _another_origin(network: Network, liar: LyingPeer) -> None:
    liar.serve("log/checkpoint", network["JP"].log.read("checkpoint"))


def _own_name_wrong_signature(network: Network, liar: LyingPeer) -> None:
    liar.misstate_size()


@pytest.mark.parametrize("lie", [_another_key, _another_origin, _own_name_wrong_signature])
def test_rule_1_the_checkpoint_is_signed_by_the_rostered_key(ahead: Network, lie: Lie) -> None:
    liar = LyingPeer(ahead["KE"])
    lie(ahead, liar)
    refused(ahead, liar, VerificationError, "is not signed by the log ke.example/log")


def test_rule_2_a_log_that_is_rolled_back(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log(liar.leaves[:1])
    refused(network, liar, VerificationError, "was rolled back from size 2 to 1")


def test_rule_2_a_log_that_is_emptied(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log([])
    refused(network, liar, VerificationError, "was rolled back from size 2 to 0")


def test_rule_2_a_fork_of_the_same_size(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log(liar.leaves[::-1])
    refused(network, liar, VerificationError, "shows another tree of size 2 than before")


def test_rule_3_a_fork_that_grows(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    forked = liar.signed(plan("KE", 300))
    liar.serve(blob_path(forked.digest), forked.to_bytes())
    liar.show_log([liar.leaves[0], leaf_of(forked), liar.leaves[1]])
    refused(network, liar, VerificationError, "a checkpoint that its own leaves do not give")


def _swapped(network: Network, liar: LyingPeer) -> None:
    bundle = plan_of([*liar.leaves[:2], *liar.leaves[:1:-1]]).files
    liar.serve("log/tile/entries/000.p/4", bundle["tile/entries/000.p/4"])


def _changed(network: Network, liar: LyingPeer) -> None:
    liar.change_byte("log/tile/entries/000.p/4")


@pytest.mark.parametrize("lie", [_swapped, _changed])
def test_rule_3_a_new_leaf_that_is_another(ahead: Network, lie: Lie) -> None:
    liar = LyingPeer(ahead["KE"])
    lie(ahead, liar)
    refused(ahead, liar, VerificationError, "a checkpoint that its own leaves do not give")


def _dropped(network: Network, liar: LyingPeer) -> None:
    bundle = plan_of(liar.leaves[:3]).files
    liar.serve("log/tile/entries/000.p/4", bundle["tile/entries/000.p/3"])


def _cut(network: Network, liar: LyingPeer) -> None:
    liar.serve("log/tile/entries/000.p/4", liar.true("log/tile/entries/000.p/4")[:-1])


def _cut_to_nothing(network: Network, liar: LyingPeer) -> None:
    liar.serve("log/tile/entries/000.p/4", b"")


@pytest.mark.parametrize(
    ("lie", "saying"),
    [
        (_dropped, "holds 3 entries, not 4"),
        (_cut, "in the middle of entry"),
        (_cut_to_nothing, "holds 0 entries, not 4"),
    ],
)
def test_rule_3_entries_that_are_dropped_or_cut(ahead: Network, lie: Lie, saying: str) -> None:
    liar = LyingPeer(ahead["KE"])
    lie(ahead, liar)
    refused(ahead, liar, VerificationError, saying)


def test_rule_3_entries_that_are_not_there(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    liar.serve("log/tile/entries/000.p/4", None)
    refused(ahead, liar, StorageError, "is missing")


def test_leaves_that_would_fill_the_memory_are_refused_one_by_one(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log([*liar.leaves, b"x" * (news.MAX_LEAF_BYTES + 1)])
    refused(network, liar, VerificationError, "has a leaf of 513 bytes")


@pytest.mark.parametrize("size", [news.MAX_NEW_LEAVES + 3, 2**40, 2**63 - 1])
def test_an_enormous_size_is_refused_before_anything_is_read(network: Network, size: int) -> None:
    liar = LyingPeer(network["KE"])
    liar.sign(replace(liar.checkpoint, size=size))
    refused(network, liar, VerificationError, f"claims {size - 2:,} new statements at once")
    assert "log/checkpoint" in liar.asked
    assert not [path for path in liar.asked if "tile" in path or "blobs" in path]


@pytest.mark.parametrize("data", [b"", b"\xff", b"a\n\nb\n", b"x" * 300_000, b"\n\n\n"])
def test_a_checkpoint_that_is_none_is_refused(network: Network, data: bytes) -> None:
    liar = LyingPeer(network["KE"])
    liar.serve("log/checkpoint", data)
    refused(network, liar, InputError, r"is not|has|is 300,000 bytes|does not")


# --- rules 4 and 5: the statements ---


def test_rule_4_an_envelope_with_a_changed_byte(ahead: Network) -> None:
    for leaf in (2, 3):
        liar = LyingPeer(ahead["KE"])
        digest = envelope_in(liar.leaves[leaf])
        liar.change_byte(blob_path(digest), 100)
        refused(ahead, liar, VerificationError, f"does not publish the statement {digest}")


def test_rule_4_an_envelope_that_is_not_published(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    liar.serve(blob_path(envelope_in(liar.leaves[3])), None)
    refused(ahead, liar, VerificationError, "does not publish the statement")


def test_rule_4_a_leaf_that_says_other_than_its_envelope(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    envelope = liar.signed(plan("KE", 300))
    liar.log_more(envelope)
    liar.show_log([*liar.leaves, leaf_of(envelope).replace(b'"run-plan"', b'"evidence"')])
    refused(network, liar, VerificationError, "has a leaf that is not that of its statement")


def test_rule_4_an_envelope_in_another_form(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    envelope = liar.signed(plan("KE", 300))
    loose = b" " + envelope.to_bytes()
    digest = content_digest(loose)
    liar.serve(blob_path(digest), loose)
    leaf = leaf_of(envelope).replace(envelope.digest.encode(), digest.encode())
    liar.show_log([*liar.leaves, leaf])
    refused(network, liar, VerificationError, "has a leaf that is not that of its statement")


@pytest.mark.parametrize(
    ("leaf", "saying"),
    [
        (b"no JSON", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"\xff", "is not UTF-8"),
        (b"{}", "'None' is no content address"),
        (b'{"envelope":"a","envelope":"b"}', "twice in one object"),
        (b'{"envelope":{"a":1}}', "is no content address"),
        (b'{"envelope":"sha256:../../keys/statement.pem"}', "is no content address"),
        (b'{"envelope":"../../../../etc/passwd"}', "is no content address"),
        (b'{"envelope":"sha256:' + b"a" * 63 + b'/"}', "is no content address"),
        (b'{"envelope":"sha256:' + b"a" * 64 + b'\\n"}', "is no content address"),
        (b"[" * 250 + b"]" * 250, "nested more than 64 deep"),
        (b"", "is not JSON"),
    ],
)
def test_rule_4_a_leaf_that_is_none_or_leads_elsewhere(
    network: Network, leaf: bytes, saying: str
) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log([*liar.leaves, leaf])
    refused(network, liar, InputError, saying)
    assert not [path for path in liar.asked if "keys" in path or "etc" in path]


def test_rule_5_a_statement_signed_by_another_member(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    liar.log_more(liar.signed(plan("KE", 300), network["JP"].signer))
    refused(network, liar, VerificationError, "logs a statement that it did not sign")


def test_rule_5_another_members_own_statement(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    theirs = network["JP"].envelope(envelope_in(LyingPeer(network["JP"]).leaves[0]))
    liar.log_more(theirs)
    refused(network, liar, VerificationError, "logs a statement that it did not sign")


def test_rule_5_a_signature_that_does_not_verify(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    other = liar.signed(plan("KE", 301))
    liar.log_more(replace(liar.signed(plan("KE", 300)), signature=other.signature))
    refused(network, liar, VerificationError, "logs a statement that it did not sign")


def test_rule_5_a_kind_that_its_roles_may_not_say(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    own = PROTOCOL.model_copy(update={"coordinator": "KE"})
    liar.log_more(liar.signed(own))
    refused(network, liar, VerificationError, "logs a protocol, which its roles may not say")


def test_rule_5_a_record_that_speaks_for_another(network: Network) -> None:
    # A seal in the victim's name would lift the bar on reading others' samples.
    liar = LyingPeer(network["KE"])
    liar.log_more(liar.signed(seal("GB")))
    refused(network, liar, VerificationError, "logs a sealed-result that speaks for GB")


def test_rule_4_a_leaf_that_holds_more_than_its_form_is_refused(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    envelope = liar.signed(plan("KE", 300))
    liar.log_more(envelope)
    padded = canonical({"more": "x", "envelope": envelope.digest})
    liar.show_log([*liar.leaves, padded])
    refused(network, liar, VerificationError, "has a leaf that is not that of its statement")


# --- rule 6: the proofs ---


def test_rule_6_a_proof_of_another_leaf(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    liar.serve("log/proof/3", liar.true("log/proof/2"))
    refused(ahead, liar, VerificationError, "a proof of statement 3 that fails")


def test_rule_6_a_good_proof_under_another_number(network: Network) -> None:
    # The same statement logged twice: the proof of the one place verifies for the other too.
    envelope = LyingPeer(network["KE"]).signed(plan("KE", 300))
    network["KE"].blobs.put(envelope.to_bytes())
    node = network["KE"]
    append(node.log, node.state, node.log_signer, [leaf_of(envelope)] * 2)
    settle(network.some([*HONEST, "KE"]), network.sources)
    liar = LyingPeer(network["KE"])
    liar.serve("log/proof/3", liar.true("log/proof/2"))
    refused(network, liar, VerificationError, "a proof of leaf 2 in place of 3's")


def forged(note: Note) -> Note:
    """The last cosignature's last byte is another."""
    line = note.signatures[-1]
    other = line.signature[:-1] + bytes([line.signature[-1] ^ 1])
    return Note(note.text, (*note.signatures[:-1], replace(line, signature=other)))


def test_rule_6_a_proof_with_a_forged_cosignature(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    proof = parse_proof(liar.true("log/proof/3"))
    liar.serve("log/proof/3", replace(proof, note=forged(proof.note)).to_bytes())
    refused(ahead, liar, VerificationError, "is not a verified rostered cosignature")


def test_rule_6_a_proof_without_a_quorum(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    proof = parse_proof(liar.true("log/proof/3"))
    few = Note(proof.note.text, proof.note.signatures[:3])
    liar.serve("log/proof/3", replace(proof, note=few).to_bytes())
    refused(ahead, liar, VerificationError, "do not meet the quorum")


def test_rule_6_a_proof_of_a_tree_that_only_its_witnesses_saw(ahead: Network) -> None:
    # Three witnesses are in league with KE and have cosigned a fork that holds the same statement.
    liar = LyingPeer(ahead["KE"])
    fork = [*liar.leaves[1::-1], *liar.leaves[2:]]
    note = liar.tree_note(fork)
    lines = [cosign(note.text, ahead[code].witness_signer, ahead.clock()) for code in HONEST]
    note = with_cosignatures(note, lines, origin="ke.example/log")
    hashes = inclusion_proof(plan_of(fork).files.get, 3, 4)
    liar.serve("log/proof/3", TlogProof(3, hashes, note).to_bytes())
    refused(ahead, liar, VerificationError, "has shown its witnesses another tree of size 4")


@pytest.mark.parametrize(
    "data", [b"", b"c2sp.org/tlog-proof@v1\nindex 3\n", b"\xff", b"x" * 300_000]
)
def test_rule_6_a_proof_that_is_none(ahead: Network, data: bytes) -> None:
    liar = LyingPeer(ahead["KE"])
    liar.serve("log/proof/3", data)
    refused(ahead, liar, InputError, "KE log/proof/3")


def test_a_proof_of_a_younger_checkpoint_waits_for_the_next_pull(ahead: Network) -> None:
    # The peer appended between our reading of its checkpoint and of its proofs.
    early = LyingPeer(ahead["KE"])
    note = ahead["KE"].log.note()
    ahead["KE"].say(plan("KE", 400))
    settle(ahead.some([*HONEST, "KE"]), ahead.sources)
    assert note is not None
    early.serve("log/checkpoint", note.to_bytes())
    younger = parse_proof(early.true("log/proof/4"))
    files = plan_of(early.leaves).files
    early.serve(
        "log/proof/3", TlogProof(3, inclusion_proof(files.get, 3, 5), younger.note).to_bytes()
    )
    (one,) = pull(ahead["GB"], {"KE": early})
    assert (one.statements, one.proofs) == (2, 1)
    (one,) = pull(ahead["GB"], {"KE": ahead.source("KE")})
    assert (one.statements, one.proofs) == (1, 2)


def test_a_cosignature_on_a_checkpoint_that_is_forged_is_not_kept(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    true = parse_note(liar.true("log/checkpoint"))
    stranger = SignatureLine("zz.example/witness", b"abcd", b"x" * 72)
    spoilt = forged(true)
    liar.serve("log/checkpoint", Note(true.text, (stranger, *spoilt.signatures)).to_bytes())
    pull(ahead["GB"], {"KE": liar})
    mirrored = ahead["GB"].mirror("KE").note()
    assert mirrored is not None
    assert mirrored.signatures == true.signatures[:-1]
    # Nor is what was mirrored lost when the peer shows fewer.
    liar.serve("log/checkpoint", Note(true.text, true.signatures[:1]).to_bytes())
    pull(ahead["GB"], {"KE": liar})
    assert ahead["GB"].mirror("KE").note() == mirrored
