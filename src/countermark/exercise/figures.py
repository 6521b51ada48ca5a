# SPDX-License-Identifier: Apache-2.0
"""From estimates to the figures that a finding publishes: rounded once, by one rule.

All numbers have the protocol's significant digits. Another institute's machine gives the same to
within the finding's tolerance.
"""

from countermark.exercise.validation import LabelCounts
from countermark.records import finding as records
from countermark.records.evidence import AnnotationSet
from countermark.statistics import (
    Components,
    Counts,
    Equivalence,
    Estimate,
    Judge,
    Judged,
    NotComputable,
    Precision,
    significant,
    wilson,
)
from countermark.statistics.crossing import Crossing

LEVEL = 0.95


class Rounding:
    """Turns estimates into published figures with so many significant digits."""

    def __init__(self, digits: int) -> None:
        self._digits = digits

    def number(self, value: float) -> float:
        """Return one number as published."""
        return significant(value, self._digits)

    def figure(
        self, estimate: Estimate, correction: records.Correction, without_lab: str | None = None
    ) -> records.Figure:
        """Return an estimate as published."""
        return records.Figure(
            estimand=estimate.estimand,
            correction=correction,
            without_lab=without_lab,
            value=self.number(estimate.value),
            se=self._maybe(estimate.se),
            df=self._maybe(estimate.df),
            lower=self.number(estimate.lower),
            upper=self.number(estimate.upper),
            level=estimate.level,
            method=estimate.method,
            shape=estimate.shape,
            counts=self._counts(estimate.counts) if estimate.counts else None,
            judged=self._judged(estimate.judged) if estimate.judged else None,
            labs=estimate.labs,
            items=estimate.items,
            items_dropped=estimate.items_dropped,
            components=self._components(estimate.components) if estimate.components else None,
        )

    def precision(self, precision: Precision) -> records.PrecisionFigures:
        """Return the precision of a cell as published."""
        test = precision.f_test
        return records.PrecisionFigures(
            repeatability=self._maybe(precision.repeatability),
            lab_item=self._maybe(precision.lab_item),
            between_lab=self.number(precision.between_labs),
            reproducibility=self.number(precision.reproducibility),
            f_statistic=self.number(test.statistic) if test else None,
            f_p_value=self.number(test.p) if test else None,
        )

    def lab(
        self, crossing: Crossing, lab: str, institute: str, standing: Equivalence | None
    ) -> records.LabFigures:
        """Return one lab's own rate, and how it stands to the others'."""
        row = crossing.labs.index(lab)
        scored, events = int(crossing.count[row].sum()), float(crossing.total[row].sum())
        interval = wilson(events, scored, LEVEL)
        return records.LabFigures(
            institute=institute,
            lab=lab,
            value=self.number(events / scored),
            lower=self.number(interval.lower),
            upper=self.number(interval.upper),
            scored=scored,
            events=self.number(events),
            difference=self.number(standing.difference) if standing else None,
            expanded_uncertainty=self.number(standing.expanded) if standing else None,
            e_n=self.number(standing.normalised) if standing else None,
        )

    def controls(self, passed: int, tried: int, minimum: float) -> records.ControlFigures:
        """Return how the control items went, with a Wilson interval."""
        interval = wilson(passed, tried, LEVEL)
        return records.ControlFigures(
            passed=passed,
            tried=tried,
            lower=self.number(interval.lower),
            upper=self.number(interval.upper),
            minimum=minimum,
        )

    def validity(
        self, known: Judge, counts: LabelCounts, annotations: AnnotationSet
    ) -> records.JudgeValidity:
        """Return a judge's validity in one language as published."""
        return records.JudgeValidity(
            version=counts.version,
            annotation_set=annotations.digest,
            labelled_by=annotations.labelled_by,
            positives=counts.positives,
            true_positives=counts.true_positives,
            negatives=counts.negatives,
            true_negatives=counts.true_negatives,
            unparsed=counts.unparsed,
            sensitivity=self.number(known.sensitivity),
            sensitivity_lower=self.number(known.sensitivity_interval.lower),
            sensitivity_upper=self.number(known.sensitivity_interval.upper),
            specificity=self.number(known.specificity),
            specificity_lower=self.number(known.specificity_interval.lower),
            specificity_upper=self.number(known.specificity_interval.upper),
            agreement=(),
        )

    def _maybe(self, value: float | None) -> float | None:
        return None if value is None else self.number(value)

    def _counts(self, counts: Counts) -> records.ExactCounts:
        return records.ExactCounts(
            events=self.number(counts.events),
            trials=counts.trials,
            found=counts.found,
            labelled=counts.labelled,
        )

    def _judged(self, judged: Judged) -> records.JudgedParts:
        return records.JudgedParts(
            reported=self.number(judged.reported),
            slope=self.number(judged.slope),
            sampling_se=self.number(judged.sampling_se),
            sampling_df=self.number(judged.sampling_df),
            judge_se=self.number(judged.judge_se),
            judge_df=self.number(judged.judge_df),
        )

    def _components(self, parts: Components) -> records.Components:
        return records.Components(
            s2_lab=self.number(parts.s2_lab),
            s2_item=self.number(parts.s2_item),
            s2_lab_item=self._maybe(parts.s2_lab_item),
            s2_epoch=self._maybe(parts.s2_epoch),
            ms_lab=self.number(parts.ms_lab),
            ms_item=self.number(parts.ms_item),
            ms_lab_item=self.number(parts.ms_lab_item),
            epochs=self.number(parts.epochs_harmonic),
        )


def not_computed(
    result: NotComputable,
    estimand: records.Estimand,
    correction: records.Correction,
    without_lab: str | None = None,
) -> records.NotComputed:
    """Return a figure that could not be computed, with the reason."""
    return records.NotComputed(
        estimand=estimand, correction=correction, without_lab=without_lab, reason=result.reason
    )
