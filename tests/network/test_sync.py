# SPDX-License-Identifier: Apache-2.0
"""What a peer may do, and what it may not: each lie is refused and leaves nothing behind."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lying_peer import LyingPeer
from nodes import PROTOCOL, Network, closing, evidence, plan, seal, snapshot, spoil
from sample_book import CODES, DEVELOPER

from countermark.network import news, sync
from countermark.network.sync import WITNESS, pull, settle
from countermark.node.audit import audit_node
from countermark.node.blobs import blob_path
from countermark.node.index import book
from countermark.node.log import append
from countermark.node.ports import PeerSource
from countermark.records.canonical import canonical, content_digest
from countermark.records.errors import (
    CountermarkError,
    InputError,
    StateError,
    StorageError,
    VerificationError,
)
from countermark.records.evidence import Evidence
from countermark.signing.keys import generate_key
from countermark.transparency.checkpoint import Checkpoint, parse_checkpoint
from countermark.transparency.cosignature import cosign, with_cosignatures
from countermark.transparency.note import Note, NoteSigner, SignatureLine, parse_note
from countermark.transparency.proof import TlogProof, parse_proof
from countermark.transparency.statement import leaf_of
from countermark.transparency.tiles import inclusion_proof, plan_append

HONEST = [code for code in CODES if code not in ("GB", "KE")]
Lie = Callable[[Network, LyingPeer], None]


@pytest.fixture
def ahead(network: Network) -> Network:
    """KE has said two things more, and all but GB have seen and witnessed them."""
    network["KE"].say(plan("KE", 210), plan("KE", 211))
    settle(network.some([*HONEST, "KE"]), network.sources)
    return network


def kept(network: Network, source: PeerSource, error: type[CountermarkError], saying: str) -> None:
    """GB pulls from ``source`` as if it were KE; it must refuse and keep nothing."""
    victim = network.open("GB")
    book(victim)
    before, head = snapshot(victim.folder.root), victim.state.head(WITNESS, "ke.example/log")
    with pytest.raises(error, match=saying) as caught:
        pull(victim, {"KE": source})
    assert caught.value.next_step
    assert snapshot(victim.folder.root) == before
    assert network.open("GB").state.head(WITNESS, "ke.example/log") == head


# --- honest peers ---


def test_five_nodes_settle(settled: Network) -> None:
    sizes = dict.fromkeys(CODES, 2) | {"GB": 3}
    for code, node in settled.nodes.items():
        known = book(node)
        assert {log.author: log.size for log in known.logs} == sizes
        assert len(known.entries) == 11
        for entry in known.entries:
            others = {
                f"{other.lower()}.example/log/witness" for other in CODES if other != entry.author
            }
            assert set(entry.witnesses) == others
            assert entry.witnessed is not None
        if code != DEVELOPER:
            report = audit_node(node)
            assert (report.problems, report.statements) == ((), sizes[code])


def test_all_nodes_know_the_same(settled: Network) -> None:
    books = [book(node) for node in settled.nodes.values()]
    assert all(one.entries == books[0].entries for one in books)
    assert all(one.logs == books[0].logs for one in books)


def test_what_has_settled_stays_as_it_is_byte_for_byte(network: Network) -> None:
    for node in network.nodes.values():
        book(node)
    before = snapshot(network.root)
    settle(network.nodes, network.sources)
    for code, node in network.nodes.items():
        assert not any(one.changed for one in pull(node, network.peers(code)))
    assert snapshot(network.root) == before


def test_a_pull_says_what_it_brought(ahead: Network) -> None:
    (one,) = pull(ahead["GB"], {"KE": ahead.sources["KE"]})
    assert (one.code, one.statements, one.proofs, one.samples, one.size) == ("KE", 2, 2, 0, 4)
    assert one.changed
    (again,) = pull(ahead["GB"], {"KE": ahead.sources["KE"]})
    assert not again.changed


def test_a_developer_follows_and_does_not_cosign(settled: Network) -> None:
    root = settled[DEVELOPER].folder.root
    assert not (root / "cosignatures").exists()
    assert settled[DEVELOPER].state.head(WITNESS, "ke.example/log") is None
    assert settled["GB"].state.head(WITNESS, "ke.example/log") is not None


def test_a_peer_that_has_said_nothing_yet_is_no_fault(network: Network) -> None:
    (one,) = pull(network["GB"], {DEVELOPER: network.sources[DEVELOPER]})
    assert (one.size, one.changed) == (0, False)


def test_a_peer_that_the_roster_does_not_list_is_refused(network: Network) -> None:
    before = snapshot(network["GB"].folder.root)
    with pytest.raises(StateError, match="the roster does not list with a log: ZZ"):
        pull(network["GB"], {"ZZ": network.sources["KE"]})
    assert snapshot(network["GB"].folder.root) == before


def test_nodes_that_do_not_settle_say_so(network: Network) -> None:
    network["KE"].say(plan("KE", 210))
    with pytest.raises(StateError, match="did not settle in 1 rounds"):
        settle(network.nodes, network.sources, rounds=1)


def test_a_log_of_many_tiles_is_mirrored_and_proved(network: Network) -> None:
    node, others = network["KE"], network.peers("KE")
    envelope = LyingPeer(node).signed(plan("KE", 300))
    node.blobs.put(envelope.to_bytes())
    append(node.log, node.state, node.log_signer, [leaf_of(envelope)] * 258)
    for code in HONEST:
        pull(network[code], {"KE": network.sources["KE"]})
    pull(node, others)
    assert audit_node(node).problems == ()
    assert audit_node(node).statements == 260
    (one,) = pull(network["GB"], {"KE": network.sources["KE"]})
    assert (one.statements, one.proofs, one.size) == (258, 258, 260)
    mirror = network["GB"].mirror("KE")
    assert mirror.note() == node.log.note()
    for path in ("tile/0/000", "tile/0/001.p/4", "tile/1/000.p/1", "tile/entries/000"):
        assert mirror.read(path) == node.log.read(path) is not None
    assert all(mirror.proof(index) == node.log.proof(index) for index in range(260))


def test_one_liar_does_not_keep_the_others_from_being_pulled(ahead: Network) -> None:
    ahead["SG"].say(plan("SG", 210))
    liar = LyingPeer(ahead["KE"])
    liar.change_byte("log/checkpoint", 40)
    down = LyingPeer(ahead["JP"])
    down.serve("log/checkpoint", b"no note")
    sources = {"KE": liar, "JP": down, "SG": ahead.sources["SG"]}
    # The graver of the two is what the pull ends with.
    with pytest.raises(VerificationError, match="is not signed by the log ke.example/log"):
        pull(ahead["GB"], sources)
    sizes = {log.author: log.size for log in book(ahead["GB"]).logs}
    assert (sizes["SG"], sizes["KE"], sizes["JP"]) == (3, 2, 2)


# --- news.py, rules 1 to 3: the log ---


def _another_key(network: Network, liar: LyingPeer) -> None:
    liar.sign(liar.checkpoint, NoteSigner("ke.example/log", generate_key()))


def _another_origin(network: Network, liar: LyingPeer) -> None:
    liar.serve("log/checkpoint", network["JP"].log.read("checkpoint"))


def _own_name_wrong_signature(network: Network, liar: LyingPeer) -> None:
    liar.change_byte("log/checkpoint", 40)


@pytest.mark.parametrize("lie", [_another_key, _another_origin, _own_name_wrong_signature])
def test_news_rule_1_the_checkpoint_is_signed_by_the_rostered_key(ahead: Network, lie: Lie) -> None:
    liar = LyingPeer(ahead["KE"])
    lie(ahead, liar)
    kept(ahead, liar, VerificationError, "is not signed by the log ke.example/log")


def test_news_rule_2_a_log_that_is_rolled_back(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log(liar.leaves[:1])
    kept(network, liar, VerificationError, "was rolled back from size 2 to 1")


def test_news_rule_2_a_log_that_is_emptied(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log([])
    kept(network, liar, VerificationError, "was rolled back from size 2 to 0")


def test_news_rule_2_a_fork_of_the_same_size(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log(liar.leaves[::-1])
    kept(network, liar, VerificationError, "shows another tree of size 2 than before")


def test_news_rule_3_a_fork_that_grows(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    forked = liar.signed(plan("KE", 300))
    liar.serve(blob_path(forked.digest), forked.to_bytes())
    liar.show_log([liar.leaves[0], leaf_of(forked), liar.leaves[1]])
    kept(network, liar, VerificationError, "a checkpoint that its own leaves do not give")


def _swapped(network: Network, liar: LyingPeer) -> None:
    bundle = plan_append({}.get, 0, [*liar.leaves[:2], *liar.leaves[:1:-1]]).files
    liar.serve("log/tile/entries/000.p/4", bundle["tile/entries/000.p/4"])


def _changed(network: Network, liar: LyingPeer) -> None:
    liar.change_byte("log/tile/entries/000.p/4")


@pytest.mark.parametrize("lie", [_swapped, _changed])
def test_news_rule_3_a_new_leaf_that_is_another(ahead: Network, lie: Lie) -> None:
    liar = LyingPeer(ahead["KE"])
    lie(ahead, liar)
    kept(ahead, liar, VerificationError, "a checkpoint that its own leaves do not give")


def _dropped(network: Network, liar: LyingPeer) -> None:
    bundle = plan_append({}.get, 0, liar.leaves[:3]).files
    liar.serve("log/tile/entries/000.p/4", bundle["tile/entries/000.p/3"])


def _cut(network: Network, liar: LyingPeer) -> None:
    liar.serve("log/tile/entries/000.p/4", liar.true("log/tile/entries/000.p/4")[:-1])


def _cut_to_nothing(network: Network, liar: LyingPeer) -> None:
    liar.serve("log/tile/entries/000.p/4", b"")


@pytest.mark.parametrize(
    ("lie", "saying"),
    [
        (_dropped, "holds 3 entries, not 4"),
        (_cut, "ends in the middle of an entry"),
        (_cut_to_nothing, "holds 0 entries, not 4"),
    ],
)
def test_news_rule_3_entries_that_are_dropped_or_cut(ahead: Network, lie: Lie, saying: str) -> None:
    liar = LyingPeer(ahead["KE"])
    lie(ahead, liar)
    kept(ahead, liar, VerificationError, saying)


def test_news_rule_3_entries_that_are_not_there(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    liar.serve("log/tile/entries/000.p/4", None)
    kept(ahead, liar, StorageError, "is missing")


@pytest.mark.parametrize("size", [news.MAX_NEW_LEAVES + 3, 2**40, 2**63 - 1])
def test_an_enormous_size_is_refused_before_anything_is_read(network: Network, size: int) -> None:
    liar = LyingPeer(network["KE"])
    liar.sign(replace(liar.checkpoint, size=size))
    kept(network, liar, VerificationError, f"claims {size - 2:,} new statements at once")
    assert "log/checkpoint" in liar.asked
    assert not [path for path in liar.asked if "tile" in path or "blobs" in path]


@pytest.mark.parametrize("data", [b"", b"\xff", b"a\n\nb\n", b"x" * 300_000, b"\n\n\n"])
def test_a_checkpoint_that_is_none_is_refused(network: Network, data: bytes) -> None:
    liar = LyingPeer(network["KE"])
    liar.serve("log/checkpoint", data)
    kept(network, liar, InputError, "is not|has|is 300,000 bytes|does not")


# --- news.py, rules 4 and 5: the statements ---


def test_news_rule_4_an_envelope_with_a_changed_byte(ahead: Network) -> None:
    for leaf in (2, 3):
        liar = LyingPeer(ahead["KE"])
        digest = leaf_of_envelope(liar.leaves[leaf])
        liar.change_byte(blob_path(digest), 100)
        kept(ahead, liar, VerificationError, f"does not publish the statement {digest}")


def leaf_of_envelope(leaf: bytes) -> str:
    return leaf.decode().split('"envelope":"')[1][:71]


def test_news_rule_4_an_envelope_that_is_not_published(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    liar.serve(blob_path(leaf_of_envelope(liar.leaves[3])), None)
    kept(ahead, liar, VerificationError, "does not publish the statement")


def test_news_rule_4_a_leaf_that_says_other_than_its_envelope(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    envelope = liar.signed(plan("KE", 300))
    liar.log_more(envelope)
    liar.show_log([*liar.leaves, leaf_of(envelope).replace(b'"run-plan"', b'"evidence"')])
    kept(network, liar, VerificationError, "has a leaf that is not that of its statement")


def test_news_rule_4_an_envelope_in_another_form(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    envelope = liar.signed(plan("KE", 300))
    loose = b" " + envelope.to_bytes()
    digest = content_digest(loose)
    liar.serve(blob_path(digest), loose)
    leaf = leaf_of(envelope).replace(envelope.digest.encode(), digest.encode())
    liar.show_log([*liar.leaves, leaf])
    kept(network, liar, VerificationError, "has a leaf that is not that of its statement")


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
        (b"[" * 60_000, "nested more than 64 deep"),
        (b"", "is not JSON"),
    ],
)
def test_news_rule_4_a_leaf_that_is_none_or_leads_elsewhere(
    network: Network, leaf: bytes, saying: str
) -> None:
    liar = LyingPeer(network["KE"])
    liar.show_log([*liar.leaves, leaf])
    kept(network, liar, InputError, saying)
    assert not [path for path in liar.asked if "keys" in path or "etc" in path]


def test_news_rule_5_a_statement_signed_by_another_member(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    liar.log_more(liar.signed(plan("KE", 300), network["JP"].signer))
    kept(network, liar, VerificationError, "logs a statement that it did not sign")


def test_news_rule_5_another_members_own_statement(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    theirs = network["JP"].envelope(leaf_of_envelope(LyingPeer(network["JP"]).leaves[0]))
    liar.log_more(theirs)
    kept(network, liar, VerificationError, "logs a statement that it did not sign")


def test_news_rule_5_a_signature_that_does_not_verify(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    other = liar.signed(plan("KE", 301))
    liar.log_more(replace(liar.signed(plan("KE", 300)), signature=other.signature))
    kept(network, liar, VerificationError, "logs a statement that it did not sign")


def test_news_rule_5_a_kind_that_its_roles_may_not_say(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    own = PROTOCOL.model_copy(update={"coordinator": "KE"})
    liar.log_more(liar.signed(own))
    kept(network, liar, VerificationError, "logs a protocol, which its roles may not say")


def test_news_rule_5_a_record_that_speaks_for_another(network: Network) -> None:
    # A seal in the victim's name would lift the bar on reading others' samples.
    liar = LyingPeer(network["KE"])
    liar.log_more(liar.signed(seal("GB")))
    kept(network, liar, VerificationError, "logs a sealed-result that speaks for GB")


# --- news.py, rule 6: the proofs ---


def test_news_rule_6_a_proof_of_another_leaf(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    liar.serve("log/proof/3", liar.true("log/proof/2"))
    kept(ahead, liar, VerificationError, "a proof of statement 3 that fails")


def test_news_rule_6_a_good_proof_under_another_number(network: Network) -> None:
    # The same statement logged twice: the proof of the one place verifies for the other too.
    envelope = LyingPeer(network["KE"]).signed(plan("KE", 300))
    network["KE"].blobs.put(envelope.to_bytes())
    node = network["KE"]
    append(node.log, node.state, node.log_signer, [leaf_of(envelope)] * 2)
    settle(network.some([*HONEST, "KE"]), network.sources)
    liar = LyingPeer(network["KE"])
    liar.serve("log/proof/3", liar.true("log/proof/2"))
    kept(network, liar, VerificationError, "a proof of leaf 2 in place of 3's")


def forged(note: Note) -> Note:
    """The last cosignature's last byte is another."""
    line = note.signatures[-1]
    other = line.signature[:-1] + bytes([line.signature[-1] ^ 1])
    return Note(note.text, (*note.signatures[:-1], replace(line, signature=other)))


def test_news_rule_6_a_proof_with_a_forged_cosignature(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    proof = parse_proof(liar.true("log/proof/3"))
    liar.serve("log/proof/3", replace(proof, note=forged(proof.note)).to_bytes())
    kept(ahead, liar, VerificationError, "is not a verified rostered cosignature")


def test_news_rule_6_a_proof_without_a_quorum(ahead: Network) -> None:
    liar = LyingPeer(ahead["KE"])
    proof = parse_proof(liar.true("log/proof/3"))
    few = Note(proof.note.text, proof.note.signatures[:3])
    liar.serve("log/proof/3", replace(proof, note=few).to_bytes())
    kept(ahead, liar, VerificationError, "do not meet the quorum")


def test_news_rule_6_a_proof_of_a_tree_that_only_its_witnesses_saw(ahead: Network) -> None:
    # Three witnesses are in league with KE and have cosigned a fork that holds the same statement.
    liar = LyingPeer(ahead["KE"])
    fork = [*liar.leaves[1::-1], *liar.leaves[2:]]
    note = liar.tree_note(fork)
    lines = [cosign(note.text, ahead[code].witness_signer, ahead.clock()) for code in HONEST]
    note = with_cosignatures(note, lines, origin="ke.example/log")
    hashes = inclusion_proof(plan_append({}.get, 0, fork).files.get, 3, 4)
    liar.serve("log/proof/3", TlogProof(3, hashes, note).to_bytes())
    kept(ahead, liar, VerificationError, "has shown its witnesses another tree of size 4")


@pytest.mark.parametrize(
    "data", [b"", b"c2sp.org/tlog-proof@v1\nindex 3\n", b"\xff", b"x" * 300_000]
)
def test_news_rule_6_a_proof_that_is_none(ahead: Network, data: bytes) -> None:
    liar = LyingPeer(ahead["KE"])
    liar.serve("log/proof/3", data)
    kept(ahead, liar, InputError, "KE log/proof/3")


def test_a_proof_of_a_younger_checkpoint_waits_for_the_next_pull(ahead: Network) -> None:
    # The peer appended between our reading of its checkpoint and of its proofs.
    early = LyingPeer(ahead["KE"])
    note = ahead["KE"].log.note()
    ahead["KE"].say(plan("KE", 400))
    settle(ahead.some([*HONEST, "KE"]), ahead.sources)
    assert note is not None
    early.serve("log/checkpoint", note.to_bytes())
    younger = parse_proof(early.true("log/proof/4"))
    files = plan_append({}.get, 0, early.leaves).files
    early.serve(
        "log/proof/3", TlogProof(3, inclusion_proof(files.get, 3, 5), younger.note).to_bytes()
    )
    (one,) = pull(ahead["GB"], {"KE": early})
    assert (one.statements, one.proofs) == (2, 1)
    (one,) = pull(ahead["GB"], {"KE": ahead.sources["KE"]})
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


# --- samples ---

SAMPLES = b'{"samples":"of KE"}\n'


@pytest.fixture
def revealed(network: Network) -> Network:
    """The exercise is closed; KE has revealed, and GB has planned and not sealed."""
    closed = closing(("KE", "JP"))
    for code in ("KE", "JP"):
        network[code].say(seal(code))
    network["GB"].say(closed)
    network["KE"].blobs.put(SAMPLES)
    network["KE"].say(evidence("KE", closed, SAMPLES))
    settle(network.some(["GB", *HONEST, "KE"]), network.sources)
    return network


def held(network: Network, code: str) -> bool:
    return network[code].blobs.holds(content_digest(SAMPLES))


def test_rule_3_samples_are_withheld_before_the_own_seal(revealed: Network) -> None:
    assert held(revealed, "JP")
    for code in ("GB", "SG", "FR"):
        asked = LyingPeer(revealed["KE"])
        (one,) = pull(revealed[code], {"KE": asked})
        assert one.withheld == (f"KE-sim: {code}-sim has a run plan and no seal yet",)
        assert blob_path(content_digest(SAMPLES)) not in asked.asked
        assert not held(revealed, code)
        revealed[code].say(seal(code))
        (one,) = pull(revealed[code], {"KE": asked})
        assert (one.withheld, one.samples) == ((), 1)
        assert held(revealed, code)


def test_rule_3_samples_are_withheld_before_the_closing(network: Network) -> None:
    closed = closing(CODES)
    for code in CODES:
        network[code].say(seal(code))
    network["KE"].blobs.put(SAMPLES)
    network["KE"].say(evidence("KE", closed, SAMPLES))
    settle(network.nodes, network.sources)
    assert not any(held(network, code) for code in (*HONEST, "GB", DEVELOPER))
    network["GB"].say(closed)
    settle(network.nodes, network.sources)
    assert all(held(network, code) for code in (*HONEST, "GB", DEVELOPER))


def test_rule_3_samples_that_are_not_those_signed(revealed: Network) -> None:
    revealed["GB"].say(seal("GB"))
    pull(revealed["SG"], revealed.peers("SG") | {"KE": LyingPeer(revealed["KE"])})
    liar = LyingPeer(revealed["KE"])
    liar.change_byte(blob_path(content_digest(SAMPLES)))
    kept(revealed, liar, VerificationError, "samples of KE-sim that are not those it signed")
    assert not held(revealed, "GB")


def test_samples_that_are_not_published_are_said_to_be_missing(revealed: Network) -> None:
    revealed["GB"].say(seal("GB"))
    liar = LyingPeer(revealed["KE"])
    liar.serve(blob_path(content_digest(SAMPLES)), None)
    (one,) = pull(revealed["GB"], {"KE": liar})
    assert one.withheld == ("KE-sim: the samples are not published",)


def test_rule_3_another_exercises_closing_opens_nothing(revealed: Network) -> None:
    other = PROTOCOL.model_copy(update={"name": "other-exercise"})
    closed = closing(("KE",), protocol=other)
    network = revealed
    network["GB"].say(other, closed)
    bare = b"revealed too early"
    network["JP"].blobs.put(bare)
    said = evidence("JP", closing(("JP",)), bare).model_copy(update={"closing": closed.digest})
    network["JP"].say(said)
    settle(network.some(["GB", "JP", "SG"]), network.sources)
    (one,) = pull(network["SG"], {"JP": network.sources["JP"]})
    assert one.withheld == ("JP-sim: the exercise is not closed yet",)
    assert [e for _, e in book(network["SG"]).of_kind(Evidence) if e.digest == said.digest]


# --- the witness ---


def test_rule_2_a_witness_that_lost_its_mirror_still_refuses_a_fork(network: Network) -> None:
    shutil.rmtree(network["GB"].folder.mirror("KE"))
    liar = LyingPeer(network["KE"])
    liar.serve("log/proof/0", None)
    liar.serve("log/proof/1", None)
    liar.log_more(liar.signed(plan("KE", 300)))
    liar.show_log([*liar.leaves[::-1], leaf_of(liar.signed(plan("KE", 300)))])
    kept(network, liar, VerificationError, "cannot be cosigned: the proof does not lead")
    liar.show_log(liar.leaves[::-1])
    kept(network, liar, VerificationError, "shows another tree of size 2 than before")
    liar.show_log(liar.leaves[:1])
    kept(network, liar, VerificationError, "was rolled back from size 2 to 1")


def test_a_lost_mirror_is_pulled_again(network: Network) -> None:
    before = snapshot(network["GB"].folder.root)
    shutil.rmtree(network["GB"].folder.mirror("KE"))
    (one,) = pull(network["GB"], {"KE": network.sources["KE"]})
    assert (one.statements, one.proofs) == (2, 2)
    after = snapshot(network["GB"].folder.root)
    # Tiles that only an older checkpoint needed are not published for the mirror to take.
    assert {path for path in before if after.get(path) != before[path]} <= {"index.db"}


def test_a_damaged_mirror_is_not_taken_for_a_lie(ahead: Network) -> None:
    place = ahead["GB"].folder.mirror("KE") / "tile/0/000.p/2"
    spoil(place, bytes(64))
    kept(ahead, ahead.sources["KE"], StorageError, "is damaged: its tiles do not give")


def test_an_envelope_that_was_lost_here_is_fetched_again(network: Network) -> None:
    digest = leaf_of_envelope(LyingPeer(network["KE"]).leaves[0])
    (network["GB"].folder.root / blob_path(digest)).unlink()
    pull(network["GB"], {"KE": network.sources["KE"]})
    assert network["GB"].blobs.get(digest) is not None


def test_a_cosignature_that_was_damaged_here_is_written_again(network: Network) -> None:
    place = network["GB"].folder.root / "cosignatures/KE"
    spoil(place, b"damaged")
    pull(network["GB"], {"KE": network.sources["KE"]})
    note = parse_note(place.read_bytes())
    assert [line.name for line in note.signatures] == ["ke.example/log", "gb.example/log/witness"]


class _Cosigned:
    """Every checkpoint that a node cosigns, caught as it is written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.checkpoints: list[Checkpoint] = []

        def noting(text: str, *rest: object) -> SignatureLine:
            self.checkpoints.append(parse_checkpoint(text))
            return cosign(text, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(sync, "cosign", noting)

    def roots(self) -> dict[int, set[bytes]]:
        return {
            one.size: {other.root for other in self.checkpoints if other.size == one.size}
            for one in self.checkpoints
        }


def _at_once(*jobs: Callable[[], object]) -> list[Exception]:
    errors: list[Exception] = []
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        gate.wait()
        try:
            job()
        except CountermarkError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_rule_2_two_threads_never_cosign_two_trees(
    settled: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cosigned = _Cosigned(monkeypatch)
    for turn in range(4):
        network = settled.copied(tmp_path / str(turn))
        forks = []
        for samples in (300, 301):
            liar = LyingPeer(network["KE"])
            liar.log_more(liar.signed(plan("KE", samples)))
            forks.append(liar)
        before = len(cosigned.checkpoints)
        jobs = [lambda liar=liar: pull(network.open("GB"), {"KE": liar}) for liar in forks]
        _at_once(*jobs)
        new = cosigned.checkpoints[before:]
        assert {one.size for one in new} == {3}
        assert len({one.root for one in new}) == 1
        head = network.open("GB").state.head(WITNESS, "ke.example/log")
        assert head is not None
        assert (head.size, head.root) == (3, new[0].root)
        # What is mirrored is the tree that was cosigned.
        assert network.open("GB").mirror("KE").head(network["KE"].log_signer.log_key) == head


def test_rule_2_a_fork_between_judging_and_keeping_is_not_cosigned(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same race, made certain: another process cosigns the other tree in between."""
    first, second = LyingPeer(network["KE"]), LyingPeer(network["KE"])
    first.log_more(first.signed(plan("KE", 300)))
    second.log_more(second.signed(plan("KE", 301)))
    real = sync.consider
    turns = iter([True])

    def interrupted(*given: object) -> object:
        verdict = real(*given)  # type: ignore[arg-type]
        if next(turns, False):
            pull(network.open("GB"), {"KE": second})
        return verdict

    monkeypatch.setattr(sync, "consider", interrupted)
    cosigned = _Cosigned(monkeypatch)
    (one,) = pull(network["GB"], {"KE": first})
    assert not one.changed
    assert len(cosigned.checkpoints) == 1
    mirror = network["GB"].mirror("KE").head(network["KE"].log_signer.log_key)
    assert mirror.root == cosigned.checkpoints[0].root
    kept(network, first, VerificationError, "shows another tree of size 3 than before")


def test_two_threads_that_pull_the_same_log_both_do_well(ahead: Network) -> None:
    source = ahead.sources["KE"]
    jobs = [lambda: pull(ahead.open("GB"), {"KE": source}) for _ in range(3)]
    assert _at_once(*jobs) == []
    pull(ahead["GB"], {"KE": source})
    assert ahead["GB"].mirror("KE").note() == ahead["KE"].log.note()
    assert {log.size for log in book(ahead["GB"]).logs if log.author == "KE"} == {4}


def test_a_crash_between_head_and_mirror_is_mended_by_the_next_pull(
    ahead: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr("countermark.node.blobs.Blobs.put", crash)
        with pytest.raises(Crash):
            pull(ahead.open("GB"), {"KE": ahead.sources["KE"]})
    node = ahead.open("GB")
    head = node.state.head(WITNESS, "ke.example/log")
    assert head is not None
    assert (head.size, node.mirror("KE").head(ahead["KE"].log_signer.log_key).size) == (4, 2)
    # In between, the log may grow; a fork of the tree that was to be cosigned is still refused.
    liar = LyingPeer(ahead["KE"])
    liar.serve("log/proof/2", None)
    liar.serve("log/proof/3", None)
    liar.show_log([*liar.leaves[:2], *liar.leaves[:1:-1]])
    kept(ahead, liar, VerificationError, "shows another tree of size 4 than before")
    ahead["KE"].say(plan("KE", 500))
    (one,) = pull(node, {"KE": ahead.sources["KE"]})
    assert (one.statements, one.size) == (3, 5)
    assert b"\n5\n" in (node.folder.root / "cosignatures/KE").read_bytes()


def test_a_leaf_that_holds_more_than_its_form_is_refused(network: Network) -> None:
    liar = LyingPeer(network["KE"])
    envelope = liar.signed(plan("KE", 300))
    liar.log_more(envelope)
    padded = canonical({"more": "x", "envelope": envelope.digest})
    liar.show_log([*liar.leaves, padded])
    kept(network, liar, VerificationError, "has a leaf that is not that of its statement")
