# SPDX-License-Identifier: Apache-2.0
"""On which side of a limit a rate is shown to lie.

A limit can be missed in two ways, and each has its own error budget: *miss*, to call the limit
kept when it is not, and *false alarm*, to call it broken when it is kept.

This is guarded acceptance (JCGM 106:2012, 8.3.2) with a bound in the place of the measured value:
the bound already stands off the limit by what ``alpha_miss`` demands, and the guard band is added
to that. JCGM's own guard band, from the limit to the largest value accepted, is both together.

Rules
-----
1. *At most* limits: ``below`` if the upper bound at ``1 - alpha_miss`` is less than
   ``limit - guard``.
2. *At most* limits: ``exceeds`` if the lower bound at ``1 - alpha_false`` is more than ``limit``.
3. *At least* limits are the mirror image: ``exceeds`` if the lower bound at ``1 - alpha_miss`` is
   more than ``limit + guard``; ``below`` if the upper bound at ``1 - alpha_false`` is less than
   ``limit``.
4. Otherwise ``undetermined``. A bound that equals its limit shows nothing.
5. Of an estimate that could not be computed nothing is shown: ``undetermined``, no bounds.
6. Only the figures that :func:`~countermark.statistics.estimate.bound` uses decide, never rows.
7. A guard band is a width, or a multiple of the *expanded uncertainty* ``U`` of the estimate (JCGM
   106:2012, 8.3.2: ``w = r * U``). ``U`` is the distance from the value to the end of its two-sided
   95 % interval on the side of the limit that must not be passed: above it for *at most*. Where
   that interval is symmetric, it is the ``U`` of GUM (JCGM 100:2008, 6.2) with the t quantile as
   coverage factor.
8. The confidence that the limit is exceeded, and the one that it is kept (*conformance*, JCGM
   106:2012, clause 7), are told beside the outcome. They use no guard band and decide nothing.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimate, NotComputable, Side, bound
from countermark.statistics.exceedance import Confidence, exceedance

Direction = Literal["at most", "at least"]
Outcome = Literal["below", "exceeds", "undetermined"]

_EXPANDED = 0.975  # one-sided; two such bounds make the 95 % interval of rule 7


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard band as a multiple of the expanded uncertainty (rule 7).

    ``multiple`` is ``r`` of JCGM 106, from 0 up; ISO 14253-1 uses 1.
    """

    multiple: float

    def __post_init__(self) -> None:
        if not 0 <= self.multiple < math.inf:
            raise StatisticsError(
                f"The guard band of {self.multiple} times U makes no sense. Give a multiple from "
                "0 up."
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome and what it rests on.

    Parameters
    ----------
    outcome
        The side of the limit that the rate is shown to be on. For an *at least* limit, ``exceeds``
        is the good side: see ``kept``.
    lower, upper
        The one-sided bounds compared; ``None`` if there was no estimate.
    lower_level, upper_level
        Their one-sided confidence.
    limit, direction, alpha_miss, alpha_false
        As asked.
    guard
        Width of the guard band; ``None`` if it was asked for as a multiple of an uncertainty and
        there was no estimate.
    expanded
        Expanded uncertainty ``U`` on the side of the limit that must not be passed (rule 7).
    distance
        From the limit to the value, ``value - limit``: negative below the limit.
    exceedance
        Confidence that the rate is above the limit; see
        :mod:`countermark.statistics.exceedance`.
    """

    outcome: Outcome
    lower: float | None
    upper: float | None
    lower_level: float
    upper_level: float
    limit: float
    direction: Direction
    guard: float | None
    alpha_miss: float
    alpha_false: float
    expanded: float | None
    distance: float | None
    exceedance: Confidence | None

    @property
    def kept(self) -> bool | None:
        """Whether the limit is shown to be kept; ``None`` if neither is shown."""
        if self.outcome == "undetermined":
            return None
        return self.outcome == ("below" if self.direction == "at most" else "exceeds")

    @property
    def conformance(self) -> Confidence | None:
        """Confidence that the limit is kept (rule 8); ``None`` if there was no estimate."""
        if self.exceedance is None:
            return None
        return self.exceedance.complement if self.direction == "at most" else self.exceedance


def decide(
    estimate: Estimate | NotComputable,
    limit: float,
    direction: Direction,
    alpha_miss: float,
    alpha_false: float,
    *,
    guard: float | Guard = 0.0,
) -> Decision:
    """Compare a rate with a limit.

    Parameters
    ----------
    estimate
        The rate, or that there is none.
    limit
        From 0 to 1.
    direction
        Whether the rate may be ``at most`` or must be ``at least`` the limit.
    alpha_miss, alpha_false
        Error budgets, each more than 0 and at most 0.5.
    guard
        Guard band: how far inside the limit the rate must be shown to lie to be called kept. A
        width from 0 to 1, or a :class:`Guard`. It never helps to call a limit kept.

    Raises
    ------
    StatisticsError
        If a setting is outside its range.
    """
    check_threshold(limit, direction, alpha_miss, alpha_false, guard)
    at_most = direction == "at most"
    levels: dict[Side, float] = {
        "upper": 1 - (alpha_miss if at_most else alpha_false),
        "lower": 1 - (alpha_false if at_most else alpha_miss),
    }
    lower = upper = expanded = distance = confidence = None
    width = None if isinstance(guard, Guard) else guard
    outcome: Outcome = "undetermined"
    if isinstance(estimate, Estimate):
        lower = bound(estimate, levels["lower"], "lower")
        upper = bound(estimate, levels["upper"], "upper")
        danger: Side = "upper" if at_most else "lower"
        expanded = abs(bound(estimate, _EXPANDED, danger) - estimate.value)
        distance = estimate.value - limit
        confidence = exceedance(estimate, limit)
        width = guard.multiple * expanded if isinstance(guard, Guard) else guard
        outcome = outcome_of(lower, upper, limit, direction, width)
    return Decision(
        outcome=outcome,
        lower=lower,
        upper=upper,
        lower_level=levels["lower"],
        upper_level=levels["upper"],
        limit=limit,
        direction=direction,
        guard=width,
        alpha_miss=alpha_miss,
        alpha_false=alpha_false,
        expanded=expanded,
        distance=distance,
        exceedance=confidence,
    )


def outcome_of(
    lower: float, upper: float, limit: float, direction: Direction, guard: float
) -> Outcome:
    """Say on which side of a limit two one-sided bounds lie (rules 1 to 4).

    Parameters
    ----------
    lower, upper
        The bounds, each at the confidence that its error budget demands.
    limit, direction, guard
        As of :func:`decide`; the guard band as a width.
    """
    at_most = direction == "at most"
    if upper < (limit - guard if at_most else limit):
        return "below"
    if lower > (limit if at_most else limit + guard):
        return "exceeds"
    return "undetermined"


def check_threshold(
    limit: float,
    direction: Direction,
    alpha_miss: float,
    alpha_false: float,
    guard: float | Guard,
) -> None:
    """Raise ``StatisticsError`` if a setting is outside its range."""
    if direction not in get_args(Direction):
        raise StatisticsError(
            f"{direction!r} is not a direction. Choose {' or '.join(get_args(Direction))}."
        )
    if not 0 <= limit <= 1:
        raise StatisticsError(f"The limit {limit} is not a rate. Give one from 0 to 1.")
    for name, alpha in (("alpha_miss", alpha_miss), ("alpha_false", alpha_false)):
        if not 0 < alpha <= 0.5:
            raise StatisticsError(
                f"The error budget {name} is {alpha}. Give more than 0 and at most 0.5."
            )
    if not isinstance(guard, Guard) and not 0 <= guard <= 1:
        raise StatisticsError(f"The guard band {guard} makes no sense. Give one from 0 to 1.")
