# SPDX-License-Identifier: Apache-2.0
"""The joint finding: what the labs found together, cell by cell. Pure: evidence in, finding out.

For each model, task and language:

1. Only scored answers to test items are rated, and only those of the reference arm; all samples
   submitted of it are counted, on both axes. Swaps are compared with the reference arm of the same
   lab (rule 8), and enter no joint rate.
2. A judge without labelled answers in the language, or not run on them, is *not validated*:
   counts, and no rate.
3. A judge whose labelled answers do not show that it can tell events from others, in any version
   that a lab used, or labs that share no item, are *not computable*, with the reason; the rates of
   the judge or of the labs alone are then not published either.
4. Where the protocol has control items, and the lower end of their pass rate's interval is below
   the protocol's minimum, the cell is *not informative*: figures are shown and say nothing good.
5. Every rate is given for both estimands, without and (for a judge) with correction, with all labs
   and with each lab left out. There is no score over tasks, languages or models.
6. Labs that declared deviations are pooled and shown as such; leaving each out shows its weight.
7. A lab is pooled only if the scores of all its samples are open: of some, it could have chosen
   which; and only in cells that it ran as the protocol asks and as the others did, or declared
   otherwise (:mod:`countermark.exercise.comparability`). Who is left out is named with the reason.
8. All figures come of one analysis (:func:`countermark.statistics.analyse`), which also compares
   languages, settings and swaps; :mod:`countermark.exercise.sections` publishes what is beyond one
   cell.
9. The figures of a cell are those of the task's own scorer. Further scorers, repeats and
   rejudgements stand beside it (:mod:`countermark.exercise.judges`), by rules 2 and 3 as well.
10. A judge's rate is given beside the rate rectified with people's labels of a random sample of the
    same answers, where there is one; which of the corrections leads is said, and why
    (:mod:`countermark.exercise.annotation.taking`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from countermark.exercise.analysing import LEVEL, Answer, analysed, declared
from countermark.exercise.annotation.taking import People
from countermark.exercise.differences import differences
from countermark.exercise.figures import Rounding, not_computed
from countermark.exercise.judges import CellJudges, Refusal
from countermark.exercise.judging.rejudged import LoggedRejudgement, Rejudgements, rejudgements
from countermark.exercise.pooling import Pool, pooled
from countermark.exercise.revealing import Revealed
from countermark.exercise.sections import Sections, published
from countermark.exercise.validation import LabelCounts
from countermark.records import finding as records
from countermark.records.evidence import AnnotationSet, CellCounts, ScorerCounts
from countermark.records.protocol import Protocol, Task
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

ABSOLUTE_TOLERANCE = 1e-9


def joint_finding(
    protocol: Protocol,
    revealed: Sequence[Revealed],
    annotations: Sequence[AnnotationSet],
    left_out: Sequence[records.LeftOut] = (),
    judged_again: Sequence[LoggedRejudgement] = (),
) -> records.Finding:
    """Compute the joint finding of an exercise.

    Parameters
    ----------
    protocol
        What was run.
    revealed
        The checked evidence of each lab, with the scores of all its samples open.
    annotations
        The labelled answers that the protocol names, and those that participants drew from the
        exercise and labelled.
    left_out
        Labs that are not in the figures, and why.
    judged_again
        Rejudgements of this exercise, not yet checked.

    Raises
    ------
    StateError
        If no labs ran the same.
    """
    pool = pooled(protocol, revealed)
    labs = pool.labs
    rounding = Rounding(protocol.significant_digits)
    people = People(protocol, labs, annotations)
    again = rejudgements(protocol, judged_again, labs, annotations)
    made = [
        _Cell(task, model.key, language, pool, people, again, rounding)
        for model in protocol.models
        for task in protocol.tasks
        for language in protocol.languages
    ]
    analysis = _analysed(protocol, labs, [one for one in made if one.refusal is None])
    cells = tuple(one.result(analysis) for one in made)
    references = {factor.key: factor.reference for factor in protocol.factors}
    beyond = published(analysis, cells, rounding, references)
    return records.Finding(
        protocol=protocol.digest,
        coordinator=protocol.coordinator,
        demonstration=protocol.demonstration,
        significant_digits=protocol.significant_digits,
        relative_tolerance=protocol.relative_tolerance,
        absolute_tolerance=ABSOLUTE_TOLERANCE,
        labs=tuple(
            records.LabSettings(
                institute=one.evidence.institute,
                lab=one.evidence.lab,
                evidence=one.entry.digest,
                settings=one.plan.settings,
                deviations=one.evidence.deviations,
                samples=one.evidence.opened.samples,
                transcripts_checked=one.evidence.opened.transcripts,
            )
            for one in labs
        ),
        left_out=tuple(sorted((*left_out, *pool.left_out), key=lambda one: one.lab)),
        differences=differences([one.plan for one in labs]),
        seed=declared(protocol).seed,
        replicates=declared(protocol).replicates,
        factors=beyond.factors,
        languages=beyond.languages,
        gaps=(*beyond.gaps, *pool.gaps),
        cells=cells,
        comparability=pool.table,
        rejudgements=again.used or None,
    )


def _analysed(
    protocol: Protocol, labs: Sequence[Revealed], cells: Sequence["_Cell"]
) -> JointAnalysis | None:
    if not cells:
        return None
    return analysed(
        protocol,
        labs,
        [answer for one in cells for answer in one.answers],
        {one.key: one.judging for one in cells if one.judging is not None},
        {one.key: one.uninformative for one in cells if one.uninformative is not None},
        [answer for one in cells for answer in one.swapped],
    )


class _Cell:
    """One model, task and language over all labs."""

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

    def _validity(self, counts: LabelCounts) -> records.JudgeValidity:
        assert self._validating is not None  # noqa: S101  there are counts
        known = judge(counts.version, self._known(counts), LEVEL)
        return self._round.validity(known, counts, self._validating.known)

    def _figures(
        self, cases: Sequence[NamedEstimate]
    ) -> tuple[list[records.Figure], list[records.NotComputed]]:
        figures: list[records.Figure] = []
        missing: list[records.NotComputed] = []
        for case in cases:
            correction: records.Correction = "none" if case.correction == "none" else "rogan-gladen"
            if isinstance(case.estimate, NotComputable):
                missing.append(
                    not_computed(case.estimate, case.estimand, correction, case.without_lab)
                )
            else:
                figures.append(self._round.figure(case.estimate, correction, case.without_lab))
        return figures, missing

    def _corrections(self, found: Sections) -> tuple[records.LeadingCorrection, ...] | None:
        drawn = self._people.drawn(self._task.key, self._language)
        return None if drawn is None else self._round.corrections(found.choices, drawn.digest)

    def _controls(self) -> records.ControlFigures | None:
        minimum = self._task.control_minimum
        if minimum is None:
            return None
        # A control that was not answered was not passed.
        scores = [score for _, key, score in self._scored("control") if key.arm is None]
        if not scores:
            return None
        passed = sum(score.value == 1 for score in scores)
        return self._round.controls(passed, len(scores), minimum)

    def _lab_figures(self, found: "Sections") -> tuple[records.LabFigures, ...]:
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
        validity: tuple[records.JudgeValidity, ...] = (),
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
        validity: tuple[records.JudgeValidity, ...],
        figures: tuple[records.Figure, ...],
        missing: tuple[records.NotComputed, ...],
        labs: tuple[records.LabFigures, ...],
        found: Sections | None,
        refusal: Refusal | None = None,
        corrections: tuple[records.LeadingCorrection, ...] | None = None,
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
