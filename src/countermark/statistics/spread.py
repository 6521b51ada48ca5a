# SPDX-License-Identifier: Apache-2.0
"""Intervals for variances of a lab x item layout, for scores from 0 to 1.

Textbook intervals for repeatability and reproducibility take the scores as normal: then a mean
square of ``df`` degrees of freedom is a multiple of chi-square. For 0/1 scores that fails badly,
because an item near 0 or 1 varies less than one near a half, and because labs share the items.
``benchmarks/precision.py`` shows how badly. So what can be seen cell by cell is treated as a score
of its own, and the crossing tells how well its mean is known.

Rules
-----
1. *Mean of cells*. A variance ``v`` that is the mean of cell figures (within a cell; the squared
   interaction residual; their sum) has the standard error of a crossed *generalised* mean of these
   figures (:mod:`countermark.statistics.layout`). The interval is ``v * exp(± t * se / v)``, t with
   the degrees of freedom of that mean.
2. *Difference of such means* (lab x item): ``v ± t * se`` of the cells' differences.
3. *Chi-square*: ``df * MS / quantile``, where there is one item, and for the mean square of labs.
4. *Between labs*, ``(MS_lab - MS_error) / I``: modified large sample, for a difference (Ting,
   Burdick, Graybill, Jeyaratnam and Lu 1990; Burdick and Graybill 1992, chapter 3).
5. *Reproducibility*, ``MS_lab / I`` plus the rest: the distances of each part's ends are added as
   squares, which for chi-square parts is Graybill and Wang (1980) and in general Zou and Donner
   (2008).
6. *Share of labs*, ``I2 = 1 - MS_error / MS_lab``: exact from the F distribution of the two mean
   squares over their expectations (Burdick and Graybill 1992, chapter 3).
7. No variance of a score from 0 to 1 exceeds 1/4, so no end does unless the estimate itself does. A
   lower end is at least 0.
8. Where nothing varied, both ends are NaN: that is no proof that nothing would. An upper end of 0
   or less is NaN: the figures are closer together than no variance at all would leave them.

All functions accept leading batch axes, which simulations use.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from countermark.statistics.layout import (
    Array,
    clipped_variance,
    degrees_of_freedom,
    mean_squares,
)

MOST = 0.25  # variance of a score from 0 to 1
_FARTHEST = 50.0  # exp of this is beyond every cap


@dataclass(frozen=True, slots=True)
class Spread:
    """A variance (or share), not cut off at 0, with the ends of its interval (NaN: rule 8)."""

    value: Array
    lower: Array
    upper: Array


@dataclass(frozen=True, slots=True)
class Spreads:
    """The variances of a layout; ``None`` for what one epoch or one item cannot tell."""

    repeatability: Spread | None
    lab_item: Spread | None
    between_labs: Spread
    reproducibility: Spread
    i2: Spread


def layout_spreads(cells: Array, epochs: Array | None, harmonic: float, level: float) -> Spreads:
    """Intervals with two labs and two items or more.

    Parameters
    ----------
    cells
        ``(..., K, I)`` mean scores.
    epochs
        ``(..., K, I)`` from :func:`within_cells`; ``None`` if no cell was repeated.
    harmonic
        Harmonic mean of the epochs a cell.
    level
        Two-sided confidence.
    """
    ms = mean_squares(cells)
    labs, items, df = ms.labs, ms.items, (ms.labs - 1) * (ms.items - 1)
    residual = interaction_cells(cells)
    rest = residual * (1 - 1 / items)
    if epochs is not None:
        rest = rest + epochs * (1 - 1 / harmonic)
    return Spreads(
        repeatability=None if epochs is None else mean_of_cells(epochs, level),
        lab_item=None
        if epochs is None
        else difference_of_cells(residual - epochs / harmonic, level),
        between_labs=between(ms.lab, labs, ms.lab_item, df, items, level),
        reproducibility=sum_of(
            chi_square(ms.lab / items, labs - 1, level), mean_of_cells(rest, level)
        ),
        i2=share_of_labs(ms.lab, labs, ms.lab_item, df, level),
    )


def one_item_spreads(
    lab: Array, labs: int, repeat: Array, repeat_df: int, harmonic: float, level: float
) -> Spreads:
    """Intervals with one item, the case of ISO 5725-2 and ASTM E691.

    ``lab`` is ``MS_lab``, the variance of the labs' means; ``repeat`` the pooled variance between
    epochs.
    """
    error = np.asarray(repeat) / harmonic
    lasting = np.asarray(repeat) * (1 - 1 / harmonic)
    return Spreads(
        repeatability=chi_square(repeat, repeat_df, level),
        lab_item=None,
        between_labs=between(lab, labs, error, repeat_df, 1, level),
        reproducibility=sum_of(
            chi_square(lab, labs - 1, level), chi_square(lasting, repeat_df, level)
        ),
        i2=share_of_labs(lab, labs, error, repeat_df, level),
    )


def mean_of_cells(figures: Array, level: float) -> Spread:
    """Interval for a positive mean of cell figures ``(..., K, I)`` (rule 1)."""
    value, se, df = _crossed_mean(figures)
    some = (value > 0) & (se > 0)
    reach = _quantile(df, level) * se / np.where(some, value, 1.0)
    factor = np.exp(np.minimum(reach, _FARTHEST))
    return _within(
        value, np.where(some, value / factor, np.nan), np.where(some, value * factor, np.nan)
    )


def difference_of_cells(figures: Array, level: float) -> Spread:
    """Interval for a mean of cell figures that may be negative (rule 2)."""
    value, se, df = _crossed_mean(figures)
    reach = np.where(se > 0, _quantile(df, level) * se, np.nan)
    return _within(value, value - reach, value + reach)


def chi_square(square: Array, df: int, level: float) -> Spread:
    """Interval for the expectation of a mean square (rule 3)."""
    square = np.asarray(square, dtype=np.float64)
    low, high = _chi_square_factors(df, level)
    some = np.where(square > 0, square, np.nan)
    return _within(square, some * low, some * high)


def between(lab: Array, labs: int, error: Array, error_df: int, items: int, level: float) -> Spread:
    """Interval for ``(MS_lab - MS_error) / items`` (rule 4).

    Let ``n1 = K - 1``, ``n2`` the error's degrees of freedom and ``a`` half the error budget. The
    lower end is the difference less the root of ``(G1 x1)**2 + (H2 x2)**2 + G12 x1 x2``, where
    ``x1 = MS_lab / I``, ``x2 = MS_error / I``, ``G = 1 - n / chi2(1 - a; n)``,
    ``H = n / chi2(a; n) - 1``, ``G12 = ((F - 1)**2 - (G1 F)**2 - H2**2) / F`` and
    ``F = F(1 - a; n1, n2)``. For the upper end G and H change places and ``F = F(a; n1, n2)``.
    So the lower end is above 0 exactly if the F test at ``a`` rejects.
    """
    first = np.asarray(lab, dtype=np.float64) / items
    second = np.asarray(error, dtype=np.float64) / items
    tail = (1 - level) / 2
    low_1, high_1 = _chi_square_factors(labs - 1, level)
    low_2, high_2 = _chi_square_factors(error_df, level)

    def reach(one: float, other: float, f: float) -> Array:
        both = ((f - 1) ** 2 - (one * f) ** 2 - other**2) / f
        root = (one * first) ** 2 + (other * second) ** 2 + both * first * second
        return np.sqrt(np.maximum(root, 0.0))

    down = reach(1 - low_1, high_2 - 1, float(special.fdtri(labs - 1, error_df, 1 - tail)))
    up = reach(high_1 - 1, 1 - low_2, float(special.fdtri(labs - 1, error_df, tail)))
    difference = np.where(first + second > 0, first - second, np.nan)
    return _within(first - second, difference - down, difference + up)


def sum_of(*parts: Spread) -> Spread:
    """Interval for a sum of variances that are estimated independently (rule 5).

    A part that is 0 adds nothing; a sum of nothing has no interval.
    """
    value = np.asarray(sum(part.value for part in parts))
    down = sum(np.where(part.value > 0, part.value - part.lower, 0.0) ** 2 for part in parts)
    up = sum(np.where(part.value > 0, part.upper - part.value, 0.0) ** 2 for part in parts)
    some = np.where(value > 0, value, np.nan)
    return _within(value, some - np.sqrt(down), some + np.sqrt(up))


def share_of_labs(lab: Array, labs: int, error: Array, error_df: int, level: float) -> Spread:
    """``1 - MS_error / MS_lab`` with its exact interval (rule 6); NaN where ``MS_error`` is 0."""
    lab, error = np.asarray(lab, dtype=np.float64), np.asarray(error, dtype=np.float64)
    ratio = np.where(lab > 0, error / np.where(lab > 0, lab, 1.0), np.inf)
    ratio = np.where(error > 0, ratio, np.nan)
    tail = (1 - level) / 2
    high = float(special.fdtri(labs - 1, error_df, 1 - tail))
    low = float(special.fdtri(labs - 1, error_df, tail))
    upper = 1 - low * ratio
    return Spread(
        value=1 - ratio,
        lower=np.maximum(1 - high * ratio, 0.0),
        upper=np.where(upper > 0, upper, np.nan),
    )


def within_cells(within: Array, repeats: Array, pooled: Array) -> Array:
    """Cell figures whose mean is the pooled variance between epochs.

    Parameters
    ----------
    within
        ``(..., K, I)`` sums of squared deviations from the cell's mean.
    repeats
        ``(K, I)`` epochs less one.
    pooled
        ``(...)``: ``sum(within) / sum(repeats)``.

    Returns
    -------
    numpy.ndarray
        ``pooled + (within - pooled * repeats) / mean(repeats)``, the linear form of the ratio, in
        which a cell with one epoch counts nothing. With equal repeats it is ``within / repeats``.
    """
    level = np.asarray(pooled)[..., None, None]
    return np.asarray(level + (within - level * repeats) / repeats.mean())


def interaction_cells(cells: Array) -> Array:
    """Cell figures whose mean is ``MS_lab_item``: squared residuals over the share they keep."""
    labs, items = cells.shape[-2:]
    by_lab = cells.mean(axis=-1, keepdims=True)
    by_item = cells.mean(axis=-2, keepdims=True)
    rest = cells - by_lab - by_item + cells.mean(axis=(-2, -1), keepdims=True)
    return np.asarray(rest**2 * (labs * items / ((labs - 1) * (items - 1))))


def _crossed_mean(figures: Array) -> tuple[Array, Array, Array]:
    error = clipped_variance(mean_squares(figures))
    value = np.asarray(figures.mean(axis=(-2, -1)))
    return value, np.sqrt(error.total), degrees_of_freedom(error)


def _quantile(df: Array, level: float) -> Array:
    return np.asarray(special.stdtrit(df, (1 + level) / 2))


def _chi_square_factors(df: int, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    return df / float(special.chdtri(df, tail)), df / float(special.chdtri(df, 1 - tail))


def _within(value: Array, lower: Array, upper: Array) -> Spread:
    upper = np.where(upper > 0, np.maximum(np.minimum(upper, MOST), value), np.nan)
    return Spread(value, np.maximum(lower, 0.0), upper)
