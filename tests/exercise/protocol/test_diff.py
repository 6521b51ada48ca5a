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
from countermark.exercise.private.content import open_private
from countermark.exercise.private.sealing import seal_private
from countermark.exercise.protocol.diff import Keeps, comparable, protocol_changes
from countermark.records.protocol import Protocol

Change = Callable[[dict[str, Any]], None]


@cache
def whole() -> bytes:
    with TemporaryDirectory() as folder:
        return read_authored(documented_folder(Path(folder))).protocol.to_bytes()


def changed(change: Change = lambda _: None) -> Protocol:
    value = json.loads(whole())
    change(value)
    return Protocol.from_value(value, where="protocol.json")


def at(*path: str | int, value: Any) -> Change:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


def without(*path: str | int) -> Change:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


def every(*changes: Change) -> Change:
    def change(document: dict[str, Any]) -> None:
        for one in changes:
            one(document)

    return change


FRAUD, ERRAND = ("tasks", 0), ("tasks", 1)
JUDGE = (*FRAUD, "scorer", "versions", 0)
# Each row: rule, change, place, words, how far results remain comparable.
ROWS: list[tuple[str, Change, str, str, Keeps]] = [
    ("1-title", at("title", value="x"), "protocol", "the title", "all"),
    ("1-name", at("name", value="x"), "protocol", "the name", "all"),
    ("1-objectives", at("objectives", value=["x"]), "protocol", "the objectives", "all"),
    ("1-coordinator", at("coordinator", value="FR"), "protocol", "the coordinator", "all"),
    ("1-participants", at("participants", value=["SG", "KE"]), "protocol", "participants", "all"),
    ("1-demonstration", at("demonstration", value=False), "protocol", "demonstration", "all"),
    ("1-disclosure", without("disclosure"), "protocol", "disclosure", "all"),
    ("1-digits", at("significant_digits", value=5), "protocol", "digits", "all"),
    ("1-tolerance", at("relative_tolerance", value=1e-3), "protocol", "tolerance", "all"),
    ("1-estimands", without("estimands"), "protocol", "estimands", "all"),
    ("1-comparison", without("comparison"), "protocol", "languages are compared", "all"),
    ("1-swaps", without("swaps"), "protocol", "swaps", "all"),
    ("1-precision", without(*FRAUD, "precision"), "task fraud-advice", "precision", "all"),
    ("1-annotation", without(*FRAUD, "annotation"), "task fraud-advice", "annotation", "all"),
    ("1-labelled", at(*FRAUD, "annotation_sets", value=[]), "task fraud-advice", "labelled", "all"),
    ("1-control", at(*ERRAND, "control_minimum", value=0.9), "task errand", "controls", "all"),
    ("1-model-title", at("models", 0, "title", value="x"), "model model-a", "title", "all"),
    ("1-factor-title", at("factors", 0, "title", value="x"), "factor temperature", "title", "all"),
    ("2-model", without("models", 1), "model smollm2-135m", "was taken out", "all"),
    ("2-language", at("languages", value=["en", "fr", "ja"]), "language ja", "was added", "all"),
    ("2-task", without("tasks", 1), "task errand", "was taken out", "all"),
    (
        "3-snapshot",
        at("models", 1, "snapshot", value="sha256:" + "0" * 64),
        "model",
        "snap",
        "rest",
    ),
    ("3-provider", at("models", 1, "provider", value="x/y"), "model", "provider", "rest"),
    ("4-item", without(*FRAUD, "items", 0), "task fraud-advice", "(sick-note) taken out", "rest"),
    (
        "5-wording",
        at(*FRAUD, "items", 0, "texts", 1, "prompt", value="x"),
        "task fraud-advice in fr",
        "the wording of 1 item (sick-note)",
        "rest",
    ),
    (
        "5-language-of-an-item",
        without(*FRAUD, "items", 0, "texts", 1),
        "task fraud-advice in fr",
        "the wording of 1 item (sick-note)",
        "rest",
    ),
    ("6-role", at(*FRAUD, "items", 0, "role", value="control"), "task", "the role of", "rest"),
    ("6-files", without(*ERRAND, "items", 0, "files"), "task errand", "sandbox files", "rest"),
    ("6-approach", at(*FRAUD, "items", 0, "approach", value="x"), "task", "the approach", "all"),
    (
        "7-expected",
        at(*ERRAND, "items", 1, "texts", 0, "expected", value="43"),
        "task errand in en",
        "the expected answer",
        "rescored",
    ),
    (
        "8-translation",
        without(*FRAUD, "items", 0, "texts", 0, "translation"),
        "task fraud-advice in en",
        "the translation status",
        "all",
    ),
    ("9-rules", at(*JUDGE, "digest", value="sha256:" + "0" * 64), "task", "rules of", "rescored"),
    (
        "9-version",
        lambda value: value["tasks"][1]["scorer"]["versions"].append(
            {"version": "v9", "digest": "sha256:" + "0" * 64}
        ),
        "task errand",
        "secret-revealed v9 was",
        "rescored",
    ),
    ("9-scorer", without(*FRAUD, "further_scorers"), "task", "refusal-judge v2", "rescored"),
    ("9-control", without(*ERRAND, "control_scorer"), "task", "control-passed v1", "rescored"),
    ("9-words", at(*FRAUD, "scorer", "description", value="x"), "task", "said of", "rescored"),
    ("10-event", at(*FRAUD, "event", value="x"), "task fraud-advice", "score of 1", "rest"),
    ("10-agent", at(*ERRAND, "agent", "attempts", value=2), "task errand", "scaffold", "rest"),
    ("10-title", at(*FRAUD, "title", value="x"), "task fraud-advice", "the title", "all"),
    ("10-risk", at(*FRAUD, "risk", value="x"), "task fraud-advice", "risk category", "all"),
    ("10-worse", at(*FRAUD, "worse", value="lower"), "task fraud-advice", "direction", "all"),
    ("11-factor", without("factors", 1), "factor system-prompt", "was taken out", "rest"),
    ("11-reference", at("factors", 0, "reference", value="t03"), "factor", "is t03, and", "rest"),
    ("11-task", without("factors", 1, "task"), "factor system-prompt", "another task", "rest"),
    ("11-number", at("factors", 0, "levels", 0, "number", value=0.4), "factor", "t03", "rest"),
    ("11-wording", at("factors", 1, "levels", 0, "texts", 0, "text", value="x"), "f", "pl", "rest"),
    ("11-value", without("factors", 0, "levels", 0), "factor", "t03 was taken out", "all"),
    ("12-tokens", at("generation", "max_tokens", value=5), "generation", "longest", "none"),
    ("12-top-p", at("generation", "top_p", value=0.5), "generation", "nucleus", "none"),
    ("12-retries", without("generation", "retries"), "generation", "retries", "all"),
    ("13-epochs", at("epochs", value=5), "epochs", "5 times, and was 2", "all"),
    ("14-order", lambda value: value["tasks"].reverse(), "protocol", "order", "all"),
    ("14-unknown", at("surprise", value=1), "protocol", "does not know", "none"),
]


@pytest.mark.parametrize(
    ("rule", "change", "place", "words", "keeps"),
    [(int(row[0].split("-")[0]), *row[1:]) for row in ROWS],
    ids=["rule_" + row[0] for row in ROWS],
)
def test_a_change_is_told_by_its_rule_whichever_came_first(
    rule: int, change: Change, place: str, words: str, keeps: Keeps
) -> None:
    before, after = changed(), changed(change)
    (found,) = protocol_changes(before, after)
    assert (found.rule, found.keeps) == (rule, keeps)
    assert place in found.place
    assert words in found.what
    assert found.then
    (back,) = protocol_changes(after, before)
    assert (back.rule, back.keeps, back.place) == (rule, keeps, found.place)


def test_nothing_changed_where_the_two_are_the_same() -> None:
    assert protocol_changes(changed(), changed()) == ()
    assert comparable(()) == "all"


def test_the_verdict_is_that_of_the_change_that_leaves_least() -> None:
    protocols = {
        "all": every(at("title", value="x"), at("epochs", value=3)),
        "rescored": every(at("title", value="x"), without(*FRAUD, "further_scorers")),
        "rest": every(without(*FRAUD, "further_scorers"), at(*FRAUD, "event", value="x")),
        "none": every(at(*FRAUD, "event", value="x"), at("generation", "top_p", value=0.1)),
    }
    for keeps, change in protocols.items():
        assert comparable(protocol_changes(changed(), changed(change))) == keeps


def test_what_stays_comparable_is_counted() -> None:
    change = at(*FRAUD, "items", 0, "texts", 1, "prompt", value="x")
    (found,) = protocol_changes(changed(), changed(change))
    assert "the 1 unchanged items in this language remain comparable" in found.then


def test_every_field_of_a_protocol_is_looked_at() -> None:
    ways: dict[str, Change] = {row[0]: row[1] for row in ROWS}
    touched: set[str] = set()
    original = json.loads(whole())
    for change in ways.values():
        value = json.loads(whole())
        change(value)
        touched |= {
            name for name in original.keys() | value.keys() if value.get(name) != original.get(name)
        }
    assert touched - {"surprise"} == set(original) - {"kind", "version"}


def test_rule_5_private_wordings_are_compared_by_their_seals() -> None:
    items = [("fraud-advice", "false-review")]
    first = seal_private(changed(), ["model-a"], items)
    same = seal_private(changed(at("epochs", value=3)), ["model-a"], items, first.part)
    assert [c.rule for c in protocol_changes(first.protocol, same.protocol)] == [13]
    # Sealed anew, nobody can tell; and whoever holds both private parts can.
    other = seal_private(changed(at("epochs", value=3)), ["model-a"], items)
    found = protocol_changes(first.protocol, other.protocol)
    assert [(c.rule, c.what.split(" (")[0]) for c in found] == [
        (3, "has another seal"),
        (5, "the seal of 1 item"),
        (5, "the seal of 1 item"),
        (13, "each item is asked 3 times, and was 2"),
    ]
    assert first.part is not None
    assert other.part is not None
    opened = [open_private(one.protocol, one.part) for one in (first, other) if one.part]
    assert [c.rule for c in protocol_changes(*opened)] == [13]
    again = seal_private(changed(), ["model-a"], items)
    assert again.part is not None
    assert protocol_changes(opened[0], open_private(again.protocol, again.part)) == ()


def test_rules_3_and_5_sealed_in_one_of_the_two_counts_as_changed() -> None:
    sealing = seal_private(changed(), ["model-a"], [("fraud-advice", "false-review")])
    found = protocol_changes(changed(), sealing.protocol)
    assert [c.rule for c in found] == [3, 5, 5]
    assert all("nobody can tell" in c.what + c.then for c in found)
    assert {c.keeps for c in found} == {"rest"}
