# SPDX-License-Identifier: Apache-2.0
"""Every proof of every tree of up to 70 leaves and around 256, and every plain way to bend one.

The table follows the ways in which public test vectors for Merkle proofs bend them (a hash less,
more, changed, exchanged; index, size, leaf or root of another claim), made anew over our own tree.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import pytest

from countermark.transparency.tree import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

LEAVES = tuple(leaf_hash(b"leaf %d" % i) for i in range(301))
SPARE = leaf_hash(b"never logged")
SIZES = (*range(1, 71), 255, 256, 257, 258, 300)
Proof = tuple[bytes, ...]


@cache
def root(size: int) -> bytes:
    return root_hash(LEAVES[:size])


def bent(proof: Proof) -> Iterator[Proof]:
    """Yield a proof with each hash dropped, flipped or exchanged with its neighbour, or one added.

    A hash that happens to stand twice would make two of these the same proof; none does here.
    """
    yield (*proof, SPARE)
    yield (SPARE, *proof)
    for i, value in enumerate(proof):
        yield proof[:i] + proof[i + 1 :]
        yield (*proof[:i], value[:-1] + bytes([value[-1] ^ 1]), *proof[i + 1 :])
        if i:
            yield (*proof[: i - 1], value, proof[i - 1], *proof[i + 1 :])


@pytest.mark.parametrize("size", SIZES)
def test_each_inclusion_proof_and_no_bent_one(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], index)
        assert len(proof) <= (size - 1).bit_length()
        assert verify_inclusion(LEAVES[index], index, size, proof, root(size))
        for other in bent(proof):
            assert not verify_inclusion(LEAVES[index], index, size, other, root(size))


@pytest.mark.parametrize("size", SIZES)
def test_each_consistency_proof_and_no_bent_one(size: int) -> None:
    for old in range(size + 1):
        proof = consistency_proof(LEAVES[:size], old)
        assert verify_consistency(old, root(old), size, root(size), proof)
        for other in bent(proof):
            assert not verify_consistency(old, root(old), size, root(size), other)


def test_no_proof_is_one_of_another_leaf_or_size() -> None:
    for size in (*range(1, 33), 255, 256, 257):
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            for other in {0, index - 1, index + 1, index ^ 2, size - 1, size} - {index}:
                assert not verify_inclusion(LEAVES[index], other, size, proof, root(size))
            for other in {size - 1, size + 1, size * 2, size // 2} - {size}:
                claimed = root(min(other, 301))
                assert not verify_inclusion(LEAVES[index], index, other, proof, claimed)


@dataclass(frozen=True)
class Claim:
    index: int
    size: int
    leaf: bytes
    root: bytes
    proof: Proof

    @property
    def holds(self) -> bool:
        return verify_inclusion(self.leaf, self.index, self.size, self.proof, self.root)


@dataclass(frozen=True)
class Growth:
    old: int
    new: int
    old_root: bytes
    new_root: bytes
    proof: Proof

    @property
    def holds(self) -> bool:
        return verify_consistency(self.old, self.old_root, self.new, self.new_root, self.proof)


INCLUSIONS = ((0, 2), (1, 2), (2, 3), (1, 5), (4, 5), (0, 8), (5, 8), (7, 8), (255, 256),
              (256, 257), (0, 257), (299, 300))  # fmt: skip
GROWTHS = ((1, 2), (2, 3), (2, 5), (1, 8), (4, 8), (6, 8), (7, 8), (255, 256), (256, 257),
           (128, 300), (256, 300), (299, 300))  # fmt: skip

PROOFS: dict[str, Callable[[Proof], Proof]] = {
    "a hash more at the end": lambda p: (*p, SPARE),
    "a hash more at the start": lambda p: (SPARE, *p),
    "an empty hash more at the end": lambda p: (*p, b""),
    "an empty hash more at the start": lambda p: (b"", *p),
    "the last hash twice": lambda p: (*p, *p[-1:]),
    "no first hash": lambda p: p[1:],
    "no last hash": lambda p: p[:-1],
    "no hash": lambda _: (),
    "first hash changed": lambda p: (bytes([p[0][0] ^ 1]) + p[0][1:], *p[1:]),
    "last hash changed": lambda p: (*p[:-1], p[-1][:-1] + bytes([p[-1][-1] ^ 128])),
    "first hash short": lambda p: (p[0][:31], *p[1:]),
    "last hash long": lambda p: (*p[:-1], p[-1] + b"\0"),
    "first hash empty": lambda p: (b"", *p[1:]),
    "hashes reversed": lambda p: p[::-1],
    "two hashes joined": lambda p: (b"".join(p[:2]), *p[2:]),
    "zeros for the first hash": lambda p: (bytes(32), *p[1:]),
}
CLAIMS: dict[str, Callable[[Claim], Claim]] = {
    "index below": lambda c: replace(c, index=c.index - 1),
    "index above": lambda c: replace(c, index=c.index + 1),
    "index with a bit changed": lambda c: replace(c, index=c.index ^ 2),
    "index beyond": lambda c: replace(c, index=c.size),
    "index of 64 bits more": lambda c: replace(c, index=c.index + 2**64),
    "size twice": lambda c: replace(c, size=c.size * 2, root=root(min(301, c.size * 2))),
    "size half": lambda c: replace(c, size=c.size // 2, root=root(c.size // 2)),
    "size above": lambda c: replace(c, size=c.size + 1, root=root(c.size + 1)),
    "size below": lambda c: replace(c, size=c.size - 1, root=root(c.size - 1)),
    "size nothing": lambda c: replace(c, size=0, root=EMPTY_ROOT),
    "other root": lambda c: replace(c, root=SPARE),
    "empty root": lambda c: replace(c, root=b""),
    "root of the empty tree": lambda c: replace(c, root=EMPTY_ROOT),
    "other leaf": lambda c: replace(c, leaf=SPARE),
    "empty leaf": lambda c: replace(c, leaf=b""),
    "empty root and leaf": lambda c: replace(c, root=b"", leaf=b""),
    "empty root, leaf and proof": lambda c: replace(c, root=b"", leaf=b"", proof=()),
    "first hash as the leaf": lambda c: replace(c, leaf=c.proof[0]),
}
GROWN: dict[str, Callable[[Growth], Growth]] = {
    "old below": lambda g: replace(g, old=g.old - 1, old_root=root(g.old - 1)),
    "old above": lambda g: replace(g, old=g.old + 1, old_root=root(g.old + 1)),
    "old size of another root": lambda g: replace(g, old=g.old + 1),
    "new below": lambda g: replace(g, new=g.new - 1, new_root=root(g.new - 1)),
    "new above": lambda g: replace(g, new=g.new + 1, new_root=root(g.new + 1)),
    "sizes exchanged": lambda g: replace(g, old=g.new, new=g.old),
    "roots exchanged": lambda g: replace(g, old_root=g.new_root, new_root=g.old_root),
    "old size nothing": lambda g: replace(g, old=0, old_root=EMPTY_ROOT),
    "other old root": lambda g: replace(g, old_root=SPARE),
    "other new root": lambda g: replace(g, new_root=SPARE),
    "empty old root": lambda g: replace(g, old_root=b""),
    "empty new root": lambda g: replace(g, new_root=b""),
    "empty roots": lambda g: replace(g, old_root=b"", new_root=b""),
    "empty roots and proof": lambda g: replace(g, old_root=b"", new_root=b"", proof=()),
    "same roots": lambda g: replace(g, old_root=g.new_root),
    "equal sizes": lambda g: replace(g, old=g.new),
}


def claim(index: int, size: int) -> Claim:
    proof = inclusion_proof(LEAVES[:size], index)
    return Claim(index, size, LEAVES[index], root(size), proof)


def growth(old: int, new: int) -> Growth:
    return Growth(old, new, root(old), root(new), consistency_proof(LEAVES[:new], old))


@pytest.mark.parametrize("how", [*PROOFS, *CLAIMS])
@pytest.mark.parametrize(("index", "size"), INCLUSIONS)
def test_table_of_inclusions(index: int, size: int, how: str) -> None:
    good = claim(index, size)
    assert good.holds
    bad = replace(good, proof=PROOFS[how](good.proof)) if how in PROOFS else CLAIMS[how](good)
    assert bad == good or not bad.holds
    assert bad != good or len(good.proof) == 1


@pytest.mark.parametrize("how", [*PROOFS, *GROWN])
@pytest.mark.parametrize(("old", "new"), GROWTHS)
def test_table_of_growths(old: int, new: int, how: str) -> None:
    good = growth(old, new)
    assert good.holds
    bad = replace(good, proof=PROOFS[how](good.proof)) if how in PROOFS else GROWN[how](good)
    assert bad == good or not bad.holds
    assert bad != good or len(good.proof) == 1
