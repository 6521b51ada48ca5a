# SPDX-License-Identifier: Apache-2.0
"""How sure the figures make us that a rate is above a limit.

The one-sided bounds of an estimate, taken at every level, form its *confidence distribution*
(Schweder and Hjort 2016, chapter 3). Read the other way round it answers: at which level does the
bound equal the limit?

It is a confidence, not a posterior probability: in repeated exercises with a rate equal to the
limit it falls below ``a`` in at most about a share ``a`` of them. For the normal model with a flat
prior the two have the same value; JCGM 106:2012, clause 7, calls that the conformance probability.

Rules
-----
1. *effective*: ``P(t(df) <= (value - limit) / sqrt(limit * (1 - limit) / n))``, ``n`` being the
   effective sample size. This inverts the score bounds.
2. *exact*: counts are discrete, so the confidence is known only between two ends, one from each
   bound: ``1 - I(limit; x, n - x + 1)`` and ``1 - I(limit; x + 1, n - x)``, ``I`` being the
   regularised incomplete beta function (Clopper and Pearson 1934). Its like holds for the exact
   bound after a correction for the judge.
3. *corrected*: the level is found by bisection; beyond the value it is at most one half.
4. No rate is above 1, and none that is not exactly 0 is 0: at the limit 1 the confidence is 0, at
   the limit 0 its upper end is 1.
5. For the same error budgets, what :func:`~countermark.statistics.threshold.decide` says without
   a guard band follows: *below* is ``most < alpha``, *exceeds* is ``least > 1 - alpha``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy import special

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import (
    Counts,
    Estimate,
    Side,
    bound,
    unseen_reach,
)

_STEPS = 48  # halvings of [0, 1]; a level nearer to 1 could round to 1, which is none


@dataclass(frozen=True, slots=True)
class Confidence:
    """From ``least`` to ``most``, each from 0 to 1; equal unless the data are discrete."""

    least: float
    most: float

    @property
    def complement(self) -> "Confidence":
        """The confidence in the opposite."""
        return Confidence(1 - self.most, 1 - self.least)


def exceedance(estimate: Estimate, limit: float) -> Confidence:
    """Compute the confidence that the rate is above a limit.

    Parameters
    ----------
    estimate
        The rate; only its ``shape`` and the figures that go with it are used.
    limit
        From 0 to 1.

    Raises
    ------
    StatisticsError
        If the limit is no rate.
    """
    if not 0 <= limit <= 1:
        raise StatisticsError(f"The limit {limit} is not a rate. Give one from 0 to 1.")
    if limit == 1:
        return Confidence(0.0, 0.0)
    if estimate.counts is not None:
        return _exact(estimate.counts, limit)
    if limit == 0:
        return Confidence(1.0, 1.0)
    if estimate.shape == "effective":
        chance = _effective(estimate, limit)
    else:
        side: Side = "upper" if limit >= estimate.value else "lower"
        level = _corrected(estimate, limit, side)
        chance = 1 - level if side == "upper" else level
    return Confidence(chance, chance)


def _effective(estimate: Estimate, limit: float) -> float:
    size = estimate.effective_sample_size
    if size is None or estimate.df is None:
        raise StatisticsError("The estimate has no standard error. Copy the signed figures again.")
    deviate = (estimate.value - limit) * math.sqrt(size) / math.sqrt(limit * (1 - limit))
    return float(special.stdtr(estimate.df, deviate))


def _corrected(estimate: Estimate, limit: float, side: Side) -> float:
    def within(level: float) -> bool:
        if level <= 0.5:
            return True
        reached = bound(estimate, level, side)
        return reached <= limit if side == "upper" else reached >= limit

    return max(0.5, _greatest(within))


def _exact(counts: Counts, limit: float) -> Confidence:
    events, trials = counts.events, counts.trials
    if counts.found is None or counts.labelled is None:
        above, below = trials - events, events
        return Confidence(
            least=1 - float(special.betainc(below, above + 1, limit)) if below else 0.0,
            most=1 - float(special.betainc(below + 1, above, limit)) if above else 1.0,
        )
    found, labelled = counts.found, counts.labelled
    away = limit if events == 0 else 1 - limit
    level = _greatest(lambda at: unseen_reach(trials, found, labelled, at) <= away)
    return Confidence(0.0, 1 - level) if events == 0 else Confidence(level, 1.0)


def _greatest(holds: Callable[[float], bool]) -> float:
    """Return the greatest level up to which a condition holds."""
    below, above = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (below + above) / 2
        below, above = (middle, above) if holds(middle) else (below, middle)
    return below
