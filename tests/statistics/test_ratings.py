# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from countermark.statistics import Ratings, StatisticsError

NAN: float = float("nan")


def test_patterns_are_counted() -> None:
    table: list[list[float]] = [[1, 0], [0, NAN], [1, 0], [0, NAN], [1, 0]]
    ratings = Ratings.from_table(table, (0, 1))
    assert ratings.pattern.tolist() == [[0, -1], [1, 0]]
    assert ratings.count.tolist() == [2, 3]
    assert (ratings.units, ratings.raters) == (5, 2)
    assert ratings.by_level().tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize(("raters", "levels"), [(3, 3), (14, 5), (70, 2)])
def test_every_way_of_counting_finds_the_same_patterns(raters: int, levels: int) -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(-1, levels, (6, raters))[rng.integers(0, 6, 50)]
    ratings = Ratings.from_table(np.where(codes < 0, NAN, codes), range(levels))
    pattern, count = np.unique(codes, axis=0, return_counts=True)
    assert (ratings.pattern == pattern).all()
    assert (ratings.count == count).all()


def test_rule_1_levels_are_declared_in_order() -> None:
    for levels in ((0,), (1, 0), (0, 0, 1), (0, NAN)):
        with pytest.raises(StatisticsError, match="no levels"):
            Ratings.from_table([[0, 0]], levels)
    assert Ratings.from_table([[0, 0]], (0, 1, 2)).by_level().tolist() == [[2, 0, 0]]


def test_rule_2_a_rating_that_is_no_level_is_refused() -> None:
    for value in (0.5, 7.0, float("inf"), -1.0):
        with pytest.raises(StatisticsError, match="none of the levels"):
            Ratings.from_table([[0.0, 1.0], [0.0, value]], (0, 1))
    with pytest.raises(StatisticsError, match="one row a unit"):
        Ratings.from_table([0, 1], (0, 1))
    for pattern, count in (([[2]], [1]), ([[-2]], [1]), ([[0]], [0]), ([[0.0]], [1])):
        with pytest.raises(StatisticsError, match="number of a level"):
            Ratings((0, 1), np.array(pattern), np.array(count))
    with pytest.raises(StatisticsError, match="one count a pattern"):
        Ratings((0, 1), np.array([[0, 1]]), np.array([1, 2]))


def test_rule_3_the_order_of_units_changes_nothing() -> None:
    table = np.random.default_rng(4).integers(0, 3, (40, 3))
    one, other = (Ratings.from_table(t, (0, 1, 2)) for t in (table, table[::-1]))
    assert (one.pattern == other.pattern).all()
    assert (one.count == other.count).all()
