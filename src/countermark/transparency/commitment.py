# SPDX-License-Identifier: Apache-2.0
"""A commitment to many values, of which each can be opened alone.

A leaf is SHA-256(0x00 ‖ salt ‖ canonical value) and its salt HMAC-SHA256(tree key, index as eight
bytes, big-endian). Nodes and root are those of RFC 6962. Without the tree key a leaf tells
nothing, even of a value with two possibilities.

A lab's sealed samples have two leaves each, scores at 2i and transcript at 2i + 1, so that scores
can be opened while a hazardous transcript stays closed; see :mod:`disclosure`.
"""

import hashlib
import hmac
from collections.abc import Sequence

from countermark.records.canonical import JsonValue, canonical
from countermark.records.errors import InputError
from countermark.transparency.tree import leaf_hash, root_hash

KEY_BYTES = 32


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


def commitment_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root that is published: 32 bytes."""
    return root_hash(leaves)
