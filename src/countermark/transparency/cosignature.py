# SPDX-License-Identifier: Apache-2.0
"""Cosignatures (C2SP tlog-cosignature): a witness's word on a checkpoint.

The signature line holds the time as eight bytes, big-endian, before the signature's own bytes. A
time is 1 to 253402300799 seconds after 1970 (the end of the year 9999). What is signed depends on
the algorithm of the witness's key:

1. **0x04, Ed25519, cosignature/v1** (64 bytes): the line ``cosignature/v1``, the line
   ``time <seconds>`` and the checkpoint's whole text.
2. **0x06, ML-DSA-44** (2420 bytes): ``subtree/v1`` LF NUL, the witness's name after its length in
   one byte, the time, the origin after its length in one byte, 0, the size, and the root; numbers
   are eight bytes, big-endian. Unlike the first it commits to the witness's name.

ML-DSA-44 is **experimental**: signatures of another implementation verify here, but none that we
could run has verified ours. A roster may not list such a witness, so no cosignature of this kind
counts towards a quorum.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from countermark.records.errors import InputError
from countermark.signing.vkey import COSIGNATURE_V1, MLDSA44_COSIGNATURE, VerifierKey
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.note import Note, NoteSigner, SignatureLine, in_canonical_order

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

TIME_BYTES = 8
SIGNATURE_BYTES = {COSIGNATURE_V1: 64, MLDSA44_COSIGNATURE: 2420}
LAST_SECOND = 253_402_300_799
MAX_NAME_BYTES = 255


@dataclass(frozen=True)
class MldsaSigner:
    """A named ML-DSA-44 private key of a witness. Experimental."""

    name: str
    private: "MLDSA44PrivateKey"

    @property
    def witness_key(self) -> VerifierKey:
        """The public key of the witness."""
        public = self.private.public_key().public_bytes_raw()
        return VerifierKey(self.name, MLDSA44_COSIGNATURE, public)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A verified cosignature: which witness saw the checkpoint, and when."""

    witness: str
    seconds: int

    @property
    def time(self) -> datetime:
        """When the witness signed (UTC)."""
        return datetime.fromtimestamp(self.seconds, UTC)


def cosign(text: str, signer: NoteSigner | MldsaSigner, at: datetime) -> SignatureLine:
    """Return a witness's cosignature line on a checkpoint's text.

    Whether it may be signed is for :mod:`countermark.transparency.witness` to say.

    Raises
    ------
    InputError
        If the time is out of range, or a name is too long for ML-DSA-44's structure.
    """
    seconds = int(at.timestamp())
    if not 0 < seconds <= LAST_SECOND:
        raise InputError(
            f"is {seconds} seconds after 1970", where="clock", next_step="Set the clock."
        )
    key = signer.witness_key
    signature = signer.private.sign(_message(key, text, seconds))
    return SignatureLine(key.name, key.key_id, seconds.to_bytes(TIME_BYTES, "big") + signature)


def claimed_seconds(line: SignatureLine) -> int | None:
    """Return the time in a cosignature line, not verified, or nothing where it has none."""
    if len(line.signature) - TIME_BYTES not in SIGNATURE_BYTES.values():
        return None
    seconds = int.from_bytes(line.signature[:TIME_BYTES], "big")
    return seconds if 0 < seconds <= LAST_SECOND else None


def verify_cosignature(line: SignatureLine, key: VerifierKey, text: str) -> Cosignature | None:
    """Return the cosignature if the line is by this witness key and verifies, else nothing."""
    seconds = claimed_seconds(line)
    if seconds is None or not line.is_by(key) or key.algorithm not in SIGNATURE_BYTES:
        return None
    try:
        message = _message(key, text, seconds)
    except InputError:
        # Only ML-DSA-44 reads the text, and what is no checkpoint cannot have been cosigned.
        return None
    # The library refuses a signature of another length than the algorithm's.
    if not key.verifies(line.signature[TIME_BYTES:], message):
        return None
    return Cosignature(key.name, seconds)


def with_cosignatures(note: Note, lines: Iterable[SignatureLine], *, origin: str) -> Note:
    """Return a checkpoint note with cosignature lines added, all in canonical order."""
    return Note(note.text, in_canonical_order(origin, (*note.signatures, *lines)))


def _message(key: VerifierKey, text: str, seconds: int) -> bytes:
    if key.algorithm == COSIGNATURE_V1:
        return f"cosignature/v1\ntime {seconds}\n{text}".encode()
    checkpoint = parse_checkpoint(text)
    return b"".join(
        (
            b"subtree/v1\n\0",
            _short(key.name),
            seconds.to_bytes(8, "big"),
            _short(checkpoint.origin),
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _short(name: str) -> bytes:
    data = name.encode()
    if len(data) > MAX_NAME_BYTES:
        raise InputError(
            f"is {len(data)} bytes; an ML-DSA-44 cosignature takes at most {MAX_NAME_BYTES}",
            where=name[:60],
            next_step="Give the log or the witness a shorter name.",
        )
    return bytes([len(data)]) + data
