# SPDX-License-Identifier: Apache-2.0
"""Rates that a mixed model implies.

The model speaks of logits of single labs and items; a joint test asks for a rate. With ``x`` the
fixed part of a group's row, ``s**2`` the sum of the variances of all group-level factors and ``m``
the mean score at a linear predictor (``expit`` for a binomial response)::

    benchmark    mean over items of E m(x @ beta + item + s Z),    item ~ its conditional normal
    generalised  E m(x @ beta + sqrt(s**2 + sd_item**2) Z),        Z standard normal

The expectations are Gauss-Hermite sums (this is the marginal mean of Zeger, Liang and Albert 1988,
equation 3.2, without their closed-form approximation). The conditional normal of an item has the
mode of its effect and the variance that is left when beta and the labs are known.

The error is by the delta method: with ``c`` the derivative of the rate by what is integrated in the
fit, and ``d`` its total derivative by the standard deviations and other outer parameters::

    se**2 = c @ H^-1 @ c + d @ V @ d

The interval is ``t * se`` on the logit scale (on the scale itself for normal scores). Its degrees
of freedom: a factor's share of the variance is half the elasticity of ``c @ H^-1 @ c`` to its
standard deviation, the rest is noise with as many degrees of freedom as scores; a factor has those
that it adds to the design when factors enter with the fewest levels first (K - 1 for K labs). The
shares are joined as in :func:`countermark.statistics.layout.degrees_of_freedom`.

Prediction for a new lab: the rate as a function of a shift of eta, at shifts of
``± t * sqrt(s**2 + (se / slope)**2)`` with the degrees of freedom of the factor with fewest levels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, NotComputable
from countermark.statistics.intervals import check_level
from countermark.statistics.laplace import Mode, NoModeError
from countermark.statistics.layout import ErrorVariance, Part, degrees_of_freedom
from countermark.statistics.mixed import MixedFit
from countermark.statistics.response import Ordinal

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
_SHARES = _WEIGHTS / _WEIGHTS.sum()
_ELASTICITY = 1e-3  # relative step for the shares
_RANK = 1e-9


@dataclass(frozen=True, slots=True)
class MarginalRate:
    """A rate, or a difference of two, that a mixed model implies.

    Parameters
    ----------
    estimand
        ``benchmark`` or ``generalised``, see the module.
    value, se, df
        The rate, its standard error and the degrees of freedom of that.
    lower, upper, level
        Two-sided interval.
    new_lab
        Lower and upper end of the prediction for one more lab; ``None`` if no factor has labs as
        its levels, or for a difference.
    """

    estimand: Estimand
    value: float
    se: float
    df: float
    lower: float
    upper: float
    level: float
    new_lab: tuple[float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class _Implied:
    """A rate and its derivatives: by the integrated effects and by the outer parameters."""

    value: float
    corner: Array
    items: Array
    outer: Array
    slope: float


def marginal_rate(
    fit: MixedFit,
    row: ArrayLike,
    estimand: Estimand,
    level: float = 0.95,
    scores: Sequence[float] | None = None,
) -> MarginalRate | NotComputable:
    """Compute the rate of a group with these fixed effects, over labs (and items).

    Parameters
    ----------
    fit
        Of :func:`~countermark.statistics.mixed.mixed`, restricted. All of its group-level factors
        are taken to vary with the lab.
    row
        ``(P,)`` row of the fixed design.
    estimand
        Which rate.
    level
        Two-sided confidence.
    scores
        ``(M,)`` what each level of an ordinal response counts, ascending; evenly from 0 to 1 if
        left out. No other response has any.

    Raises
    ------
    StatisticsError
        If the fit is not restricted, or the row, the estimand, the level or the scores do not fit.
    """
    check_level(level)
    weights, x = _weights(fit, scores), _row(fit, row)
    _check_estimand(estimand)
    mode = fit.maximum.mode
    here = _implied(fit, mode, x, estimand, weights)
    if not _inside(fit, here.value):
        return NotComputable("The rate is 0 or 1 to all digits, so it has no logit.")
    try:
        variance, df = _error(fit, [(here, 1.0, x)], estimand, weights)
    except NoModeError:
        return NotComputable("The degrees of freedom cannot be computed near this fit.")
    se = math.sqrt(variance)
    t = float(special.stdtrit(df, (1 + level) / 2))
    lower, upper = _interval(fit, here.value, t * se)
    return MarginalRate(
        estimand,
        here.value,
        se,
        df,
        lower,
        upper,
        level,
        _new_lab(fit, x, estimand, weights, se / here.slope, level),
    )


def marginal_difference(
    fit: MixedFit,
    row: ArrayLike,
    reference: ArrayLike,
    estimand: Estimand,
    level: float = 0.95,
    scores: Sequence[float] | None = None,
) -> MarginalRate | NotComputable:
    """Compute how far the rate of ``row`` is above that of ``reference``.

    Takes and raises what :func:`marginal_rate` does. The interval is ``value ± t * se``, clipped
    to what a difference of rates can be.

    Parameters
    ----------
    fit
        Of :func:`~countermark.statistics.mixed.mixed`, restricted.
    row, reference
        ``(P,)`` rows of the fixed design.
    estimand, level, scores
        As in :func:`marginal_rate`.

    Raises
    ------
    StatisticsError
        If something does not fit, as in :func:`marginal_rate`.
    """
    check_level(level)
    weights = _weights(fit, scores)
    _check_estimand(estimand)
    pair = [(_row(fit, row), 1.0), (_row(fit, reference), -1.0)]
    terms = [(_implied(fit, fit.maximum.mode, x, estimand, weights), s, x) for x, s in pair]
    value = terms[0][0].value - terms[1][0].value
    try:
        variance, df = _error(fit, terms, estimand, weights)
    except NoModeError:
        return NotComputable("The degrees of freedom cannot be computed near this fit.")
    if variance == 0:
        return NotComputable("The two rows are the same, so their difference is 0 by definition.")
    se = math.sqrt(variance)
    reach = float(special.stdtrit(df, (1 + level) / 2)) * se
    lower, upper = value - reach, value + reach
    if fit.laplace.problem.response.link == "logit":
        lower, upper = max(-1.0, lower), min(1.0, upper)
    return MarginalRate(estimand, value, se, df, lower, upper, level, None)


def _row(fit: MixedFit, row: ArrayLike) -> Array:
    if not fit.restricted:
        raise StatisticsError(
            "Maximum likelihood makes too little of the labs for an interval. "
            "Fit with restricted=True."
        )
    x = np.asarray(row, dtype=np.float64)
    if x.shape != fit.beta.shape or not np.isfinite(x).all():
        raise StatisticsError(
            f"A row of the fixed design has {len(fit.beta)} finite values, but shape {x.shape} was "
            "given. Take a row of the design that was fitted."
        )
    return x


def _check_estimand(estimand: Estimand) -> None:
    if estimand not in get_args(Estimand):
        raise StatisticsError(
            f"{estimand!r} is not an estimand. Choose {' or '.join(get_args(Estimand))}."
        )


def _weights(fit: MixedFit, scores: Sequence[float] | None) -> Array:
    """Return what passing each cut adds to the score; nothing for a normal response."""
    if fit.cuts is None:
        if scores is not None:
            raise StatisticsError("Only levels of an ordinal response have scores. Leave them out.")
        return np.ones(1 if fit.residual is None else 0)
    found = np.linspace(0, 1, len(fit.cuts) + 1) if scores is None else np.asarray(scores, float)
    if found.shape != (len(fit.cuts) + 1,) or not (np.diff(found) > 0).all():
        raise StatisticsError(f"Give {len(fit.cuts) + 1} ascending scores, one for each level.")
    if found[0] < 0 or found[-1] > 1:
        raise StatisticsError("The scores of the levels lie outside 0 to 1. Rescale them.")
    return np.concatenate([[found[0]], np.diff(found)])


def _mean(cuts: Array, weights: Array, eta: Array) -> tuple[Array, Array, list[Array]]:
    """Mean score at eta, its derivative by eta, and what each cut adds to that."""
    if not len(weights):
        return eta, np.ones_like(eta), []
    steps = weights[len(weights) - len(cuts) :]
    value = np.full_like(eta, weights[0] if len(weights) > len(cuts) else 0.0)
    parts = []
    for cut, step in zip(cuts, steps, strict=True):
        rate = special.expit(eta - cut)
        value += step * rate
        parts.append(step * rate * (1 - rate))
    return value, np.asarray(sum(parts)), parts


def _implied(
    fit: MixedFit, mode: Mode, x: Array, estimand: Estimand, weights: Array, shift: float = 0.0
) -> _Implied:
    problem = fit.laplace.problem
    _, sds, extra = problem.split(mode.parameters)
    size = len(fit.beta)
    cuts = Ordinal.cuts(extra.tolist()) if fit.cuts is not None else np.zeros(1)
    whole = float(sds[1:] @ sds[1:])
    if estimand == "generalised":
        place = np.zeros(1)
        spread = np.array([math.sqrt(whole + sds[0] ** 2)])
    else:
        place = sds[0] * mode.items
        spread = np.sqrt(whole + sds[0] ** 2 / mode.hessian.diagonal)
    eta = shift + float(x @ mode.corner[:size]) + place[:, None] + spread[:, None] * _NODES
    value, slope, parts = _mean(cuts, weights, eta)
    slopes = slope @ _SHARES
    # E[Z m'] / spread is the derivative by the variance, times two
    bend = (slope @ (_SHARES * _NODES)) * np.divide(
        1.0, spread, out=np.zeros_like(spread), where=spread > 0
    )
    mean_slope, mean_bend = float(slopes.mean()), float(bend.mean())
    by_sd = sds * mean_bend
    by_items = np.zeros(len(mode.items))
    if estimand == "benchmark":
        by_items = sds[0] * slopes / len(slopes)
        by_sd[0] = float((slopes * mode.items + sds[0] * bend / mode.hessian.diagonal).mean())
    by_cut = [-float((part @ _SHARES).mean()) for part in parts]
    by_extra = np.zeros(len(extra))
    if fit.cuts is not None:
        by_extra = np.exp(extra) * np.cumsum(by_cut[::-1])[::-1][1:]
    by_corner = np.zeros(len(mode.corner))
    by_corner[:size] = mean_slope * x
    outer = np.concatenate([by_sd, by_extra])
    return _Implied(float((value @ _SHARES).mean()), by_corner, by_items, outer, mean_slope)


def _given(mode: Mode, corner: Array, items: Array) -> float:
    """``c @ H^-1 @ c``."""
    top, below = mode.hessian.solve(corner, items)
    return float(corner @ top + items @ below)


def _error(
    fit: MixedFit,
    terms: Sequence[tuple[_Implied, float, Array]],
    estimand: Estimand,
    weights: Array,
) -> tuple[float, float]:
    """Variance of a sum of rates, and its degrees of freedom."""
    mode, problem = fit.maximum.mode, fit.laplace.problem
    corner = np.asarray(sum(sign * term.corner for term, sign, _ in terms))
    items = np.asarray(sum(sign * term.items for term, sign, _ in terms))
    outer = np.asarray(sum(sign * term.outer for term, sign, _ in terms))
    total = outer + np.concatenate([corner, items]) @ mode.moves
    variance = _given(mode, corner, items) + float(total @ fit.maximum.covariance @ total)
    parts, left = [], 1.0
    for number, df in enumerate(_design_df(fit)):
        share = _share(fit, terms, estimand, weights, number)
        left -= share
        if share > 0:
            part = np.asarray(variance * share)
            parts.append(Part(part, part, df))
    noise = np.asarray(variance * max(left, 0.0))
    parts.append(Part(noise, noise, max(1.0, float(problem.response.observed.sum()))))
    error = ErrorVariance(tuple(parts))
    return variance, float(degrees_of_freedom(error))


def _share(
    fit: MixedFit,
    terms: Sequence[tuple[_Implied, float, Array]],
    estimand: Estimand,
    weights: Array,
    number: int,
) -> float:
    """Share of a factor in the variance: half its elasticity, from 0 to 1."""
    mode = fit.maximum.mode
    if mode.parameters[number] == 0:
        return 0.0
    logs = []
    for sign in (1, -1):
        there = fit.nudged(number, sign * _ELASTICITY)
        corner, items = np.zeros(len(mode.corner)), np.zeros(len(mode.items))
        for _, weight, x in terms:
            term = _implied(fit, there, x, estimand, weights)
            corner += weight * term.corner
            items += weight * term.items
        logs.append(math.log(_given(there, corner, items)))
    return min(1.0, max(0.0, (logs[0] - logs[1]) / (4 * _ELASTICITY)))


def _design_df(fit: MixedFit) -> list[float]:
    """Degrees of freedom: items first, then each factor in the order of the fit."""
    problem = fit.laplace.problem
    size = problem.fixed.shape[1]
    ends = size + np.cumsum((0, *problem.levels))
    columns = fit.laplace.design
    chosen = list(range(size))
    rank, found = _rank(columns[:, chosen]), [0.0] * len(problem.levels)
    for n in sorted(range(len(problem.levels)), key=lambda n: problem.levels[n]):
        chosen += range(int(ends[n]), int(ends[n + 1]))
        grown = _rank(columns[:, chosen])
        found[n], rank = float(max(1, grown - rank)), grown
    return [float(problem.response.shape[1] - 1), *found]


def _rank(matrix: Array) -> int:
    values = np.linalg.svd(matrix, compute_uv=False)
    return int((values > _RANK * values[0]).sum())


def _inside(fit: MixedFit, value: float) -> bool:
    return fit.laplace.problem.response.link == "identity" or 0 < value < 1


def _interval(fit: MixedFit, value: float, reach: float) -> tuple[float, float]:
    if fit.laplace.problem.response.link == "identity":
        return value - reach, value + reach
    logit, away = special.logit(value), reach / (value * (1 - value))
    return float(special.expit(logit - away)), float(special.expit(logit + away))


def _new_lab(
    fit: MixedFit, x: Array, estimand: Estimand, weights: Array, se: float, level: float
) -> tuple[float, float] | None:
    problem = fit.laplace.problem
    if not problem.levels:
        return None
    mode = fit.maximum.mode
    _, sds, _ = problem.split(mode.parameters)
    fewest = 1 + int(np.argmin(problem.levels))
    t = float(special.stdtrit(_design_df(fit)[fewest], (1 + level) / 2))
    reach = t * math.sqrt(float(sds[1:] @ sds[1:]) + se**2)
    # the same rate with the labs' variance taken out, since the shift is the lab
    fixed = mode.parameters.copy()
    fixed[1 : len(sds)] = 0.0
    alone = replace(mode, parameters=fixed)
    ends = [_implied(fit, alone, x, estimand, weights, shift).value for shift in (-reach, reach)]
    return ends[0], ends[1]
