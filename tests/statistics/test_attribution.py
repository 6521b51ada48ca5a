# SPDX-License-Identifier: Apache-2.0
"""Golden values: R's ``lm`` and ``drop1``, and Lindeman's shares, computed over all orders."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from countermark.statistics import (
    Crossing,
    FactorEffect,
    LabExplanation,
    NotComputable,
    Shares,
    StatisticsError,
    explain_labs,
    holm,
)

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "oracles" / "lab_differences.json").read_text(encoding="utf-8")
)
ROWS = {"prompt": "aabbccabc", "provider": "pqpqpqqqp", "temperature": "001011110"}


def settings(**values: str) -> dict[str, dict[str, str]]:
    labs = len(next(iter(values.values())))
    return {f"lab{k:02}": {name: row[k] for name, row in values.items()} for k in range(labs)}


def crossing(scores: np.ndarray) -> Crossing:
    labs, items = scores.shape
    names = tuple(f"lab{k:02}" for k in range(labs))
    keys = tuple(f"q{i:03}" for i in range(items))
    return Crossing(names, keys, np.ones((labs, items), dtype=int), scores, scores**2)


def simulated(effect: float, s_lab: float, values: str, seed: int, items: int = 50) -> Crossing:
    rng = np.random.Generator(np.random.PCG64(seed))
    shift = effect * np.array([value == "1" for value in values]) + s_lab * rng.normal(
        size=len(values)
    )
    item = rng.normal(0, 0.1, (1, items))
    noise = rng.normal(0, 0.1, (len(values), items))
    return crossing(np.clip(0.5 + shift[:, np.newaxis] + item + noise, 0, 1))


def computed(result: LabExplanation | NotComputable) -> LabExplanation:
    assert isinstance(result, LabExplanation), result
    return result


def effect_of(result: LabExplanation, name: str) -> FactorEffect:
    finding = next(each.finding for each in result.factors if each.name == name)
    assert isinstance(finding, FactorEffect), finding
    return finding


def shares_of(result: LabExplanation) -> Shares:
    assert isinstance(result.shares, Shares), result.shares
    return result.shares


@pytest.fixture(scope="module")
def golden() -> LabExplanation:
    """Every item alike, so the lab means are R's and there is no noise but the labs'."""
    scores = np.repeat(np.array(GOLDEN["means"])[:, np.newaxis], 40, axis=1)
    return computed(explain_labs(crossing(scores), settings(**ROWS)))


def test_effects_are_those_of_r(golden: LabExplanation) -> None:
    effects = [effect for name in ROWS for effect in effect_of(golden, name).effects]
    assert [e.difference for e in effects] == pytest.approx(GOLDEN["coefficients"], rel=1e-10)
    assert [e.se for e in effects] == pytest.approx(GOLDEN["errors"], rel=1e-10)
    assert [(e.value, e.against) for e in effects[:2]] == [("b", "a"), ("c", "a")]
    assert {e.df for e in effects} == {4}
    assert effects[0].upper - effects[0].difference == pytest.approx(
        2.7764451051977987 * GOLDEN["errors"][0]
    )


def test_rule_4_f_tests_are_those_of_r(golden: LabExplanation) -> None:
    tests = [effect_of(golden, name).test for name in ROWS]
    assert [test.statistic for test in tests] == pytest.approx(GOLDEN["f"], rel=1e-10)
    assert [test.p for test in tests] == pytest.approx(GOLDEN["p_f"], rel=1e-10)
    assert [(test.df_labs, test.df_error) for test in tests] == [(2, 4), (1, 4), (1, 4)]
    adjusted = [effect_of(golden, name).adjusted for name in ROWS]
    assert adjusted == pytest.approx(list(holm(GOLDEN["p_f"])))


def test_rule_6_observed_shares_are_those_of_r_and_sum_to_r_squared(
    golden: LabExplanation,
) -> None:
    shares = shares_of(golden)
    observed = [share.observed for share in shares.factors]
    assert observed == pytest.approx(GOLDEN["lmg"], rel=1e-10)
    assert sum(observed) + shares.rest_observed == pytest.approx(1)
    assert sum(s.adjusted for s in shares.factors) + shares.rest_adjusted == pytest.approx(1)


def test_the_spread_left_is_that_of_the_regression(golden: LabExplanation) -> None:
    assert golden.sd_labs**2 == pytest.approx(np.var(GOLDEN["means"], ddof=1))
    assert golden.sd_remaining**2 == pytest.approx(GOLDEN["residual"][0])
    assert golden.explained == pytest.approx(1 - golden.sd_remaining**2 / golden.sd_labs**2)
    assert golden.df == 4


def test_shares_are_the_average_over_all_orders() -> None:
    """Adjusted shares, by the definition, from the spread left that other calls report."""
    result = computed(explain_labs(simulated(0.1, 0.03, "001011110", 3), settings(**ROWS)))
    base = result.sd_labs**2

    def worth(names: tuple[str, ...]) -> float:
        if not names:
            return 0.0
        part = settings(**{name: ROWS[name] for name in names})
        again = computed(explain_labs(simulated(0.1, 0.03, "001011110", 3), part))
        return 1 - again.sd_remaining**2 / base

    for share in shares_of(result).factors:
        gains = []
        for order in itertools.permutations(ROWS):
            before = order[: order.index(share.factor)]
            gains.append(worth((*before, share.factor)) - worth(before))
        assert share.adjusted == pytest.approx(np.mean(gains), abs=1e-9)


def test_a_setting_that_moves_the_labs_is_found() -> None:
    result = computed(explain_labs(simulated(0.2, 0.01, "001011110", 1), settings(**ROWS)))
    found = effect_of(result, "temperature")
    (effect,) = found.effects
    assert effect.lower < 0.2 < effect.upper
    assert found.adjusted < 0.05
    assert found.delta_sd > 0.03
    assert result.explained is not None
    assert result.explained > 0.9
    assert max(shares_of(result).factors, key=lambda s: s.adjusted).factor == "temperature"


def test_the_test_of_a_factor_has_its_size_and_adjusted_shares_their_mean() -> None:
    """Labs differ, but not by temperature: 5 % of tests find it; its mean adjusted share is nil."""
    p_values, adjusted, observed = [], [], []
    for seed in range(400):
        part = settings(temperature=ROWS["temperature"])
        result = computed(explain_labs(simulated(0, 0.05, "0" * 9, seed, items=20), part))
        p_values.append(effect_of(result, "temperature").test.p)
        if isinstance(result.shares, Shares):
            (share,) = result.shares.factors
            adjusted.append(share.adjusted)
            observed.append(share.observed)
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.03)
    assert len(adjusted) > 380
    assert np.mean(adjusted) == pytest.approx(0, abs=0.05)
    assert np.mean(observed) == pytest.approx(1 / 8, abs=0.05)


def test_rule_1_dropped_items_are_named() -> None:
    whole = simulated(0.1, 0.02, "001011110", 5)
    count = whole.count.copy()
    count[2, 7] = 0
    total, square = whole.total.copy(), whole.square.copy()
    total[2, 7] = square[2, 7] = 0
    result = computed(
        explain_labs(Crossing(whole.labs, whole.items, count, total, square), settings(**ROWS))
    )
    assert result.items_dropped == ("q007",)
    assert result.items == 49


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({"seed": "111111111"}, "No setting differs"),
        ({"hardware": "abcdefghi"}, "nothing is left over"),
        ({"hardware": "abcdefghi", "tools": "000011110"}, "another at every lab"),
    ],
)
def test_rule_2_nothing_is_computed_without_labs_left_over(
    rows: dict[str, str], reason: str
) -> None:
    result = explain_labs(simulated(0.1, 0.02, "001011110", 5), settings(**rows))
    assert isinstance(result, NotComputable)
    assert reason in result.reason


def test_rules_3_and_5_aliased_factors_have_no_effect_and_nobody_has_shares() -> None:
    rows = {
        "provider": "ppqpqqqqp",
        "seed": "1" * 9,
        "temperature": "001011110",
        "tools": "010101010",
    }
    result = computed(explain_labs(simulated(0.1, 0.02, "001011110", 5), settings(**rows)))
    findings = {each.name: each.finding for each in result.factors}
    for name, word in (("provider", "aliased"), ("temperature", "aliased"), ("seed", "every lab")):
        finding = findings[name]
        assert isinstance(finding, NotComputable)
        assert word in finding.reason
    assert isinstance(findings["tools"], FactorEffect)
    assert findings["tools"].adjusted == min(1.0, 3 * findings["tools"].test.p)
    assert isinstance(result.shares, NotComputable)
    assert "provider is aliased with temperature" in result.shares.reason


def test_rule_6_labs_that_do_not_differ_have_nothing_to_share() -> None:
    rng = np.random.default_rng(1)
    scores = rng.permuted(np.tile(rng.uniform(0, 1, 9)[:, np.newaxis], 30), axis=0)
    scores += 0.5 - scores.mean(axis=1, keepdims=True)
    result = computed(explain_labs(crossing(np.clip(scores, 0, 1)), settings(**ROWS)))
    assert result.sd_labs == 0
    assert result.explained is None
    assert isinstance(result.shares, NotComputable)
    assert "nothing to share" in result.shares.reason


def test_settings_that_give_every_mean_exactly_show_no_error() -> None:
    scores = np.repeat(np.array([0.2, 0.2, 0.6, 0.6])[:, np.newaxis], 5, axis=1)
    result = computed(explain_labs(crossing(scores), settings(tools="0011")))
    (factor,) = result.factors
    assert isinstance(factor.finding, NotComputable)
    assert "no error is seen" in factor.finding.reason
    assert result.sd_remaining == pytest.approx(0, abs=1e-9)


def test_too_little_data_is_not_computable() -> None:
    one_item = explain_labs(crossing(np.array([[0.1], [0.5], [0.4]])), settings(tools="001"))
    assert isinstance(one_item, NotComputable)
    assert "two items" in one_item.reason


def test_a_lab_without_settings_is_refused() -> None:
    with pytest.raises(StatisticsError, match="no settings for 'lab08'"):
        explain_labs(simulated(0, 0, "001011110", 1), settings(tools="00101111"))
