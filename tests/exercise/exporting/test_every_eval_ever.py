# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/exporting/every_eval_ever.py``, by their numbers."""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from other_tools import fixture, garak_attempt, garak_report, write

from countermark.exercise.exporting.every_eval_ever import (
    Exported,
    Source,
    export_runs,
    to_every_eval_ever,
)
from countermark.exercise.reading import every_eval_ever, garak, helm, lm_eval, moonshot
from countermark.exercise.reading.documents import tally
from countermark.exercise.reading.found import (
    FoundMessage,
    FoundRun,
    FoundSample,
    FoundScore,
    Trajectory,
    Usage,
)
from countermark.records.errors import InputError

SOURCE = Source("Kenya AISI", "third_party", 1_750_000_000)
TALK = (FoundMessage("user", "2+2"), FoundMessage("assistant", "4"))


def sample(item: str, value: float | None, epoch: int = 1, **more: Any) -> FoundSample:
    score = FoundScore("right", "unparsed" if value is None else "scored", value, value, "4")
    fields = {"scores": (score,), "messages": TALK, "target": "4"} | more
    return FoundSample(item=item, epoch=epoch, outcome="answered", **fields)


def run_of(*samples: FoundSample, **more: Any) -> FoundRun:
    def fresh() -> Iterator[FoundSample]:
        return iter(samples)

    return FoundRun("f", "csv", None, "org/m", "sums", fresh, **more)


def result(exported: Exported) -> dict[str, Any]:
    (only,) = exported.record["evaluation_results"]
    return dict(only)


def rows(exported: Exported) -> list[dict[str, Any]]:
    return [json.loads(row) for row in exported.rows()]


def test_rule_1_each_scorer_is_a_result_unless_it_scored_nothing() -> None:
    scores = (
        FoundScore("a", "scored", 1.0),
        FoundScore("b", "scored", 0.5),
        FoundScore("c", "unparsed"),
    )
    exported = to_every_eval_ever(run_of(sample("x", 1.0, scores=scores)), SOURCE, ("b",))
    assert [
        (one["metric_config"]["metric_name"], one["metric_config"]["lower_is_better"])
        for one in exported.record["evaluation_results"]
    ] == [("a", False), ("b", True)]


def test_rule_2_samples_without_a_score_are_counted() -> None:
    failed = FoundSample("c", 1, "errored", (FoundScore("right", "not-attempted"),))
    run = run_of(sample("a", 1.0), sample("b", None), failed, submitted=5)
    exported = to_every_eval_ever(run, SOURCE)
    assert result(exported)["score_details"]["details"] == {
        "submitted": "5",
        "answered": "2",
        "errored": "1",
        "missing": "2",
        "scored": "1",
        "unparsed": "1",
        "not-attempted": "1",
    }
    details = exported.record["detailed_evaluation_results"]
    assert details["total_rows"] == len(rows(exported)) == 1
    assert list(details["additional_details"].values()) == ["4"]


def test_rule_3_uncertainty_takes_items_as_clusters() -> None:
    exported = to_every_eval_ever(
        run_of(*(sample(item, value, epoch) for item, value, epoch in (
            ("a", 1.0, 1), ("a", 1.0, 2), ("b", 0.0, 1), ("b", 1.0, 2),
        ))), SOURCE,
    )  # fmt: skip
    details = result(exported)["score_details"]
    assert details["score"] == 0.75
    # The items' means are 1 and 0.5: their deviation is sqrt(1/8), over sqrt(2).
    assert details["uncertainty"]["standard_error"]["value"] == pytest.approx(0.25)
    assert "confidence_interval" not in details["uncertainty"]


def test_rule_3_the_interval_of_a_proportion_is_wilsons() -> None:
    exported = to_every_eval_ever(run_of(sample("a", 1.0), sample("b", 0.0)), SOURCE)
    found = result(exported)["score_details"]["uncertainty"]
    # (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) for p = 1/2, n = 2
    z = 1.959963984540054
    half = z * math.sqrt(0.125 + z * z / 16) / (1 + z * z / 2)
    assert found["confidence_interval"]["lower"] == pytest.approx(0.5 - half)
    assert found["confidence_interval"]["upper"] == pytest.approx(0.5 + half)
    assert found["num_samples"] == 2


def test_rule_3_a_single_item_has_no_standard_error() -> None:
    found = result(to_every_eval_ever(run_of(sample("a", 0.5)), SOURCE))
    assert found["score_details"]["uncertainty"] == {"num_samples": 1}


def test_rule_4_what_is_not_known_is_said_to_be() -> None:
    exported = to_every_eval_ever(run_of(sample("a", 0.5)), SOURCE)
    assert exported.record["model_info"]["additional_details"] == {
        "deployment_type": "unknown",
        "model_availability": "unknown",
    }
    assert exported.record["eval_library"] == {"name": "csv", "version": "unknown"}
    metric = result(exported)["metric_config"]
    assert (metric["min_score"], metric["max_score"]) == (None, None)


def test_rule_5_the_same_run_gives_the_same_bytes() -> None:
    one, two, other = (
        to_every_eval_ever(run_of(sample("a", value)), SOURCE) for value in (1.0, 1.0, 0.0)
    )
    assert one.record == two.record
    assert one.record_path == two.record_path != other.record_path
    assert re.fullmatch(
        r"data/sums/org/m/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.json",
        str(one.record_path),
    )
    digest = hashlib.sha256(b"".join(one.rows())).hexdigest()
    assert one.record["detailed_evaluation_results"]["checksum"] == digest


def test_names_make_no_path() -> None:
    run = replace(run_of(sample("a", 1.0)), model="../..", task="../../etc/passwd")
    exported = to_every_eval_ever(run, SOURCE)
    for path in (exported.record_path, exported.samples_path):
        assert len(path.parts) == 5
        assert ".." not in path.parts


@pytest.mark.parametrize(
    ("messages", "trajectory", "kind"),
    [
        ((), None, "single_turn"),
        (TALK, None, "single_turn"),
        ((FoundMessage("system", "s"), *TALK), None, "single_turn"),
        ((*TALK, *TALK), None, "multi_turn"),
        (TALK, Trajectory(tool_calls=1), "agentic"),
        ((TALK[0], FoundMessage("assistant", "", ("ls",))), None, "agentic"),
    ],
)
def test_conversations(messages: Any, trajectory: Any, kind: str) -> None:
    one = sample("a", 1.0, messages=messages, trajectory=trajectory)
    (row,) = rows(to_every_eval_ever(run_of(one), SOURCE))
    assert row["interaction_type"] == kind
    assert (row["output"] is None) == (row["messages"] is not None) == (kind != "single_turn")


def test_what_was_exported_is_read_again(tmp_path: Path) -> None:
    usage = Usage(input_tokens=3, output_tokens=1, seconds=0.5)
    run = run_of(sample("a", 1.0, 1, usage=usage, metadata={"topic": "x"}), sample("a", 0.0, 2))
    exported = to_every_eval_ever(run, SOURCE)
    (tmp_path / "r.json").write_text(json.dumps(exported.record))
    (tmp_path / "r_samples.jsonl").write_bytes(b"".join(exported.rows()))
    (again,) = every_eval_ever.read(tmp_path / "r.json")
    assert (again.model, again.task, again.submitted, again.notes) == ("org/m", "sums", 2, ())
    for was, now in zip(run.samples(), again.samples(), strict=True):
        assert (now.item, now.epoch, now.outcome) == (was.item, was.epoch, was.outcome)
        assert (now.messages, now.target) == (was.messages, was.target)
        assert [(s.scorer, s.value) for s in now.scores] == [
            (s.scorer, s.value) for s in was.scores
        ]


def test_a_run_without_scores_cannot_be_exported() -> None:
    bare = run_of(sample("a", None))
    with pytest.raises(InputError, match="has no score of any sample"):
        to_every_eval_ever(bare, SOURCE)
    with pytest.raises(InputError, match="has no score of any sample"):
        export_runs([bare], SOURCE)
    made, without = export_runs([bare, run_of(sample("a", 1.0))], SOURCE)
    assert (len(made), without) == (1, ("sums",))
    with pytest.raises(InputError, match="has no scorer 'x'"):
        export_runs([run_of(sample("a", 1.0))], SOURCE, ("x",))


def test_exports_of_every_tool_are_valid_in_the_published_form(tmp_path: Path) -> None:
    record_form = Draft7Validator(json.loads(fixture("eee/eval.schema.json").read_bytes()))
    row_form = Draft7Validator(
        json.loads(fixture("eee/instance_level_eval.schema.json").read_bytes())
    )
    report = write(tmp_path, a=garak_report(garak_attempt(0, 1.0), garak_attempt(1, 0.0))) / "a"
    runs = [
        *lm_eval.read(fixture("lm_eval/results.json")),
        *helm.read(fixture("helm/mmlu-philosophy")),
        *moonshot.read(fixture("moonshot/result-recipe.json")),
        *every_eval_ever.read(fixture("eee/demo.json")),
        *garak.read(report),
        run_of(sample("a", 1.0, messages=(*TALK, *TALK))),
    ]
    made, without = export_runs(runs, SOURCE)
    assert (len(made), len(without)) == (1 + 2 + 44 + 1 + 1 + 1, 3)
    for one in made:
        record_form.validate(one.record)
        for row in rows(one):
            row_form.validate(row)
    means = [tally(run.samples).means for run in runs if tally(run.samples).means]
    for one, mean in zip(made, means, strict=True):
        assert {
            r["metric_config"]["metric_name"]: pytest.approx(r["score_details"]["score"])
            for r in one.record["evaluation_results"]
        } == mean
