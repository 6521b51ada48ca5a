# SPDX-License-Identifier: Apache-2.0
"""A decision as a safety case, rule by rule."""

from collections.abc import Iterator
from datetime import date

import pytest
from hand_made_case import FILTER, LEVEL, determined
from hand_made_finding import case, cell, figures, finding, framework, limit, threshold

from countermark.commitments.case import Case
from countermark.commitments.gate import decide
from countermark.commitments.safety_case import Element, check_framework_of, safety_case
from countermark.records.errors import InputError

FOUND = finding(cell(*figures(0.02)), cell(*figures(0.5), language="fr"))
KEPT = threshold(key="kept", assumed=("the estimand", "the languages"))
CROSSED = threshold(limit(languages=("fr",)), key="crossed")


def made(question: Case) -> Element:
    return safety_case(decide(question, decided_by="GB"), question.framework)


def all_of(element: Element) -> Iterator[Element]:
    yield element
    for one in (*element.in_context_of, *element.supported_by):
        yield from all_of(one)


def test_rule_1_the_first_goal_is_the_action() -> None:
    first = made(case(framework(KEPT), FOUND, at=date(2026, 11, 29)))
    assert (first.name, first.sort) == ("G1", "goal")
    assert "m may be deployed" in first.words
    assert [one.sort for one in first.in_context_of] == ["context", "context"]
    assert first.in_context_of[0].statement == framework(KEPT).digest
    names = [one.name for one in all_of(first)]
    assert len(names) == len(set(names))


def test_rules_2_and_3_each_threshold_is_a_goal_with_its_evidence() -> None:
    first = made(case(framework(KEPT, CROSSED), FOUND))
    (strategy,) = first.supported_by
    assert strategy.sort == "strategy"
    assert len(strategy.supported_by) == 2
    (solution,) = strategy.supported_by[0].supported_by
    assert (solution.sort, solution.statement) == ("solution", FOUND.digest)


def test_rule_3_what_is_mitigated_is_argued_over_its_mitigations() -> None:
    promised = framework(threshold(mitigations=("filter",)), mitigations=(FILTER,))
    said = determined(promised, "yes", subject="mitigation", key="filter", model="g")
    both = finding(cell(*figures(0.5)), cell(*figures(0.02), model="g"))
    first = made(case(promised, both, determinations=(said,), mitigated=("g",)))
    (goal,) = first.supported_by[0].supported_by
    (strategy,) = goal.supported_by
    assert (goal.standing, strategy.sort) == ("supported", "strategy")
    assert "filter" in strategy.words
    shown = {one.statement for one in strategy.supported_by}
    assert shown == {both.digest, said.digest}, "what was tested, and that it is in place"


def test_rule_4_goals_are_supported_undeveloped_or_defeated() -> None:
    assert made(case(framework(KEPT), FOUND)).standing == "supported"
    forbidden = made(case(framework(KEPT, CROSSED), FOUND))
    assert forbidden.standing == "defeated"
    standings = [one.standing for one in forbidden.supported_by[0].supported_by]
    assert standings == ["supported", "defeated"]
    unknown = made(case(framework(threshold(LEVEL)), FOUND))
    (goal,) = unknown.supported_by[0].supported_by
    assert (unknown.standing, goal.standing, goal.supported_by) == (
        "undeveloped", "undeveloped", (),
    )  # fmt: skip


def test_rule_5_choices_of_the_encoder_are_assumptions() -> None:
    first = made(case(framework(KEPT), FOUND))
    goal = first.supported_by[0].supported_by[0]
    assert [(one.name, one.words) for one in goal.in_context_of] == [
        ("A1", "the estimand"), ("A2", "the languages"),
    ]  # fmt: skip


def test_its_json_has_every_element() -> None:
    first = made(case(framework(KEPT, CROSSED), FOUND))

    def count(value: object) -> int:
        if isinstance(value, dict):
            return ("id" in value) + sum(count(inner) for inner in value.values())
        return sum(count(inner) for inner in value) if isinstance(value, list) else 0

    assert count(first.to_value()) == len(list(all_of(first)))


def test_rule_6_a_decision_is_told_by_its_own_framework_only() -> None:
    decision = decide(case(framework(KEPT), FOUND), decided_by="GB")
    check_framework_of(decision, framework(KEPT), where="d.json")
    with pytest.raises(InputError, match="was decided under sha256:"):
        check_framework_of(decision, framework(KEPT, CROSSED), where="d.json")


def test_rule_4_the_first_goal_stands_no_better_than_those_below() -> None:
    promised = framework(KEPT, CROSSED)
    decision = decide(case(promised, FOUND), decided_by="GB")
    forged = decision.model_copy(update={"verdict": "MAY"})
    assert safety_case(forged, promised).standing == "defeated"
    empty = forged.model_copy(update={"outcomes": ()})
    assert safety_case(empty, promised).standing == "undeveloped"
