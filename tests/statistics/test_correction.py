# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from scipy import special

from countermark.statistics import (
    Correction,
    Crossing,
    Estimate,
    NotComputable,
    StatisticsError,
    Validity,
    clopper_pearson,
    correct,
    crossed,
    judge,
    zero_event_upper,
)
from countermark.statistics.intervals import exact_lower

GOOD = Validity(true_positive=170, positives=200, true_negative=186, negatives=200, language="sw")
PERFECT = Validity(10**9, 10**9, 10**9, 10**9, "sw")


def grid_of(total: np.ndarray, epochs: int = 2) -> Crossing:
    labs, items = total.shape
    keys = (tuple(f"lab{k}" for k in range(labs)), tuple(f"item{i:04}" for i in range(items)))
    return Crossing(*keys, np.full(total.shape, epochs), total.astype(float), total.astype(float))


def drawn(
    labs: int = 4, items: int = 300, rate: float = 0.1, seed: int = 2, v: Validity = GOOD
) -> Crossing:
    rng = np.random.default_rng(seed)
    true = special.expit(special.logit(rate) + rng.normal(0, 0.2, (labs, 1)) * np.ones(items))
    seen = true * v.true_positive / v.positives + (1 - true) * (1 - v.true_negative / v.negatives)
    return grid_of(rng.binomial(2, seen))


def shared(crossing: Crossing, validity: Validity = GOOD, level: float = 0.95) -> Correction:
    return correct(crossing, dict.fromkeys(crossing.labs, "v1"), {"v1": validity}, "sw", level)


def estimate(result: Estimate | NotComputable) -> Estimate:
    assert isinstance(result, Estimate)
    return result


def test_the_value_is_rogan_and_gladens() -> None:
    crossing = drawn()
    reported = estimate(crossed(crossing, "generalised")).value
    expected = (reported + 0.93 - 1) / (0.85 + 0.93 - 1)
    result = shared(crossing)
    assert estimate(result.generalised).value == pytest.approx(expected)
    assert estimate(result.benchmark).value == pytest.approx(expected)


def test_a_perfect_judge_changes_nothing() -> None:
    crossing = drawn()
    for estimand in ("benchmark", "generalised"):
        plain = estimate(crossed(crossing, estimand))
        corrected = estimate(getattr(shared(crossing, PERFECT), estimand))
        assert corrected.value == pytest.approx(plain.value)
        assert (corrected.lower, corrected.upper) == pytest.approx(
            (plain.lower, plain.upper), abs=1e-4
        )


def test_labs_with_different_judges_are_each_corrected_with_their_own() -> None:
    crossing = drawn(labs=2)
    other = Validity(190, 200, 198, 200, "sw")
    result = correct(crossing, {"lab0": "v1", "lab1": "v2"}, {"v1": GOOD, "v2": other}, "sw")
    means = (crossing.total / crossing.count).mean(axis=1)
    by_hand = [(means[0] - 0.07) / 0.78, (means[1] - 0.01) / 0.94]
    assert estimate(result.benchmark).value == pytest.approx(np.mean(by_hand))
    assert [known.version for known in result.judges] == ["v1", "v2"]


def test_sensitivity_and_specificity_have_exact_intervals() -> None:
    known = judge("v1", GOOD, 0.9)
    assert known.sensitivity == 0.85
    assert known.specificity == 0.93
    assert known.sensitivity_interval == clopper_pearson(170, 200, 0.9)
    assert known.specificity_interval == clopper_pearson(186, 200, 0.9)
    assert known.youden == pytest.approx(0.78)
    assert known.youden_lower == pytest.approx(
        exact_lower(170, 200, 0.975) + exact_lower(186, 200, 0.975) - 1
    )


def test_rule_1_every_version_needs_a_validity() -> None:
    crossing = drawn(labs=2)
    with pytest.raises(StatisticsError, match="lab 'lab1'"):
        correct(crossing, {"lab0": "v1"}, {"v1": GOOD}, "sw")
    with pytest.raises(StatisticsError, match="'v2' has no validity"):
        correct(crossing, {"lab0": "v1", "lab1": "v2"}, {"v1": GOOD}, "sw")


def test_rule_2_a_judge_not_shown_to_tell_events_apart_corrects_nothing() -> None:
    coin = Validity(55, 100, 55, 100, "sw")
    assert coin.youden > 0
    result = shared(drawn(), coin)
    assert isinstance(result.generalised, NotComputable)
    assert "'v1' is not shown" in result.generalised.reason
    assert result.judges[0].youden_lower < 0


def test_rule_3_graded_scores_are_not_corrected() -> None:
    graded = Crossing.from_rows(["a", "a", "b", "b"], ["1", "2", "1", "2"], [0.5, 0.0, 1.0, 0.0])
    result = shared(graded)
    assert isinstance(result.benchmark, NotComputable)
    assert "neither 0 nor 1" in result.benchmark.reason


def test_rule_4_a_faultless_record_is_not_a_faultless_judge() -> None:
    few, many = Validity(20, 20, 20, 20, "sw"), Validity(2000, 2000, 2000, 2000, "sw")
    narrow, wide = (estimate(shared(drawn(), v).generalised) for v in (many, few))
    assert wide.value == narrow.value
    assert wide.judged is not None
    assert wide.judged.judge_se > 0.02
    assert wide.upper > narrow.upper


def test_rule_5_a_shared_judges_error_does_not_average_out() -> None:
    """By the delta method, at the joint rate; the smoothed variances are those of rule 4."""
    crossing = drawn(labs=8)
    result = estimate(shared(crossing).generalised)
    rates = ((crossing.total / crossing.count).mean(axis=1) - 0.07) / 0.78
    se, sp = 170.5 / 201, 186.5 / 201
    variance = (rates.mean() / 0.78) ** 2 * se * (1 - se) / 201
    variance += ((1 - rates).mean() / 0.78) ** 2 * sp * (1 - sp) / 201
    assert result.judged is not None
    assert result.judged.judge_se == pytest.approx(math.sqrt(variance), rel=0.02)


def test_rule_5_judges_of_their_own_are_not_counted_twice() -> None:
    crossing = drawn(labs=6)
    versions = {lab: f"v-{lab}" for lab in crossing.labs}
    own = estimate(
        correct(crossing, versions, dict.fromkeys(versions.values(), GOOD), "sw").benchmark
    )
    common = estimate(shared(crossing).benchmark)
    assert own.judged is not None
    assert common.judged is not None
    assert own.judged.judge_se < 0.5 * common.judged.judge_se
    assert own.se is not None
    assert common.se is not None
    assert own.se < common.se


def test_rule_6_a_negative_correction_is_clipped_to_zero() -> None:
    total = np.zeros((3, 200))
    total[0, :4] = total[1, 2:5] = 1
    result = estimate(shared(grid_of(total)).generalised)
    assert result.value == 0
    assert result.lower == 0
    assert result.upper > 0.005


def test_rule_7_no_event_reported_is_bounded_by_what_the_judge_finds() -> None:
    result = estimate(shared(grid_of(np.zeros((3, 300))), level=0.9).generalised)
    assert (result.method, result.value, result.lower) == ("rogan-gladen-exact", 0, 0)
    by_hand = zero_event_upper(300, 0.975) / exact_lower(170, 200, 0.975)
    assert result.upper == pytest.approx(by_hand)


def test_rule_7_the_worst_judge_in_use_bounds() -> None:
    crossing = grid_of(np.full((2, 300), 2))
    worse = Validity(200, 200, 160, 200, "sw")
    result = correct(crossing, {"lab0": "v1", "lab1": "v2"}, {"v1": GOOD, "v2": worse}, "sw")
    by_hand = 1 - zero_event_upper(300, 0.9875) / exact_lower(160, 200, 0.9875)
    assert estimate(result.generalised).lower == pytest.approx(by_hand)


def test_rule_8_validity_of_another_language_corrects_nothing() -> None:
    crossing = drawn(labs=2)
    french = Validity(170, 200, 186, 200, "fr")
    versions = {"lab0": "v1", "lab1": "v2"}
    result = correct(crossing, versions, {"v1": GOOD, "v2": french}, "sw")
    for refused in (result.benchmark, result.generalised):
        assert isinstance(refused, NotComputable)
        assert "'v2' was compared with labelled answers in fr" in refused.reason
        assert "these scores are in sw" in refused.reason
    again = correct(crossing, versions, {"v1": french, "v2": french}, "fr")
    assert isinstance(again.generalised, Estimate)
    with pytest.raises(StatisticsError, match="Name it"):
        Validity(1, 2, 1, 2, "")


def test_one_lab_can_be_corrected() -> None:
    crossing = drawn(labs=1)
    corrected, plain = (
        estimate(shared(crossing).benchmark),
        estimate(crossed(crossing, "benchmark")),
    )
    assert corrected.upper - corrected.lower > plain.upper - plain.lower
    assert estimate(shared(crossing).generalised).labs == 1


def test_what_cannot_be_crossed_cannot_be_corrected() -> None:
    apart = Crossing.from_rows(["a", "b"], ["1", "2"], [1.0, 0.0])
    assert isinstance(shared(apart).benchmark, NotComputable)
    one_item = shared(grid_of(np.array([[1], [2], [0]])))
    assert isinstance(one_item.generalised, NotComputable)
    alike = shared(grid_of(np.ones((3, 10))))
    assert isinstance(alike.benchmark, NotComputable)


@pytest.mark.parametrize("counts", [(5, 4, 1, 2), (-1, 4, 1, 2), (0, 0, 1, 2)])
def test_impossible_validity_is_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(StatisticsError, match="cannot be right"):
        Validity(*counts, "sw")


def test_coverage_with_a_judge_of_known_quality() -> None:
    """One version shared by four labs; its record is drawn anew in each repetition."""
    rng = np.random.default_rng(77)
    rate, hits, plain = 0.1, [], []
    for _ in range(400):
        item = special.logit(rate) + rng.normal(0, 1.0, (1, 200))
        item = item - special.logit(special.expit(item).mean()) + special.logit(rate)
        true = special.expit(item + rng.normal(0, 0.1, (4, 1)))
        crossing = grid_of(rng.binomial(2, true * 0.85 + (1 - true) * 0.07))
        record = Validity(
            int(rng.binomial(200, 0.85)), 200, int(rng.binomial(200, 0.93)), 200, "sw"
        )
        result = estimate(shared(crossing, record).generalised)
        hits.append(result.lower <= rate <= result.upper)
        uncorrected = estimate(crossed(crossing, "generalised"))
        plain.append(uncorrected.lower <= rate <= uncorrected.upper)
    assert np.mean(hits) > 0.93
    assert np.mean(plain) < 0.5
