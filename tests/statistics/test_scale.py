# SPDX-License-Identifier: Apache-2.0
"""What a score can be."""

import math

import numpy as np
import pytest

from countermark.statistics import BINARY, Scale, StatisticsError


def test_rule_1_a_binary_score_is_0_or_1() -> None:
    assert BINARY.check([0, 1, 1]).tolist() == [0, 1, 1]
    with pytest.raises(StatisticsError, match=r"score 0.5 in row 1 is not one of 0, 1"):
        BINARY.check([0, 0.5])


def test_rule_2_an_ordinal_score_is_a_declared_level() -> None:
    scale = Scale.ordinal(1, 2, 5)
    scores = scale.check([5, 1, 2])
    assert scale.level_of(scores).tolist() == [2, 0, 1]
    assert scale.map(scores).tolist() == [1, 0, 0.25]
    assert scale.back(0.25) == 2
    for wrong in (3, 0, 6):
        with pytest.raises(StatisticsError, match="one of 1, 2, 5"):
            scale.check([wrong])


def test_rule_3_a_continuous_score_lies_in_its_range() -> None:
    scale = Scale.continuous(-1, 3)
    assert scale.map(scale.check([-1, 0, 3])).tolist() == [0, 0.25, 1]
    assert scale.width == 4
    for wrong in (-1.01, 3.01):
        with pytest.raises(StatisticsError, match="a number from -1 to 3"):
            scale.check([0, wrong])


@pytest.mark.parametrize("scale", [BINARY, Scale.ordinal(0, 1, 2), Scale.continuous(0, 1)])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_rule_4_no_number_is_no_score(scale: Scale, wrong: float) -> None:
    with pytest.raises(StatisticsError, match="row 2"):
        scale.check([0, 1, wrong])


def test_rule_4_scores_are_a_list_of_numbers() -> None:
    with pytest.raises(StatisticsError, match="not numbers"):
        BINARY.check(["yes"])
    with pytest.raises(StatisticsError, match="no list"):
        BINARY.check(np.zeros((2, 2)))


def test_a_scale_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(StatisticsError, match="two levels"):
        Scale.ordinal(1)
    with pytest.raises(StatisticsError, match="ascending"):
        Scale.ordinal(0, 2, 1, 3)
    with pytest.raises(StatisticsError, match="make no scale"):
        Scale.continuous(1, 1)
    with pytest.raises(StatisticsError, match="make no scale"):
        Scale.continuous(0, math.nan)
    with pytest.raises(StatisticsError, match="no levels"):
        Scale("continuous")
    with pytest.raises(StatisticsError, match="binary score is 0 or 1"):
        Scale("binary", 0, 2, (0, 2))
    with pytest.raises(StatisticsError, match="no kind"):
        Scale("percent")  # type: ignore[arg-type]
    with pytest.raises(StatisticsError, match="lower to its upper"):
        Scale("ordinal", 0, 3, (0, 1, 2))
