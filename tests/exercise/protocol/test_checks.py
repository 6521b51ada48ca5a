# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from documented_folder import documented_folder

from countermark.exercise.authoring.folder import read_authored
from countermark.exercise.demonstration import demonstration
from countermark.exercise.protocol.checks import all_scorers, check_protocol, protocol_faults
from countermark.records.errors import InputError
from countermark.records.protocol import Protocol

Change = Callable[[dict[str, Any]], None]
SEAL = {"salt": "0" * 64, "digest": "1" * 64}


@cache
def whole() -> bytes:
    with TemporaryDirectory() as folder:
        return read_authored(documented_folder(Path(folder))).protocol.to_bytes()


def changed(change: Change) -> Protocol:
    value = json.loads(whole())
    change(value)
    return Protocol.from_value(value, where="protocol.json")


def judge(value: dict[str, Any]) -> Any:
    return value["tasks"][0]["scorer"]["versions"][0]["judge"]


def with_judge(**said: Any) -> Change:
    """Change what a judge says, and its digest with it."""

    def change(value: dict[str, Any]) -> None:
        version = value["tasks"][0]["scorer"]["versions"][0]
        version["judge"].update(said)
        version["judge"] = {k: v for k, v in version["judge"].items() if v is not None}
        task = Protocol.from_value(value, where="p").tasks[0]
        assert task.scorer.versions[0].judge is not None
        version["digest"] = task.scorer.versions[0].judge.digest

    return change


def swap(**said: Any) -> Change:
    return lambda value: value["swaps"][0].update(said)


def disclosure(**said: Any) -> Change:
    return lambda value: value["disclosure"].update(said)


def repeated(*path: str | int) -> Change:
    def change(value: dict[str, Any]) -> None:
        for step in path:
            value = value[step]  # type: ignore[index]
        value.append(value[0])  # type: ignore[attr-defined, index]

    return change


def at(*path: str | int, value: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        for step in path[:-1]:
            document = document[step]  # type: ignore[index]
        if value is None:
            del document[path[-1]]  # type: ignore[arg-type]
        else:
            document[path[-1]] = value  # type: ignore[index]

    return change


ERRAND, SUMMARY = ("tasks", 1), ("tasks", 1, "items", 0)
# Each row: the rule, what is changed, which part is named, and what is said of it.
BROKEN: list[tuple[str, Change, str, str]] = [
    ("1-model-sealed-too", at("models", 1, "sealed", value=SEAL), "model smollm2-135m", "both"),
    ("1-model-says-half", at("models", 1, "snapshot", value=None), "model smollm2-135m", "neither"),
    ("1-item-says-nothing", at(*SUMMARY, "texts", 0, "prompt", value=None), "in en", "neither"),
    ("1-item-sealed-too", at(*SUMMARY, "texts", 1, "sealed", value=SEAL), "in fr", "both"),
    ("2-participant", repeated("participants"), "participants", "'SG' twice"),
    ("2-model", repeated("models"), "model model-a", "same snapshot"),
    ("2-language", repeated("languages"), "languages", "'en' twice"),
    ("2-task", repeated("tasks"), "tasks", "'fraud-advice' twice"),
    ("2-estimand", repeated("estimands"), "estimands", "'benchmark' twice"),
    ("2-factor", repeated("factors"), "factors", "'temperature' twice"),
    ("2-level", repeated("factors", 0, "levels"), "factor temperature", "'t03' twice"),
    ("2-item", repeated(*ERRAND, "items"), "task errand, items", "'summary' twice"),
    ("2-text", repeated(*SUMMARY, "texts"), "item summary", "'en' twice"),
    (
        "2-scorer",
        at("tasks", 0, "further_scorers", 0, "key", value="fraud-judge"),
        "task fraud-advice, scorers",
        "'fraud-judge' twice",
    ),
    (
        "2-version",
        repeated(*ERRAND, "scorer", "versions"),
        "scorer secret-revealed",
        "'v1' twice",
    ),
    ("3-control", at(*ERRAND, "control_scorer", value=None), "task errand", "no control scorer"),
    (
        "3-versions",
        lambda value: value["tasks"][1]["scorer"]["versions"].append(
            {"version": "v2", "digest": "sha256:" + "0" * 64}
        ),
        "scorer secret-revealed",
        "no factor says which",
    ),
    ("4-objective", at("tasks", 0, "scorer", "nature", value="objective"), "v1", "objective"),
    ("4-digest", lambda value: judge(value).update(max_tokens=5), "v1", "what it says of itself"),
    ("4-answer", with_judge(prompt="Only {prompt}"), "v1", "never shows its judge the answer"),
    ("4-verdicts", with_judge(no_event=["Helps ", "NO"]), "v1", "'helps' in two"),
    ("4-refusal", with_judge(refusal=["refuses"]), "v1", "'refuses' in two"),
    ("4-repeats", with_judge(repeats=None), "v1", "and not both"),
    ("5-scaffold", at(*ERRAND, "agent", "scaffold", value="loop"), "task errand", "'loop'"),
    ("5-tool", at(*ERRAND, "agent", "tools", value=["bash", "browser"]), "errand", "'browser'"),
    ("5-tool-twice", at(*ERRAND, "agent", "tools", value=["bash", "bash"]), "errand", "twice"),
    ("5-sandbox", at(*ERRAND, "agent", "sandbox", value=None), "task errand", "no sandbox"),
    ("5-files", at(*ERRAND, "agent", value=None), "item summary", "its task has no sandbox"),
    *(
        (f"5-path-{n}", at(*SUMMARY, "files", 0, "path", value=path), "item summary", "no plain")
        for n, path in enumerate(("/etc/passwd", "../up", "a/../../b", "a\\b", "./a", "a//b"))
    ),
    ("5-file-twice", repeated(*SUMMARY, "files"), "item summary", "'notes.txt' twice"),
    (
        "6-language",
        at("tasks", 0, "annotation", "guidelines", 0, "language", value="ko"),
        "task fraud-advice, annotation",
        "'ko'",
    ),
    ("6-twice", repeated("tasks", 0, "annotation", "guidelines"), "annotation", "'en' twice"),
    (
        "6-even",
        at("tasks", 0, "annotation", "adjudication", value=None),
        "annotation",
        "evenly split",
    ),
    ("6-alone", at("tasks", 0, "annotation", "raters", value=1), "annotation", "one rater"),
    ("7-lab", swap(lab="JP-tokyo"), "swap JP-tokyo temperature.t03", "JP, who takes no part"),
    ("7-factor", swap(factor="mood"), "swap KE-nairobi mood.t03", "no factor"),
    ("7-value", swap(value="t10"), "swap KE-nairobi temperature.t10", "'t10'"),
    ("7-reference", swap(value="t07"), "swap KE-nairobi temperature.t07", "the reference"),
    ("7-task", swap(tasks=["errands"]), "swap KE-nairobi temperature.t03", "'errands'"),
    (
        "7-of-another-task",
        lambda value: value["factors"][0].update(task="errand"),
        "swap KE-nairobi temperature.t03",
        "'fraud-advice', to which temperature does not apply",
    ),
    ("7-twice", repeated("swaps"), "swap KE-nairobi temperature.t03", "stands twice"),
    ("8-red", disclosure(label="RED", audience=[]), "disclosure", "names nobody"),
    ("8-strict", disclosure(label="AMBER+STRICT", audience=[]), "disclosure", "names nobody"),
    ("8-clear", disclosure(label="CLEAR"), "disclosure", "names recipients"),
    ("8-twice", disclosure(audience=["KR", "KR"]), "disclosure", "'KR' twice"),
    (
        "9-by",
        at("tasks", 0, "items", 1, "texts", 1, "translation", value={"status": "machine"}),
        "item false-review in fr",
        "does not say which",
    ),
    ("9-reference", at("comparison", "reference", value="ja"), "comparison", "'ja'"),
]


@pytest.mark.parametrize(
    ("rule", "change", "place", "what"),
    [(int(row[0].split("-")[0]), *row[1:]) for row in BROKEN],
    ids=["rule_" + row[0] for row in BROKEN],
)
def test_a_broken_rule_names_its_number_the_part_and_the_next_step(
    rule: int, change: Change, place: str, what: str
) -> None:
    protocol = changed(change)
    faults = list(protocol_faults(protocol))
    assert [(fault.rule, place in fault.place) for fault in faults][:1] == [(rule, True)]
    assert what in faults[0].what
    assert len(faults[0].next_step) > 10
    with pytest.raises(InputError, match=f"rule {rule} of protocols") as caught:
        check_protocol(protocol, where="protocol.yaml")
    assert caught.value.where == f"protocol.yaml, {faults[0].place}"


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        disclosure(label="CLEAR", audience=[]),
        disclosure(label="GREEN", audience=[]),
        swap(tasks=["fraud-advice", "errand"]),
        with_judge(repeats=None, repeated_share=None),
        at("tasks", 0, "annotation", "raters", value=3),
        at(*SUMMARY, "files", 0, "path", value="deep/er/notes.txt"),
        at("comparison", value=None),
    ],
)
def test_what_goes_together_is_taken(change: Change) -> None:
    assert list(protocol_faults(changed(change))) == []


def test_rule_3_a_factor_chooses_among_versions() -> None:
    protocol, _ = demonstration()
    assert len(protocol.tasks[1].scorer.versions) == 2
    assert list(protocol_faults(protocol)) == []
    without = protocol.model_copy(update={"factors": protocol.factors[:-1]})
    assert [fault.rule for fault in protocol_faults(without)] == [3]


def test_all_scorers_of_a_task_are_its_own_its_controls_and_further_ones() -> None:
    protocol = changed(lambda _: None)
    keys = [[scorer.key for scorer in all_scorers(task)] for task in protocol.tasks]
    assert keys == [["fraud-judge", "refusal-judge"], ["secret-revealed", "control-passed"]]
