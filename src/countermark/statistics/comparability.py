# SPDX-License-Identifier: Apache-2.0
"""What labs have in common, and each lab's own rate: the first things to read of a joint test.

Rules
-----
1. An item that some lab did not score is no common item; it is counted, and the joint rate is
   without it.
2. A lab's interval is for its own answers as independent trials. It says nothing of other labs,
   and too little of how items differ: it is what separate reports would print. Only 0/1 scores
   are trials.
3. Settings of labs differ where two labs have different values of a factor.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.intervals import Interval, wilson, zero_event_upper
from countermark.statistics.scale import Scale


@dataclass(frozen=True, slots=True)
class Coverage:
    """How complete one cell is.

    Parameters
    ----------
    labs, items
        How many scored something, and how many were scored.
    common
        Items that every lab scored (rule 1).
    missing
        Labs x items without a score.
    scores
        How many in all.
    fewest, most
        Scores of a lab and item, where there are any: the epochs.
    """

    labs: int
    items: int
    common: int
    missing: int
    scores: int
    fewest: int
    most: int


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """A factor that labs set differently: each lab and its value, by lab."""

    factor: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LabRate:
    """One lab's own mean score, mapped to 0 to 1 (rule 2).

    ``upper_without_events`` is the one-sided upper bound at ``level`` of a rate of which this lab
    saw no event; its trials are items, not epochs.
    """

    lab: str
    items: int
    scores: int
    total: float
    value: float
    interval: Interval | NotComputable
    upper_without_events: float | None
    level: float


def coverage(crossing: Crossing) -> Coverage:
    """Count what labs scored, and what they have in common.

    Parameters
    ----------
    crossing
        One model, task and language.
    """
    some = crossing.count > 0
    return Coverage(
        labs=len(crossing.labs),
        items=len(crossing.items),
        common=int(some.all(axis=0).sum()),
        missing=int((~some).sum()),
        scores=int(crossing.count.sum()),
        fewest=int(crossing.count[some].min()),
        most=int(crossing.count.max()),
    )


def setting_differences(
    settings: Mapping[str, Mapping[str, str]],
) -> tuple[SettingDifference, ...]:
    """List the factors whose values differ between labs (rule 3), by name.

    Parameters
    ----------
    settings
        By lab, the value of each factor.

    Raises
    ------
    StatisticsError
        If a lab has no value for a factor that another has.
    """
    factors = sorted({factor for values in settings.values() for factor in values})
    for lab in sorted(settings):
        lacking = next((factor for factor in factors if factor not in settings[lab]), None)
        if lacking is not None:
            raise StatisticsError(
                f"Lab {lab!r} has no value for {lacking!r}. Give every lab all factors."
            )
    table = {
        factor: tuple((lab, settings[lab][factor]) for lab in sorted(settings))
        for factor in factors
    }
    return tuple(
        SettingDifference(factor, values)
        for factor, values in table.items()
        if len({value for _, value in values}) > 1
    )


def lab_rates(crossing: Crossing, scale: Scale, level: float) -> tuple[LabRate, ...]:
    """Give each lab's own rate, with what separate reports would say of it (rule 2).

    Parameters
    ----------
    crossing
        One model, task, language and scorer.
    scale
        What a score was before it was mapped.
    level
        Confidence: two-sided for the interval.
    """
    found = []
    for row, lab in enumerate(crossing.labs):
        items = int((crossing.count[row] > 0).sum())
        scores, total = int(crossing.count[row].sum()), float(crossing.total[row].sum())
        unseen = scale.kind == "binary" and total == 0
        found.append(
            LabRate(
                lab=lab,
                items=items,
                scores=scores,
                total=total,
                value=total / scores,
                interval=wilson(total, scores, level)
                if scale.kind == "binary"
                else NotComputable("Only 0/1 scores are trials with an interval of their own."),
                upper_without_events=zero_event_upper(items, level) if unseen else None,
                level=level,
            )
        )
    return tuple(found)
