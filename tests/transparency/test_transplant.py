# SPDX-License-Identifier: Apache-2.0
"""A signature is good in the one place that it was made for, whatever else is the same."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from securesystemslib.exceptions import UnverifiedSignatureError

from countermark.records.base import Record
from countermark.records.reference import Institute
from countermark.signing.envelope import PAYLOAD_TYPE, Envelope, sign_record, verify
from countermark.signing.in_toto import Export, Resource
from countermark.signing.keys import Key, Signature, statement_signer
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, verify_cosignature
from countermark.transparency.note import Note, NoteSigner, SignatureLine
from countermark.transparency.statement import StatementFile
from countermark.transparency.verify import verify_statement
from tests.transparency.conftest import (
    NOON,
    Network,
    build_network,
    framework,
    institute,
    private,
    run_plan,
)

DAY = timedelta(days=1)
# The worst case: one key does everything, so that nothing but the form of what is signed tells the
# contexts apart.
KEY = private("one key for everything")
SIGNER = statement_signer(KEY)
NAME = "one.example/log"
NOTE_SIGNER = NoteSigner(NAME, KEY)
TREES = [Checkpoint(NAME, 3, b"\1" * 32), Checkpoint(NAME, 4, b"\1" * 32)]
TEXTS = [sign_checkpoint(tree, NOTE_SIGNER).text for tree in TREES]
OTHER_NAME = NoteSigner("two.example/log", KEY)


def dsse(record: Record) -> tuple[bytes, Callable[[bytes], bool]]:
    envelope = sign_record(record, SIGNER)
    key: Key = SIGNER.public_key
    return envelope.signature, lambda sig: verify(replace(envelope, signature=sig), key)


def typed(payload_type: str) -> tuple[bytes, Callable[[bytes], bool]]:
    envelope = replace(sign_record(run_plan(), SIGNER), payload_type=payload_type)
    signature = KEY.sign(b"DSSEv1 %d %b %d %b" % (
        len(payload_type), payload_type.encode(), len(envelope.payload), envelope.payload,
    ))  # fmt: skip
    return signature, lambda sig: verify(replace(envelope, signature=sig), SIGNER.public_key)


def exported() -> tuple[bytes, Callable[[bytes], bool]]:
    subject = Resource("thing", "sha256:" + "a" * 64)
    made = Export(subject, "https://example.org/said/v1", run_plan().to_value()).signed(SIGNER)
    return made.signature, lambda sig: verify(replace(made, signature=sig), SIGNER.public_key)


def log_line(text: str, signer: NoteSigner) -> tuple[bytes, Callable[[bytes], bool]]:
    def accepted(signature: bytes) -> bool:
        line = SignatureLine(signer.name, signer.log_key.key_id, signature)
        return Note(text, (line,)).signed_by(signer.log_key)

    return KEY.sign(text.encode()), accepted


def witness_line(text: str, seconds: int) -> tuple[bytes, Callable[[bytes], bool]]:
    line = cosign(text, NOTE_SIGNER, NOON.replace(second=seconds))

    def accepted(signature: bytes) -> bool:
        stamped = replace(line, signature=line.signature[:8] + signature)
        return verify_cosignature(stamped, NOTE_SIGNER.witness_key, text) is not None

    return line.signature[8:], accepted


def metadata(data: bytes) -> tuple[bytes, Callable[[bytes], bool]]:
    def accepted(signature: bytes) -> bool:
        try:
            named = Signature(SIGNER.public_key.keyid, signature.hex())
            SIGNER.public_key.verify_signature(named, data)
        except UnverifiedSignatureError:
            return False
        return True

    return KEY.sign(data), accepted


ELSEWHERE = run_plan(protocol="sha256:" + "9" * 64)
CONTEXTS = {
    "a run plan": dsse(run_plan()),
    "a run plan of another exercise": dsse(ELSEWHERE),
    "another kind": dsse(institute()),
    "another payload type": typed("application/vnd.tuf+json"),
    "an export": exported(),
    "a checkpoint": log_line(TEXTS[0], NOTE_SIGNER),
    "a larger checkpoint": log_line(TEXTS[1], NOTE_SIGNER),
    "a checkpoint of another origin": log_line(
        sign_checkpoint(replace(TREES[0], origin=OTHER_NAME.name), OTHER_NAME).text, OTHER_NAME
    ),
    "a cosignature": witness_line(TEXTS[0], 0),
    "a cosignature at another time": witness_line(TEXTS[0], 1),
    "a cosignature of another checkpoint": witness_line(TEXTS[1], 0),
    "roster metadata": metadata(b'{"_type":"root","version":1}'),
    "newer roster metadata": metadata(b'{"_type":"root","version":2}'),
}


@pytest.mark.parametrize("place", CONTEXTS)
def test_of_all_signatures_by_one_key_each_place_takes_its_own(place: str) -> None:
    _, accepted = CONTEXTS[place]
    assert [name for name, (signature, _) in CONTEXTS.items() if accepted(signature)] == [place]


# Statements of a network: other exercises, kinds, members, roles and logs.
SAID: tuple[tuple[str, Record], ...] = (
    ("UK", run_plan()),
    ("UK", ELSEWHERE),
    ("JP", run_plan("JP")),
    ("UK", institute()),
    ("exemplar", framework("exemplar")),
)
NETWORK: Network = build_network()
STATEMENTS = [
    NETWORK.publish(code, record, witnesses=[w for w in ("JP", "KE", "KR", "UK") if w != code])
    for code, record in SAID
]
SWAPS: dict[str, Callable[[StatementFile, StatementFile], StatementFile]] = {
    "signature": lambda a, b: replace(
        a, envelope=replace(a.envelope, signature=b.envelope.signature)
    ),
    "signature and key id": lambda a, b: replace(
        a,
        envelope=Envelope(a.envelope.payload, PAYLOAD_TYPE, b.envelope.keyid, b.envelope.signature),
    ),
    "payload": lambda a, b: replace(a, envelope=replace(a.envelope, payload=b.envelope.payload)),
    "envelope": lambda a, b: replace(a, envelope=b.envelope),
    "path": lambda a, b: replace(
        a, proof=replace(a.proof, index=b.proof.index, hashes=b.proof.hashes)
    ),
    "checkpoint": lambda a, b: replace(a, proof=replace(a.proof, note=b.proof.note)),
    "signatures of the checkpoint": lambda a, b: replace(
        a,
        proof=replace(a.proof, note=Note(a.proof.note.text, b.proof.note.signatures)),
    ),
}


def valid(statement: StatementFile) -> bool:
    return verify_statement(statement.to_bytes(), NETWORK.roster, NOON + DAY).valid


def test_the_statements_are_valid_where_they_are() -> None:
    assert all(map(valid, STATEMENTS))


@pytest.mark.parametrize("part", SWAPS)
def test_no_part_of_a_statement_is_good_in_another(part: str) -> None:
    for one, other in permutations(STATEMENTS, 2):
        bent = SWAPS[part](one, other)
        if bent.to_bytes() == one.to_bytes():
            continue  # the two have that part in common
        assert not valid(bent), (one.envelope.payload[:60], other.envelope.payload[:60])


def test_what_a_member_said_of_itself_says_nothing_signed_by_another() -> None:
    """The same words, signed and logged by somebody who has the role: the speaker gives it away."""
    network = build_network()
    for thief in ("JP", "KE"):
        stolen = network.publish(thief, run_plan("UK"), witnesses=("JP", "KE", "KR", "UK"))
        assert not verify_statement(stolen.to_bytes(), network.roster, NOON + DAY).valid


def test_a_record_does_not_change_its_kind() -> None:
    """One predicate under another's type, signed anew by its author: rule 4."""
    value = json.loads(STATEMENTS[0].envelope.payload)
    assert isinstance(institute(), Institute)
    value["predicateType"] = institute().predicate_type()
    payload = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    head = b"DSSEv1 %d %b %d " % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload))
    signature = private("UK statements").sign(head + payload)
    envelope = replace(STATEMENTS[0].envelope, payload=payload, signature=signature)
    bent = replace(STATEMENTS[0], envelope=envelope)
    checks = verify_statement(bent.to_bytes(), NETWORK.roster, NOON + DAY).checks
    assert (checks[1].ok, checks[3].ok) == (True, False)
