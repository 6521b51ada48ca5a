# SPDX-License-Identifier: Apache-2.0
"""What an Inspect log itself states, in the forms that it has had, and logs without samples."""

import json
from pathlib import Path
from typing import Any

import pytest
from exercise_zip import HEADER, member, zip_of

from countermark.exercise.reading.inspect_log import read
from countermark.exercise.reading.summary import RunSummary, summarise


def measure(value: Any, reducer: str | None = None) -> dict[str, Any]:
    metrics = {"accuracy": {"name": "accuracy", "value": value}}
    return {"name": "match", "scorer": "match", "reducer": reducer, "metrics": metrics}


def of(path: Path, **header: Any) -> RunSummary:
    whole = {**HEADER, **header}
    if path.suffix == ".json":
        path.write_text(json.dumps(whole))
    else:
        path.write_bytes(zip_of([member("header.json", whole)]))
    (run,) = read(path)
    return summarise(run)


@pytest.mark.parametrize("name", ["a.json", "a.eval"])
def test_a_log_without_samples_shows_what_it_states(name: str, tmp_path: Path) -> None:
    dataset = {"samples": 4, "sample_ids": [1, 2, 3, 4]}
    spec = {**HEADER["eval"], "config": {"log_samples": False}, "dataset": dataset}
    results = {"total_samples": 4, "scores": [measure(0.25)]}
    found = of(tmp_path / name, eval=spec, results=results)
    assert found.run.stated == {"match/accuracy": 0.25}
    assert (found.submitted, found.outcomes["missing"]) == (4, 4)
    assert (found.scores["match"].mean, found.scores["match"].not_attempted) == (None, 4)
    assert found.notes == ("the log was written without its samples",)


@pytest.mark.parametrize(
    ("results", "stated"),
    [
        (
            {"scorer": {"name": "match"}, "metrics": {"accuracy": {"value": 0.5}}},
            {"match/accuracy": 0.5},
        ),
        (
            {"scores": [measure(0.5, "mean"), measure(1.0, "at_least_1")]},
            {"match/mean/accuracy": 0.5, "match/at_least_1/accuracy": 1.0},
        ),
        ({"scores": [measure(float("nan"))]}, {}),
        ({"scores": [{"name": "match", "scorer": "match", "metrics": []}]}, {}),
        (None, {}),
    ],
    ids=["early 2024", "several reducers", "no number", "no metrics", "no results"],
)
def test_what_results_state_is_named_for_score_and_metric(
    results: Any, stated: dict[str, float], tmp_path: Path
) -> None:
    assert of(tmp_path / "a.json", results=results).run.stated == stated


def test_calls_that_failed_are_counted_in_the_form_of_early_2024(tmp_path: Path) -> None:
    messages = [
        {"role": "assistant", "content": "", "tool_calls": [{"function": "f", "arguments": {}}]},
        {"role": "tool", "content": "", "tool_error": "no such file"},
    ]
    found = of(tmp_path / "a.json", samples=[{"id": 1, "epoch": 1, "messages": messages}])
    assert found.trajectory is not None
    assert (found.trajectory.tool_calls, found.trajectory.failed_calls) == (1, 1)
