# SPDX-License-Identifier: Apache-2.0
"""What the example developer promises and says fits the demonstration exercise."""

from datetime import date

import pytest

from countermark.commitments.demonstration import (
    demonstration_account,
    demonstration_determination,
    demonstration_frameworks,
    demonstration_reply,
)
from countermark.commitments.framework_diff import diff
from countermark.commitments.said import check_account, check_determination
from countermark.exercise.demonstration import demonstration
from countermark.records.framework import Framework
from countermark.records.protocol import Task
from countermark.records.threshold_rules import MetricBound

FIRST, SECOND = demonstration_frameworks()
ON = date(2026, 11, 29)
DIGEST = "sha256:" + "0" * 64
PROTOCOL, ANNOTATIONS = demonstration()
LIMITS = [
    one.rule
    for framework in (FIRST, SECOND)
    for one in framework.thresholds
    if isinstance(one.rule, MetricBound)
]


def task_of(rule: MetricBound) -> Task:
    task = PROTOCOL.task(rule.task)
    assert task is not None
    return task


@pytest.mark.parametrize("framework", [FIRST, SECOND], ids=["first", "second"])
def test_a_version_says_that_no_company_stands_behind_it_and_speaks_to_each_action(
    framework: Framework,
) -> None:
    assert framework.demonstration
    assert "no company" in framework.source
    assert framework.status == "in-force"
    assert {action for one in framework.thresholds for action in one.actions} == {
        "develop",
        "deploy",
    }
    assert Framework.from_bytes(framework.to_bytes(), where="test") == framework


@pytest.mark.parametrize("rule", LIMITS)
def test_each_limit_is_about_a_task_and_languages_of_the_exercise(rule: MetricBound) -> None:
    task = task_of(rule)
    assert set(rule.languages) <= set(PROTOCOL.languages)
    assert 1 < rule.minimum_labs <= len(PROTOCOL.participants)
    assert rule.direction == ("at-most" if task.worse == "higher" else "at-least")


@pytest.mark.parametrize("rule", LIMITS)
def test_a_judged_limit_names_only_languages_in_which_the_judge_was_labelled(
    rule: MetricBound,
) -> None:
    task = task_of(rule)
    if task.scorer.nature == "judge":
        labelled = {one.language for one in ANNOTATIONS if one.task == task.key}
        assert set(rule.languages) <= labelled


def test_the_account_announces_what_is_new_and_is_silent_on_what_asks_less() -> None:
    account = demonstration_account(ON)
    check_account(account, FIRST, SECOND, where="account")
    found = diff(FIRST, SECOND, account)
    assert [(one.key, one.aspect) for one in found.silently_weakened] == [
        ("keeps-secrets", "limit")
    ]
    assert found.count("added", "announced") == len(account.changes)
    assert not found.unfound


def test_the_judgement_is_about_the_version_that_is_decided_by_and_says_it_is_made_up() -> None:
    (model, *_) = PROTOCOL.models
    said = demonstration_determination("GB", model.key, model.identity, DIGEST, ON)
    check_determination(said, SECOND, where="determination")
    assert "nobody examined" in said.reasons


def test_the_reply_is_the_developers_own() -> None:
    reply = demonstration_reply(DIGEST, ON)
    assert (reply.developer, reply.demonstration) == (SECOND.developer, True)
