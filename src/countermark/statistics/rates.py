# SPDX-License-Identifier: Apache-2.0
"""The joint rate by three methods side by side, and what a further lab would report.

=========== =======================================================================
method      what it rests on
=========== =======================================================================
crossed     mean squares of labs and items, t quantiles (the default; linear)
mixed       a binomial mixed model of labs and items, brought back to the rate scale
bootstrap   labs and items drawn again
=========== =======================================================================

Rules
-----
1. Each method is shown for each estimand; one that cannot be computed says why.
2. ``agree_within`` is the largest difference between the values of two methods, and ``inside``
   says whether each value lies in the interval of every other method. Both need two methods.
3. The interval of a further lab is for what that lab would *report*, run with as many items and
   epochs: on these items (benchmark) or on new ones (generalised). It holds the long-run rate of
   the lab more often than it says, since a report has epochs in its error too.
4. Without one event, the upper bound counts effective items, never cells or epochs:
   ``(sum n)**2 / sum(n**2)`` over the number of labs ``n`` that scored an item (Kish 1965), all
   items if each lab scored each.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from countermark.statistics.bootstrap import (
    REPLICATES,
    Bootstrap,
    Replicates,
    bootstrapped,
    pigeonhole,
)
from countermark.statistics.crossed import alike, carried_by_few, crossed, design
from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, Estimate, NotComputable, end
from countermark.statistics.intervals import check_level, zero_event_upper
from countermark.statistics.layout import degrees_of_freedom, mean_squares, new_lab_error


@dataclass(frozen=True, slots=True)
class Reading:
    """A rate by one method.

    ``se`` and ``df`` are ``None`` where the interval was not made of them.
    """

    method: Literal["crossed", "mixed", "bootstrap"]
    estimand: Estimand
    value: float
    se: float | None
    df: float | None
    lower: float
    upper: float
    level: float

    def __post_init__(self) -> None:
        check_level(self.level)
        if not 0 <= self.lower <= self.value <= self.upper <= 1:
            raise StatisticsError(
                f"The {self.method} reading {self.value} with the interval {self.lower} to "
                f"{self.upper} is impossible. A value lies in its interval, from 0 to 1."
            )


MixedMethod = Callable[[Crossing, Estimand, float], Reading | NotComputable]


@dataclass(frozen=True, slots=True)
class NewLab:
    """Where a further lab's reported rate is expected, at ``level`` (rule 3)."""

    estimand: Estimand
    se: float
    df: float
    lower: float
    upper: float
    level: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One estimand by the three methods (rules 1 and 2), and a further lab (rule 3)."""

    estimand: Estimand
    estimate: Estimate | NotComputable
    mixed: Reading | NotComputable
    bootstrap: Bootstrap | NotComputable
    new_lab: NewLab | NotComputable

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The methods that could be computed, the default first."""
        found: list[Reading] = []
        if isinstance(self.estimate, Estimate):
            e = self.estimate
            found.append(
                Reading("crossed", e.estimand, e.value, e.se, e.df, e.lower, e.upper, e.level)
            )
        if isinstance(self.mixed, Reading):
            found.append(self.mixed)
        if isinstance(self.bootstrap, Bootstrap):
            b = self.bootstrap
            found.append(
                Reading("bootstrap", b.estimand, b.mean, b.se, b.df, b.lower, b.upper, b.level)
            )
        return tuple(found)

    @property
    def agree_within(self) -> float | None:
        """The largest difference between two methods' values; ``None`` with fewer than two."""
        values = [reading.value for reading in self.readings]
        return max(values) - min(values) if len(values) > 1 else None

    @property
    def inside(self) -> bool | None:
        """Whether each value lies in each interval; ``None`` with fewer than two methods."""
        pairs = list(combinations(self.readings, 2))
        if not pairs:
            return None
        return all(
            one.lower <= other.value <= one.upper and other.lower <= one.value <= other.upper
            for one, other in pairs
        )


@dataclass(frozen=True, slots=True)
class NoEvents:
    """The one-sided upper bound of a rate of which no event was seen (rule 4)."""

    effective_items: float
    upper: float
    level: float


@dataclass(frozen=True, slots=True)
class Rates:
    """The joint rate of a crossing; ``no_events`` is ``None`` if there was an event."""

    benchmark: Compared
    generalised: Compared
    effective_items: float
    no_events: NoEvents | None
    seed: int
    replicates: int


def rates(
    crossing: Crossing,
    level: float,
    seed: int,
    *,
    mixed: MixedMethod | None = None,
    replicates: int = REPLICATES,
    drawn: Replicates | NotComputable | None = None,
) -> Rates:
    """Estimate the joint rate of a crossing by three methods.

    Parameters
    ----------
    crossing
        One model, task and language.
    level
        Two-sided confidence; the upper bound without events is one-sided at ``level``.
    seed, replicates
        Of the bootstrap.
    mixed
        Fits the mixed model and reads the rate off it: called with the crossing, the estimand and
        the level.
    drawn
        What :func:`~countermark.statistics.bootstrap.pigeonhole` drew with this seed and so many
        replicates, if that was done for several crossings at once.

    Raises
    ------
    StatisticsError
        If a setting makes no sense.
    """
    check_level(level)
    draws = pigeonhole((crossing,), seed, replicates)[0] if drawn is None else drawn

    def compared(estimand: Estimand) -> Compared:
        return Compared(
            estimand=estimand,
            estimate=crossed(crossing, estimand, level),
            mixed=NotComputable("No mixed model was fitted.")
            if mixed is None
            else mixed(crossing, estimand, level),
            bootstrap=draws
            if isinstance(draws, NotComputable)
            else bootstrapped(draws, estimand, seed, level),
            new_lab=new_lab(crossing, estimand, level),
        )

    items = effective_items(crossing)
    unseen = items > 0 and not crossing.total.any()
    return Rates(
        benchmark=compared("benchmark"),
        generalised=compared("generalised"),
        effective_items=items,
        no_events=NoEvents(items, zero_event_upper(items, level), level) if unseen else None,
        seed=seed,
        replicates=replicates,
    )


def new_lab(crossing: Crossing, estimand: Estimand, level: float = 0.95) -> NewLab | NotComputable:
    """Predict what a further lab would report, run with as many items and epochs.

    The ends are score bounds (see :mod:`countermark.statistics.estimate`), so they stay in
    [0, 1]. Formula and source: :func:`~countermark.statistics.layout.new_lab_error`.

    Parameters
    ----------
    crossing
        One model, task and language.
    estimand
        ``benchmark``: on these items. ``generalised``: on new items of the same population.
    level
        Two-sided.

    Raises
    ------
    StatisticsError
        If the level is none.
    """
    check_level(level)
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    if plan.labs < 2 or plan.items < 2:
        return NotComputable("Expecting a further lab needs two labs and two common items.")
    ms = mean_squares(plan.cells)
    if alike(ms):
        return NotComputable("All cells are alike, so nothing shows how far labs differ.")
    if estimand == "generalised" and carried_by_few(plan.cells):
        return NotComputable(
            "Too few items carry the events to show how far new items differ. Run more items."
        )
    error = new_lab_error(ms, estimand)
    se, df = math.sqrt(float(error.total)), float(degrees_of_freedom(error))
    one_sided = (1 + level) / 2
    return NewLab(
        estimand=estimand,
        se=se,
        df=df,
        lower=end(plan.value, one_sided, "lower", se=se, df=df),
        upper=end(plan.value, one_sided, "upper", se=se, df=df),
        level=level,
    )


def effective_items(crossing: Crossing) -> float:
    """How many items the crossing is worth where labs did not score all of them (rule 4)."""
    scored = (crossing.count > 0).sum(axis=0).astype(np.float64)
    squares = float((scored**2).sum())
    return float(scored.sum()) ** 2 / squares if squares else 0.0
