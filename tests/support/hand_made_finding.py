# SPDX-License-Identifier: Apache-2.0
"""Small findings and frameworks, made by hand: every figure is what its own parts give."""

from collections.abc import Sequence
from typing import Any

from countermark.commitments.case import Case, DatedFinding
from countermark.records.evidence import CellCounts
from countermark.records.finding import Finding, FindingCell, LabSettings
from countermark.records.finding_figures import (
    Correction,
    Estimand,
    ExactCounts,
    Figure,
    JudgeValidity,
)
from countermark.records.framework import Action, Framework, Threshold
from countermark.records.threshold_rules import MetricBound, ThresholdRule
from countermark.statistics.estimate import end

DIGEST = "sha256:" + "0" * 64
LABS = ("FR-a", "GB-b", "JP-c")
CORRECTIONS: tuple[Correction, ...] = ("none", "rogan-gladen")


def figure(
    value: float,
    se: float = 0.005,
    *,
    estimand: Estimand = "benchmark",
    correction: Correction = "none",
    without: str | None = None,
    labs: int = len(LABS),
    df: float = 20,
) -> Figure:
    return Figure(
        estimand=estimand,
        correction=correction,
        without_lab=without,
        value=value,
        se=se,
        df=df,
        lower=end(value, 0.975, "lower", se=se, df=df),
        upper=end(value, 0.975, "upper", se=se, df=df),
        level=0.95,
        method="crossed",
        shape="effective",
        labs=labs - (without is not None),
        items=12,
        items_dropped=0,
    )


def exact(events: float, trials: int) -> Figure:
    """One lab's figure with exact bounds."""
    return figure(0.5).model_copy(
        update={
            "value": events / trials,
            "se": None,
            "df": None,
            "lower": 0.0,
            "upper": 1 - 0.025 ** (1 / trials),
            "shape": "exact",
            "method": "exact",
            "counts": ExactCounts(events=events, trials=trials),
            "labs": 1,
        }
    )


def figures(
    value: float, se: float = 0.005, *, labs: tuple[str, ...] = LABS, **changes: Any
) -> tuple[Figure, ...]:
    """All labs together, and each left out; every figure alike."""
    left_out = (None, *labs) if len(labs) > 1 else (None,)
    return tuple(
        figure(value, se, without=without, labs=len(labs), **changes) for without in left_out
    )


def cell(*known: Figure, language: str = "en", **changes: Any) -> FindingCell:
    fields: dict[str, Any] = {
        "model": "m",
        "task": "leak",
        "language": language,
        "status": "reported",
        "counts": CellCounts(
            model="m", task="leak", language=language, submitted=0, answered=0, refused=0,
            errored=0, missing=0, scorers=(),
        ),
        "validity": (),
        "figures": known,
        "not_computed": (),
        "labs": (),
        "methods": (),
        "new_lab": (),
        "next_run": (),
    }  # fmt: skip
    return FindingCell(**fields | changes)


def finding(*cells: FindingCell, demonstration: bool = False) -> Finding:
    return Finding(
        protocol=DIGEST,
        coordinator="GB",
        demonstration=demonstration,
        significant_digits=8,
        relative_tolerance=1e-6,
        absolute_tolerance=1e-9,
        labs=(
            LabSettings(
                institute="GB",
                lab="GB-b",
                evidence=DIGEST,
                settings=(),
                deviations=(),
                samples=8,
                transcripts_checked=8,
            ),
        ),
        left_out=(),
        differences=(),
        seed=1,
        replicates=2000,
        factors=(),
        languages=(),
        gaps=(),
        cells=cells,
    )


def limit(**changes: Any) -> MetricBound:
    fields: dict[str, Any] = {
        "task": "leak",
        "languages": ("en",),
        "estimands": ("benchmark",),
        "direction": "at-most",
        "limit": 0.1,
        "guard": 0.0,
        "alpha_miss": 0.01,
        "alpha_false": 0.05,
        "minimum_labs": 1,
    }
    return MetricBound(**fields | changes)


def threshold(
    rule: ThresholdRule | None = None,
    key: str = "t",
    actions: tuple[Action, ...] = ("deploy",),
    **more: Any,
) -> Threshold:
    return Threshold(
        key=key, title="T", force="shall", actions=actions, rule=rule or limit(), **more
    )


def framework(*thresholds: Threshold, **changes: Any) -> Framework:
    fields: dict[str, Any] = {
        "developer": "example",
        "title": "F",
        "label": "1",
        "published": "2026",
        "status": "in-force",
        "demonstration": False,
        "source": "made up",
        "thresholds": thresholds or (threshold(),),
    }
    return Framework(**fields | changes)


def judge(version: str = "v1") -> JudgeValidity:
    return JudgeValidity(
        version=version, annotation_set=DIGEST, labelled_by="us", positives=30, true_positives=27,
        negatives=30, true_negatives=27, unparsed=0, sensitivity=0.9, sensitivity_lower=0.7,
        sensitivity_upper=0.95, specificity=0.9, specificity_lower=0.7, specificity_upper=0.95,
        agreement=(),
    )  # fmt: skip


def case(
    promised: Framework,
    *found: Finding,
    model: str = "m",
    action: Action = "deploy",
    tested_more: Sequence[DatedFinding] = (),
    **more: Any,
) -> Case:
    """Return a question to the gate, with findings of no date."""
    tested = (*(DatedFinding(one) for one in found), *tested_more)
    return Case(promised, model, action, tested=tested, **more)
