# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import NotComputable, RobustMean, StatisticsError, algorithm_a

GOLDEN = json.loads((Path(__file__).parents[1] / "oracles" / "robust.json").read_text("utf-8"))
VALUES = st.lists(
    st.integers(-(10**6), 10**6).map(lambda n: n / 1000), min_size=3, max_size=12, unique=True
)


def robust(values: list[float]) -> RobustMean:
    result = algorithm_a(values)
    assert isinstance(result, RobustMean)
    return result


def test_golden_value() -> None:
    result = robust(GOLDEN["values"])
    assert result.value == pytest.approx(GOLDEN["location"], abs=GOLDEN["tolerance"])
    assert result.deviation == pytest.approx(GOLDEN["scale"], abs=GOLDEN["tolerance"])
    assert result.pulled_in == (5,)


@given(VALUES)
def test_rule_1_one_more_round_changes_nothing(values: list[float]) -> None:
    """The equations of the standard hold at what is returned."""
    result = robust(values)
    reach = 1.5 * result.deviation
    pulled = np.clip(values, result.value - reach, result.value + reach)
    assert pulled.mean() == pytest.approx(result.value, abs=1e-9 * result.deviation + 1e-12)
    assert 1.134 * pulled.std(ddof=1) == pytest.approx(result.deviation, rel=1e-9)


def test_rule_2_standard_uncertainty() -> None:
    result = robust(GOLDEN["values"])
    assert result.se == pytest.approx(1.25 * result.deviation / np.sqrt(8))


def test_rule_3_more_than_half_equal_says_nothing_of_spread() -> None:
    for values in ([0.0, 0, 0, 1], [2.0, 2, 2], [0.1, 0.1, 0.1, 0.2, 0.9]):
        assert isinstance(algorithm_a(values), NotComputable)
    robust([0.0, 0, 1, 1])


@given(VALUES, st.randoms(use_true_random=False))
def test_rule_4_order_changes_nothing(values: list[float], random: object) -> None:
    mixed = list(values)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = robust(values), robust(mixed)
    assert (one.value, one.deviation, one.rounds) == (other.value, other.deviation, other.rounds)
    outlying = {values[place] for place in one.pulled_in}
    assert outlying == {mixed[place] for place in other.pulled_in}


@given(VALUES, st.floats(0.01, 100), st.floats(-100, 100))
def test_it_follows_the_unit_and_the_origin(
    values: list[float], unit: float, origin: float
) -> None:
    one = robust(values)
    other = robust([origin + unit * value for value in values])
    scale = unit * (abs(one.value) + one.deviation) + abs(origin)
    assert other.value == pytest.approx(origin + unit * one.value, abs=1e-9 * scale)
    assert other.deviation == pytest.approx(unit * one.deviation, rel=1e-7)


def test_an_outlying_lab_moves_it_less_than_the_mean() -> None:
    fair = [0.2, 0.22, 0.19, 0.21, 0.2]
    assert abs(robust([*fair, 0.9]).value - robust(fair).value) < 0.02
    assert robust([*fair, 0.9]).value == pytest.approx(robust([*fair, 0.5]).value)


def test_bad_input() -> None:
    for bad in ([0.1, float("nan"), 0.2], [[0.1, 0.2, 0.3]], [0.1, float("inf"), 0.3]):
        with pytest.raises(StatisticsError, match="finite numbers"):
            algorithm_a(bad)
    assert isinstance(algorithm_a([0.1, 0.2]), NotComputable)
    assert isinstance(algorithm_a([]), NotComputable)
