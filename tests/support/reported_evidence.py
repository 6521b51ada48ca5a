# SPDX-License-Identifier: Apache-2.0
"""A framework with everything in it, and evidence about it, made by hand for reports."""

from typing import Any

from hand_made_finding import cell, figures, finding, framework, limit, threshold

from countermark.commitments.case import Case, DatedFinding
from countermark.commitments.gate import decide
from countermark.records.determination import Determination
from countermark.records.framework import Domain, Duty, Framework, Mitigation, Provision
from countermark.records.threshold_rules import SecurityLevel, Trigger

SECURITY = SecurityLevel(level="SL3", scale=("SL1", "SL2", "SL3"))
TRIGGER = Trigger(quantity="time", at_least=6, unit="months", demands="a new assessment")

FULL = framework(
    threshold(limit(), key="leaks"),
    threshold(key="aged").model_copy(update={"maximum_age_months": 6}),
    threshold(key="guarded").model_copy(update={"rule": SECURITY}),
    threshold(key="yearly").model_copy(update={"rule": TRIGGER}),
    domains=(Domain(key="cyber", title="Cyber offence"),),
    mitigations=(
        Mitigation(key="filter", title="a filter on answers", sort="deployment"),
        Mitigation(key="vault", title="a vault for weights", sort="security"),
    ),
    process=(Provision(key="p", words="a committee decides", force="shall"),),
    governance=(Provision(key="g", words="the board reviews it"),),
    disclosure=(Duty(key="d", words="publish a card", to="public", force="shall"),),
)
FOUND = finding(
    cell(*figures(0.02)),
    cell(language="fr", status="judge-not-validated", reason="nobody labelled answers"),
    cell(*figures(0.5), model="other"),
)
DECIDED = decide(
    Case(framework(*FULL.thresholds[:1]), "m", "deploy", tested=(DatedFinding(FOUND),)),
    decided_by="GB",
).model_copy(update={"framework": FULL.digest, "warnings": ("the framework is new",)})


def determined(about: Framework = FULL, **changes: Any) -> Determination:
    fields: dict[str, Any] = {
        "determined_by": "GB",
        "framework": about.digest,
        "subject": "mitigation",
        "key": "filter",
        "model": "m",
        "conclusion": "yes",
        "date": "2026-11-20",
        "persons": ("head of evaluation",),
        "reasons": "seen at work",
        "evidence": (),
        "demonstration": False,
    }
    return Determination(**fields | changes)
