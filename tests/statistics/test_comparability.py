# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from countermark.statistics import (
    BINARY,
    Crossing,
    Interval,
    NotComputable,
    Scale,
    StatisticsError,
    coverage,
    lab_rates,
    setting_differences,
    wilson,
    zero_event_upper,
)

COUNT = np.array([[2, 2, 0], [2, 1, 2]])
TOTAL = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 2.0]])
CROSSING = Crossing(("a", "b"), ("i", "j", "k"), COUNT, TOTAL, TOTAL)


def test_rule_1_items_that_a_lab_did_not_score_are_counted() -> None:
    found = coverage(CROSSING)
    assert (found.labs, found.items, found.common, found.missing) == (2, 3, 2, 1)
    assert (found.scores, found.fewest, found.most) == (9, 1, 2)


def test_rule_2_each_labs_own_rate() -> None:
    none, some = lab_rates(CROSSING, BINARY, 0.95)
    assert (none.lab, none.items, none.scores, none.total, none.value) == ("a", 2, 4, 0.0, 0.0)
    assert none.upper_without_events == zero_event_upper(2, 0.95), "items are trials, not epochs"
    assert some.interval == wilson(4, 5, 0.95)
    assert isinstance(some.interval, Interval)
    assert some.upper_without_events is None


def test_rule_2_scores_in_a_range_are_no_trials() -> None:
    one = lab_rates(CROSSING, Scale.continuous(0, 10), 0.95)[0]
    assert isinstance(one.interval, NotComputable)
    assert one.upper_without_events is None


def test_rule_3_settings_that_differ() -> None:
    settings = {"b": {"tool": "x", "sampling": "greedy"}, "a": {"tool": "y", "sampling": "greedy"}}
    (found,) = setting_differences(settings)
    assert found.factor == "tool"
    assert found.values == (("a", "y"), ("b", "x"))
    assert setting_differences({}) == ()


def test_a_lab_without_a_value_is_named() -> None:
    with pytest.raises(StatisticsError, match="Lab 'a' has no value for 'tool'"):
        setting_differences({"a": {}, "b": {"tool": "x"}})
