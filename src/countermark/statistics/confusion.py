# SPDX-License-Identifier: Apache-2.0
"""What a judge makes of answers that people labelled, one table a language.

Rules
-----
1. Languages are never pooled: a judge's errors differ between them.
2. Answers that the judge could not read are counted apart and are in no table.
3. Every label and verdict is one of the declared levels.
4. Intervals are exact (Clopper-Pearson). They take the labelled answers as independent.
5. Sensitivity of a level is the share of answers people put there that the judge put there too;
   specificity, the share of the others that it put elsewhere. Without such answers, it is
   ``NotComputable``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from countermark.statistics.correction import Validity
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.intervals import Interval, check_level, clopper_pearson


@dataclass(frozen=True, slots=True)
class Share:
    """``number`` of ``of`` answers, as a share with its exact interval."""

    number: int
    of: int
    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class LevelConfusion:
    """How the judge deals with one level; ``prevalence`` is its share among people's labels."""

    level: float
    prevalence: Share
    sensitivity: Share | NotComputable
    specificity: Share | NotComputable


@dataclass(frozen=True, slots=True)
class Confusion:
    """A judge against people in one language.

    Parameters
    ----------
    language
        Tag of the language.
    levels
        The ``M`` levels, ascending.
    table
        ``M`` rows of ``M`` counts: people's level by row, the judge's by column.
    unread
        Labelled answers that the judge could not read.
    discrepancy
        Share of answers where the two differ.
    by_level
        Each level in turn; of two levels the second is the event.
    """

    language: str
    levels: tuple[float, ...]
    table: tuple[tuple[int, ...], ...]
    unread: int
    discrepancy: Share
    by_level: tuple[LevelConfusion, ...]

    @property
    def validity(self) -> Validity | NotComputable:
        """Counts for a correction: of two levels, where both kinds were labelled."""
        if len(self.levels) != 2:
            return NotComputable("A correction by sensitivity and specificity needs two levels.")
        (true_negative, false_positive), (false_negative, true_positive) = self.table
        negatives, positives = true_negative + false_positive, false_negative + true_positive
        if not (negatives and positives):
            return NotComputable(
                f"Only one kind of answer was labelled in {self.language}, so nothing shows that "
                "the judge tells them apart. Label answers of the other kind."
            )
        return Validity(true_positive, positives, true_negative, negatives, self.language)


def confusion(
    judge: ArrayLike,
    human: ArrayLike,
    language: Sequence[str],
    levels: Sequence[float] = (0.0, 1.0),
    level: float = 0.95,
) -> tuple[Confusion | NotComputable, ...]:
    """Count verdicts against labels, language by language.

    Parameters
    ----------
    judge, human, language
        Equally long, one entry a labelled answer; NaN where the judge could not be read.
    levels
        What both may say, ascending.
    level
        Two-sided confidence.

    Returns
    -------
    tuple
        One entry a language, in ascending order of the tags; ``NotComputable`` where the judge
        could read nothing.

    Raises
    ------
    StatisticsError
        If the lengths differ or a score is none of the levels.
    """
    check_level(level)
    known = np.asarray(levels, dtype=np.float64)
    if known.size < 2 or not np.isfinite(known).all() or (np.diff(known) <= 0).any():
        raise StatisticsError(
            f"{tuple(levels)} are no levels. Give two or more numbers, ascending."
        )
    said, true = np.asarray(judge, dtype=np.float64), np.asarray(human, dtype=np.float64)
    if said.ndim != 1 or not said.shape == true.shape == (len(language),):
        raise StatisticsError(
            f"There are {said.size} verdicts, {true.size} labels and {len(language)} languages. "
            "Give one of each for every labelled answer."
        )
    read = ~np.isnan(said)
    wrong = np.flatnonzero(~np.isin(true, known) | (read & ~np.isin(said, known)))
    if wrong.size:
        j = int(wrong[0])
        raise StatisticsError(
            f"Answer {j} has the label {true[j]} and the verdict {said[j]}, of which one is none "
            f"of the levels {', '.join(f'{one:g}' for one in known)}. Declare the level."
        )
    tags = np.asarray(language, dtype=object)
    found: list[Confusion | NotComputable] = []
    for tag in sorted(set(language)):
        here = np.asarray(tags == tag, dtype=bool)
        use = here & read
        if not use.any():
            found.append(
                NotComputable(f"The judge could read none of the labelled answers in {tag}.")
            )
            continue
        rows, columns = np.searchsorted(known, true[use]), np.searchsorted(known, said[use])
        cells = np.bincount(rows * known.size + columns, minlength=known.size**2)
        table = cells.reshape(known.size, known.size)
        found.append(_confusion(tag, known, table, int((here & ~read).sum()), level))
    return tuple(found)


def _confusion(
    tag: str, known: np.ndarray, table: np.ndarray, unread: int, level: float
) -> Confusion:
    whole, right = int(table.sum()), int(np.trace(table))
    by_level = []
    for place, value in enumerate(known):
        positives, called = int(table[place].sum()), int(table[:, place].sum())
        hits, negatives = int(table[place, place]), whole - positives
        by_level.append(
            LevelConfusion(
                level=float(value),
                prevalence=_share(positives, whole, level),
                sensitivity=_share(hits, positives, level)
                if positives
                else NotComputable(f"People put no answer in {tag} at level {value:g}."),
                specificity=_share(negatives - (called - hits), negatives, level)
                if negatives
                else NotComputable(f"People put every answer in {tag} at level {value:g}."),
            )
        )
    return Confusion(
        language=tag,
        levels=tuple(known.tolist()),
        table=tuple(tuple(int(cell) for cell in row) for row in table),
        unread=unread,
        discrepancy=_share(whole - right, whole, level),
        by_level=tuple(by_level),
    )


def _share(number: int, of: int, level: float) -> Share:
    return Share(number, of, number / of, clopper_pearson(number, of, level))
