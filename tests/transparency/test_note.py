# SPDX-License-Identifier: Apache-2.0
"""Golden notes are those of C2SP signed-note and of golang.org/x/mod/sumdb/note."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.records.errors import InputError
from countermark.signing.keys import Ed25519PrivateKey
from countermark.signing.vkey import is_key_name, parse_vkey
from countermark.transparency.note import (
    Note,
    NoteSigner,
    SignatureLine,
    in_canonical_order,
    parse_decimal,
    parse_note,
    parse_signature_lines,
    sign_note,
)
from tests.transparency.conftest import private

SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRK"
    "uwHjG1Yu72IneyaQM=\n"
)
GO_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb"
    "6KE6RyyBwJnAM=\n"
)
SIGNER = NoteSigner("example.com/log", private("note"))


def test_the_note_of_the_specification_verifies() -> None:
    note = parse_note(SPEC_NOTE.encode())
    assert note.signed_by(parse_vkey(SPEC_VKEY, where="spec"))
    assert note.to_bytes() == SPEC_NOTE.encode()


def test_we_write_the_note_that_the_go_library_writes() -> None:
    seed = base64.b64decode(GO_SEED)[1:]
    signer = NoteSigner("PeterNeumann", Ed25519PrivateKey.from_private_bytes(seed))
    assert signer.log_key.text == GO_VKEY
    assert sign_note(GO_TEXT, signer).text == GO_LINE


GOOD = parse_note(SPEC_NOTE.encode())
TEXT, LINE = SPEC_NOTE.split("\n\n")


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        (1, b"\xff" + SPEC_NOTE.encode()),
        (1, SPEC_NOTE.replace("example message", "example\tmessage").encode()),
        (1, SPEC_NOTE.replace("\n", "\r\n").encode()),
        (1, SPEC_NOTE.encode() + b" " * 262_144),
        (2, b""),
        (2, TEXT.encode()),
        (2, f"{TEXT}\n\n".encode()),
        (2, f"{TEXT}\n{LINE}".encode()),
        (2, f"{TEXT}\n\n{LINE}".rstrip("\n").encode()),
        (2, f"\n\n{LINE}".encode()),
        (2, f"{TEXT}\n\n{LINE * 33}".encode()),
        (3, SPEC_NOTE.replace("— ", "- ").encode()),
        (3, SPEC_NOTE.replace("— ", "—  ").encode()),
        (3, SPEC_NOTE.replace("com/foo", "com+foo").encode()),
        (3, SPEC_NOTE.replace("com/foo", "com\u00a0foo").encode()),
        (3, f"{TEXT}\n\n— example.com/foo\n".encode()),
        (4, SPEC_NOTE.replace("aQM=", "aQN=").encode()),
        (4, SPEC_NOTE.replace("aQM=", "aQM").encode()),
        (4, SPEC_NOTE.replace("aQM=", "aQM= ").encode()),
        (4, f"{TEXT}\n\n— example.com/foo Uw2QOg==\n".encode()),
    ],
)
def test_rules_1_to_4_malformed_notes(rule: int, data: bytes) -> None:
    with pytest.raises(InputError):
        parse_note(data, where=f"rule {rule}")


def test_rule_2_thirty_two_signatures_and_empty_lines_in_the_text_are_fine() -> None:
    note = parse_note(f"one\n\ntwo\n\n{LINE * 32}".encode())
    assert note.text == "one\n\ntwo\n"
    assert len(note.signatures) == 32


def test_a_line_that_claims_the_key_and_fails_spoils_the_note() -> None:
    good = sign_note("text\n", SIGNER)
    forged = SignatureLine(good.name, good.key_id, b"\x00" * 64)
    key = SIGNER.log_key
    assert Note("text\n", (good,)).signed_by(key)
    assert not Note("text\n", (good, forged)).signed_by(key)
    assert not Note("other\n", (good,)).signed_by(key)
    assert not Note("text\n", (SignatureLine("other", good.key_id, good.signature),)).signed_by(key)
    assert not Note("text\n", (good,)).signed_by(SIGNER.witness_key)


def test_canonical_order_is_the_log_and_then_names() -> None:
    lines = [SignatureLine(n, b"\x00" * 4, b"s") for n in ("c", "log", "a", "é", "b")]
    ordered = in_canonical_order("log", lines)
    assert [line.name for line in ordered] == ["log", "a", "b", "c", "é"]


@pytest.mark.parametrize("text", ["", "01", "-1", "+1", "1 ", "1.0", "٣", str(2**63), "1" * 5000])
def test_decimals_have_one_form(text: str) -> None:
    with pytest.raises(InputError):
        parse_decimal(text, where="x")


def test_decimals_up_to_the_largest() -> None:
    assert parse_decimal("0", where="x") == 0
    assert parse_decimal(str(2**63 - 1), where="x") == 2**63 - 1


def test_no_lines_are_no_signatures() -> None:
    assert parse_signature_lines("", where="x") == ()
    with pytest.raises(InputError, match="newline"):
        parse_signature_lines(LINE.rstrip("\n"), where="x")


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(is_key_name)
LINES = st.builds(
    SignatureLine, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)
)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), min_size=1)


@given(TEXTS, st.lists(LINES, min_size=1, max_size=32))
def test_notes_round_trip(text: str, lines: list[SignatureLine]) -> None:
    note = Note(text + "\n", tuple(lines))
    assert parse_note(note.to_bytes()) == note


@given(st.binary(max_size=300))
def test_whatever_parses_writes_back_the_same(tail: bytes) -> None:
    data = f"{TEXT}\n\n{LINE}".encode() + tail
    try:
        note = parse_note(data)
    except InputError:
        return
    assert note.to_bytes() == data
