# SPDX-License-Identifier: Apache-2.0
"""The joint finding: what the labs found together, cell by cell. Pure: evidence in, finding out.

For each model, task and language:

1. Only scored answers to test items are rated; all submitted samples are counted, on both axes.
2. A judge without labelled answers in the language is *not validated*: counts, and no rate.
3. A judge whose labelled answers do not show that it can tell events from others, in any version
   that a lab used, or labs that share no item, are *not computable*, with the reason; the rates of
   the judge or of the labs alone are then not published either.
4. Where the protocol has control items, and the lower end of their pass rate's interval is below
   the protocol's minimum, the cell is *not informative*: figures are shown and say nothing good.
5. Every rate is given for both estimands, without and (for a judge) with correction, with all labs
   and with each lab left out. There is no score over tasks, languages or models.
6. Labs that declared deviations are pooled and shown as such; leaving each out shows its weight.
7. A lab is pooled only if the scores of all its samples are open: of some, it could have chosen
   which. Each lab that is left out is named with the reason.
8. Languages are compared as :mod:`countermark.exercise.comparing` says.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from countermark.exercise.comparing import compared
from countermark.exercise.differences import differences
from countermark.exercise.figures import LEVEL, Rounding, not_computed
from countermark.exercise.revealing import Revealed
from countermark.exercise.validation import LabelCounts, label_counts
from countermark.records import finding as records
from countermark.records.evidence import AnnotationSet, CellCounts, ScorerCounts
from countermark.records.protocol import Protocol, Task
from countermark.records.sample import Score
from countermark.statistics import (
    Crossing,
    Estimate,
    NotComputable,
    Precision,
    Validity,
    correct,
    crossed,
    equivalence,
    judge,
    precision,
)

ABSOLUTE_TOLERANCE = 1e-9


def joint_finding(
    protocol: Protocol,
    revealed: Sequence[Revealed],
    annotations: Sequence[AnnotationSet],
    left_out: Sequence[records.LeftOut] = (),
) -> records.Finding:
    """Compute the joint finding of an exercise.

    Parameters
    ----------
    protocol
        What was run.
    revealed
        The checked evidence of each lab, with the scores of all its samples open.
    annotations
        The labelled answers that the protocol names.
    left_out
        Labs that are not in the figures, and why.
    """
    labs = sorted(revealed, key=lambda one: one.evidence.lab)
    made = [
        _Cell(protocol, task, model.key, language, labs, annotations)
        for model in protocol.models
        for task in protocol.tasks
        for language in protocol.languages
    ]
    cells = [one.result() for one in made]
    reported = {
        (cell.model, cell.task, cell.language): crossing
        for one, cell in zip(made, cells, strict=True)
        if cell.status == "reported" and (crossing := one.crossing()) is not None
    }
    languages = compared(protocol, reported, Rounding(protocol.significant_digits))
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
        left_out=tuple(sorted(left_out, key=lambda one: one.lab)),
        differences=differences([one.plan for one in labs]),
        languages=languages.figures,
        gaps=languages.gaps,
        cells=tuple(cells),
    )


class _Cell:
    """One model, task and language over all labs."""

    def __init__(
        self,
        protocol: Protocol,
        task: Task,
        model: str,
        language: str,
        labs: Sequence[Revealed],
        annotations: Sequence[AnnotationSet],
    ) -> None:
        self._task, self._model, self._language, self._labs = task, model, language, labs
        self._round = Rounding(protocol.significant_digits)
        self._institutes = {one.evidence.lab: one.evidence.institute for one in labs}
        self._roles = {item.key: item.role for item in task.items}
        self._annotations = next(
            (
                known
                for known in annotations
                if known.digest in task.annotation_sets
                and (known.task, known.language) == (task.key, language)
            ),
            None,
        )

    def result(self) -> records.FindingCell:
        """Return the finding's cell, by the numbered rules of the module."""
        judged = self._task.scorer.nature == "judge"
        if judged and self._annotations is None:
            return self._without_rates(
                "judge-not-validated",
                f"no answers in {self._language} were labelled by people, so nobody knows how "
                "often this judge is right here",
            )
        crossing = self.crossing()
        if crossing is None:
            return self._without_rates("not-computable", "no answer was scored")
        labelled = self._label_counts()
        if any(not (counts.positives and counts.negatives) for counts in labelled):
            return self._without_rates(
                "not-computable",
                "of events or of other answers, the judge could read none that is labelled, so "
                "nothing shows that it tells them apart",
            )
        validity = tuple(self._validity(counts) for counts in labelled)
        versions = {
            lab: version for lab, version in self._versions().items() if lab in crossing.labs
        }
        figures, missing = self._figures(crossing, validity, versions)
        needed = "rogan-gladen" if judged else "none"
        if not any((f.correction, f.without_lab) == (needed, None) for f in figures):
            reason = next(lost.reason for lost in missing if lost.correction == needed)
            return self._without_rates("not-computable", reason, validity)
        controls = self._controls()
        spread = self._precision(crossing)
        informative = controls is None or controls.lower >= controls.minimum
        return self._cell(
            status="reported" if informative else "not-informative",
            reason=None
            if controls is None or informative
            else f"the model passed {controls.passed} of {controls.tried} control items, which "
            f"does not show a pass rate of at least {controls.minimum:g}",
            controls=controls,
            validity=validity,
            figures=tuple(figures),
            missing=tuple(missing),
            spread=None if spread is None else self._round.precision(spread),
            labs=self._lab_figures(crossing, spread),
            robust_mean=self._round.robust_mean(crossing),
        )

    def _scored(self, role: str) -> Iterator[tuple[str, str, Score]]:
        for one in self._labs:
            for sample in one.scores or ():
                key = sample.key
                place = (key.model, key.task, key.language, self._roles.get(key.item))
                if place == (self._model, self._task.key, self._language, role):
                    for score in sample.scores:
                        yield one.evidence.lab, key.item, score

    def crossing(self) -> Crossing | None:
        """Return the scores of the test items, labs x items; nothing where none was scored."""
        rows = [
            (lab, item, score.value)
            for lab, item, score in self._scored("test")
            if score.value is not None
        ]
        if not rows:
            return None
        return Crossing.from_rows(*zip(*rows, strict=True))

    def _versions(self) -> dict[str, str]:
        return {lab: score.version for lab, _, score in self._scored("test")}

    def _label_counts(self) -> tuple[LabelCounts, ...]:
        known = self._annotations
        if known is None or self._task.scorer.nature != "judge":
            return ()
        return tuple(
            label_counts(self._task.scorer.key, version, known)
            for version in sorted(set(self._versions().values()))
        )

    def _validity(self, counts: LabelCounts) -> records.JudgeValidity:
        assert self._annotations is not None  # noqa: S101  there are counts
        known = judge(
            counts.version,
            Validity(
                counts.true_positives,
                counts.positives,
                counts.true_negatives,
                counts.negatives,
                self._annotations.language,
            ),
            LEVEL,
        )
        return self._round.validity(known, counts, self._annotations)

    def _figures(
        self,
        crossing: Crossing,
        validity: tuple[records.JudgeValidity, ...],
        versions: Mapping[str, str],
    ) -> tuple[list[records.Figure], list[records.NotComputed]]:
        figures: list[records.Figure] = []
        missing: list[records.NotComputed] = []
        labelled_in = self._annotations.language if self._annotations else self._language
        known = {
            one.version: Validity(
                one.true_positives,
                one.positives,
                one.true_negatives,
                one.negatives,
                labelled_in,
            )
            for one in validity
        }
        for left_out in (None, *crossing.labs) if len(crossing.labs) > 1 else (None,):
            rest = crossing if left_out is None else crossing.without_lab(left_out)
            corrected = (
                correct(
                    rest, {lab: versions[lab] for lab in rest.labs}, known, self._language, LEVEL
                )
                if known
                else None
            )
            for estimand in get_args(records.Estimand):
                found: list[tuple[records.Correction, Estimate | NotComputable]] = [
                    ("none", crossed(rest, estimand, LEVEL))
                ]
                if corrected is not None:
                    found.append(("rogan-gladen", getattr(corrected, estimand)))
                for correction, result in found:
                    if isinstance(result, NotComputable):
                        missing.append(not_computed(result, estimand, correction, left_out))
                    else:
                        figures.append(self._round.figure(result, correction, left_out))
        return figures, missing

    def _controls(self) -> records.ControlFigures | None:
        minimum = self._task.control_minimum
        if minimum is None:
            return None
        # A control that was not answered was not passed.
        scores = [score for _, _, score in self._scored("control")]
        if not scores:
            return None
        passed = sum(score.value == 1 for score in scores)
        return self._round.controls(passed, len(scores), minimum)

    def _precision(self, crossing: Crossing) -> Precision | None:
        found = precision(crossing)
        return None if isinstance(found, NotComputable) else found

    def _lab_figures(
        self, crossing: Crossing, spread: Precision | None
    ) -> tuple[records.LabFigures, ...]:
        standing = equivalence(crossing)
        by_lab = {} if isinstance(standing, NotComputable) else {one.lab: one for one in standing}
        consistency = {one.lab: one for one in spread.mandel} if spread else {}
        return tuple(
            self._round.lab(
                crossing, lab, self._institutes[lab], by_lab.get(lab), consistency.get(lab)
            )
            for lab in crossing.labs
        )

    def _counts(self) -> CellCounts:
        own = (self._model, self._task.key, self._language)
        cells = [
            counts
            for one in self._labs
            for counts in one.evidence.counts
            if (counts.model, counts.task, counts.language) == own
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
        status: records.CellStatus,
        reason: str,
        validity: tuple[records.JudgeValidity, ...] = (),
    ) -> records.FindingCell:
        return self._cell(
            status=status,
            reason=reason,
            controls=self._controls(),
            validity=validity,
            figures=(),
            missing=(),
            spread=None,
            labs=(),
            robust_mean=None,
        )

    def _cell(
        self,
        *,
        status: records.CellStatus,
        reason: str | None,
        controls: records.ControlFigures | None,
        validity: tuple[records.JudgeValidity, ...],
        figures: tuple[records.Figure, ...],
        missing: tuple[records.NotComputed, ...],
        spread: records.PrecisionFigures | None,
        labs: tuple[records.LabFigures, ...],
        robust_mean: float | None,
    ) -> records.FindingCell:
        return records.FindingCell(
            model=self._model,
            task=self._task.key,
            language=self._language,
            status=status,
            reason=reason,
            counts=self._counts(),
            controls=controls,
            validity=validity,
            figures=figures,
            not_computed=missing,
            precision=spread,
            labs=labs,
            robust_mean=robust_mean,
        )


def _summed(scorers: Iterator[ScorerCounts]) -> tuple[ScorerCounts, ...]:
    totals: dict[tuple[str, str], list[int]] = {}
    for one in scorers:
        total = totals.setdefault((one.scorer, one.version), [0, 0, 0])
        for place, count in enumerate((one.scored, one.unparsed, one.not_attempted)):
            total[place] += count
    return tuple(
        ScorerCounts(scorer=scorer, version=version, scored=a, unparsed=b, not_attempted=c)
        for (scorer, version), (a, b, c) in sorted(totals.items())
    )
