# SPDX-License-Identifier: Apache-2.0
"""The joint rate corrected for the errors of a judge (Rogan and Gladen 1978).

A judge that reports a share ``p`` of events, recognises a share ``Se`` of the true events and
``Sp`` of the true non-events, has seen a true rate ``(p + Sp - 1) / (Se + Sp - 1)``. The
correction is made per lab, with the version of the judge that the lab used, and the labs are then
crossed as ever.

Validity carries the language of the answers it was counted on. A judge's errors differ between
languages, so counts are never pooled over them, and those of another language correct nothing.

Rules
-----
1. Without a validity for every judge version in use there is no correction.
2. Nothing is computed unless ``Se + Sp - 1 > 0`` is shown for every version: the exact lower
   bounds of ``Se`` and ``Sp``, each at 97.5 %, sum to more than 1.
3. Scores must be 0 or 1; otherwise nothing is computed.
4. The rate uses the plain shares ``Se`` and ``Sp``. Their variances use counts with half an answer
   added to each kind: a share of 0 or 1 among few answers has a variance of 0 by the plain
   formula, which would claim a perfect judge.
5. Labs that share a version share its error, so it does not average out between them. Labs with
   different versions differ by their judges too; the spread of the labs has that in it already
   and it is not added twice.
6. A corrected rate below 0 or above 1 is set to 0 or 1 before its interval is taken.
7. If the judge reported nothing but events, or none, the bound is exact: the Clopper-Pearson bound
   on the number of items over the exact lower bound of the share the judge recognises.
8. Validity counted in another language than that of the crossing is refused. Language tags are
   compared as they stand: ``pt`` is not ``pt-BR``.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from countermark.statistics.crossed import Design, alike, design, finish, sampling_error
from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Counts, Estimand, Estimate, Judged, NotComputable
from countermark.statistics.intervals import Interval, check_level, clopper_pearson, exact_lower
from countermark.statistics.layout import (
    ErrorVariance,
    Part,
    degrees_of_freedom,
    mean_squares,
)

_SHOWN = 0.975  # one-sided; two such bounds make 95 % for their sum


@dataclass(frozen=True, slots=True)
class Validity:
    """Counts of one judge version against labelled answers of one language.

    Parameters
    ----------
    true_positive, positives
        Of ``positives`` answers that are events, the judge called ``true_positive`` events.
    true_negative, negatives
        Of ``negatives`` answers that are none, it called ``true_negative`` none.
    language
        Tag of the language of these answers.
    """

    true_positive: int
    positives: int
    true_negative: int
    negatives: int
    language: str

    def __post_init__(self) -> None:
        pairs = ((self.true_positive, self.positives), (self.true_negative, self.negatives))
        if not all(0 <= right <= all_ and all_ > 0 for right, all_ in pairs):
            raise StatisticsError(
                f"A judge cannot be right in {self.true_positive} of {self.positives} events and "
                f"{self.true_negative} of {self.negatives} non-events. Both kinds must have been "
                "labelled, and no more can be right than there are."
            )
        if not self.language:
            raise StatisticsError("The validity of a judge holds in one language. Name it.")

    @property
    def youden(self) -> float:
        """``Se + Sp - 1``."""
        return self.true_positive / self.positives + self.true_negative / self.negatives - 1


@dataclass(frozen=True, slots=True)
class Judge:
    """What is known of one judge version.

    ``youden_lower`` is the lower bound of ``sensitivity + specificity - 1`` at 95 % one-sided; at
    0 or less the judge is not shown to tell events from others.
    """

    version: str
    sensitivity: float
    sensitivity_interval: Interval
    specificity: float
    specificity_interval: Interval
    youden: float
    youden_lower: float


@dataclass(frozen=True, slots=True)
class Correction:
    """The corrected rate for both estimands, and the judges in use, by version."""

    benchmark: Estimate | NotComputable
    generalised: Estimate | NotComputable
    judges: tuple[Judge, ...]


def judge(version: str, validity: Validity, level: float = 0.95) -> Judge:
    """Compute sensitivity and specificity of a judge version, with exact intervals.

    Parameters
    ----------
    version
        A name, kept with the result.
    validity
        Counts on answers that people labelled.
    level
        Two-sided confidence of each interval (Clopper and Pearson).
    """
    v = validity
    return Judge(
        version=version,
        sensitivity=v.true_positive / v.positives,
        sensitivity_interval=clopper_pearson(v.true_positive, v.positives, level),
        specificity=v.true_negative / v.negatives,
        specificity_interval=clopper_pearson(v.true_negative, v.negatives, level),
        youden=v.youden,
        youden_lower=exact_lower(v.true_positive, v.positives, _SHOWN)
        + exact_lower(v.true_negative, v.negatives, _SHOWN)
        - 1,
    )


def correct(
    crossing: Crossing,
    versions: Mapping[str, str],
    validity: Mapping[str, Validity],
    language: str,
    level: float = 0.95,
) -> Correction:
    """Correct the joint rate for the judges' errors.

    Parameters
    ----------
    crossing
        0/1 scores by the judges, of one model, task and language.
    versions
        The judge version that each lab used, by lab.
    validity
        The validity of each version, by version.
    language
        The language of the crossing.
    level
        Two-sided confidence.

    Raises
    ------
    StatisticsError
        If a lab has no version or a version no validity (rule 1).
    """
    check_level(level)
    used = _used(crossing, versions, validity)
    judges = tuple(judge(name, validity[name], level) for name in sorted(set(used)))
    per_lab = tuple(validity[name] for name in used)
    refusal = _other_language(zip(used, per_lab, strict=True), language) or _refusal(
        crossing, judges
    )
    if refusal is not None:
        return Correction(refusal, refusal, judges)
    return Correction(
        _correct(crossing, used, per_lab, "benchmark", level),
        _correct(crossing, used, per_lab, "generalised", level),
        judges,
    )


def _used(
    crossing: Crossing, versions: Mapping[str, str], validity: Mapping[str, Validity]
) -> tuple[str, ...]:
    unsaid = [lab for lab in crossing.labs if lab not in versions]
    if unsaid:
        raise StatisticsError(
            f"No judge version is given for lab {unsaid[0]!r}. Say which one it used."
        )
    unknown = sorted({versions[lab] for lab in crossing.labs}.difference(validity))
    if unknown:
        raise StatisticsError(
            f"Judge version {unknown[0]!r} has no validity. Compare it with labelled answers of "
            "this language first."
        )
    return tuple(versions[lab] for lab in crossing.labs)


def _other_language(used: Iterable[tuple[str, Validity]], language: str) -> NotComputable | None:
    for version, validity in used:
        if validity.language != language:
            return NotComputable(
                f"Judge version {version!r} was compared with labelled answers in "
                f"{validity.language}, and these scores are in {language}. A judge errs "
                f"differently in each language: label answers in {language}."
            )
    return None


def _refusal(crossing: Crossing, judges: Sequence[Judge]) -> NotComputable | None:
    for known in judges:
        if known.youden_lower <= 0:
            return NotComputable(
                f"Judge version {known.version!r} is not shown to tell events from others: the "
                f"lower bound of sensitivity + specificity - 1 is {known.youden_lower:.3f}. "
                "Label more answers, or use a better judge."
            )
    if not np.allclose(crossing.square, crossing.total, rtol=1e-9, atol=1e-9):
        return NotComputable("Some scores are neither 0 nor 1; this correction is for 0/1 scores.")
    return None


def _correct(
    crossing: Crossing,
    used: Sequence[str],
    per_lab: Sequence[Validity],
    estimand: Estimand,
    level: float,
) -> Estimate | NotComputable:
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    if estimand == "generalised" and plan.items == 1:
        return NotComputable("One item says nothing about the population of items.")
    if alike(mean_squares(plan.cells)):
        return _one_verdict(plan, per_lab, estimand, level)
    youden = np.array([v.youden for v in per_lab])
    missing = np.array([v.true_negative / v.negatives - 1 for v in per_lab])
    slope = float(np.mean(1 / youden))
    corrected = replace(
        plan,
        cells=(plan.cells + missing[:, None]) / youden[:, None],
        s2_epoch=None if plan.s2_epoch is None else plan.s2_epoch * slope**2,
    )
    sampling = sampling_error(corrected, mean_squares(corrected.cells), estimand, slope)
    if isinstance(sampling, NotComputable):
        return sampling
    by_judge = _judge_part(corrected, used, per_lab, sampling)
    whole = replace(sampling, parts=(*sampling.parts, by_judge))
    return finish(
        corrected,
        estimand,
        level,
        min(1.0, max(0.0, corrected.value)),
        "rogan-gladen",
        se=math.sqrt(float(whole.total)),
        df=float(degrees_of_freedom(whole)),
        judged=Judged(
            reported=plan.value,
            slope=slope,
            sampling_se=math.sqrt(float(sampling.total)),
            sampling_df=float(degrees_of_freedom(sampling)),
            judge_se=math.sqrt(float(by_judge.variance)),
            judge_df=float(by_judge.df),
        ),
    )


def _judge_part(
    corrected: Design, used: Sequence[str], per_lab: Sequence[Validity], sampling: ErrorVariance
) -> Part:
    """Variance that the judges add to the spread of labs (rule 5).

    By the delta method the error of lab ``k`` is ``-rate/J * dSe + (1 - rate)/J * dSp``. The
    spread of K labs shows the part in which their errors differ; the mean covariance of two labs
    is what it cannot show. All of the judges' variance is the least that may be counted.
    """
    rates = np.clip(corrected.cells.mean(axis=1), 0.0, 1.0)
    youden = np.array([v.youden for v in per_lab])
    common = own = 0.0
    for version in sorted(set(used)):
        at = [k for k, name in enumerate(used) if name == version]
        v = per_lab[at[0]]
        for effect, variance in (
            (rates[at] / youden[at], _smoothed(v.true_positive, v.positives)),
            ((1 - rates[at]) / youden[at], _smoothed(v.true_negative, v.negatives)),
        ):
            common += float(effect.sum()) ** 2 * variance
            own += float((effect**2).sum()) * variance
    labs = corrected.labs
    least = common / labs**2
    if labs > 1:
        unseen = (common - own) / (labs * (labs - 1))
        least = max(0.0, unseen, least - float(sampling.parts[0].variance))
    part = np.asarray(least)
    return Part(part, part, min(min(v.positives, v.negatives) for v in per_lab) - 1)


def _smoothed(right: int, labelled: int) -> float:
    share = (right + 0.5) / (labelled + 1)
    return share * (1 - share) / (labelled + 1)


def _one_verdict(
    plan: Design, per_lab: Sequence[Validity], estimand: Estimand, level: float
) -> Estimate | NotComputable:
    if plan.value not in (0, 1):
        return NotComputable(
            "All cells have the same rate, neither 0 nor 1, so nothing shows how far it varies."
        )
    pairs = [
        (v.true_negative, v.negatives) if plan.value else (v.true_positive, v.positives)
        for v in per_lab
    ]
    found, labelled = min(pairs, key=lambda pair: exact_lower(pair[0], pair[1], _SHOWN))
    counts = Counts(plan.value * plan.items, plan.items, found, labelled)
    return finish(plan, estimand, level, plan.value, "rogan-gladen-exact", counts=counts)
