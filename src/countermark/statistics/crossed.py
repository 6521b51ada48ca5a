# SPDX-License-Identifier: Apache-2.0
"""The joint rate of several labs that ran the same items.

Labs that share items are not independent studies, so their rates may not be pooled as in a
meta-analysis. The two-way layout of labs and items carries what they share.

Rules
-----
1. Only items scored at every lab count; the others are dropped and their number reported.
2. Each cell mean counts the same, whatever its number of epochs.
3. *benchmark* takes its error from the labs' means on these items.
4. *generalised* adds the variance of the items.
5. If all cells are alike, no variance can be seen. The interval is then exact
   (Clopper-Pearson) with as many trials as items.
   *generalised* takes the same interval, with ``value * items`` events, if too few items carry
   the events: fewer than ``12 * (1 - 2 * value)**2``, counted by
   :func:`~countermark.statistics.layout.effective_events`. So few do not show how far items
   differ, and one event more must not make the interval shorter than that of none. Such an
   interval is wide on purpose: it holds for items that differ as far as they can. The condition
   bounds the skewness of the mean, which is what score bounds break on; near a rate of one half
   there is none. ``benchmarks/coverage.py`` shows how often it applies.
6. With one lab, the result is that lab's own (method ``single-lab``). *benchmark* then needs
   repeated epochs, *generalised* two items.
7. What cannot be computed is ``NotComputable`` with a reason.
"""

import math
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import (
    Components,
    Counts,
    Estimand,
    Estimate,
    Judged,
    Method,
    NotComputable,
    Shape,
    end,
)
from countermark.statistics.intervals import check_level
from countermark.statistics.layout import (
    Array,
    ErrorVariance,
    MeanSquares,
    Part,
    degrees_of_freedom,
    effective_events,
    error_variance,
    mean_squares,
)

CARRIERS = 12.0  # items that must carry rare events, or they do not show how far items differ
_TIE = 1e-9  # equal but for rounding: must fall to the same side on every machine


@dataclass(frozen=True, slots=True)
class Design:
    """A complete crossing made ready: cell means, and what the epochs tell.

    Parameters
    ----------
    cells
        ``(K, I)`` mean scores.
    s2_epoch
        Variance between epochs pooled over all cells; ``None`` where no cell has two.
    epoch_df
        Its degrees of freedom.
    epochs_harmonic
        Harmonic mean of the epochs a cell.
    items_dropped
        Items left out because a lab had not scored them.
    """

    cells: Array
    s2_epoch: float | None
    epoch_df: int
    epochs_harmonic: float
    items_dropped: int

    @property
    def labs(self) -> int:
        """How many labs."""
        return int(self.cells.shape[0])

    @property
    def items(self) -> int:
        """How many items."""
        return int(self.cells.shape[1])

    @property
    def value(self) -> float:
        """Mean over labs and items."""
        return float(self.cells.mean())


def design(crossing: Crossing) -> Design | NotComputable:
    """Keep the items scored at every lab and compute the cell means."""
    whole, dropped = crossing.complete()
    if not whole.items or not whole.labs:
        return NotComputable(
            f"None of the {len(crossing.items)} items was scored at every one of the "
            f"{len(crossing.labs)} labs, so the labs share nothing to compare."
        )
    within = np.maximum(whole.square - whole.total**2 / whole.count, 0.0)
    epoch_df = int((whole.count - 1).sum())
    return Design(
        cells=whole.total / whole.count,
        s2_epoch=float(within.sum()) / epoch_df if epoch_df else None,
        epoch_df=epoch_df,
        epochs_harmonic=float(1 / np.mean(1 / whole.count)),
        items_dropped=len(dropped),
    )


def components(plan: Design, ms: MeanSquares) -> Components | None:
    """Split the mean squares of a design with two labs and two items or more."""
    if ms.labs < 2 or ms.items < 2:
        return None
    noise = float(ms.lab_item)
    interaction = (
        None if plan.s2_epoch is None else max(0.0, noise - plan.s2_epoch / plan.epochs_harmonic)
    )
    return Components(
        s2_lab=max(0.0, float(ms.lab) - noise) / ms.items,
        s2_item=max(0.0, float(ms.item) - noise) / ms.labs,
        s2_lab_item=interaction,
        s2_epoch=plan.s2_epoch,
        ms_lab=float(ms.lab),
        ms_item=float(ms.item),
        ms_lab_item=noise,
        epochs_harmonic=plan.epochs_harmonic,
    )


def crossed(
    crossing: Crossing, estimand: Estimand, level: float = 0.95
) -> Estimate | NotComputable:
    """Estimate the rate over labs that ran the same items.

    Parameters
    ----------
    crossing
        One model, task and language.
    estimand
        ``benchmark`` (these items) or ``generalised`` (the population of items).
    level
        Two-sided confidence.

    Returns
    -------
    Estimate or NotComputable
        The interval lies inside [0, 1] because it is a score interval with the effective sample
        size (see :mod:`countermark.statistics.estimate`); it is not symmetric about the value.
        With unequal epochs the layout uses their harmonic mean, an approximation. With two labs
        there is one degree of freedom for all that labs differ in: read such intervals as rough.

    Raises
    ------
    StatisticsError
        If the estimand or the level is none.
    """
    check_level(level)
    if estimand not in get_args(Estimand):
        raise StatisticsError(
            f"{estimand!r} is not an estimand. Choose {' or '.join(get_args(Estimand))}."
        )
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    if estimand == "generalised" and plan.items == 1:
        return NotComputable("One item says nothing about the population of items.")
    ms = mean_squares(plan.cells)
    one_lab_repeats = plan.labs == 1 and estimand == "benchmark" and bool(plan.s2_epoch)
    few = estimand == "generalised" and bool(carried_by_few(plan.cells))
    if few or (alike(ms) and not one_lab_repeats):
        counts = Counts(events=plan.value * plan.items, trials=plan.items)
        parts = None if alike(ms) else components(plan, ms)
        return finish(plan, estimand, level, plan.value, "exact", counts=counts, parts=parts)
    error = sampling_error(plan, ms, estimand)
    if isinstance(error, NotComputable):
        return error
    return finish(
        plan,
        estimand,
        level,
        plan.value,
        _method(plan, estimand),
        se=math.sqrt(float(error.total)),
        df=float(degrees_of_freedom(error)),
        parts=components(plan, ms),
    )


def _method(plan: Design, estimand: Estimand) -> Method:
    """Name the method that :func:`sampling_error` uses."""
    if plan.labs == 1:
        return "single-lab"
    return "lab-means" if estimand == "benchmark" else "crossed"


def alike(ms: MeanSquares) -> bool:
    """Say whether all cells have the same mean score."""
    return not (ms.lab.any() or ms.item.any() or ms.lab_item.any())


def carried_by_few(cells: Array) -> NDArray[np.bool_]:
    """Say whether too few items carry the events or the non-events (rule 5); ``(..., K, I)``."""
    needed = CARRIERS * (1 - 2 * cells.mean(axis=(-2, -1))) ** 2
    return np.asarray(effective_events(cells) < needed * (1 - _TIE))


def sampling_error(
    plan: Design, ms: MeanSquares, estimand: Estimand, unit: float = 1.0
) -> ErrorVariance | NotComputable:
    """Error variance of the mean from labs, items and epochs; of one lab, without labs.

    ``unit`` is how far a cell moves when its answer goes the other way.
    """
    if plan.labs > 1:
        return error_variance(ms, estimand, unit)
    if estimand == "generalised":
        variance, df = ms.item / plan.items, plan.items - 1
    elif plan.s2_epoch is None:
        return NotComputable(
            "One lab ran each item once: nothing shows how far its rate on these items would "
            "differ on another run. A second epoch or a second lab would."
        )
    else:
        noise = plan.s2_epoch / (plan.items * plan.epochs_harmonic)
        # No epoch differed: count one item as if it had gone the other way.
        variance = np.asarray(noise if noise > 0 else (unit / plan.items) ** 2)
        df = plan.epoch_df
    return ErrorVariance((Part(variance, variance, df),))


def finish(
    plan: Design,
    estimand: Estimand,
    level: float,
    value: float,
    method: Method,
    *,
    se: float | None = None,
    df: float | None = None,
    counts: Counts | None = None,
    judged: Judged | None = None,
    parts: Components | None = None,
) -> Estimate:
    """Put an estimate together, with its interval; what is given settles the shape."""
    shape: Shape = "exact" if counts else "corrected" if judged else "effective"
    one_sided = (1 + level) / 2
    return Estimate(
        estimand=estimand,
        value=value,
        se=se,
        df=df,
        lower=end(value, one_sided, "lower", se=se, df=df, counts=counts, judged=judged),
        upper=end(value, one_sided, "upper", se=se, df=df, counts=counts, judged=judged),
        level=level,
        method=method,
        shape=shape,
        counts=counts,
        judged=judged,
        labs=plan.labs,
        items=plan.items,
        items_dropped=plan.items_dropped,
        components=parts,
    )
