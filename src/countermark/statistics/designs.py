# SPDX-License-Identifier: Apache-2.0
"""What a design of labs, items and epochs will show, before it is run.

With K labs, I items and E epochs the mean has the variance (Cornfield and Tukey 1956)::

    lab/K + item/I + lab_item/(K*I) + epoch/(K*I*E)        generalised
    lab/K          + lab_item/(K*I) + epoch/(K*I*E)        benchmark

It is the one that :func:`~countermark.statistics.crossed.crossed` estimates, so a plan and the
later analysis agree.

Rules
-----
1. A design has two labs and two items or more: one lab says nothing of others.
2. The half-width to expect is the mean over the mean squares that the design may give, each with
   the degrees of freedom that the analysis would then use. With few labs this is much wider than
   the variance alone suggests. Mean squares are taken as scaled chi-square variables and as
   independent (normal theory), that of labs at 60 and that of items at 7 equally likely values,
   that of lab x item at its mean. A half-width is half the score interval at the rate.
3. The chances of *below*, *exceeds* and *undetermined* take the mean as normal about the rate and
   the effective sample size as given by the mean squares. Below ten expected events among the
   items that is rough: use :func:`~countermark.statistics.power.simulate_power`.
4. If lab x item and epochs cannot be told apart, only designs of one epoch are computed.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, NotComputable
from countermark.statistics.intervals import check_level
from countermark.statistics.layout import (
    Array,
    ErrorVariance,
    MeanSquares,
    degrees_of_freedom,
    error_variance,
)
from countermark.statistics.threshold import Direction, check_threshold
from countermark.statistics.variances import Variances

_LAB_POINTS, _ITEM_POINTS = 60, 7


@dataclass(frozen=True, slots=True)
class Size:
    """Labs, items and epochs of a design, each at least 1."""

    labs: int
    items: int
    epochs: int = 1

    def __post_init__(self) -> None:
        if min(self.labs, self.items, self.epochs) < 1:
            raise StatisticsError(
                f"{self.labs} labs, {self.items} items and {self.epochs} epochs are no design. "
                "Give at least one of each."
            )


@dataclass(frozen=True, slots=True)
class Expected:
    """What to expect of a design: the standard error of the mean and the half-width."""

    estimand: Estimand
    se: float
    half_width: float


@dataclass(frozen=True, slots=True)
class Chances:
    """Chances of the three outcomes of a threshold decision; they sum to 1."""

    below: float
    exceeds: float
    undetermined: float

    @property
    def decided(self) -> float:
        """Chance of a decision, on whichever side."""
        return self.below + self.exceeds


@dataclass(frozen=True, slots=True)
class Question:
    """The threshold to decide; as of :func:`~countermark.statistics.threshold.decide`."""

    limit: float
    direction: Direction
    alpha_miss: float
    alpha_false: float
    guard: float = 0.0

    def __post_init__(self) -> None:
        check_threshold(self.limit, self.direction, self.alpha_miss, self.alpha_false, self.guard)


def mean_variance(known: Variances, size: Size, estimand: Estimand) -> float | NotComputable:
    """Variance of the mean of a design.

    Parameters
    ----------
    known
        Variances of single scores.
    size
        The design.
    estimand
        Which rate.

    Returns
    -------
    float or NotComputable
        ``s2_lab/K + s2_item/I + s2_lab_item/(K*I) + s2_epoch/(K*I*E)`` for *generalised*; without
        the item term for *benchmark*. The latter where the variances say nothing of such a design.
    """
    refusal = _refusal(known, size)
    if refusal is not None:
        return refusal
    noise = (known.lab_item + known.epoch / size.epochs) / (size.labs * size.items)
    sampled = known.item / size.items if estimand == "generalised" else 0.0
    return known.lab / size.labs + sampled + noise


def fewest_items(known: Variances, labs: int, estimand: Estimand, variance: float) -> int | None:
    """Fewest items of one epoch with which the variance of the mean is below ``variance``.

    Parameters
    ----------
    known
        Variances of single scores.
    labs
        How many labs run them, two or more.
    estimand
        Which rate.
    variance
        What the variance of the mean must stay below.

    Returns
    -------
    int or None
        Two or more; nothing where the labs alone vary too much, or there is one lab.
    """
    room = variance - known.lab / labs
    if labs < 2 or room <= 0:
        return None
    sampled = known.item if estimand == "generalised" else 0.0
    return max(2, math.floor((sampled + (known.lab_item + known.epoch) / labs) / room) + 1)


def expected_interval(
    known: Variances, size: Size, estimand: Estimand, level: float = 0.95
) -> Expected | NotComputable:
    """Say what interval a design will give (rule 2).

    Parameters
    ----------
    known
        Variances of single scores.
    size
        The design.
    estimand
        Which rate.
    level
        Two-sided confidence.

    Raises
    ------
    StatisticsError
        If the level is none.
    """
    check_level(level)
    total = mean_variance(known, size, estimand)
    if isinstance(total, NotComputable):
        return total
    error = _possible(known, size, estimand)
    p = known.rate
    weight = _deviates(error, (1 + level) / 2) ** 2 * error.total / (p * (1 - p))
    widths = np.sqrt(weight * p * (1 - p) + weight**2 / 4) / (1 + weight)
    return Expected(estimand, math.sqrt(total), float(widths.mean()))


def outcome_chances(
    known: Variances, size: Size, estimand: Estimand, question: Question
) -> Chances | NotComputable:
    """Say how likely each outcome of a threshold decision is (rule 3).

    Parameters
    ----------
    known
        Variances of single scores.
    size
        The design.
    estimand
        Which rate.
    question
        The threshold with its error budgets.
    """
    q, p = question, known.rate
    total = mean_variance(known, size, estimand)
    if isinstance(total, NotComputable):
        return total
    error = _possible(known, size, estimand)
    at_most = q.direction == "at most"
    upper = _deviates(error, 1 - (q.alpha_miss if at_most else q.alpha_false))
    lower = _deviates(error, 1 - (q.alpha_false if at_most else q.alpha_miss))
    low = q.limit - q.guard if at_most else q.limit
    high = q.limit if at_most else q.limit + q.guard
    per_answer = error.total / (p * (1 - p))  # one over the effective sample size
    below = _below((_reach(low, per_answer, -upper) - p) / math.sqrt(total), low > 0)
    exceeds = _below((p - _reach(high, per_answer, lower)) / math.sqrt(total), high < 1)
    return Chances(below, exceeds, max(0.0, 1 - below - exceeds))


def _refusal(known: Variances, size: Size) -> NotComputable | None:
    if size.labs < 2:
        return NotComputable("One lab says nothing of others. Plan with two labs or more.")
    if size.items < 2:
        return NotComputable("One item says nothing about the population of items.")
    if not known.separable and size.epochs > 1:
        return NotComputable(
            "One epoch a cell does not tell what a second one would change. Run some items twice."
        )
    return None


def _possible(known: Variances, size: Size, estimand: Estimand) -> ErrorVariance:
    """Error variances that a design may give, all equally likely (rule 2)."""
    labs, items = size.labs, size.items
    noise = known.lab_item + known.epoch / size.epochs
    by_lab = (noise + items * known.lab) * _spread(labs - 1, _LAB_POINTS)
    # The error of a benchmark rate is that of the labs alone.
    points = _ITEM_POINTS if estimand == "generalised" else 1
    by_item = (noise + labs * known.item) * _spread(items - 1, points)
    lab, item = (grid.ravel() for grid in np.meshgrid(by_lab, by_item, indexing="ij"))
    return error_variance(MeanSquares(lab, item, np.full_like(lab, noise), labs, items), estimand)


def _spread(df: int, points: int) -> Array:
    """Equally likely values of a chi-square over its degrees of freedom, with mean 1."""
    values = special.chdtri(df, 1 - (np.arange(points) + 0.5) / points) / df
    return np.asarray(values / values.mean())


def _deviates(error: ErrorVariance, level: float) -> Array:
    return np.asarray(special.stdtrit(degrees_of_freedom(error), level))


def _reach(limit: float, per_answer: Array, deviate: Array) -> Array:
    """Value whose score bound is the limit."""
    inside = min(1.0, max(0.0, limit))
    return np.asarray(inside + deviate * np.sqrt(inside * (1 - inside) * per_answer))


def _below(deviates: Array, possible: bool) -> float:
    return float(special.ndtr(deviates).mean()) if possible else 0.0
