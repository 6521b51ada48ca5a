# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import Crossing, StatisticsError

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["gb", "jp", "sg"]),
        st.sampled_from(["a", "b", "c", "d"]),
        st.floats(0, 1, allow_nan=False),
    ),
    min_size=1,
    max_size=40,
)


def from_rows(rows: list[tuple[str, str, float]]) -> Crossing:
    lab, item, score = zip(*rows, strict=True)
    return Crossing.from_rows(lab, item, score)


def test_sums_are_those_of_the_rows() -> None:
    crossing = from_rows([("jp", "b", 1.0), ("gb", "a", 0.5), ("gb", "a", 1.0), ("gb", "b", 0.0)])
    assert crossing.labs == ("gb", "jp")
    assert crossing.items == ("a", "b")
    assert crossing.count.tolist() == [[2, 1], [0, 1]]
    assert crossing.total.tolist() == [[1.5, 0.0], [0.0, 1.0]]
    assert crossing.square.tolist() == [[1.25, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.01, 1.01])
def test_rule_1_scores_are_finite_and_from_0_to_1(score: float) -> None:
    with pytest.raises(StatisticsError, match="'q7' at lab 'gb'"):
        from_rows([("gb", "q6", 1.0), ("gb", "q7", score)])


@given(rows=ROWS, data=st.data())
def test_rule_2_the_order_of_rows_changes_no_bit(
    rows: list[tuple[str, str, float]], data: st.DataObject
) -> None:
    one, other = from_rows(rows), from_rows(data.draw(st.permutations(rows)))
    assert one.total.tobytes() == other.total.tobytes()
    assert one.square.tobytes() == other.square.tobytes()
    assert one.count.tobytes() == other.count.tobytes()


def test_rule_3_labs_and_items_are_put_in_order() -> None:
    crossing = Crossing(("z", "a"), ("2", "1"), np.array([[1, 2], [3, 4]]), np.eye(2), np.eye(2))
    assert (crossing.labs, crossing.items) == (("a", "z"), ("1", "2"))
    assert crossing.count.tolist() == [[4, 3], [2, 1]]


@pytest.mark.parametrize(
    ("count", "total", "square"),
    [(-1, 0.0, 0.0), (1, 2.0, 1.0), (2, 1.0, 1.5), (2, 2.0, 1.0), (1, np.nan, 0.0), (0, 1.0, 1.0)],
)
def test_rule_4_impossible_sums_are_refused(count: int, total: float, square: float) -> None:
    with pytest.raises(StatisticsError, match="cell of the crossing"):
        Crossing(("a",), ("1",), np.array([[count]]), np.array([[total]]), np.array([[square]]))


def test_keys_are_unique_and_shapes_fit() -> None:
    zero = np.zeros((2, 1))
    with pytest.raises(StatisticsError, match="labs have the same key"):
        Crossing(("a", "a"), ("1",), zero.astype(int), zero, zero)
    with pytest.raises(StatisticsError, match="shape"):
        Crossing(("a",), ("1",), zero.astype(int), zero, zero)
    with pytest.raises(StatisticsError, match="whole numbers"):
        Crossing(("a", "b"), ("1",), zero, zero, zero)  # type: ignore[arg-type]
    with pytest.raises(StatisticsError, match="2 labs, 1 items"):
        Crossing.from_rows(["a", "b"], ["1"], [1.0])


def test_a_grid_cannot_be_changed() -> None:
    crossing = from_rows([("gb", "a", 1.0)])
    with pytest.raises(ValueError, match="read-only"):
        crossing.total[0, 0] = 0.5


def test_complete_names_what_it_drops() -> None:
    crossing = from_rows([("gb", "a", 1.0), ("gb", "b", 0.0), ("jp", "b", 1.0), ("jp", "c", 1.0)])
    whole, dropped = crossing.complete()
    assert whole.items == ("b",)
    assert dropped == ("a", "c")
    assert whole.labs == ("gb", "jp")


def test_items_that_only_the_absent_lab_lacked_come_back() -> None:
    crossing = from_rows(
        [("gb", "a", 1.0), ("jp", "a", 1.0), ("gb", "b", 0.0), ("jp", "b", 0.0), ("sg", "a", 1.0)]
    )
    assert crossing.complete()[1] == ("b",)
    assert crossing.without_lab("sg").complete()[1] == ()
    assert crossing.without_lab("gb").select(["sg"]).items == ("a",)


def test_selecting_what_is_not_there_is_refused() -> None:
    crossing = from_rows([("gb", "a", 1.0)])
    with pytest.raises(StatisticsError, match="'fr'"):
        crossing.select(["fr"])
    with pytest.raises(StatisticsError, match="No lab at all"):
        crossing.select([])
    with pytest.raises(StatisticsError, match="left out"):
        crossing.without_lab("gb")
