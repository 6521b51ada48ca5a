# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import Counts, Estimate, Judged, StatisticsError, bound, wilson
from countermark.statistics.estimate import end


def effective(value: float, se: float, df: float, level: float = 0.95) -> Estimate:
    side = (1 + level) / 2
    return Estimate(
        estimand="generalised",
        value=value,
        se=se,
        df=df,
        lower=end(value, side, "lower", se=se, df=df),
        upper=end(value, side, "upper", se=se, df=df),
        level=level,
        method="crossed",
        shape="effective",
        counts=None,
        judged=None,
        labs=3,
        items=100,
        items_dropped=0,
        components=None,
    )


def test_with_many_degrees_of_freedom_it_is_wilsons_interval() -> None:
    n = 263
    rate = 81 / n
    result = effective(rate, (rate * (1 - rate) / n) ** 0.5, 1e9)
    assert result.effective_sample_size == pytest.approx(n)
    assert (result.lower, result.upper) == pytest.approx(
        (wilson(81, n).lower, wilson(81, n).upper), abs=1e-7
    )


@given(
    value=st.floats(1e-6, 1 - 1e-6),
    se=st.floats(1e-6, 0.5),
    df=st.floats(1, 1e4),
    levels=st.tuples(st.floats(0.5, 0.999), st.floats(0.5, 0.999)),
)
def test_bounds_widen_with_confidence_and_stay_in_range(
    value: float, se: float, df: float, levels: tuple[float, float]
) -> None:
    result = effective(value, se, df)
    low, high = sorted(levels)
    for side, sign in (("lower", -1), ("upper", 1)):
        near, far = bound(result, low, side), bound(result, high, side)  # type: ignore[arg-type]
        assert 0 <= far <= 1
        assert sign * (far - near) >= -1e-12
        assert sign * (near - value) >= -1e-12


def test_the_interval_is_made_of_two_bounds() -> None:
    result = effective(0.2, 0.05, 4)
    assert result.lower == bound(result, 0.975, "lower")
    assert result.upper == bound(result, 0.975, "upper")


def test_an_interval_that_its_own_figures_do_not_give_is_refused() -> None:
    result = effective(0.2, 0.05, 4)
    with pytest.raises(StatisticsError, match="upper end"):
        replace(result, upper=0.3)
    with pytest.raises(StatisticsError, match="impossible"):
        replace(result, value=0.9)
    with pytest.raises(StatisticsError, match="standard error"):
        replace(result, se=0.0)
    with pytest.raises(StatisticsError, match="standard error"):
        replace(result, df=None)


def test_figures_that_give_no_bound_are_refused() -> None:
    with pytest.raises(StatisticsError, match="makes no sense"):
        bound(effective(0.2, 0.05, 4), 0.05, "upper")
    with pytest.raises(StatisticsError, match="effective sample size"):
        end(0.0, 0.95, "upper", se=0.1, df=3)
    with pytest.raises(StatisticsError, match="0 or 1 only"):
        end(0.5, 0.95, "upper", counts=Counts(5, 10, 9, 10))


def test_a_perfectly_known_judge_leaves_the_effective_bound() -> None:
    judged = Judged(
        reported=0.2, slope=1.0, sampling_se=0.05, sampling_df=4, judge_se=0.0, judge_df=100
    )
    for side in ("lower", "upper"):
        plain = end(0.2, 0.95, side, se=0.05, df=4)
        assert end(0.2, 0.95, side, judged=judged) == pytest.approx(plain)
