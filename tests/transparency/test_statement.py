# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.records.base import Record
from countermark.records.canonical import JsonValue, canonical, content_digest
from countermark.records.errors import CountermarkError
from countermark.signing.encoding import to_base64
from countermark.signing.envelope import Envelope
from countermark.transparency.note import Note, SignatureLine
from countermark.transparency.proof import TlogProof
from countermark.transparency.statement import StatementFile, leaf_of
from tests.transparency.conftest import Network, build_network, institute, run_plan

NETWORK = build_network()
STATEMENT = NETWORK.publish("UK", run_plan())
DATA = STATEMENT.to_bytes()


def test_the_file_is_canonical_json_and_one_newline() -> None:
    value = json.loads(DATA)
    assert canonical(value) + b"\n" == DATA
    assert set(value) == {"envelope", "format", "proof", "version"}
    assert (value["format"], value["version"]) == ("countermark-statement", 1)
    assert StatementFile.from_bytes(DATA) == STATEMENT


def changed(**fields: JsonValue) -> bytes:
    return canonical({**json.loads(DATA), **fields}) + b"\n"


def changed_envelope(**fields: JsonValue) -> bytes:
    return changed(envelope={**STATEMENT.envelope.to_value(), **fields})


PROOF = STATEMENT.proof.to_text()
SIGNED: dict[str, JsonValue] = {
    "keyid": STATEMENT.envelope.keyid,
    "sig": to_base64(STATEMENT.envelope.signature),
}
PAYLOAD = to_base64(STATEMENT.envelope.payload)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]\n",
        DATA[:-1],
        DATA + b"\n",
        b" " + DATA,
        b"\xef\xbb\xbf" + DATA,
        DATA.replace(b'"version":1', b'"version": 1'),
        DATA.replace(b'"version":1', b'"version":1.0'),
        DATA.replace(b'"version":1', b'"version":true'),
        DATA.replace(b'"version":1', b'"version":1,"version":1'),
        DATA.replace(b"countermark-statement", b"countermark\\u002dstatement"),
        changed(version=2),
        changed(format="other"),
        changed(more=1),
        changed(proof=None),
        changed(envelope=None),
        changed(envelope=[]),
        changed(proof=PROOF.replace("index", "extra AAAA\nindex")),
        changed(proof=PROOF.replace("\n", "\r\n")),
        changed_envelope(more=1),
        changed_envelope(payload=PAYLOAD.rstrip("=") + "===="),
        changed_envelope(payload=1),
        changed_envelope(signatures=[]),
        changed_envelope(signatures=[{**SIGNED, "sig": "AB=="}]),
        changed_envelope(signatures=[SIGNED, SIGNED]),
        changed_envelope(signatures=[{**SIGNED, "more": 1}]),
        changed_envelope(signatures=[{**SIGNED, "keyid": "AB" * 32}]),
    ],
)
def test_only_the_one_form_is_read(data: bytes) -> None:
    with pytest.raises(CountermarkError):
        StatementFile.from_bytes(data)


@pytest.mark.parametrize(
    ("record", "exercise"),
    [
        (run_plan(protocol="sha256:" + "e" * 64), "sha256:" + "e" * 64),
        (institute(), None),
    ],
)
def test_the_leaf_names_the_statement_and_holds_none_of_it(
    record: Record, exercise: str | None
) -> None:
    envelope = NETWORK.sign("UK", record)
    leaf = leaf_of(envelope)
    value = json.loads(leaf)
    assert canonical(value) == leaf
    assert value.pop("exercise", None) == exercise
    assert value == {
        "v": 1,
        "kind": record.kind_name(),
        "envelope": content_digest(envelope.to_bytes()),
        "keyid": envelope.keyid,
    }
    assert len(leaf) < 300


HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple)


@settings(deadline=None)
@given(st.binary(), st.text("abc/+", max_size=9), st.binary(), st.integers(0, 2**62), HASHES)
def test_statement_files_round_trip(
    payload: bytes, payload_type: str, signature: bytes, index: int, hashes: tuple[bytes, ...]
) -> None:
    envelope = Envelope(payload, payload_type, "a" * 64, signature)
    lines = (SignatureLine("w", b"1234", b"s"), *STATEMENT.proof.note.signatures)
    note = Note(STATEMENT.proof.note.text, lines)
    statement = StatementFile(envelope, TlogProof(index, hashes, note))
    assert StatementFile.from_bytes(statement.to_bytes()) == statement


def test_a_network_is_built_the_same_each_time(network: Network) -> None:
    assert network.publish("UK", run_plan()).to_bytes() == DATA
