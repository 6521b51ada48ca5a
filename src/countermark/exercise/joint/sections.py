# SPDX-License-Identifier: Apache-2.0
"""From the sections of an analysis to what a finding publishes. Pure.

1. A cell's own figures are published with the cell, if its rates are (see
   :mod:`countermark.exercise.joint.finding`).
2. A language is compared if its task's scorer is objective and its cell says something, and so
   does the reference's. Both estimands are given; each is a family of its own.
3. A factor is published where the labs' settings tell what it does, and where labs ran a swap of
   it: then the contrast is of the same labs and items, and is marked as *designed*.
4. What could not be computed is a gap with its reason: once, if it is so in every published cell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_args

from countermark.exercise.joint.figures import Rounding
from countermark.records import finding as records
from countermark.records import finding_figures as parts
from countermark.statistics import (
    ArmContrast,
    CellKey,
    Choice,
    Consensus,
    Equivalence,
    Estimand,
    FactorEffect,
    JointAnalysis,
    JointRate,
    LabExplanation,
    LabRate,
    Languages,
    Mandel,
    Missing,
    NextRun,
    NotComputable,
    Of,
    Precision,
    RobustEquivalence,
)

T = TypeVar("T")

_PUBLISHED_ELSEWHERE = ("cases", "methods.benchmark.estimate", "methods.generalised.estimate")
_PARTS = {
    "i2_interval": "interval of the share between labs",
    "new_lab": "one more lab",
    "mixed": "mixed model",
    "robust": "robust mean",
    "explanation": "settings",
    "arms": "designed arms",
}
_NOT_OF_A_FINDING = ("scorers", "threshold", "languages")


@dataclass(frozen=True, slots=True)
class Sections:
    """One cell's results out of all sections."""

    raw: tuple[LabRate, ...]
    rate: JointRate
    precision: Precision | NotComputable
    equivalence: tuple[Equivalence, ...] | NotComputable
    robust: RobustEquivalence | NotComputable
    consensus: Consensus | NotComputable
    next_run: NextRun | NotComputable
    choices: tuple[tuple[Estimand, Choice], ...]

    @classmethod
    def of(cls, analysis: JointAnalysis, cell: CellKey) -> "Sections":
        """Pick one cell."""
        raw, rate = _result(analysis.raw, cell), _result(analysis.rates, cell)
        assert not isinstance(raw, NotComputable)  # noqa: S101  these two are always there
        assert not isinstance(rate, NotComputable)  # noqa: S101
        between = _result(analysis.between_labs, cell)
        next_run = _result(analysis.next_run, cell)
        scorer = _result(analysis.scorers, cell)
        both = () if isinstance(scorer, NotComputable) else (scorer.benchmark, scorer.generalised)
        choices = tuple(
            (estimand, one)
            for estimand, one in zip(get_args(Estimand), both, strict=False)
            if isinstance(one, Choice)
        )
        if isinstance(between, NotComputable):
            return cls(raw, rate, between, between, between, between, next_run, choices)
        return cls(
            raw,
            rate,
            between.precision,
            between.equivalence,
            between.robust,
            between.consensus,
            next_run,
            choices,
        )

    def standing(self, lab: str) -> Equivalence | None:
        """Return how one lab stands to the others."""
        if isinstance(self.equivalence, NotComputable):
            return None
        return next((one for one in self.equivalence if one.lab == lab), None)

    def mandel(self, lab: str) -> Mandel | None:
        """Return one lab's consistency figures."""
        if isinstance(self.precision, NotComputable):
            return None
        return next((one for one in self.precision.mandel if one.lab == lab), None)


@dataclass(frozen=True, slots=True)
class Published:
    """What a finding holds beside its cells."""

    factors: tuple[parts.FactorFigures, ...]
    languages: tuple[parts.LanguageFigures, ...]
    gaps: tuple[records.Gap, ...]


def published(
    analysis: JointAnalysis | None,
    cells: Sequence[records.FindingCell],
    rounding: Rounding,
    references: Mapping[str, str],
) -> Published:
    """Publish what is beyond single cells, and every gap.

    Parameters
    ----------
    analysis
        Nothing if no cell could be analysed.
    cells
        The finding's cells.
    rounding
        How figures are published.
    references
        The reference value of each factor.
    """
    if analysis is None:
        reason = "No cell has answers that could be analysed."
        return Published((), (), (records.Gap(section="rates", reason=reason),))
    shown = {
        (cell.task, cell.model, cell.language)
        for cell in cells
        if cell.status in {"reported", "not-informative"}
    }
    gaps = [
        *_once(one for one in _missing(analysis) if _shown(one.cell, shown)),
        *_language_gaps(analysis),
    ]
    return Published(
        factors=tuple(
            figure
            for one in analysis.why
            if _shown(one.cell, shown)
            for figure in (
                *_factors(one.cell, _explanation(analysis, one.cell), rounding),
                *_contrasts(one.cell, _arms(analysis, one.cell), references, rounding),
            )
        ),
        languages=tuple(_languages(analysis, rounding)),
        gaps=tuple(gaps),
    )


def _result(section: Sequence[Of[T]], cell: CellKey) -> T | NotComputable:
    return next(one.result for one in section if one.cell == cell)


def _shown(cell: CellKey | None, shown: set[tuple[str, str, str]]) -> bool:
    return cell is None or (cell.task, cell.model, cell.language) in shown


def _missing(analysis: JointAnalysis) -> Iterator[Missing]:
    for one in analysis.missing:
        if one.section in _NOT_OF_A_FINDING or one.part.startswith(_PUBLISHED_ELSEWHERE):
            continue
        yield one


def _once(missing: Iterator[Missing]) -> Iterator[records.Gap]:
    """Say a reason once where every cell has it (rule 4)."""
    found: dict[tuple[str, str, str], list[CellKey | None]] = {}
    every: set[CellKey] = set()
    for one in missing:
        found.setdefault((one.section, one.part, one.reason), []).append(one.cell)
        every |= {one.cell} if one.cell else set()
    for (section, part, reason), where in found.items():
        words = f"{_words(part)}: {reason}" if part else reason
        everywhere = where == [None] or (len(every) > 1 and len(set(where)) == len(every))
        for cell in (None,) if everywhere else where:
            yield _gap(section, words, cell)


def _gap(section: str, reason: str, cell: CellKey | None) -> records.Gap:
    return records.Gap(
        section=section.replace("_", "-"),
        model=cell.model if cell else None,
        task=cell.task if cell else None,
        language=cell.language if cell else None,
        reason=reason,
    )


def _words(part: str) -> str:
    return ", ".join(
        _PARTS.get(one, one.replace("_", " ")) for one in part.split(".") if one != "methods"
    )


def _explanation(analysis: JointAnalysis, cell: CellKey) -> LabExplanation | NotComputable:
    found = _result(analysis.why, cell)
    return found if isinstance(found, NotComputable) else found.explanation


def _arms(analysis: JointAnalysis, cell: CellKey) -> tuple[ArmContrast, ...]:
    found = _result(analysis.why, cell)
    if isinstance(found, NotComputable) or isinstance(found.arms, NotComputable):
        return ()
    return found.arms


def _contrasts(
    cell: CellKey,
    arms: Sequence[ArmContrast],
    references: Mapping[str, str],
    rounding: Rounding,
) -> Iterator[parts.FactorFigures]:
    for arm in arms:
        if isinstance(arm.joint, NotComputable):
            continue
        factor, _, value = arm.factor.partition(".")
        yield parts.FactorFigures(
            model=cell.model,
            task=cell.task,
            language=cell.language,
            factor=factor,
            setting=value,
            against=references[factor],
            difference=rounding.number(arm.joint.value),
            lower=rounding.number(arm.joint.lower),
            upper=rounding.number(arm.joint.upper),
            p_adjusted=rounding.number(arm.adjusted),
            designed=arm.joint.labs,
        )


def _factors(
    cell: CellKey, found: LabExplanation | NotComputable, rounding: Rounding
) -> Iterator[parts.FactorFigures]:
    if isinstance(found, NotComputable):
        return
    shares = (
        {}
        if isinstance(found.shares, NotComputable)
        else {one.factor: one.adjusted for one in found.shares.factors}
    )
    for factor in found.factors:
        if isinstance(factor.finding, FactorEffect):
            for effect in factor.finding.effects:
                yield parts.FactorFigures(
                    model=cell.model,
                    task=cell.task,
                    language=cell.language,
                    factor=factor.name,
                    setting=effect.value,
                    against=effect.against,
                    difference=rounding.number(effect.difference),
                    lower=rounding.number(effect.lower),
                    upper=rounding.number(effect.upper),
                    p_adjusted=rounding.number(factor.finding.adjusted),
                    share=rounding.maybe(shares.get(factor.name)),
                )


def _compared(analysis: JointAnalysis) -> tuple[Languages, ...]:
    return () if isinstance(analysis.languages, NotComputable) else analysis.languages


def _languages(analysis: JointAnalysis, rounding: Rounding) -> Iterator[parts.LanguageFigures]:
    for family in _compared(analysis):
        if isinstance(family.result, NotComputable):
            continue
        for one in family.result.languages:
            found = one.difference
            if not isinstance(found, NotComputable):
                yield parts.LanguageFigures(
                    model=family.model,
                    task=family.task,
                    language=one.language,
                    reference=family.result.reference,
                    estimand=family.estimand,
                    difference=rounding.number(found.value),
                    lower=rounding.number(found.lower),
                    upper=rounding.number(found.upper),
                    level=found.level,
                    margin=family.result.margin,
                    p_adjusted=rounding.number(one.different.adjusted),
                    verdict=one.verdict,
                    items=found.items,
                    items_dropped=len(found.items_dropped),
                )


def _language_gaps(analysis: JointAnalysis) -> Iterator[records.Gap]:
    if isinstance(analysis.languages, NotComputable):
        yield records.Gap(section="languages", reason=analysis.languages.reason)
        return
    said: set[tuple[str, str, str | None, str]] = set()
    for family in analysis.languages:
        lost: list[tuple[str | None, str]] = [(one.language, one.reason) for one in family.left_out]
        if isinstance(family.result, NotComputable):
            lost.append((None, family.result.reason))
        else:
            lost += [
                (one.language, f"{family.estimand}: {one.difference.reason}")
                for one in family.result.languages
                if isinstance(one.difference, NotComputable)
            ]
        for language, reason in lost:
            place = (family.model, family.task, language, reason)
            if place not in said:
                said.add(place)
                yield records.Gap(
                    section="languages",
                    model=family.model,
                    task=family.task,
                    language=language,
                    reason=reason,
                )
