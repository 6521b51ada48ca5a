# SPDX-License-Identifier: Apache-2.0
"""The next test that would decide a threshold, rule by rule."""

import math

import pytest
from hand_made_case import LEVEL
from hand_made_finding import case, cell, figures, finding, framework, limit, threshold
from scipy import stats

from countermark.commitments.gate import decide
from countermark.commitments.next_test import MORE_LABS
from countermark.records.decision import NextTest
from countermark.records.finding_figures import Components
from countermark.records.threshold_rules import MetricBound, ThresholdRule


def asked(
    rule: ThresholdRule, value: float, se: float = 0.05, parts: Components | None = None
) -> NextTest:
    known = [one.model_copy(update={"components": parts}) for one in figures(value, se)]
    question = case(framework(threshold(rule)), finding(cell(*known)))
    found = decide(question, decided_by="GB").outcomes[0].next_test
    assert found is not None
    return found


def components(lab: float, item: float, lab_item: float) -> Components:
    return Components(
        s2_lab=lab, s2_item=item, s2_lab_item=lab_item, s2_epoch=0.0, ms_lab=1.0, ms_item=1.0,
        ms_lab_item=1.0, epochs=2.0,
    )  # fmt: skip


def bound(rule: MetricBound, found: NextTest, value: float, parts: Components) -> float:
    """Return the bound to be expected of the design that is proposed."""
    assert found.labs
    assert found.items
    variance = parts.s2_lab / found.labs + (parts.s2_lab_item or 0) / (found.labs * found.items)
    factor = float(stats.t.ppf(1 - rule.alpha_miss, found.labs - 1))
    return value + factor * math.sqrt(variance)


def test_rule_1_the_design_proposed_is_expected_to_decide_and_a_smaller_one_is_not() -> None:
    rule, parts = limit(), components(0.0001, 0.02, 0.05)
    found = asked(rule, 0.05, parts=parts)
    assert found.items
    assert bound(rule, found, 0.05, parts) < rule.limit
    fewer = found.model_copy(update={"items": found.items - 1})
    assert bound(rule, fewer, 0.05, parts) >= rule.limit


def test_rule_1_without_components_every_item_is_one_trial() -> None:
    found = asked(limit(estimands=("benchmark",)), 0.05)
    assert found.items
    assert "5.0%" in found.words


@pytest.mark.parametrize("lab", [0.0, 0.0001])
def test_rule_2_labs_are_sought_beyond_those_there_are(lab: float) -> None:
    found = asked(limit(), 0.05, parts=components(lab, 0.02, 0.05))
    assert found.labs is not None
    assert 3 <= found.labs <= 3 + MORE_LABS


def test_rule_2_where_labs_differ_too_much_nothing_is_promised() -> None:
    found = asked(limit(), 0.09, parts=components(0.05, 0.02, 0.05))
    assert (found.labs, found.items) == (None, None)
    assert "nothing would show it kept" in found.words


def test_rule_3_a_rate_beyond_the_limit_is_not_expected_to_be_kept() -> None:
    assert "show it crossed" in asked(limit(), 0.12, parts=components(0, 0.02, 0.05)).words
    within = asked(limit(guard=0.03), 0.09, 0.02, parts=components(0, 0.02, 0.05))
    assert "guard band" in within.words
    mirrored = limit(direction="at-least")
    assert "show it kept" in asked(mirrored, 0.12, parts=components(0, 0.02, 0.05)).words


def test_rule_4_what_else_is_missing_is_said_in_words() -> None:
    found = asked(LEVEL, 0.05)
    assert (found.labs, found.items) == (None, None)
    assert "determined and signed" in found.words
