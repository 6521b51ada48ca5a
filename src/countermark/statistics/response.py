# SPDX-License-Identifier: Apache-2.0
"""What was observed in a table of groups x items, and its likelihood given a linear predictor.

A *group* is what one lab did with one model in one language; a cell is one item in one group.
``eta`` is the linear predictor of a cell. Each kind of response gives the log-likelihood and its
derivatives by ``eta`` up to the third, which the Laplace approximation needs, and by its own
parameters (``extra``), if it has any.

=========  ============================================  =========================================
kind       model of a cell                               extra parameters
=========  ============================================  =========================================
Binomial   ``total ~ Binomial(count, expit(eta))``       none
Gaussian   ``score ~ Normal(eta, residual**2)``          ``log(residual)``
Ordinal    ``P(level > m) = expit(eta - cut[m])``,       ``log`` of the steps from one cut to the
           ``cut[0] = 0`` (proportional odds)            next
=========  ============================================  =========================================

Ordinal scores are McCullagh's (1980) cumulative logits. With ``H[m] = P(level > m)`` and the step
``s = cut[m] - cut[m-1]``, ``P(level = m) = H[m-1] * (1 - H[m]) * (1 - exp(-s))``, so the
log-likelihood is that of ``M - 1`` binomial tables, one for each cut, plus a term of the steps
alone; the tables count the two levels that meet at the cut.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from countermark.statistics.errors import StatisticsError

Array = NDArray[np.float64]
Link = Literal["logit", "identity"]

_SLACK = 1e-9  # a sum made elsewhere may carry rounding of this relative size
_STEEP = 700.0  # exp of more than this overflows


@dataclass(frozen=True, slots=True)
class Extra:
    """Derivatives by one extra parameter: of the log-likelihood, and of its first two by eta."""

    likelihood: float
    slope: Array  # (B, I): of the derivative by eta
    weight: float  # of the weights, times the variance of eta, added up


@dataclass(frozen=True, slots=True)
class Curvature:
    """The log-likelihood of a block, ``d weight / d eta`` times the variance, and the extras."""

    likelihood: float
    third: Array
    extras: tuple[Extra, ...]


class Response(Protocol):
    """What every kind of response can tell of its table."""

    @property
    def link(self) -> Link:
        """What makes a mean of eta."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """Groups and items."""
        ...

    @property
    def constant(self) -> float:
        """The part of the log-likelihood that no parameter changes."""
        ...

    @property
    def observed(self) -> NDArray[np.bool_]:
        """``(G, I)``: whether the cell was scored at all."""
        ...

    def start(self) -> tuple[float, ...]:
        """Where the search for the extra parameters begins."""
        ...

    def slopes(self, rows: slice, eta: Array, extra: Sequence[float]) -> tuple[Array, Array]:
        """First derivative of the log-likelihood by eta, and minus the second, of a block."""
        ...

    def curvature(
        self, rows: slice, eta: Array, extra: Sequence[float], variance: Array
    ) -> Curvature:
        """All else that the gradient needs, of a block."""
        ...


def _numbers(name: str, values: ArrayLike, dimensions: int) -> Array:
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim != dimensions or array.size == 0:
        raise StatisticsError(
            f"The array {name!r} has shape {array.shape}. Give a table of "
            f"{'groups x items' if dimensions == 2 else 'groups x items x levels'}."
        )
    if not np.isfinite(array).all() or (name in ("count", "levels") and array.min() < 0):
        raise StatisticsError(
            f"The array {name!r} holds a value that is negative or no number. "
            "Give 0 for a cell that was not scored."
        )
    return array


def _same(shape: tuple[int, ...], name: str, array: Array) -> None:
    if array.shape != shape:
        raise StatisticsError(
            f"The array {name!r} has shape {array.shape}, the counts have {shape}. "
            "Give both for the same groups and items."
        )


def _logistic(eta: Array) -> Array:
    # numpy's exp is several times as fast as scipy's expit
    return np.asarray(1.0 / (1.0 + np.exp(np.minimum(-eta, _STEEP))))


def _binomial_likelihood(total: Array, count: Array, eta: Array, rate: Array) -> float:
    return float(np.vdot(count, np.log(rate)) - np.vdot(count - total, eta))


@dataclass(frozen=True, slots=True, eq=False)
class Binomial:
    """Events among trials.

    Parameters
    ----------
    total, count
        ``(G, I)``: events and trials; 0 of 0 where nothing was scored. Totals need not be whole.

    Raises
    ------
    StatisticsError
        If a total is not between 0 and its count, or the shapes differ.
    """

    total: Array
    count: Array

    def __post_init__(self) -> None:
        count = _numbers("count", self.count, 2)
        total = _numbers("total", self.total, 2)
        _same(count.shape, "total", total)
        slack = _SLACK * np.maximum(count, 1)
        if (total < -slack).any() or (total > count + slack).any():
            raise StatisticsError(
                "A cell has fewer events than 0 or more than trials. Add them up again."
            )
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "total", np.clip(total, 0.0, count))

    @property
    def link(self) -> Link:
        """What makes a mean of eta."""
        return "logit"

    @property
    def shape(self) -> tuple[int, int]:
        """Groups and items."""
        return self.count.shape[0], self.count.shape[1]

    @property
    def constant(self) -> float:
        """Sum of the logarithms of the binomial coefficients."""
        return sum(
            float(
                (
                    special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
                ).sum()
            )
            for y, n in zip(self.total, self.count, strict=True)
        )

    @property
    def observed(self) -> NDArray[np.bool_]:
        """``(G, I)``: whether there was a trial."""
        return self.count > 0

    def start(self) -> tuple[float, ...]:
        """There is no extra parameter."""
        return ()

    def slopes(self, rows: slice, eta: Array, extra: Sequence[float]) -> tuple[Array, Array]:  # noqa: ARG002
        """``total - count * rate`` and ``count * rate * (1 - rate)``."""
        rate = _logistic(eta)
        expected = self.count[rows] * rate
        weight = expected - expected * rate
        return self.total[rows] - expected, weight

    def curvature(
        self,
        rows: slice,
        eta: Array,
        extra: Sequence[float],  # noqa: ARG002
        variance: Array,
    ) -> Curvature:
        """All else that the gradient needs, of a block."""
        rate = _logistic(eta)
        total, count = self.total[rows], self.count[rows]
        third = count * rate * (1 - rate) * (1 - 2 * rate) * variance
        return Curvature(_binomial_likelihood(total, count, eta, rate), third, ())


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """Scores on a continuous scale, as sums.

    Parameters
    ----------
    total, square, count
        ``(G, I)``: sum of the scores, sum of their squares, and how many.

    Raises
    ------
    StatisticsError
        If the shapes differ or no scores can have these sums.
    """

    total: Array
    square: Array
    count: Array

    def __post_init__(self) -> None:
        count = _numbers("count", self.count, 2)
        total = _numbers("total", self.total, 2)
        square = _numbers("square", self.square, 2)
        _same(count.shape, "total", total)
        _same(count.shape, "square", square)
        if (total**2 > count * square * (1 + _SLACK) + _SLACK).any() or square[count == 0].any():
            raise StatisticsError(
                "A cell has a sum and a sum of squares that no scores can have. Add them up again."
            )
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "total", total)
        object.__setattr__(self, "square", square)

    @property
    def link(self) -> Link:
        """What makes a mean of eta."""
        return "identity"

    @property
    def shape(self) -> tuple[int, int]:
        """Groups and items."""
        return self.count.shape[0], self.count.shape[1]

    @property
    def constant(self) -> float:
        """The normal density's own constant, for every score."""
        return -0.5 * math.log(2 * math.pi) * float(self.count.sum())

    @property
    def observed(self) -> NDArray[np.bool_]:
        """``(G, I)``: whether there was a score."""
        return self.count > 0

    @property
    def variance(self) -> float:
        """Variance of all scores."""
        mean = self.total.sum() / self.count.sum()
        spread = float(self.square.sum() - mean * self.total.sum()) / float(self.count.sum())
        return max(spread, 0.0)

    def start(self) -> tuple[float, ...]:
        """Half the variance of all scores is taken for noise."""
        return (0.5 * math.log(self.variance / 2),)

    def slopes(self, rows: slice, eta: Array, extra: Sequence[float]) -> tuple[Array, Array]:
        """``(total - count * eta)`` and ``count``, over the residual variance."""
        precision = math.exp(-2 * extra[0])
        count = self.count[rows]
        return (self.total[rows] - count * eta) * precision, count * precision

    def curvature(
        self, rows: slice, eta: Array, extra: Sequence[float], variance: Array
    ) -> Curvature:
        """All else that the gradient needs, of a block."""
        precision = math.exp(-2 * extra[0])
        total, count = self.total[rows], self.count[rows]
        safe = np.maximum(count, 1)
        within = float((self.square[rows] - total**2 / safe).sum())
        error = total - count * eta
        squares = (within + float((error**2 / safe).sum())) * precision
        scores = float(count.sum())
        noise = Extra(
            squares - scores,
            -2 * precision * error,
            -2 * precision * float(np.vdot(count, variance)),
        )
        return Curvature(-0.5 * squares - scores * extra[0], np.zeros_like(eta), (noise,))


@dataclass(frozen=True, slots=True, eq=False)
class Ordinal:
    """Scores on ordered levels.

    Parameters
    ----------
    levels
        ``(G, I, M)``: how often each level was given, lowest first. Every level must occur.

    Raises
    ------
    StatisticsError
        If there are fewer than two levels or one never occurs.
    """

    levels: Array

    def __post_init__(self) -> None:
        levels = _numbers("levels", self.levels, 3)
        if levels.shape[2] < 2 or (levels.sum(axis=(0, 1)) == 0).any():
            raise StatisticsError(
                "Ordered levels need two that occur. Leave out levels that nobody was given: "
                "their estimated probability is 0."
            )
        object.__setattr__(self, "levels", levels)

    @property
    def link(self) -> Link:
        """What makes a mean of eta."""
        return "logit"

    @property
    def shape(self) -> tuple[int, int]:
        """Groups and items."""
        return self.levels.shape[0], self.levels.shape[1]

    @property
    def constant(self) -> float:
        """Sum of the logarithms of the multinomial coefficients."""
        ways = special.gammaln(self.levels.sum(axis=2) + 1).sum()
        return float(ways - special.gammaln(self.levels + 1).sum())

    @property
    def observed(self) -> NDArray[np.bool_]:
        """``(G, I)``: whether there was a score."""
        return np.asarray(self.levels.sum(axis=2) > 0)

    def start(self) -> tuple[float, ...]:
        """Cuts that fit the levels of all cells together."""
        share = np.cumsum(self.levels.sum(axis=(0, 1)))
        return tuple(np.log(np.diff(special.logit(share[:-1] / share[-1]))).tolist())

    @staticmethod
    def cuts(extra: Sequence[float]) -> Array:
        """The cuts, ``(M - 1,)``; the first is 0."""
        return np.concatenate([[0.0], np.cumsum(np.exp(np.asarray(extra)))])

    def slopes(self, rows: slice, eta: Array, extra: Sequence[float]) -> tuple[Array, Array]:
        """Sums over the cuts of what :class:`Binomial` gives."""
        slope, weight = np.zeros_like(eta), np.zeros_like(eta)
        for m, cut in enumerate(self.cuts(extra)):
            rate = _logistic(eta - cut)
            upper = self.levels[rows, :, m + 1]
            expected = (self.levels[rows, :, m] + upper) * rate
            slope += upper - expected
            weight += expected - expected * rate
        return slope, weight

    def curvature(
        self, rows: slice, eta: Array, extra: Sequence[float], variance: Array
    ) -> Curvature:
        """All else that the gradient needs, of a block."""
        third, likelihood = np.zeros_like(eta), 0.0
        slopes: list[tuple[float, Array, float]] = []
        for m, cut in enumerate(self.cuts(extra)):
            shifted = eta - cut
            rate = _logistic(shifted)
            upper = self.levels[rows, :, m + 1]
            count = self.levels[rows, :, m] + upper
            likelihood += _binomial_likelihood(upper, count, shifted, rate)
            weight = count * rate * (1 - rate)
            part = weight * (1 - 2 * rate) * variance
            third += part
            slopes.append((float((count * rate - upper).sum()), weight, -float(part.sum())))
        extras = []
        for j, log_step in enumerate(extra, start=1):
            # a longer step moves its own cut and all above it
            step = math.exp(log_step)
            inside = float(self.levels[rows, :, j].sum())
            likelihood += inside * math.log(-math.expm1(-step))
            above = slopes[j:]
            by_step = sum(s[0] for s in above) + inside / math.expm1(step)
            moved = sum((s[1] for s in above), np.zeros_like(eta))
            extras.append(Extra(by_step * step, moved * step, sum(s[2] for s in above) * step))
        return Curvature(likelihood, third, tuple(extras))
