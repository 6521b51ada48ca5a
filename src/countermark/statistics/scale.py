# SPDX-License-Identifier: Apache-2.0
"""What a score can be, and how it is mapped to 0 to 1.

Rates, intervals and thresholds are computed on scores from 0 to 1. A scale says how the scores of a
task get there, and how a result gets back.

Rules
-----
1. *binary*: 0 or 1.
2. *ordinal*: one of at least two declared levels, ascending. A level is a number, so that the mean
   of scores has the meaning its author gave it; only the mixed model uses the order alone.
3. *continuous*: a finite number within a declared range.
4. Any other score is refused, with the number of the first such row.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countermark.statistics.errors import StatisticsError

Kind = Literal["binary", "ordinal", "continuous"]

MOST_LEVELS = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of a score.

    Parameters
    ----------
    kind
        ``binary``, ``ordinal`` or ``continuous``.
    lower, upper
        The least and the greatest score.
    levels
        All possible scores, ascending; empty for a continuous scale.

    Raises
    ------
    StatisticsError
        If the range is empty or not finite, or the levels do not ascend from ``lower`` to
        ``upper``.
    """

    kind: Kind = "binary"
    lower: float = 0.0
    upper: float = 1.0
    levels: tuple[float, ...] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise StatisticsError(
                f"{self.kind!r} is no kind of scale. Choose {', '.join(get_args(Kind))}."
            )
        if not (np.isfinite(self.lower) and np.isfinite(self.upper) and self.lower < self.upper):
            raise StatisticsError(
                f"Scores from {self.lower} to {self.upper} make no scale. "
                "Give two finite numbers, the smaller one first."
            )
        if self.kind == "continuous" and self.levels:
            raise StatisticsError("A continuous scale has no levels. Call the scale ordinal.")
        if self.kind == "binary" and self.levels != (0.0, 1.0):
            raise StatisticsError("A binary score is 0 or 1. Call a scale of others ordinal.")
        if self.kind != "continuous":
            self._check_levels()

    @classmethod
    def ordinal(cls, *levels: float) -> "Scale":
        """Return the scale of these levels, such as ``Scale.ordinal(0, 1, 2, 3)``."""
        if len(levels) < 2:
            raise StatisticsError("An ordinal scale has two levels or more.")
        return cls("ordinal", float(levels[0]), float(levels[-1]), tuple(map(float, levels)))

    @classmethod
    def continuous(cls, lower: float, upper: float) -> "Scale":
        """Return the scale of all numbers of a range."""
        return cls("continuous", float(lower), float(upper), ())

    @property
    def width(self) -> float:
        """``upper - lower``: what a difference of 1 is worth in scores."""
        return self.upper - self.lower

    def check(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the scores as numbers, each shown to be on the scale.

        Parameters
        ----------
        scores
            ``(n,)``.

        Raises
        ------
        StatisticsError
            If one is not on the scale (rule 4), or they are no list of numbers.
        """
        values = _numbers(scores)
        if self.kind == "continuous":
            fits = (values >= self.lower) & (values <= self.upper)
        else:
            place = self._place(values)
            fits = np.asarray(self.levels)[place] == values
        if not fits.all():
            row = int(np.argmin(fits))
            raise StatisticsError(
                f"The score {values[row]} in row {row} is not {self.words}. "
                "Declare another scale, and leave out samples that were not scored."
            )
        return values

    def level_of(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return which level each checked score of a binary or ordinal scale is: ``(n,)``."""
        return self._place(scores)

    def map(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map scores to 0 to 1."""
        if (self.lower, self.upper) == (0.0, 1.0):
            return scores
        return (scores - self.lower) / self.width

    def back(self, value: float) -> float:
        """Return the score that a figure from 0 to 1 stands for."""
        return self.lower + value * self.width

    @property
    def words(self) -> str:
        """What a score of this scale is, for messages."""
        if self.kind == "continuous":
            return f"a number from {self.lower:g} to {self.upper:g}"
        return f"one of {', '.join(f'{level:g}' for level in self.levels)}"

    def _place(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        # A value above all levels, or no number, would be put beyond the last.
        return np.minimum(np.searchsorted(self.levels, values), len(self.levels) - 1)

    def _check_levels(self) -> None:
        levels = np.asarray(self.levels, dtype=np.float64)
        if not 2 <= levels.size <= MOST_LEVELS or not (np.diff(levels) > 0).all():
            raise StatisticsError(
                f"The levels {self.levels} make no scale. "
                f"Give 2 to {MOST_LEVELS} different numbers in ascending order."
            )
        if (levels[0], levels[-1]) != (self.lower, self.upper):
            raise StatisticsError("The levels of a scale go from its lower to its upper end.")


BINARY = Scale()


def _numbers(scores: ArrayLike) -> NDArray[np.float64]:
    try:
        values = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(
            "Some scores are not numbers. Convert them, and leave out samples without a score."
        ) from error
    if values.ndim != 1:
        raise StatisticsError(f"Scores of shape {values.shape} are no list. Give one a row.")
    return values
