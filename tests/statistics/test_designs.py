# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import (
    Assumed,
    Chances,
    Direction,
    Estimand,
    Expected,
    NotComputable,
    Question,
    Size,
    StatisticsError,
    Variances,
    expected_interval,
    mean_variance,
    outcome_chances,
    simulate_power,
)
from countermark.statistics.designs import fewest_items

KNOWN = Variances(0.2, lab=0.0008, item=0.03, lab_item=0.002, epoch=0.12)
ESTIMANDS: tuple[Estimand, ...] = ("benchmark", "generalised")


def interval(known: Variances, size: Size, estimand: Estimand) -> Expected:
    found = expected_interval(known, size, estimand)
    assert isinstance(found, Expected)
    return found


def odds(known: Variances, size: Size, estimand: Estimand, question: Question) -> Chances:
    found = outcome_chances(known, size, estimand, question)
    assert isinstance(found, Chances)
    return found


def test_the_variance_of_a_mean_by_hand() -> None:
    """4 labs, 100 items, 2 epochs: 0.0002 + 0.0003 + 0.000005 + 0.00015."""
    assert mean_variance(KNOWN, Size(4, 100, 2), "generalised") == pytest.approx(0.000655)
    assert mean_variance(KNOWN, Size(4, 100, 2), "benchmark") == pytest.approx(0.000355)


def test_rule_1_one_lab_and_one_item_make_no_design() -> None:
    for size, why in ((Size(1, 100), "One lab"), (Size(3, 1), "One item")):
        for found in (
            mean_variance(KNOWN, size, "generalised"),
            expected_interval(KNOWN, size, "generalised"),
            outcome_chances(KNOWN, size, "benchmark", Question(0.3, "at most", 0.01, 0.05)),
        ):
            assert isinstance(found, NotComputable)
            assert why in found.reason


DESIGNS = [
    (Size(3, 100, 1), Assumed(0.3, 0.3, 1.2, 0.3), 0.45),
    (Size(3, 200, 2), Assumed(0.15, 0.0, 1.2, 0.3), 0.2),
    (Size(6, 100, 2), Assumed(0.2, 0.2, 1.2, 0.3), 0.27),
    (Size(10, 50, 1), Assumed(0.5, 0.1, 1.2, 0.3), 0.68),
]


@pytest.mark.parametrize("estimand", ESTIMANDS)
@pytest.mark.parametrize(("size", "assumed", "limit"), DESIGNS)
def test_rules_2_and_3_the_formulas_agree_with_the_simulated_analysis(
    size: Size, assumed: Assumed, limit: float, estimand: Estimand
) -> None:
    """Within three standard errors of 600 exercises, plus 2 % of the half-width or 0.03.

    The relative error of one half-width is about that of a chi variable, ``1 / sqrt(2 * df)``.
    """
    exercises = 600
    question = Question(limit, "at most", 0.01, 0.05)
    found = simulate_power(assumed, size, estimand, question, exercises=exercises, seed=5)
    width = interval(assumed.variances, size, estimand).half_width
    noise = 3 / math.sqrt(2 * (size.labs - 1) * exercises)
    assert found.half_width == pytest.approx(width, rel=noise + 0.02)
    chance = odds(assumed.variances, size, estimand, question)
    error = math.sqrt(max(chance.decided * (1 - chance.decided), 0.01) / exercises)
    assert found.chances.decided == pytest.approx(chance.decided, abs=3 * error + 0.03)


def test_rule_2_three_labs_pay_for_their_few_degrees_of_freedom() -> None:
    """The benchmark half-width over its standard error: above 2 for 12 labs, above 3 for 3."""
    few, many = (interval(KNOWN, Size(labs, 400, 2), "benchmark") for labs in (3, 12))
    assert few.half_width / few.se > 3
    assert 1.9 < many.half_width / many.se < 2.4


@given(
    labs=st.integers(2, 12), items=st.integers(10, 500), epochs=st.integers(1, 4),
    # limits whose mirror image is not rounded away
    limit=st.integers(0, 1024).map(lambda part: part / 1024), guard=st.floats(0, 0.2),
    direction=st.sampled_from(["at most", "at least"]), estimand=st.sampled_from(ESTIMANDS),
)  # fmt: skip
def test_rule_3_chances_are_chances_and_mirror_images(
    labs: int, items: int, epochs: int, limit: float, guard: float,
    direction: Direction, estimand: Estimand,
) -> None:  # fmt: skip
    size = Size(labs, items, epochs)
    found = odds(KNOWN, size, estimand, Question(limit, direction, 0.01, 0.05, guard))
    assert 0 <= found.below <= 1
    assert 0 <= found.exceeds <= 1
    assert found.below + found.exceeds + found.undetermined == pytest.approx(1)
    other: Direction = "at least" if direction == "at most" else "at most"
    turned = Variances(1 - KNOWN.rate, KNOWN.lab, KNOWN.item, KNOWN.lab_item, KNOWN.epoch)
    mirror = odds(turned, size, estimand, Question(1 - limit, other, 0.01, 0.05, guard))
    assert mirror.below == pytest.approx(found.exceeds, abs=1e-6)
    assert mirror.exceeds == pytest.approx(found.below, abs=1e-6)


def test_rule_3_at_the_limit_a_decision_is_an_error_and_as_rare_as_its_budget() -> None:
    found = odds(KNOWN, Size(20, 2000, 2), "generalised", Question(0.2, "at most", 0.01, 0.05))
    assert found.below == pytest.approx(0.01, abs=0.004)
    assert found.exceeds == pytest.approx(0.05, abs=0.01)


def test_rule_4_what_one_epoch_did_not_tell_is_not_planned_with() -> None:
    known = Variances(0.2, 0.001, 0.03, 0.12, 0.0, separable=False)
    assert isinstance(expected_interval(known, Size(3, 50, 1), "generalised"), Expected)
    found = expected_interval(known, Size(3, 50, 2), "generalised")
    assert isinstance(found, NotComputable)
    assert "second" in found.reason


def test_power_is_simulated_the_same_for_the_same_seed() -> None:
    def run(seed: int) -> object:
        question = Question(0.4, "at most", 0.01, 0.05)
        return simulate_power(
            Assumed(0.3, 0.2, 1.0), Size(3, 30), "generalised", question, exercises=100, seed=seed
        )

    assert run(4) == run(4)
    assert run(4) != run(5)


def test_settings_that_make_no_sense_are_refused() -> None:
    question = Question(0.4, "at most", 0.01, 0.05)
    with pytest.raises(StatisticsError, match="no design"):
        Size(3, 0)
    with pytest.raises(StatisticsError, match="error budget"):
        Question(0.4, "at most", 0.0, 0.05)
    with pytest.raises(StatisticsError, match="level"):
        expected_interval(KNOWN, Size(3, 30), "benchmark", level=1.0)
    for exercises, seed in ((99, 1), (100, -1)):
        with pytest.raises(StatisticsError, match="show nothing"):
            simulate_power(
                Assumed(0.3, 0.2, 1.0), Size(3, 30), "benchmark", question,
                exercises=exercises, seed=seed,
            )  # fmt: skip


@given(
    st.tuples(*[st.floats(0, 0.2)] * 3).filter(any),
    st.integers(2, 12),
    st.sampled_from(["benchmark", "generalised"]),
    st.floats(1e-5, 0.05),
)
def test_the_fewest_items_stay_below_a_variance_and_one_fewer_does_not(
    parts: tuple[float, float, float], labs: int, estimand: Estimand, most: float
) -> None:
    known = Variances(0.3, *parts, 0.01)
    items = fewest_items(known, labs, estimand, most)
    if items is None:
        variance = mean_variance(known, Size(labs, 10**9), estimand)
        assert not isinstance(variance, NotComputable)
        assert variance >= most * (1 - 1e-6)
        return
    variances = [mean_variance(known, Size(labs, many), estimand) for many in (items, items - 1)]
    assert not isinstance(variances[0], NotComputable)
    assert variances[0] < most * (1 + 1e-9)
    assert items == 2 or (
        not isinstance(variances[1], NotComputable) and variances[1] >= most * (1 - 1e-9)
    )


def test_one_lab_is_no_design_of_few_items() -> None:
    assert fewest_items(KNOWN, 1, "benchmark", 0.1) is None
