# SPDX-License-Identifier: Apache-2.0
"""Ed25519's curve in plain Python (RFC 8032), to make keys and signatures that no library makes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, PRIME) % PRIME


@dataclass(frozen=True)
class Point:
    x: int
    y: int

    def __add__(self, other: "Point") -> "Point":
        k = _D * self.x * other.x * self.y * other.y
        x = (self.x * other.y + other.x * self.y) * pow(1 + k, -1, PRIME)
        y = (self.y * other.y + self.x * other.x) * pow(1 - k, -1, PRIME)
        return Point(x % PRIME, y % PRIME)

    def __rmul__(self, times: int) -> "Point":
        result, power = IDENTITY, self
        while times:
            if times & 1:
                result += power
            power += power
            times >>= 1
        return result

    def encoded(self) -> bytes:
        return encoded(self.y, self.x & 1)

    def encodings(self) -> Iterator[bytes]:
        """Every 32 bytes that a lax decoder may take for this point."""
        for y in (self.y, self.y + PRIME):
            for sign in {self.x & 1} if self.x else {0, 1}:
                if y < 2**255:
                    yield encoded(y, sign)


def encoded(y: int, sign: int) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


def point(y: int) -> Point | None:
    """Return the point with this y and an even x, if there is one."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, PRIME) % PRIME
    for x in (root := pow(square, (PRIME + 3) // 8, PRIME), root * pow(2, (PRIME - 1) // 4, PRIME)):
        if (x * x - square) % PRIME == 0:
            return Point(min(x % PRIME, -x % PRIME, key=lambda v: v & 1), y)
    return None


IDENTITY = Point(0, 1)
BASE = Point(
    0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A,
    0x6666666666666666666666666666666666666666666666666666666666666658,
)


def small_order() -> list[Point]:
    """Return the eight points of small order."""
    # Taking a point L times leaves what it has of small order; the first of order 8 makes all.
    for y in range(2, 100):
        found = point(y)
        torsion = ORDER * found if found else IDENTITY
        if 4 * torsion != IDENTITY:
            return [times * torsion for times in range(8)]
    raise AssertionError("no point of order 8 was found")


@dataclass(frozen=True)
class Secret:
    """A secret scalar, and the signatures that an odd signer could make with it."""

    seed: bytes

    @property
    def scalar(self) -> int:
        low = int.from_bytes(hashlib.sha512(self.seed).digest()[:32], "little")
        return low & (2**254 - 8) | 2**254

    @property
    def public(self) -> Point:
        return self.scalar * BASE

    def sign(self, message: bytes, nonce: int, r_bytes: bytes, a_bytes: bytes) -> bytes:
        """Sign with a chosen nonce, hashing the given encodings of R and A."""
        k = challenge(r_bytes, a_bytes, message)
        return r_bytes + ((nonce + k * self.scalar) % ORDER).to_bytes(32, "little")


def challenge(r_bytes: bytes, a_bytes: bytes, message: bytes) -> int:
    digest = hashlib.sha512(r_bytes + a_bytes + message).digest()
    return int.from_bytes(digest, "little") % ORDER
