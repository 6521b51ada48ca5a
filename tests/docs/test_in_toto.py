# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/in-toto.md are what the code writes."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hand_made_finding import case, cell, figures, finding, framework, limit, threshold

from countermark.commitments.exporting import as_svr
from countermark.commitments.gate import decide
from countermark.exercise.exporting.in_toto import as_test_result
from countermark.records.decision import Decision
from countermark.records.protocol import Protocol

DOCUMENT = Path(__file__).parents[2] / "docs" / "in-toto.md"
PROTOCOL = Protocol.from_value(
    {
        "kind": "protocol", "version": 1, "name": "example", "title": "An example",
        "demonstration": False, "objectives": ["To be an example"], "coordinator": "GB",
        "participants": ["GB", "JP"], "languages": ["en", "ja"], "factors": [], "epochs": 1,
        "models": [{
            "key": "m", "title": "M", "provider": "made/up", "snapshot": "sha256:" + "5" * 64,
        }],
        "tasks": [{
            "key": "leak", "title": "Leak", "risk": "made-up", "event": "It leaks.",
            "worse": "higher", "annotation_sets": [],
            "scorer": {
                "key": "s", "nature": "objective", "description": "Looks for the secret.",
                "versions": [{"version": "v1", "digest": "sha256:" + "6" * 64}],
            },
            "items": [{
                "key": "one", "role": "test", "approach": "direct",
                "texts": [{"language": "en", "prompt": "?"}, {"language": "ja", "prompt": "？"}],
            }],
        }],
        "generation": {"max_tokens": 1, "top_p": 1}, "significant_digits": 8,
        "relative_tolerance": 1e-6,
    },
    where="example",
)  # fmt: skip
FINDING = finding(
    cell(
        # Rounded as published figures are, so that every machine's digest is the same.
        *(
            one.model_copy(update={"lower": round(one.lower, 8), "upper": round(one.upper, 8)})
            for one in figures(0.02)
        )
    ),
    cell(language="ja", status="not-informative", reason="The model failed the controls."),
).model_copy(update={"protocol": PROTOCOL.digest})
FRAMEWORK = framework(
    threshold(key="keeps-secrets"),
    threshold(limit(languages=("ja",)), key="keeps-secrets-in-japanese"),
)


CASE = case(FRAMEWORK, FINDING)


def rounded(decision: Decision) -> Decision:
    """The decision with bounds that are the same on every machine, as far as they are shown."""

    def short(value: object) -> object:
        if isinstance(value, dict):
            return {key: short(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [short(inner) for inner in value]
        return round(value, 8) if isinstance(value, float) else value

    value = short(decision.to_value())
    assert isinstance(value, dict)
    return Decision.from_value(value, where="example")


def examples() -> dict[str, str]:
    decision = rounded(decide(CASE, decided_by="GB"))
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    exports = {
        "test-result": as_test_result(FINDING, PROTOCOL, "m"),
        "svr": as_svr(decision, CASE, PROTOCOL, verifier="GB", at=at),
    }
    return {name: json.dumps(made.to_value(), indent=2) for name, made in exports.items()}


def documented() -> dict[str, str]:
    text = DOCUMENT.read_text(encoding="utf-8")
    return dict(re.findall(r"<!-- example: ([a-z-]+) -->\n```json\n(.*?)\n?```", text, re.DOTALL))


@pytest.mark.parametrize("name", ["test-result", "svr"])
def test_the_document_shows_what_the_code_writes(name: str) -> None:
    assert documented()[name] == examples()[name]
