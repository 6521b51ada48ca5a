# SPDX-License-Identifier: Apache-2.0
"""How much more the best elicitation shows than the reference configuration, per lab.

The best of several elicitations looks better than it is: what was lucky on these items was chosen
for its luck. So the items are split in two halves at random; the best is chosen on one half and
scored on the other, and the reverse. This is repeated over ``splits`` splits and averaged.

With ``D[j, i]`` the difference of elicitation ``j`` to the reference at item ``i``, and ``w[j, i]``
the share of splits in which ``j`` was chosen on the half without ``i``::

    gap = sum(w * D) / I
    se**2 = (sum(w * D**2) / I - gap**2) / (I - 1)

The variance is that of one split, choice included; the average over splits has at most that. The
gap is that of what half of the items would choose. On average this is never more than the gap of
the truly best one, and less where half of the items seldom find it.

Rules
-----
1. A lab counts the items that it ran with the reference and with every elicitation it tried.
2. The best is the one with the ``better`` mean; of equals, the first by name.
3. ``uncorrected`` is the gap of the best on all items, for comparison only.
4. Fewer than four such items, or no elicitation, is ``NotComputable``.
5. Equal input and seed give equal output, whatever the order of labs or elicitations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.intervals import check_level
from countermark.statistics.layout import Array
from countermark.statistics.pairs import Pairs

Better = Literal["higher", "lower"]

_FEWEST = 4
_NIL = 1e-18  # a variance of differences in [-1, 1] below this is rounding
_TIE = 1e-9  # equal but for rounding: must fall to the same elicitation on every machine


@dataclass(frozen=True, slots=True)
class Chosen:
    """An elicitation, and the share of half-samples in which it was the best."""

    elicitation: str
    share: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Best elicitation minus reference at one lab, corrected for the choice; in score units.

    Parameters
    ----------
    best, uncorrected
        The best on all items, and its gap without correction.
    value, se, df, lower, upper, level
        The corrected gap, with a score interval (:mod:`countermark.statistics.pairs`). ``se`` and
        ``df`` are ``None`` where all differences are alike and the interval is exact.
    chosen
        Every elicitation, in ascending order.
    items, items_dropped
        How many items it rests on; those that were run with some configurations only.
    """

    best: str
    uncorrected: float
    value: float
    se: float | None
    df: int | None
    lower: float
    upper: float
    level: float
    chosen: tuple[Chosen, ...]
    items: int
    items_dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabGap:
    """A lab and its gap."""

    lab: str
    gap: Gap | NotComputable


def elicitation_gaps(
    reference: Crossing,
    elicited: Mapping[str, Crossing],
    *,
    better: Better,
    seed: int,
    splits: int = 100,
    level: float = 0.95,
) -> tuple[LabGap, ...]:
    """Estimate the elicitation gap of each lab of the reference, in ascending order.

    Parameters
    ----------
    reference
        The runs of the reference configuration.
    elicited
        By name of the elicitation, its runs, of the same items. A lab need not have tried all.
    better
        Whether ``higher`` or ``lower`` scores show more.
    seed, splits
        Of the random halves.
    level
        Two-sided confidence.

    Returns
    -------
    tuple of LabGap
        Assumes that items are independent of one another. The gap is for the lab's own
        elicitations on the population of items; it says nothing of other labs.

    Raises
    ------
    StatisticsError
        If ``better``, ``splits``, ``seed`` or the level makes no sense.
    """
    check_level(level)
    if better not in get_args(Better) or splits < 1 or seed < 0:
        raise StatisticsError(
            f"Gaps cannot be computed for {better!r} with {splits} splits and the seed {seed}. "
            "Say whether higher or lower scores show more; give at least one split, and a seed "
            "of 0 or more."
        )
    return tuple(
        LabGap(
            lab,
            _gap(
                lab, reference, elicited, 1.0 if better == "higher" else -1.0, seed, splits, level
            ),
        )
        for lab in reference.labs
    )


def _gap(
    lab: str,
    reference: Crossing,
    elicited: Mapping[str, Crossing],
    sign: float,
    seed: int,
    splits: int,
    level: float,
) -> Gap | NotComputable:
    base = _means(reference, lab)
    runs = {name: _means(elicited[name], lab) for name in sorted(elicited)}
    runs = {name: run for name, run in runs.items() if run}
    if not runs:
        return NotComputable(f"Lab {lab} tried no elicitation.")
    items = sorted(set(base).intersection(*runs.values()))
    if len(items) < _FEWEST:
        return NotComputable(
            f"Lab {lab} ran {len(items)} items with every configuration. Choosing on one half and "
            f"scoring on the other needs {_FEWEST}."
        )
    gaps = np.array([[run[item] - base[item] for item in items] for run in runs.values()])
    names = tuple(runs)
    weights = _weights(gaps * sign, splits, seed)
    df = len(items) - 1
    value = float((weights * gaps).sum()) / len(items)
    variance = (float((weights * gaps**2).sum()) / len(items) - value**2) / df
    exact = variance <= _NIL
    found = Pairs(
        value=np.asarray(value),
        discordant=np.asarray(float((weights * np.abs(gaps)).sum()) / len(items)),
        variance=np.asarray(0.0 if exact else variance),
        df=np.asarray(float(df)),
        items=len(items),
    )
    best = _best(gaps * sign)
    tail = (1 - level) / 2
    return Gap(
        best=names[best],
        uncorrected=float(gaps[best].mean()),
        value=value,
        se=None if exact else float(np.sqrt(variance)),
        df=None if exact else df,
        lower=float(found.lower(tail)),
        upper=float(found.upper(tail)),
        level=level,
        chosen=tuple(map(Chosen, names, map(float, weights.mean(axis=1)))),
        items=len(items),
        items_dropped=tuple(sorted(set(base).union(*runs.values()).difference(items))),
    )


def _means(crossing: Crossing, lab: str) -> dict[str, float]:
    if lab not in crossing.labs:
        return {}
    row = crossing.labs.index(lab)
    run = zip(crossing.items, crossing.count[row], crossing.total[row], strict=True)
    return {item: float(total) / int(count) for item, count, total in run if count}


def _best(scores: Array) -> int:
    means = scores.mean(axis=1)
    return int(np.flatnonzero(means >= means.max() - _TIE)[0])


def _weights(scores: Array, splits: int, seed: int) -> Array:
    """Share of the splits in which each elicitation was chosen on the half without the item."""
    rng = np.random.Generator(np.random.PCG64(seed))
    items = scores.shape[1]
    counts = np.zeros(scores.shape)
    for _ in range(splits):
        half = np.zeros(items, dtype=bool)
        half[rng.permutation(items)[: items // 2]] = True
        counts[_best(scores[:, half]), ~half] += 1
        counts[_best(scores[:, ~half]), half] += 1
    return counts / splits
