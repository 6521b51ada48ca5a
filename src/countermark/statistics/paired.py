# SPDX-License-Identifier: Apache-2.0
"""The difference between two runs of the same items, item by item and lab by lab.

``D[k, i]`` is the mean score of lab ``k`` on item ``i`` in the first crossing minus that in the
second. What makes an item hard, or a lab strict, cancels in it; what is left is crossed as ever
(:mod:`countermark.statistics.layout`), with one difference to the rates. The reach of a difference
is a *score* interval (:mod:`countermark.statistics.pairs`), as that of a rate is.

Rules
-----
1. Only labs in both crossings count, and of their items those scored at every one of them in both.
   The others are named.
2. *benchmark* is the difference on these items, *generalised* that on the items' population; both
   are for labs like these, unless ``labs="fixed"``: then they are for these labs only.
3. If all differences are alike, no variance is seen. The test is then exact: all ``I`` items show
   ``c``, and a true mean of ``x < c`` needs a share of others of at least ``(c - x) / (c + 1)``,
   so ``p = ((1 + x) / (1 + c))**I``; beyond ``c`` it is the mirror image.
4. Labs fixed, or one lab: *generalised* takes its error from the items, *benchmark* from repeated
   epochs, and nothing is said of other labs.
5. What cannot be computed is ``NotComputable`` with a reason.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from countermark.statistics.crossed import Design, alike, design, sampling_error
from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, NotComputable
from countermark.statistics.intervals import check_level
from countermark.statistics.layout import (
    ErrorVariance,
    MeanSquares,
    clipped_variance,
    mean_squares,
)
from countermark.statistics.pairs import Pairs, pairs
from countermark.statistics.precision import FTest, f_test

Labs = Literal["random", "fixed"]
Basis = Literal[
    "crossed",  # labs and items both vary
    "lab-means",  # these items: spread of the labs' mean differences
    "items",  # these labs: spread over items
    "epochs",  # these labs on these items: spread over epochs
    "exact",  # all differences alike
]


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of the first crossing minus that of the second, in score units.

    Parameters
    ----------
    estimand, labs_are
        What it is the difference of, and whether for ``random`` labs (labs like these) or for
        ``fixed`` ones (these labs only).
    value
        From -1 to 1; every lab and every item counts the same.
    discordant
        Mean size of the cells' differences.
    se, df
        Standard error and degrees of freedom; ``None`` where ``basis`` is ``exact``.
    lower, upper, level
        Two-sided score interval and its confidence.
    p
        Two-sided p value of no difference.
    basis
        What the error was taken from.
    labs, items
        The labs, and how many items, that it rests on.
    labs_dropped, items_dropped
        Keys of labs and items that were in one of the crossings but could not be paired.
    labs_differ
        F test of "the difference is the same at all labs", ``MS_lab / MS_lab_item`` of ``D``;
        ``None`` with one lab or item, or if nothing varies within the labs.
    """

    estimand: Estimand
    labs_are: Labs
    value: float
    discordant: float
    se: float | None
    df: float | None
    lower: float
    upper: float
    level: float
    p: float
    basis: Basis
    labs: tuple[str, ...]
    items: int
    labs_dropped: tuple[str, ...]
    items_dropped: tuple[str, ...]
    labs_differ: FTest | None

    @property
    def effective_pairs(self) -> float | None:
        """How many independent pairs of 0/1 answers would give the same standard error."""
        return None if self.se is None else (self.discordant - self.value**2) / self.se**2

    def p_at_least(self, null: float) -> float:
        """One-sided p value of "the true difference is ``null`` or more"."""
        return float(self._pairs().p_at_least(_inside(null)))

    def p_at_most(self, null: float) -> float:
        """One-sided p value of "the true difference is ``null`` or less"."""
        return float(self._pairs().p_at_most(_inside(null)))

    def upper_at(self, level: float) -> float:
        """One-sided upper bound at confidence ``level``."""
        return float(self._pairs().upper(1 - check_level(level)))

    def lower_at(self, level: float) -> float:
        """One-sided lower bound at confidence ``level``."""
        return float(self._pairs().lower(1 - check_level(level)))

    def _pairs(self) -> Pairs:
        variance = 0.0 if self.se is None else self.se**2
        return Pairs(
            value=np.asarray(self.value),
            discordant=np.asarray(self.discordant),
            variance=np.asarray(variance),
            df=np.asarray(1.0 if self.df is None else self.df),
            items=self.items,
        )


def difference(
    first: Crossing,
    second: Crossing,
    estimand: Estimand,
    level: float = 0.95,
    labs: Labs = "random",
) -> Difference | NotComputable:
    """Estimate ``first - second`` from the labs and items that both have.

    Parameters
    ----------
    first, second
        Two crossings with the same keys for the same labs and for the same items.
    estimand
        ``benchmark`` (these items) or ``generalised`` (the population of items).
    level
        Two-sided confidence.
    labs
        ``random``: for labs like these; with one lab in common, for that lab. ``fixed``: for
        these labs only, so differences between labs are no error.

    Returns
    -------
    Difference or NotComputable
        Assumes that items are independent of one another, and labs too if they are random. The
        variance is that of the two-way layout of ``D``, its degrees of freedom those of
        :func:`~countermark.statistics.layout.degrees_of_freedom`; if labs are random and the
        estimand is *generalised*, a quarter of the noise in ``MS_lab`` is left with the labs'
        few degrees of freedom. Without that, the size of a 5 % test at three labs reaches 7 %.

    Raises
    ------
    StatisticsError
        If the estimand, the level or ``labs`` is none.
    """
    _check(estimand, level, labs)
    met = _meet(first, second)
    if isinstance(met, NotComputable):
        return met
    if estimand == "generalised" and met.items == 1:
        return NotComputable("One item in common says nothing about the population of items.")
    fixed = labs == "fixed" or len(met.labs) == 1
    plan = _plan(met, fixed=fixed)
    if fixed and estimand == "benchmark" and plan.s2_epoch is None:
        return NotComputable(
            f"For {', '.join(met.labs)} alone and these items alone, only repeated epochs show an "
            "error, and not both runs have them. Repeat them, or ask for labs like these."
        )
    ms = mean_squares(plan.cells)
    if estimand == "generalised" and not fixed:
        error: ErrorVariance | NotComputable = clipped_variance(ms)
    else:
        error = sampling_error(plan, ms, estimand, unit=1 / len(met.labs) if fixed else 1.0)
    if isinstance(error, NotComputable):
        return error
    found = pairs(plan.cells, ms, error)
    exact = alike(ms)
    no_difference = 2 * min(float(found.p_at_least(0.0)), float(found.p_at_most(0.0)))
    tail = (1 - level) / 2
    return Difference(
        estimand=estimand,
        labs_are="fixed" if fixed else "random",
        value=float(found.value),
        discordant=float(found.discordant),
        se=None if exact else float(np.sqrt(found.variance)),
        df=None if exact else float(found.df),
        lower=float(found.lower(tail)),
        upper=float(found.upper(tail)),
        level=level,
        p=min(1.0, no_difference),
        basis="exact" if exact else _basis(estimand, fixed=fixed),
        labs=met.labs,
        items=met.items,
        labs_dropped=met.labs_dropped,
        items_dropped=met.items_dropped,
        labs_differ=_labs_differ(mean_squares(met.first.cells - met.second.cells)),
    )


def _check(estimand: Estimand, level: float, labs: Labs) -> None:
    check_level(level)
    if estimand not in get_args(Estimand) or labs not in get_args(Labs):
        raise StatisticsError(
            f"There is no difference for {estimand!r} and {labs!r} labs. Choose "
            f"{' or '.join(get_args(Estimand))}, and {' or '.join(get_args(Labs))}."
        )


def _basis(estimand: Estimand, *, fixed: bool) -> Basis:
    if fixed:
        return "epochs" if estimand == "benchmark" else "items"
    return "lab-means" if estimand == "benchmark" else "crossed"


def _labs_differ(ms: MeanSquares) -> FTest | None:
    if ms.labs < 2 or ms.items < 2:
        return None
    df = (ms.labs - 1) * (ms.items - 1)
    return f_test(float(ms.lab), float(ms.lab_item), ms.labs - 1, df)


@dataclass(frozen=True, slots=True)
class _Met:
    first: Design
    second: Design
    labs: tuple[str, ...]
    items: int
    labs_dropped: tuple[str, ...]
    items_dropped: tuple[str, ...]


def _meet(first: Crossing, second: Crossing) -> _Met | NotComputable:
    labs = sorted(set(first.labs) & set(second.labs))
    if not labs:
        return NotComputable("No lab ran both, so there is nothing to pair.")
    sides = [side.select(labs).complete()[0] for side in (first, second)]
    items = set(sides[0].items) & set(sides[1].items)
    if not items:
        return NotComputable(
            f"None of the {len(first.items)} and {len(second.items)} items was scored in both by "
            f"all of {', '.join(labs)}. Check that the same item has the same key in both."
        )
    one, two = (design(_only(side, items)) for side in sides)
    if isinstance(one, NotComputable) or isinstance(two, NotComputable):
        return NotComputable("Nothing is left to pair.")
    return _Met(
        one,
        two,
        tuple(labs),
        len(items),
        tuple(sorted(set(first.labs) ^ set(second.labs))),
        tuple(sorted(set(first.items).union(second.items) - items)),
    )


def _only(crossing: Crossing, items: set[str]) -> Crossing:
    kept = np.array([key in items for key in crossing.items])
    keys = tuple(key for key in crossing.items if key in items)
    c = crossing
    return Crossing(c.labs, keys, c.count[:, kept], c.total[:, kept], c.square[:, kept])


def _plan(met: _Met, *, fixed: bool) -> Design:
    """Lay out the differences; over fixed labs, their means item by item."""
    cells = met.first.cells - met.second.cells
    sides = (met.first, met.second)
    variances = [
        side.s2_epoch / side.epochs_harmonic for side in sides if side.s2_epoch is not None
    ]
    repeated = len(variances) == len(sides)
    return Design(
        cells=cells.mean(axis=0, keepdims=True) if fixed else cells,
        s2_epoch=sum(variances) / len(met.labs) if repeated else None,
        epoch_df=min(side.epoch_df for side in sides),
        epochs_harmonic=1.0,  # the variance above is that of a difference of cell means
        items_dropped=len(met.items_dropped),
    )


def _inside(null: float) -> float:
    if not -1 < null < 1:
        raise StatisticsError(f"A difference of {null} cannot be tested. Give one from -1 to 1.")
    return null
