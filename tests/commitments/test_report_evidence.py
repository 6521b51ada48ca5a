# SPDX-License-Identifier: Apache-2.0
"""What each filler takes from the records, and that none makes anything up."""

from typing import get_args

import pytest
from hand_made_finding import framework
from reported_evidence import DECIDED, FOUND, FULL, determined

from countermark.commitments.report_evidence import FILLERS, Evidence, Filler, told

JUDGED = (
    determined(),
    determined(subject="threshold", key="leaks", conclusion="unclear", level="high"),
    determined(subject="duty", key="d"),
)
HELD = Evidence(FULL, "m", (FOUND,), (DECIDED,), JUDGED)
BARE = Evidence(framework(), "m", (), (), ())

EXPECTED: dict[Filler, str] = {
    "identity": "F, 1, published 2026, in-force",
    "model": "model m, no snapshot pinned",
    "domains": "Cyber offence (cyber)",
    "thresholds": "leaks (shall): T. Asks that the rate in leak is at most 0.1",
    "acceptance": "rule",
    "conditions": "aged: evidence counts for 6 months",
    "process": "a committee decides (shall)",
    "governance": "the board reviews it",
    "disclosure": "promised, shall, to public: publish a card",
    "uncertainties": "leak, French: judge not validated",
    "determinations": "threshold leaks left unclear, level high on 2026-11-20",
    "results": "leak, English: 2.0%, 95% interval",
    "languages": "tested in English, French",
    "evaluators": "a joint finding of GB-b, computed by GB",
    "safety-mitigations": "promised: a filter on answers",
    "security": "guarded: security is at least at the level “SL3”",
}


def test_there_is_a_function_for_every_filler() -> None:
    assert set(FILLERS) == set(get_args(Filler)) == set(EXPECTED)


@pytest.mark.parametrize(("name", "words"), EXPECTED.items())
def test_a_filler_tells_what_the_records_state(name: Filler, words: str) -> None:
    # The gate may or may not give a distance; all else is there.
    said = "\n".join(entry.words for entry in told(name, HELD))
    assert words in said or name == "acceptance"


@pytest.mark.parametrize("name", sorted(set(FILLERS) - {"identity", "thresholds"}))
def test_a_filler_without_a_record_tells_nothing(name: Filler) -> None:
    assert list(told(name, BARE)) == []


def test_the_verdict_and_each_outcome_are_told_with_their_rule() -> None:
    said = [entry.words for entry in told("acceptance", HELD)]
    assert said[0].startswith(f"{DECIDED.verdict} deploy (rule {DECIDED.rule})")
    assert f"(rule {DECIDED.outcomes[0].rule})" in said[1]
    far = DECIDED.outcomes[0].model_copy(update={"distance": -0.0213})
    decided = DECIDED.model_copy(update={"outcomes": (far,)})
    said = [e.words for e in told("acceptance", Evidence(FULL, "m", (), (decided,), ()))]
    assert "the bound that decides lies 2.1 percentage points inside the limit" in said[1]


def test_a_snapshot_that_is_pinned_is_named() -> None:
    pinned = DECIDED.model_copy(update={"identity": FOUND.digest})
    (entry,) = told("model", Evidence(FULL, "m", (), (pinned,), ()))
    assert FOUND.digest in entry.words
