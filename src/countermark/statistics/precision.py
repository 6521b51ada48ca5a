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
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from countermark.statistics.crossed import Design, design
from countermark.statistics.crossing import Crossing
from countermark.statistics.estimate import NotComputable
from countermark.statistics.layout import MeanSquares, mean_squares

_MANDEL_TAIL = 0.005  # ASTM E691 marks a lab at this significance


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

    ``h_critical`` and ``k_critical`` are the 0.5 % values of ASTM E691 (two-sided for ``h``);
    ``h_critical`` needs three labs, ``k_critical`` equal repeats at every lab.
    """

    labs: int
    items: int
    items_dropped: int
    epochs_harmonic: float
    repeatability: float | None
    lab_item: float | None
    between_labs: float
    reproducibility: float
    f_test: FTest | None
    mandel: tuple[Mandel, ...]
    h_critical: float | None
    k_critical: float | None


def precision(crossing: Crossing) -> Precision | NotComputable:
    """Compute repeatability, reproducibility and the test of labs.

    Returns
    -------
    Precision or NotComputable
        The latter with one lab, with one item run once, or with nothing in common.
    """
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    if plan.labs < 2:
        return NotComputable("Precision between labs needs two labs.")
    ms = mean_squares(plan.cells)
    repeat = plan.s2_epoch
    if plan.items > 1:
        noise, noise_df = float(ms.lab_item), (plan.labs - 1) * (plan.items - 1)
    elif repeat is not None:
        noise, noise_df = repeat / plan.epochs_harmonic, plan.epoch_df
    else:
        return NotComputable("One item run once a lab does not show what is noise. Repeat it.")
    lab = max(0.0, float(ms.lab) - noise) / plan.items
    interaction = None
    if plan.items > 1 and repeat is not None:
        interaction = max(0.0, noise - repeat / plan.epochs_harmonic)
    single = noise if repeat is None else repeat + (interaction or 0.0)
    return Precision(
        labs=plan.labs,
        items=plan.items,
        items_dropped=plan.items_dropped,
        epochs_harmonic=plan.epochs_harmonic,
        repeatability=None if repeat is None else math.sqrt(repeat),
        lab_item=None if interaction is None else math.sqrt(interaction),
        between_labs=math.sqrt(lab),
        reproducibility=math.sqrt(lab + single),
        f_test=f_test(float(ms.lab), noise, plan.labs - 1, noise_df),
        mandel=_mandel(crossing, plan, ms),
        h_critical=_h_critical(plan.labs),
        k_critical=_k_critical(crossing),
    )


def f_test(lab: float, noise: float, df_labs: int, df_error: int) -> FTest | None:
    """Test a mean square against the noise; ``None`` if there is no noise."""
    if noise == 0:
        return None
    statistic = lab / noise
    p = float(special.fdtrc(df_labs, df_error, statistic))
    return FTest(statistic, df_labs, df_error, p)


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
