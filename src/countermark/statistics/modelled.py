# SPDX-License-Identifier: Apache-2.0
"""The joint rate of one cell by a mixed model: labs and items are random, each cell is on its own.

Rules
-----
1. The scale chooses the response: 0/1 scores are binomial, ordered levels are proportional odds,
   scores in a range are normal (:mod:`countermark.statistics.response`).
2. Every scored sample counts, also of items that some lab did not score.
3. Levels that nobody was given have the estimated probability 0 and are left out; the others count
   what the scale says.
4. A normal model knows no ends of the scale; its interval is cut there. A value beyond them is
   ``NotComputable``.
"""

import numpy as np

from countermark.statistics.estimate import Estimand, NotComputable
from countermark.statistics.grid import Dense, Grid
from countermark.statistics.marginal import marginal_rate
from countermark.statistics.mixed import MixedFit, RandomFactor, mixed
from countermark.statistics.rates import Reading
from countermark.statistics.response import Binomial, Gaussian, Ordinal
from countermark.statistics.scale import Scale


def lab_model(cell: Grid) -> MixedFit | NotComputable:
    """Fit ``intercept + (1 | lab) + (1 | item)`` to one model, language, task and scorer.

    By restricted likelihood, see :mod:`countermark.statistics.mixed`.

    Parameters
    ----------
    cell
        A grid whose groups differ by lab only.
    """
    table = cell.dense()
    groups = len(cell.groups)
    if cell.scale.kind == "ordinal" and len(_used(table)) < 2:
        return NotComputable("All scores are the same level, so the likelihood has no maximum.")
    return mixed(
        _response(cell.scale, table),
        np.ones((groups, 1)),
        (RandomFactor("lab", np.arange(groups)),),
    )


def modelled(
    cell: Grid, estimand: Estimand, level: float, fit: MixedFit
) -> Reading | NotComputable:
    """Read the joint rate off a fit of :func:`lab_model`, on the scale from 0 to 1.

    Parameters
    ----------
    cell, fit
        The grid, and the model fitted to it.
    estimand, level
        As in :func:`~countermark.statistics.marginal.marginal_rate`.
    """
    scores = None
    if cell.scale.kind == "ordinal":
        used = _used(cell.dense())
        scores = cell.scale.map(np.asarray(cell.scale.levels))[used].tolist()
    found = marginal_rate(fit, np.ones(1), estimand, level, scores)
    if isinstance(found, NotComputable):
        return found
    if not 0 <= found.value <= 1:
        return NotComputable("The normal model puts the mean beyond an end of the scale.")
    lower, upper = max(0.0, found.lower), min(1.0, found.upper)
    return Reading("mixed", estimand, found.value, found.se, found.df, lower, upper, level)


def _used(table: Dense) -> list[int]:
    assert table.by_level is not None  # noqa: S101  the scale is ordinal
    return [int(m) for m in np.flatnonzero(table.by_level.sum(axis=(0, 1)))]


def _response(scale: Scale, table: Dense) -> Binomial | Ordinal | Gaussian:
    if table.by_level is not None:
        return Ordinal(table.by_level[:, :, _used(table)].astype(np.float64))
    count = table.count.astype(np.float64)
    if scale.kind == "binary":
        return Binomial(table.total, count)
    return Gaussian(table.total, table.square, count)
