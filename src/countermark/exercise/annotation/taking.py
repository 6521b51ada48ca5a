# SPDX-License-Identifier: Apache-2.0
"""Which labels of people a finding rests on, and what they may be used for. Pure.

1. A set that the protocol names says how often a judge is right; it was fixed before the run.
2. Where the protocol names none in a language, that is counted on the answers of the same model
   that were drawn from the exercise and labelled.
3. A drawn set is drawn again here, from the evidence that it names. It is taken only if it holds
   exactly the answers that the draw gives, in the words that the labs revealed.
4. If a lab that it was drawn from is not in the finding, it cannot be drawn again; it is taken, and
   how it was drawn counts as unknown.
5. It is a recorded random sample of a cell, and may rectify the cell's rate, if it was drawn again,
   every lab of the finding was drawn from, none had an answer closed, and every answer has a label.
6. A judge that is a model cannot be run again here. What is counted of it on drawn answers is what
   it said of them at the labs, each version by itself.
7. Each label is set beside the score that the lab's judge gave to that very answer. Answers that
   the judge could not score are left out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from countermark.exercise.annotation.sampling import Pool, Sample, plan_digest
from countermark.exercise.revealing.checking import Revealed
from countermark.exercise.scoring.validation import LabelCounts
from countermark.records.evidence import AnnotationSet
from countermark.records.protocol import Protocol, Task
from countermark.statistics import Labelled
from countermark.statistics.rectification import Sampling

_EVENT = 0.5  # scores of a judge are 0 or 1


@dataclass(frozen=True, slots=True)
class Validating:
    """What a judge is validated on: the set, its answers that count here, and if it was drawn."""

    known: AnnotationSet
    counted: AnnotationSet
    drawn: bool

    def recorded(
        self, scores: Mapping[tuple[str, str], float], versions: Mapping[str, str]
    ) -> tuple[LabelCounts, ...]:
        """Count where judges agreed with people at the labs (rule 6).

        Parameters
        ----------
        scores
            What the labs' judges gave, by lab and name of the sample.
        versions
            The version that each lab used.
        """
        seen: dict[str, Counter[tuple[bool, bool | None]]] = {}
        for one in self.counted.answers:
            if one.lab is not None and one.lab in versions and one.sample is not None:
                score = scores.get((one.lab, one.sample.text))
                said = None if score is None else score >= _EVENT
                seen.setdefault(versions[one.lab], Counter())[one.label, said] += 1
        return tuple(
            LabelCounts(
                version=version,
                positives=counts[True, True] + counts[True, False],
                true_positives=counts[True, True],
                negatives=counts[False, True] + counts[False, False],
                true_negatives=counts[False, False],
                unparsed=counts[True, None] + counts[False, None],
            )
            for version, counts in sorted(seen.items())
        )


@dataclass(frozen=True, slots=True)
class _Checked:
    known: AnnotationSet
    random: frozenset[str]


class People:
    """The labels that a finding takes.

    Parameters
    ----------
    protocol, labs
        The exercise, and the checked evidence of the labs in the finding.
    sets
        Annotation sets that the protocol names, or that participants drew from the exercise.
    """

    def __init__(
        self, protocol: Protocol, labs: Sequence[Revealed], sets: Sequence[AnnotationSet]
    ) -> None:
        named = {digest for task in protocol.tasks for digest in task.annotation_sets}
        self._named = [one for one in sets if one.digest in named]
        self._drawn: dict[tuple[str, str], _Checked] = {}
        pools: dict[tuple[str, ...], Pool] = {}
        for one in sets:
            place = (one.task, one.language)
            if one.protocol == protocol.digest and place not in self._drawn:
                checked = _checked(protocol, labs, one, pools)
                if checked is not None:
                    self._drawn[place] = checked

    def validating(self, task: Task, model: str, language: str) -> Validating | None:
        """Return what a judge is validated on in one cell (rules 1 and 2)."""
        for one in self._named:
            if one.digest in task.annotation_sets and (one.task, one.language) == (
                task.key,
                language,
            ):
                return Validating(one, one, drawn=False)
        drawn = self._drawn.get((task.key, language))
        answers = tuple(
            one
            for one in (drawn.known.answers if drawn else ())
            if one.sample is not None and one.sample.model == model
        )
        if drawn is None or not answers:
            return None
        counted = drawn.known.model_copy(update={"answers": answers})
        return Validating(drawn.known, counted, drawn=True)

    def drawn(self, task: str, language: str) -> AnnotationSet | None:
        """Return the set that was drawn of one task and language, if one is taken."""
        found = self._drawn.get((task, language))
        return found.known if found else None

    def labelled(
        self, task: Task, model: str, language: str, scores: Mapping[tuple[str, str], float]
    ) -> Labelled | None:
        """Return the labels of a cell's own answers, if there are any (rules 5 and 7).

        Parameters
        ----------
        task, model, language
            Which cell.
        scores
            What the labs' judges gave, by lab and name of the sample.
        """
        drawn = self._drawn.get((task.key, language))
        rows = [
            (one.lab, one.sample.item, scores[one.lab, one.sample.text], float(one.label))
            for one in (drawn.known.answers if drawn else ())
            if one.lab is not None
            and one.sample is not None
            and one.sample.model == model
            and (one.lab, one.sample.text) in scores
        ]
        if drawn is None or not rows:
            return None
        sampling: Sampling = "random-same-cell" if model in drawn.random else "unknown"
        lab, item, judge, human = zip(*rows, strict=True)
        return Labelled(lab, item, np.array(judge), np.array(human), language, sampling)


def _checked(
    protocol: Protocol,
    labs: Sequence[Revealed],
    known: AnnotationSet,
    pools: dict[tuple[str, ...], Pool],
) -> _Checked | None:
    """Draw a set again; nothing if it does not hold what the draw gives (rules 3 to 5)."""
    task = protocol.task(known.task)
    if task is None or task.annotation is None or known.draw is None:
        return None
    if known.plan != plan_digest(task.annotation):
        return None
    of = [one for one in labs if one.entry.digest in known.draw.evidence]
    if {one.entry.digest for one in of} != set(known.draw.evidence):
        return _Checked(known, frozenset())
    pool = pools.get(known.draw.evidence) or Pool(protocol, of)
    pools[known.draw.evidence] = pool
    again = pool.draw(task, known.language, task.annotation.per_cell)
    if again is None or not _is_drawn(known, again):
        return None
    every = len(of) == len(labs)
    random = {
        cell.model
        for cell in known.draw.cells
        if every and not cell.closed_labs and not cell.undecided and cell.drawn
    }
    return _Checked(known, frozenset(random))


def _is_drawn(known: AnnotationSet, again: Sample) -> bool:
    assert known.draw is not None  # noqa: S101  the caller has looked
    counted = tuple(cell.model_copy(update={"undecided": 0}) for cell in known.draw.cells)
    if (known.draw.seed, counted) != (again.draw.seed, again.draw.cells):
        return False
    drawn: dict[tuple[str | None, str | None], tuple[str, str]] = {
        (one.lab, one.key.text): (one.prompt, one.answer) for one in again.answers
    }
    said = {
        (one.lab, one.sample.text if one.sample else None): (one.prompt, one.answer)
        for one in known.answers
    }
    if len(said) != len(known.answers) or not said.items() <= drawn.items():
        return False
    return all(
        cell.drawn - cell.undecided
        == sum(one.sample is not None and one.sample.model == cell.model for one in known.answers)
        for cell in known.draw.cells
    )
