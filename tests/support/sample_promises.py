# SPDX-License-Identifier: Apache-2.0
"""What an example developer promises in the sample book, what changed, and who judged it.

Two versions of a framework with every kind of threshold, a third whose file changed under the same
label, an account, determinations by two institutes and the developer, a reply, and what the real
gate decides from all of it.
"""

from datetime import date
from typing import Any

from countermark.commitments.case import Case
from countermark.commitments.gate import decide
from countermark.records.account import Account, Announced, Reply
from countermark.records.canonical import content_digest
from countermark.records.decision import Decision
from countermark.records.determination import Determination, Weighed
from countermark.records.framework import (
    Domain,
    Duty,
    Framework,
    Mitigation,
    Place,
    Provision,
    Threshold,
)
from countermark.records.reference import Source
from countermark.records.threshold_rules import (
    CapabilityLevel,
    NotQuantified,
    OutcomeThreshold,
    Regression,
    ScoreTier,
    SecurityLevel,
    ThresholdRule,
    Trigger,
    Uplift,
)

DEVELOPER = "example-developer"
MODEL = "promised-model"
SOURCE = Source(
    title="Promises of the example developer",
    publisher="Example Developer",
    url="https://example.org/promises",
    published="2026-01-15",
    standing="primary",
)
LEVELS = ("low", "high", "critical")


def _threshold(key: str, title: str, rule: ThresholdRule, **more: Any) -> Threshold:
    fields = {"force": "shall", "actions": ("develop", "deploy"), **more}
    return Threshold(
        key=key,
        title=title,
        rule=rule,
        read_in=Place(source=SOURCE, section=f"Section on {key}"),
        **fields,
    )


def _cyber(level: str, **more: Any) -> Threshold:
    rule = CapabilityLevel(scale=LEVELS, level=level, evidence=("tests by outsiders",))
    return _threshold("cyber", "Help with attacks on computers", rule, domain="cyber", **more)


def _thresholds() -> tuple[Threshold, ...]:
    rate: dict[str, Any] = {
        "languages": ("en",),
        "estimands": ("benchmark",),
        "alpha_miss": 0.05,
        "alpha_false": 0.05,
        "minimum_labs": 2,
    }
    return (
        _threshold(
            "regression",
            "No more leakage than before",
            Regression(task="leak", baseline="older-model", worse="higher", margin=0.02, **rate),
            actions=("deploy",),
        ),
        _threshold(
            "uplift",
            "Little help to a novice",
            Uplift(measure="cost", ratio=2.0, baseline="a search engine"),
            force="should",
            actions=("develop",),
            standing="one-institute",
        ),
        _threshold(
            "outcome",
            "No harm to a great many people",
            OutcomeThreshold(outcome="harm to a great many people", evidence=()),
            domain="cyber",
        ),
        _threshold(
            "compute",
            "New assessment after a step of compute",
            Trigger(quantity="compute", at_least=4.0, unit="times", demands="a new assessment"),
        ),
        _threshold(
            "tier",
            "Score of misuse below the upper tier",
            ScoreTier(scale=LEVELS, tier="critical", demands="no release"),
            assumed=("The tiers are those of the annex.",),
        ),
        _threshold(
            "weights",
            "Weights are guarded",
            SecurityLevel(scale=("basic", "strong"), level="strong"),
            maximum_age_months=12,
        ),
    )


def _version(label: str, published: str, *thresholds: Threshold, **more: Any) -> Framework:
    fields: dict[str, Any] = {
        "developer": DEVELOPER,
        "title": "Promises of the example developer",
        "label": label,
        "published": published,
        "effective": published,
        "status": "in-force",
        "demonstration": True,
        "source": "https://example.org/promises",
        "document": content_digest(label.encode()),
        "domains": (Domain(key="cyber", title="Attacks on computers", risk="cyber"),),
        "mitigations": (Mitigation(key="filter", title="A filter of answers", sort="deployment"),),
        "process": (
            Provision(key="stop", words="Above a threshold the release waits.", force="shall"),
        ),
        "governance": (Provision(key="board", words="A board answers for it.", force="should"),),
        "disclosure": (
            Duty(
                key="report",
                words="A report on each release.",
                to="public",
                force="should",
                before="deploy",
            ),
        ),
        "not_encoded": ("A table of roles, which sets no threshold.",),
        "sources": (SOURCE,),
        "as_of": "2026-11-20",
        "thresholds": thresholds,
    }
    return Framework(**{**fields, **more})


def versions() -> tuple[Framework, Framework, Framework]:
    """Return two versions, and the second once more with another file under its label."""
    gone = _threshold("autonomy", "No work without people", NotQuantified(needs="A judgement."))
    old = _version("1", "2026-01-15", _cyber("high", mitigations=("filter",)), gone, *_thresholds())
    new = _version(
        "2",
        "2026-11-10",
        _cyber("critical", mitigations=("filter",)),
        _threshold("honesty", "Honest answers to people", NotQuantified(needs="What is honest.")),
        *_thresholds(),
    )
    other = new.model_copy(update={"document": content_digest(b"another file")})
    return old, new, other


def account(old: Framework, new: Framework) -> Account:
    """Return what the developer says that it changed: not everything."""
    return Account(
        developer=DEVELOPER,
        before=old.digest,
        after=new.digest,
        date="2026-11-10",
        changes=(
            Announced(added="honesty", words="Honesty is new.", effect="added"),
            Announced(words="The typeface is new."),
        ),
        demonstration=True,
    )


def determination(by: str, framework: Framework, key: str, **more: Any) -> Determination:
    """Return what somebody judged of one provision."""
    fields: dict[str, Any] = {
        "determined_by": by,
        "framework": framework.digest,
        "subject": "threshold",
        "key": key,
        "model": MODEL,
        "conclusion": "no",
        "date": "2026-11-20",
        "persons": ("a panel of three",),
        "reasons": "Three tests in a row showed little help.",
        "evidence": (Weighed(words="Three tests by outsiders.", source=SOURCE),),
        "demonstration": True,
    }
    return Determination(**{**fields, **more})


def determinations(old: Framework, new: Framework) -> tuple[tuple[str, Determination], ...]:
    """Return who determined what; one is about the older version and cannot count."""
    return (
        ("GB", determination("GB", new, "cyber", level="high")),
        ("SG", determination("SG", new, "outcome")),
        (DEVELOPER, determination(DEVELOPER, new, "tier", level="low")),
        ("GB", determination("GB", old, "cyber", level="low", date="2026-02-01")),
        (
            "GB",
            determination(
                "GB", new, "filter", subject="mitigation", reasons="The filter was off in a test."
            ),
        ),
    )


def decision(new: Framework, old: Framework, *judged: Determination) -> Decision:
    """Return what the gate says of developing the model further."""
    question = Case(
        new, MODEL, "develop", date(2026, 11, 22), determinations=judged, earlier=(old,)
    )
    return decide(question, decided_by="GB")


def reply(of: str) -> Reply:
    """Return what the developer answers to the institute's word on its filter."""
    return Reply(
        developer=DEVELOPER,
        of=of,
        commitment="iii",
        words="The filter was off for one day, for repairs.",
        date="2026-11-22",
        demonstration=True,
    )
