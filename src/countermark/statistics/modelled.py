# SPDX-License-Identifier: Apache-2.0
"""The joint rate of one cell by a mixed model: labs and items are random, each cell is on its own.

Rules
-----
1. The scale chooses the response: 0/1 scores are binomial, ordered levels are proportional odds,
   scores in a range are normal (:mod:`countermark.statistics.response`).
2. Every scored sample counts, also of items that some lab did not score.
3. Levels that nobody was given have the estimated probability 0 and are left out; the others count
   what the scale says.
4. Of 0/1 scores, the rates are read with the items integrated numerically
   (:mod:`countermark.statistics.quadrature`), since Laplace's approximation puts rare rates too
   high where an item has few answers. The relative error of the odds is that of the fit.
5. A normal model knows no ends of the scale; its interval is cut there. A value beyond them is
   ``NotComputable``.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from countermark.statistics.estimate import Estimand, NotComputable
from countermark.statistics.grid import Dense, Grid
from countermark.statistics.marginal import MarginalRate, marginal_rate
from countermark.statistics.mixed import MixedFit, RandomFactor, mixed
from countermark.statistics.quadrature import Integrated, integrate
from countermark.statistics.rates import Reading
from countermark.statistics.response import Binomial, Gaussian, Ordinal
from countermark.statistics.scale import Scale


@dataclass(frozen=True, slots=True)
class LabModel:
    """A fit, and what the rates are read with.

    Parameters
    ----------
    fit
        ``intercept + (1 | lab) + (1 | item)`` by restricted likelihood.
    integrated
        Of 0/1 scores, the same with the items integrated (rule 4); else ``None``.
    scores
        Of ordered levels, what each level that was given counts; else ``None``.
    """

    fit: MixedFit
    integrated: Integrated | None
    scores: tuple[float, ...] | None


def lab_model(cell: Grid) -> LabModel | NotComputable:
    """Fit a mixed model to one model, language, task and scorer.

    See :mod:`countermark.statistics.mixed`.

    Parameters
    ----------
    cell
        A grid whose groups differ by lab only.
    """
    table = cell.dense()
    groups = len(cell.groups)
    if cell.scale.kind == "ordinal" and len(_used(table)) < 2:
        return NotComputable("All scores are the same level, so the likelihood has no maximum.")
    fit = mixed(
        _response(cell.scale, table),
        np.ones((groups, 1)),
        (RandomFactor("lab", np.arange(groups)),),
    )
    if isinstance(fit, NotComputable):
        return fit
    if cell.scale.kind == "ordinal":
        mapped = cell.scale.map(np.asarray(cell.scale.levels))[_used(table)]
        return LabModel(fit, None, tuple(mapped.tolist()))
    if cell.scale.kind == "continuous":
        return LabModel(fit, None, None)
    start = fit.beta[0] + fit.effects[0]
    count = table.count.astype(np.float64)
    better = integrate(table.total, count, start, fit.sd("item"), fit.sd("lab"))
    return better if isinstance(better, NotComputable) else LabModel(fit, better, None)


def modelled(model: LabModel, estimand: Estimand, level: float) -> Reading | NotComputable:
    """Read the joint rate off a model, on the scale from 0 to 1.

    Parameters
    ----------
    model
        Of :func:`lab_model`.
    estimand, level
        As in :func:`~countermark.statistics.marginal.marginal_rate`.
    """
    found = marginal_rate(model.fit, np.ones(1), estimand, level, model.scores)
    if isinstance(found, NotComputable):
        return found
    if model.integrated is not None:
        return _moved(found, model.integrated)
    if not 0 <= found.value <= 1:
        return NotComputable("The normal model puts the mean beyond an end of the scale.")
    lower, upper = max(0.0, found.lower), min(1.0, found.upper)
    return Reading("mixed", estimand, found.value, found.se, found.df, lower, upper, level)


def _moved(found: MarginalRate, better: Integrated) -> Reading:
    """Put the rate where numerical integration finds it (rule 4)."""
    value = better.benchmark if found.estimand == "benchmark" else better.generalised
    by = special.logit(value) - special.logit(found.value)
    lower, upper = (
        float(special.expit(special.logit(end) + by)) for end in (found.lower, found.upper)
    )
    se = found.se * value * (1 - value) / (found.value * (1 - found.value))
    return Reading("mixed", found.estimand, value, se, found.df, lower, upper, found.level)


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
