# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.records.errors import InputError
from countermark.signing.encoding import to_base64
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, with_cosignatures
from countermark.transparency.note import NoteSigner
from countermark.transparency.proof import HEADER, TlogProof, parse_proof
from tests.transparency.conftest import NOON, private

ORIGIN = "example.com/log"
LOG = NoteSigner(ORIGIN, private("log"))
SIGNED = sign_checkpoint(Checkpoint(ORIGIN, 9, b"r" * 32), LOG)
LINE = cosign(SIGNED.text, NoteSigner("w.example", private("w")), NOON)
NOTE = with_cosignatures(SIGNED, [LINE], origin=ORIGIN)
PROOF = TlogProof(5, (b"a" * 32, b"b" * 32), NOTE)
TEXT = PROOF.to_text()
HASH = to_base64(b"a" * 32)


def test_the_lines_are_those_of_the_specification() -> None:
    expected = f"{HEADER}\nindex 5\n{HASH}\n{to_base64(b'b' * 32)}\n\n{NOTE.to_text()}"
    assert expected == TEXT
    with_extra = TlogProof(0, (), NOTE, b"more").to_text()
    assert with_extra == f"{HEADER}\nextra bW9yZQ==\nindex 0\n\n{NOTE.to_text()}"
    assert parse_proof(TEXT.encode()).checkpoint == Checkpoint(ORIGIN, 9, b"r" * 32)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (1, TEXT.replace("@v1", "@v2")),
        (1, "\n" + TEXT),
        (1, ""),
        (2, TEXT.replace("index 5", "extra bW9yZR==\nindex 5")),
        (2, TEXT.replace("index 5", "index 5\nextra bW9yZQ==")),
        (3, TEXT.replace("index 5\n", "")),
        (3, TEXT.replace("index 5", "index 05")),
        (3, TEXT.replace("index 5", "index  5")),
        (3, TEXT.replace("index 5", "index -5")),
        (3, TEXT.replace("index 5", "Index 5")),
        (4, TEXT.replace(HASH, HASH[:-4])),
        (4, TEXT.replace(HASH, HASH + " ")),
        (4, TEXT.replace(HASH, "\n".join([HASH] * 63))),
        (5, TEXT.replace("\n\n", "\n")),
        (5, TEXT.partition("\n\n")[0] + "\n\n"),
        (5, TEXT.replace("\n9\n", "\n09\n")),
        (5, TEXT.replace("\n", "\r\n")),
    ],
)
def test_rules_1_to_5_malformed_proofs(rule: int, text: str) -> None:
    with pytest.raises(InputError):
        parse_proof(text.encode(), where=f"rule {rule}")


HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple)


@given(st.integers(0, 2**63 - 1), HASHES, st.none() | st.binary())
def test_proofs_round_trip(index: int, hashes: tuple[bytes, ...], extra: bytes | None) -> None:
    proof = TlogProof(index, hashes, NOTE, extra)
    assert parse_proof(proof.to_bytes()) == proof


@given(st.integers(0, len(TEXT.encode()) - 1), st.integers(0, 255))
def test_whatever_parses_writes_back_the_same(position: int, value: int) -> None:
    data = bytearray(TEXT.encode())
    data[position] = value
    try:
        proof = parse_proof(bytes(data))
    except InputError:
        return
    assert proof.to_bytes() == bytes(data)
