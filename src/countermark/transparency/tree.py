# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 6962 and RFC 9162: hashes, roots, and proofs made and verified.

A proof is a list of hashes of subtrees. Which subtrees is a matter of sizes only, so
:func:`inclusion_ranges` and :func:`consistency_ranges` name them as leaf ranges ``[start, end)``.
Whoever holds the leaves or the tiles looks the hashes up; whoever verifies joins them, and the
ranges tell which one goes to the left. Nothing but the root at the end says that a hash is right.

Verifying gives what RFC 9162, sections 2.1.3.2 and 2.1.4.2, gives, with three rules added because
a proof may come from anyone:

1. every hash is 32 bytes;
2. sizes and indices are in range; nothing is proved about a leaf of an empty tree;
3. a proof has exactly the hashes it needs, none left over.

A consistency proof from size 0 is empty, and so is one between equal sizes, whose roots must be
equal.
"""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
Range = tuple[int, int]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf: SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes (RFC 6962, section 2.1).

    Joining neighbours level by level, and lifting an odd last one as it is, gives the same tree
    as splitting at the largest power of two.
    """
    level = list(leaves)
    while len(level) > 1:
        level = parents(level) + level[len(level) & ~1 :]
    return level[0] if level else EMPTY_ROOT


def parents(level: Sequence[bytes]) -> list[bytes]:
    """Return the hashes one level up; an odd last hash has no parent yet."""
    pairs = zip(level[::2], level[1::2], strict=False)
    return [node_hash(left, right) for left, right in pairs]


def split_point(size: int) -> int:
    """Return the largest power of two below ``size`` (which is at least 2)."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the leaf ranges whose hashes prove leaf ``index`` in a tree of ``size``.

    They are ordered from the leaf's sibling up.

    Raises
    ------
    ValueError
        If the index is not in the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Return the leaf ranges whose hashes prove that a tree of ``new`` extends one of ``old``.

    Raises
    ------
    ValueError
        If the old size is negative or above the new one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not extend one of {old}")
    if old in (0, new):
        return []
    ranges = _last_subtree_first(old, new)
    # The verifier knows the old root itself, which is the first range if that begins at 0.
    return ranges if ranges[0][0] else ranges[1:]


def _last_subtree_first(old: int, new: int) -> list[Range]:
    """Return the last subtree that both trees have, and all that joins it to the new root."""
    ranges: list[Range] = []
    start, end = 0, new
    while end != old:
        middle = start + split_point(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return [(start, end), *reversed(ranges)]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the proof that a leaf is in the tree over these leaf hashes."""
    return tuple(root_hash(leaves[s:e]) for s, e in inclusion_ranges(index, len(leaves)))


def consistency_proof(leaves: Sequence[bytes], old: int) -> tuple[bytes, ...]:
    """Return the proof that the tree over these leaf hashes extends its first ``old`` leaves."""
    return tuple(root_hash(leaves[s:e]) for s, e in consistency_ranges(old, len(leaves)))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether a proof shows a leaf at an index of the tree with this size and root.

    Parameters
    ----------
    leaf
        The leaf's hash, 32 bytes.
    index, size
        Where the leaf is, from 0, and how many leaves the tree has.
    proof
        The hashes, from the leaf's sibling up.
    root
        The root of the tree.
    """
    if not _are_hashes(leaf, root, *proof) or not 0 <= index < size:
        return False
    ranges = inclusion_ranges(index, size)
    if len(proof) != len(ranges):
        return False
    value = leaf
    for (start, _), other in zip(ranges, proof, strict=True):
        value = node_hash(other, value) if start < index else node_hash(value, other)
    return value == root


def verify_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether a proof shows that the new tree has all leaves of the old one, in order.

    Parameters
    ----------
    old, new
        Sizes of the two trees.
    old_root, new_root
        Their roots.
    proof
        The hashes, in the order of RFC 6962.
    """
    if not _are_hashes(old_root, new_root, *proof) or not 0 <= old <= new:
        return False
    if old == 0 and old_root != EMPTY_ROOT:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof
    ranges = _last_subtree_first(old, new)
    hashes = proof if ranges[0][0] else (old_root, *proof)
    if len(hashes) != len(ranges):
        return False
    old_value = new_value = hashes[0]
    for (start, _), other in zip(ranges[1:], hashes[1:], strict=True):
        if start < old:
            old_value, new_value = node_hash(other, old_value), node_hash(other, new_value)
        else:
            new_value = node_hash(new_value, other)
    return (old_value, new_value) == (old_root, new_root)


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
