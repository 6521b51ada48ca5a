# SPDX-License-Identifier: Apache-2.0
"""The joint rate by a judge and some people: prediction-powered inference on a crossing.

People label a random sample of the answers that the judge scored. The judge's mean over all answers
is then rectified by what people say on the sample (Angelopoulos, Duchi and Zrnic 2023, *PPI++*,
its power tuning for a mean; in survey sampling this is the regression estimator)::

    rate = lambda * mean of judge over all + mean of (human - lambda * judge) over the sample

Nothing is assumed of the judge: a bad one helps less, and with few labels tuning costs a little.
All rests on the sample being random.

The labs share items, and the sample shares items with the rest, so the two means are not
independent. Each cell therefore gets a *rectified* mean, which has the human mean of that cell as
its expectation over the drawing of the sample::

    cell = a + lambda * judge's mean + (answers per label) * sum of residuals labelled in the cell

with ``human = a + lambda * judge + residual``. The mean of these cells is the rate above. The
two-way layout of :mod:`countermark.statistics.crossed`, applied to them, takes in labs, items,
epochs, the drawing of the sample, and every covariance among them. If all answers are labelled, the
result is that of ``crossed`` on the human scores. The cells are the pseudo-outcomes of doubly
robust estimation (Robins, Rotnitzky and Zhao 1994) with a known chance of being labelled.

Rules
-----
1. Only a sample that was drawn at random from the answers of the same cell rectifies. One from
   elsewhere gives nothing; with one of unknown origin the figures are computed and may not lead
   (see :mod:`countermark.statistics.choice`).
2. Labels of another language rectify nothing.
3. Every label belongs to an answer of the crossing. Labels of items that not every lab scored are
   left out with their items, and counted.
4. Each judge version is rectified with its own labels, at least ten, drawn from all answers that
   it scored.
5. ``lambda`` is the slope of human on judge in the sample, within 0 to 1. It minimises the variance
   of the sum. PPI++ writes its two means over separate answers; its
   ``cov / (var * (1 + n / N))`` is the same slope.
6. Cells count the same: a label from a cell with many epochs counts less.
7. Scores may be anything from 0 to 1. If all labels are 0, or all are 1, nothing is computed: the
   labels then bound the rate on their own.
8. With one lab the benchmark rate is not computed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countermark.statistics.crossed import Design, alike, design, finish, sampling_error
from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, Estimate, NotComputable
from countermark.statistics.intervals import check_level, exact_upper
from countermark.statistics.layout import Array, degrees_of_freedom, mean_squares

Sampling = Literal["random-same-cell", "elsewhere", "unknown"]

_LEAST = 10  # labels a judge version
_SLACK = 1e-9  # sums of scores made elsewhere carry rounding


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Answers of a crossing that people labelled.

    Parameters
    ----------
    lab, item
        ``(n,)``: where each labelled answer is in the crossing; one entry an epoch.
    judge, human
        ``(n,)`` scores from 0 to 1 of the same answer.
    language
        Tag of the language of these answers.
    sampling
        How they were drawn, as recorded *before* people labelled them: ``random-same-cell`` if
        each answer of the crossing that the judge version scored had the same chance.
    """

    lab: Sequence[str]
    item: Sequence[str]
    judge: Array
    human: Array
    language: str
    sampling: Sampling

    def __post_init__(self) -> None:
        judge, human = _scores("judge", self.judge), _scores("human", self.human)
        if not len(self.lab) == len(self.item) == judge.size == human.size:
            raise StatisticsError(
                f"There are {len(self.lab)} labs, {len(self.item)} items, {judge.size} scores by "
                f"the judge and {human.size} by people. Give one of each for every answer."
            )
        if self.sampling not in get_args(Sampling):
            raise StatisticsError(
                f"{self.sampling!r} is no way of sampling. Say {', '.join(get_args(Sampling))}."
            )
        object.__setattr__(self, "judge", judge)
        object.__setattr__(self, "human", human)


@dataclass(frozen=True, slots=True)
class Rectifier:
    """What people's labels did to the scores of one judge version.

    Parameters
    ----------
    version, labelled, answers
        The judge version, how many of its answers are labelled, and how many it scored.
    weight
        ``lambda``: 0 takes the labels alone.
    shift
        Mean of ``human - judge`` in the sample: what the judge is off by.
    label_se
        Standard error that comes of labelling a sample and not all.
    """

    version: str
    labelled: int
    answers: int
    weight: float
    shift: float
    label_se: float


@dataclass(frozen=True, slots=True)
class Rectification:
    """The rectified rate for both estimands, and how it was made.

    ``label_se`` is the part of the standard error that more labels would take away; 0 where
    nothing was computed. ``dropped`` counts the labels of rule 3.
    """

    benchmark: Estimate | NotComputable
    generalised: Estimate | NotComputable
    rectifiers: tuple[Rectifier, ...]
    label_se: float
    dropped: int
    sampling: Sampling


def rectify(
    crossing: Crossing,
    versions: Mapping[str, str],
    labelled: Labelled,
    language: str,
    level: float = 0.95,
) -> Rectification:
    """Rectify the judges' joint rate with people's labels of a random sample.

    Parameters
    ----------
    crossing
        Scores from 0 to 1 by the judges, of one model, task and language.
    versions
        The judge version that each lab used, by lab.
    labelled
        The sample, of all labs together.
    language
        The language of the crossing.
    level
        Two-sided confidence.

    Returns
    -------
    Rectification
        Its estimates have the shape *effective*: a score interval, so that a rare event's bound
        is not too low when the sample happened to hold few.

    Raises
    ------
    StatisticsError
        If a lab has no version, or a label belongs to no answer of the crossing (rule 3).
    """
    check_level(level)
    unsaid = [lab for lab in crossing.labs if lab not in versions]
    if unsaid:
        raise StatisticsError(
            f"No judge version is given for lab {unsaid[0]!r}. Say which one it used."
        )
    row, column = _places(crossing, labelled)
    plan = _refusal(labelled, language) or design(crossing)
    if isinstance(plan, NotComputable):
        return Rectification(plan, plan, (), 0.0, 0, labelled.sampling)
    kept = np.all(crossing.count > 0, axis=0)
    place, keep = np.cumsum(kept) - 1, kept[column]
    dropped = int((~keep).sum())
    sample = _Sample(
        row[keep],
        place[column[keep]],
        labelled.judge[keep],
        labelled.human[keep],
        crossing.count[:, kept],
    )
    done = _rectified(plan, [versions[lab] for lab in crossing.labs], sample)
    if isinstance(done, NotComputable):
        return Rectification(done, done, (), 0.0, dropped, labelled.sampling)
    cells, rectifiers, label_se = done
    whole = replace(plan, cells=cells, s2_epoch=None, epoch_df=0)
    return Rectification(
        _estimate(whole, "benchmark", level),
        _estimate(whole, "generalised", level),
        rectifiers,
        label_se,
        dropped,
        labelled.sampling,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Labels by their place in the complete crossing, and the ``(K, I)`` answers there."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    judge: Array
    human: Array
    count: NDArray[np.int64]

    def of(self, rows: Sequence[int]) -> "_Sample":
        here = np.isin(self.row, rows)
        return _Sample(
            self.row[here], self.column[here], self.judge[here], self.human[here], self.count
        )


def _rectified(
    plan: Design, used: Sequence[str], sample: _Sample
) -> tuple[Array, tuple[Rectifier, ...], float] | NotComputable:
    cells = np.empty_like(plan.cells)
    rectifiers, variance = [], 0.0
    for version in sorted(set(used)):
        rows = [k for k, name in enumerate(used) if name == version]
        own = sample.of(rows)
        labels = len(own.human)
        if labels < _LEAST:
            return NotComputable(
                f"Of the answers that judge version {version!r} scored, {labels} are labelled. "
                f"Label at least {_LEAST}, drawn at random."
            )
        if np.ptp(own.human) == 0 and own.human[0] in (0, 1):
            return _all_alike(int(own.human[0]), own)
        found, part = _one_version(plan, rows, own, version)
        cells[rows] = part
        rectifiers.append(found)
        variance += (len(rows) / plan.labs * found.label_se) ** 2
    return cells, tuple(rectifiers), math.sqrt(variance)


def _one_version(
    plan: Design, rows: Sequence[int], own: _Sample, version: str
) -> tuple[Rectifier, Array]:
    """Rectify the cells of the labs that used one judge version (rules 5 and 6)."""
    share = 1 / own.count[own.row, own.column]
    share = share / share.sum()
    judge, human = own.judge - share @ own.judge, own.human - share @ own.human
    spread = float(share @ judge**2)
    slope = float(share @ (judge * human)) / spread if spread > _SLACK else 0.0
    weight = min(1.0, max(0.0, slope))
    residual = human - weight * judge
    start = float(share @ own.human) - weight * float(share @ own.judge)
    added = np.zeros_like(plan.cells)
    np.add.at(added, (own.row, own.column), share * residual * (len(rows) * plan.items))
    labels, answers = len(human), int(own.count[rows].sum())
    square = float(((share * residual) ** 2).sum()) * labels / (labels - 2)
    found = Rectifier(
        version=version,
        labelled=labels,
        answers=answers,
        weight=weight,
        shift=float(share @ (own.human - own.judge)),
        label_se=math.sqrt(square * (1 - labels / answers)),
    )
    return found, start + weight * plan.cells[rows] + added[rows]


def _estimate(whole: Design, estimand: Estimand, level: float) -> Estimate | NotComputable:
    if estimand == "generalised" and whole.items == 1:
        return NotComputable("One item says nothing about the population of items.")
    if estimand == "benchmark" and whole.labs == 1:
        return NotComputable(
            "Labels of one lab do not show how far its rate on these items would differ on another "
            "run. A second lab would."
        )
    ms = mean_squares(whole.cells)
    if alike(ms) or not 0 < whole.value < 1:
        return NotComputable(
            f"The labels put every cell at {whole.value:.3g}, or the rate outside 0 to 1, so "
            "nothing shows how far it varies. Label more answers."
        )
    error = sampling_error(whole, ms, estimand)
    if isinstance(error, NotComputable):
        return error
    return finish(
        whole,
        estimand,
        level,
        whole.value,
        "prediction-powered",
        se=math.sqrt(float(error.total)),
        df=float(degrees_of_freedom(error)),
    )


def _refusal(labelled: Labelled, language: str) -> NotComputable | None:
    if labelled.language != language:
        return NotComputable(
            f"The labelled answers are in {labelled.language}, and these scores are in {language}. "
            f"A judge errs differently in each language: label answers in {language}."
        )
    if labelled.sampling == "elsewhere":
        return NotComputable(
            "The labelled answers were not drawn from these answers, so they cannot rectify the "
            "judge's rate. Label a random sample of this cell."
        )
    return None


def _all_alike(score: int, own: _Sample) -> NotComputable:
    items = len(np.unique(own.column))
    limit = exact_upper(0, items, 0.95)
    kind, bound = ("an event", limit) if score == 0 else ("other than an event", 1 - limit)
    side = "at most" if score == 0 else "at least"
    return NotComputable(
        f"None of the {len(own.human)} labelled answers is {kind}. The labels alone say, at 95 % "
        f"confidence, that the rate is {side} {bound:.3g} ({items} items). Label more answers."
    )


def _scores(what: str, given: ArrayLike) -> Array:
    scores = np.asarray(given, dtype=np.float64)
    if scores.ndim != 1 or not ((scores >= 0) & (scores <= 1)).all():
        raise StatisticsError(
            f"The {what} scores of labelled answers are one row of numbers from 0 to 1. Rescale "
            "them, and leave out answers that either could not score."
        )
    return scores


def _places(crossing: Crossing, labelled: Labelled) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find each label in the crossing, and see that the answers there can hold it (rule 3)."""
    rows = {lab: k for k, lab in enumerate(crossing.labs)}
    columns = {item: i for i, item in enumerate(crossing.items)}
    for lab, item in zip(labelled.lab, labelled.item, strict=True):
        if lab not in rows or item not in columns:
            raise StatisticsError(
                f"A label belongs to item {item!r} at lab {lab!r}, which is not in the crossing. "
                "Give only labels of answers that the judge scored here."
            )
    number = len(labelled.lab)
    row = np.fromiter((rows[lab] for lab in labelled.lab), np.int64, number)
    column = np.fromiter((columns[item] for item in labelled.item), np.int64, number)
    labels, total = np.zeros_like(crossing.total), np.zeros_like(crossing.total)
    np.add.at(labels, (row, column), 1)
    np.add.at(total, (row, column), labelled.judge)
    rest, left = crossing.count - labels, crossing.total - total
    wrong = np.argwhere((rest < 0) | (left < -_SLACK) | (left > rest + _SLACK))
    if wrong.size:
        k, i = (int(place) for place in wrong[0])
        raise StatisticsError(
            f"The labels of item {crossing.items[i]!r} at lab {crossing.labs[k]!r} come with more "
            "answers, or other scores by the judge, than the crossing has there. Take both from "
            "the same judge version, and each label once."
        )
    return row, column
