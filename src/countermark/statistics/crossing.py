# SPDX-License-Identifier: Apache-2.0
"""The lab x item crossing of one model, task and language, as sufficient statistics.

Rules
-----
1. Every score is a finite number from 0 to 1.
2. The order of the rows changes nothing, not even the last bit of a sum.
3. Labs and items are kept in ascending order, so their order at input changes nothing either.
4. Count, sum and sum of squares of each cell must be possible together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from countermark.statistics.errors import StatisticsError

_SLACK = 1e-9  # a sum of scores made elsewhere may carry rounding of this relative size


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """What K labs scored on I items.

    Parameters
    ----------
    labs, items
        Unique keys. They are put in ascending order, with the arrays.
    count
        ``(K, I)`` integers: how many epochs of the item were scored at the lab.
    total
        ``(K, I)``: the sum of those scores.
    square
        ``(K, I)``: the sum of the squared scores.

    Raises
    ------
    StatisticsError
        If a rule of this module is broken.
    """

    labs: tuple[str, ...]
    items: tuple[str, ...]
    count: NDArray[np.int64]
    total: NDArray[np.float64]
    square: NDArray[np.float64]

    def __post_init__(self) -> None:
        rows, columns = _order("lab", self.labs), _order("item", self.items)
        shape = (len(rows), len(columns))
        if not np.issubdtype(np.asarray(self.count).dtype, np.integer):
            raise StatisticsError(
                "The counts of a crossing are whole numbers. Give an integer array."
            )
        count = np.asarray(self.count, dtype=np.int64)
        total = np.asarray(self.total, dtype=np.float64)
        square = np.asarray(self.square, dtype=np.float64)
        arrays: dict[str, NDArray[np.generic]] = {"count": count, "total": total, "square": square}
        for name, array in arrays.items():
            if array.shape != shape:
                raise StatisticsError(
                    f"The array {name!r} has shape {array.shape}, but {len(rows)} labs and "
                    f"{len(columns)} items need {shape}. Give one row a lab and one column an item."
                )
        _check_cells(count, total, square)
        object.__setattr__(self, "labs", tuple(str(self.labs[k]) for k in rows))
        object.__setattr__(self, "items", tuple(str(self.items[i]) for i in columns))
        for name, array in arrays.items():
            kept = np.ascontiguousarray(array[np.ix_(rows, columns)])
            kept.setflags(write=False)
            object.__setattr__(self, name, kept)

    @classmethod
    def from_rows(
        cls, lab: Sequence[str], item: Sequence[str], score: Sequence[float]
    ) -> "Crossing":
        """Add up scored samples, one row each.

        Parameters
        ----------
        lab, item, score
            Equally long; row ``j`` says that ``lab[j]`` scored one epoch of ``item[j]`` with
            ``score[j]``.

        Raises
        ------
        StatisticsError
            If the lengths differ or a score is not a finite number from 0 to 1.
        """
        scores = np.asarray(score, dtype=np.float64)
        if scores.ndim != 1 or not len(lab) == len(item) == len(scores):
            raise StatisticsError(
                f"There are {len(lab)} labs, {len(item)} items and {scores.size} scores. "
                "Give one of each for every scored sample."
            )
        wrong = np.flatnonzero(~((scores >= 0) & (scores <= 1)))
        if wrong.size:
            j = int(wrong[0])
            raise StatisticsError(
                f"The score {scores[j]} of item {item[j]!r} at lab {lab[j]!r} is not a number from "
                "0 to 1. Rescale the scores, and leave out samples that were not scored."
            )
        labs, rows = _code(lab)
        items, columns = _code(item)
        cell = rows * len(items) + columns
        # Sums are taken in one fixed order, so that the order of the rows cannot change them.
        order = np.lexsort((scores, cell))
        cell, scores = cell[order], scores[order]
        shape, size = (len(labs), len(items)), len(labs) * len(items)

        def add_up(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            sums = np.bincount(cell, weights=weights, minlength=size)
            return sums.reshape(shape).astype(np.float64)

        count = np.bincount(cell, minlength=size).reshape(shape)
        return cls(labs, items, count.astype(np.int64), add_up(scores), add_up(scores**2))

    def select(self, labs: Iterable[str]) -> "Crossing":
        """Keep these labs, and the items that at least one of them scored."""
        wanted = set(labs)
        unknown = sorted(wanted.difference(self.labs))
        if unknown or not wanted:
            raise StatisticsError(
                f"No lab {', '.join(map(repr, unknown)) or 'at all'} can be selected. "
                f"The crossing has {', '.join(map(repr, self.labs))}."
            )
        rows = np.array([name in wanted for name in self.labs])
        columns = np.any(self.count[rows] > 0, axis=0)
        return self._part(rows, columns)

    def without_lab(self, lab: str) -> "Crossing":
        """Leave one lab out.

        Items that only this lab had not scored count as complete again.
        """
        if lab not in self.labs or len(self.labs) == 1:
            raise StatisticsError(
                f"Lab {lab!r} cannot be left out of a crossing with "
                f"{', '.join(map(repr, self.labs))}. "
                "Name one of its labs, and keep at least one."
            )
        return self.select(name for name in self.labs if name != lab)

    def complete(self) -> tuple["Crossing", tuple[str, ...]]:
        """Return the crossing of the items scored at every lab, and the keys of the other items."""
        whole = np.all(self.count > 0, axis=0)
        if whole.all():
            return self, ()
        dropped = tuple(key for key, kept in zip(self.items, whole, strict=True) if not kept)
        return self._part(np.ones(len(self.labs), dtype=bool), whole), dropped

    def _part(self, rows: NDArray[np.bool_], columns: NDArray[np.bool_]) -> "Crossing":
        """Return a part, without the checks that the whole has passed."""
        part = object.__new__(Crossing)
        object.__setattr__(part, "labs", tuple(compress(self.labs, rows)))
        object.__setattr__(part, "items", tuple(compress(self.items, columns)))
        cut = np.ix_(rows, columns)
        for name in ("count", "total", "square"):
            kept = getattr(self, name)[cut]
            kept.setflags(write=False)
            object.__setattr__(part, name, kept)
        return part


def _code(keys: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    names = sorted(set(keys))
    place = {name: number for number, name in enumerate(names)}
    return tuple(names), np.fromiter((place[key] for key in keys), dtype=np.int64, count=len(keys))


def _order(what: str, keys: Sequence[str]) -> list[int]:
    if len(set(keys)) != len(keys):
        raise StatisticsError(f"Two {what}s have the same key. Add up their scores first.")
    return sorted(range(len(keys)), key=keys.__getitem__)


def _check_cells(
    count: NDArray[np.int64], total: NDArray[np.float64], square: NDArray[np.float64]
) -> None:
    if (count < 0).any():
        raise StatisticsError(
            "A cell of the crossing has a negative count. Count the scored epochs."
        )
    slack = _SLACK * np.maximum(count, 1)
    possible = (
        (square >= -slack)
        & (square <= total + slack)
        & (total <= count + slack)
        & (total**2 <= count * (square + slack))
    )
    if not possible.all():
        raise StatisticsError(
            "A cell of the crossing has a count, sum and sum of squares that no scores from 0 to 1 "
            "can have. Add them up again from the scores."
        )
