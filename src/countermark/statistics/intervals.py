# SPDX-License-Identifier: Apache-2.0
"""Intervals for one rate from a count of independent trials.

They serve raw tables and judges. A joint result of several labs is no such count: see
:mod:`countermark.statistics.crossed`.
"""

import math
from dataclasses import dataclass

from scipy import special

from countermark.statistics.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval and its confidence; of a rate, if nothing else is said."""

    lower: float
    upper: float
    level: float


def check_level(level: float) -> float:
    """Return a confidence level, or say that it is none."""
    if not 0 < level < 1:
        raise StatisticsError(f"{level} is not a confidence level. Give one between 0 and 1.")
    return level


def clopper_pearson(events: float, trials: float, level: float = 0.95) -> Interval:
    """Exact two-sided interval (Clopper and Pearson 1934).

    Parameters
    ----------
    events, trials
        ``0 <= events <= trials``, ``trials > 0``. They need not be whole: the beta form of the
        bounds is used.
    level
        Two-sided confidence level.

    Raises
    ------
    StatisticsError
        If the counts or the level make no sense.
    """
    one_sided = 1 - (1 - check_level(level)) / 2
    return Interval(
        exact_lower(events, trials, one_sided), exact_upper(events, trials, one_sided), level
    )


def exact_upper(events: float, trials: float, level: float) -> float:
    """Exact one-sided upper bound of a rate at one-sided confidence ``level``."""
    _check_counts(events, trials)
    check_level(level)
    if events == trials:
        return 1.0
    return float(special.betaincinv(events + 1, trials - events, level))


def exact_lower(events: float, trials: float, level: float) -> float:
    """Exact one-sided lower bound of a rate at one-sided confidence ``level``."""
    _check_counts(events, trials)
    check_level(level)
    if events == 0:
        return 0.0
    return float(special.betaincinv(events, trials - events + 1, 1 - level))


def zero_event_upper(trials: float, level: float = 0.95) -> float:
    """One-sided upper bound of a rate when none of ``trials`` was an event.

    ``1 - (1 - level)**(1 / trials)``; at 95 % about ``3 / trials``, the rule of three.

    Parameters
    ----------
    trials
        More than 0; of a joint test, the items.
    level
        One-sided confidence.

    Raises
    ------
    StatisticsError
        If there are no trials, or the level is none.
    """
    _check_counts(0, trials)
    return -math.expm1(math.log1p(-check_level(level)) / trials)


def wilson(events: float, trials: float, level: float = 0.95) -> Interval:
    """Score interval (Wilson 1927), for ``0 <= events <= trials``.

    Parameters
    ----------
    events, trials
        ``trials > 0``; neither need be whole.
    level
        Two-sided confidence.

    Raises
    ------
    StatisticsError
        If the counts or the level make no sense.
    """
    _check_counts(events, trials)
    deviate = float(special.ndtri(1 - (1 - check_level(level)) / 2))
    rate = events / trials
    return Interval(score_bound(rate, trials, -deviate), score_bound(rate, trials, deviate), level)


def score_bound(rate: float, trials: float, deviate: float) -> float:
    """One end of a score interval; the sign of ``deviate`` says which.

    Solves ``(rate - x)**2 = deviate**2 * x * (1 - x) / trials`` for ``x``.
    """
    weight = deviate**2 / trials
    root = deviate * math.sqrt(rate * (1 - rate) / trials + weight / (4 * trials))
    return min(1.0, max(0.0, (rate + weight / 2 + root) / (1 + weight)))


def _check_counts(events: float, trials: float) -> None:
    if not (math.isfinite(trials) and trials > 0 and 0 <= events <= trials):
        raise StatisticsError(
            f"{events} of {trials} is not a count of events among trials. "
            "Give 0 <= events <= trials and at least one trial."
        )
