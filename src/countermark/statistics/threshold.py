# SPDX-License-Identifier: Apache-2.0
"""On which side of a limit a rate is shown to lie.

A limit can be missed in two ways, and each has its own error budget: *miss*, to call the limit
kept when it is not, and *false alarm*, to call it broken when it is kept.

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
"""

from dataclasses import dataclass
from typing import Literal, get_args

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimate, NotComputable, Side, bound

Direction = Literal["at most", "at least"]
Outcome = Literal["below", "exceeds", "undetermined"]


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
    limit, direction, guard, alpha_miss, alpha_false
        As asked.
    """

    outcome: Outcome
    lower: float | None
    upper: float | None
    lower_level: float
    upper_level: float
    limit: float
    direction: Direction
    guard: float
    alpha_miss: float
    alpha_false: float

    @property
    def kept(self) -> bool | None:
        """Whether the limit is shown to be kept; ``None`` if neither is shown."""
        if self.outcome == "undetermined":
            return None
        return self.outcome == ("below" if self.direction == "at most" else "exceeds")


def decide(
    estimate: Estimate | NotComputable,
    limit: float,
    direction: Direction,
    alpha_miss: float,
    alpha_false: float,
    *,
    guard: float = 0.0,
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
        Guard band, from 0 up: how far inside the limit the rate must be shown to lie to be called
        kept (JCGM 106). It never helps to call a limit kept.

    Raises
    ------
    StatisticsError
        If a setting is outside its range.
    """
    _check(limit, direction, alpha_miss, alpha_false, guard)
    at_most = direction == "at most"
    levels: dict[Side, float] = {
        "upper": 1 - (alpha_miss if at_most else alpha_false),
        "lower": 1 - (alpha_false if at_most else alpha_miss),
    }
    lower = upper = None
    outcome: Outcome = "undetermined"
    if isinstance(estimate, Estimate):
        lower = bound(estimate, levels["lower"], "lower")
        upper = bound(estimate, levels["upper"], "upper")
        if upper < (limit - guard if at_most else limit):
            outcome = "below"
        elif lower > (limit if at_most else limit + guard):
            outcome = "exceeds"
    return Decision(
        outcome=outcome,
        lower=lower,
        upper=upper,
        lower_level=levels["lower"],
        upper_level=levels["upper"],
        limit=limit,
        direction=direction,
        guard=guard,
        alpha_miss=alpha_miss,
        alpha_false=alpha_false,
    )


def _check(
    limit: float, direction: Direction, alpha_miss: float, alpha_false: float, guard: float
) -> None:
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
    if not 0 <= guard <= 1:
        raise StatisticsError(f"The guard band {guard} makes no sense. Give one from 0 to 1.")
