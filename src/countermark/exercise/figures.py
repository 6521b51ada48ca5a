# SPDX-License-Identifier: Apache-2.0
"""From estimates to the figures that a finding publishes: rounded once, by one rule.

All numbers have the protocol's significant digits. Another institute's machine gives the same to
within the finding's tolerance.
"""

from typing import Literal

import numpy as np

from countermark.exercise.validation import LabelCounts
from countermark.records import finding as records
from countermark.records.evidence import AnnotationSet
from countermark.statistics import (
    Components,
    Counts,
    Equivalence,
    Estimate,
    Interval,
    Judge,
    Judged,
    Mandel,
    NotComputable,
    Precision,
    Ratings,
    Resampling,
    agreement,
    algorithm_a,
    significant,
    wilson,
)
from countermark.statistics.crossing import Crossing

LEVEL = 0.95
_MEASURES: tuple[Literal["cohen", "ac1", "alpha-nominal"], ...] = ("cohen", "ac1", "alpha-nominal")
_RESAMPLING = Resampling(seed=0)


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
            level=precision.level,
            repeatability_bounds=self._bounds(precision.repeatability_interval),
            lab_item_bounds=self._bounds(precision.lab_item_interval),
            between_lab_bounds=self._bounds(precision.between_labs_interval),
            reproducibility_bounds=self._bounds(precision.reproducibility_interval),
            not_separable=precision.inseparable,
            h_critical=self._maybe(precision.h_critical),
            k_critical=self._maybe(precision.k_critical),
        )

    def robust_mean(self, crossing: Crossing) -> float | None:
        """Return the labs' rates in one figure that a lab far off cannot pull along."""
        whole, _ = crossing.complete()
        if not whole.items:
            return None
        found = algorithm_a((whole.total / whole.count).mean(axis=1))
        return None if isinstance(found, NotComputable) else self.number(found.value)

    def lab(
        self,
        crossing: Crossing,
        lab: str,
        institute: str,
        standing: Equivalence | None,
        consistency: Mandel | None,
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
            zeta=self.number(standing.zeta) if standing else None,
            mandel_h=self.number(consistency.h) if consistency else None,
            mandel_k=self._maybe(consistency.k) if consistency else None,
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
            agreement=self._agreement(counts),
        )

    def _agreement(self, counts: LabelCounts) -> tuple[records.Agreement, ...]:
        """Agreement beyond chance; people are the first rater, the judge is the second."""
        missed, alarms = (
            counts.positives - counts.true_positives,
            counts.negatives - counts.true_negatives,
        )
        patterns = (
            ((1, 1), counts.true_positives),
            ((1, 0), missed),
            ((0, 0), counts.true_negatives),
            ((0, 1), alarms),
        )
        seen = [(pattern, count) for pattern, count in patterns if count]
        ratings = Ratings(
            (0.0, 1.0),
            np.array([pattern for pattern, _ in seen]),
            np.array([count for _, count in seen]),
        )
        found = [agreement(ratings, measure, _RESAMPLING, LEVEL) for measure in _MEASURES]
        return tuple(
            records.Agreement(
                measure=measure,
                value=self.number(one.value),
                bounds=self._bounds(one.interval),
            )
            for measure, one in zip(_MEASURES, found, strict=True)
            if not isinstance(one, NotComputable)
        )

    def _maybe(self, value: float | None) -> float | None:
        return None if value is None else self.number(value)

    def _bounds(self, interval: Interval | NotComputable) -> records.Bounds | None:
        if isinstance(interval, NotComputable):
            return None
        return records.Bounds(lower=self.number(interval.lower), upper=self.number(interval.upper))

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
