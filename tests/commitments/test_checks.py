# SPDX-License-Identifier: Apache-2.0
"""Frameworks that are refused, each by the rule of the same number, and those that only warn."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.commitments.checks import UNITS, check_framework, framework_warnings
from countermark.commitments.demonstration import demonstration_frameworks
from countermark.records.errors import InputError
from countermark.records.framework import Framework

BOUND = {
    "kind": "metric-bound",
    "task": "leak",
    "languages": ["en", "fr"],
    "estimands": ["benchmark", "generalised"],
    "direction": "at-most",
    "limit": 0.5,
    "guard": 0.0,
    "alpha_miss": 0.01,
    "alpha_false": 0.05,
    "minimum_labs": 3,
}
UPLIFT = {"kind": "uplift", "measure": "cost", "ratio": 10.0, "baseline": "no model"}
RATE = {
    "measure": "rate",
    "task": "with",
    "baseline_task": "without",
    "languages": ["en"],
    "estimands": ["benchmark"],
    "alpha_miss": 0.01,
    "alpha_false": 0.05,
    "minimum_labs": 2,
}
TRIGGER = {
    "kind": "trigger",
    "quantity": "compute",
    "at_least": 4.0,
    "unit": "times",
    "demands": "an assessment",
}
LEVEL = {"kind": "capability-level", "scale": ["low", "high"], "level": "high", "evidence": ["a"]}
SCALES = {
    "capability-level": LEVEL,
    "security-level": {"kind": "security-level", "scale": ["low", "high"], "level": "high"},
    "score-tier": {
        "kind": "score-tier",
        "scale": ["low", "high"],
        "tier": "high",
        "demands": "approval",
    },
}


def threshold(key: str = "one", rule: dict[str, Any] = BOUND, **changed: Any) -> dict[str, Any]:
    """Return a threshold as JSON, with changes."""
    base = {"key": key, "title": "what it asks", "force": "shall", "actions": ["deploy"]}
    return {**base, "rule": rule, **changed}


def framework(*thresholds: dict[str, Any], **changed: Any) -> Framework:
    """Return a framework of a developer that does not exist."""
    value: dict[str, Any] = {
        "kind": "framework",
        "version": 1,
        "developer": "example-developer",
        "title": "Promise",
        "label": "1",
        "published": "2026-11-01",
        "status": "in-force",
        "demonstration": True,
        "source": "made up for this test",
        "thresholds": list(thresholds) or [threshold()],
    }
    return Framework.from_value({**value, **changed}, where="test")


def refused(tried: Framework, *said: str) -> None:
    """See that a framework is refused in words that name the file and what is wrong."""
    with pytest.raises(InputError) as caught:
        check_framework(tried, where="promise.json")
    assert (caught.value.where or "").startswith("promise.json")
    assert len(caught.value.next_step) > 10
    for text in said:
        assert text in str(caught.value)


def test_what_is_right_passes_without_a_warning() -> None:
    thresholds = [threshold("bound"), threshold("uplift", UPLIFT), threshold("trigger", TRIGGER)]
    thresholds += [threshold("rate", {**UPLIFT, **RATE})]
    thresholds += [threshold(kind, rule) for kind, rule in SCALES.items()]
    for right in (framework(*thresholds), *demonstration_frameworks()):
        check_framework(right)
        assert framework_warnings(right) == ()


@pytest.mark.parametrize(
    "name", ["thresholds", "domains", "mitigations", "process", "governance", "disclosure"]
)
def test_rule_1_a_key_comes_once_in_a_list(name: str) -> None:
    entry = {
        "thresholds": threshold("twice"),
        "domains": {"key": "twice", "title": "t"},
        "mitigations": {"key": "twice", "title": "t", "sort": "process"},
        "process": {"key": "twice", "words": "w"},
        "governance": {"key": "twice", "words": "w"},
        "disclosure": {"key": "twice", "words": "w", "to": "public", "force": "may"},
    }[name]
    check_framework(framework(**{name: [entry]}))
    refused(framework(**{name: [entry, entry]}), f"the key twice twice among its {name}")


def test_rule_2_a_threshold_names_what_the_framework_has() -> None:
    domains = [{"key": "cyber", "title": "Cyber"}]
    check_framework(framework(threshold(domain="cyber"), domains=domains))
    refused(framework(threshold(domain="bio"), domains=domains), "threshold one", "domain bio")
    refused(framework(threshold(domain="bio")), "domain bio")
    refused(framework(threshold(mitigations=["filter"])), "threshold one", "mitigation filter")


@pytest.mark.parametrize("kind", sorted(SCALES))
def test_rule_3_a_level_or_tier_is_a_step_of_its_scale(kind: str) -> None:
    step = "tier" if kind == "score-tier" else "level"
    refused(
        framework(threshold(rule={**SCALES[kind], step: "medium"})), "'medium'", "threshold one"
    )
    twice = {**SCALES[kind], "scale": ["low", "high", "low"]}
    refused(framework(threshold(rule=twice)), "'low' twice on its scale")


@pytest.mark.parametrize("field", sorted(set(RATE) - {"measure"}))
def test_rule_4_an_uplift_in_a_rate_has_what_decides_it_and_no_other_has(field: str) -> None:
    whole = {**UPLIFT, **RATE}
    lacking = {name: value for name, value in whole.items() if name != field}
    refused(framework(threshold(rule=lacking)), f"uplift in rate and lacks {field}")
    refused(
        framework(threshold(rule={**UPLIFT, field: RATE[field]})), f"uplift in cost and has {field}"
    )


@pytest.mark.parametrize("ratio", [0.1, 0.999, 1.0])
def test_rule_4_a_ratio_of_at_most_one_is_no_uplift(ratio: float) -> None:
    refused(framework(threshold(rule={**UPLIFT, "ratio": ratio})), "is no uplift")


@pytest.mark.parametrize("quantity", sorted(UNITS))
@pytest.mark.parametrize("unit", ["times", "FLOP", "months", "share"])
def test_rule_5_the_unit_of_a_trigger_fits_its_quantity(quantity: str, unit: str) -> None:
    rule = {**TRIGGER, "quantity": quantity, "unit": unit, "at_least": 0.5}
    if quantity == "benchmark":
        rule["benchmark"] = "LiveCodeBench"
    tried = framework(threshold(rule=rule))
    if unit in UNITS[quantity]:
        check_framework(tried)
    else:
        refused(tried, f"measures {quantity} in {unit}")


def test_rule_5_a_benchmark_is_named_where_it_is_the_trigger_and_its_share_is_at_most_1() -> None:
    score = {**TRIGGER, "quantity": "benchmark", "unit": "share", "at_least": 0.5}
    refused(framework(threshold(rule=score)), "does not name its benchmark")
    refused(framework(threshold(rule={**TRIGGER, "benchmark": "b"})), "names a benchmark")
    refused(framework(threshold(rule={**score, "benchmark": "b", "at_least": 50.0})), "share of 50")


def least(limit: float, **changed: Any) -> dict[str, Any]:
    return {**BOUND, "direction": "at-least", "limit": limit, **changed}


def test_rule_6_limits_that_nothing_can_keep_together_contradict_each_other() -> None:
    refused(
        framework(threshold("most"), threshold("least", least(0.6))),
        "threshold least",
        "contradicts threshold most",
    )
    # The guard bands count: between 0.45 and 0.5 there is nothing left.
    narrow = threshold("most", {**BOUND, "guard": 0.04})
    refused(framework(narrow, threshold("least", least(0.45, guard=0.02))), "guard bands counted")
    check_framework(framework(threshold("most"), threshold("least", least(0.5))))


@pytest.mark.parametrize(
    "apart",
    [
        {"rule": {"task": "other"}},
        {"rule": {"languages": ["ja"]}},
        {"actions": ["develop"]},
        {"force": "may"},
        {"status": "withdrawn"},
        {"status": "superseded"},
    ],
    ids=str,
)
def test_rule_6_limits_that_never_meet_do_not(apart: dict[str, Any]) -> None:
    other = threshold("least", least(0.6, **apart.get("rule", {})))
    rest = {name: value for name, value in apart.items() if name != "rule"}
    check_framework(framework(threshold("most"), {**other, **rest}))


def test_rule_6_different_estimands_do_not_meet() -> None:
    one = threshold("most", {**BOUND, "estimands": ["benchmark"]})
    check_framework(framework(one, threshold("least", least(0.6, estimands=["generalised"]))))


@given(
    most=st.floats(0, 1, exclude_max=True),
    at_least=st.floats(0, 1, exclude_min=True),
    guards=st.tuples(*[st.floats(0, 0.2)] * 2),
)
def test_rule_6_holds_exactly_where_no_rate_keeps_both(
    most: float, at_least: float, guards: tuple[float, float]
) -> None:
    ceiling, floor = most - guards[0], at_least + guards[1]
    both = framework(
        threshold("most", {**BOUND, "limit": most, "guard": guards[0]}),
        threshold("least", least(at_least, guard=guards[1])),
    )
    if ceiling < 0 or floor > 1 or floor > ceiling:
        with pytest.raises(InputError):
            check_framework(both)
    else:
        check_framework(both)


def test_rule_7_a_guard_band_leaves_something_of_its_limit() -> None:
    refused(framework(threshold(rule={**BOUND, "limit": 0.05, "guard": 0.1})), "guard band of 0.1")
    refused(framework(threshold(rule=least(0.95, guard=0.1))), "guard band of 0.1")
    check_framework(framework(threshold(rule={**BOUND, "limit": 0.0})))


@pytest.mark.parametrize(
    ("published", "effective", "right"),
    [
        ("2026-11-02", "2026-11-02", True),
        ("2026-11-02", "2026-11-01", False),
        ("2026-11-02", "2026-11", True),
        ("2026-11-02", "2026-10", False),
        ("2026-11", "2026-10-31", False),
        ("2026", "2026-01-01", True),
        ("2026", "2025-12-31", False),
    ],
)
def test_rule_8_it_takes_effect_no_earlier_than_it_was_published(
    published: str, effective: str, *, right: bool
) -> None:
    tried = framework(published=published, effective=effective)
    if right:
        check_framework(tried)
    else:
        refused(tried, f"takes effect on {effective}", published)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"actions": ["deploy", "deploy"]}, "'deploy' twice among its actions"),
        ({"rule": {**BOUND, "languages": ["en", "en"]}}, "'en' twice among its languages"),
        (
            {"rule": {**BOUND, "estimands": ["benchmark", "benchmark"]}},
            "'benchmark' twice among its estimands",
        ),
        ({"rule": {**LEVEL, "evidence": ["a", "a"]}}, "'a' twice among its evidence"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rule_9_a_list_does_not_repeat_itself(changed: dict[str, Any], said: str) -> None:
    refused(framework(threshold(**changed)), "threshold one", said)


def test_rule_9_mitigations_are_named_once() -> None:
    filters = [{"key": "filter", "title": "Filter", "sort": "deployment"}]
    tried = framework(threshold(mitigations=["filter", "filter"]), mitigations=filters)
    refused(tried, "'filter' twice among its mitigations")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"title": " "}, "leaves title blank"),
        ({"not_encoded": ["\n"]}, "leaves not_encoded 0 blank"),
        ({"domains": [{"key": "d", "title": "\t"}]}, "leaves domains d: title blank"),
        ({"process": [{"key": "p", "words": " "}]}, "leaves process p: words blank"),
        (
            {"thresholds": [threshold(rule={"kind": "not-quantified", "needs": " "})]},
            "leaves threshold one: needs blank",
        ),
        ({"thresholds": [threshold(assumed=[" "])]}, "leaves threshold one: assumed 0 blank"),
        (
            {"thresholds": [threshold(rule={**LEVEL, "evidence": [" "]})]},
            "leaves threshold one: evidence blank",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rule_10_what_a_person_needs_is_not_blank(changed: dict[str, Any], said: str) -> None:
    refused(framework(**changed), said)


@pytest.mark.parametrize("status", ["superseded", "withdrawn"])
def test_rule_11_a_threshold_is_not_in_force_in_a_framework_that_is_not(status: str) -> None:
    refused(framework(threshold(status="in-force"), status=status), f"framework is {status}")
    check_framework(framework(threshold(status="withdrawn"), status=status))


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((), "is due once reached is reached, which is no other threshold"),
        ((threshold("reached", due_once=("one",)),), "itself is due only once another is"),
        (
            (threshold("reached", {"kind": "security-level", "scale": ["1"], "level": "1"}),),
            "which is a security-level",
        ),
    ],
    ids=["unknown", "chain", "security"],
)
def test_rule_12_what_makes_a_threshold_due_can_be_reached(
    others: tuple[dict[str, Any], ...], said: str
) -> None:
    refused(framework(threshold("one", due_once=("reached",)), *others), said)
    check_framework(framework(threshold("one", due_once=("reached",)), threshold("reached")))


def test_rule_12_no_threshold_makes_itself_due() -> None:
    refused(framework(threshold("one", due_once=("one",))), "which is no other threshold")


def test_a_wider_limit_that_is_as_binding_is_a_warning_and_no_error() -> None:
    wide = threshold("wide", {**BOUND, "limit": 0.9})
    tried = framework(wide, threshold("strict"))
    check_framework(tried)
    (warning,) = framework_warnings(tried)
    assert warning.startswith("wide is idle where strict holds")
    assert framework_warnings(framework(threshold("strict"), wide)) == (warning,)
    (warning,) = framework_warnings(
        framework(threshold("low", least(0.1)), threshold("high", least(0.2)))
    )
    assert warning.startswith("low is idle where high holds")


def test_a_risk_that_the_taxonomy_does_not_have_is_a_warning() -> None:
    domains = [
        {"key": "known", "title": "Known", "risk": "cyber"},
        {"key": "odd", "title": "Odd", "risk": "cyberr"},
    ]
    (warning,) = framework_warnings(framework(threshold("one"), domains=domains))
    assert warning.startswith("the domain odd names the risk cyberr, which is not in the taxonomy")


def test_a_wider_limit_of_another_force_or_the_same_limit_is_no_warning() -> None:
    wide = threshold("wide", {**BOUND, "limit": 0.9}, force="should")
    assert framework_warnings(framework(wide, threshold("strict"))) == ()
    assert framework_warnings(framework(threshold("one"), threshold("two"))) == ()


@pytest.mark.parametrize(
    ("rule", "said", "next_step"),
    [
        ({**BOUND, "kind": "vibes"}, "thresholds.one.rule: has the kind 'vibes'", "metric-bound, "),
        ({"task": "leak"}, "thresholds.one.rule: says no kind", "Say its kind"),
        ({**BOUND, "limit": 2.0}, "thresholds.one.rule.limit: ", "Compare it"),
    ],
    ids=["unknown kind", "no kind", "known kind"],
)
def test_a_rule_that_cannot_be_read_is_named_with_its_threshold(
    rule: dict[str, Any], said: str, next_step: str
) -> None:
    with pytest.raises(InputError) as caught:
        framework(threshold(rule=rule))
    assert said in str(caught.value)
    assert next_step in caught.value.next_step


def test_rule_1_a_determination_can_tell_what_it_is_about() -> None:
    duty = {"key": "one", "words": "w", "to": "public", "force": "may"}
    refused(framework(threshold(rule=TRIGGER), disclosure=[duty]), "triggers and duties")
    check_framework(framework(threshold(), disclosure=[duty]))
    provision = {"key": "p", "words": "w"}
    refused(framework(process=[provision], governance=[provision]), "process and of governance")


def test_rule_4_no_task_is_compared_with_itself() -> None:
    refused(framework(threshold(rule={**UPLIFT, **RATE, "baseline_task": "with"})), "with itself")


def test_rule_12_something_must_make_it_due() -> None:
    refused(framework(threshold(due_once=())), "one of no thresholds")


@pytest.mark.parametrize(
    "rule",
    [
        {**BOUND, "limit": 1.0},
        least(0.0),
        {
            **{name: value for name, value in BOUND.items()
               if name not in ("direction", "limit", "guard")},
            "kind": "regression", "baseline": "old", "worse": "higher", "margin": 1.0,
        },
    ],
)  # fmt: skip
def test_rule_13_a_rate_can_be_beyond_a_limit(rule: dict[str, Any]) -> None:
    refused(framework(threshold(rule=rule)), "which no rate can be beyond")
