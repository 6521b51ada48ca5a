# SPDX-License-Identifier: Apache-2.0
"""Determinations made by hand, about the framework and model of :mod:`hand_made_finding`."""

from typing import Any

from countermark.records.determination import Determination
from countermark.records.framework import Duty, Framework, Mitigation
from countermark.records.threshold_rules import (
    CapabilityLevel,
    OutcomeThreshold,
    Regression,
    ScoreTier,
    SecurityLevel,
    Trigger,
    Uplift,
)

FILTER = Mitigation(key="filter", title="A filter of answers", sort="deployment")
LEVEL = CapabilityLevel(scale=("low", "high", "critical"), level="high", evidence=("a trial",))
OUTCOME = OutcomeThreshold(outcome="a novice makes a weapon", evidence=())
TIER = ScoreTier(scale=("MR1", "MR2", "MR3"), tier="MR3", demands="a committee agrees")
SECURITY = SecurityLevel(scale=("SML-1", "SML-2", "SML-3"), level="SML-2")
COST = Uplift(measure="cost", ratio=10, baseline="today's tools")
COMPUTE = Trigger(quantity="compute", at_least=4, unit="times", demands="a full assessment")
MONTHS = Trigger(quantity="time", at_least=6, unit="months", demands="a full assessment")
REPORT = Duty(key="report", words="a report on the tests", to="public", force="shall",
              before="deploy")  # fmt: skip


def regression(**changes: Any) -> Regression:
    fields: dict[str, Any] = {
        "task": "leak", "languages": ("en",), "estimands": ("benchmark",), "baseline": "old",
        "worse": "higher", "margin": 0.05, "alpha_miss": 0.01, "alpha_false": 0.05,
        "minimum_labs": 1,
    }  # fmt: skip
    return Regression(**fields | changes)


def uplift(**changes: Any) -> Uplift:
    fields: dict[str, Any] = {
        "measure": "rate", "ratio": 2.0, "baseline": "people alone", "task": "leak",
        "baseline_task": "alone", "languages": ("en",), "estimands": ("benchmark",),
        "alpha_miss": 0.01, "alpha_false": 0.05, "minimum_labs": 1,
    }  # fmt: skip
    return Uplift(**fields | changes)


def determined(promised: Framework, conclusion: str, **changes: Any) -> Determination:
    """Return a determination about the threshold ``t``."""
    fields: dict[str, Any] = {
        "determined_by": "GB", "framework": promised.digest, "subject": "threshold", "key": "t",
        "model": "m", "conclusion": conclusion, "date": "2026-11-01", "persons": ("a panel",),
        "reasons": "made up", "evidence": (), "demonstration": False,
    }  # fmt: skip
    return Determination(**fields | changes)
