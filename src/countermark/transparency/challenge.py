# SPDX-License-Identifier: Apache-2.0
"""Which sealed samples an auditor asks a lab to open, so that the lab cannot choose them.

1. The choice follows from a root that did not exist when the lab sealed: the root of a log that is
   not the lab's own, up to and with a statement that names the seal. It holds a signature that the
   lab could not know in advance. It is the same for everybody, whichever checkpoint they hold.
2. Draw ``k`` = 0, 1, … is the first eight bytes, big-endian, of
   HMAC-SHA256(root, ``countermark-challenge/v1`` LF seal LF ``k`` LF). The seal is its content
   address in text, and ``k`` is in decimal.
3. A draw at or above the largest multiple of the number of samples is dropped, so that every index
   is equally likely. The index is the draw modulo the number of samples.
4. An index that was drawn before is dropped. The challenge is the first ``count`` that remain, in
   the order in which they were drawn, so that a longer challenge begins with a shorter one.
"""

import hashlib
import hmac
import itertools
from collections.abc import Sequence

from countermark.transparency.tree import HASH_BYTES, inclusion_ranges, node_hash

LABEL = "countermark-challenge/v1"
_DRAWS = 2**64


def challenged(
    checkpoint_root: bytes, sealed_digest: str, samples: int, count: int
) -> tuple[int, ...]:
    """Return the indices of the samples that are challenged, distinct and uniform.

    Parameters
    ----------
    checkpoint_root
        A root of 32 bytes that was witnessed after the seal; see rule 1.
    sealed_digest
        Content address of the sealed-result.
    samples
        How many it covers.
    count
        How many are asked for; not more than there are.

    Raises
    ------
    ValueError
        If the root is not 32 bytes, or the count is negative or above the number of samples.
    """
    if len(checkpoint_root) != HASH_BYTES or not 0 <= count <= samples:
        raise ValueError(f"cannot choose {count} of {samples} samples by these bytes")
    chosen: dict[int, None] = {}
    for draw in itertools.count():
        if len(chosen) == count:
            break
        said = f"{LABEL}\n{sealed_digest}\n{draw}\n".encode()
        drawn = int.from_bytes(hmac.digest(checkpoint_root, said, hashlib.sha256)[:8], "big")
        if drawn < _DRAWS - _DRAWS % samples:
            chosen.setdefault(drawn % samples)
    return tuple(chosen)


def root_through(leaf: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes:
    """Return the root of a log up to and with one leaf, from that leaf's inclusion proof.

    In the tree that ends with the leaf, its path has only hashes to its left, one for each bit of
    the index that is set. They are in every later inclusion proof of the leaf too.

    Parameters
    ----------
    leaf
        The leaf's hash.
    index, size
        Its place in the log, and the size of the tree that the proof is for.
    hashes
        The proof, from the leaf's sibling up. It must have been verified.
    """
    value = leaf
    for (_, end), other in zip(inclusion_ranges(index, size), hashes, strict=True):
        if end <= index:
            value = node_hash(other, value)
    return value
