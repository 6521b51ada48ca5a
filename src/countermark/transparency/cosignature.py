# SPDX-License-Identifier: Apache-2.0
"""Cosignatures (C2SP tlog-cosignature, ``cosignature/v1``): a witness's word on a checkpoint.

The witness signs the line ``cosignature/v1``, the line ``time <seconds>`` and the checkpoint's
whole text. The signature line holds the time as eight bytes, big-endian, before the 64 bytes of
the Ed25519 signature. A time is 1 to 253402300799 seconds after 1970 (the end of the year 9999).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from countermark.records.errors import InputError
from countermark.signing.vkey import COSIGNATURE_V1, VerifierKey
from countermark.transparency.note import Note, NoteSigner, SignatureLine, in_canonical_order

TIME_BYTES = 8
SIGNATURE_BYTES = 64
LAST_SECOND = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A verified cosignature: which witness saw the checkpoint, and when."""

    witness: str
    seconds: int

    @property
    def time(self) -> datetime:
        """When the witness signed (UTC)."""
        return datetime.fromtimestamp(self.seconds, UTC)


def cosign(text: str, signer: NoteSigner, at: datetime) -> SignatureLine:
    """Return a witness's cosignature line on a checkpoint's text.

    Whether it may be signed is for :mod:`countermark.transparency.witness` to say.

    Raises
    ------
    InputError
        If the time is out of range.
    """
    seconds = int(at.timestamp())
    if not 0 < seconds <= LAST_SECOND:
        raise InputError(
            f"is {seconds} seconds after 1970", where="clock", next_step="Set the clock."
        )
    signature = signer.private.sign(_message(text, seconds))
    blob = seconds.to_bytes(TIME_BYTES, "big") + signature
    return SignatureLine(signer.name, signer.witness_key.key_id, blob)


def claimed_seconds(line: SignatureLine) -> int | None:
    """Return the time in a cosignature line, not verified, or nothing where it has none."""
    if len(line.signature) != TIME_BYTES + SIGNATURE_BYTES:
        return None
    seconds = int.from_bytes(line.signature[:TIME_BYTES], "big")
    return seconds if 0 < seconds <= LAST_SECOND else None


def verify_cosignature(line: SignatureLine, key: VerifierKey, text: str) -> Cosignature | None:
    """Return the cosignature if the line is by this witness key and verifies, else nothing."""
    seconds = claimed_seconds(line)
    if seconds is None or not line.is_by(key) or key.algorithm != COSIGNATURE_V1:
        return None
    if not key.verifies(line.signature[TIME_BYTES:], _message(text, seconds)):
        return None
    return Cosignature(key.name, seconds)


def with_cosignatures(note: Note, lines: Iterable[SignatureLine], *, origin: str) -> Note:
    """Return a checkpoint note with cosignature lines added, all in canonical order."""
    return Note(note.text, in_canonical_order(origin, (*note.signatures, *lines)))


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
