# SPDX-License-Identifier: Apache-2.0
import threading
from dataclasses import replace

import pytest
from nodes import HONEST, Network, plan, snapshot

from countermark.node.index import book
from countermark.node.log import LogFolder
from countermark.node.node import Node
from countermark.node.witnessed import collect, quorum_of, sightings_of
from countermark.signing.keys import generate_key
from countermark.transparency.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign
from countermark.transparency.note import Note, NoteSigner, SignatureLine
from countermark.transparency.proof import parse_proof
from countermark.transparency.statement import StatementFile
from countermark.transparency.verify import verify_statement


class Crash(BaseException):
    pass


@pytest.fixture
def node(network: Network) -> Node:
    """KE has said two things that nobody has witnessed yet."""
    network["KE"].say(plan("KE", 300), plan("KE", 301))
    return network["KE"]


def checkpoint(node: Node) -> Note:
    note = node.log.note()
    assert note is not None
    return note


def by(network: Network, code: str, note: Note) -> SignatureLine:
    return cosign(note.text, network[code].witness_signer, network.clock())


def offer(note: Note, *lines: SignatureLine) -> bytes:
    return Note(note.text, (note.signatures[0], *lines)).to_bytes()


def names(node: Node) -> list[str]:
    return [line.name for line in checkpoint(node).signatures]


def test_cosignatures_are_gathered_and_sorted(network: Network, node: Node) -> None:
    note = checkpoint(node)
    assert collect(node, [offer(note, by(network, code, note)) for code in ("SG", "GB")])
    assert names(node) == ["ke.example/log", "gb.example/log/witness", "sg.example/log/witness"]
    # Two are no quorum: nothing is proved yet.
    assert not quorum_of(checkpoint(node), node.roster).met
    assert node.log.proof(2) is None
    assert collect(node, [offer(note, by(network, "JP", note))])
    assert quorum_of(checkpoint(node), node.roster).met
    for index in (2, 3):
        proof = parse_proof(node.log.proof(index) or b"")
        assert (proof.index, proof.note) == (index, checkpoint(node))


def test_the_proofs_verify(network: Network, node: Node) -> None:
    note = checkpoint(node)
    collect(node, [offer(note, by(network, code, note)) for code in HONEST])
    for entry in book(node).entries:
        if entry.author == "KE":
            proof = parse_proof(node.log.proof(entry.index) or b"")
            statement = StatementFile(node.envelope(entry.envelope), proof)
            assert verify_statement(statement.to_bytes(), node.roster, node.clock()).valid


def test_the_own_witness_does_not_count(network: Network, node: Node) -> None:
    note = checkpoint(node)
    collect(node, [offer(note, by(network, code, note)) for code in ("KE", "SG", "GB")])
    verdict = quorum_of(checkpoint(node), node.roster)
    assert (verdict.met, verdict.own) == (False, "ke.example/log/witness")
    assert node.log.proof(2) is None


def test_what_was_gathered_once_is_not_gathered_again(network: Network, node: Node) -> None:
    note = checkpoint(node)
    first, later = by(network, "SG", note), by(network, "SG", note)
    assert first != later
    assert collect(node, [offer(note, first)])
    before = snapshot(node.folder.root)
    assert not collect(node, [offer(note, later)])
    assert not collect(node, [])
    assert snapshot(node.folder.root) == before


def _stranger(network: Network, note: Note) -> SignatureLine:
    return cosign(note.text, NoteSigner("zz.example/witness", generate_key()), network.clock())


def _rostered_name_other_key(network: Network, note: Note) -> SignatureLine:
    return cosign(note.text, NoteSigner("jp.example/log/witness", generate_key()), network.clock())


def _forged(network: Network, note: Note) -> SignatureLine:
    line = by(network, "JP", note)
    return replace(line, signature=line.signature[:-1] + bytes([line.signature[-1] ^ 1]))


def _backdated(network: Network, note: Note) -> SignatureLine:
    line = by(network, "JP", note)
    return replace(line, signature=(1).to_bytes(8, "big") + line.signature[8:])


def _plain_signature(network: Network, note: Note) -> SignatureLine:
    signer = network["JP"].witness_signer
    line = by(network, "JP", note)
    return replace(line, signature=signer.private.sign(note.text.encode()))


def _of_another_checkpoint(network: Network, note: Note) -> SignatureLine:
    seen = parse_checkpoint(note.text)
    return by(network, "JP", Note(replace(seen, size=seen.size + 1).text, ()))


FOREIGN = [
    _stranger,
    _rostered_name_other_key,
    _forged,
    _backdated,
    _plain_signature,
    _of_another_checkpoint,
]


@pytest.mark.parametrize("line", FOREIGN)
def test_lines_of_others_and_false_ones_are_passed_over(
    network: Network, node: Node, line: object
) -> None:
    assert callable(line)
    note = checkpoint(node)
    bad = line(network, note)
    before = snapshot(node.folder.root)
    assert not collect(node, [offer(note, bad)])
    assert snapshot(node.folder.root) == before
    # A false line beside a true one of the same name must not take its place.
    true = by(network, "JP", note)
    for lines in ((true, bad), (bad, true)):
        assert list(sightings_of(Note(note.text, lines), node.roster)) == [true]
    assert collect(node, [offer(note, true, bad), offer(note, bad)])
    assert checkpoint(node).signatures == (*note.signatures, true)


def test_cosignatures_of_another_checkpoint_are_passed_over(network: Network, node: Node) -> None:
    note = checkpoint(node)
    older = Checkpoint("ke.example/log", 3, bytes(32))
    for other in (older, replace(parse_checkpoint(note.text), root=bytes(32))):
        theirs = sign_checkpoint(other, node.log_signer)
        assert not collect(node, [offer(theirs, by(network, "JP", theirs))])


@pytest.mark.parametrize("data", [b"", b"\xff", b"no note", b"x" * 300_000, b"a\n\n- b c\n"])
def test_a_broken_note_does_not_stop_the_others(network: Network, node: Node, data: bytes) -> None:
    note = checkpoint(node)
    assert collect(node, [data, offer(note, by(network, "JP", note)), data])
    assert names(node) == ["ke.example/log", "jp.example/log/witness"]


def test_a_log_without_a_checkpoint_gathers_nothing(network: Network) -> None:
    node = network["example-developer"]
    assert not collect(node, [network["KE"].log.read("checkpoint") or b""])
    assert node.log.note() is None


def test_a_proof_is_that_of_the_earliest_quorum(network: Network, node: Node) -> None:
    note = checkpoint(node)
    collect(node, [offer(note, by(network, code, note)) for code in HONEST])
    first = [node.log.proof(index) for index in range(4)]
    collect(node, [offer(note, by(network, "GB", note))])
    node.say(plan("KE", 302))
    note = checkpoint(node)
    collect(node, [offer(note, by(network, code, note)) for code in HONEST])
    assert [node.log.proof(index) for index in range(4)] == first
    assert node.log.proof(4) is not None


@pytest.mark.parametrize("files", [0, 1, 2])
def test_a_crash_while_proving_is_mended_by_the_next_pull(
    network: Network, node: Node, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    """Two proofs and the checkpoint are written; the crash comes before each of them."""
    note = checkpoint(node)
    offers = [offer(note, by(network, code, note)) for code in HONEST]
    left, real = iter(range(files)), LogFolder.write

    def write(self: LogFolder, name: str, data: bytes) -> None:
        if next(left, None) is None:
            raise Crash
        real(self, name, data)

    with monkeypatch.context() as patched:
        patched.setattr(LogFolder, "write", write)
        with pytest.raises(Crash):
            collect(network.open("KE"), offers)
    # More may have been said before the next pull.
    assert collect(network.open("KE"), offers)
    assert all(node.log.proof(index) for index in range(4))
    assert len(checkpoint(node).signatures) == 4


def test_a_checkpoint_published_meanwhile_is_not_taken_back(
    network: Network, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody says something while cosignatures are gathered: it has to wait, and wins."""
    note = checkpoint(node)
    offers = [offer(note, by(network, code, note)) for code in HONEST]
    other = network.open("KE")
    thread = threading.Thread(target=lambda: other.say(plan("KE", 303)))
    real = LogFolder.write

    def slowly(self: LogFolder, name: str, data: bytes) -> None:
        if name == "checkpoint" and not thread.ident:
            thread.start()
            thread.join(0.3)
        real(self, name, data)

    monkeypatch.setattr(LogFolder, "write", slowly)
    collect(node, offers)
    thread.join()
    assert parse_checkpoint(checkpoint(node).text).size == 5
