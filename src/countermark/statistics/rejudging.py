# SPDX-License-Identifier: Apache-2.0
"""Whether a judge repeats itself: the same answers, judged again by the same version.

A judge drawn with chance says different things of one answer. Model of its score of answer ``i`` in
session ``r``, all terms random::

    score[i, r] = mean + answer[i] + session[r] + chance[i, r]

``chance`` averages out over answers; ``session``, such as a changed backend, does not, however many
answers there are. A judge that always says the same has neither and may still be wrong: see
:mod:`countermark.statistics.confusion`.

Rules
-----
1. Only answers with a verdict in every session count; the others are counted as ``unread``.
2. An answer flips if its verdicts are not all equal. Its share grows with the number of sessions;
   ``differ``, the chance that two verdicts on one answer are unlike, does not.
3. ``s2_chance`` is the mean over answers of the variance between verdicts about the sessions'
   means; its interval is a score interval of that mean. A verdict pair can differ by one at most,
   so the variance is at most 1/2, and the bounds are those of a rate of twice the variance.
4. If no answer flips, the bounds are exact: no flip among that many answers.
5. ``s2_session`` is 0 if the sessions differ by no more than chance explains. By chance they may
   differ by more without cause, so what it adds is rather too much than too little.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.intervals import (
    Interval,
    check_level,
    clopper_pearson,
    score_bound,
)
from countermark.statistics.layout import Array, mean_squares

_MOST = 0.5  # variance of two verdicts that differ by one


@dataclass(frozen=True, slots=True)
class JudgeRepeatability:
    """How far a judge repeats itself.

    Parameters
    ----------
    answers, sessions, unread
        Answers judged in every session, sessions, and answers left out (rule 1).
    flips, flip_interval
        Share of answers that flip, with its exact interval (Clopper-Pearson).
    differ
        Chance that two verdicts on one answer are unlike.
    s2_chance, s2_chance_interval
        Variance of a verdict from session to session on one answer.
    s2_session
        Variance of what a whole session is shifted by.
    s2_answer
        Variance between answers.
    """

    answers: int
    sessions: int
    unread: int
    flips: float
    flip_interval: Interval
    differ: float
    s2_chance: float
    s2_chance_interval: Interval
    s2_session: float
    s2_answer: float

    @property
    def share(self) -> float:
        """Share of the variance of a single verdict that is the judge's chance; 0 to 1."""
        whole = self.s2_answer + self.s2_session + self.s2_chance
        return self.s2_chance / whole if whole else 0.0

    def adds(self, answers: int, verdicts: int = 1) -> float:
        """Variance that re-judging adds to the mean score of answers.

        ``s2_session / verdicts + s2_chance / (answers * verdicts)``. Where each epoch was judged
        once in one session, the ``s2_chance`` part is in the spread between epochs already and
        must not be added again.

        Parameters
        ----------
        answers
            Answers that the rate is a mean of.
        verdicts
            How many sessions judged each of them, their verdicts being averaged.
        """
        if answers < 1 or verdicts < 1:
            raise StatisticsError(
                f"{answers} answers with {verdicts} verdicts each have no mean. Give one or more."
            )
        return (self.s2_session + self.s2_chance / answers) / verdicts


def judge_repeatability(
    verdicts: ArrayLike, level: float = 0.95
) -> JudgeRepeatability | NotComputable:
    """Compare a judge with itself.

    Parameters
    ----------
    verdicts
        ``(U, R)`` scores from 0 to 1: answer by session; NaN where the judge could not be read.
    level
        Two-sided confidence.

    Raises
    ------
    StatisticsError
        If this is no table, or a score is not from 0 to 1.
    """
    check_level(level)
    table = np.asarray(verdicts, dtype=np.float64)
    read = ~np.isnan(table)
    if table.ndim != 2 or not ((table[read] >= 0) & (table[read] <= 1)).all():
        raise StatisticsError(
            f"Verdicts are a table of answers and sessions, with scores from 0 to 1; this has "
            f"shape {table.shape}. Rescale scores, and use NaN where the judge could not be read."
        )
    whole = table[read.all(axis=1)]
    answers, sessions = whole.shape
    if sessions < 2 or answers < 2:
        return NotComputable(
            f"{answers} answers have a verdict in each of {sessions} sessions. Two of each are "
            "needed. Judge a sample of the answers again."
        )
    ms = mean_squares(whole.T)
    chance = float(ms.lab_item)
    flipped = int((np.ptp(whole, axis=1) > 0).sum())
    return JudgeRepeatability(
        answers=answers,
        sessions=sessions,
        unread=len(table) - answers,
        flips=flipped / answers,
        flip_interval=clopper_pearson(flipped, answers, level),
        differ=_unlike(whole),
        s2_chance=chance,
        s2_chance_interval=_chance_interval(whole, chance, level),
        s2_session=max(0.0, float(ms.lab) - chance) / answers,
        s2_answer=max(0.0, float(ms.item) - chance) / sessions,
    )


def _unlike(whole: Array) -> float:
    sessions = whole.shape[1]
    pairs = [
        (whole[:, first] != whole[:, second]).mean()
        for first in range(sessions)
        for second in range(first + 1, sessions)
    ]
    return float(np.mean(pairs))


def _chance_interval(whole: Array, chance: float, level: float) -> Interval:
    answers, sessions = whole.shape
    rest = whole - whole.mean(axis=0) - whole.mean(axis=1)[:, None] + whole.mean()
    each = (rest**2).sum(axis=1) * answers / ((answers - 1) * (sessions - 1))
    spread = float(each.std(ddof=1)) / math.sqrt(answers)
    rate = min(chance / _MOST, 1.0)
    if spread <= 1e-12 or rate in (0, 1):
        exact = clopper_pearson(rate * answers, answers, level)
        return Interval(_MOST * exact.lower, _MOST * exact.upper, level)
    trials = rate * (1 - rate) / (spread / _MOST) ** 2
    deviate = float(special.stdtrit(answers - 1, (1 + level) / 2))
    lower, upper = (score_bound(rate, trials, side * deviate) for side in (-1, 1))
    return Interval(_MOST * lower, _MOST * upper, level)
