# SPDX-License-Identifier: Apache-2.0
"""ML-DSA-44 cosignatures (C2SP tlog-cosignature, type 0x06).

``mldsa44_checkpoint.txt`` holds a verifier key and a checkpoint signed by another implementation:
test data of filippo.io/torchwood, ``cmd/litewitness/testdata/mldsa.txt`` at commit fac5716.
"""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from countermark.records.errors import InputError
from countermark.signing.encoding import to_base64
from countermark.signing.party import WitnessKey
from countermark.signing.quorum import parse_policy
from countermark.signing.vkey import COSIGNATURE_V1, MLDSA44_COSIGNATURE, VerifierKey, parse_vkey
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import (
    Cosignature,
    MldsaSigner,
    _message,
    claimed_seconds,
    cosign,
    verify_cosignature,
    with_cosignatures,
)
from countermark.transparency.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    NoteSigner,
    SignatureLine,
    parse_note,
)
from tests.transparency.conftest import NOON, private

FOREIGN = Path(__file__).with_name("mldsa44_checkpoint.txt")
SECONDS = int(NOON.timestamp())
CHECKPOINT = Checkpoint("example.com/log", 7, bytes(range(32)))
LOG = NoteSigner("example.com/log", private("log"))


def signer(name: str, seed: str = "mldsa witness") -> MldsaSigner:
    digest = hashlib.sha256(seed.encode()).digest()
    return MldsaSigner(name, MLDSA44PrivateKey.from_seed_bytes(digest))


WITNESS = signer("w.example/pq")
KEY = WITNESS.witness_key
LINE = cosign(CHECKPOINT.text, WITNESS, NOON)


def relabelled(line: SignatureLine, key: VerifierKey) -> SignatureLine:
    """The same signature, claimed by another key."""
    return SignatureLine(key.name, key.key_id, line.signature)


def test_a_cosignature_says_who_and_when() -> None:
    assert len(LINE.signature) == 8 + 2420
    assert LINE.signature[:8] == SECONDS.to_bytes(8, "big")
    assert claimed_seconds(LINE) == SECONDS
    assert verify_cosignature(LINE, KEY, CHECKPOINT.text) == Cosignature("w.example/pq", SECONDS)


def test_what_is_signed_is_the_structure_written_out_by_hand() -> None:
    written_out = bytes.fromhex(
        "737562747265652f76310a00"  # subtree/v1 LF NUL
        "0c 772e6578616d706c652f7071"  # w.example/pq
        "0000000069a42a40"  # 2026-03-01T12:00:00Z
        "0f 6578616d706c652e636f6d2f6c6f67"  # example.com/log
        "0000000000000000"  # from leaf 0
        "0000000000000007"  # to leaf 7
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    )  # fmt: skip
    assert _message(KEY, CHECKPOINT.text, SECONDS) == written_out
    WITNESS.private.public_key().verify(LINE.signature[8:], written_out)  # raises if it is not


def test_the_key_has_the_text_and_id_that_c2sp_says() -> None:
    public = WITNESS.private.public_key().public_bytes_raw()
    key_id = hashlib.sha256(b"w.example/pq\n\x06" + public).digest()[:4]
    assert KEY.text == f"w.example/pq+{key_id.hex()}+" + to_base64(b"\x06" + public)
    assert parse_vkey(KEY.text, where="x") == KEY


def test_a_checkpoint_of_another_implementation_verifies() -> None:
    vkey, _, note_text = FOREIGN.read_text().partition("\n")
    key = parse_vkey(vkey, where="x")
    note = parse_note(note_text.encode())
    line = note.signatures[0]
    assert line.is_by(key)
    assert key.algorithm == MLDSA44_COSIGNATURE
    assert key.verifies(line.signature[8:], _message(key, note.text, 0))
    assert not key.verifies(line.signature[8:], _message(key, note.text, 1))
    # It gives no time, so it is no witness's word on when.
    assert line.signature[:8] == bytes(8)
    assert verify_cosignature(line, key, note.text) is None


def test_a_changed_origin_size_or_root_is_seen() -> None:
    for changed in (
        Checkpoint("example.com/lof", 7, CHECKPOINT.root),
        Checkpoint("example.com/log", 8, CHECKPOINT.root),
        Checkpoint("example.com/log", 7, bytes(32)),
    ):
        assert verify_cosignature(LINE, KEY, changed.text) is None
    assert verify_cosignature(LINE, KEY, CHECKPOINT.text + "extension\n") is None
    assert verify_cosignature(LINE, KEY, "no checkpoint\n") is None


def test_a_changed_time_is_seen() -> None:
    for seconds in (0, 1, SECONDS - 1, SECONDS + 1, 2**63):
        moved = seconds.to_bytes(8, "big") + LINE.signature[8:]
        line = SignatureLine(LINE.name, LINE.key_id, moved)
        assert verify_cosignature(line, KEY, CHECKPOINT.text) is None


def test_the_name_is_signed_too() -> None:
    renamed = VerifierKey("v.example/pq", MLDSA44_COSIGNATURE, KEY.public)
    assert verify_cosignature(relabelled(LINE, renamed), renamed, CHECKPOINT.text) is None
    # An Ed25519 cosignature does not commit to the name: whoever has the key may claim it.
    old = NoteSigner("w.example", private("w"))
    line = cosign(CHECKPOINT.text, old, NOON)
    other = VerifierKey("v.example", COSIGNATURE_V1, old.witness_key.public)
    assert verify_cosignature(relabelled(line, other), other, CHECKPOINT.text)


def test_another_key_or_algorithm_does_not_verify_it() -> None:
    other = signer("w.example/pq", "another").witness_key
    assert verify_cosignature(relabelled(LINE, other), other, CHECKPOINT.text) is None
    assert verify_cosignature(LINE, other, CHECKPOINT.text) is None
    old = NoteSigner("w.example/pq", private("w"))
    claimed = relabelled(LINE, old.witness_key)
    assert verify_cosignature(claimed, old.witness_key, CHECKPOINT.text) is None
    line = cosign(CHECKPOINT.text, old, NOON)
    assert verify_cosignature(relabelled(line, KEY), KEY, CHECKPOINT.text) is None


@given(st.integers(0, 8 * 2428 - 1))
def test_a_changed_bit_is_seen(place: int) -> None:
    changed = bytearray(LINE.signature)
    changed[place // 8] ^= 1 << place % 8
    line = SignatureLine(LINE.name, LINE.key_id, bytes(changed))
    assert verify_cosignature(line, KEY, CHECKPOINT.text) is None


@pytest.mark.parametrize("length", [0, 8, 72, 2427, 2429, 4856])
def test_other_lengths_are_refused(length: int) -> None:
    line = SignatureLine(LINE.name, LINE.key_id, (LINE.signature * 2)[:length])
    assert verify_cosignature(line, KEY, CHECKPOINT.text) is None


def test_names_that_do_not_fit_the_structure_are_refused() -> None:
    fits, long = "é" * 127 + "x", "é" * 128
    assert verify_cosignature(
        cosign(CHECKPOINT.text, signer(fits), NOON), signer(fits).witness_key, CHECKPOINT.text
    )
    with pytest.raises(InputError, match="256 bytes"):
        cosign(CHECKPOINT.text, signer(long), NOON)
    text = Checkpoint(long, 7, bytes(32)).text
    with pytest.raises(InputError, match="256 bytes"):
        cosign(text, WITNESS, NOON)
    assert verify_cosignature(LINE, KEY, text) is None


def test_a_note_full_of_them_is_read() -> None:
    note = sign_checkpoint(CHECKPOINT, LOG)
    signers = [signer(f"w{number}.example") for number in range(MAX_SIGNATURES - 1)]
    lines = [cosign(note.text, one, NOON) for one in signers]
    whole = with_cosignatures(note, lines, origin=LOG.name)
    assert len(LINE.text.encode()) == 3262
    assert len(whole.to_bytes()) < MAX_NOTE_BYTES
    read = parse_note(whole.to_bytes())
    assert read == whole
    assert read.signed_by(LOG.log_key)
    assert all(
        any(verify_cosignature(line, one.witness_key, read.text) for line in read.signatures)
        for one in signers
    )


def test_it_signs_no_note_as_a_log() -> None:
    line = cosign(CHECKPOINT.text, signer(LOG.name), NOON)
    note = with_cosignatures(sign_checkpoint(CHECKPOINT, LOG), [line], origin=LOG.name)
    assert note.signed_by(LOG.log_key)
    assert not note.signed_by(signer(LOG.name).witness_key)


def test_neither_roster_nor_policy_may_list_one() -> None:
    with pytest.raises(ValidationError, match="algorithm 0x06"):
        WitnessKey(name=KEY.name, vkey=KEY.text, valid_from="2026-01-01T00:00:00Z")
    with pytest.raises(InputError, match="algorithm 0x06"):
        parse_policy(f"witness w {KEY.text}\nquorum w\n".encode())
