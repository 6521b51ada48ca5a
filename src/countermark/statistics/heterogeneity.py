# SPDX-License-Identifier: Apache-2.0
"""How much labs differ beyond the errors they state: ``tau2`` by seven methods, and its interval.

Model, with ``K`` values, ``P`` columns in ``X`` and a known covariance ``V``::

    y = X b + lab + error,   lab ~ (0, tau2 I),   error ~ (0, V)

All methods here but ``ml`` look at the data through ``K - P`` *error contrasts* only. Take an
orthonormal ``A`` with ``A'X = 0``, and the eigenvalues ``l`` of ``A'VA``; let ``z`` be ``A'y`` in
the frame of its eigenvectors. The generalised Q statistic at a given ``tau2`` is
``Q(tau2) = y'P y = sum(z**2 / (l + tau2))`` with ``P = A (A'VA + tau2 I)^-1 A'``. So each method is
a sum, or a root in one unknown:

====  =======================================================================================
dl    ``(Q(0) - (K - P)) / sum(1 / l)``: DerSimonian and Laird (1986), with Q and its expectation
      taken from the full ``V``, as Jackson, White and Riley (2013) do
pm    the root of ``Q(tau2) = K - P``: Paule and Mandel (1982)
he    ``(sum(z**2) - sum(l)) / (K - P)``: Hedges (1983), the unweighted moments
sj    ``t0 * Q(t0) / (K - P)`` with ``t0 = sum((y - mean)**2) / K``: Sidik and Jonkman (2005)
hs    ``(Q(0) - K) / sum(1 / v)``: Hunter and Schmidt (2004); only where ``V`` is diagonal
reml  maximum of ``-sum(log(l + tau2)) / 2 - Q(tau2) / 2``: Viechtbauer (2005)
ml    maximum of ``-sum(log(e + tau2)) / 2 - Q(tau2) / 2``, ``e`` the eigenvalues of ``V``
====  =======================================================================================

Adding one constant to all of ``V`` (an error that all labs share) changes no contrast, so it
changes none of these but ``ml``.

Rules
-----
1. A negative estimate is 0.
2. A likelihood may have several tops. The highest on a grid is taken and its root solved to the
   last digits.
3. The interval is the Q-profile of Viechtbauer (2007): the ``tau2`` at which ``Q(tau2)`` is the
   upper and the lower quantile of chi-square with ``K - P`` degrees of freedom. Where even ``Q(0)``
   lies below the lower quantile, no ``tau2`` fits and there is no interval.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, special

from countermark.statistics.estimate import NotComputable

Array = NDArray[np.float64]
HeterogeneityMethod = Literal["dl", "pm", "he", "sj", "hs", "reml", "ml"]

_GRID = np.concatenate([[0.0], np.geomspace(1e-9, 1.0, 240)])
_NEAR = 4 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True)
class Contrasts:
    """What the data say of ``tau2``.

    Parameters
    ----------
    known
        ``(K - P,)``: the eigenvalues ``l``, variances of the contrasts from ``V`` alone.
    squares
        ``(K - P,)``: the squared contrasts ``z**2``.
    spectrum
        ``(K,)``: the eigenvalues ``e`` of ``V``.
    start
        ``t0`` of the method ``sj``.
    diagonal
        The variances if ``V`` is diagonal, else ``None``.
    """

    known: Array
    squares: Array
    spectrum: Array
    start: float
    diagonal: Array | None

    @property
    def df(self) -> int:
        """``K - P``."""
        return int(self.known.size)

    def q(self, tau2: float) -> float:
        """Return the generalised Q statistic at this ``tau2``."""
        return float((self.squares / (self.known + tau2)).sum())

    @property
    def typical_variance(self) -> float:
        """``(K - P) / sum(1 / l)``: the error variance that I2 and H2 compare with.

        Higgins and Thompson (2002), eq. 9, for a full covariance.
        """
        return self.df / float((1 / self.known).sum())


def contrasts(values: Array, covariance: Array, regressors: Array) -> Contrasts:
    """Reduce data to error contrasts.

    Parameters
    ----------
    values
        ``(K,)``.
    covariance
        ``(K, K)``, symmetric and positive definite.
    regressors
        ``(K, P)`` of rank ``P < K``.
    """
    frame, _ = linalg.qr(regressors)
    complement = frame[:, regressors.shape[1] :]
    reduced = complement.T @ covariance @ complement
    known, turn = linalg.eigh((reduced + reduced.T) / 2)
    diagonal = np.diag(covariance)
    return Contrasts(
        known=known,
        squares=(turn.T @ (complement.T @ values)) ** 2,
        spectrum=linalg.eigvalsh(covariance),
        start=float(values.var()),
        diagonal=diagonal if np.array_equal(covariance, np.diag(diagonal)) else None,
    )


def between_variance(data: Contrasts, method: HeterogeneityMethod) -> float | NotComputable:
    """Estimate ``tau2``; see the module for the methods."""
    if method == "hs" and data.diagonal is None:
        return NotComputable(
            "The method of Hunter and Schmidt has no form for labs whose errors are correlated. "
            "Choose 'dl', 'pm' or 'reml'."
        )
    if method == "reml":
        return _highest(data, data.known)
    if method == "ml":
        return _highest(data, data.spectrum)
    if method == "pm":
        return _where_q_is(data, data.df)
    return max(0.0, _by_moments(data, method))


def _by_moments(data: Contrasts, method: HeterogeneityMethod) -> float:
    if method == "he":
        return float(data.squares.sum() - data.known.sum()) / data.df
    if method == "sj":
        return data.start * data.q(data.start) / data.df
    if data.diagonal is not None and method == "hs":
        return (data.q(0) - data.diagonal.size) / float((1 / data.diagonal).sum())
    return (data.q(0) - data.df) / float((1 / data.known).sum())


@dataclass(frozen=True, slots=True)
class Profile:
    """Ends of the Q-profile interval of ``tau2``."""

    lower: float
    upper: float


def q_profile(data: Contrasts, level: float) -> Profile | None:
    """Return the Q-profile interval (rule 3), or None where no ``tau2`` fits the data."""
    tail = (1 - level) / 2
    high, low = special.chdtri(data.df, tail), special.chdtri(data.df, 1 - tail)
    if data.q(0) < low:
        return None
    return Profile(_where_q_is(data, float(high)), _where_q_is(data, float(low)))


def _where_q_is(data: Contrasts, wanted: float) -> float:
    """Solve ``Q(tau2) = wanted``; 0 if ``Q(0)`` is no more."""
    if data.q(0) <= wanted:
        return 0.0
    # Q(t) < sum(z**2) / t, so the root lies below this.
    return _root(lambda t: data.q(t) - wanted, 0.0, float(data.squares.sum()) / wanted)


def _highest(data: Contrasts, spectrum: Array) -> float:
    """Maximise ``-sum(log(spectrum + t)) - Q(t)`` over ``t >= 0``."""

    def slope(t: float) -> float:
        rise = (data.squares / (data.known + t) ** 2).sum()
        return float(rise - (1 / (spectrum + t)).sum())

    # Beyond the largest squared contrast the slope is negative: l + t > z**2 term by term, and
    # sum(1 / (e + t)) is at least sum(1 / (l + t)) because the eigenvalues interlace.
    farthest = float(data.squares.max())
    grid = farthest * _GRID
    height = -np.log(spectrum + grid[:, None]).sum(axis=1)
    height -= (data.squares / (data.known + grid[:, None])).sum(axis=1)
    top = int(height.argmax())
    left, right = grid[max(top - 1, 0)], grid[min(top + 1, grid.size - 1)]
    if slope(left) <= 0 or slope(right) >= 0:
        return 0.0 if top == 0 else float(grid[top])
    return _root(slope, float(left), float(right))


def _root(function: Callable[[float], float], left: float, right: float) -> float:
    return float(optimize.brentq(function, left, right, xtol=_NEAR * right, rtol=_NEAR))
