# SPDX-License-Identifier: Apache-2.0
"""The two-way layout of labs and items: mean squares, error variance, degrees of freedom.

Model of the mean score of lab ``k`` on item ``i`` over ``E`` epochs, all terms random::

    y[k, i] = mean + lab[k] + item[i] + lab_item[k, i] + epochs[k, i] / E

Expected mean squares, with ``noise = s2_lab_item + s2_epoch / E``::

    MS_lab      = noise + I * s2_lab
    MS_item     = noise + K * s2_item
    MS_lab_item = noise

so the variance of the grand mean ``s2_lab/K + s2_item/I + noise/(K*I)`` is
``(MS_lab + MS_item - MS_lab_item) / (K*I)``: the sum of the variances clustered by lab and by
item, less what both hold (two-way clustering, Cameron, Gelbach and Miller 2011, for a mean).

All functions accept leading batch axes, which simulations use.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from countermark.statistics.estimate import Estimand

Array = NDArray[np.float64]

_NIL = 1e-18  # mean squares of scores in [0, 1] below this are rounding, not variation
_TIE = 1e-9  # equal but for rounding: must fall to the same side on every machine
_FLOOR = 2 / 3  # least share of the items' mean square that a generalised variance keeps
_TAKEN = 0.4  # share of the noise taken off the labs' mean square; the items' bears the rest
_TAIL = 0.975  # where the quantiles of two part distributions are matched


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Mean squares of cell means; each array has the batch shape of the cells."""

    lab: Array
    item: Array
    lab_item: Array
    labs: int
    items: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an error variance, known with ``df`` degrees of freedom.

    ``square`` is what the part was computed from, before another mean square was subtracted.
    """

    variance: Array
    square: Array
    df: float


@dataclass(frozen=True, slots=True)
class ErrorVariance:
    """The variance of a mean, in parts."""

    parts: tuple[Part, ...]

    @property
    def total(self) -> Array:
        """The variance itself."""
        return np.asarray(sum(part.variance for part in self.parts))


def mean_squares(cells: Array) -> MeanSquares:
    """Compute the mean squares of cell means.

    Parameters
    ----------
    cells
        ``(..., K, I)``. With one lab or one item, the mean squares that need more are 0.
    """
    labs, items = cells.shape[-2:]
    grand = cells.mean(axis=(-2, -1), keepdims=True)
    by_lab = cells.mean(axis=-1, keepdims=True) - grand
    by_item = cells.mean(axis=-2, keepdims=True) - grand
    rest = cells - grand - by_lab - by_item

    def square(deviations: Array, df: int, times: int = 1) -> Array:
        mean = times * (deviations**2).sum(axis=(-2, -1)) / max(df, 1)
        return np.where(mean < _NIL, 0.0, mean)

    return MeanSquares(
        lab=square(by_lab, labs - 1, items),
        item=square(by_item, items - 1, labs),
        lab_item=square(rest, (labs - 1) * (items - 1)),
        labs=labs,
        items=items,
    )


def effective_events(cells: Array) -> Array:
    """How many items carry the events, or the non-events if those are carried by fewer.

    ``sum(m)**2 / sum(m**2)`` over the items' means ``m`` (Kish 1965): ten items with one event
    each count as ten, ten items of which one has nearly all events as hardly more than one.

    Parameters
    ----------
    cells
        ``(..., K, I)``. All events or none count as 0.
    """
    means = cells.mean(axis=-2)

    def carriers(shares: Array) -> Array:
        squares = (shares**2).sum(axis=-1)
        return np.asarray(shares.sum(axis=-1) ** 2 / np.where(squares > 0, squares, 1.0))

    return np.minimum(carriers(means), carriers(1 - means))


def error_variance(ms: MeanSquares, estimand: Estimand, unit: float = 1.0) -> ErrorVariance:
    """Variance of the grand mean of at least two labs.

    ``unit`` is how far a cell moves when its answer goes the other way.

    *benchmark*: the items are given, so only the spread of the lab means counts, ``MS_lab/(K*I)``
    with ``K - 1`` degrees of freedom. If all lab means are equal by chance, ``MS_lab_item`` stands
    in; if the labs agree at every item, one item at one lab is counted as if it had gone the other
    way, since that not one was seen to differ is no proof that none would.

    *generalised*: ``MS_lab + MS_item - MS_lab_item`` over ``K*I``, but at least two thirds of what
    the items alone would give, ``max(MS_item, MS_lab_item)``: labs that agree by chance are no
    proof of a smaller error. ``MS_lab - 0.4 * MS_lab_item``, if positive, is the labs' part of it
    (``K - 1`` degrees of freedom), the rest the items' (``I - 1``). The two shares, 2/3 and 0.4,
    are set by simulation, so that the interval holds its level at three labs without a lab effect
    and with any; ``benchmarks/coverage.py`` shows what they do.
    """
    size = ms.labs * ms.items
    lab_df, item_df = ms.labs - 1, ms.items - 1
    if estimand == "benchmark":
        stand_in = np.where(ms.lab_item > 0, ms.lab_item, unit**2 / size)
        lab = np.where(ms.lab > 0, ms.lab, stand_in) / size
        return ErrorVariance((Part(lab, lab, lab_df),))
    total = np.maximum(ms.lab + ms.item - ms.lab_item, _FLOOR * np.maximum(ms.item, ms.lab_item))
    lab = np.clip(ms.lab - _TAKEN * ms.lab_item, 0.0, total)
    item = (total - lab) / size
    return ErrorVariance((Part(lab / size, ms.lab / size, lab_df), Part(item, item, item_df)))


def clipped_variance(ms: MeanSquares) -> ErrorVariance:
    """Variance of the grand mean over labs and items, never less than what the items alone give.

    ``max(MS_lab - MS_lab_item, 0) + max(MS_item, MS_lab_item)`` over ``K*I``: a lab component that
    is not positive is 0. For means of figures that are no rates, such as paired differences and
    squared deviations, whose distributions have longer tails; it is on the safe side where labs do
    not differ. ``benchmarks/paired.py`` and ``benchmarks/precision.py`` show how far.
    """
    size = ms.labs * ms.items
    seen = ms.lab > ms.lab_item * (1 + _TIE)
    lab = np.where(seen, ms.lab - ms.lab_item, 0.0) / size
    item = np.maximum(ms.item, ms.lab_item) / size
    square = np.where(seen, ms.lab, 0.0) / size
    return ErrorVariance((Part(lab, square, ms.labs - 1), Part(item, item, ms.items - 1)))


def new_lab_error(ms: MeanSquares, estimand: Estimand) -> ErrorVariance:
    """Variance of what one more lab reports about the mean of at least two labs.

    The new lab runs as many items and epochs as the others. On the same items (*benchmark*) its
    rate is one more draw of the labs' means, ``(1 + 1/K) * MS_lab / I``, exact under normality
    (the prediction interval for one further observation, Hahn and Meeker 1991). On new items
    (*generalised*) the variances of both sets of items are added: that in the joint rate, and
    ``(MS_item - MS_lab_item) / (K*I)``.
    """
    error = error_variance(ms, estimand)
    lab = error.parts[0]
    own = ms.lab / ms.items
    if estimand == "benchmark":
        variance = lab.variance * (ms.labs + 1)
        return ErrorVariance((Part(variance, variance, lab.df),))
    item = error.parts[1]
    both = item.variance + np.maximum(ms.item - ms.lab_item, 0.0) / (ms.labs * ms.items)
    return ErrorVariance(
        (Part(lab.variance + own, lab.square + own, lab.df), Part(both, both, item.df))
    )


def degrees_of_freedom(error: ErrorVariance) -> Array:
    """Degrees of freedom for the t quantile of a sum of variances; the smaller of two.

    *Satterthwaite* (1946): ``total**2 / sum(square**2 / df)`` over the parts, but no less
    than the least ``df`` of a part. Alone it gives too many where the few-lab part is small by
    chance.

    *Matched* (Cochran's 1964 answer to Behrens and Fisher, on squares): the ``df`` whose 97.5 %
    quantile solves ``t(df)**2 = sum(w * t(df_part)**2)``, ``w`` being the part's share of the
    variance. Alone it gives too many where the lab part is seen by a hair.

    ``benchmarks/coverage.py`` shows what each does at three labs.
    """
    total = np.maximum(error.total, np.finfo(np.float64).tiny)
    spread = np.zeros_like(total)
    quantile = np.zeros_like(total)
    for part in error.parts:
        share = part.variance / total
        spread = spread + (part.square / total) ** 2 / part.df
        quantile = quantile + share * special.stdtrit(part.df, _TAIL) ** 2
    satterthwaite = np.maximum(
        1 / np.maximum(spread, np.finfo(np.float64).tiny), min(part.df for part in error.parts)
    )
    matched = special.stdtridf(_TAIL, np.sqrt(quantile))
    return np.asarray(np.minimum(satterthwaite, matched))
