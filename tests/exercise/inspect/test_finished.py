# SPDX-License-Identifier: Apache-2.0
"""Whether a run of Inspect came to its end."""

from typing import Literal

import pytest
from inspect_ai.log import EvalConfig, EvalDataset, EvalError, EvalLog, EvalSpec

from countermark.exercise.inspect.finished import check_finished
from countermark.records.errors import StateError


def log(status: Literal["success", "cancelled", "error"]) -> EvalLog:
    spec = EvalSpec(
        created="2026-01-01T00:00:00+00:00",
        task="leak",
        dataset=EvalDataset(),
        model="recorded/x",
        config=EvalConfig(),
    )
    failed = EvalError(message="no such model", traceback="", traceback_ansi="")
    return EvalLog(status=status, eval=spec, error=failed if status == "error" else None)


def test_all_that_was_asked_for_came_to_its_end() -> None:
    check_finished([log("success"), log("success")], 2, "GB-simulated")


@pytest.mark.parametrize("logs", [[], [log("success")], [log("success"), log("cancelled")]])
def test_what_is_cancelled_or_not_given_back_was_stopped_by_a_person(logs: list[EvalLog]) -> None:
    with pytest.raises(KeyboardInterrupt):
        check_finished(logs, 2, "GB-simulated")


def test_a_task_that_failed_is_named_with_its_reason() -> None:
    with pytest.raises(StateError, match="stopped with error: no such model") as caught:
        check_finished([log("cancelled"), log("error")], 2, "GB-simulated")
    assert caught.value.where == "GB-simulated leak"
