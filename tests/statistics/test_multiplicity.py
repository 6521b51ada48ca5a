# SPDX-License-Identifier: Apache-2.0
"""Golden values: R's ``p.adjust``, frozen in ``tests/oracles/lab_differences.json``."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import StatisticsError, benjamini_hochberg, holm

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "oracles" / "lab_differences.json").read_text(encoding="utf-8")
)
P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def test_rule_2_holm_is_that_of_r() -> None:
    assert holm(GOLDEN["p"]) == pytest.approx(GOLDEN["holm"], rel=1e-14)


def test_rule_3_benjamini_hochberg_is_that_of_r() -> None:
    expected = pytest.approx(GOLDEN["benjamini_hochberg"], rel=1e-14)
    assert benjamini_hochberg(GOLDEN["p"]) == expected


@given(P_VALUES)
def test_rule_1_adjusted_values_are_no_smaller_and_keep_the_order(p: list[float]) -> None:
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p)
        assert len(adjusted) == len(p)
        assert (adjusted >= np.array(p) * (1 - 1e-12)).all()
        assert (adjusted <= 1).all()
        assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@given(P_VALUES)
def test_rule_2_holm_claims_no_more_than_benjamini_hochberg(p: list[float]) -> None:
    assert (holm(p) >= benjamini_hochberg(p) * (1 - 1e-12)).all()


def test_rule_2_one_false_claim_in_the_family_is_as_rare_as_alpha() -> None:
    """Twenty true nulls: some p value is below 5 % in most families, some adjusted one in 5 %."""
    drawn = np.random.Generator(np.random.PCG64(1)).uniform(size=(4000, 20))
    assert (drawn.min(axis=1) < 0.05).mean() > 0.6
    assert np.mean([holm(p).min() < 0.05 for p in drawn]) == pytest.approx(0.05, abs=0.008)


@pytest.mark.parametrize("p", [[1.2], [-0.1], [float("nan")], [[0.1, 0.2]]])
def test_rule_4_what_is_no_p_value_is_refused(p: list[float]) -> None:
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(StatisticsError, match="from 0 to 1"):
            adjust(p)
