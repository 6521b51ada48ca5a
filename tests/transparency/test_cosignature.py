# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime

import pytest

from countermark.records.errors import InputError
from countermark.signing.vkey import parse_vkey
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import (
    Cosignature,
    claimed_seconds,
    cosign,
    verify_cosignature,
    with_cosignatures,
)
from countermark.transparency.note import NoteSigner, SignatureLine, parse_note
from tests.transparency.conftest import (
    NOON,
    PUBLIC_CHECKPOINT,
    PUBLIC_ORIGIN,
    PUBLIC_WITNESS,
    private,
)

LOG = NoteSigner("example.com/log", private("log"))
WITNESS = NoteSigner("w.example", private("witness"))
NOTE = sign_checkpoint(Checkpoint("example.com/log", 7, b"r" * 32), LOG)
LINE = cosign(NOTE.text, WITNESS, NOON)


def test_a_public_witness_is_understood() -> None:
    note = parse_note(PUBLIC_CHECKPOINT.encode())
    key = parse_vkey(PUBLIC_WITNESS, where="witness")
    found = verify_cosignature(note.signatures[1], key, note.text)
    assert found == Cosignature("remora.n621.de", 0x6A122120)
    assert found.time.year == 2026
    assert (
        verify_cosignature(note.signatures[1], key, note.text.replace(PUBLIC_ORIGIN, "x")) is None
    )


def test_a_cosignature_says_who_and_when() -> None:
    found = verify_cosignature(LINE, WITNESS.witness_key, NOTE.text)
    assert found == Cosignature("w.example", int(NOON.timestamp()))
    assert found.time == NOON


def test_any_changed_bit_of_it_is_seen() -> None:
    for position in range(72 * 8):
        changed = bytearray(LINE.signature)
        changed[position // 8] ^= 1 << position % 8
        line = SignatureLine(LINE.name, LINE.key_id, bytes(changed))
        assert verify_cosignature(line, WITNESS.witness_key, NOTE.text) is None


def test_it_is_good_for_no_other_text_key_name_or_algorithm() -> None:
    other = NoteSigner("w.example", private("other"))
    renamed = NoteSigner("v.example", private("witness"))
    assert verify_cosignature(LINE, WITNESS.witness_key, NOTE.text + "x") is None
    assert verify_cosignature(LINE, other.witness_key, NOTE.text) is None
    assert verify_cosignature(LINE, renamed.witness_key, NOTE.text) is None
    assert verify_cosignature(LINE, WITNESS.log_key, NOTE.text) is None
    plain = SignatureLine("w.example", WITNESS.witness_key.key_id, LINE.signature[8:])
    assert verify_cosignature(plain, WITNESS.witness_key, NOTE.text) is None


@pytest.mark.parametrize("seconds", [0, 253_402_300_800, 2**63, 2**64 - 1])
def test_times_out_of_range_are_none(seconds: int) -> None:
    line = SignatureLine("w", b"1234", seconds.to_bytes(8, "big") + b"s" * 64)
    assert claimed_seconds(line) is None


def test_the_epoch_cannot_be_cosigned() -> None:
    with pytest.raises(InputError, match="0 seconds"):
        cosign(NOTE.text, WITNESS, datetime(1970, 1, 1, tzinfo=UTC))


def test_lines_are_put_in_order() -> None:
    early = cosign(NOTE.text, NoteSigner("a.example", private("a")), NOON)
    note = with_cosignatures(NOTE, [LINE, early], origin="example.com/log")
    names = [line.name for line in note.signatures]
    assert names == ["example.com/log", "a.example", "w.example"]
