# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.statistics import StatisticsError, anytime, confidence_sequence, wilson

SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1), min_size=1, max_size=25)


def slow_capital(x: list[float], m: float, alpha: float, population: int | None) -> float:
    """Capital at one candidate mean, by the formulas of the paper, one score after another."""
    capital, before, deviations, variance = 1.0, 0.0, 0.0, 0.25
    for i, score in enumerate(x, start=1):
        here = m if population is None else (population * m - before) / (population - i + 1)
        if here < 0:
            return math.inf  # what is left would have to be negative
        bet = math.sqrt(2 * math.log(1 / alpha) / (variance * i * math.log(i + 1)))
        capital *= 1 + min(bet, 0.5 / here if here else math.inf) * (score - here)
        before += score
        mean = (0.5 + before) / (i + 1)
        deviations += (score - mean) ** 2
        variance = (0.25 + deviations) / (i + 1)
    return capital


def slow_lower(x: list[float], alpha: float, population: int | None) -> list[float]:
    ends, end = [], 0.0
    for t in range(1, len(x) + 1):
        seen = x[:t]
        if population is not None:
            end = max(end, sum(seen) / population)
        low, high = end, 1.0
        if slow_capital(seen, low, alpha, population) >= 1 / alpha:
            for _ in range(50):
                middle = (low + high) / 2
                excluded = slow_capital(seen, middle, alpha, population) >= 1 / alpha
                low, high = (middle, high) if excluded else (low, middle)
            end = low
        ends.append(end)
    return ends


@settings(max_examples=60, deadline=None)
@given(x=SCORES, more=st.none() | st.integers(0, 30), level=st.floats(0.3, 0.99))
def test_rules_2_and_5_the_ends_are_those_of_a_slow_account_of_the_game(
    x: list[float], more: int | None, level: float
) -> None:
    population = None if more is None else len(x) + more
    found = confidence_sequence(x, level, population)
    alpha = (1 - level) / 2
    lower = slow_lower(x, alpha, population)
    upper = [1 - end for end in slow_lower([1 - score for score in x], alpha, population)]
    assert found.lower == pytest.approx(np.array(lower), abs=2e-9)
    assert found.upper == pytest.approx(np.array(upper), abs=2e-9)


def test_rule_5_the_first_steps_by_hand() -> None:
    """Level 0.2, so alpha is 0.4 a side and the capital must reach 2.5.

    The bets are 3.25 and 2.31, and from m = 0.22 up both are capped. After a score of 1 the capital
    is 1/2 + 1/(2 m), which is 2.5 at 1/4; a second score of 1 squares it.
    """
    found = confidence_sequence([1.0, 1.0, 0.0], 0.2)
    second = 0.5 / (math.sqrt(2.5) - 0.5)
    assert found.lower == pytest.approx(np.array([0.25, second, second]), abs=1e-9)
    assert found.upper[:2].tolist() == [1.0, 1.0]
    # Two of four items: m[2] = (4 m - 1) / 3, and the capital is 2.5 where 36 m**2 = 16 m + 2.
    drawn = confidence_sequence([1.0, 1.0], 0.2, population=4)
    assert drawn.lower == pytest.approx(np.array([0.25, (16 + math.sqrt(544)) / 72]), abs=1e-9)
    # At 95 % the first bet, 6.5, is too small to exclude anything; what was seen still counts.
    assert confidence_sequence([1.0]).lower.tolist() == [0.0]
    assert confidence_sequence([1.0], population=4).lower.tolist() == [0.25]


@given(x=SCORES)
def test_rule_2_all_items_seen_leave_only_their_mean(x: list[float]) -> None:
    found = confidence_sequence(x, 0.9999999, population=len(x))
    assert found.lower[-1] == pytest.approx(np.mean(x), abs=1e-9)
    assert found.upper[-1] == pytest.approx(np.mean(x), abs=1e-9)


def test_rule_2_nothing_unseen_is_below_0_or_above_1() -> None:
    x = [0.0] * 40 + [1.0] * 10
    found = confidence_sequence(x, population=60)
    assert (found.lower >= np.cumsum(x) / 60 - 1e-12).all()
    assert (found.upper <= 1 - np.cumsum(1 - np.array(x)) / 60 + 1e-12).all()


def test_rule_3_what_is_covered_is_said() -> None:
    drawn = confidence_sequence([0.0, 1.0], population=9)
    assert "these 9 items" in drawn.covers
    assert "population of items" in confidence_sequence([0.0, 1.0]).covers
    for said in (drawn.covers, anytime([0.5], 0.5, "at most", 0.1, 0.1).covers):
        assert "one lab" in said
        assert "drawn at random before the run" in said
        assert "Differences between labs are not in it" in said


@given(x=SCORES, more=st.none() | st.integers(0, 30), level=st.floats(0.5, 0.99))
def test_rule_4_bounds_never_widen_nor_leave_0_to_1(
    x: list[float], more: int | None, level: float
) -> None:
    found = confidence_sequence(x, level, None if more is None else len(x) + more)
    assert (np.diff(found.lower) >= 0).all()
    assert (np.diff(found.upper) <= 1e-9).all()
    assert found.lower.min() >= 0
    assert found.upper.max() <= 1
    whole = confidence_sequence(x, level, None if more is None else len(x) + more)
    assert whole.lower.tobytes() == found.lower.tobytes()


@given(x=SCORES, more=st.none() | st.integers(0, 30))
def test_the_future_changes_nothing_that_was_said(x: list[float], more: int | None) -> None:
    population = None if more is None else len(x) + more
    cut = (len(x) + 1) // 2
    early, late = (confidence_sequence(part, 0.9, population) for part in (x[:cut], x))
    assert late.lower[:cut] == pytest.approx(early.lower, abs=1e-12)
    assert late.upper[:cut] == pytest.approx(early.upper, abs=1e-9)


@pytest.mark.parametrize("population", [None, 200])
@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_the_truth_is_inside_at_all_times_as_often_as_promised(
    rate: float, population: int | None
) -> None:
    """The 95 % Wilson interval, looked at after every score, fails far more often."""
    rng = np.random.default_rng(7)
    reps, n = 120, 150
    missed = fooled = 0
    for _ in range(reps):
        all_items = (rng.random(population or n) < rate).astype(float)
        truth = rate if population is None else float(all_items.mean())
        x = rng.permutation(all_items)[:n]
        found = confidence_sequence(x, 0.9, population)
        missed += bool(((found.lower > truth + 1e-9) | (found.upper < truth - 1e-9)).any())
        looks = (wilson(x[:t].sum(), t, 0.9) for t in range(1, n + 1))
        fooled += any(not look.lower <= truth <= look.upper for look in looks)
    assert missed / reps <= 0.1
    assert fooled / reps > 0.15


def test_the_sequence_narrows_to_the_mean() -> None:
    x = (np.random.default_rng(3).random(3000) < 0.2).astype(float)
    found = confidence_sequence(x)
    assert found.lower[-1] < 0.2 < found.upper[-1]
    assert found.upper[-1] - found.lower[-1] < 0.06
    assert found.crossed_at is None


def test_rule_6_an_order_that_was_not_random_leaves_no_mean() -> None:
    found = confidence_sequence([1.0] * 200 + [0.0] * 2000)
    assert found.crossed_at is not None
    assert 200 < found.crossed_at < 2200
    at = found.crossed_at - 1
    assert found.lower[at] > found.upper[at]
    assert found.lower[at - 1] <= found.upper[at - 1]


@settings(deadline=None)
@given(x=SCORES, limit=st.floats(0, 1), guard=st.floats(0, 0.2), at_most=st.booleans())
def test_rule_7_the_first_bound_on_one_side_decides(
    x: list[float], limit: float, guard: float, at_most: bool
) -> None:
    direction = "at most" if at_most else "at least"
    found = anytime(x, limit, direction, 0.3, 0.4, guard=guard)  # type: ignore[arg-type]
    miss, false = confidence_sequence(x, 0.4), confidence_sequence(x, 0.2)  # 0.3 and 0.4 a side
    upper, lower = (miss.upper, false.lower) if at_most else (false.upper, miss.lower)
    expected: tuple[str, int | None] = ("undetermined", None)
    for t in range(len(x)):
        if upper[t] < (limit - guard if at_most else limit):
            expected = ("below", t + 1)
        elif lower[t] > (limit if at_most else limit + guard):
            expected = ("exceeds", t + 1)
        if expected[1]:
            break
    assert (found.outcome, found.decided_at) == expected
    last = (found.decided_at or len(x)) - 1
    assert (found.lower, found.upper) == (lower[last], upper[last])
    assert found.seen == len(x)


def test_rule_7_what_was_decided_first_stands() -> None:
    found = anytime([0.0] * 200 + [1.0] * 800, 0.1, "at most", 0.01, 0.05)
    assert found.outcome == "below"
    assert found.decided_at is not None
    assert found.decided_at < 200
    assert found.seen == 1000


def test_rule_7_no_event_decides_when_the_capped_bets_reach_the_goal() -> None:
    """Each score of 0 multiplies the capital at the limit 0.05 by 1 + 0.5 * 0.05 / 0.95."""
    steps = math.ceil(math.log(20) / math.log(1 + 0.5 * 0.05 / 0.95))
    found = anytime([0.0] * 300, 0.05, "at most", 0.05, 0.05)
    assert (found.outcome, found.decided_at) == ("below", steps)


@pytest.mark.parametrize(
    ("scores", "population", "level"),
    [
        ([], None, 0.95),
        ([[0.5]], None, 0.95),
        ([0.5, 1.2], None, 0.95),
        ([0.5, float("nan")], None, 0.95),
        ([0.5, 0.5], 1, 0.95),
        ([0.5], None, 1.0),
    ],
)
def test_input_that_makes_no_sense_is_refused(
    scores: list[float], population: int | None, level: float
) -> None:
    with pytest.raises(StatisticsError):
        confidence_sequence(scores, level, population)


def test_rule_1_a_score_outside_0_to_1_is_named() -> None:
    with pytest.raises(StatisticsError, match=r"Score number 2 is 1\.2"):
        anytime([0.5, 1.2], 0.5, "at most", 0.05, 0.05)
    with pytest.raises(StatisticsError, match="direction"):
        anytime([0.5], 0.5, "under", 0.05, 0.05)  # type: ignore[arg-type]
