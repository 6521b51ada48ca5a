# SPDX-License-Identifier: Apache-2.0
"""docs/gate.md: its worked cases are put to the gate, and its rules are those of the code."""

import re
from pathlib import Path

import pytest
from gate_cases import CASES, Worked

from countermark.commitments import gate
from countermark.commitments.gate import decide
from countermark.records.decision import Decision

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "gate.md"


def decided(worked: Worked) -> Decision:
    return decide(worked.question(), decided_by="GB")


def row(worked: Worked) -> str:
    decision = decided(worked)
    rules = ", ".join(str(one.rule) for one in decision.outcomes)
    warning = " *Warning: " + "; ".join(decision.warnings) + ".*" if decision.warnings else ""
    cells = (
        worked.title,
        decision.verdict,
        f"{rules} → {decision.rule}",
        decision.reason + warning,
    )
    return "| " + " | ".join(cells) + " |"


@pytest.mark.parametrize("worked", CASES, ids=[worked.title for worked in CASES])
def test_the_document_says_what_the_gate_decides(worked: Worked) -> None:
    assert row(worked) in DOCUMENT.read_text("utf-8").splitlines()


def test_the_document_has_no_case_that_is_not_worked() -> None:
    text = DOCUMENT.read_text("utf-8").partition("<!-- worked cases -->")[2]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[1:] == [row(worked) for worked in CASES]


def test_every_rule_is_in_the_document() -> None:
    coded = set(re.findall(r"^(\d+)\. ", gate.__doc__ or "", re.MULTILINE))
    told = set(re.findall(r"^\| (\d+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    assert told == coded == {str(number) for number in range(1, 27)}
