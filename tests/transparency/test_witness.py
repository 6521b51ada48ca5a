# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.records.errors import InputError
from countermark.signing.vkey import VerifierKey
from countermark.transparency import tree
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.note import Note, NoteSigner, SignatureLine
from countermark.transparency.tree import leaf_hash, root_hash
from countermark.transparency.witness import (
    NOTHING_SEEN,
    AddCheckpoint,
    Verdict,
    WitnessState,
    consider,
    parse_request,
)
from tests.transparency.conftest import private

SIGNER = NoteSigner("example.com/log", private("log"))
LEAVES = [leaf_hash(b"%d" % i) for i in range(40)]


class LyingLog:
    """A log that can serve any history it likes under one key."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def checkpoint(self, size: int, signer: NoteSigner = SIGNER) -> Note:
        root = root_hash(self.leaves[:size])
        return sign_checkpoint(Checkpoint(signer.name, size, root), signer)

    def request(self, old: int, size: int) -> AddCheckpoint:
        proof = tree.consistency_proof(self.leaves[:size], old) if old <= size else ()
        return AddCheckpoint(old, proof, self.checkpoint(size))

    def fork(self, at: int) -> "LyingLog":
        """The same history up to ``at``, another one after it."""
        return LyingLog(self.leaves[:at] + [leaf_hash(b"lie %d" % i) for i in range(at, 40)])


class Witness:
    """A witness whose store is a dictionary."""

    def __init__(self) -> None:
        self.logs: dict[str, VerifierKey] = {SIGNER.name: SIGNER.log_key}
        self.states: dict[str, WitnessState] = {}

    def add(self, request: AddCheckpoint | bytes) -> Verdict:
        body = request if isinstance(request, bytes) else request.to_bytes()
        verdict = consider(body, self.logs, self.states.get)
        if verdict.status == 200 and verdict.checkpoint and verdict.state:
            origin = verdict.checkpoint.origin
            assert self.states.get(origin, NOTHING_SEEN) == verdict.before
            self.states[origin] = verdict.state
        return verdict


LOG = LyingLog(LEAVES)


@pytest.fixture
def witness() -> Witness:
    return Witness()


def test_all_rules_hold_for_an_honest_log(witness: Witness) -> None:
    sizes = [0, 1, 1, 7, 8, 40, 40]
    for old, new in zip([0, *sizes], sizes, strict=False):
        verdict = witness.add(LOG.request(old, new))
        assert (verdict.status, verdict.rule) == (200, 0)
        assert verdict.state == WitnessState(new, root_hash(LEAVES[:new]))
        assert verdict.checkpoint is not None
        assert verdict.checkpoint.size == new


BODY = LOG.request(3, 8).to_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        BODY.replace(b"old 3", b"old 03"),
        BODY.replace(b"old 3", b"new 3"),
        BODY.replace(b"old 3", b"old -3"),
        BODY.replace(b"\n\n", b"\n", 1),
        BODY.replace(b"=\n", b"\n", 1),
        BODY.replace(b"old 3\n", b"old 3\n" + b"A" * 43 + b"=\n" * 64),
        BODY.replace(b"old 3\n", b"old 3\n" + (b"A" * 43 + b"=\n") * 64),
        BODY.replace(b"old 3\n", b"old 3\nAAAA\n"),
        BODY.replace(b"\n8\n", b"\n08\n"),
        BODY[:-1],
    ],
)
def test_rule_1_malformed_requests(witness: Witness, body: bytes) -> None:
    verdict = witness.add(body)
    assert (verdict.status, verdict.rule) == (400, 1)
    with pytest.raises(InputError):
        parse_request(body)


def test_rule_2_an_unknown_log(witness: Witness) -> None:
    stranger = NoteSigner("stranger.example/log", SIGNER.private)
    verdict = witness.add(AddCheckpoint(0, (), LOG.checkpoint(8, stranger)))
    assert (verdict.status, verdict.rule) == (404, 2)


def test_rule_3_another_key(witness: Witness) -> None:
    imposter = NoteSigner(SIGNER.name, private("imposter"))
    verdict = witness.add(AddCheckpoint(0, (), LOG.checkpoint(8, imposter)))
    assert (verdict.status, verdict.rule) == (403, 3)


def test_rule_3_a_good_line_beside_a_bad_one_of_the_same_key(witness: Witness) -> None:
    note = LOG.checkpoint(8)
    bad = SignatureLine(SIGNER.name, SIGNER.log_key.key_id, b"\x00" * 64)
    verdict = witness.add(AddCheckpoint(0, (), Note(note.text, (*note.signatures, bad))))
    assert (verdict.status, verdict.rule) == (403, 3)
    stranger = SignatureLine("someone", b"1234", b"\x00" * 64)
    verdict = witness.add(AddCheckpoint(0, (), Note(note.text, (*note.signatures, stranger))))
    assert verdict.status == 200


def test_rule_4_an_old_size_above_the_new_one(witness: Witness) -> None:
    verdict = witness.add(LOG.request(9, 8))
    assert (verdict.status, verdict.rule) == (400, 4)


@pytest.mark.parametrize(("old", "new"), [(0, 20), (7, 20), (9, 20), (0, 5), (5, 5)])
def test_rule_5_another_old_size_is_answered_with_the_right_one(
    witness: Witness, old: int, new: int
) -> None:
    witness.add(LOG.request(0, 8))
    verdict = witness.add(LOG.request(old, new))
    assert (verdict.status, verdict.rule, verdict.body) == (409, 5, b"8\n")
    assert verdict.content_type == "text/x.tlog.size"
    assert witness.states[SIGNER.name].size == 8


def test_rule_6_the_liar_shows_another_tree_of_the_same_size(witness: Witness) -> None:
    witness.add(LOG.request(0, 8))
    verdict = witness.add(LOG.fork(5).request(8, 8))
    assert (verdict.status, verdict.rule, verdict.body) == (409, 6, b"8\n")


@pytest.mark.parametrize("fork", range(8))
@pytest.mark.parametrize("size", [9, 15, 16, 33])
def test_rule_7_the_liar_grows_another_history(witness: Witness, fork: int, size: int) -> None:
    witness.add(LOG.request(0, 8))
    liar = LOG.fork(fork)
    honest = tree.consistency_proof(LEAVES[:size], 8)
    for proof in (liar.request(8, size).proof, honest, (), honest[:-1], (*honest, b"\0" * 32)):
        verdict = witness.add(AddCheckpoint(8, proof, liar.checkpoint(size)))
        assert (verdict.status, verdict.rule) == (422, 7)
    assert witness.states[SIGNER.name] == WitnessState(8, root_hash(LEAVES[:8]))


def test_rule_7_a_proof_from_nothing_is_empty(witness: Witness) -> None:
    verdict = witness.add(AddCheckpoint(0, (b"\0" * 32,), LOG.checkpoint(8)))
    assert (verdict.status, verdict.rule) == (422, 7)


def test_of_two_requests_at_once_the_store_takes_one() -> None:
    """Both are judged against the same state; compare-and-swap on `before` lets one through."""
    first = consider(LOG.request(0, 8).to_bytes(), {SIGNER.name: SIGNER.log_key}, lambda _: None)
    second = consider(LOG.request(0, 20).to_bytes(), {SIGNER.name: SIGNER.log_key}, lambda _: None)
    assert first.before == second.before == NOTHING_SEEN
    stored = second.state
    assert first.before != stored


@given(st.integers(0, 40), st.integers(0, 40))
def test_requests_round_trip(old: int, size: int) -> None:
    request = LOG.request(min(old, size), size)
    assert parse_request(request.to_bytes()) == request
