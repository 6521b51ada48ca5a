# SPDX-License-Identifier: Apache-2.0
"""Golden values are of Google's certificate-transparency reference tree of eight leaves."""

from itertools import pairwise

import pytest

from countermark.transparency.tree import (
    EMPTY_ROOT,
    consistency_proof,
    consistency_ranges,
    inclusion_proof,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

REFERENCE_DATA = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
REFERENCE_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
REFERENCE = tuple(leaf_hash(bytes.fromhex(data)) for data in REFERENCE_DATA)
LEAVES = tuple(leaf_hash(b"%d" % i) for i in range(70))
ROOTS = tuple(root_hash(LEAVES[:n]) for n in range(len(LEAVES) + 1))


def test_roots_of_the_reference_tree() -> None:
    assert root_hash([]) == EMPTY_ROOT
    assert EMPTY_ROOT.hex().startswith("e3b0c44298fc1c14")
    roots = tuple(root_hash(REFERENCE[: n + 1]).hex() for n in range(8))
    assert roots == REFERENCE_ROOTS


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (
            6,
            8,
            (
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ),
        ),
        (
            2,
            5,
            (
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ),
        ),
    ],
)
def test_consistency_proofs_of_the_reference_tree(
    old: int, new: int, proof: tuple[str, ...]
) -> None:
    assert tuple(h.hex() for h in consistency_proof(REFERENCE[:new], old)) == proof


def recursive_root(leaves: tuple[bytes, ...]) -> bytes:
    """RFC 6962's own definition, as an oracle for the level-by-level form."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(recursive_root(leaves[:k]), recursive_root(leaves[k:]))


def test_root_is_that_of_the_recursive_definition() -> None:
    assert [recursive_root(LEAVES[:n]) for n in range(1, 71)] == list(ROOTS[1:])


def mutations(proof: tuple[bytes, ...]) -> list[tuple[bytes, ...]]:
    """Every way a liar would bend a proof: drop, add, flip, swap, shorten, empty."""
    bent = [proof[:i] + proof[i + 1 :] for i in range(len(proof))]
    bent += [(*proof[:i], b"\x00" * 32, *proof[i:]) for i in range(len(proof) + 1)]
    for i, value in enumerate(proof):
        flipped = bytes([value[0] ^ 1]) + value[1:]
        others = (flipped, value[:31], b"", value + b"0")
        bent += [(*proof[:i], other, *proof[i + 1 :]) for other in others]
    for i, (a, b) in enumerate(pairwise(proof)):
        bent.append((*proof[:i], b, a, *proof[i + 2 :]))
    return bent


def test_rules_1_and_3_every_inclusion_proof_and_no_bent_one() -> None:
    for size in range(1, 71):
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            assert verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
            if size <= 20:
                for bent in mutations(proof):
                    assert not verify_inclusion(LEAVES[index], index, size, bent, ROOTS[size])
                for other in set(range(-1, size + 1)) - {index}:
                    assert not verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
            for other in (size - 1, size + 1):
                root = ROOTS[other % 71]
                assert not verify_inclusion(LEAVES[index], index, other, proof, root)


def test_rules_1_and_3_every_consistency_proof_and_no_bent_one() -> None:
    for new in range(71):
        for old in range(new + 1):
            proof = consistency_proof(LEAVES[:new], old)
            assert verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)
            if new <= 20:
                for bent in mutations(proof):
                    assert not verify_consistency(old, ROOTS[old], new, ROOTS[new], bent)
            for wrong in {old - 1, old + 1} & set(range(71)):
                assert not verify_consistency(old, ROOTS[wrong], new, ROOTS[new], proof)


@pytest.mark.parametrize("size", [255, 256, 257, 300])
def test_proofs_around_a_tile_boundary(size: int) -> None:
    leaves = tuple(leaf_hash(b"%d" % i) for i in range(size))
    root = root_hash(leaves)
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert verify_inclusion(leaves[index], index, size, proof, root)
    for old in range(0, size + 1, 7):
        proof = consistency_proof(leaves, old)
        assert verify_consistency(old, root_hash(leaves[:old]), size, root, proof)


def test_rule_1_short_roots_and_leaves_are_refused() -> None:
    assert not verify_inclusion(b"", 0, 1, (), b"")
    assert not verify_inclusion(LEAVES[0][:31], 0, 1, (), LEAVES[0][:31])
    assert not verify_consistency(1, b"", 1, b"", ())
    assert not verify_consistency(1, b"x", 1, b"x", ())


def test_rule_2_out_of_range() -> None:
    root, leaf = ROOTS[5], LEAVES[0]
    proof = inclusion_proof(LEAVES[:5], 0)
    assert not verify_inclusion(leaf, 5, 5, proof, root)
    assert not verify_inclusion(leaf, -1, 5, proof, root)
    assert not verify_inclusion(EMPTY_ROOT, 0, 0, (), EMPTY_ROOT)
    assert not verify_consistency(6, ROOTS[6], 5, ROOTS[5], ())
    assert not verify_consistency(-1, ROOTS[0], 5, ROOTS[5], ())
    for index in (-1, 5):
        with pytest.raises(ValueError, match="not in a tree"):
            inclusion_ranges(index, 5)
    for old in (-1, 6):
        with pytest.raises(ValueError, match="does not extend"):
            consistency_ranges(old, 5)


def test_from_nothing_and_to_the_same_size() -> None:
    assert verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], ())
    assert not verify_consistency(0, ROOTS[1], 5, ROOTS[5], ())
    assert not verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], (ROOTS[1],))
    assert not verify_consistency(0, ROOTS[1], 0, ROOTS[1], ())
    assert not verify_consistency(5, ROOTS[5], 5, ROOTS[4], ())
    assert not verify_consistency(5, ROOTS[5], 5, ROOTS[5], (ROOTS[1],))


def test_a_log_that_dropped_a_leaf_proves_nothing() -> None:
    """The liar removes leaf 3 and grows again; no range of its own tree helps it."""
    liar = LEAVES[:3] + LEAVES[4:12]
    for start in range(len(liar)):
        for end in range(start + 1, len(liar) + 1):
            tail = consistency_proof(liar, 8)
            bent = (root_hash(liar[start:end]), *tail[1:])
            assert not verify_consistency(8, ROOTS[8], len(liar), root_hash(liar), bent)
