# SPDX-License-Identifier: Apache-2.0
"""p values adjusted for how many questions were asked.

Rules
-----
1. An adjusted p value is at least the p value, at most 1, and keeps the order of the p values.
2. *Holm* is for a confirmatory family: comparing adjusted p values with ``alpha`` makes one false
   claim or more in the family with probability at most ``alpha``, however the tests depend.
3. *Benjamini-Hochberg* is for screening: of the claims made, an expected share of at most
   ``alpha`` is false, if the tests are independent or positively dependent.
4. A p value is a number from 0 to 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from countermark.statistics.errors import StatisticsError

Array = NDArray[np.float64]


def holm(p: Sequence[float] | Array) -> Array:
    """Adjust by the step-down method of Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    With ``p`` ascending, ``adjusted[j] = min(1, max over h <= j of (m - h) * p[h])``, ``h`` from 0.

    Parameters
    ----------
    p
        ``(m,)`` p values of one family, in any order. ``m`` may be 0.

    Returns
    -------
    Array
        ``(m,)`` adjusted p values, in the order given.

    Raises
    ------
    StatisticsError
        If a p value is not a number from 0 to 1, or the array is not one-dimensional.
    """
    values = _checked(p)
    order = np.argsort(values, kind="stable")
    steps = np.arange(len(values), 0, -1) * values[order]
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted


def benjamini_hochberg(p: Sequence[float] | Array) -> Array:
    """Adjust by the step-up method of Benjamini and Hochberg (1995), JRSS B 57, 289-300.

    With ``p`` ascending, ``adjusted[j] = min over h >= j of m / (h + 1) * p[h]``, ``h`` from 0.

    Parameters
    ----------
    p
        ``(m,)`` p values, in any order. ``m`` may be 0.

    Returns
    -------
    Array
        ``(m,)`` adjusted p values, in the order given.

    Raises
    ------
    StatisticsError
        If a p value is not a number from 0 to 1, or the array is not one-dimensional.
    """
    values = _checked(p)
    count = len(values)
    order = np.argsort(values, kind="stable")[::-1]
    steps = count / np.arange(count, 0, -1) * values[order]
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum.accumulate(np.minimum(1.0, steps))
    return adjusted


def _checked(p: Sequence[float] | Array) -> Array:
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise StatisticsError(
            "A p value is a number from 0 to 1. Give one for each question, and leave out the "
            "questions that could not be answered."
        )
    return values
