# SPDX-License-Identifier: Apache-2.0
"""What an estimate of a rate is, and its bounds at any confidence.

An :class:`Estimate` carries all that its bounds are made of, so that whoever has the signed
figures can take a bound without the rows. Its ``shape`` says how.

========= ==================================================================================
shape     bounds
========= ==================================================================================
effective Score interval of ``n = value * (1 - value) / se**2`` answers, with the t quantile at
          ``df`` in place of the normal one. ``n`` is the *effective sample size*: the joint
          result says as much as ``n`` independent answers. It never leaves [0, 1].
corrected ``value ± sqrt(a**2 + b**2)``, clipped to [0, 1]: ``a`` is the distance to the
          *effective* bound of the reported rate, times ``slope``; ``b`` is ``t * judge_se``.
exact     Clopper-Pearson bounds from ``counts``.
========= ==================================================================================

Why not ``value ± t * se``: the spread of a rate shrinks as the rate nears 0, so a low estimate
comes with a standard error that is too small. The upper bound of a rare event then fails too
often, and a threshold decision rests on that bound (``benchmarks/coverage.py`` prints both).
The sum of squared distances is that of Zou and Donner (2008).
"""

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

from countermark.statistics.errors import StatisticsError
from countermark.statistics.intervals import check_level, exact_lower, exact_upper, score_bound

Estimand = Literal["benchmark", "generalised"]
Method = Literal[
    "crossed",  # labs and items both vary: two-way layout
    "lab-means",  # these items: spread of the labs' means
    "single-lab",  # one lab only: says nothing of other labs
    "exact",  # all cells alike, or events at few items: exact interval on the number of items
    "rogan-gladen",  # corrected for the judge's errors
    "rogan-gladen-exact",  # the same, where the judge said one thing only
    "prediction-powered",  # rectified with labels of a random sample
]
Shape = Literal["effective", "corrected", "exact"]
Side = Literal["lower", "upper"]

_SAME = 1e-6  # published figures are rounded, and machines differ in the last bits


@dataclass(frozen=True, slots=True)
class NotComputable:
    """A figure that the data cannot give. This is a result; ``reason`` is for the reader."""

    reason: str


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of single scores, and the mean squares they come from.

    A negative estimate of a component is given as 0. With one epoch a cell, ``s2_lab_item`` and
    ``s2_epoch`` cannot be told apart and are ``None``; their sum is ``ms_lab_item``.

    Parameters
    ----------
    s2_lab
        Between labs, over all items.
    s2_item
        Between items, over all labs.
    s2_lab_item
        What is peculiar to an item at a lab.
    s2_epoch
        Between repeated epochs of one item at one lab.
    ms_lab, ms_item, ms_lab_item
        Mean squares of the two-way layout of cell means.
    epochs_harmonic
        Harmonic mean of the epochs a cell. With unequal epochs the layout is an approximation
        that treats every cell as if it had this many.
    """

    s2_lab: float
    s2_item: float
    s2_lab_item: float | None
    s2_epoch: float | None
    ms_lab: float
    ms_item: float
    ms_lab_item: float
    epochs_harmonic: float

    @property
    def inseparable(self) -> tuple[str, ...]:
        """The components that this design cannot tell apart."""
        return ("lab_item", "epoch") if self.s2_epoch is None else ()


@dataclass(frozen=True, slots=True)
class Counts:
    """What an exact interval is made of.

    Parameters
    ----------
    events, trials
        Events among independent trials. Trials are items, never items x labs x epochs: labs and
        epochs repeat the same items.
    found, labelled
        Only after a correction for the judge, where ``events`` is 0 or ``trials``: of ``labelled``
        answers of the kind the judge never reported, it had recognised ``found``.
    """

    events: float
    trials: int
    found: int | None = None
    labelled: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The two parts of the error of a rate corrected for the judge.

    Parameters
    ----------
    reported
        The rate as the judges reported it, more than 0 and less than 1.
    slope
        How far the corrected rate moves when the reported rate does.
    sampling_se, sampling_df
        Labs, items and epochs; on the corrected scale.
    judge_se, judge_df
        The judge's sensitivity and specificity; on the corrected scale.
    """

    reported: float
    slope: float
    sampling_se: float
    sampling_df: float
    judge_se: float
    judge_df: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate with its uncertainty.

    Parameters
    ----------
    estimand
        ``benchmark``: the rate on these items. ``generalised``: the rate on the population that
        the items were drawn from. Both are for the population that the labs were drawn from.
    value
        Mean over labs and items; every lab and every item counts the same.
    se, df
        Standard error and its degrees of freedom; ``None`` where ``shape`` is ``exact``.
    lower, upper, level
        Two-sided interval, within [0, 1] (see the module for how), and its confidence.
    method, shape, counts, judged
        How it was computed, how bounds are taken, and what ``exact`` and ``corrected`` bounds
        are made of.
    labs, items, items_dropped
        How many labs and items it rests on, and how many items were left out because a lab had
        not scored them.
    components
        ``None`` where there was nothing to cross.
    """

    estimand: Estimand
    value: float
    se: float | None
    df: float | None
    lower: float
    upper: float
    level: float
    method: Method
    shape: Shape
    counts: Counts | None
    judged: Judged | None
    labs: int
    items: int
    items_dropped: int
    components: Components | None

    def __post_init__(self) -> None:
        check_level(self.level)
        if not 0 <= self.lower <= self.value <= self.upper <= 1:
            raise StatisticsError(
                f"An estimate of {self.value} with the interval {self.lower} to {self.upper} is "
                "impossible. Copy the signed figures again."
            )
        ends: tuple[tuple[Side, float], ...] = (("lower", self.lower), ("upper", self.upper))
        for side, stated in ends:
            computed = bound(self, (1 + self.level) / 2, side)
            if abs(computed - stated) > _SAME:
                raise StatisticsError(
                    f"The {side} end of the interval is given as {stated}, but the other figures "
                    f"give {computed}. Copy the signed figures again."
                )

    @property
    def effective_sample_size(self) -> float | None:
        """How many independent answers would give the same standard error."""
        if self.shape != "effective" or self.se is None:
            return None
        return self.value * (1 - self.value) / self.se**2


def bound(estimate: Estimate, level: float, side: Side) -> float:
    """Take a one-sided bound.

    Parameters
    ----------
    estimate
        Only its ``shape`` and the figures that go with it are used.
    level
        One-sided confidence from 0.5 up: at 0.99 the bound fails in 1 % of cases. The two-sided
        interval at 0.95 is made of the two bounds at 0.975.
    side
        ``lower`` or ``upper``.

    Returns
    -------
    float
        From 0 to 1.
    """
    if estimate.shape == "exact":
        return end(estimate.value, level, side, counts=estimate.counts)
    if estimate.shape == "corrected":
        return end(estimate.value, level, side, judged=estimate.judged)
    return end(estimate.value, level, side, se=estimate.se, df=estimate.df)


def end(
    value: float,
    level: float,
    side: Side,
    *,
    se: float | None = None,
    df: float | None = None,
    counts: Counts | None = None,
    judged: Judged | None = None,
) -> float:
    """Compute a bound from its figures, before there is an estimate."""
    if check_level(level) < 0.5:
        raise StatisticsError(f"A bound at confidence {level} makes no sense. Give 0.5 or more.")
    if counts is not None:
        return _exact_end(counts, level, side)
    if judged is not None:
        j = judged
        reach = j.slope * abs(
            _effective_end(j.reported, j.sampling_se / j.slope, j.sampling_df, level, side)
            - j.reported
        )
        away = math.hypot(reach, abs(_deviate(j.judge_df, level, side)) * j.judge_se)
        return min(1.0, value + away) if side == "upper" else max(0.0, value - away)
    return _effective_end(value, se, df, level, side)


def _effective_end(
    value: float, se: float | None, df: float | None, level: float, side: Side
) -> float:
    if se is None or df is None or not (0 < se < math.inf and 0 < df < math.inf):
        raise StatisticsError(
            f"The standard error {se} with {df} degrees of freedom gives no bound. "
            "Both must be positive and finite."
        )
    if not 0 < value < 1:
        raise StatisticsError(f"A rate of {value} has no effective sample size. Use exact counts.")
    return score_bound(value, value * (1 - value) / se**2, _deviate(df, level, side))


def _deviate(df: float, level: float, side: Side) -> float:
    return float(special.stdtrit(df, level)) * (1 if side == "upper" else -1)


def _exact_end(counts: Counts, level: float, side: Side) -> float:
    if counts.found is None or counts.labelled is None:
        take = exact_upper if side == "upper" else exact_lower
        return take(counts.events, counts.trials, level)
    if counts.events not in (0, counts.trials):
        raise StatisticsError("Judge counts go with an exact estimate of 0 or 1 only.")
    reach = unseen_reach(counts.trials, counts.found, counts.labelled, level)
    if counts.events == 0:
        return reach if side == "upper" else 0.0
    return 1.0 if side == "upper" else 1.0 - reach


def unseen_reach(trials: int, found: int, labelled: int, level: float) -> float:
    """Bound the true rate of what a judge reported in none of ``trials`` items.

    At most (reported rate) / (share of such answers it recognises). Half of the error budget
    goes to each of the two exact bounds.
    """
    half = 1 - (1 - level) / 2
    missed = exact_upper(0, trials, half)
    recognised = exact_lower(found, labelled, half)
    return 1.0 if recognised == 0 else min(1.0, missed / recognised)
