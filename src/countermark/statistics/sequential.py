# SPDX-License-Identifier: Apache-2.0
"""Bounds that hold at every moment of a run, so that it may stop as soon as they decide.

An ordinary interval is spoilt by looking: who stops when it is convenient misses the truth too
often. A *confidence sequence* holds at all times together. This one is by betting: at each
candidate mean ``m`` a gambler starts with the capital 1 and bets that the scores lie above ``m``.
If ``m`` is at least the true mean the game is not in her favour, so her capital ever reaches
``1 / alpha`` with a chance of at most ``alpha`` (Ville 1939). All ``m`` at which it has done so are
excluded. The upper bound is the same game with ``1 - score``.

Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", Journal
of the Royal Statistical Society B 86: hedged capital with predictable plug-in bets (Theorem 3) and,
for a known population, sampling without replacement (section 5). The capital at ``m`` is::

    K[t](m) = prod over i <= t of 1 + min(bet[i], C / m[i]) * (x[i] - m[i])
    bet[i]  = sqrt(2 * log(1 / alpha) / (v[i-1] * i * log(1 + i)))
    u[i]    = (1/2 + x[1] + ... + x[i]) / (i + 1)
    v[i]    = (1/4 + (x[1] - u[1])**2 + ... + (x[i] - u[i])**2) / (i + 1)
    m[i]    = m, or of N items (N * m - (x[1] + ... + x[i-1])) / (N - i + 1)

with ``C = 1/2``. A two-sided sequence at ``1 - a`` is the two bounds at ``a / 2`` each; with both
halves weighted one half, that is the paper's hedged capital. Its logarithm falls as ``m`` rises, so
each end is the root of one equation and no grid of candidates is needed.

Rules
-----
1. Scores are from 0 to 1, one an item, in an order drawn at random and committed to before the
   run. Nothing in the scores shows whether it was: an order chosen otherwise voids the bounds.
2. With a ``population`` of N items the mean is that of these N items (*benchmark*), and what has
   not been seen yet can be no less than 0 and no more than 1 an item. Otherwise it is the mean of
   the population that the items were drawn from.
3. The bounds hold for the scores of this run, at this lab. How labs differ is not in them, so a
   decision made by them is one lab's decision: ``covers`` says so.
4. Bounds never widen (running intersection).
5. Each end is exact to ``1e-9``.
6. If the bounds have crossed, no mean agrees with the scores: an event of the error budget, or an
   order that was not random. ``crossed_at`` says when.
7. A threshold is decided the first time that the upper bound at ``alpha_miss`` or the lower bound
   at ``alpha_false`` is on one side, as in :mod:`countermark.statistics.threshold`. What was
   decided first stands, whatever follows.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countermark.statistics.errors import StatisticsError
from countermark.statistics.intervals import check_level
from countermark.statistics.threshold import Direction, Outcome, check_threshold

Array = NDArray[np.float64]

_CAP = 0.5  # C: the share of the capital that one bet can lose
_EXACT = 1e-10
_TIE = 1e-9  # ends that cross by less are equal but for rounding


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceSequence:
    """Bounds after each score.

    Parameters
    ----------
    lower, upper
        ``(n,)``, within [0, 1]; ``lower`` never falls and ``upper`` never rises.
    level
        Two-sided confidence of the whole sequence; each of the two bounds by itself holds at
        ``(1 + level) / 2``.
    population
        The number of items, if it was given.
    """

    lower: Array
    upper: Array
    level: float
    population: int | None

    @property
    def crossed_at(self) -> int | None:
        """After how many scores no mean was left (rule 6); ``None`` if one is left."""
        places = np.flatnonzero(self.lower > self.upper)
        return int(places[0]) + 1 if places.size else None

    @property
    def covers(self) -> str:
        """What mean the bounds are for, in words (rules 2 and 3)."""
        return _covers(self.population)


@dataclass(frozen=True, slots=True)
class Anytime:
    """A threshold decision that may be made at any time.

    Parameters
    ----------
    outcome
        As of :func:`~countermark.statistics.threshold.decide`.
    decided_at
        After how many scores it was first decided; ``None`` if undetermined.
    lower, upper
        The bounds then, or after the last score.
    seen
        How many scores were given.
    covers
        What mean the decision is about.
    """

    outcome: Outcome
    decided_at: int | None
    lower: float
    upper: float
    seen: int
    covers: str


def confidence_sequence(
    scores: ArrayLike, level: float = 0.95, population: int | None = None
) -> ConfidenceSequence:
    """Bound a mean after each score.

    Parameters
    ----------
    scores
        ``(n,)``, in the order of the run (rule 1).
    level
        Two-sided confidence, for all times together.
    population
        How many items there are in all, if the mean of exactly these items is wanted; at least n.

    Raises
    ------
    StatisticsError
        If a score is not from 0 to 1, if there is none, or if there are more than ``population``.

    Notes
    -----
    The cost grows with the square of n.
    """
    x = _checked(scores, population)
    alpha = (1 - check_level(level)) / 2
    lower, upper = _ends(x, alpha, alpha, population)
    return ConfidenceSequence(lower, upper, level, population)


def anytime(
    scores: ArrayLike,
    limit: float,
    direction: Direction,
    alpha_miss: float,
    alpha_false: float,
    *,
    guard: float = 0.0,
    population: int | None = None,
) -> Anytime:
    """Decide a threshold as early as the scores allow.

    Parameters
    ----------
    scores, population
        As for :func:`confidence_sequence`.
    limit, direction, alpha_miss, alpha_false, guard
        As for :func:`~countermark.statistics.threshold.decide`; each budget covers all times.

    Raises
    ------
    StatisticsError
        If an input is outside its range.
    """
    check_threshold(limit, direction, alpha_miss, alpha_false, guard)
    x = _checked(scores, population)
    at_most = direction == "at most"
    alphas = (alpha_false, alpha_miss) if at_most else (alpha_miss, alpha_false)
    lower, upper = _ends(x, *alphas, population)
    below = _first(upper < (limit - guard if at_most else limit))
    exceeds = _first(lower > (limit if at_most else limit + guard))
    outcome: Outcome = "undetermined"
    at = None
    if min(below, exceeds) < x.size:
        outcome = "below" if below < exceeds else "exceeds"
        at = min(below, exceeds) + 1
    last = (at or x.size) - 1
    return Anytime(
        outcome=outcome,
        decided_at=at,
        lower=float(lower[last]),
        upper=float(upper[last]),
        seen=x.size,
        covers=_covers(population),
    )


def _first(holds: NDArray[np.bool_]) -> int:
    return int(holds.argmax()) if holds.any() else holds.size


def _covers(population: int | None) -> str:
    items = "of the population of items" if population is None else f"of these {population} items"
    return (
        f"The mean score {items} at one lab, if their order was drawn at random before the run. "
        "Differences between labs are not in it."
    )


def _checked(scores: ArrayLike, population: int | None) -> Array:
    x = np.asarray(scores, dtype=np.float64)
    if x.ndim != 1 or not x.size:
        raise StatisticsError("There are no scores in a row. Give one for each item of the run.")
    wrong = np.flatnonzero(~((x >= 0) & (x <= 1)))
    if wrong.size:
        raise StatisticsError(
            f"Score number {wrong[0] + 1} is {x[wrong[0]]}, not a number from 0 to 1. Rescale the "
            "scores, and leave out items that were not scored."
        )
    if population is not None and population < x.size:
        raise StatisticsError(
            f"There are {x.size} scores of a population of {population}. Give one score an item, "
            "and the number of all items."
        )
    return x


def _ends(
    x: Array, alpha_lower: float, alpha_upper: float, population: int | None
) -> tuple[Array, Array]:
    lower = _lower(x, alpha_lower, population)
    upper = 1 - _lower(1 - x, alpha_upper, population)
    tie = (lower > upper) & (lower - upper < _TIE)
    return lower, np.where(tie, lower, upper)


def bets(x: Array, alpha: float) -> Array:
    """Predictable plug-in bets ``(n,)``; each rests only on the scores before it."""
    i = np.arange(1, x.size + 1)
    mean = (0.5 + np.cumsum(x)) / (i + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (i + 1)
    before = np.concatenate(([0.25], variance[:-1]))
    return np.asarray(np.sqrt(2 * math.log(1 / alpha) / (before * i * np.log1p(i))))


@dataclass(frozen=True, slots=True, eq=False)
class _Game:
    """The scores with what does not depend on the candidate mean.

    The candidate at step i is ``slope[i] * m - shift[i]``.
    """

    x: Array
    bets: Array
    slope: Array
    shift: Array

    def log_capital(self, mean: float, seen: int) -> tuple[float, float]:
        """Logarithm of the capital after ``seen`` scores, and its derivative in ``mean``."""
        slope = self.slope[:seen]
        m = np.maximum(slope * mean - self.shift[:seen], 0.0)
        x, bet = self.x[:seen], self.bets[:seen]
        capped = bet * m > _CAP
        share = np.divide(_CAP, m, out=bet.copy(), where=capped)
        factor = 1 + share * (x - m)
        # Below the cap the factor is 1 + bet * (x - m), above it 1 - C + C * x / m.
        fall = np.divide(share * x, m, out=bet.copy(), where=capped) * slope / factor
        return float(np.log(factor).sum()), -float(fall.sum())


def _lower(x: Array, alpha: float, population: int | None) -> Array:
    """Lower bound ``(n,)`` after each score."""
    before = np.concatenate(([0.0], np.cumsum(x)[:-1]))
    if population is None:
        slope, shift, sure = np.ones_like(x), np.zeros_like(x), np.zeros_like(x)
    else:
        left = population - np.arange(x.size, dtype=np.float64)
        slope, shift = population / left, before / left
        sure = (before + x) / population
    game = _Game(x, bets(x, alpha), slope, shift)
    goal = math.log(1 / alpha)
    lower = np.empty_like(x)
    end = 0.0
    for t in range(x.size):
        end = max(end, min(1.0, float(sure[t])))
        if x[t] > 0:  # a score of 0 wins no bet
            end = _root(game, t + 1, goal, end)
        lower[t] = end
    return lower


def _root(game: _Game, seen: int, goal: float, low: float) -> float:
    """Return the mean from ``low`` up at which the log capital is ``goal``, or ``low`` if less.

    Newton's method, with halving where it would leave the bracket.
    """
    high, mean = 1.0, low
    capital, fall = game.log_capital(mean, seen)
    if capital < goal:
        return low
    while high - low > _EXACT:
        step = mean - (capital - goal) / fall if fall < 0 else low
        mean = step if low < step < high else (low + high) / 2
        capital, fall = game.log_capital(mean, seen)
        if abs(capital - goal) <= _EXACT * -fall:
            return mean
        low, high = (mean, high) if capital >= goal else (low, mean)
    return low
