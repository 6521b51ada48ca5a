# SPDX-License-Identifier: Apache-2.0
"""Public keys from their bytes, each taken in one form only, and none that is known to be unsound.

1. Ed25519: 32 bytes; ``y`` is below p = 2²⁵⁵ − 19, so that a key has one encoding; and the point
   is none of the eight of small order. Under such a key one signature fits many messages, and the
   library takes it without a word (32 zero bytes are one).
2. ECDSA P-256: 65 bytes, an uncompressed point (0x04 ‖ x ‖ y) on the curve. The library would
   take compressed points too, and the same key would have two key ids.
3. ML-DSA-44: 1312 bytes. All such strings are keys.

That 32 bytes are on the curve of Ed25519 is left to the library: off it nothing verifies.
"""

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from countermark.records.errors import InputError, StateError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

ED25519_BYTES = 32
P256_BYTES = 65
MLDSA44_BYTES = 1312
_PRIME = 2**255 - 19
# y of the points of order 8 is one of these two; of orders 1, 2 and 4 it is 1, -1 and 0.
_Y_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y = frozenset({0, 1, _PRIME - 1, _Y_ORDER_8, _PRIME - _Y_ORDER_8})


def check_ed25519(data: bytes) -> None:
    """Refuse 32 bytes that are no sound Ed25519 public key (rule 1).

    Raises
    ------
    InputError
        If the rule is broken.
    """
    if len(data) != ED25519_BYTES:
        raise _unsound(f"has a public key of {len(data)} bytes, not {ED25519_BYTES}")
    # The top bit is the sign of x; a point of small order stays one under either sign.
    y = int.from_bytes(data, "little") & (2**255 - 1)
    if y >= _PRIME:
        raise _unsound("has a public key that is not in its one encoding (y is p or more)")
    if y in _SMALL_ORDER_Y:
        raise _unsound("has a public key of small order, under which anybody can sign")


def ed25519_key(data: bytes) -> Ed25519PublicKey:
    """Return an Ed25519 public key (rule 1).

    Raises
    ------
    InputError
        If the rule is broken.
    """
    check_ed25519(data)
    return Ed25519PublicKey.from_public_bytes(data)


def p256_key(data: bytes) -> EllipticCurvePublicKey:
    """Return an ECDSA P-256 public key (rule 2).

    Raises
    ------
    InputError
        If the rule is broken.
    """
    if len(data) != P256_BYTES or data[0] != 0x04:
        raise _unsound("has a public key that is not the 65 bytes of an uncompressed point")
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), data)
    except ValueError as error:
        raise _unsound("has a public key that is not a point on P-256") from error


def mldsa44_key(data: bytes) -> "MLDSA44PublicKey":
    """Return an ML-DSA-44 public key (rule 3). Experimental.

    Raises
    ------
    InputError
        If the rule is broken.
    StateError
        If the installed ``cryptography`` does not know ML-DSA.
    """
    if len(data) != MLDSA44_BYTES:
        raise _unsound(f"has a public key of {len(data)} bytes, not {MLDSA44_BYTES}")
    try:
        # Newer than the oldest version of the library that we admit.
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415
    except ImportError as error:
        raise StateError(
            "cannot be used: the installed cryptography does not know ML-DSA",
            where="ML-DSA-44 key",
            next_step="pip install 'cryptography>=48'",
        ) from error
    return MLDSA44PublicKey.from_public_bytes(data)


def _unsound(what: str) -> InputError:
    return InputError(what, where="public key", next_step="Ask its owner for the key again.")
