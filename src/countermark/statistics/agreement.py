# SPDX-License-Identifier: Apache-2.0
"""How far raters agree: people with people, judges with people, a judge with itself.

Each coefficient is ``1 - D_o / D_e``: the disagreement that was observed over the one expected by
chance. They differ in what they call chance. With ``w[k, l]`` the weight of levels ``k`` and ``l``
(1 on the diagonal, 0 elsewhere if plain), ``pi`` the mean share of each level and ``q`` levels:

===========================  ===============================================================
percent                      ``1 - D_o`` plain: nothing is taken off for chance
cohen, cohen-linear,         two raters; ``1 - D_e = sum w[k, l] p_k p'_l`` with the shares of
cohen-quadratic              each rater (Cohen 1960; weights: Cohen 1968)
fleiss                       ``1 - D_e = sum pi_k**2`` (Fleiss 1971)
ac1, ac2-linear,             ``1 - D_e = sum(w) / (q (q - 1)) * sum pi_k (1 - pi_k)`` (Gwet
ac2-quadratic, ac2-ordinal   2008; weights, missing ratings: Gwet 2014, *Handbook*, 4th edition)
alpha-nominal,               ``D`` is a mean squared distance over pairable ratings, ``D_e``
alpha-ordinal,               over all pairs of the table (Krippendorff 2011, *Computing
alpha-interval               Krippendorff's Alpha-Reliability*)
===========================  ===============================================================

Weights: linear ``1 - |x_k - x_l| / range``; quadratic ``1 - (x_k - x_l)**2 / range**2``, with the
values of the levels; ordinal ``1 - C(|k - l| + 1, 2) / C(q, 2)``, with their ranks.

With one level far more frequent than the others, kappa and alpha are low although raters nearly
always agree, and AC1 is high. That is no error of either: read them beside the plain share.

Rules
-----
1. Units are independent. Raters are those at hand; the interval does not cover other raters.
2. Only pairs of ratings of one unit show disagreement. Cohen takes the units that both rated;
   alpha the units with two ratings or more; for Fleiss and Gwet a unit rated once still counts
   for ``pi``.
3. With one rater, without any pair, or where only one level occurs, chance has no meaning and the
   coefficient is ``NotComputable``; *percent* needs a pair only.
4. The interval is a percentile bootstrap over units. Where resampling cannot show how far the
   coefficient varies, as when all raters always agree, the interval is ``NotComputable`` and the
   coefficient stands. *percent* then has an exact bound (Clopper-Pearson, units as trials).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.intervals import Interval, check_level, clopper_pearson
from countermark.statistics.ratings import Ratings
from countermark.statistics.resampling import (
    Array,
    Resampling,
    percentile_interval,
    resample_sums,
)

Coefficient = Literal[
    "percent",
    "cohen",
    "cohen-linear",
    "cohen-quadratic",
    "fleiss",
    "ac1",
    "ac2-linear",
    "ac2-quadratic",
    "ac2-ordinal",
    "alpha-nominal",
    "alpha-ordinal",
    "alpha-interval",
]

Formula = Callable[[Array], tuple[Array, Array]]
"""Turns ``(B, F)`` sums over units into ``(B,)`` observed and expected disagreement."""

_ONE_LEVEL = (
    "Only one level occurs among the ratings, so nothing shows whether the raters agree by more "
    "than chance. Rate units of both kinds."
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient of agreement.

    Parameters
    ----------
    coefficient
        Which.
    value
        At most 1; 0 is agreement as by chance, below 0 is less. For *percent* from 0 to 1.
    interval
        Its bootstrap interval, or why there is none.
    disagreement
        ``D_o``, observed: from 0 to 1, for alpha in squared distances (squared ranks if ordinal).
    by_chance
        ``D_e``, expected by chance; ``None`` for *percent*.
    units, raters
        Units with a pair of ratings, and raters.
    resampling
        Seed and replicates of the interval.
    """

    coefficient: Coefficient
    value: float
    interval: Interval | NotComputable
    disagreement: float
    by_chance: float | None
    units: int
    raters: int
    resampling: Resampling


def agreement(
    ratings: Ratings, coefficient: Coefficient, resampling: Resampling, level: float = 0.95
) -> Agreement | NotComputable:
    """Compute a coefficient of agreement, with its bootstrap interval.

    Parameters
    ----------
    ratings
        What each rater said of each unit.
    coefficient
        Which; see the module.
    resampling
        Seed and number of replicates.
    level
        Two-sided confidence.

    Raises
    ------
    StatisticsError
        If there is no such coefficient or level.
    """
    check_level(level)
    if coefficient not in get_args(Coefficient):
        raise StatisticsError(
            f"{coefficient!r} is no coefficient. Choose one of {', '.join(get_args(Coefficient))}."
        )
    if coefficient.startswith("cohen") and ratings.raters > 2:
        return NotComputable(
            f"Cohen's kappa compares two raters, and there are {ratings.raters}. Name the two, or "
            "use Fleiss, Gwet or alpha."
        )
    given = (ratings.pattern >= 0).sum(axis=1)
    units = int(ratings.count[given >= 2].sum())
    if not units:
        return NotComputable("No unit was rated twice, so there is no pair of ratings to compare.")
    features, formula = _PREPARED[coefficient.split("-")[0]](ratings, coefficient)
    observed, expected = formula((ratings.count @ features)[None, :])
    percent = coefficient == "percent"
    if not percent and np.isnan(expected[0]):
        return NotComputable(_ONE_LEVEL)
    value = _value(observed, expected)
    replicated = formula(resample_sums(ratings.count, features, resampling))
    interval = percentile_interval(_value(*replicated), level)
    if percent and observed[0] in (0, 1):
        interval = clopper_pearson(float(value[0]) * units, units, level)
    return Agreement(
        coefficient=coefficient,
        value=float(value[0]),
        interval=interval,
        disagreement=float(observed[0]),
        by_chance=None if percent else float(expected[0]),
        units=units,
        raters=ratings.raters,
        resampling=resampling,
    )


def interval_alpha(
    table: ArrayLike, resampling: Resampling, level: float = 0.95
) -> Agreement | NotComputable:
    """Compute Krippendorff's alpha of continuous scores, in closed form.

    With ``m`` ratings and the sum of squares ``SS`` within each unit, ``n`` pairable ratings and
    their sum of squares about the mean ``SS_all``::

        alpha = 1 - (n - 1) / n * sum(m * SS / (m - 1)) / SS_all

    which is *alpha-interval* (Krippendorff 2011, interval metric) without a table of pairs: the
    squared distances of all ordered pairs of ``m`` numbers add up to ``2 * m * SS``.

    Parameters
    ----------
    table
        ``(N, R)`` finite scores; NaN where a rater gave none.
    resampling
        How the bootstrap is made.
    level
        Two-sided confidence of its interval.

    Raises
    ------
    StatisticsError
        If the table has another shape or an infinite score.
    """
    check_level(level)
    values = np.asarray(table, dtype=np.float64)
    if values.ndim != 2 or np.isinf(values).any():
        raise StatisticsError(
            f"A table of scores has units, raters and finite numbers; this has shape "
            f"{values.shape}. Give one row a unit, one column a rater, NaN where there is none."
        )
    given = ~np.isnan(values)
    pairable = given.sum(axis=1) >= 2
    if not pairable.any():
        return NotComputable("No unit was rated twice, so there is no pair of ratings to compare.")
    values, given = values[pairable], given[pairable]
    if np.ptp(values[given]) == 0:
        return NotComputable(_ONE_LEVEL)
    features = _unit_sums(values - values[given].mean(), given)
    observed, expected = _continuous(features.sum(axis=0)[None, :])
    ones = np.ones(len(values), dtype=np.int64)
    replicated = _continuous(resample_sums(ones, features, resampling))
    return Agreement(
        coefficient="alpha-interval",
        value=float(_value(observed, expected)[0]),
        interval=percentile_interval(_value(*replicated), level),
        disagreement=float(observed[0]),
        by_chance=float(expected[0]),
        units=len(values),
        raters=values.shape[1],
        resampling=resampling,
    )


def _value(observed: Array, expected: Array) -> Array:
    return 1 - observed / expected


def _unit_sums(values: Array, given: NDArray[np.bool_]) -> Array:
    known = np.where(given, values, 0.0)
    number = given.sum(axis=1)
    total = known.sum(axis=1)
    within = (np.where(given, values - (total / number)[:, None], 0.0) ** 2).sum(axis=1)
    square = (known**2).sum(axis=1)
    return np.stack([number, total, square, number * within / (number - 1)], axis=1)


def _continuous(sums: Array) -> tuple[Array, Array]:
    number, total, square, within = sums.T
    about_mean = square - total**2 / number
    same = about_mean <= 1e-12 * square
    return 2 * within / number, np.where(same, np.nan, 2 * about_mean / (number - 1))


def _unit_features(ratings: Ratings) -> tuple[Array, Array, Array]:
    """Return for each pattern: pairs ``(P, q, q)``, ratings ``(P,)`` and shares ``(P, q)``.

    ``pairs[p, k, l]`` is the share of the ordered pairs of raters that said ``k`` and ``l``.
    """
    by_level = ratings.by_level().astype(np.float64)
    number = by_level.sum(axis=1)
    pairs = by_level[:, :, None] * (by_level[:, None, :] - np.eye(by_level.shape[1]))
    shares = by_level / np.maximum(number, 1)[:, None]
    return pairs / np.maximum(number * (number - 1), 1)[:, None, None], number, shares


def _weights(ratings: Ratings, coefficient: Coefficient) -> Array:
    """Return ``(q, q)`` weights of agreement."""
    values = np.asarray(ratings.levels)
    distance = np.abs(values[:, None] - values) / (values[-1] - values[0])
    ranks = np.arange(len(values))
    steps = np.abs(ranks[:, None] - ranks)
    weights = np.eye(len(values))
    if coefficient.endswith("linear"):
        weights = 1 - distance
    elif coefficient.endswith("quadratic"):
        weights = 1 - distance**2
    elif coefficient.endswith("ordinal"):
        weights = 1 - steps * (steps + 1) / (len(values) * (len(values) - 1))
    return weights


def _cohen(ratings: Ratings, coefficient: Coefficient) -> tuple[Array, Formula]:
    levels = len(ratings.levels)
    lost = 1 - _weights(ratings, coefficient)
    both = (ratings.pattern >= 0).all(axis=1)
    cell = np.where(both, ratings.pattern[:, 0] * levels + ratings.pattern[:, 1], -1)

    def formula(sums: Array) -> tuple[Array, Array]:
        table = sums.reshape(-1, levels, levels)
        table = _share(table, table.sum(axis=(1, 2))[:, None, None])
        first, second = table.sum(axis=2), table.sum(axis=1)
        expected = np.einsum("bk,kl,bl->b", first, lost, second)
        return (table * lost).sum(axis=(1, 2)), _where_two_occur(first + second, expected)

    return (cell[:, None] == np.arange(levels**2)).astype(np.float64), formula


def _fixed_chance(ratings: Ratings, coefficient: Coefficient) -> tuple[Array, Formula]:
    """Prepare percent, Fleiss and Gwet: unit by unit disagreement, chance from mean shares."""
    weights = _weights(ratings, coefficient)
    levels = len(weights)
    pairs, number, shares = _unit_features(ratings)
    differ = (pairs * (1 - weights)).sum(axis=(1, 2))
    features = np.column_stack([differ, number >= 2, number >= 1, shares])

    def formula(sums: Array) -> tuple[Array, Array]:
        mean = _share(sums[:, 3:], sums[:, 2:3])
        if coefficient == "percent":
            expected = np.ones(len(sums))
        elif coefficient == "fleiss":
            expected = 1 - (mean**2).sum(axis=1)
        else:
            chance = weights.sum() / (levels * (levels - 1))
            expected = 1 - chance * (mean * (1 - mean)).sum(axis=1)
        if coefficient != "percent":
            expected = _where_two_occur(mean, expected)
        return _share(sums[:, 0], sums[:, 1]), expected

    return features, formula


def _alpha(ratings: Ratings, coefficient: Coefficient) -> tuple[Array, Formula]:
    """Prepare alpha: the matrix of coincidences, each unit weighing as many as its ratings."""
    levels = len(ratings.levels)
    pairs, number, _ = _unit_features(ratings)
    values = np.asarray(ratings.levels)

    def formula(sums: Array) -> tuple[Array, Array]:
        coincidences = sums.reshape(-1, levels, levels)
        margin = coincidences.sum(axis=2)
        total = margin.sum(axis=1)
        if coefficient == "alpha-nominal":
            squared = np.broadcast_to(1 - np.eye(levels), coincidences.shape)
        else:
            # Ordinal distances are those of mid-ranks: sum(n_c..n_k) - (n_c + n_k) / 2.
            place = np.cumsum(margin, axis=1) - margin / 2
            place = (
                place if coefficient == "alpha-ordinal" else np.broadcast_to(values, place.shape)
            )
            squared = (place[:, :, None] - place[:, None, :]) ** 2
        observed = _share((coincidences * squared).sum(axis=(1, 2)), total)
        expected = _share(
            np.einsum("bk,bkl,bl->b", margin, squared, margin), total * np.maximum(total - 1, 1)
        )
        return observed, _where_two_occur(margin, expected)

    return (pairs * number[:, None, None]).reshape(len(pairs), -1), formula


def _share(part: Array, whole: Array) -> Array:
    """Divide; a resampled table without a pair gives NaN."""
    return np.where(whole > 0, part, np.nan) / np.where(whole > 0, whole, 1)


def _where_two_occur(frequency: Array, expected: Array) -> Array:
    return np.where((frequency > 0).sum(axis=1) > 1, expected, np.nan)


_PREPARED: dict[str, Callable[[Ratings, Coefficient], tuple[Array, Formula]]] = {
    "percent": _fixed_chance,
    "cohen": _cohen,
    "fleiss": _fixed_chance,
    "ac1": _fixed_chance,
    "ac2": _fixed_chance,
    "alpha": _alpha,
}
