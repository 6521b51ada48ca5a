# SPDX-License-Identifier: Apache-2.0
"""Tests and bounds of a paired difference, for many simulated exercises at once or for one.

**Score interval of a paired difference.** Let ``p10`` and ``p01`` be the means of the positive and
of the negative parts of ``D``, and ``d = p10 - p01``. Were the cells ``n`` independent pairs of 0/1
answers, the variance of ``d`` would be ``(p10 + p01 - d**2) / n``; so the layout's error variance
``se**2`` makes the *effective number of pairs* ``n = (p10 + p01 - d**2) / se**2``. Under the
hypothesis that the true difference is ``x``, the likelihood of ``n`` pairs is greatest at
``p01 = q(x)``, and the variance is then ``v(x) / n`` (Tango 1998, Statistics in Medicine 17,
891-908, section 3)::

    B = (2 - d) * x - p10 - p01
    q(x) = (sqrt(B**2 + 8 * p01 * x * (1 - x)) - B) / 4
    v(x) = 2 * q(x) + x - x**2

The test of ``x`` takes ``(d - x) / sqrt(v(x) / n)`` as Student's t. At ``x = 0`` with independent
pairs it is McNemar's. ``d ± t * se`` instead is short where events are rare, because the spread
shrinks with the difference that happened to be seen; ``benchmarks/paired.py`` shows both.

If all differences are alike, the test is exact: see rule 3 of
:mod:`countermark.statistics.paired`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from countermark.statistics.layout import Array, ErrorVariance, MeanSquares, degrees_of_freedom

_TAIL = 0.975  # where the quantiles of two part distributions are matched
_CAUTION = 0.25  # of the noise in MS_lab counts as known by the labs only
_SECANTS = 100  # far more than the search for a bound takes
_ENOUGH = 4 * float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True)
class Pairs:
    """What the tests of a paired difference rest on; all arrays have one batch shape.

    Parameters
    ----------
    value
        Mean difference, from -1 to 1.
    discordant
        ``p10 + p01``, the mean size of a difference.
    variance
        Square of the standard error; 0 where all differences are alike.
    df
        Degrees of freedom of the variance; 1 where it is 0.
    items
        How many items.
    """

    value: Array
    discordant: Array
    variance: Array
    df: Array
    items: int

    def p_at_most(self, null: float | Array) -> Array:
        """One-sided p value of "the true difference is at most ``null``"."""
        return Pairs(-self.value, self.discordant, self.variance, self.df, self.items).p_at_least(
            -np.asarray(null)
        )

    def p_at_least(self, null: float | Array) -> Array:
        """One-sided p value of "the true difference is at least ``null``"."""
        d, x = self.value, np.asarray(null, dtype=np.float64)
        spread = self.discordant - d**2
        seen = self.variance > 0
        effective = np.where(seen, spread / np.where(seen, self.variance, 1.0), 1.0)
        variance = np.maximum(tango_variance(d, self.discordant, x) / effective, _TINY)
        t = special.stdtr(self.df, (d - x) / np.sqrt(variance))
        below = np.where(d < 1, (1 - x) / np.where(d < 1, 1 - d, 1.0), 1.0)
        exact = np.where(x > d, np.minimum(1.0, below) ** self.items, 1.0)
        return np.asarray(np.where(seen, t, exact))

    def upper(self, tail: float) -> Array:
        """Return the least difference that is rejected from above at one-sided ``tail`` < 1/2.

        It solves ``(x - d)**2 = t**2 * v(x) / n`` above ``d``, by secants with the root between
        their ends (the Pegasus method: Dowell and Jarratt 1972, BIT 12, 503-508).
        """
        d, seen = self.value, self.variance > 0
        exact = 1 - (1 - d) * tail ** (1 / self.items)
        spread = self.discordant - d**2
        per_pair = np.where(seen, self.variance / np.where(seen, spread, 1.0), 0.0)
        scale = special.stdtrit(self.df, tail) ** 2 * per_pair

        def excess(x: Array) -> Array:
            return np.asarray((x - d) ** 2 - scale * tango_variance(d, self.discordant, x))

        other, last = np.ones_like(d), np.asarray(d)
        there, here = excess(other), excess(last)
        for _ in range(_SECANTS):
            rise = here - there
            x = last - np.where(rise != 0, here / np.where(rise != 0, rise, 1.0), 0.0) * (
                last - other
            )
            found = excess(x)
            crossed = found * here < 0
            both = here + found
            # Where the far end stays, its weight falls, so that it moves at last.
            lighter = there * np.where(both != 0, here / np.where(both != 0, both, 1.0), 0.0)
            other, there = np.where(crossed, last, other), np.where(crossed, here, lighter)
            moved, last, here = np.abs(x - last), x, found
            if (moved <= _ENOUGH).all():
                break
        return np.asarray(np.where(seen, last, exact))

    def lower(self, tail: float) -> Array:
        """Return the mirror image of :meth:`upper`."""
        mirrored = Pairs(-self.value, self.discordant, self.variance, self.df, self.items)
        return -mirrored.upper(tail)


def tango_variance(value: Array, discordant: Array, null: Array) -> Array:
    """Variance of one paired difference when its mean is ``null``: ``v(x)`` of the module."""
    negative = np.maximum((discordant - value) / 2, 0.0)
    b = (2 - value) * null - discordant
    root = np.sqrt(np.maximum(b**2 + 8 * negative * null * (1 - null), 0.0))
    q = (root - b) / 4
    return np.asarray(np.maximum(2 * q + null * (1 - null), 0.0))


def pairs(cells: Array, ms: MeanSquares, error: ErrorVariance) -> Pairs:
    """Make the tests of differences ready.

    Parameters
    ----------
    cells
        ``(..., K, I)`` differences.
    ms, error
        Their mean squares, and the variance of their mean.
    """
    seen = (ms.lab > 0) | (ms.item > 0) | (ms.lab_item > 0)
    return Pairs(
        value=cells.mean(axis=(-2, -1)),
        discordant=np.abs(cells).mean(axis=(-2, -1)),
        variance=np.where(seen, error.total, 0.0),
        df=np.where(seen, _degrees_of_freedom(ms, error), 1.0),
        items=ms.items,
    )


def _degrees_of_freedom(ms: MeanSquares, error: ErrorVariance) -> Array:
    """Degrees of freedom; of labs and items together, with a caution that rates do without."""
    df = degrees_of_freedom(error)
    if len(error.parts) == 1:
        return df
    lab, item = error.parts
    total = np.maximum(error.total, _TINY)
    noise = _CAUTION * np.minimum(ms.lab, ms.lab_item) / (ms.labs * ms.items)
    share = np.minimum(1.0, (lab.variance + noise) / total)
    few, many = (special.stdtrit(part.df, _TAIL) ** 2 for part in (lab, item))
    matched = special.stdtridf(_TAIL, np.sqrt(share * few + (1 - share) * many))
    return np.asarray(np.minimum(df, matched))
