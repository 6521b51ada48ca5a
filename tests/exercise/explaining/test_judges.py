# SPDX-License-Identifier: Apache-2.0
from sample_finding import sample_finding
from sample_judges import GOOD, judged_cell

from countermark.exercise.explaining.finding import explain
from countermark.exercise.explaining.judges import scorers_explained

DIGEST = f"sha256:{'1' * 64}"
FINDING = sample_finding(
    DIGEST, dict.fromkeys(("GB", "JP", "KE", "SG", "FR"), DIGEST), {"en": DIGEST, "fr": DIGEST}
)


def said(**change: object) -> list[str]:
    cell = FINDING.cells[0].model_copy(update={**judged_cell(), **change})
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in scorers_explained(cell)]


def test_rule_1_each_scorer_is_said_with_all_that_it_did_not_score() -> None:
    first = said()[0]
    assert first == (
        "first-judge v1 (the model judge-2026-11-01) scored 90 of 96 answers; 3 could not be "
        "read; 2 it refused to judge; 1 it was not asked about."
    )
    assert "second-judge v2 scored 96 of 96 answers." in said()


def test_rule_2_a_scorer_without_a_rate_says_why_and_no_number() -> None:
    at = said().index("second-judge v2 scored 96 of 96 answers.")
    assert said()[at + 1] == "It has no rate: no answers in en were labelled by people."
    assert "%" not in said()[at + 1]


def test_rule_3_what_was_not_scored_bounds_the_rate() -> None:
    words = " ".join(said())
    assert "It counts 40.0 % (30.0 % to 50.0 % at 95 %), or 37.0 % (25.0 % to 52.0 %" in words
    assert "between 37.5 % and 43.8 %" in words
    whole = GOOD.model_copy(update={"least": 0.4, "most": 0.4})
    assert "Among all answers" not in " ".join(said(scorers=(whole,)))


def test_rule_4_repeats_and_agreement_are_said_with_their_answers() -> None:
    words = " ".join(said())
    assert "Asked 3 times about 40 answers, it contradicted itself on 10.0 %" in words
    assert "Run again at SG-c on 40 answers" in words
    assert "2 more lack a verdict" in words
    assert "say the same of 81 of 90 answers (Cohen's kappa 0.62)." in words


def test_a_finding_explains_its_judges_also_where_no_rate_is_published() -> None:
    for status in ("reported", "judge-not-validated"):
        cell = FINDING.cells[0].model_copy(update={**judged_cell(), "status": status})
        changed = FINDING.model_copy(update={"cells": (cell, *FINDING.cells[1:])})
        assert "first-judge v1" in " ".join(explain(changed)[2].sentences)
    assert said(scorers=None, judges_compared=None) == []
