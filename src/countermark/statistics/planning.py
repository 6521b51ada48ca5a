# SPDX-License-Identifier: Apache-2.0
"""How many labs, items and epochs a test needs, and what to run next.

What a design shows is computed by :mod:`countermark.statistics.designs`.

Rules
-----
1. For each number of labs and epochs the fewest items that reach the goal are sought by halving,
   and the least costly of these plans is taken; of equally costly ones, that with fewer labs, then
   fewer epochs. What is not reached within the bounds is ``NotComputable``.
2. The next run is one lab more, one block of items more or one epoch more, compared by the
   variance it saves for each unit of cost.
3. A protocol has too few items for a declared precision if it has fewer than
   :func:`items_needed` says.
4. Rare events: n items show with no event that the rate is below a limit if the exact bound
   ``1 - (1 - level)**(1/n)`` is. Items count, not labs and epochs, which repeat the same items.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from countermark.statistics.designs import (
    Chances,
    Expected,
    Question,
    Size,
    expected_interval,
    mean_variance,
    outcome_chances,
)
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, NotComputable
from countermark.statistics.intervals import check_level, zero_event_upper
from countermark.statistics.variances import Variances

_ESTIMANDS: tuple[Estimand, ...] = ("benchmark", "generalised")


@dataclass(frozen=True, slots=True)
class Costs:
    """What a design costs, in any one unit: ``lab*K + item*I + run*K*I*E``.

    Parameters
    ----------
    lab
        To bring a lab in.
    item
        To write an item.
    run
        To run and score one epoch of one item at one lab.
    """

    lab: float
    item: float
    run: float

    def __post_init__(self) -> None:
        each = (self.lab, self.item, self.run)
        if not all(0 <= cost < math.inf for cost in each) or not any(each):
            raise StatisticsError(
                f"The costs {each} make no sense. Give each from 0 up, not all 0."
            )

    def of(self, size: Size) -> float:
        """Cost of a whole design."""
        runs = size.labs * size.items * size.epochs
        return self.lab * size.labs + self.item * size.items + self.run * runs


@dataclass(frozen=True, slots=True)
class HalfWidth:
    """Goal: an expected half-width of at most ``most`` at two-sided ``level``."""

    most: float
    level: float = 0.95

    def __post_init__(self) -> None:
        check_level(self.level)
        if not self.most > 0:
            raise StatisticsError(f"A half-width of {self.most} is out of reach. Give more than 0.")


@dataclass(frozen=True, slots=True)
class Power:
    """Goal: a chance of at least ``least`` that the question is decided."""

    question: Question
    least: float

    def __post_init__(self) -> None:
        check_level(self.least)


@dataclass(frozen=True, slots=True)
class Plan:
    """The least costly design that reaches a goal; ``chances`` if the goal was a decision."""

    size: Size
    cost: float
    expected: Expected
    chances: Chances | None


@dataclass(frozen=True, slots=True)
class Addition:
    """One addition to a design, and what it does for one estimand.

    ``saved`` is the variance it takes off, ``worth`` that for each unit of cost (infinite if it
    costs nothing).
    """

    estimand: Estimand
    what: str
    size: Size
    cost: float
    saved: float
    worth: float
    half_width: float


@dataclass(frozen=True, slots=True)
class NextRun:
    """Additions by falling worth, for both estimands; ``lost`` says why epochs are left out."""

    additions: tuple[Addition, ...]
    lost: NotComputable | None

    def best(self, estimand: Estimand) -> Addition:
        """Return the addition of greatest worth for an estimand."""
        return next(one for one in self.additions if one.estimand == estimand)


@dataclass(frozen=True, slots=True)
class ZeroEvents:
    """Items that show a rate to be below a limit if none has an event.

    ``upper`` is the bound that they give; ``chance`` that none of them has an event.
    """

    items: int
    upper: float
    chance: float


def items_needed(
    known: Variances,
    half_width: float,
    *,
    labs: int,
    epochs: int = 1,
    estimand: Estimand = "generalised",
    level: float = 0.95,
    most: int = 1_000_000,
) -> int | NotComputable:
    """Count the items that an expected half-width needs.

    A protocol that declares a precision has too few items if it has fewer than this. Without
    knowledge of the variances take :meth:`Variances.cautious`.

    Parameters
    ----------
    known
        Variances of single scores, estimated or assumed.
    half_width
        The greatest half-width wanted.
    labs, epochs, estimand, level
        The rest of the design.
    most
        How many items to consider at most.
    """
    goal = HalfWidth(half_width, level)
    return _fewest(lambda size: _reaches(known, size, estimand, goal), labs, epochs, most)


def plan(
    known: Variances,
    estimand: Estimand,
    goal: HalfWidth | Power,
    costs: Costs,
    most: Size,
) -> Plan | NotComputable:
    """Find the least costly design that reaches a goal (rule 1).

    Parameters
    ----------
    known
        Variances of single scores, estimated or assumed.
    estimand
        Which rate is wanted.
    goal
        A half-width, or the power to decide a threshold.
    costs
        What labs, items and runs cost.
    most
        Bounds of the search; at least two labs.
    """
    found: list[tuple[float, Size]] = []
    for labs in range(2, most.labs + 1):
        for epochs in range(1, (most.epochs if known.separable else 1) + 1):
            items = _fewest(
                lambda size: _reaches(known, size, estimand, goal), labs, epochs, most.items
            )
            if not isinstance(items, NotComputable):
                size = Size(labs, items, epochs)
                found.append((costs.of(size), size))
    if not found:
        return NotComputable(
            f"No design up to {most.labs} labs, {most.items} items and {most.epochs} epochs "
            "reaches the goal. Allow more, or ask for less."
        )
    cost, size = min(found, key=lambda one: one[0])
    outlook = expected_interval(
        known, size, estimand, goal.level if isinstance(goal, HalfWidth) else 0.95
    )
    odds = (
        outcome_chances(known, size, estimand, goal.question) if isinstance(goal, Power) else None
    )
    if isinstance(outlook, NotComputable) or isinstance(odds, NotComputable):
        return NotComputable("The design found could not be computed.")
    return Plan(size, cost, outlook, odds)


def next_best_run(
    known: Variances, now: Size, costs: Costs, *, block: int = 10, level: float = 0.95
) -> NextRun | NotComputable:
    """Compare one lab more, a block of items more and one epoch more (rule 2).

    Parameters
    ----------
    known
        Variances of single scores.
    now
        The design so far; at least two labs.
    costs
        What labs, items and runs cost.
    block
        How many items are added together.
    level
        Two-sided confidence of the intervals to be expected.

    Raises
    ------
    StatisticsError
        If a block adds nothing, or the level is none.
    """
    if block < 1:
        raise StatisticsError(f"A block of {block} items adds nothing. Give at least 1.")
    steps = [
        ("a lab", Size(now.labs + 1, now.items, now.epochs)),
        (f"{block} items", Size(now.labs, now.items + block, now.epochs)),
        ("an epoch", Size(now.labs, now.items, now.epochs + 1)),
    ]
    additions = []
    lost = None
    for estimand in _ESTIMANDS:
        before = mean_variance(known, now, estimand)
        for what, size in steps:
            after, outlook = (
                mean_variance(known, size, estimand),
                expected_interval(known, size, estimand, level),
            )
            if isinstance(before, NotComputable):
                return before
            if isinstance(after, NotComputable) or isinstance(outlook, NotComputable):
                lost = after if isinstance(after, NotComputable) else lost
                continue
            cost, saved = costs.of(size) - costs.of(now), before - after
            worth = saved / cost if cost > 0 else math.inf
            additions.append(Addition(estimand, what, size, cost, saved, worth, outlook.half_width))
    additions.sort(key=lambda one: -one.worth)
    return NextRun(tuple(additions), lost)


def items_without_events(limit: float, level: float = 0.95, rate: float = 0.0) -> ZeroEvents:
    """Count the items that show a rate to be below a limit if none has an event (rule 4).

    Parameters
    ----------
    limit
        More than 0 and less than 1.
    level
        One-sided confidence.
    rate
        The share of items that would show an event, for the ``chance`` that none does.

    Raises
    ------
    StatisticsError
        If the limit or the level is not between 0 and 1, or the rate is none.
    """
    check_level(level)
    if not 0 < limit < 1 or not 0 <= rate <= 1:
        raise StatisticsError(
            f"The limit {limit} and the rate {rate} are no rates to plan with. Give a limit "
            "between 0 and 1 and a rate from 0 to 1."
        )
    items = max(1, math.floor(math.log1p(-level) / math.log1p(-limit)))
    while zero_event_upper(items, level) >= limit:
        items += 1
    return ZeroEvents(items, zero_event_upper(items, level), (1 - rate) ** items)


def _reaches(
    known: Variances, size: Size, estimand: Estimand, goal: HalfWidth | Power
) -> bool | NotComputable:
    if isinstance(goal, HalfWidth):
        outlook = expected_interval(known, size, estimand, goal.level)
        return outlook if isinstance(outlook, NotComputable) else outlook.half_width <= goal.most
    odds = outcome_chances(known, size, estimand, goal.question)
    return odds if isinstance(odds, NotComputable) else odds.decided >= goal.least


def _fewest(
    reaches: Callable[[Size], bool | NotComputable], labs: int, epochs: int, most: int
) -> int | NotComputable:
    """Return the fewest items that reach a goal, from two up; a goal once reached stays so."""
    last = reaches(Size(labs, max(2, most), epochs))
    if isinstance(last, NotComputable):
        return last
    if not last:
        return NotComputable(
            f"{labs} labs with {epochs} epochs do not reach the goal with {most} items."
        )
    low, high = 1, max(2, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(Size(labs, middle, epochs)) is True else (middle, high)
    return high
