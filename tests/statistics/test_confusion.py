# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import numpy as np
import pytest

from countermark.statistics import (
    Confusion,
    NotComputable,
    Share,
    StatisticsError,
    Validity,
    clopper_pearson,
    confusion,
)

NAN = float("nan")


def one(judge: Sequence[float], human: Sequence[float], tag: str = "sw") -> Confusion:
    (found,) = confusion(judge, human, [tag] * len(judge))
    assert isinstance(found, Confusion)
    return found


def test_figures_by_hand() -> None:
    found = one([1] * 8 + [0] * 2 + [1] * 3 + [0] * 27, [1] * 10 + [0] * 30)
    assert found.table == ((27, 3), (2, 8))
    event = found.by_level[1]
    assert event.prevalence == Share(10, 40, 0.25, clopper_pearson(10, 40))
    assert event.sensitivity == Share(8, 10, 0.8, clopper_pearson(8, 10))
    assert event.specificity == Share(27, 30, 0.9, clopper_pearson(27, 30))
    assert found.by_level[0].sensitivity == event.specificity
    assert found.discrepancy == Share(5, 40, 0.125, clopper_pearson(5, 40))
    assert found.validity == Validity(8, 10, 27, 30, "sw")


def test_rule_1_languages_are_never_pooled() -> None:
    judge, human = [1, 0, 1, 1, 0, 0], [1, 0, 1, 0, 1, 0]
    found = confusion(judge, human, ["fr", "fr", "fr", "sw", "sw", "sw"])
    assert [table.language for table in found if isinstance(table, Confusion)] == ["fr", "sw"]
    assert found == (one([1, 0, 1], [1, 0, 1], "fr"), one([1, 0, 0], [0, 1, 0]))


def test_rule_2_unread_answers_are_counted_apart() -> None:
    found = one([1, NAN, 0, NAN], [1, 1, 0, 0])
    assert (found.unread, found.discrepancy.of) == (2, 2)
    (nothing,) = confusion([NAN], [1], ["ja"])
    assert isinstance(nothing, NotComputable)
    assert "ja" in nothing.reason


def test_rule_3_undeclared_levels_are_refused() -> None:
    for judge, human in (([2.0], [1.0]), ([1.0], [0.5]), ([1.0], [NAN])):
        with pytest.raises(StatisticsError, match="none of the levels"):
            confusion(judge, human, ["sw"])
    with pytest.raises(StatisticsError, match="one of each"):
        confusion([1], [1, 0], ["sw"])
    for levels in ((0.0,), (1.0, 0.0)):
        with pytest.raises(StatisticsError, match="no levels"):
            confusion([1], [1], ["sw"], levels)


def test_rule_4_intervals_take_the_level() -> None:
    (found,) = confusion([1, 0, 1], [1, 0, 0], ["sw"] * 3, level=0.8)
    assert isinstance(found, Confusion)
    assert found.discrepancy.interval == clopper_pearson(1, 3, 0.8)


def test_rule_5_several_levels_each_have_their_own() -> None:
    rng = np.random.default_rng(1)
    human = rng.integers(0, 3, 200)
    judge = np.where(rng.random(200) < 0.7, human, rng.integers(0, 3, 200))
    (found,) = confusion(judge, human, ["sw"] * 200, (0, 1, 2))
    assert isinstance(found, Confusion)
    for level in found.by_level:
        there, said = human == level.level, judge == level.level
        assert isinstance(level.sensitivity, Share)
        assert isinstance(level.specificity, Share)
        assert level.sensitivity.value == pytest.approx(said[there].mean())
        assert level.specificity.value == pytest.approx((~said[~there]).mean())
    assert isinstance(found.validity, NotComputable)


def test_rule_5_a_kind_that_nobody_labelled_has_no_share() -> None:
    found = one([1, 0, 1], [1, 1, 1])
    assert isinstance(found.by_level[1].specificity, NotComputable)
    assert isinstance(found.by_level[0].sensitivity, NotComputable)
    assert isinstance(found.validity, NotComputable)
    assert "sw" in found.validity.reason
