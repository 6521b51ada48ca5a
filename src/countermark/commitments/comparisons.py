# SPDX-License-Identifier: Apache-2.0
"""Rules 14 and 15 of the gate: the difference or ratio of two rates of one finding.

Its bounds are made of one-sided bounds of the two rates, each with half of the error budget. By
Bonferroni's inequality the budget holds whatever the two rates have to do with one another; where
they share items and labs the interval is wider than it need be, never narrower.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from countermark.commitments.case import DatedFinding
from countermark.commitments.rates import (
    SEVERITY,
    STATES,
    Gaps,
    Held,
    doubts,
    estimate_of,
    is_asked,
    missing_figures,
    rate_name,
    sound_cell,
    unsound,
    weigh,
)
from countermark.records.decision import ComparisonUsed
from countermark.records.finding import FindingCell
from countermark.records.finding_figures import Estimand, Figure
from countermark.records.threshold_rules import Regression, Uplift
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import bound


@dataclass(frozen=True, slots=True)
class Ends:
    """One-sided bounds of one rate at half of each budget.

    ``least`` and ``most`` are those that may show a threshold kept, ``surely`` and ``at_most``
    those that may show it crossed.
    """

    least: float
    most: float
    surely: float
    at_most: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two cells of a finding, by model and task, and how they are compared."""

    first: tuple[str, str]
    second: tuple[str, str]
    languages: tuple[str, ...]
    estimands: tuple[Estimand, ...]
    minimum_labs: int
    alpha_miss: float
    alpha_false: float


Interval: TypeAlias = tuple[float | None, float, float | None]
Compare: TypeAlias = Callable[[float, Ends, float, Ends], Interval]


def hold_regression(rule: Regression, tested: DatedFinding, model: str, looks: int) -> Held:
    """Hold how much worse a rate is than an earlier model's against the margin (rule 14)."""
    if rule.baseline == model:
        return Held("undetermined", 2, f"{model} is the baseline itself, and no worse than that")
    new, old = (model, rule.task), (rule.baseline, rule.task)
    first, second = (new, old) if rule.worse == "higher" else (old, new)
    pair = Pair(
        first,
        second,
        rule.languages,
        rule.estimands,
        rule.minimum_labs,
        rule.alpha_miss / looks,
        rule.alpha_false,
    )
    return _held(pair, tested, rule.margin, _difference, "worse by", percent=True)


def hold_uplift(rule: Uplift, tested: DatedFinding, model: str, looks: int) -> Held:
    """Hold the ratio of two rates of success against the limit (rule 15).

    The framework's check has seen that a ratio of rates says which rates.
    """
    pair = Pair(
        (model, rule.task or ""),
        (model, rule.baseline_task or ""),
        rule.languages or (),
        rule.estimands or (),
        rule.minimum_labs or 0,
        (rule.alpha_miss or 0.05) / looks,
        rule.alpha_false or 0.05,
    )
    return _held(pair, tested, rule.ratio, _ratio, "higher by a factor of", percent=False)


def _difference(first: float, a: Ends, second: float, b: Ends) -> Interval:
    return first - second, a.surely - b.at_most, a.most - b.least


def _ratio(first: float, a: Ends, second: float, b: Ends) -> Interval:
    return (
        first / second if second > 0 else None,
        a.surely / b.at_most if b.at_most > 0 else 0.0,
        a.most / b.least if b.least > 0 else None,
    )


def _held(
    pair: Pair, tested: DatedFinding, limit: float, compare: Compare, word: str, *, percent: bool
) -> Held:
    gaps: Gaps = []
    found: list[ComparisonUsed] = []
    institutes: set[str] = set()
    for tag in pair.languages:
        cells = [sound_cell(tested, *place, tag, gaps) for place in (pair.first, pair.second)]
        for cell in cells:
            if cell is not None:
                gaps += missing_figures(cell, pair.estimands)
                gaps += doubts(cell, pair.minimum_labs)
                institutes |= {one.institute for one in cell.labs}
        first, second = cells
        if first is not None and second is not None:
            found += _compared(pair, first, second, tag, limit, compare, gaps)
    worst = max(found, key=_severity, default=None)
    told = _told(worst, limit, word, percent=percent) if worst else ""
    state, number, reason = weigh(worst, told, gaps)
    return Held(
        state,
        number,
        reason,
        comparisons=tuple(found),
        distance=_distance(worst, limit) if worst else None,
        institutes=frozenset(institutes),
    )


def _compared(
    pair: Pair,
    first: FindingCell,
    second: FindingCell,
    tag: str,
    limit: float,
    compare: Compare,
    gaps: Gaps,
) -> Iterator[ComparisonUsed]:
    others = {_choice(one): one for one in second.figures}
    for one in first.figures:
        if not is_asked(first, pair.estimands, one):
            continue
        other = others.get(_choice(one))
        if other is None:
            gaps.append((6, f"{tag}: {pair.second[0]} has no {one.estimand} figure of this sort"))
            continue
        value, lower, upper = compare(
            one.value, _ends(one, pair, pair.first[1], tag),
            other.value, _ends(other, pair, pair.second[1], tag),
        )  # fmt: skip
        kept = True if upper is not None and upper < limit else None
        yield ComparisonUsed(
            language=tag,
            estimand=one.estimand,
            correction=one.correction,
            without_lab=one.without_lab,
            value=value,
            lower=lower,
            upper=upper,
            state=STATES[False if lower > limit else kept],
        )


def _choice(figure: Figure) -> tuple[str, str, str | None]:
    return figure.estimand, figure.correction, figure.without_lab


def _ends(figure: Figure, pair: Pair, task: str, tag: str) -> Ends:
    miss, false = 1 - pair.alpha_miss / 2, 1 - pair.alpha_false / 2
    try:
        estimate = estimate_of(figure)
        return Ends(
            bound(estimate, miss, "lower"),
            bound(estimate, miss, "upper"),
            bound(estimate, false, "lower"),
            bound(estimate, false, "upper"),
        )
    except (StatisticsError, ArithmeticError) as error:
        raise unsound(figure, task, tag, str(error)) from error


def _severity(used: ComparisonUsed) -> tuple[int, float]:
    return SEVERITY.index(used.state), float("inf") if used.upper is None else used.upper


def _distance(used: ComparisonUsed, limit: float) -> float | None:
    if used.state == "crossed":
        return used.lower - limit
    return None if used.upper is None else used.upper - limit


def _told(used: ComparisonUsed, limit: float, word: str, *, percent: bool) -> str:
    def number(value: float) -> str:
        return f"{100 * value:.1f} percentage points" if percent else f"{value:.3g}"

    name, lower = rate_name(used), number(used.lower)
    match used.state:
        case "crossed":
            return f"{name} is {word} at least {lower}, beyond the {number(limit)} allowed"
        case "kept" if used.upper is not None:
            return f"even {name} is {word} at most {number(used.upper)}, within {number(limit)}"
        case _:
            upper = number(used.upper) if used.upper is not None else "any amount"
            return f"{name} is {word} anything from {lower} to {upper}, across {number(limit)}"
