# SPDX-License-Identifier: Apache-2.0
"""What several raters said of the same units, as distinct patterns with their counts.

A million answers rated by three raters on two levels fall into at most 27 patterns. All that
agreement needs is in their counts, so both a coefficient and its bootstrap cost the same at any
number of units.

Rules
-----
1. The levels are declared, in ascending order, also those that nobody used: some coefficients
   depend on how many there are.
2. Every rating is one of the levels, or NaN where the rater did not rate the unit.
3. The order of the units changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countermark.statistics.errors import StatisticsError

_MOST_COUNTED = 1 << 20  # patterns are counted in a table up to this many, and sorted beyond


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Distinct patterns of ratings.

    Parameters
    ----------
    levels
        The ``M >= 2`` values that a rating may take, ascending.
    pattern
        ``(P, R)`` integers: the level (from 0) that rater ``r`` gave; -1 where there is none.
    count
        ``(P,)`` positive integers: how many units have the pattern.

    Raises
    ------
    StatisticsError
        If a rule of this module is broken.
    """

    levels: tuple[float, ...]
    pattern: NDArray[np.int64]
    count: NDArray[np.int64]

    def __post_init__(self) -> None:
        levels = _checked_levels(self.levels)
        pattern, count = np.asarray(self.pattern), np.asarray(self.count)
        if pattern.ndim != 2 or count.shape != pattern.shape[:1]:
            raise StatisticsError(
                f"The patterns have shape {pattern.shape} and their counts {count.shape}. Give one "
                "row a pattern, one column a rater, and one count a pattern."
            )
        whole = np.issubdtype(pattern.dtype, np.integer) and np.issubdtype(count.dtype, np.integer)
        if not whole or (count < 1).any() or ((pattern < -1) | (pattern >= len(levels))).any():
            raise StatisticsError(
                "Patterns hold the number of a level, or -1 for no rating, and are counted with "
                "positive whole numbers. Use Ratings.from_table to make them from scores."
            )
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "pattern", pattern.astype(np.int64))
        object.__setattr__(self, "count", count.astype(np.int64))

    @classmethod
    def from_table(cls, table: ArrayLike, levels: Sequence[float]) -> "Ratings":
        """Count the patterns of a table.

        Parameters
        ----------
        table
            ``(N, R)``: what rater ``r`` said of unit ``i``, NaN where nothing was said.
        levels
            What a rating may be.

        Raises
        ------
        StatisticsError
            If the table is no table, or holds a value that is neither a level nor NaN.
        """
        known = np.asarray(_checked_levels(levels))
        values = np.asarray(table, dtype=np.float64)
        if values.ndim != 2:
            raise StatisticsError(
                f"A table of ratings has units and raters, but this has shape {values.shape}. "
                "Give one row a unit and one column a rater."
            )
        missing = np.isnan(values)
        place = np.minimum(np.searchsorted(known, values), len(known) - 1)
        wrong = np.argwhere(~missing & (known[place] != values))
        if wrong.size:
            i, r = (int(number) for number in wrong[0])
            raise StatisticsError(
                f"Rater {r} said {values[i, r]} of unit {i}, which is none of the levels "
                f"{', '.join(f'{level:g}' for level in known)}. Declare the level, or use NaN "
                "where there is no rating."
            )
        codes = np.where(missing, -1, place)
        pattern, count = _distinct(codes, len(known))
        return cls(tuple(known.tolist()), pattern, count)

    @property
    def units(self) -> int:
        """How many units, rated or not."""
        return int(self.count.sum())

    @property
    def raters(self) -> int:
        """How many raters."""
        return int(self.pattern.shape[1])

    def by_level(self) -> NDArray[np.int64]:
        """Return ``(P, M)``: how many raters gave each level, in each pattern."""
        return np.stack([(self.pattern == k).sum(axis=1) for k in range(len(self.levels))], axis=1)


def _checked_levels(levels: Sequence[float]) -> tuple[float, ...]:
    known = tuple(float(level) for level in levels)
    if len(known) < 2 or not np.isfinite(known).all() or list(known) != sorted(set(known)):
        raise StatisticsError(
            f"{known} are no levels. Give two or more different numbers, in ascending order."
        )
    return known


def _distinct(codes: NDArray[np.int64], levels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct rows in ascending order, and how often each occurs."""
    raters = codes.shape[1]
    if (levels + 1) ** raters > 1 << 62:
        pattern, count = np.unique(codes, axis=0, return_counts=True)
        return pattern, count.astype(np.int64)
    key = np.zeros(len(codes), dtype=np.int64)
    for r in range(raters):
        key = key * (levels + 1) + codes[:, r] + 1
    if (levels + 1) ** raters <= _MOST_COUNTED:
        tally = np.bincount(key)
        seen = np.flatnonzero(tally)
        count = tally[seen]
    else:
        seen, count = np.unique(key, return_counts=True)
    place = (levels + 1) ** np.arange(raters - 1, -1, -1, dtype=np.int64)
    return seen[:, None] // place % (levels + 1) - 1, count.astype(np.int64)
