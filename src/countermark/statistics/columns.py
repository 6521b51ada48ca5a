# SPDX-License-Identifier: Apache-2.0
"""Columns of a table as arrays, checked: names as numbers, whole numbers, finite numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countermark.statistics.errors import StatisticsError

Labels = str | Sequence[str]
"""One name for all rows, or one a row."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def code(what: str, names: Labels, rows: int) -> tuple[list[str], Ints]:
    """Return the different names, ascending, and which of them each row has."""
    if isinstance(names, str):
        return [names], np.zeros(rows, dtype=np.int64)
    if len(names) != rows:
        raise StatisticsError(
            f"There are {len(names)} entries in the column {what!r} and {rows} rows. "
            "Give one a row."
        )
    seen = {name: number for number, name in enumerate(dict.fromkeys(names))}
    codes = np.fromiter(map(seen.__getitem__, names), dtype=np.int64, count=rows)
    if not all(isinstance(name, str) and name for name in seen):
        raise StatisticsError(f"A name in the column {what!r} is empty or no text. Name it.")
    ordered = sorted(seen)
    place = np.empty(len(ordered), dtype=np.int64)
    place[[seen[name] for name in ordered]] = np.arange(len(ordered))
    return [str(name) for name in ordered], place[codes]


def whole(what: str, numbers: ArrayLike) -> Ints:
    """Return whole numbers from 0 up: ``(n,)``."""
    given = np.asarray(numbers)
    if given.dtype.kind not in "iuf" or given.ndim != 1:
        raise StatisticsError(f"The column {what!r} holds something else than numbers.")
    fits = (given >= 0) & (given < 2**53) & (np.floor(np.nan_to_num(given)) == given)
    if not fits.all():
        row = int(np.argmin(fits))
        raise StatisticsError(
            f"The {what} {given[row]} in row {row} is not a whole number from 0 up. Count again."
        )
    return given.astype(np.int64)


def finite(what: str, numbers: ArrayLike, rows: int) -> Floats:
    """Return finite numbers, as many as there are rows."""
    sums = np.asarray(numbers, dtype=np.float64)
    if sums.shape != (rows,) or not np.isfinite(sums).all():
        raise StatisticsError(
            f"The column {what!r} is not {rows} finite numbers. Add up the scores again."
        )
    return sums
