# SPDX-License-Identifier: Apache-2.0
"""How well labs repeat themselves and reproduce one another.

ISO 5725-2 and ASTM E691 define precision for one material that labs measure on a continuous
scale. Here the "measurement" is one scored epoch of one item, mostly 0 or 1, and the items take
the place of the material; the standard's wording is kept, its normal theory is not. All figures
are in score units, for a single measurement.

================  ====================================================================
repeatability     ``s_r``: standard deviation between epochs of one item at one lab
lab x item        ``s_LI``: what is peculiar to an item at a lab
between labs      ``s_L``: standard deviation of the labs' long-run rates
reproducibility   ``s_R = sqrt(s_L**2 + s_LI**2 + s_r**2)``: one epoch of one item, run
                  at another lab
================  ====================================================================

Differences between items are in none of them. For 0/1 scores ``s_r`` depends on the rate itself,
so precision at different rates should not be compared.

Rules
-----
1. Only items scored at every lab count.
2. A negative component is 0, so ``s_R >= s_r`` as ASTM E691 demands.
3. With one epoch a cell ``s_r`` and ``s_LI`` are inseparable: both ``None``; ``s_R`` stands.
4. With one item ``s_L`` and ``s_LI`` are inseparable: ``s_LI`` is ``None``, ``s_L`` holds both.
5. The F test asks whether labs differ at all: ``MS_lab / MS_lab_item``; with one item,
   ``MS_lab`` over the variance of a cell mean.
6. Each figure has its interval, or the reason why there is none. The methods and their sources are
   in :mod:`countermark.statistics.spread`; they take labs as normal, but not scores.
7. ``i2`` is the share of the variance between the labs' means that is due to labs, from 0 to 1:
   ``1 - MS_error / MS_lab`` with the error of the F test.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from countermark.statistics.crossed import Design, design
from countermark.statistics.crossing import Crossing
from countermark.statistics.estimate import NotComputable
from countermark.statistics.intervals import Interval, check_level
from countermark.statistics.layout import Array, MeanSquares, mean_squares
from countermark.statistics.spread import (
    Spread,
    Spreads,
    layout_spreads,
    one_item_spreads,
    within_cells,
)

_MANDEL_TAIL = 0.005  # ASTM E691 marks a lab at this significance
_ONE_EPOCH = (
    "Every item was run once at each lab. What is peculiar to an item at a lab cannot be told from "
    "what changes between runs; a second epoch would tell."
)
_ONE_ITEM = (
    "There is one item. How labs differ in general cannot be told from how they differ at this "
    "item; more items would tell."
)
_NO_NOISE = "Nothing varied in these data, and that does not show how much could."
_TOO_CLOSE = (
    "The figures are closer together than chance alone would make them, so the data set no upper "
    "end."
)


@dataclass(frozen=True, slots=True)
class FTest:
    """``statistic`` with its two degrees of freedom, and the p value of no lab effect."""

    statistic: float
    df_labs: int
    df_error: int
    p: float


@dataclass(frozen=True, slots=True)
class Mandel:
    """Mandel's consistency figures of one lab.

    ``h``: how many standard deviations of lab means the lab is from their mean (0 if all are
    equal). ``k``: its repeatability over the pooled one; ``None`` without repeated epochs.
    """

    lab: str
    h: float
    k: float | None


@dataclass(frozen=True, slots=True)
class Precision:
    """Precision of a crossing; see the module for the definitions.

    Each ``..._interval`` is for the standard deviation (or share) it is named after, at ``level``.
    ``inseparable`` says in words what this design cannot tell apart; ``None`` if all can be told.
    ``h_critical`` and ``k_critical`` are the 0.5 % values of ASTM E691 (two-sided for ``h``);
    ``h_critical`` needs three labs, ``k_critical`` equal repeats at every lab.
    """

    labs: int
    items: int
    items_dropped: int
    epochs_harmonic: float
    level: float
    repeatability: float | None
    repeatability_interval: Interval | NotComputable
    lab_item: float | None
    lab_item_interval: Interval | NotComputable
    between_labs: float
    between_labs_interval: Interval | NotComputable
    reproducibility: float
    reproducibility_interval: Interval | NotComputable
    i2: float | None
    i2_interval: Interval | NotComputable
    inseparable: str | None
    f_test: FTest | None
    mandel: tuple[Mandel, ...]
    h_critical: float | None
    k_critical: float | None


@dataclass(frozen=True, slots=True)
class _Error:
    """The mean square that labs are tested against."""

    square: float
    df: int


def precision(crossing: Crossing, level: float = 0.95) -> Precision | NotComputable:
    """Compute repeatability, reproducibility and the test of labs.

    Parameters
    ----------
    crossing
        One model, task and language.
    level
        Two-sided confidence of the intervals.

    Returns
    -------
    Precision or NotComputable
        The latter with one lab, with one item run once, or with nothing in common.

    Raises
    ------
    StatisticsError
        If the level is none.
    """
    check_level(level)
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    if plan.labs < 2:
        return NotComputable("Precision between labs needs two labs.")
    ms = mean_squares(plan.cells)
    repeat = plan.s2_epoch
    if plan.items > 1:
        error = _Error(float(ms.lab_item), (plan.labs - 1) * (plan.items - 1))
    elif repeat is not None:
        error = _Error(repeat / plan.epochs_harmonic, plan.epoch_df)
    else:
        return NotComputable("One item run once a lab does not show what is noise. Repeat it.")
    lab = max(0.0, float(ms.lab) - error.square) / plan.items
    interaction = None
    if plan.items > 1 and repeat is not None:
        interaction = max(0.0, error.square - repeat / plan.epochs_harmonic)
    single = error.square if repeat is None else repeat + (interaction or 0.0)
    inseparable = _ONE_EPOCH if repeat is None else _ONE_ITEM if plan.items == 1 else None
    spreads = _spreads(crossing, plan, ms, level)
    return Precision(
        labs=plan.labs,
        items=plan.items,
        items_dropped=plan.items_dropped,
        epochs_harmonic=plan.epochs_harmonic,
        level=level,
        repeatability=None if repeat is None else math.sqrt(repeat),
        repeatability_interval=_deviation(spreads.repeatability, level, _ONE_EPOCH),
        lab_item=None if interaction is None else math.sqrt(interaction),
        lab_item_interval=_deviation(spreads.lab_item, level, inseparable or ""),
        between_labs=math.sqrt(lab),
        between_labs_interval=_deviation(spreads.between_labs, level),
        reproducibility=math.sqrt(lab + single),
        reproducibility_interval=_deviation(spreads.reproducibility, level, reported=lab + single),
        i2=_share(spreads.i2),
        i2_interval=_interval(spreads.i2, level),
        inseparable=inseparable,
        f_test=f_test(float(ms.lab), error.square, plan.labs - 1, error.df),
        mandel=_mandel(crossing, plan, ms),
        h_critical=_h_critical(plan.labs),
        k_critical=_k_critical(crossing),
    )


def _spreads(crossing: Crossing, plan: Design, ms: MeanSquares, level: float) -> Spreads:
    harmonic, repeat = plan.epochs_harmonic, plan.s2_epoch
    if plan.items == 1:
        pooled = np.asarray(repeat or 0.0)
        return one_item_spreads(ms.lab, plan.labs, pooled, plan.epoch_df, harmonic, level)
    epochs = None if repeat is None else _epoch_cells(crossing, repeat)
    return layout_spreads(plan.cells, epochs, harmonic, level)


def _epoch_cells(crossing: Crossing, pooled: float) -> Array:
    whole, _ = crossing.complete()
    within = np.maximum(whole.square - whole.total**2 / whole.count, 0.0)
    return within_cells(within, (whole.count - 1).astype(np.float64), np.asarray(pooled))


def _deviation(
    spread: Spread | None, level: float, why_none: str = "", reported: float = 0.0
) -> Interval | NotComputable:
    """Turn the interval of a variance into that of its root, around what is reported."""
    if spread is None:
        return NotComputable(why_none)
    variance = _interval(spread, level)
    if isinstance(variance, NotComputable):
        return variance
    return Interval(math.sqrt(variance.lower), math.sqrt(max(variance.upper, reported)), level)


def _interval(spread: Spread, level: float) -> Interval | NotComputable:
    lower, upper = float(spread.lower), float(spread.upper)
    if math.isnan(lower):
        return NotComputable(_NO_NOISE)
    return NotComputable(_TOO_CLOSE) if math.isnan(upper) else Interval(lower, upper, level)


def _share(spread: Spread) -> float | None:
    value = float(spread.value)
    return None if math.isnan(value) else max(0.0, value)


def f_test(lab: float, noise: float, df_labs: int, df_error: int) -> FTest | None:
    """Test a mean square against the noise; ``None`` if there is no noise."""
    if noise == 0:
        return None
    statistic = lab / noise
    return FTest(statistic, df_labs, df_error, float(special.fdtrc(df_labs, df_error, statistic)))


def _mandel(crossing: Crossing, plan: Design, ms: MeanSquares) -> tuple[Mandel, ...]:
    spread = math.sqrt(float(ms.lab) / plan.items)  # standard deviation of the labs' means
    deviations = plan.cells.mean(axis=1) - plan.value
    squares, repeats = _repeats(crossing)
    pooled = plan.s2_epoch
    return tuple(
        Mandel(
            lab=lab,
            h=float(deviation) / spread if spread else 0.0,
            k=math.sqrt(float(square) / int(count) / pooled) if pooled and count else None,
        )
        for lab, deviation, square, count in zip(
            crossing.labs, deviations, squares, repeats, strict=True
        )
    )


def _repeats(crossing: Crossing) -> tuple[np.ndarray, np.ndarray]:
    whole, _ = crossing.complete()
    within = np.maximum(whole.square - whole.total**2 / whole.count, 0.0)
    return within.sum(axis=1), (whole.count - 1).sum(axis=1)


def _h_critical(labs: int) -> float | None:
    if labs < 3:
        return None
    t = float(special.stdtrit(labs - 2, 1 - _MANDEL_TAIL / 2))
    return (labs - 1) * t / math.sqrt(labs * (t**2 + labs - 2))


def _k_critical(crossing: Crossing) -> float | None:
    _, repeats = _repeats(crossing)
    df = int(repeats[0])
    if not df or (repeats != df).any():
        return None
    labs = len(repeats)
    f = float(special.fdtri(df, (labs - 1) * df, 1 - _MANDEL_TAIL))
    return math.sqrt(labs / (1 + (labs - 1) / f))
