# SPDX-License-Identifier: Apache-2.0
"""A published statement file, and the leaf that stands for a statement in its author's log.

The file is canonical JSON of a closed object and one newline::

    {"envelope":{…},"format":"countermark-statement","proof":"c2sp.org/tlog-proof@v1…","version":1}

It has one byte form. The proof carries no ``extra`` line, which nothing would authenticate.

The leaf is canonical JSON of less than 300 bytes. It names the statement and holds none of it::

    {"envelope":"sha256:…","exercise":"sha256:…","keyid":"…","kind":"evidence","v":1}

``exercise`` is the record's ``protocol``, or the record's own address if it is a protocol, and is
absent for records that belong to no exercise. The leaf is derived from the envelope, not stored.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from countermark.records.base import Record
from countermark.records.canonical import JsonValue, canonical, difference, read_object
from countermark.records.errors import InputError
from countermark.signing.envelope import Envelope, record_of
from countermark.transparency.proof import TlogProof, parse_proof

FORMAT = "countermark-statement"
VERSION = 1


@dataclass(frozen=True)
class StatementFile:
    """An envelope and the proof that it was logged.

    Reading one says nothing about whether it is true; see
    :func:`countermark.transparency.verify.verify_statement`.
    """

    envelope: Envelope
    proof: TlogProof

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str = "statement") -> "StatementFile":
        """Read a statement file.

        Raises
        ------
        InputError, VerificationError
            If it is not the one canonical byte form of a statement file.
        """
        value = read_object(data, where=where)
        if set(value) != {"format", "version", "envelope", "proof"}:
            _refuse("has fields that are not exactly envelope, format, proof, version", where)
        if value["format"] != FORMAT or value["version"] != VERSION:
            _refuse(f"has a format and version that are not {FORMAT} and {VERSION}", where)
        proof_text = value["proof"]
        if not isinstance(proof_text, str):
            _refuse("has a proof that is not text", where)
        envelope = Envelope.from_value(value["envelope"], where=where)
        proof = parse_proof(proof_text.encode(), where=f"{where}, proof")
        if proof.extra is not None:
            _refuse("has a proof with an extra line, which nothing authenticates", where)
        statement = cls(envelope, proof)
        if statement.to_bytes() != data:
            place = difference(data, statement.to_bytes())
            _refuse(f"is not in the one canonical byte form; {place}", where)
        return statement

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        value: dict[str, JsonValue] = {
            "format": FORMAT,
            "version": VERSION,
            "envelope": self.envelope.to_value(),
            "proof": self.proof.to_text(),
        }
        return canonical(value) + b"\n"


def leaf_of(envelope: Envelope) -> bytes:
    """Return the log leaf of a signed statement.

    Raises
    ------
    InputError, VerificationError
        If the envelope holds no record that this version can read.
    """
    return leaf_for(envelope, record_of(envelope))


def leaf_for(envelope: Envelope, record: Record) -> bytes:
    """Return the log leaf of an envelope whose record was already read."""
    leaf: dict[str, JsonValue] = {
        "v": 1,
        "kind": record.kind_name(),
        "envelope": envelope.digest,
        "keyid": envelope.keyid,
    }
    exercise = record.digest if record.kind_name() == "protocol" else _protocol_of(record)
    if exercise is not None:
        leaf["exercise"] = exercise
    return canonical(leaf)


def _protocol_of(record: Record) -> str | None:
    # Read from the value, so that a version that does not know the field derives the same leaf.
    protocol = record.to_value().get("protocol")
    is_digest = isinstance(protocol, str) and re.fullmatch("sha256:[0-9a-f]{64}", protocol)
    return str(protocol) if is_digest else None


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(
        what, where=where, next_step="Get the file again from its author's log; do not edit it."
    )
