# SPDX-License-Identifier: Apache-2.0
"""Whether two lists of texts are translations of each other, row by row.

Rows that belong together have lengths that go together, and share numbers and names that a
translation keeps. Both are compared with the same lists shifted against each other, where nothing
belongs together:

1. Fewer than ``LEAST`` rows, or lists of different lengths, decide nothing.
2. *lengths*: the correlation of the logarithms of the lengths. It speaks for alignment if it is at
   least 0.5 and more than that of every shift by 1 to ``SHIFTS`` rows.
3. *anchors*: rows that share a number of two digits or more, or a word of Latin letters with a
   capital or a digit in it, which is rare in both lists. They speak for alignment if at least
   three rows share one and twice as many as under any shift.
4. Aligned: one of the two speaks for it, and the other not against it. Against it: the lengths'
   correlation is less than 0.2 and no row shares an anchor.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST: Final = 8
SHIFTS: Final = 5
_RARE: Final = 3
_MOST_ROWS: Final = 2000
_WORD: Final = re.compile(r"[A-Za-z0-9]{2,}")
_CAPITAL: Final = re.compile(r"[A-Z0-9]")


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the test found.

    Parameters
    ----------
    lengths, shifted_lengths
        Correlation of the log lengths, row by row and the greatest under a shift.
    anchors, shifted_anchors
        Rows that share a name or number, and the most that do under a shift.
    rows
        Rows compared.
    """

    lengths: float
    shifted_lengths: float
    anchors: int
    shifted_anchors: int
    rows: int

    @property
    def aligned(self) -> bool:
        """Whether the rows belong together (rule 4)."""
        by_length = self.lengths >= 0.5 and self.lengths > self.shifted_lengths + 0.1
        by_anchor = self.anchors >= 3 and self.anchors >= 2 * self.shifted_anchors
        return (by_length and self.anchors >= self.shifted_anchors) or (
            by_anchor and self.lengths >= 0
        )

    @property
    def unrelated(self) -> bool:
        """Whether the rows do not belong together (rule 4)."""
        return self.lengths < 0.2 and self.anchors <= self.shifted_anchors

    def __str__(self) -> str:
        return (
            f"lengths correlate at {self.lengths:.2f} (shifted: {self.shifted_lengths:.2f} at "
            f"most), and {self.anchors} of {self.rows} rows share a name or number (shifted: "
            f"{self.shifted_anchors} at most)"
        )


def align(ours: Sequence[str], theirs: Sequence[str]) -> Alignment | None:
    """Test two lists of texts; nothing where the lists decide nothing (rule 1)."""
    rows = min(len(ours), _MOST_ROWS)
    if len(ours) != len(theirs) or rows < LEAST:
        return None
    ours, theirs = ours[:rows], theirs[:rows]
    first, second = _logs(ours), _logs(theirs)
    ours_anchors, theirs_anchors = _anchors(ours), _anchors(theirs)
    shifts = range(1, min(SHIFTS, rows - 1) + 1)
    return Alignment(
        lengths=_correlation(first, second),
        shifted_lengths=max(_correlation(first, np.roll(second, by)) for by in shifts),
        anchors=_shared(ours_anchors, theirs_anchors, 0),
        shifted_anchors=max(_shared(ours_anchors, theirs_anchors, by) for by in shifts),
        rows=rows,
    )


def _logs(texts: Sequence[str]) -> NDArray[np.float64]:
    return np.array([math.log1p(len(text)) for text in texts])


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    one, other = first - first.mean(), second - second.mean()
    scale = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / scale if scale > 0 else 0.0


def _anchors(texts: Sequence[str]) -> list[frozenset[str]]:
    found = [frozenset(filter(_CAPITAL.search, _WORD.findall(text))) for text in texts]
    common = Counter(anchor for anchors in found for anchor in anchors)
    return [frozenset(one for one in anchors if common[one] <= _RARE) for anchors in found]


def _shared(first: list[frozenset[str]], second: list[frozenset[str]], by: int) -> int:
    count = len(first)
    return sum(bool(first[row] & second[(row + by) % count]) for row in range(count))
