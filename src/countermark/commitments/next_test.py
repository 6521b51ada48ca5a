# SPDX-License-Identifier: Apache-2.0
"""The next test that would decide a threshold for least. Pure.

1. For a limit on a rate: the fewest answers, over labs and items of one epoch each, with which
   every bound that reaches across the limit stands off it by what the error budget and the guard
   band demand four times in five, if each rate is what it was found to be: the bound is taken from
   where the rate of the next test lies with that chance (normal theory, the spread as expected;
   of few expected events it promises some too much).
   Bounds are those of rule 4 of the gate, so with more than two labs the design must do with one of
   them left out.
2. The spread to be expected is that of :func:`~countermark.statistics.designs.fewest_items`, by the
   components in the finding; without components every item counts as one trial. Where nothing or
   everything was seen, the bound to be expected is the exact one on the number of items.
3. Labs are sought from those that there are to ``MORE_LABS`` more, items up to ``MOST_ITEMS``.
4. A rate that was found beyond the limit no test is likely to show kept: the fewest answers that
   would show one such rate crossed are sought instead. Within the guard band nothing is proposed.
5. What the judge's own errors leave open no item decides: then more labelled answers are asked for,
   so many times as many as the square of the judge's part over the room that there is.
6. Everything else that is missing is said in words, without a number.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from scipy import special

from countermark.commitments.case import DatedFinding
from countermark.commitments.rates import Held
from countermark.records.decision import NextTest
from countermark.records.finding import FindingCell
from countermark.records.finding_figures import Correction, Estimand, ExactCounts, Figure
from countermark.records.framework import Threshold
from countermark.records.threshold_rules import MetricBound
from countermark.statistics.designs import Size, fewest_items
from countermark.statistics.estimate import Counts, Side, end
from countermark.statistics.variances import Variances
from countermark.taxonomy.languages import language

MORE_LABS = 6
MOST_ITEMS = 100_000
_LEAST_RATE = 1e-3
_UNLUCKY = float(special.ndtri(0.8))  # deviate of the chance that a test shows what it could
Shows: TypeAlias = Literal["kept", "crossed"]

WORDS = {
    1: "Nothing that the gate can weigh: change the framework, or decide outside it.",
    2: "Test this model, task and language.",
    3: "Have people label answers in this language, so that the judge can be validated.",
    6: "Run more items, labs or epochs.",
    7: "Use control items that the model passes, so that its answers mean something.",
    8: "Have more labs run the same protocol.",
    16: "Have it determined and signed, with the evidence weighed that the framework lists.",
    17: "Make the assessment that is due, and have a determination say so.",
    18: "Have the level of security determined and signed.",
    19: "Bring evidence about this snapshot of the model, under this version of the framework.",
    20: "Test again: what there is is too old.",
    22: "Have it shown by somebody more independent.",
    26: "Have it shown whether the thresholds are reached that make this one due.",
}


@dataclass(frozen=True, slots=True)
class Open:
    """A rate that the finding leaves across the limit, and what is known of its spread."""

    language: str
    figure: Figure
    known: Variances
    by_components: bool


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be shown of a rate: a one-sided bound inside a target."""

    shows: Shows
    side: Side
    level: float
    target: float

    def clears(self, bound: float) -> bool:
        """Tell whether a bound stands off the target."""
        return bound < self.target if self.side == "upper" else bound > self.target

    def room(self, value: float) -> float:
        """Return how far a value is from the target, on the side that is to be shown."""
        return self.target - value if self.side == "upper" else value - self.target


def next_test(
    threshold: Threshold, held: Held, findings: Sequence[DatedFinding], model: str
) -> NextTest:
    """Return what would decide an undetermined threshold.

    Parameters
    ----------
    threshold, held
        The threshold, and what became of it.
    findings
        The findings behind it.
    model
        Key of the model under test.
    """
    rule = threshold.rule
    if held.rule == 6 and isinstance(rule, MetricBound):
        rates = tuple(_open_rates(rule, held, findings, model))
        if rates:
            return _counted(rule, rates)
    return NextTest(words=WORDS[held.rule])


def _open_rates(
    rule: MetricBound, held: Held, findings: Sequence[DatedFinding], model: str
) -> Iterator[Open]:
    """Yield each rate of which some bound is undetermined, as of all labs together."""
    wanted = dict.fromkeys(
        (one.language, one.estimand, one.correction)
        for one in held.bounds
        if one.state == "undetermined"
    )
    for tag, estimand, correction in wanted:
        for tested in findings:
            cell = tested.cell(model, rule.task, tag)
            figure = _whole(cell, estimand, correction) if cell else None
            if cell and figure:
                plain = _whole(cell, estimand, "none") or figure
                yield Open(tag, figure, *_variances(plain))


def _whole(cell: FindingCell, estimand: Estimand, correction: Correction) -> Figure | None:
    for figure in cell.figures:
        same = (figure.estimand, figure.correction) == (estimand, correction)
        if same and figure.without_lab is None:
            return figure
    return None


def _variances(figure: Figure) -> tuple[Variances, bool]:
    """Return variances of single scores, and whether the finding's components tell them."""
    rate = min(max(figure.value, _LEAST_RATE), 1 - _LEAST_RATE)
    parts = figure.components
    if parts is not None:
        noise = parts.ms_lab_item if parts.s2_lab_item is None else parts.s2_lab_item
        known = (max(0.0, parts.s2_lab), max(0.0, parts.s2_item), max(0.0, noise))
        epoch = max(0.0, parts.s2_epoch or 0.0)
        if any(known) or epoch:
            return Variances(rate, *known, epoch), True
    return Variances.cautious(rate), False


def _goal(rule: MetricBound, shows: Shows) -> Goal:
    at_most = rule.direction == "at-most"
    if shows == "kept":
        target = rule.limit - rule.guard if at_most else rule.limit + rule.guard
        return Goal(shows, "upper" if at_most else "lower", 1 - rule.alpha_miss, target)
    return Goal(shows, "lower" if at_most else "upper", 1 - rule.alpha_false, rule.limit)


def _counted(rule: MetricBound, rates: Sequence[Open]) -> NextTest:
    """Propose a design: one rate shown crossed, or else all of them kept (rules 1 and 4)."""
    kept, crossed = _goal(rule, "kept"), _goal(rule, "crossed")
    beyond = [one for one in rates if crossed.room(one.figure.value) > 0]
    if beyond:
        found = [_design(crossed, (one,)) for one in beyond]
        designs = [one for one in found if one.items is not None]
        return min(designs, key=_answers, default=found[0])
    if any(kept.room(one.figure.value) <= 0 for one in rates):
        return NextTest(words="The rate was found within the guard band; no test decides it soon.")
    return _design(kept, rates)


def _answers(test: NextTest) -> int:
    return (test.labs or 0) * (test.items or 0)


def _design(goal: Goal, rates: Sequence[Open]) -> NextTest:
    places = " and ".join(dict.fromkeys(language(one.language).english for one in rates))
    found = ", ".join(dict.fromkeys(f"{one.figure.value:.1%}" for one in rates))
    given = f"if the rate is {found} as found"
    judged = {one.language: times for one in rates if (times := _labels(goal, one)) is not None}
    if judged:
        asked = " and ".join(
            f"{times:,} times as many answers in {language(tag).english}"
            for tag, times in judged.items()
        )
        return NextTest(
            words=f"Have people label about {asked}: the judge's own errors alone reach across "
            f"the limit, {given}."
        )
    size = _fewest(goal, rates)
    if size is None:
        most = max(2, *(one.figure.labs for one in rates)) + MORE_LABS
        return NextTest(
            words=f"With up to {most} labs and {MOST_ITEMS:,} items nothing would show it "
            f"{goal.shows}, {given}."
        )
    return NextTest(
        words=f"{size.items:,} items in {places} at each of {size.labs} labs would show it "
        f"{goal.shows} about four times in five, {given}.",
        labs=size.labs,
        items=size.items,
        epochs=1,
    )


def _labels(goal: Goal, one: Open) -> int | None:
    """Return how many times as many labelled answers are needed, where items cannot help."""
    judged = one.figure.judged
    if judged is None:
        return None
    reach = _deviate(judged.judge_df, goal.level) * judged.judge_se
    room = goal.room(one.figure.value)
    return math.floor((reach / room) ** 2) + 1 if reach >= room else None


def _fewest(goal: Goal, rates: Sequence[Open]) -> Size | None:
    fewest: Size | None = None
    start = max(2, *(one.figure.labs for one in rates))
    for labs in range(start, start + MORE_LABS + 1):
        # More labs are worth a look only where they need fewer answers in all.
        most = (fewest.labs * fewest.items - 1) // labs if fewest else MOST_ITEMS
        needed = [_items(goal, one, labs, most) for one in rates]
        known = [items for items in needed if items is not None]
        if len(known) == len(needed):
            fewest = Size(labs, max(known))
    return fewest


def _items(goal: Goal, one: Open, labs: int, most: int) -> int | None:
    """Return the fewest items, up to ``most``, with which a rate's bound clears the goal."""
    figure, left = one.figure, labs - 1 if labs > 2 else labs  # rule 4 leaves each lab out
    if figure.counts is not None:
        return _exact_items(goal, figure.value, figure.counts, most)
    # Without components each item is a trial of its own, whatever the estimand.
    estimand: Estimand = figure.estimand if one.by_components else "generalised"
    items = fewest_items(one.known, left, estimand, _most_variance(goal, figure, left - 1))
    return items if items is not None and items <= most else None


def _most_variance(goal: Goal, figure: Figure, df: int) -> float:
    """Return the greatest variance of the mean with which a bound clears the goal.

    With the standard error ``s`` of the reported rate, its slope ``c``, the room ``R`` and the
    judge's part ``J``, an unlucky rate lies ``u*c*s`` nearer to the target, and the bound clears it
    if ``(d*c*s)**2 + J**2 < (R - u*c*s)**2``: ``d`` is the deviate of a score bound, which takes
    the variance at the target.
    """
    judged, room = figure.judged, goal.room(figure.value)
    rate, slope, part = figure.value, 1.0, 0.0
    if judged is not None:
        rate, slope = judged.reported, judged.slope
        part = _deviate(judged.judge_df, goal.level) * judged.judge_se
    target = rate + (room if goal.side == "upper" else -room) / slope
    if not 0 < target < 1:
        return math.inf
    d = _deviate(df, goal.level) * math.sqrt(target * (1 - target) / (rate * (1 - rate)))
    a, b, c = d**2 - _UNLUCKY**2, room * _UNLUCKY, room**2 - part**2
    if abs(a) < 1e-9:
        return (c / (2 * b) / slope) ** 2
    return ((math.sqrt(b**2 + a * c) - b) / a / slope) ** 2


def _exact_items(goal: Goal, rate: float, counts: ExactCounts, most: int) -> int | None:
    share = counts.events / counts.trials
    unlucky = _UNLUCKY if goal.side == "upper" else -_UNLUCKY

    def clears(items: int) -> bool:
        events = share * items + unlucky * math.sqrt(items * share * (1 - share))
        many = Counts(min(max(0.0, events), items), items, counts.found, counts.labelled)
        return goal.clears(end(rate, goal.level, goal.side, counts=many))

    low, high = 2, most
    if high < low or not clears(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if clears(middle) else (middle + 1, high)
    return low


@lru_cache(maxsize=1024)
def _deviate(df: float, level: float) -> float:
    # The same few are asked for by every rate of a threshold.
    return float(special.stdtrit(df, level))
