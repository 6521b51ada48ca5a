# SPDX-License-Identifier: Apache-2.0
"""``finding export`` and ``gate export``: signed, readable by others, and no statement."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Ran, countermark, done, statement
from exercise_finished import FinishedExercise
from in_toto_schemas import SVR, TEST_RESULT, faults
from in_toto_schemas import statement as shape
from securesystemslib.dsse import Envelope

from countermark.commitments import exporting as decisions
from countermark.exercise.exporting import in_toto as findings
from countermark.signing.keys import Key

MODEL = "smollm2-135m"
Export = Callable[..., Ran]


@pytest.fixture(scope="module")
def node(finished_exercise: FinishedExercise) -> Path:
    return finished_exercise.root / "nodes" / "GB"


@pytest.fixture(scope="module")
def key(finished_exercise: FinishedExercise) -> Key:
    return finished_exercise.cast().institutes["GB"].signer.public_key


@pytest.fixture
def export(record: Path, node: Path) -> Export:
    protocol, finding = statement(record, "protocol"), statement(record, "finding")

    def run(noun: str, *more: object) -> Ran:
        words: tuple[object, ...] = ("finding", "export", finding, "--model", MODEL)
        if noun == "gate":
            # The developer's second framework is the one that was decided by.
            framework = sorted((record / "statements").glob("framework-*.json"))[-1]
            decision = statement(record, "decision")
            words = ("gate", "export", decision, "--framework", framework, "--record", record)
        return countermark(*words, "--protocol", protocol, "--node", node, *more)

    return run


def opened(ran: Ran, key: Key) -> dict[str, Any]:
    """The statement inside, after somebody else's implementation has verified it."""
    assert ran.code == 0, ran.err
    envelope = Envelope.from_dict(ran.value)
    assert envelope.verify([key], 1)
    assert envelope.payload_type == "application/vnd.in-toto+json"
    value = json.loads(envelope.payload)
    assert isinstance(value, dict)
    return value


def test_a_finding_as_test_result(export: Export, key: Key) -> None:
    value = opened(export("finding"), key)
    assert faults(shape(findings.TEST_RESULT, TEST_RESULT), value) == []
    said = value["predicate"]
    # Scripted models fail the controls in Japanese, and all of it is a demonstration.
    assert said["result"] == "FAILED"
    assert "demonstration/confidential-leak/ja" in said["failedTests"]
    assert "demonstration/confidential-leak/en" in said["warnedTests"]
    assert value["subject"][0]["name"] == MODEL


def test_a_decision_as_svr(export: Export, record: Path, key: Key) -> None:
    value = opened(export("gate"), key)
    assert faults(shape(decisions.SVR, SVR), value) == []
    said = value["predicate"]
    assert said["verifier"]["id"].endswith(":GB")
    logged = json.loads(done("verify", "--json", statement(record, "decision")).out)[0]
    assert logged["valid"]
    assert not any("MAY" in one for one in said["properties"])


@pytest.mark.parametrize("noun", ["finding", "gate"])
def test_an_export_is_not_a_statement_to_verify(
    export: Export, record: Path, tmp_path: Path, noun: str
) -> None:
    """Not bare, and not in the place of the envelope that the proof is of."""
    bare = tmp_path / "export.json"
    bare.write_text(export(noun).out, encoding="utf-8")
    true = statement(record, "finding" if noun == "finding" else "decision")
    value = json.loads(true.read_bytes())
    value["envelope"] = json.loads(bare.read_bytes())
    dressed = tmp_path / "dressed.json"
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    dressed.write_text(text + "\n", encoding="utf-8")
    roster = ("--roster", record / "roster")
    assert countermark("verify", *roster, true).code == 0
    for path in (bare, dressed):
        ran = countermark("verify", *roster, path)
        assert ran.code == 5
        assert "Traceback" not in ran.err
    (verdict,) = json.loads(countermark("verify", *roster, "--json", dressed).out)
    rules = {check["rule"]: check["ok"] for check in verdict["checks"]}
    # The key is rostered and its signature good; it is the content that is none of ours.
    assert (rules[1], rules[2], rules[4]) == (True, True, False)


def test_an_export_is_not_read_where_a_record_is_asked_for(
    export: Export, record: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "export.json"
    bare.write_text(export("finding").out, encoding="utf-8")
    inside = tmp_path / "payload.json"
    inside.write_bytes(base64.b64decode(json.loads(bare.read_bytes())["payload"]))
    for path in (bare, inside):
        ran = countermark("finding", "show", path)
        assert ran.code != 0
        assert ran.out == ""


def test_an_unknown_model_is_an_error(export: Export) -> None:
    ran = export("finding", "--model", "nobody")
    assert ran.code == 1
    assert "has no model 'nobody'" in ran.err
