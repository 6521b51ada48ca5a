# SPDX-License-Identifier: Apache-2.0
"""Texts that are the same, or nearly: MinHash over runs of characters, then a true comparison.

1. Texts come folded (:mod:`countermark.exercise.lint.wording`); the same text is looked at once.
2. A text is the set of its runs of ``SHINGLE`` characters. Two texts are near if they share at
   least ``NEAR`` of all runs that either has (Jaccard).
3. Candidates share one of ``BANDS`` bands of ``ROWS`` minimal hashes (A. Broder 1997; Leskovec,
   Rajaraman, Ullman, *Mining of Massive Datasets*, 3.4), and of all hashes at least ``AGREE``. Of
   pairs at 0.9 about one in 300 is missed so.
4. Every candidate is compared truly, so that nothing is near that is not. A band that more than
   ``CROWD`` texts share is compared with its neighbours only.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from countermark.exercise.lint.scripts import code_points

SHINGLE: Final = 5
NEAR: Final = 0.9
BANDS: Final = 8
ROWS: Final = 4
AGREE: Final = 24  # of BANDS * ROWS
CROWD: Final = 10
_LONGEST: Final = 4000
_BATCH: Final = 2000
_ODD: Final = 0x9E3779B97F4A7C15


def near_pairs(texts: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of different texts that are near, and how near.

    Parameters
    ----------
    texts
        The texts, folded.
    """
    first = {text[:_LONGEST]: i for i, text in reversed(list(enumerate(texts)))}
    places = sorted(i for text, i in first.items() if len(text) >= 2 * SHINGLE)
    shown = [texts[i][:_LONGEST] for i in places]
    for one, other in _candidates(shown):
        # Without as many characters no two texts can share as many runs.
        short, long = sorted((len(shown[one]), len(shown[other])))
        if short < NEAR * long - SHINGLE:
            continue
        score = _jaccard(shown[one], shown[other])
        if score >= NEAR:
            yield places[one], places[other], score


def _candidates(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of rule 3, each once, in order."""
    if len(texts) < 2:
        return
    hashes = np.concatenate(
        [_hashes(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
    )
    pairs: set[tuple[int, int]] = set()
    for band in range(BANDS):
        rows = hashes[:, band * ROWS : (band + 1) * ROWS]
        keys = rows[:, 0]
        for row in range(1, ROWS):
            keys = _mixed(keys) + rows[:, row]
        order = np.argsort(keys, kind="stable")
        starts = np.concatenate(([0], np.flatnonzero(np.diff(keys[order])) + 1))
        sizes = np.diff(starts, append=len(order))
        for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
            members = order[start : start + size].tolist()
            pairs.update(combinations(members, 2) if size <= CROWD else pairwise(members))
    if pairs:
        both = np.array(sorted(pairs))
        for part in np.array_split(both, len(both) // _BATCH + 1):
            agree = (hashes[part[:, 0]] == hashes[part[:, 1]]).sum(axis=1) >= AGREE
            yield from ((int(one), int(other)) for one, other in part[agree])


def _hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return the least hash of each text's runs, by BANDS * ROWS hash functions."""
    points = code_points("".join(texts)).astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    ends = np.cumsum(lengths)
    size = len(points) - SHINGLE + 1
    runs = np.zeros(size, dtype=np.uint64)
    for place in range(SHINGLE):
        runs = runs * np.uint64(1_000_003) + points[place : place + size]
    # A run that begins in one text and ends in the next belongs to neither.
    keep = np.ones(size, dtype=bool)
    for back in range(1, SHINGLE):
        cut = ends[:-1] - back
        keep[cut[(cut >= 0) & (cut < size)]] = False
    runs = runs[keep]
    starts = np.concatenate(([0], np.cumsum(lengths - SHINGLE + 1)[:-1]))
    seeds = [(2 * number + 1) * _ODD % 2**64 for number in range(BANDS * ROWS)]
    least = [np.minimum.reduceat(_mixed(runs ^ np.uint64(seed)), starts) for seed in seeds]
    return np.stack(least, axis=1)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits (the finaliser of MurmurHash3)."""
    mixed = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return mixed ^ (mixed >> np.uint64(33))


def _jaccard(one: str, other: str) -> float:
    first, second = _runs(one), _runs(other)
    return len(first & second) / len(first | second)


def _runs(text: str) -> set[str]:
    return {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)}
