# SPDX-License-Identifier: Apache-2.0
"""A finding made up for tests of pages, with every status that a cell can have."""

from typing import Literal, NamedTuple

from countermark.records.compared import ComparedSetting, ComparedValue, SettingStatus
from countermark.records.evidence import (
    CellCounts,
    Deviation,
    ScorerCounts,
)
from countermark.records.finding import (
    CellStatus,
    Difference,
    Finding,
    FindingCell,
    Gap,
    LabSettings,
    LeftOut,
)
from countermark.records.finding_figures import (
    Components,
    ConsensusFigures,
    ControlFigures,
    Correction,
    Estimand,
    Figure,
    JudgeValidity,
    LabFigures,
    LeadingCorrection,
    MethodFigure,
    NewLabFigure,
    NextRunFigure,
    NotComputed,
    PrecisionFigures,
    RectifiedFigure,
)
from countermark.records.protocol import (
    FactorSetting,
)

CODES = ("GB", "JP", "FR", "KE", "SG")
LANGUAGES = ("en", "fr", "ja", "fa")
MODEL = "small-model"


def lab(code: str) -> str:
    """Return the key of an institute's one lab."""
    return f"{code}-sim"


def settings_of(code: str) -> tuple[FactorSetting, ...]:
    """Return what one lab declared."""
    odd = CODES.index(code) % 2
    return (
        FactorSetting(factor="temperature", value="warm" if odd else "zero"),
        FactorSetting(factor="system-prompt", value="stern" if odd else "plain"),
        FactorSetting(factor="judge", value="v2" if code == "KE" else "v1"),
    )


class Told(NamedTuple):
    """What one lab told of a setting, and how that compares."""

    status: SettingStatus
    value: str | None


def _row(
    name: str, *values: tuple[SettingStatus, str | None], asked: str | None = None
) -> ComparedSetting:
    told = values if len(values) > 1 else values * len(CODES)
    statuses = [status for status, _ in told]
    graver = ("undeclared", "declared-deviation", "declared-factor", "unknown", "allowed", "same")
    return ComparedSetting(
        name=name,
        status=min(statuses, key=graver.index),
        values=tuple(
            ComparedValue(
                lab=lab(code),
                status=status,
                value=value,
                asked=asked,
                cells=("small-model/leak/en",) if status == "undeclared" else None,
                reason="no value is common to most" if status == "undeclared" else None,
            )
            for code, (status, value) in zip(CODES, told, strict=True)
        ),
    )


def comparability() -> tuple[ComparedSetting, ...]:
    """Return a table with every status that a setting can have."""
    return (
        _row("changed-during-run", ("same", "[]"), asked="[]"),
        _row("epochs", ("same", "2"), asked="2"),
        _row(
            "generation.temperature",
            ("same", "0"),
            ("declared-factor", "0.7"),
            ("same", "0"),
            ("declared-factor", "0.7"),
            ("same", "0"),
        ),
        _row(
            "generation.top_p",
            *(Told("same", "1"),) * 4,
            ("declared-deviation", "0.9"),
            asked="1",
        ),
        _row(
            "model.route",
            *(Told("same", '"openai"'),) * 3,
            ("undeclared", '"azure"'),
            ("unknown", None),
        ),
        _row("package.inspect_ai", *(Told("allowed", '"0.3.99"'),) * 4, ("allowed", '"0.3.285"')),
        _row("system-prompt", ("same", f'"sha256:{"ab" * 32}"')),
    )


def counts_of(task: str, language: str) -> CellCounts:
    """Return the counts of one cell."""
    return CellCounts(
        model=MODEL,
        task=task,
        language=language,
        submitted=120,
        answered=108,
        refused=6,
        errored=4,
        missing=2,
        scorers=tuple(
            ScorerCounts(
                scorer=f"{task}-scorer",
                version=version,
                scored=110 // len(versions),
                unparsed=3,
                not_attempted=120 // len(versions) - 110 // len(versions) - 3,
            )
            for versions in [("v1", "v2") if task == "refusal" else ("v1",)]
            for version in versions
        ),
    )


def _figure(
    value: float, estimand: Estimand, correction: Correction, without: str | None = None
) -> Figure:
    half = 0.06 if estimand == "benchmark" else 0.14
    half *= 1.4 if correction == "rogan-gladen" else 1.0
    return Figure(
        estimand=estimand,
        correction=correction,
        without_lab=without,
        value=value,
        se=half / 2.3,
        df=7.123456,
        lower=max(value - half, 0.0),
        upper=min(value + half, 1.0),
        level=0.95,
        method="crossed-moments",
        shape="effective",
        labs=4 if without else 5,
        items=12,
        items_dropped=0,
        components=Components(
            s2_lab=0.0021,
            s2_item=0.034,
            s2_lab_item=0.004,
            s2_epoch=0.11,
            ms_lab=0.2,
            ms_item=0.5,
            ms_lab_item=0.12,
            epochs=2.0,
        ),
    )


def _figures(value: float, *, judged: bool) -> tuple[Figure, ...]:
    corrections: tuple[Correction, ...] = ("none", "rogan-gladen") if judged else ("none",)
    estimands: tuple[Estimand, ...] = ("benchmark", "generalised")
    return tuple(
        _figure(
            value + (0.0123456 * place if without else 0.0) + (0.05 if kind != "none" else 0.0),
            estimand,
            kind,
            without,
        )
        for kind in corrections
        for estimand in estimands
        for place, without in enumerate((None, *map(lab, CODES)))
    )


def _lab_figures(value: float) -> tuple[LabFigures, ...]:
    shifts = dict(zip(CODES, (-0.04, 0.02, 0.0, 0.21, -0.01), strict=True))
    return tuple(
        LabFigures(
            institute=code,
            lab=lab(code),
            value=value + shift,
            lower=max(value + shift - 0.12, 0.0),
            upper=min(value + shift + 0.12, 1.0),
            scored=22,
            events=round(22 * (value + shift)),
            difference=shift * 1.25,
            expanded_uncertainty=0.18,
            e_n=shift * 1.25 / 0.18,
        )
        for code, shift in shifts.items()
    )


def _validity(version: str, annotation_set: str) -> JudgeValidity:
    return JudgeValidity(
        version=version,
        annotation_set=annotation_set,
        labelled_by="the authors",
        positives=30,
        true_positives=26,
        negatives=34,
        true_negatives=31,
        unparsed=1,
        sensitivity=26 / 30,
        sensitivity_lower=0.69,
        sensitivity_upper=0.96,
        specificity=31 / 34,
        specificity_lower=0.76,
        specificity_upper=0.98,
        agreement=(),
    )


def _reported(task: str, language: str, value: float, sets: tuple[str, ...]) -> FindingCell:
    return FindingCell(
        model=MODEL,
        task=task,
        language=language,
        status="reported",
        counts=counts_of(task, language),
        controls=ControlFigures(passed=18, tried=20, lower=0.68, upper=0.99, minimum=0.5)
        if task == "leak"
        else None,
        validity=tuple(_validity(version, digest) for digest in sets for version in ("v1", "v2")),
        figures=_figures(value, judged=bool(sets)),
        not_computed=(),
        precision=PrecisionFigures(
            repeatability=0.331,
            lab_item=0.063,
            between_lab=0.046,
            reproducibility=0.34,
            f_statistic=1.92,
            f_p_value=0.124,
        ),
        labs=_lab_figures(value),
        robust_mean=value,
        methods=_methods(value),
        new_lab=tuple(
            NewLabFigure(estimand=one, lower=value - reach, upper=value + reach, level=0.95)
            for one, reach in _REACH
        ),
        consensus=ConsensusFigures(
            value=value, lower=value - 0.1, upper=value + 0.1, level=0.95, between_lab=0.04,
            share=0.48,
        ),
        next_run=(
            NextRunFigure(estimand="benchmark", what="a lab", answers=240, half_width=0.05),
            NextRunFigure(estimand="generalised", what="10 items", answers=100, half_width=0.11),
        ),
        corrections=_corrections(value, sets[0]) if sets else None,
    )  # fmt: skip


def _corrections(value: float, annotation_set: str) -> tuple[LeadingCorrection, ...]:
    return (
        LeadingCorrection(
            estimand="benchmark",
            annotation_set=annotation_set,
            leads="prediction-powered",
            reason="The rate rectified with people's labels leads: people labelled a recorded "
            "random sample of these answers.",
            rectified=RectifiedFigure(
                value=value + 0.017, se=0.03, lower=value - 0.05, upper=value + 0.08, level=0.95,
                labs=5, items=10,
            ),
            difference=0.011,
            disagree=False,
        ),
        LeadingCorrection(
            estimand="generalised",
            annotation_set=annotation_set,
            leads="rogan-gladen",
            reason="The rate corrected by sensitivity and specificity leads, although people "
            "labelled a sample: the other was not computed.",
            not_rectified="Label more answers.",
            disagree=False,
        ),
    )  # fmt: skip


_REACH: tuple[tuple[Estimand, float], ...] = (("benchmark", 0.09), ("generalised", 0.17))
_BY: tuple[tuple[Literal["crossed", "mixed", "bootstrap"], float], ...] = (
    ("crossed", 0.0),
    ("mixed", 0.004),
    ("bootstrap", -0.001),
)


def _methods(value: float) -> tuple[MethodFigure, ...]:
    return tuple(
        MethodFigure(
            estimand=estimand,
            method=method,
            value=value + by,
            lower=value + by - reach,
            upper=value + by + reach,
            level=0.95,
        )
        for estimand, reach in _REACH
        for method, by in _BY
    )


def _unreported(task: str, language: str, status: CellStatus, reason: str) -> FindingCell:
    shown = status == "not-informative"
    return FindingCell(
        model=MODEL,
        task=task,
        language=language,
        status=status,
        reason=reason,
        counts=counts_of(task, language),
        controls=ControlFigures(passed=3, tried=20, lower=0.03, upper=0.38, minimum=0.5)
        if shown
        else None,
        validity=(),
        figures=_figures(0.02, judged=False) if shown else (),
        not_computed=()
        if shown
        else (NotComputed(estimand="benchmark", correction="none", reason=reason),),
        labs=_lab_figures(0.05) if shown else (),
        methods=(),
        new_lab=(),
        next_run=(),
    )


def sample_finding(protocol: str, evidence: dict[str, str], sets: dict[str, str]) -> Finding:
    """Return a finding with a cell of every status."""
    people = "No answers in this language were labelled by people."
    return Finding(
        protocol=protocol,
        coordinator="GB",
        demonstration=True,
        significant_digits=8,
        relative_tolerance=1e-6,
        absolute_tolerance=1e-9,
        labs=tuple(
            LabSettings(
                institute=code,
                lab=lab(code),
                evidence=evidence[code],
                settings=settings_of(code),
                deviations=(
                    Deviation(reason="An older engine.", differences=("max_tokens: 20, not 24",)),
                )
                if code == "SG"
                else (),
                samples=208,
                transcripts_checked=12 if code == "SG" else 208,
            )
            for code in CODES
        ),
        left_out=(
            LeftOut(institute="KE", lab="KE-other", because="not-revealed"),
            LeftOut(
                institute="FR", lab="FR-other", because="coordinator", reason="Its seal is bad."
            ),
        ),
        differences=(
            Difference(factor="temperature", aliases=("system-prompt",)),
            Difference(factor="judge", aliases=("lab",)),
        ),
        seed=1,
        replicates=2000,
        factors=(),
        languages=(),
        comparability=comparability(),
        gaps=(
            Gap(section="languages", reason="The protocol declares no reference language."),
            Gap(
                section="rates",
                model=MODEL,
                task="leak",
                language="fr",
                reason="generalised, mixed: The likelihood has no maximum.",
            ),
        ),
        cells=(
            _reported("leak", "en", 0.62345678, ()),
            _reported("leak", "fr", 0.31298765, ()),
            _unreported(
                "leak",
                "ja",
                "not-informative",
                "The model passed 3 of 20 controls; the protocol asks for half.",
            ),
            _unreported("leak", "fa", "not-computable", "Only one lab has scored answers."),
            _reported("refusal", "en", 0.41234567, (sets["en"],)),
            _reported("refusal", "fr", 0.28765432, (sets["fr"],)),
            _unreported("refusal", "ja", "judge-not-validated", people),
            _unreported("refusal", "fa", "judge-not-validated", people),
        ),
    )
