# SPDX-License-Identifier: Apache-2.0
"""Golden keys are those of C2SP signed-note, golang.org/x/mod and a public witness."""

import pytest

from countermark.records.errors import InputError
from countermark.signing.vkey import (
    COSIGNATURE_V1,
    ED25519,
    VerifierKey,
    is_key_name,
    parse_vkey,
)
from tests.signing.conftest import private

SPEC = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
GO = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PLUS = "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6"
WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


@pytest.mark.parametrize(
    ("text", "name", "algorithm"),
    [
        (SPEC, "example.com/foo", ED25519),
        (GO, "PeterNeumann", ED25519),
        (PLUS, "TEST", ED25519),
        (WITNESS, "remora.n621.de", COSIGNATURE_V1),
    ],
)
def test_rule_4_keys_of_other_implementations(text: str, name: str, algorithm: int) -> None:
    key = parse_vkey(text, where="x")
    assert (key.name, key.algorithm, key.text) == (name, algorithm, text)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (1, SPEC.replace("example.com/foo", "")),
        (1, SPEC.replace("example.com/foo", "example.com foo")),
        (1, SPEC.replace("example.com/foo", "example.com\u3000foo")),
        (1, SPEC.replace("example.com/foo", "example.com\x01foo")),
        (2, "example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
        (3, SPEC[:-4]),
        (3, SPEC + "AAAA"),
        (3, SPEC.replace("530d903a", "530D903A")),
        (3, SPEC.replace("530d903a", "530d903")),
        (3, PLUS[:-1] + "7"),
        (3, SPEC + "\n"),
        (3, "example.com/foo+530d903a+"),
        (3, "example.com/foo+530d903a"),
        (3, ""),
        (4, SPEC.replace("530d903a", "530d903b")),
        (4, SPEC.replace("com/foo", "com/bar")),
        (4, SPEC.replace("Aeky", "BEky")),
    ],
)
def test_rules_1_to_4_malformed_keys(rule: int, text: str) -> None:
    with pytest.raises(InputError):
        parse_vkey(text, where=f"rule {rule}")


def test_every_cut_of_a_key_is_refused() -> None:
    for start in range(len(GO)):
        for end in range(start + 1, len(GO) + 1):
            if (start, end) != (0, len(GO)):
                with pytest.raises(InputError):
                    parse_vkey(GO[start:end], where="x")


def test_a_key_verifies_its_own_signatures_only() -> None:
    key = VerifierKey("k", ED25519, private("k").public_key().public_bytes_raw())
    signature = private("k").sign(b"message")
    assert key.verifies(signature, b"message")
    assert not key.verifies(signature, b"massage")
    assert not key.verifies(signature[:-1], b"message")
    assert not key.verifies(b"", b"message")
    assert not key.verifies(private("other").sign(b"message"), b"message")


def test_a_malleable_signature_is_refused() -> None:
    """Adding the group order to S gives another text that weak verifiers accept."""
    order = 2**252 + 27742317777372353535851937790883648493
    signature = private("k").sign(b"message")
    s = int.from_bytes(signature[32:], "little") + order
    key = VerifierKey("k", ED25519, private("k").public_key().public_bytes_raw())
    assert not key.verifies(signature[:32] + s.to_bytes(32, "little"), b"message")


@pytest.mark.parametrize("name", ["a\ud800b", "\udfff"])
def test_rule_1_a_lone_surrogate_is_no_key_name(name: str) -> None:
    assert not is_key_name(name)
    assert is_key_name("\U0001f600.example/log")
    with pytest.raises(InputError, match="has the key name"):
        VerifierKey(name, ED25519, bytes(32))
