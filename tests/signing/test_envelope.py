# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from countermark.records.canonical import JsonValue, canonical, content_digest
from countermark.records.errors import CountermarkError, VerificationError
from countermark.records.protocol import Countersignature
from countermark.signing.encoding import to_base64
from countermark.signing.envelope import PAYLOAD_TYPE, Envelope, record_of, sign_record, verify
from tests.signing.conftest import signer

RECORD = Countersignature(institute="UK", of="sha256:" + "1" * 64, of_kind="protocol")
SIGNER = signer("UK")
ENVELOPE = sign_record(RECORD, SIGNER)


def test_the_statement_is_in_toto_version_1() -> None:
    assert json.loads(ENVELOPE.payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {
                "name": "countersignature",
                "digest": {"sha256": RECORD.digest.removeprefix("sha256:")},
            }
        ],
        "predicateType": "urn:countermark:countersignature:v1",
        "predicate": RECORD.to_value(),
    }
    assert record_of(ENVELOPE) == RECORD
    assert ENVELOPE.digest == content_digest(ENVELOPE.to_bytes())


def test_the_signature_is_over_the_dsse_encoding() -> None:
    """The encoding is written out here, so that another implementation can follow it."""
    head = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(ENVELOPE.payload)} ".encode()
    assert sign_record(RECORD, SIGNER) == ENVELOPE
    public = bytes.fromhex(SIGNER.public_key.keyval["public"])
    Ed25519PublicKey.from_public_bytes(public).verify(ENVELOPE.signature, head + ENVELOPE.payload)


def test_verify_says_whether_it_is_by_the_key() -> None:
    key = SIGNER.public_key
    assert verify(ENVELOPE, key)
    assert not verify(ENVELOPE, signer("JP").public_key)
    for bent in (
        replace(ENVELOPE, payload=ENVELOPE.payload + b" "),
        replace(ENVELOPE, payload_type="text/plain"),
        replace(ENVELOPE, keyid=signer("JP").public_key.keyid),
        replace(ENVELOPE, signature=b""),
        replace(ENVELOPE, signature=ENVELOPE.signature[:-1]),
        replace(ENVELOPE, signature=ENVELOPE.signature + b"\0"),
    ):
        assert not verify(bent, key)


VALUE = ENVELOPE.to_value()
SIGNED: dict[str, JsonValue] = {"keyid": ENVELOPE.keyid, "sig": to_base64(ENVELOPE.signature)}


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (1, []),
        (1, None),
        (1, {**VALUE, "more": 1}),
        (1, {k: v for k, v in VALUE.items() if k != "payloadType"}),
        (1, {**VALUE, "payloadType": 1}),
        (2, {**VALUE, "signatures": []}),
        (2, {**VALUE, "signatures": [SIGNED, SIGNED]}),
        (2, {**VALUE, "signatures": SIGNED}),
        (2, {**VALUE, "signatures": [{**SIGNED, "cert": ""}]}),
        (2, {**VALUE, "signatures": [{"sig": SIGNED["sig"]}]}),
        (3, {**VALUE, "payload": "e30"}),
        (3, {**VALUE, "payload": "e31="}),
        (3, {**VALUE, "payload": "_-8="}),
        (3, {**VALUE, "payload": None}),
        (3, {**VALUE, "signatures": [{**SIGNED, "sig": "AB=="}]}),
        (3, {**VALUE, "signatures": [{**SIGNED, "keyid": "A" * 64}]}),
        (3, {**VALUE, "signatures": [{**SIGNED, "keyid": "a" * 64 + "\n"}]}),
        (3, {**VALUE, "signatures": [{**SIGNED, "keyid": 1}]}),
    ],
)
def test_rules_1_to_3_malformed_envelopes(rule: int, value: JsonValue) -> None:
    with pytest.raises(CountermarkError):
        Envelope.from_value(value, where=f"rule {rule}")


@given(st.binary(), st.text(), st.binary())
def test_envelopes_round_trip(payload: bytes, payload_type: str, signature: bytes) -> None:
    envelope = Envelope(payload, payload_type, "0" * 64, signature)
    assert Envelope.from_value(envelope.to_value(), where="x") == envelope


def test_rule_4_another_payload_type() -> None:
    with pytest.raises(VerificationError, match="payload type"):
        record_of(replace(ENVELOPE, payload_type="application/json"))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        ENVELOPE.payload + b"\n",
        ENVELOPE.payload.replace(b'"of_kind"', b'"of_kind":"finding","of_kind"'),
        json.dumps(json.loads(ENVELOPE.payload)).encode(),
    ],
)
def test_rule_4_a_payload_that_is_not_canonical(payload: bytes) -> None:
    with pytest.raises(CountermarkError):
        record_of(replace(ENVELOPE, payload=payload))


Statement = dict[str, Any]


@pytest.mark.parametrize(
    ("rule", "change", "said"),
    [
        (5, lambda v: v.update(more=1), "fields are not exactly"),
        (5, lambda v: v.pop("subject"), "fields are not exactly"),
        (5, lambda v: v.update(_type="https://in-toto.io/Statement/v0.1"), "Statement v1"),
        (5, lambda v: v.update(predicate=[]), "not an object"),
        (6, lambda v: v["subject"].append(v["subject"][0]), "subject"),
        (6, lambda v: v["subject"][0].update(name="evidence"), "subject"),
        (6, lambda v: v["subject"][0].update(uri="x"), "subject"),
        (6, lambda v: v["predicate"].update(institute="JP"), "subject"),
        (7, lambda v: v.update(predicateType="urn:countermark:evidence:v1"), "predicate type"),
        (7, lambda v: v["predicate"].update(kind="unheard-of"), "does not know"),
        (7, lambda v: v["predicate"].pop("of"), "not a valid countersignature"),
    ],
)
def test_rules_5_to_7_statements_that_are_not(
    rule: int, change: Callable[[Statement], object], said: str
) -> None:
    value = json.loads(ENVELOPE.payload)
    change(value)
    with pytest.raises(CountermarkError, match=said):
        record_of(replace(ENVELOPE, payload=canonical(value)), where=f"rule {rule}")


def test_rule_7_unknown_fields_of_a_record_survive() -> None:
    value = json.loads(ENVELOPE.payload)
    value["predicate"]["later"] = {"field": [1, 2]}
    digest = content_digest(canonical(value["predicate"])).removeprefix("sha256:")
    value["subject"][0]["digest"]["sha256"] = digest
    record = record_of(replace(ENVELOPE, payload=canonical(value)))
    assert record.to_value()["later"] == {"field": [1, 2]}
    assert sign_record(record, SIGNER).payload == canonical(value)
