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
_STEEP = 350.0  # exp of twice this is still finite


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Derivatives of the log-likelihood of a block of ``B`` groups.

    Parameters
    ----------
    groups, items
        ``(B,)`` and ``(I,)``: the first derivative by eta, added up over items and over groups.
    weight
        ``(B, I)``: minus the second derivative.
    memo
        Arrays of the block that :meth:`Response.curvature` uses again.
    """

    groups: Array
    items: Array
    weight: Array
    memo: tuple[Array, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Extra:
    """Derivatives by one extra parameter.

    Of the log-likelihood; of its first derivative by eta ``(B, I)``; and of the weights, each
    times the variance of eta, added up.
    """

    likelihood: float
    slope: Array
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Curvature:
    """``d weight / d eta`` times the variance, ``(B, I)``, and the extra parameters."""

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

    def slopes(self, rows: slice, groups: Array, items: Array, extra: Sequence[float]) -> Slopes:
        """First and second derivatives of a block, where eta is ``groups[:, None] + items``."""
        ...

    def likelihood(
        self,
        rows: slice,
        groups: Array,
        items: Array,
        extra: Sequence[float],
        memo: tuple[Array, ...],
    ) -> float:
        """Log-likelihood of a block without the constant."""
        ...

    def curvature(
        self, rows: slice, extra: Sequence[float], memo: tuple[Array, ...], variance: Array
    ) -> Curvature:
        """All else that the gradient needs of a block, ``variance`` being that of eta."""
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


def _log_factorials(counts: Array) -> float:
    """Sum of the logarithms of ``counts!``."""
    values, times = np.unique(counts, return_counts=True)
    return float(special.gammaln(values + 1) @ times)


def _cell_slopes(
    total: Array, count: Array, groups: Array, items: Array
) -> tuple[Array, Array, Array, Array]:
    """Return derivatives of binomial cells: by group, by item, the weights; and the rates."""
    # exp(-eta) is a product, which saves an exponential in every cell; the limit keeps it finite
    rate = np.multiply.outer(
        np.exp(np.clip(-groups, -_STEEP, _STEEP)), np.exp(np.clip(-items, -_STEEP, _STEEP))
    )
    rate += 1.0
    np.divide(1.0, rate, out=rate)
    weight = count * rate
    expected_groups, expected_items = weight.sum(axis=1), weight.sum(axis=0)
    weight -= weight * rate
    return total.sum(axis=1) - expected_groups, total.sum(axis=0) - expected_items, weight, rate


def _cell_likelihood(total: Array, count: Array, groups: Array, items: Array, rate: Array) -> float:
    missed = count - total
    linear = float(missed.sum(axis=1) @ groups + missed.sum(axis=0) @ items)
    return float(np.vdot(count, np.log(rate))) - linear


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
        n, y = self.count, self.total
        return _log_factorials(n) - _log_factorials(y) - _log_factorials(n - y)

    @property
    def observed(self) -> NDArray[np.bool_]:
        """``(G, I)``: whether there was a trial."""
        return self.count > 0

    def start(self) -> tuple[float, ...]:
        """There is no extra parameter."""
        return ()

    def slopes(self, rows: slice, groups: Array, items: Array, extra: Sequence[float]) -> Slopes:  # noqa: ARG002
        """``total - count * rate`` and ``count * rate * (1 - rate)``."""
        by_group, by_item, weight, rate = _cell_slopes(
            self.total[rows], self.count[rows], groups, items
        )
        return Slopes(by_group, by_item, weight, (weight, rate))

    def likelihood(
        self,
        rows: slice,
        groups: Array,
        items: Array,
        extra: Sequence[float],  # noqa: ARG002
        memo: tuple[Array, ...],
    ) -> float:
        """``count * log(rate) - (count - total) * eta``."""
        return _cell_likelihood(self.total[rows], self.count[rows], groups, items, memo[1])

    def curvature(
        self,
        rows: slice,  # noqa: ARG002
        extra: Sequence[float],  # noqa: ARG002
        memo: tuple[Array, ...],
        variance: Array,
    ) -> Curvature:
        """``weight * (1 - 2 * rate)`` times the variance."""
        weight, rate = memo
        third = weight * variance
        turned = third * rate
        turned *= 2
        third -= turned
        return Curvature(third, ())


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

    def slopes(self, rows: slice, groups: Array, items: Array, extra: Sequence[float]) -> Slopes:
        """``(total - count * eta)`` and ``count``, over the residual variance."""
        precision = math.exp(-2 * extra[0])
        count = self.count[rows]
        error = self.total[rows] - count * np.add.outer(groups, items)
        return Slopes(
            error.sum(axis=1) * precision,
            error.sum(axis=0) * precision,
            count * precision,
            (error,),
        )

    def _squares(self, rows: slice, extra: Sequence[float], error: Array) -> float:
        """Sum of the squared residuals of single scores, over the residual variance."""
        total, safe = self.total[rows], np.maximum(self.count[rows], 1)
        squares = (self.square[rows] - total**2 / safe).sum() + (error**2 / safe).sum()
        return float(squares) * math.exp(-2 * extra[0])

    def likelihood(
        self,
        rows: slice,
        groups: Array,  # noqa: ARG002
        items: Array,  # noqa: ARG002
        extra: Sequence[float],
        memo: tuple[Array, ...],
    ) -> float:
        """Half the sum of squares, and the logarithm of the residual for each score."""
        scores = float(self.count[rows].sum())
        return -0.5 * self._squares(rows, extra, memo[0]) - scores * extra[0]

    def curvature(
        self, rows: slice, extra: Sequence[float], memo: tuple[Array, ...], variance: Array
    ) -> Curvature:
        """Nothing but what the residual does."""
        precision = math.exp(-2 * extra[0])
        count, (error,) = self.count[rows], memo
        noise = Extra(
            self._squares(rows, extra, error) - float(count.sum()),
            -2 * precision * error,
            -2 * precision * float(np.vdot(count, variance)),
        )
        return Curvature(np.zeros_like(error), (noise,))


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
        return _log_factorials(self.levels.sum(axis=2)) - _log_factorials(self.levels)

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
        """Return the cuts, ``(M - 1,)``; the first is 0."""
        return np.concatenate([[0.0], np.cumsum(np.exp(np.asarray(extra)))])

    def slopes(self, rows: slice, groups: Array, items: Array, extra: Sequence[float]) -> Slopes:
        """Add up over the cuts what :class:`Binomial` gives."""
        by_group, by_item = np.zeros(len(groups)), np.zeros(len(items))
        weight = np.zeros((len(groups), len(items)))
        memo: list[Array] = []
        for m, cut in enumerate(self.cuts(extra)):
            upper = self.levels[rows, :, m + 1]
            count = self.levels[rows, :, m] + upper
            part = _cell_slopes(upper, count, groups - cut, items)
            by_group += part[0]
            by_item += part[1]
            weight += part[2]
            memo += part[2:]
        return Slopes(by_group, by_item, weight, tuple(memo))

    def likelihood(
        self,
        rows: slice,
        groups: Array,
        items: Array,
        extra: Sequence[float],
        memo: tuple[Array, ...],
    ) -> float:
        """Return the tables of the cuts, and the steps."""
        found = 0.0
        for m, cut in enumerate(self.cuts(extra)):
            upper = self.levels[rows, :, m + 1]
            count = self.levels[rows, :, m] + upper
            found += _cell_likelihood(upper, count, groups - cut, items, memo[2 * m + 1])
        inside = self.levels[rows, :, 1:-1].sum(axis=(0, 1))
        return found + float(inside @ np.log(-np.expm1(-np.exp(np.asarray(extra)))))

    def curvature(
        self, rows: slice, extra: Sequence[float], memo: tuple[Array, ...], variance: Array
    ) -> Curvature:
        """Sum over the cuts; a longer step moves its own cut and all above it."""
        third = np.zeros_like(variance)
        slopes: list[tuple[float, Array, float]] = []
        for m in range(len(extra) + 1):
            weight, rate = memo[2 * m : 2 * m + 2]
            upper = self.levels[rows, :, m + 1]
            count = self.levels[rows, :, m] + upper
            part = weight * (1 - 2 * rate) * variance
            third += part
            slopes.append((float((count * rate - upper).sum()), weight, -float(part.sum())))
        extras = []
        for j, log_step in enumerate(extra, start=1):
            step, above = math.exp(log_step), slopes[j:]
            inside = float(self.levels[rows, :, j].sum()) / math.expm1(step)
            by_step = sum(s[0] for s in above) + inside
            moved = sum((s[1] for s in above), np.zeros_like(third))
            extras.append(Extra(by_step * step, moved * step, sum(s[2] for s in above) * step))
        return Curvature(third, tuple(extras))
