# SPDX-License-Identifier: Apache-2.0
"""The next test that would decide a threshold, rule by rule."""

import math

import numpy as np
import pytest
from hand_made_case import LEVEL
from hand_made_finding import (
    case,
    cell,
    exact,
    figure,
    figures,
    finding,
    framework,
    limit,
    threshold,
)
from scipy import stats

from countermark.commitments.gate import decide
from countermark.commitments.next_test import MORE_LABS
from countermark.records.decision import NextTest
from countermark.records.finding_figures import Components, Figure, JudgedParts
from countermark.records.threshold_rules import MetricBound, ThresholdRule
from countermark.statistics.estimate import Judged, Side, end

SIDES: tuple[Side, Side] = ("lower", "upper")


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


def power(rule: MetricBound, labs: int, items: int, value: float, parts: Components) -> float:
    """Return how often a design shows the limit kept with one lab left out, by simulation."""
    left, chance = labs - 1, np.random.default_rng(20261129)
    variance = parts.s2_lab / left + (parts.s2_lab_item or 0) / (left * items)
    rates = chance.normal(value, math.sqrt(variance), 4000)
    spread = np.sqrt(variance * chance.chisquare(left - 1, 4000) / (left - 1))
    uppers = [
        end(rate, 1 - rule.alpha_miss, "upper", se=se, df=left - 1)
        for rate, se in zip(rates.tolist(), spread.tolist(), strict=True)
        if 0 < rate < 1
    ]
    return sum(upper < rule.limit for upper in uppers) / len(uppers)


@pytest.mark.parametrize("value", [0.02, 0.05, 0.08])
def test_rule_1_the_design_proposed_decides_four_times_in_five(value: float) -> None:
    spread = value * (1 - value)
    rule, parts = limit(), components(0.00001, 0.3 * spread, 0.7 * spread)
    found = asked(rule, value, 0.05, parts)
    assert found.items
    assert found.labs
    assert 0.65 < power(rule, found.labs, found.items, value, parts) < 0.92
    half = max(2, found.items // 3)
    assert power(rule, found.labs, half, value, parts) < 0.7


def test_rule_1_every_language_that_is_open_must_be_decided() -> None:
    rule = limit(languages=("en", "fr", "ja"))
    places = (("en", 0.05, 0.05), ("fr", 0.08, 0.05), ("ja", 0.01, 0.001))
    known = [cell(*figures(value, se), language=tag) for tag, value, se in places]
    outcome = decide(case(framework(threshold(rule)), finding(*known)), decided_by="GB").outcomes[0]
    found = outcome.next_test
    alone = asked(limit(), 0.08)
    assert found is not None
    assert (found.labs, found.items) == (alone.labs, alone.items)
    assert "in English and French at each" in found.words


def test_rule_2_where_nothing_was_seen_the_exact_bound_decides() -> None:
    question = case(framework(threshold(limit())), finding(cell(exact(0, 5))))
    found = decide(question, decided_by="GB").outcomes[0].next_test
    assert found is not None
    assert found.items == 44  # the least n with 1 - 0.01 ** (1 / n) < 0.1
    assert 1 - 0.01 ** (1 / 44) < 0.1 <= 1 - 0.01 ** (1 / 43)


def judged(judge_se: float) -> Figure:
    parts = JudgedParts(
        reported=0.06, slope=1.5, sampling_se=0.02, sampling_df=20, judge_se=judge_se, judge_df=40
    )
    value = 0.05
    ends = [
        end(value, 0.975, side, judged=Judged(0.06, 1.5, 0.02, 20, judge_se, 40)) for side in SIDES
    ]
    return figure(value).model_copy(
        update={
            "se": None, "df": None, "lower": ends[0], "upper": ends[1], "shape": "corrected",
            "method": "rogan-gladen", "judged": parts, "correction": "rogan-gladen", "labs": 1,
        }
    )  # fmt: skip


def test_rule_5_what_the_judge_leaves_open_asks_for_labels_and_not_for_items() -> None:
    rule = limit()

    def ask(judge_se: float) -> NextTest:
        known = finding(cell(figure(0.06, 0.001, labs=1), judged(judge_se)))
        question = case(framework(threshold(rule)), known)
        found = decide(question, decided_by="GB").outcomes[0].next_test
        assert found is not None
        return found

    labels = ask(0.06)
    factor = math.floor((stats.t.ppf(0.99, 40) * 0.06 / 0.05) ** 2) + 1
    assert f"label about {factor} times as many answers in English" in labels.words
    assert labels.items is None
    assert stats.t.ppf(0.99, 40) * 0.06 / math.sqrt(factor) < 0.05
    counted = ask(0.01)
    assert counted.items
    assert counted.labs

    def reach(items: int) -> float:
        left = counted.labs - 1 if counted.labs and counted.labs > 2 else 2
        se = math.sqrt(0.06 * 0.94 / items)
        target = 0.06 + 0.05 / 1.5
        t = float(stats.t.ppf(0.99, left - 1)) * math.sqrt(target * (1 - target) / (0.06 * 0.94))
        judge = float(stats.t.ppf(0.99, 40)) * 0.01
        return math.hypot(1.5 * t * se, judge) + float(stats.norm.ppf(0.8)) * 1.5 * se

    assert reach(counted.items) < 0.05 <= reach(counted.items - 1)


def test_rule_2_without_components_every_item_is_one_trial() -> None:
    found = asked(limit(estimands=("benchmark",)), 0.05)
    assert found.items
    assert "5.0%" in found.words


@pytest.mark.parametrize("lab", [0.0, 0.0001])
def test_rule_3_labs_are_sought_beyond_those_there_are(lab: float) -> None:
    found = asked(limit(), 0.05, parts=components(lab, 0.02, 0.05))
    assert found.labs is not None
    assert 3 <= found.labs <= 3 + MORE_LABS


def test_rule_3_where_labs_differ_too_much_nothing_is_promised() -> None:
    found = asked(limit(), 0.09, parts=components(0.05, 0.02, 0.05))
    assert (found.labs, found.items) == (None, None)
    assert "nothing would show it kept" in found.words


def test_rule_4_a_rate_beyond_the_limit_is_not_expected_to_be_kept() -> None:
    assert "show it crossed" in asked(limit(), 0.12, parts=components(0, 0.02, 0.05)).words
    within = asked(limit(guard=0.03), 0.09, 0.02, parts=components(0, 0.02, 0.05))
    assert "guard band" in within.words
    mirrored = limit(direction="at-least")
    assert "show it kept" in asked(mirrored, 0.12, parts=components(0, 0.02, 0.05)).words


def test_rule_6_what_else_is_missing_is_said_in_words() -> None:
    found = asked(LEVEL, 0.05)
    assert (found.labs, found.items) == (None, None)
    assert "determined and signed" in found.words
