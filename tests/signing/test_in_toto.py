# SPDX-License-Identifier: Apache-2.0
"""Exports are DSSE that others read, and never one of our statements."""

import json
from dataclasses import replace
from typing import Any

import pytest
from in_toto_schemas import faults, statement
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError as TheirRefusal

from countermark.records.canonical import canonical
from countermark.records.errors import InputError, VerificationError
from countermark.records.protocol import RunPlan
from countermark.signing.envelope import Envelope, record_of, sign_record, verify
from countermark.signing.in_toto import Export, Resource
from tests.signing.conftest import signer

TYPE = "https://example.org/said/v1"
SUBJECT = Resource("thing", "sha256:" + "a" * 64)
PLAN = RunPlan(
    protocol="sha256:" + "1" * 64, institute="UK", lab="UK-one", settings=(), samples=3,
    secret_commitment="2" * 64,
)  # fmt: skip


def export(predicate: dict[str, Any] | None = None) -> Export:
    return Export(SUBJECT, TYPE, {"said": "so"} if predicate is None else predicate)


def test_it_has_the_shape_of_a_statement_v1() -> None:
    assert faults(statement(TYPE, {"type": "object"}), export().to_value()) == []


def test_anothers_dsse_accepts_it_and_refuses_it_changed() -> None:
    author, other = signer("UK"), signer("JP")
    value = export().signed(author).to_value()
    theirs = TheirEnvelope.from_dict(json.loads(json.dumps(value)))
    assert set(theirs.verify([author.public_key], 1)) == {author.public_key.keyid}
    with pytest.raises(TheirRefusal):
        theirs.verify([other.public_key], 1)
    for bent in (
        TheirEnvelope(theirs.payload + b" ", theirs.payload_type, theirs.signatures),
        TheirEnvelope(theirs.payload, "text/plain", theirs.signatures),
    ):
        with pytest.raises(TheirRefusal):
            bent.verify([author.public_key], 1)


@pytest.mark.parametrize("kind", ["run-plan", "finding", "unheard-of"])
def test_rule_1_no_export_has_a_predicate_type_of_ours(kind: str) -> None:
    with pytest.raises(InputError, match="which only records have"):
        Export(SUBJECT, f"urn:countermark:{kind}:v1", {})


@pytest.mark.parametrize("predicate", [{}, {"said": "so"}, PLAN.to_value()])
def test_rule_2_no_export_reads_as_a_record(predicate: dict[str, Any]) -> None:
    """Not even one that carries a whole record under somebody else's predicate type."""
    envelope = export(predicate).signed(signer("UK"))
    assert verify(envelope, signer("UK").public_key)
    with pytest.raises((InputError, VerificationError)):
        record_of(envelope)


def test_rule_2_not_with_the_subject_of_the_record_either() -> None:
    true = json.loads(sign_record(PLAN, signer("UK")).payload)
    (subject,) = true["subject"]
    named = Resource(subject["name"], subject["digest"]["sha256"])
    envelope = replace(export(true["predicate"]), subject=named).signed(signer("UK"))
    assert json.loads(envelope.payload) == {**true, "predicateType": TYPE}
    with pytest.raises(VerificationError, match="predicate type"):
        record_of(envelope)


def test_a_signature_of_an_export_is_not_one_of_a_record() -> None:
    author = signer("UK")
    said, meant = export(PLAN.to_value()).signed(author), sign_record(PLAN, author)
    assert verify(meant, author.public_key)
    swapped = Envelope(meant.payload, meant.payload_type, meant.keyid, said.signature)
    assert not verify(swapped, author.public_key)
    assert said.payload == canonical(export(PLAN.to_value()).to_value())
