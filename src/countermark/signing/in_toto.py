# SPDX-License-Identifier: Apache-2.0
"""In-toto statements of other people's predicate types, for tools that do not know ours.

Such a statement is an *export*: never logged, never witnessed, and none of ours. It is signed by
the same statement key, so two rules keep the two apart:

1. An export never has a predicate type of ours (``urn:countermark:``), so no envelope that is made
   here reads as a record.
2. A record is read only from an envelope with its own predicate type (rule 7 of
   :mod:`countermark.signing.envelope`), so no export is taken for a record.
"""

from dataclasses import dataclass

from securesystemslib.dsse import Envelope as DsseEnvelope

from countermark.records.canonical import JsonValue, canonical
from countermark.records.errors import InputError
from countermark.signing.envelope import PAYLOAD_TYPE, STATEMENT_TYPE, Envelope
from countermark.signing.keys import Signer

OURS = "urn:countermark:"


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that a statement is about or refers to (in-toto's ResourceDescriptor).

    Parameters
    ----------
    name
        What it is called there.
    digest
        Its content address, ``sha256:…``.
    """

    name: str
    digest: str

    def to_value(self) -> dict[str, JsonValue]:
        """Return it as in-toto writes it."""
        return {"name": self.name, "digest": {"sha256": self.digest.removeprefix("sha256:")}}


@dataclass(frozen=True, slots=True)
class Export:
    """An in-toto Statement v1 about one subject.

    Parameters
    ----------
    subject
        What it is about.
    predicate_type
        Whose words the predicate uses; never ours (rule 1).
    predicate
        What is said.

    Raises
    ------
    InputError
        If the predicate type is one of ours.
    """

    subject: Resource
    predicate_type: str
    predicate: dict[str, JsonValue]

    def __post_init__(self) -> None:
        if self.predicate_type.startswith(OURS):
            raise InputError(
                f"has the predicate type {self.predicate_type!r}, which only records have",
                where="export",
                next_step="Say a record through a node, which logs it.",
            )

    def to_value(self) -> dict[str, JsonValue]:
        """Return the statement as a JSON object."""
        return {
            "_type": STATEMENT_TYPE,
            "subject": [self.subject.to_value()],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }

    def signed(self, signer: Signer) -> Envelope:
        """Return the statement in a DSSE envelope."""
        payload = canonical(self.to_value())
        signature = DsseEnvelope(payload, PAYLOAD_TYPE, {}).sign(signer)
        return Envelope(payload, PAYLOAD_TYPE, signature.keyid, bytes.fromhex(signature.signature))
