# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import (
    Costs,
    Estimand,
    Expected,
    HalfWidth,
    NextRun,
    NotComputable,
    Plan,
    Power,
    Question,
    Size,
    StatisticsError,
    Variances,
    expected_interval,
    items_needed,
    items_without_events,
    next_best_run,
    outcome_chances,
    plan,
    wilson,
)

KNOWN = Variances(0.2, lab=0.0008, item=0.03, lab_item=0.002, epoch=0.12)
COSTS = Costs(lab=50, item=2, run=0.1)
GOALS = (HalfWidth(0.09), Power(Question(0.35, "at most", 0.01, 0.05), 0.9))
ESTIMANDS: tuple[Estimand, ...] = ("benchmark", "generalised")


def reached(size: Size, estimand: Estimand, goal: HalfWidth | Power) -> bool:
    if isinstance(goal, HalfWidth):
        found = expected_interval(KNOWN, size, estimand, goal.level)
        assert isinstance(found, Expected)
        return found.half_width <= goal.most
    chances = outcome_chances(KNOWN, size, estimand, goal.question)
    assert not isinstance(chances, NotComputable)
    return chances.decided >= goal.least


@pytest.mark.parametrize("estimand", ESTIMANDS)
@pytest.mark.parametrize("goal", GOALS)
def test_rule_1_the_plan_is_the_least_costly_of_all_designs(
    goal: HalfWidth | Power, estimand: Estimand
) -> None:
    """Against every design within the bounds, one by one."""
    most = Size(5, 70, 2)
    found = plan(KNOWN, estimand, goal, COSTS, most)
    assert isinstance(found, Plan)
    sizes = [
        Size(labs, items, epochs)
        for labs in range(2, most.labs + 1)
        for epochs in range(1, most.epochs + 1)
        for items in range(2, most.items + 1)
    ]
    enough = [size for size in sizes if reached(size, estimand, goal)]
    assert found.size == min(enough, key=COSTS.of)
    assert found.cost == COSTS.of(found.size)
    assert found.expected == expected_interval(KNOWN, found.size, estimand)
    assert (found.chances is None) == isinstance(goal, HalfWidth)


def test_rule_1_what_is_out_of_reach_is_said() -> None:
    found = plan(KNOWN, "generalised", HalfWidth(0.001), COSTS, Size(5, 500, 3))
    assert isinstance(found, NotComputable)
    assert "5 labs, 500 items and 3 epochs" in found.reason
    assert isinstance(plan(KNOWN, "generalised", GOALS[0], COSTS, Size(1, 500)), NotComputable)


def test_rule_1_without_knowledge_of_epochs_one_is_planned() -> None:
    known = Variances(0.2, 0.0008, 0.03, 0.12, 0.0, separable=False)
    found = plan(known, "generalised", HalfWidth(0.09), COSTS, Size(6, 300, 4))
    assert isinstance(found, Plan)
    assert found.size.epochs == 1


def test_rule_2_the_next_run_by_hand() -> None:
    """4 labs, 100 items, 1 epoch; the cost is 50 a lab, 2 an item and 0.1 a run."""
    found = next_best_run(KNOWN, Size(4, 100, 1), COSTS, block=10)
    assert isinstance(found, NextRun)
    saved = {(one.estimand, one.what): (one.saved, one.cost) for one in found.additions}
    lab = 0.0008 / 20 + 0.122 / 100 / 20
    items = 0.122 / 4 * (1 / 100 - 1 / 110)
    epoch = 0.12 / 400 / 2
    assert saved["benchmark", "a lab"] == pytest.approx((lab, 50 + 10))
    assert saved["benchmark", "10 items"] == pytest.approx((items, 20 + 4))
    assert saved["benchmark", "an epoch"] == pytest.approx((epoch, 40))
    assert saved["generalised", "a lab"] == pytest.approx((lab, 60))
    more = items + 0.03 * (1 / 100 - 1 / 110)
    assert saved["generalised", "10 items"] == pytest.approx((more, 24))
    assert found.best("benchmark").what == "an epoch"
    assert found.best("benchmark").worth == pytest.approx(epoch / 40)
    worths = [one.worth for one in found.additions]
    assert worths == sorted(worths, reverse=True)
    assert found.lost is None


def test_rule_2_epochs_that_cannot_be_judged_are_left_out_with_the_reason() -> None:
    known = Variances(0.2, 0.0008, 0.03, 0.12, 0.0, separable=False)
    found = next_best_run(known, Size(4, 100, 1), COSTS)
    assert isinstance(found, NextRun)
    assert {one.what for one in found.additions} == {"a lab", "10 items"}
    assert isinstance(found.lost, NotComputable)
    assert isinstance(next_best_run(known, Size(1, 100, 1), COSTS), NotComputable)
    with pytest.raises(StatisticsError, match="block"):
        next_best_run(known, Size(4, 100, 1), COSTS, block=0)


def test_rule_2_what_costs_nothing_is_worth_most() -> None:
    found = next_best_run(KNOWN, Size(4, 100, 1), Costs(lab=0, item=1, run=0))
    assert isinstance(found, NextRun)
    assert found.best("generalised").worth == math.inf
    assert found.additions[-1].what == "10 items"


@given(half_width=st.floats(0.03, 0.2), labs=st.integers(2, 8), epochs=st.integers(1, 3))
def test_rule_3_one_item_fewer_is_too_few(half_width: float, labs: int, epochs: int) -> None:
    found = items_needed(KNOWN, half_width, labs=labs, epochs=epochs, most=20_000)
    if isinstance(found, NotComputable):
        assert not reached(Size(labs, 20_000, epochs), "generalised", HalfWidth(half_width))
        return
    assert reached(Size(labs, found, epochs), "generalised", HalfWidth(half_width))
    if found > 2:
        fewer = Size(labs, found - 1, epochs)
        assert not reached(fewer, "generalised", HalfWidth(half_width))


def test_rule_3_independent_items_need_what_wilson_says() -> None:
    """At a rate of one half and a half-width of 0.05, with the normal quantile: 381 items."""

    def width(items: int) -> float:
        found = wilson(items / 2, items)
        return (found.upper - found.lower) / 2

    normal = next(items for items in range(2, 1000) if width(items) <= 0.05)
    assert normal == 381
    needed = items_needed(Variances.cautious(), 0.05, labs=3)
    assert isinstance(needed, int)
    assert normal <= needed <= normal + 4  # the t quantile is a little larger


@pytest.mark.parametrize(
    ("limit", "level", "items"),
    [(0.05, 0.95, 59), (0.01, 0.95, 299), (0.001, 0.95, 2995), (0.5, 0.5, 2), (0.9, 0.5, 1)],
)
def test_rule_4_items_that_show_a_rare_event_to_be_rare(
    limit: float, level: float, items: int
) -> None:
    """Of ``(1 - limit)**n < 1 - level``; at (0.5, 0.5) one item only reaches the limit."""
    found = items_without_events(limit, level, rate=0.001)
    assert found.items == items
    assert found.upper == pytest.approx(1 - (1 - level) ** (1 / items), rel=1e-12)
    assert found.upper < limit
    assert found.chance == pytest.approx(0.999**items)


@given(limit=st.floats(0.0005, 0.999), level=st.floats(0.5, 0.999))
def test_rule_4_one_item_fewer_does_not_show_it(limit: float, level: float) -> None:
    found = items_without_events(limit, level)
    assert found.chance == 1
    assert found.upper < limit
    if found.items > 1:
        assert 1 - (1 - level) ** (1 / (found.items - 1)) >= limit - 1e-12


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ((-1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (math.nan, 1.0, 1.0), (math.inf, 1.0, 1.0)):
        with pytest.raises(StatisticsError, match="costs"):
            Costs(*wrong)
    with pytest.raises(StatisticsError, match="half-width"):
        HalfWidth(0.0)
    with pytest.raises(StatisticsError, match="level"):
        Power(Question(0.35, "at most", 0.01, 0.05), 1.0)
    for limit, rate in ((0.0, 0.0), (1.0, 0.0), (0.1, 1.5), (math.nan, 0.0)):
        with pytest.raises(StatisticsError, match="no rates"):
            items_without_events(limit, rate=rate)
