# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import StatisticsError, agree, significant

FIGURES = st.floats(-1e300, 1e300, allow_nan=False)


def test_eight_digits() -> None:
    assert significant(0.123456789) == 0.12345679
    assert significant(123456789.0) == 123456790.0
    assert significant(2 / 3, digits=3) == 0.667
    assert math.copysign(1, significant(-0.0)) == 1


@given(FIGURES)
def test_rounding_again_changes_nothing_and_stays_close(x: float) -> None:
    once = significant(x)
    assert significant(once) == once
    assert agree(x, once, relative=1e-7, absolute=1e-300)


@given(FIGURES, FIGURES)
def test_agreement_has_no_order(a: float, b: float) -> None:
    assert agree(a, b, 1e-6, 1e-9) == agree(b, a, 1e-6, 1e-9)


def test_each_tolerance_alone_can_admit() -> None:
    assert agree(100.0, 101.0, relative=0.01, absolute=0)
    assert not agree(100.0, 101.1, relative=0.01, absolute=0)
    assert agree(0.0, 1e-9, relative=0.01, absolute=1e-8)
    assert not agree(0.0, 1e-7, relative=0.01, absolute=1e-8)


def test_what_is_no_figure_is_refused() -> None:
    with pytest.raises(StatisticsError, match="figure"):
        significant(math.nan)
    with pytest.raises(StatisticsError, match="digits"):
        significant(1.0, digits=0)
    with pytest.raises(StatisticsError, match="compared"):
        agree(math.inf, math.inf, 0.1, 0.1)
    with pytest.raises(StatisticsError, match="tolerances"):
        agree(1.0, 1.0, -0.1, 0.1)
