# SPDX-License-Identifier: Apache-2.0
"""Texts that are the same, or nearly: MinHash over runs of characters, then a true comparison.

1. Two texts are the same if they are after NFKC, folding of case and of white space.
2. A text is the set of its runs of ``SHINGLE`` characters. Two texts are near if they share at
   least ``NEAR`` of all runs that either has (Jaccard).
3. Candidates share one of ``BANDS`` bands of ``ROWS`` minimal hashes (A. Broder 1997; Leskovec,
   Rajaraman, Ullman, *Mining of Massive Datasets*, 3.4): at 0.9 one in 10,000 is missed.
4. Every candidate is compared truly, so that nothing is near that is not. A band that more than
   ``CROWD`` texts share is compared with its neighbours only.
"""

import re
import unicodedata
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
CROWD: Final = 30
_LONGEST: Final = 4000
_BATCH: Final = 2000
_SPACE: Final = re.compile(r"\s+")
_ODD: Final = 0x9E3779B97F4A7C15


def folded(text: str) -> str:
    """Return what two texts have in common if they are the same (rule 1)."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()


def near_pairs(texts: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of different texts that are near, and how near; texts are ``folded``.

    Parameters
    ----------
    texts
        The texts; the same text is looked at once.
    """
    first = {text[:_LONGEST]: i for i, text in reversed(list(enumerate(texts)))}
    places = sorted(i for text, i in first.items() if len(text) >= 2 * SHINGLE)
    shown = [texts[i][:_LONGEST] for i in places]
    seen: set[tuple[int, int]] = set()
    for one, other in _candidates(shown):
        pair = (min(one, other), max(one, other))
        if pair in seen:
            continue
        seen.add(pair)
        # Without as many characters no two texts can share as many runs.
        short, long = sorted((len(shown[one]), len(shown[other])))
        if short < NEAR * long - SHINGLE:
            continue
        score = _jaccard(shown[one], shown[other])
        if score >= NEAR:
            yield places[pair[0]], places[pair[1]], score


def _candidates(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    bands: list[dict[int, list[int]]] = [{} for _ in range(BANDS)]
    for start in range(0, len(texts), _BATCH):
        keys = _signatures(texts[start : start + _BATCH])
        for band, shared in enumerate(bands):
            for row, key in enumerate(keys[:, band].tolist()):
                shared.setdefault(key, []).append(start + row)
    for shared in bands:
        for members in shared.values():
            if 1 < len(members) <= CROWD:
                yield from combinations(members, 2)
            elif len(members) > CROWD:
                yield from pairwise(members)


def _signatures(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return one number for each band of each text."""
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
    keys = np.zeros((len(texts), BANDS), dtype=np.uint64)
    for band in range(BANDS):
        for row in range(ROWS):
            seed = np.uint64((2 * (band * ROWS + row) + 1) * _ODD % 2**64)
            least = np.minimum.reduceat(_mixed(runs ^ seed), starts)
            keys[:, band] = _mixed(keys[:, band] + least)
    return keys


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
