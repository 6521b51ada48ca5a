# SPDX-License-Identifier: Apache-2.0
"""Which correction for the judge leads, and why. Both are always given, side by side.

Each rests on something that figures cannot show. The rectified rate needs people's labels to be a
random sample of these answers. Rogan and Gladen's needs the judge to err here as often as where it
was measured. ``benchmarks/judges.py`` prints what each costs when it does not hold.

Rules
-----
1. The rectified rate leads if its sample is on record as random from the same cell.
2. Otherwise Rogan and Gladen's leads.
3. Where the one that should lead was not computed, the other leads only if its own assumption is
   not known to fail: never the rectified rate of a sample that is not on record as random.
4. If neither may lead, there is no headline, and both reasons are in the text.
5. The two disagree if they differ by more than twice the standard error that labels give the
   difference, taken as if the two used separate labels. Disagreement does not change which leads;
   it is said.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from countermark.statistics.correction import Correction
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, Estimate, NotComputable
from countermark.statistics.rectification import Rectification

Headline = Literal["prediction-powered", "rogan-gladen"]

_NAMES: dict[Headline, str] = {
    "prediction-powered": "the rate rectified with people's labels",
    "rogan-gladen": "the rate corrected by sensitivity and specificity",
}
_BECAUSE = {
    "random-same-cell": "people labelled a recorded random sample of these answers",
    "elsewhere": "people's labels are not of these answers",
    "unknown": "it is not on record how the labelled answers were drawn",
}
_BEYOND = 2.0  # standard errors


@dataclass(frozen=True, slots=True)
class Choice:
    """The two corrected rates of one estimand, and which one leads.

    Parameters
    ----------
    headline
        Which leads; ``None`` if neither may.
    reason
        Why, in a sentence or two.
    prediction_powered, rogan_gladen
        Both rates, or why there is none.
    difference
        The first minus the second; ``None`` unless both were computed.
    difference_se
        Its standard error from labels; ``None`` where *rogan_gladen* has an exact bound.
    disagree
        Rule 5.
    """

    headline: Headline | None
    reason: str
    prediction_powered: Estimate | NotComputable
    rogan_gladen: Estimate | NotComputable
    difference: float | None
    difference_se: float | None
    disagree: bool

    @property
    def leading(self) -> Estimate | None:
        """The rate that leads."""
        found = {"prediction-powered": self.prediction_powered, "rogan-gladen": self.rogan_gladen}
        estimate = found[self.headline] if self.headline else None
        return estimate if isinstance(estimate, Estimate) else None


def choose(rectified: Rectification, corrected: Correction, estimand: Estimand) -> Choice:
    """Put the two corrections of one crossing side by side.

    Parameters
    ----------
    rectified, corrected
        Of :func:`~countermark.statistics.rectification.rectify` and
        :func:`~countermark.statistics.correction.correct`, of one crossing.
    estimand
        Which rate.

    Raises
    ------
    StatisticsError
        If there is no such estimand, or the two are not of the same crossing.
    """
    if estimand not in get_args(Estimand):
        raise StatisticsError(
            f"{estimand!r} is not an estimand. Choose {' or '.join(get_args(Estimand))}."
        )
    first: Estimate | NotComputable = getattr(rectified, estimand)
    second: Estimate | NotComputable = getattr(corrected, estimand)
    difference = error = None
    if isinstance(first, Estimate) and isinstance(second, Estimate):
        if (first.labs, first.items) != (second.labs, second.items):
            raise StatisticsError(
                f"One rate is of {first.labs} labs and {first.items} items, the other of "
                f"{second.labs} and {second.items}. Correct the same crossing by both."
            )
        difference = first.value - second.value
        if second.judged is not None:
            error = math.hypot(rectified.label_se, second.judged.judge_se)
    disagree = difference is not None and error is not None and abs(difference) > _BEYOND * error
    headline, reason = _headline(rectified, first, second)
    if disagree:
        reason += (
            f" The two differ by {difference:+.3f}, more than their labels explain: either the "
            "sample is not random, or the judge errs here otherwise than where it was measured."
        )
    return Choice(headline, reason, first, second, difference, error, disagree)


def _headline(
    rectified: Rectification, first: Estimate | NotComputable, second: Estimate | NotComputable
) -> tuple[Headline | None, str]:
    random = rectified.sampling == "random-same-cell"
    because = _BECAUSE[rectified.sampling]
    preferred: Headline = "prediction-powered" if random else "rogan-gladen"
    lost = first if random else second
    if not isinstance(lost, NotComputable):
        return preferred, f"{_start(preferred)} leads: {because}."
    if isinstance(second, Estimate):
        return "rogan-gladen", (
            f"{_start('rogan-gladen')} leads, although {because}: {_NAMES['prediction-powered']} "
            f"was not computed. {lost.reason}"
        )
    other = second if random else first
    missing = [found.reason for found in (lost, other) if isinstance(found, NotComputable)]
    return None, f"No corrected rate leads: {because}. {' '.join(dict.fromkeys(missing))}"


def _start(name: Headline) -> str:
    return _NAMES[name].capitalize()
