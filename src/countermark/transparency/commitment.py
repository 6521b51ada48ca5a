# SPDX-License-Identifier: Apache-2.0
"""A commitment to many values, of which each can be opened alone.

A leaf is SHA-256(0x00 ‖ salt ‖ canonical value) and its salt HMAC-SHA256(tree key, index as eight
bytes, big-endian). Nodes and root are those of RFC 6962. Without the tree key a leaf tells
nothing, even of a value with two possibilities.

A lab's sealed samples have two leaves each, scores at 2i and transcript at 2i + 1, so that scores
can be opened while a hazardous transcript stays closed.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from countermark.records.canonical import JsonValue, canonical
from countermark.records.errors import InputError
from countermark.transparency.tree import (
    HASH_BYTES,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_inclusion,
)

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Opening:
    """What shows that one value was committed to: its place, salt and path."""

    index: int
    salt: bytes
    path: tuple[bytes, ...]


def salt_of(tree_key: bytes, index: int) -> bytes:
    """Return the salt of one leaf.

    Raises
    ------
    InputError
        If the tree key is not 32 bytes.
    """
    if len(tree_key) != KEY_BYTES:
        raise InputError(
            f"is {len(tree_key)} bytes, not {KEY_BYTES}",
            where="tree key",
            next_step="Use the tree key that sealing wrote.",
        )
    return hmac.digest(tree_key, index.to_bytes(8, "big"), hashlib.sha256)


def salted_leaf(salt: bytes, value: JsonValue) -> bytes:
    """Return the leaf of a value under a salt."""
    return leaf_hash(salt + canonical(value))


def salted_leaves(tree_key: bytes, values: Iterable[JsonValue]) -> tuple[bytes, ...]:
    """Return the leaves of all values, in order."""
    return tuple(salted_leaf(salt_of(tree_key, i), value) for i, value in enumerate(values))


def commitment_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root that is published: 32 bytes."""
    return root_hash(leaves)


def open_leaf(tree_key: bytes, leaves: Sequence[bytes], index: int) -> Opening:
    """Return what opens the leaf at ``index``.

    Raises
    ------
    ValueError
        If there is no such leaf.
    """
    return Opening(index, salt_of(tree_key, index), inclusion_proof(leaves, index))


def verify_opening(root: bytes, size: int, opening: Opening, value: JsonValue) -> bool:
    """Tell whether a value is the one committed to at the opening's place among ``size`` leaves."""
    if len(opening.salt) != HASH_BYTES:
        return False
    leaf = salted_leaf(opening.salt, value)
    return verify_inclusion(leaf, opening.index, size, opening.path, root)
