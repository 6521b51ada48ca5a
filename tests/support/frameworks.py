# SPDX-License-Identifier: Apache-2.0
"""Small frameworks of a developer that does not exist, and strategies that make many."""

from typing import Any

from hypothesis import strategies as st

from countermark.node.book import Entry
from countermark.records import Record
from countermark.records.framework import (
    Domain,
    Duty,
    Framework,
    Mitigation,
    Provision,
    Threshold,
)
from countermark.records.threshold_rules import (
    CapabilityLevel,
    MetricBound,
    NotQuantified,
    ThresholdRule,
    Trigger,
)

DEVELOPER = "example-developer"


def bound(**changed: Any) -> MetricBound:
    """Return a maximum of one half, with changes."""
    fields = {
        "task": "leak",
        "languages": ("en", "fr"),
        "estimands": ("benchmark",),
        "direction": "at-most",
        "limit": 0.5,
        "guard": 0.01,
        "alpha_miss": 0.01,
        "alpha_false": 0.05,
        "minimum_labs": 3,
    }
    return MetricBound(**{**fields, **changed})


def threshold(key: str = "leaks", rule: ThresholdRule | None = None, **changed: Any) -> Threshold:
    """Return a threshold, with changes."""
    fields = {
        "key": key,
        "title": f"what {key} asks",
        "force": "shall",
        "actions": ("deploy",),
        "rule": rule or bound(),
    }
    return Threshold(**{**fields, **changed})


def framework(*thresholds: Threshold, **changed: Any) -> Framework:
    """Return a version of a framework, with changes."""
    fields = {
        "developer": DEVELOPER,
        "title": "Example framework",
        "label": "1",
        "published": "2025-01-01",
        "status": "in-force",
        "demonstration": False,
        "source": "Written for the tests; no company stands behind it.",
        "thresholds": thresholds or (threshold(),),
    }
    return Framework(**{**fields, **changed})


def entry(record: Record, author: str, index: int = 0, witnessed: str | None = None) -> Entry:
    """Return a record as a statement that somebody logged."""
    digest = record.digest
    return Entry(
        record=record,
        digest=digest,
        envelope=digest,
        author=author,
        origin=f"{author}.example",
        index=index,
        witnessed=witnessed,
        witnesses=(),
        file=f"{digest[7:]}.json",
    )


WORDS = ("uplift to novices", "uplift to experts", "self-copying systems", "theft of weights")
TAGS = ("en", "fr", "sw")


def _rules() -> st.SearchStrategy[ThresholdRule]:
    bounds = st.builds(
        bound,
        task=st.sampled_from(("leak", "refusal")),
        languages=st.lists(st.sampled_from(TAGS), min_size=1, unique=True).map(tuple),
        direction=st.sampled_from(("at-most", "at-least")),
        limit=st.sampled_from((0.1, 0.5, 0.9)),
        guard=st.sampled_from((0.0, 0.02)),
        minimum_labs=st.integers(1, 3),
    )
    levels = st.builds(
        CapabilityLevel,
        scale=st.permutations(("low", "high", "critical")).map(tuple),
        level=st.sampled_from(("low", "high", "critical", "beyond")),
        evidence=st.lists(st.sampled_from(WORDS), unique=True).map(tuple),
    )
    triggers = st.builds(
        Trigger,
        quantity=st.just("compute"),
        at_least=st.sampled_from((2.0, 4.0)),
        unit=st.just("times"),
        benchmark=st.none(),
        demands=st.sampled_from(WORDS),
    )
    return st.one_of(
        bounds, levels, triggers, st.builds(NotQuantified, needs=st.sampled_from(WORDS))
    )


def _keyed(make: Any, **fields: Any) -> st.SearchStrategy[Any]:
    """Return up to three parts, whose keys may be the same."""
    keys = st.sampled_from(("a", "b", "c"))
    return st.one_of(
        st.none(), st.lists(st.builds(make, key=keys, **fields), max_size=3).map(tuple)
    )


FORCES = st.sampled_from(("shall", "should", "may"))
THRESHOLDS = st.lists(
    st.builds(
        threshold,
        key=st.sampled_from(("a", "b", "c", "d")),
        rule=_rules(),
        title=st.sampled_from(WORDS),
        force=FORCES,
        actions=st.sampled_from((("deploy",), ("develop",), ("develop", "deploy"))),
        status=st.sampled_from((None, "in-force", "withdrawn")),
        domain=st.sampled_from((None, "a", "b")),
        mitigations=st.sampled_from((None, ("a",), ("a", "b"))),
        maximum_age_months=st.sampled_from((None, 6, 12)),
        standing=st.sampled_from((None, "one-institute", "several-institutes")),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
FRAMEWORKS: st.SearchStrategy[Framework] = st.builds(
    lambda thresholds, **parts: framework(*thresholds, **parts),
    THRESHOLDS,
    status=st.sampled_from(("in-force", "withdrawn")),
    domains=_keyed(Domain, title=st.sampled_from(WORDS), risk=st.none()),
    mitigations=_keyed(
        Mitigation,
        title=st.sampled_from(WORDS),
        sort=st.sampled_from(("security", "process")),
        read_in=st.none(),
    ),
    process=_keyed(
        Provision,
        words=st.sampled_from(WORDS),
        force=st.one_of(st.none(), FORCES),
        read_in=st.none(),
    ),
    governance=_keyed(Provision, words=st.sampled_from(WORDS), force=st.none(), read_in=st.none()),
    disclosure=_keyed(
        Duty,
        words=st.sampled_from(WORDS),
        to=st.sampled_from(("public", "trusted-actors")),
        force=FORCES,
        before=st.sampled_from((None, "deploy", "develop")),
        read_in=st.none(),
    ),
)
"""Frameworks in which keys repeat, dangle and change."""
