# SPDX-License-Identifier: Apache-2.0
"""One cell of the joint finding, by the rules of :mod:`countermark.exercise.joint.finding`."""

from collections.abc import Iterator, Sequence
from typing import Any

from countermark.exercise.annotation.taking import People
from countermark.exercise.joint.analysing import LEVEL, Answer
from countermark.exercise.joint.figures import Rounding, not_computed
from countermark.exercise.joint.judges import CellJudges, Refusal
from countermark.exercise.joint.pooling import Pool
from countermark.exercise.joint.sections import Sections
from countermark.exercise.rejudging.batches import Rejudgements
from countermark.exercise.scoring.validation import LabelCounts
from countermark.records import finding as records
from countermark.records import finding_figures as parts
from countermark.records.evidence import CellCounts, ScorerCounts
from countermark.records.protocol import Task
from countermark.records.sample import SampleKey, Score
from countermark.statistics import (
    CellKey,
    JointAnalysis,
    Judging,
    NamedEstimate,
    NotComputable,
    Validity,
    judge,
)


class JointCell:
    """One model, task and language over all labs.

    Parameters
    ----------
    task, model, language
        Which cell.
    pool
        The labs, and in which cells they are left out.
    people
        What people labelled.
    again
        The checked rejudgements.
    rounding
        To how many digits figures are given.

    Attributes
    ----------
    key
        Its name in the analysis.
    answers, swapped
        The scored answers to test items, of the reference arm and of swaps.
    refusal
        Why there can be no rates, if so.
    judging
        What is known of the judge, where there is one and there are rates.
    """

    def __init__(
        self,
        task: Task,
        model: str,
        language: str,
        pool: Pool,
        people: People,
        again: Rejudgements,
        rounding: Rounding,
    ) -> None:
        self.key = CellKey(task.key, model, language, task.scorer.key)
        self._task, self._model, self._language = task, model, language
        labs = self._labs = pool.of_cell(model, task.key, language)
        self._left_out = pool.left_out_of(model, task.key, language)
        self._round = rounding
        self._institutes = {one.evidence.lab: one.evidence.institute for one in labs}
        self._roles = {item.key: item.role for item in task.items}
        self._people = people
        self._validating = people.validating(task, model, language)
        counted = self._validating.counted if self._validating else None
        self._judges = CellJudges(
            task, model, language, labs, counted, again.taken, rounding.number
        )
        found = tuple(self._answers())
        self.answers = tuple(one for one in found if one.arm is None)
        self.swapped = tuple(one for one in found if one.arm is not None)
        self._labelled = self._label_counts()
        self._controlled = self._controls()
        self.refusal = self._refusal()
        self.judging = self._judging() if self.refusal is None else None

    @property
    def uninformative(self) -> str | None:
        """Why the rates say nothing, if the control items show it (rule 4)."""
        controls = self._controlled
        if controls is None or controls.lower >= controls.minimum:
            return None
        return (
            f"the model passed {controls.passed} of {controls.tried} control items, which "
            f"does not show a pass rate of at least {controls.minimum:g}"
        )

    def _refusal(self) -> Refusal | None:
        """Say why there can be no rates, before anything is computed (rules 2 and 3)."""
        if not self._labs:
            return Refusal(
                "not-computable", "no lab ran it as the protocol asks and as most others did"
            )
        judged = self._task.scorer.nature == "judge"
        if judged and self._validating is None:
            return Refusal(
                "judge-not-validated",
                f"no answers in {self._language} were labelled by people, so nobody knows how "
                "often this judge is right here",
            )
        if lacking := self._not_run_on_labels():
            return Refusal(
                "judge-not-validated",
                f"the judge ({', '.join(lacking)}) was not run on the labelled answers in "
                f"{self._language}, so nobody knows how often it is right here",
            )
        if not self.answers:
            return Refusal("not-computable", "no answer was scored")
        if any(not (counts.positives and counts.negatives) for counts in self._labelled):
            return Refusal(
                "not-computable",
                "of events or of other answers, the judge could read none that is labelled, so "
                "nothing shows that it tells them apart",
            )
        return None

    def result(self, analysis: JointAnalysis | None) -> records.FindingCell:
        """Return the finding's cell, by the numbered rules of the module."""
        if self.refusal is not None or analysis is None:
            refusal = self.refusal or Refusal("not-computable", "nothing was analysed")
            return self._without_rates(refusal)
        judged = self._task.scorer.nature == "judge"
        found = Sections.of(analysis, self.key)
        validity = tuple(self._validity(counts) for counts in self._labelled)
        figures, missing = self._figures(found.rate.cases)
        needed = "rogan-gladen" if judged else "none"
        if not any((f.correction, f.without_lab) == (needed, None) for f in figures):
            reason = next(lost.reason for lost in missing if lost.correction == needed)
            return self._without_rates(Refusal("not-computable", reason), validity)
        return self._cell(
            status="reported" if self.uninformative is None else "not-informative",
            reason=self.uninformative,
            validity=validity,
            figures=tuple(figures),
            missing=tuple(missing),
            labs=self._lab_figures(found),
            found=found,
            corrections=self._corrections(found),
        )

    def _scored(self, role: str) -> Iterator[tuple[str, SampleKey, Score]]:
        for one in self._labs:
            for sample in one.scores or ():
                key = sample.key
                place = (key.model, key.task, key.language, self._roles.get(key.item))
                if place == (self._model, self._task.key, self._language, role):
                    # The first is by the task's own scorer, or the control scorer (rule 9).
                    for score in sample.scores[:1]:
                        yield one.evidence.lab, key, score

    def _answers(self) -> Iterator[Answer]:
        for lab, key, score in self._scored("test"):
            if score.value is not None:
                yield Answer(self.key, lab, key.item, key.epoch, score.value, key.arm)

    def _versions(self) -> dict[str, str]:
        return {lab: score.version for lab, key, score in self._scored("test") if key.arm is None}

    def _label_counts(self) -> tuple[LabelCounts, ...]:
        known = self._validating
        if known is None or self._task.scorer.nature != "judge":
            return ()
        if known.drawn and any(one.judge for one in self._task.scorer.versions):
            return known.recorded(self._judged(), self._versions())
        counts = self._judges.counts_of(self._task.scorer)
        return tuple(sorted(counts, key=lambda one: one.version))

    def _not_run_on_labels(self) -> tuple[str, ...]:
        if self._task.scorer.nature != "judge":
            return ()
        known = {counts.version for counts in self._labelled}
        return tuple(sorted(set(self._versions().values()) - known))

    def _judging(self) -> Judging | None:
        if not self._labelled:
            return None
        return Judging(
            versions=self._versions(),
            validity={counts.version: self._known(counts) for counts in self._labelled},
            labelled=self._people.labelled(
                self._task, self._model, self.key.language, self._judged()
            ),
        )

    def _judged(self) -> dict[tuple[str, str], float]:
        return {
            (lab, key.text): score.value
            for lab, key, score in self._scored("test")
            if score.value is not None
        }

    def _known(self, counts: LabelCounts) -> Validity:
        assert self._validating is not None  # noqa: S101  there are counts
        return Validity(
            counts.true_positives,
            counts.positives,
            counts.true_negatives,
            counts.negatives,
            self._validating.known.language,
        )

    def _validity(self, counts: LabelCounts) -> parts.JudgeValidity:
        assert self._validating is not None  # noqa: S101  there are counts
        known = judge(counts.version, self._known(counts), LEVEL)
        return self._round.validity(known, counts, self._validating.known)

    def _figures(
        self, cases: Sequence[NamedEstimate]
    ) -> tuple[list[parts.Figure], list[parts.NotComputed]]:
        figures: list[parts.Figure] = []
        missing: list[parts.NotComputed] = []
        for case in cases:
            correction: parts.Correction = "none" if case.correction == "none" else "rogan-gladen"
            if isinstance(case.estimate, NotComputable):
                missing.append(
                    not_computed(case.estimate, case.estimand, correction, case.without_lab)
                )
            else:
                figures.append(self._round.figure(case.estimate, correction, case.without_lab))
        return figures, missing

    def _corrections(self, found: Sections) -> tuple[parts.LeadingCorrection, ...] | None:
        drawn = self._people.drawn(self._task.key, self._language)
        return None if drawn is None else self._round.corrections(found.choices, drawn.digest)

    def _controls(self) -> parts.ControlFigures | None:
        minimum = self._task.control_minimum
        if minimum is None:
            return None
        # A control that was not answered was not passed.
        scores = [score for _, key, score in self._scored("control") if key.arm is None]
        if not scores:
            return None
        passed = sum(score.value == 1 for score in scores)
        return self._round.controls(passed, len(scores), minimum)

    def _lab_figures(self, found: "Sections") -> tuple[parts.LabFigures, ...]:
        return tuple(
            self._round.lab(
                one, self._institutes[one.lab], found.standing(one.lab), found.mandel(one.lab)
            )
            for one in found.raw
        )

    def _counts(self) -> CellCounts:
        own = (self._model, self._task.key, self._language)
        cells = [
            counts
            for one in self._labs
            for counts in one.evidence.counts
            if (counts.model, counts.task, counts.language, counts.arm) == (*own, None)
        ]
        return CellCounts(
            model=self._model,
            task=self._task.key,
            language=self._language,
            submitted=sum(cell.submitted for cell in cells),
            answered=sum(cell.answered for cell in cells),
            refused=sum(cell.refused for cell in cells),
            errored=sum(cell.errored for cell in cells),
            missing=sum(cell.missing for cell in cells),
            scorers=_summed(scorer for cell in cells for scorer in cell.scorers),
        )

    def _without_rates(
        self,
        refusal: Refusal,
        validity: tuple[parts.JudgeValidity, ...] = (),
    ) -> records.FindingCell:
        return self._cell(
            status=refusal.status,
            reason=refusal.reason,
            refusal=refusal,
            validity=validity,
            figures=(),
            missing=(),
            labs=(),
            found=None,
        )

    def _cell(
        self,
        *,
        status: records.CellStatus,
        reason: str | None,
        validity: tuple[parts.JudgeValidity, ...],
        figures: tuple[parts.Figure, ...],
        missing: tuple[parts.NotComputed, ...],
        labs: tuple[parts.LabFigures, ...],
        found: Sections | None,
        refusal: Refusal | None = None,
        corrections: tuple[parts.LeadingCorrection, ...] | None = None,
    ) -> records.FindingCell:
        return records.FindingCell(
            model=self._model,
            task=self._task.key,
            language=self._language,
            status=status,
            reason=reason,
            counts=self._counts(),
            controls=self._controlled,
            validity=validity,
            figures=figures,
            not_computed=missing,
            labs=labs,
            precision=self._round.precision(found.precision) if found else None,
            robust_mean=self._round.robust_mean(found.robust) if found else None,
            methods=self._round.methods(found.rate.methods) if found else (),
            new_lab=self._round.new_lab(found.rate.methods) if found else (),
            no_events=self._round.no_events(found.rate.methods) if found else None,
            consensus=self._round.consensus(found.consensus) if found else None,
            next_run=self._round.next_run(found.next_run) if found else (),
            left_out=self._left_out,
            **self._beside(refusal),
            corrections=corrections,
        )

    def _beside(self, refusal: Refusal | None) -> dict[str, Any]:
        """Return what stands beside the cell's own figures (rule 9)."""
        if not self._judges.worth_saying:
            return {}
        further = tuple(
            self._validity(counts).model_copy(update={"scorer": scorer.key})
            for scorer in self._task.further_scorers or ()
            for counts in self._judges.counts_of(scorer)
            if counts.positives and counts.negatives
        )
        figures = self._judges.figures(refusal)
        return {
            "scorers": figures,
            "further_validity": further or None,
            "judges_compared": self._judges.compared(figures) or None,
        }


def _summed(scorers: Iterator[ScorerCounts]) -> tuple[ScorerCounts, ...]:
    totals: dict[tuple[str, str], list[int]] = {}
    for one in scorers:
        total = totals.setdefault((one.scorer, one.version), [0, 0, 0, 0])
        counts = (one.scored, one.unparsed, one.not_attempted, one.judge_refused or 0)
        for place, count in enumerate(counts):
            total[place] += count
    return tuple(
        ScorerCounts(
            scorer=scorer,
            version=version,
            scored=a,
            unparsed=b,
            not_attempted=c,
            judge_refused=d or None,
        )
        for (scorer, version), (a, b, c, d) in sorted(totals.items())
    )
