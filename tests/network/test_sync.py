# SPDX-License-Identifier: Apache-2.0
"""Nodes that pull from each other; what is kept, withheld and cosigned."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from lying_peer import LyingPeer, envelope_in, refused
from nodes import HONEST, PROTOCOL, Network, closing, evidence, plan, seal, snapshot, spoil
from sample_book import CODES, DEVELOPER

from countermark.network import sync
from countermark.network.sync import pull, settle
from countermark.node import witnessing
from countermark.node.audit import audit_node
from countermark.node.blobs import blob_path
from countermark.node.index import book
from countermark.node.log import LogFolder, append
from countermark.node.node import Node
from countermark.node.ports import PeerSource
from countermark.node.witnessing import WITNESS
from countermark.records.canonical import content_digest
from countermark.records.errors import (
    CountermarkError,
    StateError,
    StorageError,
    VerificationError,
)
from countermark.records.evidence import Evidence
from countermark.transparency.checkpoint import Checkpoint, parse_checkpoint
from countermark.transparency.cosignature import cosign
from countermark.transparency.equivocation import verify_equivocation
from countermark.transparency.note import SignatureLine, parse_note
from countermark.transparency.statement import leaf_of
from countermark.transparency.witness import consider

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
    (one,) = pull(ahead["GB"], {"KE": ahead.source("KE")})
    assert (one.code, one.statements, one.proofs, one.samples, one.size) == ("KE", 2, 2, 0, 4)
    assert one.changed
    (again,) = pull(ahead["GB"], {"KE": ahead.source("KE")})
    assert not again.changed


def test_a_developer_follows_and_does_not_cosign(settled: Network) -> None:
    root = settled[DEVELOPER].folder.root
    assert not (root / "cosignatures").exists()
    assert settled[DEVELOPER].state.head(WITNESS, "ke.example/log") is None
    assert settled["GB"].state.head(WITNESS, "ke.example/log") is not None


def test_a_peer_that_has_said_nothing_yet_is_no_fault(network: Network) -> None:
    (one,) = pull(network["GB"], {DEVELOPER: network.source(DEVELOPER)})
    assert (one.size, one.changed) == (0, False)


def test_a_peer_that_the_roster_does_not_list_is_refused(network: Network) -> None:
    before = snapshot(network["GB"].folder.root)
    with pytest.raises(StateError, match="the roster does not list with a log: ZZ"):
        pull(network["GB"], {"ZZ": network.source("KE")})
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
        pull(network[code], {"KE": network.source("KE")})
    pull(node, others)
    assert audit_node(node).problems == ()
    assert audit_node(node).statements == 260
    (one,) = pull(network["GB"], {"KE": network.source("KE")})
    assert (one.statements, one.proofs, one.size) == (258, 258, 260)
    mirror = network["GB"].mirror("KE")
    assert mirror.note() == node.log.note()
    for path in ("tile/0/000", "tile/0/001.p/4", "tile/1/000.p/1", "tile/entries/000"):
        assert mirror.read(path) == node.log.read(path) is not None
    assert all(mirror.proof(index) == node.log.proof(index) for index in range(260))


def test_one_liar_does_not_keep_the_others_from_being_pulled(ahead: Network) -> None:
    ahead["SG"].say(plan("SG", 210))
    liar = LyingPeer(ahead["KE"])
    liar.misstate_size()
    down = LyingPeer(ahead["JP"])
    down.serve("log/checkpoint", b"no note")
    sources = {"KE": liar, "JP": down, "SG": ahead.source("SG")}
    # The graver of the two is what the pull ends with.
    with pytest.raises(VerificationError, match=r"is not signed by the log ke.example/log"):
        pull(ahead["GB"], sources)
    sizes = {log.author: log.size for log in book(ahead["GB"]).logs}
    assert (sizes["SG"], sizes["KE"], sizes["JP"]) == (3, 2, 2)


# --- samples ---

SAMPLES = b'{"samples":"of KE"}\n'


@pytest.fixture(scope="module")
def settled_revealed(settled: Network, tmp_path_factory: pytest.TempPathFactory) -> Network:
    network = settled.copied(tmp_path_factory.mktemp("revealed") / "nodes")
    closed = closing(("KE", "JP"))
    for code in ("KE", "JP"):
        network[code].say(seal(code))
    network["GB"].say(closed)
    network["KE"].blobs.put(SAMPLES)
    network["KE"].say(evidence("KE", closed, SAMPLES))
    settle(network.some(["GB", *HONEST, "KE"]), network.sources)
    return network


@pytest.fixture
def revealed(settled_revealed: Network, tmp_path: Path) -> Network:
    """The exercise is closed and KE has revealed; of the others only JP has sealed."""
    return settled_revealed.copied(tmp_path / "nodes")


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
    refused(revealed, liar, VerificationError, "samples of KE-sim that are not those it signed")
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
    (one,) = pull(network["SG"], {"JP": network.source("JP")})
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
    refused(network, liar, VerificationError, "cannot be cosigned: the proof does not lead")
    liar.show_log(liar.leaves[::-1])
    refused(network, liar, VerificationError, "shows another tree of size 2 than before")
    liar.show_log(liar.leaves[:1])
    refused(network, liar, VerificationError, "was rolled back from size 2 to 1")


@pytest.mark.parametrize("size", [2, 3])
def test_rule_2_a_fork_of_what_was_cosigned_leaves_evidence(network: Network, size: int) -> None:
    shutil.rmtree(network["GB"].folder.mirror("KE"))
    liar = LyingPeer(network["KE"])
    liar.serve("log/proof/0", None)
    liar.serve("log/proof/1", None)
    more = liar.signed(plan("KE", 300))
    liar.log_more(more)
    liar.show_log([*liar.leaves[::-1], leaf_of(more)][:size])
    refused(network, liar, VerificationError, "the evidence that it signed two different logs is")
    (path,) = (network["GB"].folder.root / "evidence").iterdir()
    checks = verify_equivocation(path.read_bytes(), network["GB"].roster)
    assert all(check.ok for check in checks), checks


def test_a_lost_mirror_is_pulled_again(network: Network) -> None:
    before = snapshot(network["GB"].folder.root)
    shutil.rmtree(network["GB"].folder.mirror("KE"))
    (one,) = pull(network["GB"], {"KE": network.source("KE")})
    assert (one.statements, one.proofs) == (2, 2)
    after = snapshot(network["GB"].folder.root)
    # Tiles that only an older checkpoint needed are not published for the mirror to take.
    assert {path for path in before if after.get(path) != before[path]} <= {"index.db"}


def test_a_damaged_mirror_is_not_taken_for_a_lie(ahead: Network) -> None:
    place = ahead["GB"].folder.mirror("KE") / "tile/0/000.p/2"
    spoil(place, bytes(64))
    refused(ahead, ahead.source("KE"), StorageError, "is damaged: its tiles do not give")


def test_an_envelope_that_was_lost_here_is_fetched_again(network: Network) -> None:
    digest = envelope_in(LyingPeer(network["KE"]).leaves[0])
    (network["GB"].folder.root / blob_path(digest)).unlink()
    pull(network["GB"], {"KE": network.source("KE")})
    assert network["GB"].blobs.get(digest) is not None


def test_a_cosignature_that_was_damaged_here_is_written_again(network: Network) -> None:
    place = network["GB"].folder.root / "cosignatures/KE"
    spoil(place, b"damaged")
    pull(network["GB"], {"KE": network.source("KE")})
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


def _pulling(node: Node, source: PeerSource) -> Callable[[], object]:
    return lambda: pull(node, {"KE": source})


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
        victims = [network.open("GB"), network.open("GB")]
        _at_once(*(_pulling(*pair) for pair in zip(victims, forks, strict=True)))
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
    real = consider
    turns = iter([True])

    def interrupted(*given: object) -> object:
        verdict = real(*given)  # type: ignore[arg-type]
        if next(turns, False):
            pull(network.open("GB"), {"KE": second})
        return verdict

    monkeypatch.setattr(witnessing, "consider", interrupted)
    cosigned = _Cosigned(monkeypatch)
    (one,) = pull(network["GB"], {"KE": first})
    assert not one.changed
    assert len(cosigned.checkpoints) == 1
    mirror = network["GB"].mirror("KE").head(network["KE"].log_signer.log_key)
    assert mirror.root == cosigned.checkpoints[0].root
    refused(network, first, VerificationError, "shows another tree of size 3 than before")


def test_two_threads_that_pull_the_same_log_both_do_well(ahead: Network) -> None:
    source = ahead.source("KE")
    assert _at_once(*(_pulling(ahead.open("GB"), source) for _ in range(3))) == []
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
            pull(ahead.open("GB"), {"KE": ahead.source("KE")})
    node = ahead.open("GB")
    head = node.state.head(WITNESS, "ke.example/log")
    assert head is not None
    assert (head.size, node.mirror("KE").head(ahead["KE"].log_signer.log_key).size) == (4, 2)
    # In between, the log may grow; a fork of the tree that was to be cosigned is still refused.
    liar = LyingPeer(ahead["KE"])
    liar.serve("log/proof/2", None)
    liar.serve("log/proof/3", None)
    liar.show_log([*liar.leaves[:2], *liar.leaves[:1:-1]])
    refused(ahead, liar, VerificationError, "shows another tree of size 4 than before")
    ahead["KE"].say(plan("KE", 500))
    (one,) = pull(node, {"KE": ahead.source("KE")})
    assert (one.statements, one.size) == (3, 5)
    assert b"\n5\n" in (node.folder.root / "cosignatures/KE").read_bytes()


def test_rule_6_of_two_pulls_at_once_the_slower_keeps_nothing(
    ahead: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fetched the log when it was shorter, and must not take the mirror back."""
    early, code = LyingPeer(ahead["KE"]), "example-developer"
    early.show_log(early.leaves[:3])
    early.serve("log/proof/2", None)
    real, turns = sync._witnessed, iter([True])

    def interrupted(*given: object) -> bool:
        if next(turns, False):
            (quick,) = pull(ahead.open(code), {"KE": ahead.source("KE")})
            assert quick.size == 4
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(sync, "_witnessed", interrupted)
    (slow,) = pull(ahead.open(code), {"KE": early})
    assert not slow.changed
    assert ahead.open(code).mirror("KE").note() == ahead["KE"].log.note()


def test_rule_6_a_mirror_is_written_by_one_pull_at_a_time(
    ahead: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = threading.Thread(target=_pulling(ahead.open("GB"), ahead.source("KE")))
    waiting: list[threading.Thread] = []
    real = LogFolder.write

    def slowly(self: LogFolder, name: str, data: bytes) -> None:
        if not waiting and "peers" in self.path.parts:
            waiting.append(other)
            other.start()
            other.join(0.5)
            assert other.is_alive()
        real(self, name, data)

    monkeypatch.setattr(LogFolder, "write", slowly)
    pull(ahead.open("GB"), {"KE": ahead.source("KE")})
    other.join()
    assert waiting
    assert ahead["GB"].mirror("KE").note() == ahead["KE"].log.note()
