# SPDX-License-Identifier: Apache-2.0
"""Planning by simulation: the whole analysis, on answers made up from assumptions.

Answers are drawn as :class:`~countermark.statistics.variances.Assumed` says, and each simulated
exercise goes through :func:`~countermark.statistics.crossed.crossed` and
:func:`~countermark.statistics.threshold.decide`. Nothing is approximated, so this is the judge of
:mod:`countermark.statistics.designs` where events are few. The same seed gives the same answer.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from countermark.statistics.crossed import crossed
from countermark.statistics.crossing import Crossing
from countermark.statistics.designs import Chances, Question, Size
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, Estimate
from countermark.statistics.threshold import decide
from countermark.statistics.variances import Assumed


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a simulation found.

    Parameters
    ----------
    chances
        Shares of the three outcomes; an estimate that could not be computed is undetermined.
    error
        Standard error of the share decided: ``sqrt(s * (1 - s) / exercises)``.
    half_width
        Mean half-width of the 95 % intervals; ``None`` if none could be computed.
    not_computable
        In how many exercises there was no estimate.
    exercises, seed
        As asked.
    """

    chances: Chances
    error: float
    half_width: float | None
    not_computable: int
    exercises: int
    seed: int


def simulate_power(
    assumed: Assumed,
    size: Size,
    estimand: Estimand,
    question: Question,
    *,
    exercises: int = 1000,
    seed: int = 1,
) -> Simulated:
    """Simulate how often a threshold is decided.

    Parameters
    ----------
    assumed
        The log-odds that answers are drawn from.
    size
        Labs, items and epochs.
    estimand
        Which rate is estimated.
    question
        The threshold.
    exercises
        How many exercises to simulate, at least 100.
    seed
        From 0 up.

    Raises
    ------
    StatisticsError
        If there are too few exercises or the seed is negative.
    """
    if exercises < 100 or seed < 0:
        raise StatisticsError(
            f"{exercises} exercises with seed {seed} show nothing. Give at least 100 exercises and "
            "a seed from 0 up."
        )
    rng = np.random.Generator(np.random.PCG64(seed))
    centre, q = assumed.centre, question
    outcomes = {"below": 0, "exceeds": 0, "undetermined": 0}
    widths = []
    for _ in range(exercises):
        estimate = crossed(_draw(assumed, centre, size, rng), estimand)
        if isinstance(estimate, Estimate):
            widths.append((estimate.upper - estimate.lower) / 2)
        found = decide(estimate, q.limit, q.direction, q.alpha_miss, q.alpha_false, guard=q.guard)
        outcomes[found.outcome] += 1
    shares = Chances(**{name: count / exercises for name, count in outcomes.items()})
    decided = shares.decided
    return Simulated(
        chances=shares,
        error=math.sqrt(max(0.0, decided * (1 - decided)) / exercises),
        half_width=float(np.mean(widths)) if widths else None,
        not_computable=exercises - len(widths),
        exercises=exercises,
        seed=seed,
    )


def _draw(assumed: Assumed, centre: float, size: Size, rng: np.random.Generator) -> Crossing:
    labs, items = size.labs, size.items
    logit = (
        centre
        + assumed.lab * rng.standard_normal((labs, 1))
        + assumed.item * rng.standard_normal((1, items))
        + assumed.lab_item * rng.standard_normal((labs, items))
    )
    total = rng.binomial(size.epochs, special.expit(logit)).astype(np.float64)
    return Crossing(
        tuple(f"{k:06}" for k in range(labs)),
        tuple(f"{i:06}" for i in range(items)),
        np.full((labs, items), size.epochs),
        total,
        total,  # answers are 0 or 1
    )
