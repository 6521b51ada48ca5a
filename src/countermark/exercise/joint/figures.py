# SPDX-License-Identifier: Apache-2.0
"""From estimates to the figures that a finding publishes: rounded once, by one rule.

All numbers have the protocol's significant digits. Another institute's machine gives the same to
within the finding's tolerance.
"""

import math
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from countermark.exercise.joint.analysing import LEVEL
from countermark.exercise.scoring.validation import LabelCounts
from countermark.records import finding_figures as records
from countermark.records.evidence import AnnotationSet
from countermark.statistics import (
    Choice,
    Components,
    Consensus,
    Counts,
    Equivalence,
    Estimand,
    Estimate,
    Interval,
    Judge,
    Judged,
    LabRate,
    Mandel,
    NextRun,
    NotComputable,
    Precision,
    Rates,
    Ratings,
    Resampling,
    RobustEquivalence,
    agreement,
    significant,
    wilson,
)

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
            se=self.maybe(estimate.se),
            df=self.maybe(estimate.df),
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

    def precision(self, precision: Precision | NotComputable) -> records.PrecisionFigures | None:
        """Return the precision of a cell as published; nothing where there is none."""
        if isinstance(precision, NotComputable):
            return None
        test = precision.f_test
        return records.PrecisionFigures(
            repeatability=self.maybe(precision.repeatability),
            lab_item=self.maybe(precision.lab_item),
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
            h_critical=self.maybe(precision.h_critical),
            k_critical=self.maybe(precision.k_critical),
        )

    def robust_mean(self, found: RobustEquivalence | NotComputable) -> float | None:
        """Return the labs' rates in one figure that a lab far off cannot pull along."""
        return None if isinstance(found, NotComputable) else self.number(found.consensus.value)

    def methods(self, rates: Rates) -> tuple[records.MethodFigure, ...]:
        """Return the joint rate by each method that gave one, both estimands."""
        return tuple(
            records.MethodFigure(
                estimand=one.estimand,
                method=one.method,
                value=self.number(one.value),
                lower=self.number(one.lower),
                upper=self.number(one.upper),
                level=one.level,
            )
            for compared in (rates.benchmark, rates.generalised)
            for one in compared.readings
        )

    def new_lab(self, rates: Rates) -> tuple[records.NewLabFigure, ...]:
        """Return what one more lab is expected to report, on these items and on new ones."""
        return tuple(
            records.NewLabFigure(
                estimand=one.estimand,
                lower=self.number(one.lower),
                upper=self.number(one.upper),
                level=one.level,
            )
            for one in (rates.benchmark.new_lab, rates.generalised.new_lab)
            if not isinstance(one, NotComputable)
        )

    def no_events(self, rates: Rates) -> records.NoEventsFigure | None:
        """Return the bound of a rate without one event; nothing if there was an event."""
        found = rates.no_events
        if found is None:
            return None
        return records.NoEventsFigure(
            effective_items=self.number(found.effective_items),
            upper=self.number(found.upper),
            level=found.level,
        )

    def consensus(self, found: Consensus | NotComputable) -> records.ConsensusFigures | None:
        """Return the labs' mean as a consensus of dependent values."""
        if isinstance(found, NotComputable):
            return None
        return records.ConsensusFigures(
            value=self.number(found.mu),
            lower=self.number(found.lower),
            upper=self.number(found.upper),
            level=found.level,
            between_lab=self.number(math.sqrt(found.heterogeneity.tau2)),
            share=self.number(found.heterogeneity.i2),
        )

    def next_run(self, found: NextRun | NotComputable) -> tuple[records.NextRunFigure, ...]:
        """Return the best addition for each estimand, its cost counted in answers."""
        if isinstance(found, NotComputable):
            return ()
        best = (found.best(estimand) for estimand in get_args(Estimand))
        return tuple(
            records.NextRunFigure(
                estimand=one.estimand,
                what=one.what,
                answers=round(one.cost),
                half_width=self.number(one.half_width),
            )
            for one in best
        )

    def lab(
        self,
        own: LabRate,
        institute: str,
        standing: Equivalence | None,
        consistency: Mandel | None,
    ) -> records.LabFigures:
        """Return one lab's own rate, and how it stands to the others'."""
        assert isinstance(own.interval, Interval)  # noqa: S101  scores are 0 or 1
        return records.LabFigures(
            institute=institute,
            lab=own.lab,
            value=self.number(own.value),
            lower=self.number(own.interval.lower),
            upper=self.number(own.interval.upper),
            scored=own.scores,
            events=self.number(own.total),
            difference=self.number(standing.difference) if standing else None,
            expanded_uncertainty=self.number(standing.expanded) if standing else None,
            e_n=self.number(standing.normalised) if standing else None,
            zeta=self.number(standing.zeta) if standing else None,
            mandel_h=self.number(consistency.h) if consistency else None,
            mandel_k=self.maybe(consistency.k) if consistency else None,
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

    def corrections(
        self, found: Sequence[tuple[Estimand, Choice]], annotation_set: str
    ) -> tuple[records.LeadingCorrection, ...] | None:
        """Return both corrections of a judge's errors side by side; nothing if there is but one."""
        return (
            tuple(
                records.LeadingCorrection(
                    estimand=estimand,
                    annotation_set=annotation_set,
                    leads=one.headline,
                    reason=one.reason,
                    rectified=self._rectified(one.prediction_powered),
                    not_rectified=one.prediction_powered.reason
                    if isinstance(one.prediction_powered, NotComputable)
                    else None,
                    difference=self.maybe(one.difference),
                    disagree=one.disagree,
                )
                for estimand, one in found
            )
            or None
        )

    def _rectified(self, one: Estimate | NotComputable) -> records.RectifiedFigure | None:
        if isinstance(one, NotComputable):
            return None
        return records.RectifiedFigure(
            value=self.number(one.value),
            se=self.maybe(one.se),
            lower=self.number(one.lower),
            upper=self.number(one.upper),
            level=one.level,
            labs=one.labs,
            items=one.items,
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

    def maybe(self, value: float | None) -> float | None:
        """Return one number as published, if there is one."""
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
            s2_lab_item=self.maybe(parts.s2_lab_item),
            s2_epoch=self.maybe(parts.s2_epoch),
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
