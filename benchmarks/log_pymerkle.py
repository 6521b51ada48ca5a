# SPDX-License-Identifier: Apache-2.0
"""What ``benchmarks/log.py`` measures, done by pymerkle. Prints JSON.

``benchmarks/log.py`` runs this in an environment of its own: pymerkle is under the GPL, and
Countermark neither depends on it nor imports it. Figures are CPU seconds.
"""

import hashlib
import json
import random
import sys
import time
from collections.abc import Callable

import pymerkle  # type: ignore[import-not-found]


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    size, proofs, repeat = map(int, sys.argv[1:])
    leaves = [hashlib.shake_128(i.to_bytes(8, "big")).digest(200) for i in range(size)]
    places = random.Random(1).sample(range(1, size), proofs)  # noqa: S311

    def append() -> bytes:
        new = pymerkle.InmemoryTree(algorithm="sha256")
        new.append_entries(leaves)
        return bytes(new.get_root())

    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries(leaves)
    root = append()

    included = [tree.prove_inclusion(i + 1, size) for i in places]
    extended = [tree.prove_consistency(i, size) for i in places]
    hashes = [tree.get_leaf(i + 1) for i in places]
    roots = [tree.get_root(i) for i in places]

    def verify_inclusion() -> None:
        for leaf, proof in zip(hashes, included, strict=True):
            pymerkle.verify_inclusion(leaf, root, proof)

    def verify_consistency() -> None:
        for old_root, proof in zip(roots, extended, strict=True):
            pymerkle.verify_consistency(old_root, root, proof)

    work: dict[str, Callable[[], object]] = {
        "inclusion": lambda: [tree.prove_inclusion(i + 1, size) for i in places],
        "consistency": lambda: [tree.prove_consistency(i, size) for i in places],
        "verify_inclusion": verify_inclusion,
        "verify_consistency": verify_consistency,
    }
    seconds = {name: min(cpu(one) for _ in range(repeat)) / proofs for name, one in work.items()}
    answer = {
        "version": pymerkle.__version__,
        "root": root.hex(),
        "append": min(cpu(append) for _ in range(repeat)),
        **seconds,
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
