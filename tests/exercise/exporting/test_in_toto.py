# SPDX-License-Identifier: Apache-2.0
"""A finding in test-result words, rule by rule."""

from typing import Any

import pytest
from exercise_joint import PASS, finding_of
from exercise_small import small_protocol
from in_toto_schemas import TEST_RESULT, faults, statement

from countermark.exercise.exporting import in_toto
from countermark.exercise.exporting.in_toto import as_test_result
from countermark.records.errors import InputError
from countermark.records.finding import Finding, FindingCell
from countermark.records.protocol import ModelUnderTest

DEMONSTRATED = small_protocol()
PROTOCOL = DEMONSTRATED.model_copy(update={"demonstration": False})
MODEL = PROTOCOL.models[0]
TASKS = [task.key for task in PROTOCOL.tasks]
TESTS = [f"{task}/{language}" for task in TASKS for language in ("en", "ja")]
FOUND = finding_of(PROTOCOL, {lab: lambda _: PASS for lab in ("GB-a", "JP-b", "SG-c")})


def with_status(status: str, *places: tuple[str, str]) -> Finding:
    """The finding with a status in all cells, or in some; the others are reported."""

    def changed(cell: FindingCell) -> FindingCell:
        bent = not places or (cell.task, cell.language) in places
        return cell.model_copy(update={"status": status if bent else "reported"})

    return FOUND.model_copy(update={"cells": tuple(map(changed, FOUND.cells))})


REPORTED = with_status("reported")


def predicate(finding: Finding, **changes: Any) -> dict[str, Any]:
    value = as_test_result(finding, PROTOCOL, MODEL.key).to_value()
    assert faults(statement(in_toto.TEST_RESULT, TEST_RESULT), value) == []
    said = value["predicate"]
    assert isinstance(said, dict)
    return said


def test_rule_1_the_subject_is_the_model_as_the_protocol_pins_it() -> None:
    value = as_test_result(REPORTED, PROTOCOL, MODEL.key).to_value()
    digest = {"sha256": MODEL.identity.removeprefix("sha256:")}
    assert value["subject"] == [{"name": MODEL.key, "digest": digest}]
    said = predicate(REPORTED)
    assert said["configuration"][0]["digest"]["sha256"] == PROTOCOL.digest[7:]
    assert said["countermarkFinding"]["digest"]["sha256"] == REPORTED.digest[7:]


def test_rule_1_another_model_of_the_protocol_has_an_export_of_its_own() -> None:
    second = ModelUnderTest(key="other", title="O", provider="p/o", snapshot="sha256:" + "c" * 64)
    both = PROTOCOL.model_copy(update={"models": (MODEL, second)})
    found = REPORTED.model_copy(update={"protocol": both.digest})
    assert as_test_result(found, both, MODEL.key).predicate["warnedTests"] == TESTS
    # The finding says nothing of the second: all its tests failed to say anything.
    assert as_test_result(found, both, "other").predicate["failedTests"] == TESTS


def test_rule_3_and_5_a_rate_is_a_warning_and_never_a_pass() -> None:
    said = predicate(REPORTED)
    assert said["result"] == "WARNED"
    assert (said["passedTests"], said["warnedTests"], said["failedTests"]) == ([], TESTS, [])


@pytest.mark.parametrize("status", ["not-informative", "judge-not-validated", "not-computable"])
def test_rule_4_a_cell_that_says_nothing_is_a_failed_test(status: str) -> None:
    said = predicate(with_status(status, (TASKS[0], "ja")))
    assert said["result"] == "FAILED"
    assert said["failedTests"] == [f"{TASKS[0]}/ja"]
    assert said["warnedTests"] == [name for name in TESTS if name != f"{TASKS[0]}/ja"]
    assert predicate(with_status(status))["warnedTests"] == []


def test_rule_4_a_cell_that_was_left_out_is_a_failed_test() -> None:
    said = predicate(REPORTED.model_copy(update={"cells": REPORTED.cells[1:]}))
    assert (said["result"], said["failedTests"]) == ("FAILED", TESTS[:1])


def test_rule_4_a_second_cell_does_not_hide_behind_the_first() -> None:
    bad = REPORTED.cells[0].model_copy(update={"status": "not-computable"})
    said = predicate(REPORTED.model_copy(update={"cells": (*REPORTED.cells, bad)}))
    assert (said["result"], said["failedTests"]) == ("FAILED", TESTS[:1])


def test_rule_6_a_demonstration_has_other_names() -> None:
    said = predicate(REPORTED.model_copy(update={"demonstration": True}))
    assert said["warnedTests"] == [f"demonstration/{name}" for name in TESTS]


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(InputError, match="is of the protocol"):
        as_test_result(REPORTED, DEMONSTRATED, MODEL.key)
    with pytest.raises(InputError, match="has no model"):
        as_test_result(REPORTED, PROTOCOL, "nobody")
