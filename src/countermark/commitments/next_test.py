# SPDX-License-Identifier: Apache-2.0
"""The next test that would decide a threshold for least. Pure.

1. For a limit on a rate whose interval reaches across it: the fewest answers, over labs and items
   of one epoch each, with which the one-sided bound is expected to stand off the limit by what the
   error budget and the guard band demand, if the rate is what it was found to be. The variance of
   a design is that of :func:`~countermark.statistics.designs.mean_variance`, of the components in
   the finding; without components every item counts as one trial. The bound is
   ``rate + t(1 - alpha, labs - 1) * sqrt(variance)``, so with few labs it is wide.
2. Labs are sought from those that there are to ``MORE_LABS`` more, items up to ``MOST_ITEMS``.
3. A rate that was found beyond the limit, or within its guard band, no test is likely to show kept:
   the fewest answers that would show it crossed are sought instead.
4. Everything else that is missing is said in words, without a number.
"""

from collections.abc import Callable, Sequence

from scipy import special

from countermark.commitments.case import DatedFinding
from countermark.commitments.rates import Held
from countermark.records.decision import BoundUsed, NextTest
from countermark.records.finding_figures import Figure
from countermark.records.framework import Threshold
from countermark.records.threshold_rules import MetricBound
from countermark.statistics.designs import Size, mean_variance
from countermark.statistics.estimate import NotComputable
from countermark.statistics.variances import Variances

MORE_LABS = 6
MOST_ITEMS = 100_000
_LEAST_RATE = 1e-3

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
    rule, used = threshold.rule, held.deciding
    if held.rule == 6 and isinstance(rule, MetricBound) and used is not None:
        cells = [one.cell(model, rule.task, used.language) for one in findings]
        for cell in cells:
            for figure in cell.figures if cell else ():
                if _is_of(figure, used):
                    return _counted(rule, figure)
    return NextTest(words=WORDS[held.rule])


def _is_of(figure: Figure, used: BoundUsed) -> bool:
    return figure.without_lab is None and (figure.estimand, figure.correction) == (
        used.estimand,
        used.correction,
    )


def _counted(rule: MetricBound, figure: Figure) -> NextTest:
    sign = 1 if rule.direction == "at-most" else -1
    room = sign * (rule.limit - figure.value) - rule.guard
    shows, alpha = ("kept", rule.alpha_miss) if room > 0 else ("crossed", rule.alpha_false)
    if room <= 0:
        room = sign * (figure.value - rule.limit)
    if room <= 0:
        return NextTest(words="The rate was found within the guard band; no test decides it soon.")
    size = _fewest(_variances(figure), figure, alpha, room)
    if size is None:
        return NextTest(
            words=f"With up to {figure.labs + MORE_LABS} labs and {MOST_ITEMS:,} items nothing "
            f"would show it {shows}, if the rate is {figure.value:.1%} as found."
        )
    return NextTest(
        words=f"{size.items:,} items at each of {size.labs} labs would be expected to show it "
        f"{shows}, if the rate is {figure.value:.1%} as found.",
        labs=size.labs,
        items=size.items,
        epochs=1,
    )


def _variances(figure: Figure) -> Variances:
    rate = min(max(figure.value, _LEAST_RATE), 1 - _LEAST_RATE)
    parts = figure.components
    if parts is None:
        return Variances.cautious(rate)
    noise = parts.ms_lab_item if parts.s2_lab_item is None else parts.s2_lab_item
    known = (max(0.0, parts.s2_lab), max(0.0, parts.s2_item), max(0.0, noise))
    if not any(known):
        return Variances.cautious(rate)
    return Variances(rate, *known, max(0.0, parts.s2_epoch or 0.0))


def _fewest(known: Variances, figure: Figure, alpha: float, room: float) -> Size | None:
    fewest: Size | None = None
    for labs in range(max(2, figure.labs), max(2, figure.labs) + MORE_LABS + 1):
        most = (room / float(special.stdtrit(labs - 1, 1 - alpha))) ** 2

        def reaches(items: int, labs: int = labs, most: float = most) -> bool:
            variance = mean_variance(known, Size(labs, items), figure.estimand)
            return not isinstance(variance, NotComputable) and variance < most

        # More labs are worth a look only where they need fewer answers in all.
        most_items = (fewest.labs * fewest.items - 1) // labs if fewest else MOST_ITEMS
        items = _first(reaches, most_items)
        if items is not None:
            fewest = Size(labs, items)
    return fewest


def _first(holds: Callable[[int], bool], high: int) -> int | None:
    """Return the fewest items up to ``high`` for which something holds that then goes on to."""
    low = 2
    if high < low or not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
