# SPDX-License-Identifier: Apache-2.0
"""The scorers of a cell beside each other: rates, counts, repeatability, agreement. Pure.

1. Each scorer of the test items has counts of its own, in each version: what was submitted is
   *scored*, *unparsed*, *judge-refused* or *not attempted*, and nothing leaves a denominator.
2. A judge of which no labelled answers in the language are known, or that was not run on them, is
   *not validated*: counts, and no rate, no bounds, no number of events. Where the cell itself has
   no rates, no version of the task's own scorer has one.
3. A judge whose labelled answers do not show that it can tell events from others is *not
   computable*: no rate either.
4. Beside each rate stand two bounds: the share of events among all answers if none, or all, of the
   answers without a score were events. Languages whose bounds overlap may differ by parse failures
   alone.
5. Repeats of one lab, and another lab's run of the same judge against the first verdicts, show how
   far a judge repeats itself; a verdict that is missing is counted, never filled in.
   Nothing is given of a scorer without a rate from which the rate could be computed.
6. Two scorers are compared on the answers of which both have a verdict. A version that did not
   score at the lab itself is taken from rejudgements, the first by name of the lab.
7. The validity of a judge that is a model is read from its rejudgement of the labelled answers; of
   several, the first by name of the lab.
8. A cell has such figures if a judge or more than one scorer looked at it, or an answer has no
   score.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from countermark.exercise.joint.agreeing import Number, Place, beyond_chance, repeatability
from countermark.exercise.joint.analysing import LEVEL
from countermark.exercise.revealing.checking import Revealed
from countermark.exercise.scoring import named
from countermark.exercise.scoring.validation import LabelCounts, label_counts, reply_counts
from countermark.records import judging as records
from countermark.records.evidence import AnnotationSet
from countermark.records.protocol import Scorer, ScorerVersion, Task
from countermark.records.rejudgement import Rejudgement
from countermark.records.sample import SampleScores
from countermark.statistics import (
    Crossing,
    Estimate,
    NotComputable,
    Validity,
    correct,
    crossed,
)

Name = tuple[str, str]
"""Key and version of a scorer."""


def validity_counts(
    scorer: str,
    pinned: ScorerVersion,
    annotations: AnnotationSet,
    taken: Sequence[Rejudgement],
) -> LabelCounts | None:
    """Return what a judge made of labelled answers; nothing where it was not run (rule 7)."""
    if pinned.judge is None:
        return label_counts(scorer, pinned.version, annotations)
    own = [
        one
        for one in taken
        if one.annotation_set == annotations.digest
        and (one.scorer, one.scorer_version) == (scorer, pinned.version)
    ]
    if not own:
        return None
    return reply_counts(pinned.version, annotations, own[0])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a cell or a scorer has no rates."""

    status: Literal["judge-not-validated", "not-computable"]
    reason: str


@dataclass(frozen=True, slots=True)
class _Rates:
    """Whether a scorer has a rate, why not, and its rates (rules 2 and 3)."""

    status: Literal["reported", "judge-not-validated", "not-computable"]
    reason: str | None = None
    rate: records.ScorerRate | None = None
    corrected: records.ScorerRate | None = None


class CellJudges:
    """The scorers of one model, task and language over all labs."""

    def __init__(
        self,
        task: Task,
        model: str,
        language: str,
        labs: Sequence[Revealed],
        annotations: AnnotationSet | None,
        taken: Sequence[Rejudgement],
        number: Number,
    ) -> None:
        self._task, self._language, self._annotations = task, language, annotations
        self._number = number
        tests = {item.key for item in task.items if item.role == "test"}
        self._samples: dict[Place, SampleScores] = {
            (one.evidence.lab, scores.key.text): scores
            for one in labs
            for scores in one.scores or ()
            if (scores.key.model, scores.key.task, scores.key.language)
            == (model, task.key, language)
            and scores.key.item in tests
        }
        self._taken = [one for one in taken if (one.task, one.language) == (task.key, language)]
        self._scorers = (task.scorer, *(task.further_scorers or ()))
        self._verdicts = {
            (scorer.key, pinned.version): self._own(scorer.key, pinned.version)
            for scorer in self._scorers
            for pinned in scorer.versions
        }

    @property
    def worth_saying(self) -> bool:
        """Whether the cell has figures of its scorers (rule 8)."""
        return (
            len(self._scorers) > 1
            or any(scorer.nature == "judge" for scorer in self._scorers)
            or any(
                sample.outcome == "answered" and sample.scores[0].status != "scored"
                for sample in self._samples.values()
            )
        )

    def counts_of(self, scorer: Scorer) -> tuple[LabelCounts, ...]:
        """Return what each version of a judge that labs used made of labelled answers."""
        if scorer.nature != "judge" or self._annotations is None:
            return ()
        found = [
            validity_counts(scorer.key, pinned, self._annotations, self._taken)
            for pinned in self._used(scorer)
        ]
        return tuple(one for one in found if one is not None)

    def not_run_on_labels(self, scorer: Scorer) -> tuple[str, ...]:
        """Return the versions in use that were not run on the labelled answers."""
        known = {one.version for one in self.counts_of(scorer)}
        used = {pinned.version for pinned in self._used(scorer)}
        return tuple(sorted(used - known)) if scorer.nature == "judge" else ()

    def figures(self, refusal: Refusal | None = None) -> tuple[records.ScorerFigures, ...]:
        """Return the figures of each scorer, in each version that a lab used (rules 1 to 5).

        Parameters
        ----------
        refusal
            Why the cell has no rates; then no version of the task's own scorer has one either.
        """
        return tuple(
            self._figures(scorer, pinned, refusal if scorer is self._task.scorer else None)
            for scorer in self._scorers
            for pinned in self._used(scorer)
        )

    def compared(
        self, figures: Sequence[records.ScorerFigures]
    ) -> tuple[records.JudgesCompared, ...]:
        """Return each pair of scorers that have verdicts on the same answers (rule 6).

        Parameters
        ----------
        figures
            What :meth:`figures` returned: how far two agree beyond chance is said only where both
            have a rate, for with the share of like verdicts it gives the rate away.
        """
        reported = {(one.scorer, one.version) for one in figures if one.status == "reported"}
        verdicts = {name: self._with_rejudged(name) for name in self._verdicts}
        found = []
        for first, second in combinations(verdicts, 2):
            both = sorted(verdicts[first].keys() & verdicts[second].keys())
            if both:
                pairs = [(verdicts[first][place], verdicts[second][place]) for place in both]
                shown = {first, second} <= reported
                found.append(
                    records.JudgesCompared(
                        first=first[0],
                        first_version=first[1],
                        second=second[0],
                        second_version=second[1],
                        answers=len(pairs),
                        alike=sum(one == other for one, other in pairs),
                        agreement=beyond_chance(pairs, self._number) if shown else (),
                    )
                )
        return tuple(found)

    def _used(self, scorer: Scorer) -> list[ScorerVersion]:
        return [one for one in scorer.versions if self._statuses(scorer.key, one.version)]

    def _statuses(self, scorer: str, version: str) -> list[str]:
        return [
            score.status
            for sample in self._samples.values()
            for score in sample.scores
            if named(score) == (scorer, version, None)
        ]

    def _own(self, scorer: str, version: str, repeat: int | None = None) -> dict[Place, float]:
        """Return the values that the labs themselves got, of one judgement of each answer."""
        return {
            place: score.value
            for place, sample in self._samples.items()
            for score in sample.scores
            if named(score) == (scorer, version, repeat) and score.value is not None
        }

    def _figures(
        self, scorer: Scorer, pinned: ScorerVersion, refusal: Refusal | None
    ) -> records.ScorerFigures:
        statuses = Counter(self._statuses(scorer.key, pinned.version))
        values = self._verdicts[scorer.key, pinned.version]
        answered = sum(
            sample.outcome == "answered"
            for sample in self._samples.values()
            if any(named(one)[:2] == (scorer.key, pinned.version) for one in sample.scores)
        )
        rates = self._rates(scorer, pinned, values)
        if refusal is not None:
            rates = _Rates(refusal.status, refusal.reason)
        events, shown = sum(values.values()), rates.status == "reported" and answered > 0
        unknown = answered - len(values)
        return records.ScorerFigures(
            scorer=scorer.key,
            version=pinned.version,
            nature=scorer.nature,
            model=pinned.judge.snapshot if pinned.judge else None,
            status=rates.status,
            reason=rates.reason,
            submitted=statuses.total(),
            answered=answered,
            scored=statuses["scored"],
            unparsed=statuses["unparsed"],
            judge_refused=statuses["judge-refused"],
            not_attempted=statuses["not-attempted"],
            rate=rates.rate,
            corrected=rates.corrected,
            least=self._number(events / answered) if shown else None,
            most=self._number((events + unknown) / answered) if shown else None,
            repeated=self._repeated(scorer.key, pinned, shown=shown),
            rejudged=tuple(self._rejudged(scorer.key, pinned.version, shown=shown)),
        )

    def _rates(
        self, scorer: Scorer, pinned: ScorerVersion, values: Mapping[Place, float]
    ) -> _Rates:
        counts = next(
            (one for one in self.counts_of(scorer) if one.version == pinned.version), None
        )
        if scorer.nature == "judge" and counts is None:
            lacking = (
                f"no answers in {self._language} were labelled by people"
                if self._annotations is None
                else "it was not run on the labelled answers (countermark exercise rejudge)"
            )
            return _Rates("judge-not-validated", lacking)
        if not values:
            return _Rates("not-computable", "it scored no answer")
        crossing = Crossing.from_rows(
            [lab for lab, _ in values],
            [self._samples[place].key.item for place in values],
            list(values.values()),
        )
        plain = crossed(crossing, "benchmark", LEVEL)
        if isinstance(plain, NotComputable):
            return _Rates("not-computable", plain.reason)
        if counts is None:
            return _Rates("reported", rate=self._rate(plain))
        better = self._corrected(crossing, counts)
        if isinstance(better, NotComputable):
            return _Rates("not-computable", better.reason)
        return _Rates("reported", rate=self._rate(plain), corrected=self._rate(better))

    def _corrected(self, crossing: Crossing, counts: LabelCounts) -> Estimate | NotComputable:
        if not (counts.positives and counts.negatives):
            return NotComputable("it could read no labelled answer of one kind")
        known = Validity(
            counts.true_positives,
            counts.positives,
            counts.true_negatives,
            counts.negatives,
            self._language,
        )
        versions = dict.fromkeys(crossing.labs, counts.version)
        found = correct(crossing, versions, {counts.version: known}, self._language, LEVEL)
        return found.benchmark

    def _rate(self, estimate: Estimate) -> records.ScorerRate:
        return records.ScorerRate(
            value=self._number(estimate.value),
            lower=self._number(estimate.lower),
            upper=self._number(estimate.upper),
            level=estimate.level,
        )

    def _repeated(
        self, scorer: str, pinned: ScorerVersion, *, shown: bool
    ) -> records.Repeatability | None:
        times = pinned.judge.repeats if pinned.judge else None
        if times is None:
            return None
        drawn = sorted(
            place
            for place, sample in self._samples.items()
            if any(named(one) == (scorer, pinned.version, 2) for one in sample.scores)
        )
        sessions = [
            self._own(scorer, pinned.version, number) for number in (None, *range(2, times + 1))
        ]
        labs = sorted({lab for lab, _ in drawn})
        return repeatability(drawn, sessions, labs, self._number, shown=shown)

    def _rejudged(
        self, scorer: str, version: str, *, shown: bool
    ) -> Iterator[records.Repeatability]:
        own = self._verdicts[scorer, version]
        looked_at = {
            place
            for place, sample in self._samples.items()
            if any(named(one) == (scorer, version, None) for one in sample.scores)
        }
        for lab, again in sorted(self._again(scorer, version).items()):
            # An answer that its own lab gave no verdict on is a row with a gap, and is counted.
            places = sorted(looked_at & again.keys())
            found = repeatability(places, [own, again], [lab], self._number, shown=shown)
            if found is not None:
                yield found

    def _again(self, scorer: str, version: str) -> dict[str, dict[Place, float | None]]:
        """Return what each lab that judged again made of each answer."""
        found: dict[str, dict[Place, float | None]] = {}
        for said in self._taken:
            if (said.scorer, said.scorer_version) == (scorer, version) and said.of_lab:
                for one in said.judgements:
                    if one.sample is not None:
                        place = (said.of_lab, one.sample.text)
                        found.setdefault(said.lab, {})[place] = one.value
        return found

    def _with_rejudged(self, name: Name) -> dict[Place, float]:
        verdicts: dict[Place, float] = {}
        # The first by name is written last, and stays.
        for _, again in sorted(self._again(*name).items(), reverse=True):
            verdicts |= {
                place: value
                for place, value in again.items()
                if value is not None and place in self._samples
            }
        return verdicts | self._verdicts[name]
