# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import StatisticsError, clopper_pearson, wilson, zero_event_upper
from countermark.statistics.intervals import exact_lower, exact_upper


# Golden values were computed with other implementations.
@pytest.mark.parametrize(
    ("trials", "upper"), [(100, 0.0295130496), (300, 0.00993608194), (1000, 0.00299124955)]
)
def test_zero_events(trials: int, upper: float) -> None:
    assert zero_event_upper(trials) == pytest.approx(upper, rel=1e-8)
    assert exact_upper(0, trials, 0.95) == pytest.approx(upper, rel=1e-8)


def test_clopper_pearson_golden() -> None:
    interval = clopper_pearson(5, 100)
    assert interval.lower == pytest.approx(0.016431879, abs=1e-9)
    assert interval.upper == pytest.approx(0.112834911, abs=1e-9)


@pytest.mark.parametrize(
    ("events", "trials", "lower", "upper"),
    [(5, 100, 0.021543679, 0.111750469), (81, 263, 0.255288520, 0.366209577)],
)
def test_wilson_golden(events: int, trials: int, lower: float, upper: float) -> None:
    interval = wilson(events, trials)
    assert interval.lower == pytest.approx(lower, abs=1e-9)
    assert interval.upper == pytest.approx(upper, abs=1e-9)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_bounds_mirror_and_contain_the_rate(count: tuple[int, int]) -> None:
    events, trials = count
    for interval in (clopper_pearson, wilson):
        one, mirror = interval(events, trials), interval(trials - events, trials)
        assert 0 <= one.lower <= events / trials + 1e-12
        assert events / trials - 1e-12 <= one.upper <= 1
        assert one.lower == pytest.approx(1 - mirror.upper, abs=1e-9)
    assert exact_lower(0, trials, 0.9) == 0
    assert exact_upper(trials, trials, 0.9) == 1


@pytest.mark.parametrize(("events", "trials"), [(-1, 5), (6, 5), (0, 0), (0, float("nan"))])
def test_what_is_no_count_is_refused(events: float, trials: float) -> None:
    for interval in (clopper_pearson, wilson):
        with pytest.raises(StatisticsError, match="not a count"):
            interval(events, trials)


@pytest.mark.parametrize("level", [0, 1, 95, float("nan")])
def test_what_is_no_level_is_refused(level: float) -> None:
    with pytest.raises(StatisticsError, match="confidence level"):
        wilson(1, 2, level)
