# SPDX-License-Identifier: Apache-2.0
"""A statement in its envelope: in-toto Statement v1 inside DSSE.

:meth:`Envelope.from_value` accepts an envelope only if

1. it is an object with exactly ``payload``, ``payloadType`` and ``signatures``;
2. ``signatures`` holds exactly one object with exactly ``keyid`` and ``sig`` (joint statements
   are countersignatures of their own, so one signature is all an envelope needs);
3. both base64 texts are strict, and the key id is 64 hex digits.

:func:`record_of` reads the record inside only if

4. the payload type is in-toto's and the payload is canonical JSON;
5. the statement has exactly the four fields of in-toto v1, with one subject;
6. the subject is the kind and SHA-256 of the predicate's canonical bytes;
7. the predicate is a record of a known kind, and the predicate type is that kind's.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from securesystemslib.dsse import Envelope as DsseEnvelope
from securesystemslib.exceptions import VerificationError as NotVerified

from countermark.records.base import Record, record_from_value
from countermark.records.canonical import (
    JsonValue,
    canonical,
    content_digest,
    difference,
    read_object,
)
from countermark.records.errors import VerificationError
from countermark.signing.encoding import from_base64, to_base64
from countermark.signing.keys import Key, Signature, Signer

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope with one signature.

    Parameters
    ----------
    payload
        The signed bytes.
    payload_type
        What they are; signed together with them.
    keyid
        Which statement key is said to have signed. Not itself signed.
    signature
        The bytes of the signature.
    """

    payload: bytes
    payload_type: str
    keyid: str
    signature: bytes

    @classmethod
    def from_value(cls, value: JsonValue, *, where: str) -> "Envelope":
        """Read an envelope from its JSON object (rules 1 to 3).

        Raises
        ------
        VerificationError, InputError
            If a rule is broken.
        """
        body = _closed(value, {"payload", "payloadType", "signatures"}, "envelope", where)
        signatures = body["signatures"]
        if not isinstance(signatures, list) or len(signatures) != 1:
            _refuse("does not carry exactly one object in its field signatures", where)
        signed = _closed(signatures[0], {"keyid", "sig"}, "signature", where)
        keyid = _text(signed, "keyid", where)
        if not re.fullmatch("[0-9a-f]{64}", keyid):
            _refuse("has a key id that is not 64 hex digits", where)
        return cls(
            from_base64(_text(body, "payload", where), where=f"{where}, payload"),
            _text(body, "payloadType", where),
            keyid,
            from_base64(_text(signed, "sig", where), where=f"{where}, sig"),
        )

    def to_value(self) -> dict[str, JsonValue]:
        """Return the envelope as a JSON object."""
        return {
            "payload": to_base64(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": self.keyid, "sig": to_base64(self.signature)}],
        }

    def to_bytes(self) -> bytes:
        """Return the envelope's one canonical byte form."""
        return canonical(self.to_value())

    @cached_property
    def digest(self) -> str:
        """The envelope's content address."""
        return content_digest(self.to_bytes())


def sign_record(record: Record, signer: Signer) -> Envelope:
    """Wrap a record in a statement and sign it."""
    value = record.to_value()
    statement: dict[str, JsonValue] = {
        "_type": STATEMENT_TYPE,
        "subject": [_subject(record.kind_name(), canonical(value))],
        "predicateType": record.predicate_type(),
        "predicate": value,
    }
    payload = canonical(statement)
    signature = DsseEnvelope(payload, PAYLOAD_TYPE, {}).sign(signer)
    return Envelope(payload, PAYLOAD_TYPE, signature.keyid, bytes.fromhex(signature.signature))


def verify(envelope: Envelope, public_key: Key) -> bool:
    """Tell whether the envelope names this key and its signature is by it.

    An ECDSA signature (r, s) has a twin (r, n - s) that anybody can compute and that is accepted
    too. It makes another envelope with another digest; the leaf in the author's log holds the
    digest of the one that was logged, and so tells them apart (rule 5 of ``transparency/verify``).
    """
    signature = Signature(envelope.keyid, envelope.signature.hex())
    dsse = DsseEnvelope(envelope.payload, envelope.payload_type, {envelope.keyid: signature})
    try:
        dsse.verify([public_key], 1)
    except NotVerified:
        return False
    return True


def record_of(envelope: Envelope, *, where: str = "envelope") -> Record:
    """Return the record inside an envelope (rules 4 to 7). The signature is not looked at.

    Raises
    ------
    VerificationError, InputError
        If a rule is broken.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        _refuse(f"has the payload type {envelope.payload_type[:60]!r}", where)
    value = read_object(envelope.payload, where=where)
    form = canonical(value)
    if form != envelope.payload:
        place = difference(envelope.payload, form)
        _refuse(f"has a payload that is not canonical JSON; {place}", where)
    statement = _closed(
        value, {"_type", "subject", "predicateType", "predicate"}, "statement", where
    )
    if statement["_type"] != STATEMENT_TYPE:
        _refuse("has a _type that is not in-toto Statement v1", where)
    predicate = statement["predicate"]
    if not isinstance(predicate, dict):
        _refuse("has a predicate that is not an object", where)
    record = record_from_value(predicate, where=where)
    if record.to_bytes() != canonical(predicate):
        _refuse("has a predicate that this version cannot write back unchanged", where)
    if statement["subject"] != [_subject(record.kind_name(), canonical(predicate))]:
        _refuse("names a subject that is not the kind and digest of its predicate", where)
    if statement["predicateType"] != record.predicate_type():
        _refuse(f"has a predicate type that is not {record.predicate_type()}", where)
    return record


def _subject(kind: str, data: bytes) -> JsonValue:
    return {"name": kind, "digest": {"sha256": content_digest(data).removeprefix("sha256:")}}


def _closed(value: JsonValue, keys: set[str], what: str, where: str) -> dict[str, JsonValue]:
    if not isinstance(value, dict) or set(value) != keys:
        _refuse(f"has a {what} whose fields are not exactly {', '.join(sorted(keys))}", where)
    return value


def _text(body: dict[str, JsonValue], field: str, where: str) -> str:
    value = body[field]
    if not isinstance(value, str):
        _refuse(f"has a field {field} that is not text", where)
    return value


def _refuse(what: str, where: str) -> NoReturn:
    raise VerificationError(
        what, where=where, next_step="Get the statement again from its author's log."
    )
