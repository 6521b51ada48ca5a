# SPDX-License-Identifier: Apache-2.0
"""How far a judge agrees with itself, and two with each other, as a finding publishes it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from countermark.exercise.joint.analysing import LEVEL
from countermark.records.judging import PairAgreement, Repeatability
from countermark.statistics import (
    NotComputable,
    Ratings,
    Resampling,
    agreement,
    judge_repeatability,
)

_MEASURES: tuple[Literal["cohen", "ac1", "alpha-nominal"], ...] = ("cohen", "ac1", "alpha-nominal")
_RESAMPLING = Resampling(seed=0)
Place = tuple[str, str]
"""A lab, and one of its samples by its key as text."""
Number = Callable[[float], float]
"""Rounds a number as the finding publishes it."""


def repeatability(
    places: Sequence[Place],
    sessions: Sequence[Mapping[Place, float | None]],
    labs: Sequence[str],
    number: Number,
    *,
    shown: bool,
) -> Repeatability | None:
    """Return how far a judge repeats itself; nothing where too few answers were judged again.

    Parameters
    ----------
    places
        The answers that were judged again.
    sessions
        The verdicts of each time; one that is missing or nothing could not be read.
    labs
        Who judged again.
    number
        How numbers are rounded.
    shown
        Whether the judge has a rate; if not, nothing is given from which it could be computed.
    """
    table = np.array(
        [
            [np.nan if (value := one.get(place)) is None else value for one in sessions]
            for place in places
        ]
    ).reshape(len(places), len(sessions))
    found = judge_repeatability(table, LEVEL)
    if isinstance(found, NotComputable):
        return None
    return Repeatability(
        labs=tuple(labs),
        answers=found.answers,
        sessions=found.sessions,
        unread=found.unread,
        flips=number(found.flips),
        flips_lower=number(found.flip_interval.lower),
        flips_upper=number(found.flip_interval.upper),
        differ=number(found.differ),
        s2_chance=number(found.s2_chance),
        s2_session=number(found.s2_session),
        share=number(found.share) if shown else None,
        level=LEVEL,
    )


def beyond_chance(
    pairs: Sequence[tuple[float, float]], number: Number
) -> tuple[PairAgreement, ...]:
    """Return how far two scorers agree beyond chance, from their verdicts on the same answers."""
    ratings = Ratings.from_table(np.array(pairs), (0.0, 1.0))
    found = []
    for measure in _MEASURES:
        one = agreement(ratings, measure, _RESAMPLING, LEVEL)
        if not isinstance(one, NotComputable):
            bounds = None if isinstance(one.interval, NotComputable) else one.interval
            found.append(
                PairAgreement(
                    measure=measure,
                    value=number(one.value),
                    lower=number(bounds.lower) if bounds else None,
                    upper=number(bounds.upper) if bounds else None,
                )
            )
    return tuple(found)
