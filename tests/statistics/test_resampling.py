# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from countermark.statistics import Interval, NotComputable, Resampling, StatisticsError
from countermark.statistics.resampling import percentile_interval, resample_sums


@pytest.mark.parametrize("count", [np.array([60, 40]), np.ones(100, dtype=np.int64)])
def test_sums_have_the_mean_and_spread_of_units_drawn_with_replacement(count: np.ndarray) -> None:
    value = np.linspace(0, 1, len(count))
    features = np.stack([np.ones(len(count)), value], axis=1)
    sums = resample_sums(count, features, Resampling(1, 4000))
    assert (sums[:, 0] == 100).all()
    mean = count @ value / 100
    deviation = np.sqrt(count @ (value - mean) ** 2)
    assert sums[:, 1].mean() == pytest.approx(100 * mean, abs=4 * deviation / np.sqrt(4000))
    assert sums[:, 1].std() == pytest.approx(deviation, rel=0.05)
    assert (sums == resample_sums(count, features, Resampling(1, 4000))).all()


def test_the_interval_is_that_of_the_percentiles() -> None:
    found = percentile_interval(np.arange(1001.0), 0.9)
    assert isinstance(found, Interval)
    assert (found.lower, found.upper) == pytest.approx((50, 950))


def test_lost_or_equal_replicates_give_no_interval() -> None:
    values = np.arange(100.0)
    values[:2] = np.nan
    assert isinstance(percentile_interval(values, 0.95), Interval)
    values[:3] = np.nan
    for nothing in (values, np.ones(100), np.full(100, np.nan)):
        assert isinstance(percentile_interval(nothing, 0.95), NotComputable)


@pytest.mark.parametrize(("seed", "replicates"), [(-1, 200), (1, 99)])
def test_impossible_resampling_is_refused(seed: int, replicates: int) -> None:
    with pytest.raises(StatisticsError, match="no bootstrap"):
        Resampling(seed, replicates)
