# SPDX-License-Identifier: Apache-2.0
"""A consensus of values whose errors are correlated, and how far they differ beyond their errors.

Model: ``y = X b + lab + error`` with ``lab ~ (0, tau2 I)`` and ``error ~ (0, V)``, ``V`` known.
With ``S = V + tau2 I`` the estimate is generalised least squares (Aitken 1935),
``b = (X'S^-1 X)^-1 X'S^-1 y``, with covariance ``(X'S^-1 X)^-1``. For a diagonal ``V`` all figures
are those of the usual random-effects meta-analysis; definitions follow ``rma`` of metafor
(Viechtbauer 2010).

Labs of a joint test ran the same items, so their ``V`` is *not* diagonal;
:func:`~countermark.statistics.covariance.lab_means` makes it. For the joint rate itself use
:func:`~countermark.statistics.crossed.crossed`: it has the same variance and better degrees of
freedom. What the consensus adds is Q, ``tau2`` and I2.

Rules
-----
1. ``V`` must be symmetric and positive definite. A lab without error, or labs whose difference is
   known without error, are not computable.
2. Normal interval: ``mu ± z * se``. Knapp-Hartung (2003) interval: ``se`` is multiplied by
   ``sqrt(Q(tau2) / (K - P))`` and t has ``K - P`` degrees of freedom.
3. Where ``V`` is not diagonal, the Knapp-Hartung factor is at least 1 (the modification that Röver,
   Knapp and Friede 2015 discuss): an error that labs share does not show in their scatter, so
   little scatter is no reason to shrink it.
4. The prediction interval for the value at a new lab is ``mu ± quantile * sqrt(se**2 + tau2)``,
   with the quantile of rule 2 (so does metafor 3.8; Riley, Higgins and Deeks 2011 take ``K - 2``
   degrees of freedom). It is for the lab's long-run value, without the error of measuring it.
5. ``I2 = tau2 / (tau2 + v)`` and ``H2 = (tau2 + v) / v`` with the typical error variance
   ``v = (K - P) / tr(P0)`` (Higgins and Thompson 2002, eq. 9), where ``P0`` is ``P`` of
   :mod:`countermark.statistics.heterogeneity` at ``tau2 = 0``. I2 is a share from 0 to 1; its
   interval comes from that of ``tau2``.
6. One value, or as many regressors as values, is not computable; nor is a design in which
   regressors are aliased.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.heterogeneity import (
    Array,
    Contrasts,
    HeterogeneityMethod,
    between_variance,
    contrasts,
    q_profile,
)
from countermark.statistics.intervals import check_level

ConsensusInterval = Literal["knapp-hartung", "normal"]

_SINGULAR = 1e-12  # an eigenvalue of V this far below the largest is rounding
_ASYMMETRIC = 1e-9


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """How far values differ beyond their errors; see the module for the terms.

    Parameters
    ----------
    method
        How ``tau2`` was estimated (:mod:`countermark.statistics.heterogeneity`).
    tau2, tau2_lower, tau2_upper
        Variance between labs and its Q-profile interval. The ends are ``None`` where the values
        agree so closely that no ``tau2`` fits them.
    q, df_q, p
        Cochran's Q, generalised to a full covariance; its degrees of freedom; the p value of no
        differences between labs.
    i2, i2_lower, i2_upper
        Share of the variation between values that is due to labs, from 0 to 1.
    h2
        How many times larger than the typical error variance the variation is.
    """

    method: HeterogeneityMethod
    tau2: float
    tau2_lower: float | None
    tau2_upper: float | None
    q: float
    df_q: int
    p: float
    i2: float
    i2_lower: float | None
    i2_upper: float | None
    h2: float


@dataclass(frozen=True, slots=True)
class Consensus:
    """A consensus value.

    Parameters
    ----------
    mu, se, df
        The value, its standard error and the degrees of freedom; ``df`` is ``None`` for the
        normal interval.
    lower, upper
        Interval for ``mu`` at ``level``.
    pi_lower, pi_upper
        Prediction interval for the long-run value at a new lab.
    weights
        ``(K,)``: the share of each value in ``mu``; they add up to 1. With a full covariance some
        may be negative.
    heterogeneity
        Q, ``tau2``, I2, H2.
    """

    interval: ConsensusInterval
    level: float
    mu: float
    se: float
    df: int | None
    lower: float
    upper: float
    pi_lower: float
    pi_upper: float
    weights: tuple[float, ...]
    heterogeneity: Heterogeneity


@dataclass(frozen=True, slots=True)
class ModeratorEffect:
    """One regression coefficient; ``df`` is ``None`` for the normal interval."""

    value: float
    se: float
    df: int | None
    lower: float
    upper: float
    p: float


@dataclass(frozen=True, slots=True)
class MetaRegression:
    """How values depend on what labs declare.

    Parameters
    ----------
    coefficients
        The intercept, then one a moderator.
    covariance
        ``(P, P)`` of the coefficients, row by row.
    heterogeneity
        What is left when the moderators are accounted for.
    r2
        Share of ``tau2`` that they account for, from 0 to 1 (Raudenbush 2009); ``None`` where there
        was none to account for.
    """

    interval: ConsensusInterval
    level: float
    coefficients: tuple[ModeratorEffect, ...]
    covariance: tuple[tuple[float, ...], ...]
    heterogeneity: Heterogeneity
    r2: float | None


def consensus(
    values: ArrayLike,
    covariance: ArrayLike,
    method: HeterogeneityMethod = "reml",
    level: float = 0.95,
    interval: ConsensusInterval = "knapp-hartung",
) -> Consensus | NotComputable:
    """Pool values whose errors have a known covariance.

    Parameters
    ----------
    values
        ``(K,)``, one a lab, in any unit.
    covariance
        ``(K, K)`` of their errors, in that unit squared, without variance between labs. For
        independent labs ``np.diag(se**2)``.
    method
        How the variance between labs is estimated.
    level
        Two-sided confidence of all intervals.
    interval
        How the interval for ``mu`` is made (rule 2).

    Raises
    ------
    StatisticsError
        If a shape, a number, the level or a method is wrong, or ``V`` is no covariance.

    Notes
    -----
    Assumes that ``V`` is known, and labs normal, for the likelihoods and the intervals.
    """
    data = _prepare(values, covariance, None, method, level, interval)
    if isinstance(data, NotComputable):
        return data
    fit = _fit(data, method, level, interval)
    if isinstance(fit, NotComputable):
        return fit
    only = fit.coefficients[0]
    t = _quantile(only.df, level)
    reach = t * math.sqrt(only.se**2 + fit.heterogeneity.tau2)
    return Consensus(
        interval=interval,
        level=level,
        mu=only.value,
        se=only.se,
        df=only.df,
        lower=only.lower,
        upper=only.upper,
        pi_lower=only.value - reach,
        pi_upper=only.value + reach,
        weights=tuple(float(w) for w in fit.projection[0]),
        heterogeneity=fit.heterogeneity,
    )


def meta_regression(
    values: ArrayLike,
    covariance: ArrayLike,
    moderators: ArrayLike,
    method: HeterogeneityMethod = "reml",
    level: float = 0.95,
    interval: ConsensusInterval = "knapp-hartung",
) -> MetaRegression | NotComputable:
    """Regress values on moderators, with an intercept.

    Parameters
    ----------
    values, covariance, method, level, interval
        As in :func:`consensus`.
    moderators
        ``(K, M)`` or ``(K,)``.

    Returns
    -------
    MetaRegression or NotComputable
        The latter where ``K <= M + 1`` or the moderators are aliased with one another.
    """
    data = _prepare(values, covariance, moderators, method, level, interval)
    if isinstance(data, NotComputable):
        return data
    fit = _fit(data, method, level, interval)
    if isinstance(fit, NotComputable):
        return fit
    bare = contrasts(data.values, data.covariance, np.ones((data.values.size, 1)))
    without = between_variance(bare, method)
    if isinstance(without, NotComputable):
        return without
    return MetaRegression(
        interval=interval,
        level=level,
        coefficients=fit.coefficients,
        covariance=tuple(tuple(float(cell) for cell in row) for row in fit.spread),
        heterogeneity=fit.heterogeneity,
        r2=max(0.0, 1 - fit.heterogeneity.tau2 / without) if without > 0 else None,
    )


@dataclass(frozen=True, slots=True)
class _Data:
    values: Array
    covariance: Array
    regressors: Array


@dataclass(frozen=True, slots=True)
class _Fit:
    coefficients: tuple[ModeratorEffect, ...]
    spread: Array
    projection: Array
    heterogeneity: Heterogeneity


def _prepare(
    values: ArrayLike,
    covariance: ArrayLike,
    moderators: ArrayLike | None,
    method: HeterogeneityMethod,
    level: float,
    interval: ConsensusInterval,
) -> _Data | NotComputable:
    check_level(level)
    for name, options in ((method, HeterogeneityMethod), (interval, ConsensusInterval)):
        if name not in get_args(options):
            raise StatisticsError(f"{name!r} is not known. Choose {', '.join(get_args(options))}.")
    y = np.asarray(values, dtype=np.float64)
    v = np.asarray(covariance, dtype=np.float64)
    if y.ndim != 1 or v.shape != (y.size, y.size):
        raise StatisticsError(
            f"The values have shape {y.shape} and their covariance {v.shape}. Give K values and a "
            "K x K covariance; for independent labs, np.diag of the squared standard errors."
        )
    x = np.ones((y.size, 1))
    if moderators is not None:
        m = np.asarray(moderators, dtype=np.float64)
        m = m[:, None] if m.ndim == 1 else m
        if m.ndim != 2 or m.shape[0] != y.size:
            raise StatisticsError(
                f"The moderators have shape {m.shape}. Give one row for each of {y.size} values."
            )
        x = np.hstack([x, m])
    if not (np.isfinite(y).all() and np.isfinite(v).all() and np.isfinite(x).all()):
        raise StatisticsError(
            "A value, covariance or moderator is not a finite number. Leave that lab out."
        )
    sound = _sound(v)
    if isinstance(sound, NotComputable):
        return sound
    if y.size <= x.shape[1]:
        return NotComputable(
            f"{y.size} values cannot show how labs differ when {x.shape[1]} coefficients are "
            "estimated. More labs would."
        )
    if np.linalg.matrix_rank(x / np.maximum(np.abs(x).max(axis=0), 1e-300)) < x.shape[1]:
        return NotComputable("The moderators are aliased: one is a combination of the others.")
    return _Data(y, sound, x)


def _sound(v: Array) -> Array | NotComputable:
    """Return a symmetric positive definite covariance (rule 1)."""
    scale = float(np.abs(v).max(initial=0.0))
    if not np.allclose(v, v.T, rtol=0, atol=_ASYMMETRIC * scale) or (np.diag(v) < 0).any():
        raise StatisticsError(
            "The covariance is not symmetric or has a negative variance. Compute it again."
        )
    if (np.diag(v) == 0).any():
        lab = int(np.flatnonzero(np.diag(v) == 0)[0])
        return NotComputable(
            f"Value {lab + 1} of {len(v)} is given without error, so it would outweigh all others."
        )
    v = (v + v.T) / 2
    lowest = float(linalg.eigvalsh(v)[0]) if v.size else scale
    if lowest < -_SINGULAR * scale:
        raise StatisticsError("The covariance has a negative eigenvalue. Compute it again.")
    if lowest <= _SINGULAR * scale:
        return NotComputable("The covariance is singular: some difference has no error at all.")
    return v


def _fit(
    data: _Data, method: HeterogeneityMethod, level: float, interval: ConsensusInterval
) -> _Fit | NotComputable:
    seen = contrasts(data.values, data.covariance, data.regressors)
    tau2 = between_variance(seen, method)
    if isinstance(tau2, NotComputable):
        return tau2
    total = data.covariance + tau2 * np.eye(data.values.size)
    factor = linalg.cho_factor(total)
    weighted = linalg.cho_solve(factor, data.regressors)
    spread = linalg.inv(data.regressors.T @ weighted)
    projection = spread @ weighted.T
    df = None
    if interval == "knapp-hartung":
        df = seen.df
        scatter = seen.q(tau2) / df
        spread = spread * (scatter if seen.diagonal is not None else max(1.0, scatter))
    return _Fit(
        coefficients=tuple(
            _coefficient(float(value), math.sqrt(variance), df, level)
            for value, variance in zip(projection @ data.values, np.diag(spread), strict=True)
        ),
        spread=spread,
        projection=projection,
        heterogeneity=_heterogeneity(seen, method, tau2, level),
    )


def _coefficient(value: float, se: float, df: int | None, level: float) -> ModeratorEffect:
    reach = _quantile(df, level) * se
    ratio = abs(value) / se if se else math.inf
    tail = special.ndtr(-ratio) if df is None else special.stdtr(df, -ratio)
    return ModeratorEffect(value, se, df, value - reach, value + reach, 2 * float(tail))


def _quantile(df: int | None, level: float) -> float:
    one_sided = (1 + level) / 2
    return float(special.ndtri(one_sided) if df is None else special.stdtrit(df, one_sided))


def _heterogeneity(
    seen: Contrasts, method: HeterogeneityMethod, tau2: float, level: float
) -> Heterogeneity:
    typical = seen.typical_variance
    ends = q_profile(seen, level)
    q = seen.q(0)
    return Heterogeneity(
        method=method,
        tau2=tau2,
        tau2_lower=ends.lower if ends else None,
        tau2_upper=ends.upper if ends else None,
        q=q,
        df_q=seen.df,
        p=float(special.chdtrc(seen.df, q)),
        i2=tau2 / (tau2 + typical),
        i2_lower=ends.lower / (ends.lower + typical) if ends else None,
        i2_upper=ends.upper / (ends.upper + typical) if ends else None,
        h2=(tau2 + typical) / typical,
    )
