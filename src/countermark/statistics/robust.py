# SPDX-License-Identifier: Apache-2.0
"""A mean and a standard deviation that a few outlying labs do not move: Algorithm A.

ISO 13528:2022, Annex C.3. Start with the median ``m`` and ``s = 1.483 * median(|x - m|)``. Then
repeat: pull every value further than ``1.5 * s`` from ``m`` in to that distance; let ``m`` be the
mean of the result and ``s`` 1.134 times its standard deviation (divisor ``K - 1``).

Rules
-----
1. It is repeated until neither figure moves by more than 1e-13 of ``s``. The standard stops at
   three significant digits; two institutes need more than that to compare.
2. The standard uncertainty of the mean is ``1.25 * s / sqrt(K)`` (ISO 13528:2022, 7.7.3).
3. If more than half of the values are equal, ``s`` is 0 and nothing shows how far labs spread.
4. The order of the values changes nothing, not even the last bit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable

_MAD_TO_SD = 1.483  # the figures are the standard's, rounded as printed there
_REACH = 1.5
_WINSORISED_TO_SD = 1.134
_EFFICIENCY = 1.25
_STEP = 1e-13
_MOST_ROUNDS = 10_000
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class RobustMean:
    """The outcome of Algorithm A.

    Parameters
    ----------
    value, deviation
        Robust mean and robust standard deviation, in the unit of the values.
    se
        Standard uncertainty of ``value``.
    values
        How many values there were.
    pulled_in
        The places (from 0, ascending) of the values that were pulled in: the outlying ones.
    rounds
        How many times it was repeated.
    """

    value: float
    deviation: float
    se: float
    values: int
    pulled_in: tuple[int, ...]
    rounds: int


def algorithm_a(values: Sequence[float] | ArrayLike) -> RobustMean | NotComputable:
    """Compute the robust mean and standard deviation of ISO 13528:2022, Annex C.3.

    Parameters
    ----------
    values
        ``(K,)``, finite, in any unit; usually one mean a lab.

    Returns
    -------
    RobustMean or NotComputable
        The latter with fewer than three values, or with more than half of them equal.

    Raises
    ------
    StatisticsError
        If the values are not a list of finite numbers.

    Notes
    -----
    Assumes that most values come from one roughly normal distribution. It is no test: with many
    outlying labs, or with labs in two camps, it lies between them.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise StatisticsError(
            "Algorithm A needs a list of finite numbers. Leave out labs without a value."
        )
    if x.size < _FEWEST:
        return NotComputable(f"With {x.size} values none can be called outlying. Give three.")
    ordered = np.sort(x)
    mean = float(np.median(ordered))
    deviation = _MAD_TO_SD * float(np.median(np.abs(ordered - mean)))
    still = 4 * float(np.spacing(np.abs(ordered).max()))  # what rounding alone may move
    for rounds in range(1, _MOST_ROUNDS + 1):
        if deviation <= still:
            return NotComputable(
                "More than half of the values are equal, so the robust standard deviation is 0 and "
                "says nothing of the spread between labs."
            )
        reach = _REACH * deviation
        pulled = np.clip(ordered, mean - reach, mean + reach)
        last, mean = (mean, deviation), float(pulled.mean())
        deviation = _WINSORISED_TO_SD * float(pulled.std(ddof=1))
        moved = max(abs(mean - last[0]), abs(deviation - last[1]))
        if moved <= _STEP * deviation + still:
            outlying = np.flatnonzero(np.abs(x - mean) > _REACH * deviation)
            return RobustMean(
                value=mean,
                deviation=deviation,
                se=_EFFICIENCY * deviation / math.sqrt(x.size),
                values=int(x.size),
                pulled_in=tuple(int(place) for place in outlying),
                rounds=rounds,
            )
    return NotComputable(f"Algorithm A did not settle in {_MOST_ROUNDS} rounds on these values.")
