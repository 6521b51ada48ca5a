# SPDX-License-Identifier: Apache-2.0
"""Verifier keys of logs and witnesses, in the text form of C2SP signed-note.

``<name>+<key id, 8 hex digits>+<base64 of algorithm byte and public key>``

1. The name is not empty and holds no white space, no ``+``, no control character and no lone
   surrogate.
2. The algorithm is 0x01 (Ed25519, logs), 0x04 (Ed25519 cosignature/v1, witnesses) or 0x06
   (ML-DSA-44 cosignature, witnesses).
3. The public key is sound, as ``public.py`` says: 32 bytes of Ed25519, or 1312 of ML-DSA-44.
   Base64 and hex have their one strict form.
4. The key id is the first four bytes of SHA-256(name ‖ LF ‖ algorithm ‖ public key).

Algorithm 0x06 is experimental: neither a roster nor a policy may list such a key.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from countermark.records.errors import InputError
from countermark.signing.encoding import from_base64, to_base64
from countermark.signing.public import MLDSA44_BYTES, check_ed25519, mldsa44_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
MLDSA44_COSIGNATURE = 0x06
ALGORITHMS = {
    ED25519: "Ed25519 note signature",
    COSIGNATURE_V1: "Ed25519 cosignature/v1",
    MLDSA44_COSIGNATURE: "ML-DSA-44 cosignature (experimental)",
}


@dataclass(frozen=True)
class VerifierKey:
    """The public key of a log or witness, bound to its name and algorithm.

    Parameters
    ----------
    name
        Key name: the origin of a log, or the name of a witness.
    algorithm
        :data:`ED25519`, :data:`COSIGNATURE_V1` or :data:`MLDSA44_COSIGNATURE`.
    public
        The bytes of the public key.

    Raises
    ------
    InputError
        If rule 1, 2 or 3 of the module docstring is broken.
    """

    name: str
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            _refuse(f"has the key name {self.name[:60]!r}, which is empty or has a space or plus")
        if self.algorithm not in ALGORITHMS:
            _refuse(f"has the algorithm 0x{self.algorithm:02x}; 0x01, 0x04 and 0x06 are known")
        if self.algorithm != MLDSA44_COSIGNATURE:
            check_ed25519(self.public)
        elif len(self.public) != MLDSA44_BYTES:
            _refuse(f"has a public key of {len(self.public)} bytes, not {MLDSA44_BYTES}")

    @cached_property
    def key_id(self) -> bytes:
        """The four bytes that stand before each signature of this key."""
        head = self.name.encode() + b"\n" + bytes([self.algorithm])
        return hashlib.sha256(head + self.public).digest()[:4]

    @cached_property
    def text(self) -> str:
        """The key in its text form."""
        material = to_base64(bytes([self.algorithm]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether a bare signature of ``message`` is by this key.

        A signature has 64 bytes (Ed25519) or 2420 (ML-DSA-44); any other length does not verify.
        """
        try:
            self._crypto.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def _crypto(self) -> "Ed25519PublicKey | MLDSA44PublicKey":
        if self.algorithm == MLDSA44_COSIGNATURE:
            return mldsa44_key(self.public)
        return Ed25519PublicKey.from_public_bytes(self.public)


def is_key_name(name: str) -> bool:
    """Tell whether a text may name a key (rule 1)."""
    # A lone surrogate has no UTF-8, so no key id could be computed of it.
    return bool(name) and not any(
        char.isspace() or char == "+" or char < " " or "\ud800" <= char <= "\udfff" for char in name
    )


def parse_vkey(text: str, *, where: str) -> VerifierKey:
    """Read a verifier key from its text form.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    parts = text.split("+", 2)
    if len(parts) != 3 or not re.fullmatch("[0-9a-f]{8}", parts[1]):
        _refuse(f"is not a verifier key: {text[:60]!r}", where)
    material = from_base64(parts[2], where=where)
    if not material:
        _refuse("has an empty public key", where)
    try:
        key = VerifierKey(parts[0], material[0], material[1:])
    except InputError as error:
        _refuse(error.what, where)
    if key.text != text:
        _refuse(f"has the key id {parts[1]}, but its name and key give {key.key_id.hex()}", where)
    return key


def _refuse(what: str, where: str = "verifier key") -> NoReturn:
    raise InputError(
        what,
        where=where,
        next_step="Ask the operator of the log or witness for its vkey (C2SP signed-note).",
    )
