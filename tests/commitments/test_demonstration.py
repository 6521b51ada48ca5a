# SPDX-License-Identifier: Apache-2.0
"""The example developer's framework fits the demonstration exercise."""

from countermark.commitments.demonstration import demonstration_framework
from countermark.exercise.demonstration import demonstration
from countermark.records.framework import Framework
from countermark.records.threshold_rules import MetricBound

FRAMEWORK = demonstration_framework()
RULES = [one.rule for one in FRAMEWORK.thresholds if isinstance(one.rule, MetricBound)]


def test_it_says_that_no_company_stands_behind_it() -> None:
    assert FRAMEWORK.demonstration
    assert "no company" in FRAMEWORK.source


def test_it_is_in_force_and_has_two_numeric_thresholds() -> None:
    assert FRAMEWORK.status == "in-force"
    assert len(RULES) == len(FRAMEWORK.thresholds) == 2


def test_each_action_has_a_threshold() -> None:
    assert {action for one in FRAMEWORK.thresholds for action in one.actions} == {
        "develop",
        "deploy",
    }


def test_each_limit_is_about_a_task_and_languages_of_the_exercise() -> None:
    protocol, _ = demonstration()
    for rule in RULES:
        assert protocol.task(rule.task) is not None
        assert set(rule.languages) <= set(protocol.languages)
        assert 1 < rule.minimum_labs <= len(protocol.participants)


def test_limits_look_the_way_that_the_task_calls_worse() -> None:
    protocol, _ = demonstration()
    for rule in RULES:
        task = protocol.task(rule.task)
        assert task is not None
        assert rule.direction == ("at-most" if task.worse == "higher" else "at-least")


def test_a_judged_limit_names_only_languages_in_which_the_judge_was_labelled() -> None:
    protocol, annotations = demonstration()
    for rule in RULES:
        task = protocol.task(rule.task)
        assert task is not None
        if task.scorer.nature == "judge":
            labelled = {one.language for one in annotations if one.task == task.key}
            assert set(rule.languages) <= labelled


def test_it_is_a_record_like_any_other() -> None:
    assert Framework.from_bytes(FRAMEWORK.to_bytes(), where="test") == FRAMEWORK
