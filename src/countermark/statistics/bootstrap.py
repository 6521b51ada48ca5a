# SPDX-License-Identifier: Apache-2.0
"""The pigeonhole bootstrap: labs and items drawn again, with replacement and independently.

A replicate draws K of the K labs and I of the I items; a cell counts as often as its lab times
its item was drawn (Owen 2007, *The pigeonhole bootstrap*, section 3; McCullagh 2000). For the
*benchmark* rate the items are given, so only labs are drawn.

With ``w`` and ``v`` the counts of labs and items, the replicate of a table ``y`` (K, I) is
``sum(w[k] * v[i] * y[k, i]) / (K * I)``, so all replicates of all tables are two matrix products.
Each replicate is split into what the labs, the items and both together moved::

    by_lab  = sum(w[k] * y[k, .]) / K - mean
    by_item = sum(v[i] * y[., i]) / I - mean
    by_both = replicate - by_lab - by_item - mean

whose variances estimate, with ``MS`` the mean squares of the two-way layout::

    var(by_lab)  -> MS_lab  / (K*I) * (K-1)/K
    var(by_item) -> MS_item / (K*I) * (I-1)/I
    var(by_both) -> MS_lab_item / (K*I) * (K-1)/K * (I-1)/I

Rules
-----
1. Only items scored at every lab count, and each cell the same.
2. *percentile* is the plain interval of the replicates. With few labs it is too short for the
   benchmark rate (three labs have ten resamples, and none is beyond their extremes), and where
   labs do not differ it is too long for the generalised rate, because the noise of a cell is
   counted with its lab, with its item and with itself. ``benchmarks/coverage.py`` prints by how
   much. It is shown for its shape.
3. The interval that is to be read has the standard error of the replicates, each part freed of
   its factor above and the noise counted once, and t quantiles, as
   :func:`~countermark.statistics.layout.error_variance` and
   :func:`~countermark.statistics.layout.degrees_of_freedom` say; its ends are score bounds.
4. Equal seeds give equal draws. Crossings of the same labs share the draws, so their replicates
   can be subtracted from one another.
5. With one lab, fewer than two items, or nothing that varies there is nothing to draw:
   ``NotComputable``. So is the generalised rate if too few items carry the events (rule 5 of
   :mod:`~countermark.statistics.crossed`): draws of items show no items that were not seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from countermark.statistics.crossed import alike, carried_by_few, design
from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, NotComputable, end
from countermark.statistics.intervals import Interval, check_level
from countermark.statistics.layout import (
    Array,
    MeanSquares,
    degrees_of_freedom,
    error_variance,
    mean_squares,
)

REPLICATES = 2000
_BLOCK = 2_000_000  # weights alive at once: 16 MB, thrice


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """What the draws did to one crossing.

    Parameters
    ----------
    value
        Its mean over labs and items.
    by_lab, by_item, by_both
        ``(R,)`` each; see the module. ``value`` plus their sum is the replicate of the generalised
        rate, ``value + by_lab`` that of the benchmark rate.
    labs, items
        How many labs and items were drawn from.
    few
        Whether too few items carry the events for a generalised rate.
    """

    value: float
    by_lab: Array
    by_item: Array
    by_both: Array
    labs: int
    items: int
    few: bool

    def rates(self, estimand: Estimand) -> Array:
        """Return the replicates of the rate, ``(R,)``."""
        if estimand == "benchmark":
            return self.value + self.by_lab
        return self.value + self.by_lab + self.by_item + self.by_both

    def mean_squares(self) -> MeanSquares:
        """Return the mean squares that the variances of the replicates stand for."""
        size = self.labs * self.items
        lab, item = self.labs / (self.labs - 1), self.items / (self.items - 1)

        def square(moved: Array, factor: float) -> Array:
            return np.asarray(size * factor * np.mean(moved**2))

        return MeanSquares(
            lab=square(self.by_lab, lab),
            item=square(self.by_item, item),
            lab_item=square(self.by_both, lab * item),
            labs=self.labs,
            items=self.items,
        )


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A rate by the pigeonhole bootstrap.

    ``value`` is that of the data, ``mean`` that of the replicates; ``se``, ``df``, ``lower`` and
    ``upper`` follow rule 3, ``percentile`` rule 2.
    """

    estimand: Estimand
    value: float
    mean: float
    se: float
    df: float
    lower: float
    upper: float
    level: float
    percentile: Interval
    replicates: int
    seed: int


def bootstrap(
    crossing: Crossing,
    estimand: Estimand,
    seed: int,
    level: float = 0.95,
    replicates: int = REPLICATES,
) -> Bootstrap | NotComputable:
    """Estimate the joint rate of a crossing by drawing labs and items again.

    Parameters
    ----------
    crossing
        One model, task and language.
    estimand
        ``benchmark`` draws labs, ``generalised`` labs and items.
    seed
        A whole number from 0 up.
    level
        Two-sided confidence.
    replicates
        How many draws, at least 100.

    Raises
    ------
    StatisticsError
        If a setting makes no sense.
    """
    (drawn,) = pigeonhole((crossing,), seed, replicates)
    if isinstance(drawn, NotComputable):
        return drawn
    return bootstrapped(drawn, estimand, seed, level)


def bootstrapped(
    drawn: Replicates, estimand: Estimand, seed: int, level: float = 0.95
) -> Bootstrap | NotComputable:
    """Turn replicates that ``seed`` drew into a rate with its intervals.

    Parameters
    ----------
    drawn
        Of :func:`pigeonhole`.
    estimand
        ``benchmark`` reads the draws of labs, ``generalised`` those of labs and items.
    seed
        What ``drawn`` was drawn with; it is kept with the result.
    level
        Two-sided confidence.

    Raises
    ------
    StatisticsError
        If the level is none.
    """
    check_level(level)
    if estimand == "generalised" and drawn.few:
        return NotComputable(
            "Too few items carry the events, so drawing items again does not show how far items "
            "differ. Run more items."
        )
    error = error_variance(drawn.mean_squares(), estimand)
    se, df = float(np.sqrt(error.total)), float(degrees_of_freedom(error))
    rates, one_sided = drawn.rates(estimand), (1 + level) / 2
    lower, upper = np.quantile(rates, (1 - one_sided, one_sided))
    return Bootstrap(
        estimand=estimand,
        value=drawn.value,
        mean=float(rates.mean()),
        se=se,
        df=df,
        lower=end(drawn.value, one_sided, "lower", se=se, df=df),
        upper=end(drawn.value, one_sided, "upper", se=se, df=df),
        level=level,
        percentile=Interval(float(lower), float(upper), level),
        replicates=len(rates),
        seed=seed,
    )


def pigeonhole(
    crossings: Sequence[Crossing], seed: int, replicates: int = REPLICATES
) -> tuple[Replicates | NotComputable, ...]:
    """Draw labs and items of several crossings at once.

    Parameters
    ----------
    crossings
        They have the same labs. Items are drawn from all items that a crossing has; one that lacks
        some of them uses the draws of its own (its replicate is a ratio then).
    seed, replicates
        As in :func:`bootstrap`.

    Returns
    -------
    tuple
        In the order of the crossings.

    Raises
    ------
    StatisticsError
        If the crossings have different labs, or a setting makes no sense.

    Notes
    -----
    Cost: ``replicates * items * labs * crossings`` multiplications; memory: one table of all cells
    and a block of at most 2 million weights.
    """
    if not isinstance(seed, int) or seed < 0 or replicates < 100:
        raise StatisticsError(
            f"Seed {seed} with {replicates} replicates is no bootstrap. Give a whole seed from 0 "
            "up and at least 100 replicates."
        )
    labs = crossings[0].labs if crossings else ()
    if any(crossing.labs != labs for crossing in crossings):
        raise StatisticsError(
            "Crossings that share draws must have the same labs. Select the common labs first, "
            "or draw for each crossing on its own."
        )
    tables = [_table(crossing) for crossing in crossings]
    usable = [table for table in tables if not isinstance(table, NotComputable)]
    drawn = iter(_draw(usable, len(labs), seed, replicates)) if usable else iter(())
    return tuple(table if isinstance(table, NotComputable) else next(drawn) for table in tables)


@dataclass(frozen=True, slots=True)
class _Table:
    items: tuple[str, ...]
    cells: Array


def _table(crossing: Crossing) -> _Table | NotComputable:
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    if plan.labs < 2 or plan.items < 2:
        return NotComputable("Drawing labs and items again needs two labs and two common items.")
    if alike(mean_squares(plan.cells)):
        return NotComputable(
            "All cells are alike, so every draw gives the same rate and shows no error."
        )
    return _Table(crossing.complete()[0].items, plan.cells)


def _draw(
    tables: Sequence[_Table], labs: int, seed: int, replicates: int
) -> list[Replicates | NotComputable]:
    keys = sorted(set().union(*(table.items for table in tables)))
    place = {key: number for number, key in enumerate(keys)}
    # One row an item; a column for each lab of each table, then one a table that says whether
    # the table has the item.
    width = labs * len(tables)
    stacked = np.zeros((len(keys), width + len(tables)))
    for j, table in enumerate(tables):
        rows = [place[key] for key in table.items]
        # Deviations from the mean: small numbers lose no digits in long sums.
        stacked[rows, j * labs : (j + 1) * labs] = (table.cells - table.cells.mean()).T
        stacked[rows, width + j] = 1.0
    rng = np.random.Generator(np.random.PCG64(seed))
    by_labs = _counts(rng, replicates, labs) / labs
    moved = np.empty((3, len(tables), replicates))
    possible = np.ones(len(tables), dtype=bool)
    start = 0
    for size in _blocks(replicates, len(keys)):
        part = slice(start, start + size)
        sums = _counts(rng, size, len(keys)) @ stacked
        drawn = sums[:, width:]  # how many items of each table were drawn
        possible &= (drawn > 0).all(axis=0)
        means = sums[:, :width].reshape(size, len(tables), labs)
        means /= np.maximum(drawn, 1.0)[:, :, None]
        moved[1, :, part] = means.mean(axis=2).T
        moved[2, :, part] = np.einsum("rk,rgk->gr", by_labs[part], means)
        start += size
    results: list[Replicates | NotComputable] = []
    for j, table in enumerate(tables):
        if not possible[j]:
            results.append(
                NotComputable(
                    f"Some draws had none of its {len(table.items)} items among "
                    f"{len(keys)}. Draw for this crossing on its own."
                )
            )
            continue
        by_lab = by_labs @ (table.cells.mean(axis=1) - table.cells.mean())
        by_item = moved[1, j]
        by_both = moved[2, j] - by_lab - by_item
        results.append(
            Replicates(
                value=float(table.cells.mean()),
                by_lab=by_lab,
                by_item=by_item,
                by_both=by_both,
                labs=labs,
                items=len(table.items),
                few=bool(carried_by_few(table.cells)),
            )
        )
    return results


def _blocks(replicates: int, items: int) -> Iterator[int]:
    size = max(1, _BLOCK // items)
    while replicates > 0:
        yield min(size, replicates)
        replicates -= size


def _counts(rng: np.random.Generator, replicates: int, size: int) -> Array:
    """How often each of ``size`` was drawn in ``size`` draws; ``(replicates, size)``."""
    draws = rng.integers(0, size, (replicates, size), dtype=np.int64)
    draws += size * np.arange(replicates)[:, None]
    counts = np.bincount(draws.ravel(), minlength=replicates * size)
    return counts.reshape(replicates, size).astype(np.float64)
