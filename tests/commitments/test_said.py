# SPDX-License-Identifier: Apache-2.0
"""Determinations and accounts before they are logged, rule by rule."""

from typing import Any

import pytest
from hand_made_case import COMPUTE, COST, FILTER, LEVEL, REPORT, determined
from hand_made_finding import framework, limit, threshold

from countermark.commitments.reference import load_commitments
from countermark.commitments.said import check_account, check_determination, check_reply
from countermark.records.account import Account, Announced, Reply
from countermark.records.errors import InputError
from countermark.records.framework import Provision

PROMISED = framework(
    threshold(LEVEL, key="level"),
    threshold(COMPUTE, key="compute"),
    threshold(COST, key="cost"),
    threshold(limit(), key="rate"),
    mitigations=(FILTER,),
    disclosure=(REPORT,),
    process=(Provision(key="panel", words="a panel decides"),),
)
GOOD: list[dict[str, Any]] = [
    {"key": "level", "level": "high"},
    {"key": "level", "mitigations": ("filter",)},
    {"key": "compute", "quantity": 5.0, "unit": "times"},
    {"key": "cost", "quantity": 5.0, "unit": "times"},
    {"key": "rate"},
    {"subject": "mitigation", "key": "filter"},
    {"subject": "duty", "key": "report"},
    {"subject": "duty", "key": "compute"},
    {"subject": "provision", "key": "panel"},
]
BAD: list[tuple[int, dict[str, Any], str]] = [
    (1, {"key": "level", "framework": "sha256:" + "1" * 64}, "is about sha256:1"),
    (1, {"key": "level", "demonstration": True}, "demonstration"),
    (2, {"key": "unknown"}, "names no threshold of the framework: unknown"),
    (2, {"subject": "mitigation", "key": "level"}, "names no mitigation"),
    (2, {"subject": "duty", "key": "level"}, "names no duty"),
    (2, {"subject": "provision", "key": "report"}, "names no provision"),
    (3, {"key": "level", "level": "medium"}, "the level medium"),
    (3, {"key": "rate", "level": "high"}, "the level high"),
    (4, {"key": "compute", "quantity": 5.0, "unit": "FLOP"}, "5.0 FLOP"),
    (4, {"key": "compute", "quantity": 5.0}, "5.0 None"),
    (4, {"key": "cost", "unit": "times"}, "None times"),
    (4, {"key": "rate", "quantity": 0.1, "unit": "share"}, "0.1 share"),
    (5, {"key": "level", "mitigations": ("guard",)}, "names no mitigation"),
]


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_what_fits_the_framework_may_be_logged(changes: dict[str, Any]) -> None:
    check_determination(determined(PROMISED, "no", **changes), PROMISED, where="d.json")


@pytest.mark.parametrize(("rule", "changes", "said"), BAD, ids=lambda value: str(value)[:40])
def test_rules_1_to_5(rule: int, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        check_determination(determined(PROMISED, "no", **changes), PROMISED, where="d.json")
    assert caught.value.where == "d.json"
    assert caught.value.next_step.startswith("Give ")


OLD, NEW = framework(threshold(key="old"), label="1"), framework(threshold(key="new"), label="2")


def account(**changes: Any) -> Account:
    fields: dict[str, Any] = {
        "developer": "example", "before": OLD.digest, "after": NEW.digest, "date": "2026-11-01",
        "changes": (Announced(threshold="old", words="gone"), Announced(added="new", words="new")),
        "demonstration": False,
    }  # fmt: skip
    return Account(**fields | changes)


def test_rule_6_an_account_is_of_the_versions_given_and_of_their_developer() -> None:
    check_account(account(), OLD, NEW, where="a.json")
    for before, after in ((NEW, OLD), (OLD, OLD), (NEW, NEW)):
        with pytest.raises(InputError, match="names as the"):
            check_account(account(), before, after, where="a.json")
    with pytest.raises(InputError, match="of another"):
        check_account(account(developer="another"), OLD, NEW, where="a.json")


@pytest.mark.parametrize("change", [{"threshold": "new"}, {"added": "old"}])
def test_rule_7_an_account_names_thresholds_that_are_there(change: dict[str, Any]) -> None:
    said = account(changes=(Announced(words="changed", **change),))
    with pytest.raises(InputError, match="does not have"):
        check_account(said, OLD, NEW, where="a.json")


REPLIES: list[tuple[int, dict[str, Any], str]] = [
    (8, {}, "answers nothing"),
    (8, {"of": "sha256:" + "1" * 64, "says": "not-applicable"}, "not-applicable of no commitment"),
    (9, {"commitment": "ix"}, "names no commitment: ix"),
]


def reply(**changes: Any) -> Reply:
    return Reply(
        developer="d", words="we read it", date="2026-11-29", demonstration=True, **changes
    )


@pytest.mark.parametrize(
    "changes", [{"of": "sha256:" + "1" * 64}, {"commitment": "ii", "says": "not-applicable"}]
)
def test_a_reply_that_answers_something_may_be_logged(changes: dict[str, Any]) -> None:
    check_reply(reply(**changes), load_commitments(), where="r.json")


@pytest.mark.parametrize(("rule", "changes", "said"), REPLIES, ids=str)
def test_rules_8_and_9(rule: int, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        check_reply(reply(**changes), load_commitments(), where="r.json")
    assert rule
    assert "viii" in caught.value.next_step
