# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from countermark.statistics import (
    Agreement,
    Coefficient,
    Interval,
    NotComputable,
    Ratings,
    Resampling,
    StatisticsError,
    agreement,
    clopper_pearson,
    interval_alpha,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "oracles" / "agreement.json").read_text())
QUICK = Resampling(seed=1, replicates=200)
ALL: tuple[Coefficient, ...] = get_args(Coefficient)
NAN: float = float("nan")


def table_of(case: dict[str, Any]) -> np.ndarray:
    if "table" in case:
        return np.array(case["table"], dtype=float)
    levels = case["levels"]
    if "counts" in case:
        return np.array(
            [
                (levels[k], levels[j])
                for k, row in enumerate(case["counts"])
                for j, number in enumerate(row)
                for _ in range(number)
            ]
        )
    return np.array([np.repeat(levels, row) for row in case["by_level"]], dtype=float)


def computed(result: Agreement | NotComputable) -> Agreement:
    assert isinstance(result, Agreement)
    return result


@pytest.mark.parametrize(
    ("case", "coefficient"), [(case, name) for case in GOLDEN for name in GOLDEN[case]["values"]]
)
def test_values_of_other_implementations(case: str, coefficient: Coefficient) -> None:
    known = GOLDEN[case]
    ratings = Ratings.from_table(table_of(known), known["levels"])
    golden = known["values"][coefficient]
    value = computed(agreement(ratings, coefficient, QUICK)).value
    assert value == pytest.approx(golden["value"], abs=golden["tolerance"])


def test_continuous_alpha_is_that_of_the_levels_in_closed_form() -> None:
    known = GOLDEN["four_raters"]
    table = table_of(known)
    result = computed(interval_alpha(table, QUICK))
    assert result.value == pytest.approx(0.8491071428571428, abs=1e-12)
    ratings = Ratings.from_table(table, known["levels"])
    levels = computed(agreement(ratings, "alpha-interval", QUICK))
    assert result.disagreement == pytest.approx(levels.disagreement)
    assert result.by_chance == pytest.approx(levels.by_chance)
    assert result.units == levels.units == 11
    shifted = computed(interval_alpha(1e6 + table, QUICK))
    assert shifted.value == pytest.approx(result.value, rel=1e-9)


def test_rule_1_units_are_resampled_and_the_seed_settles_it() -> None:
    known = GOLDEN["two_raters"]
    ratings = Ratings.from_table(table_of(known), known["levels"])
    one, same, other = (
        computed(agreement(ratings, "ac1", Resampling(seed, 2000))) for seed in (1, 1, 2)
    )
    assert one == same
    assert one.interval != other.interval
    assert isinstance(one.interval, Interval)
    assert one.interval.lower < one.value < one.interval.upper
    # Gwet's large-sample standard error, by irrCAC 0.4.4, is 0.04344; resampling is near it.
    assert (one.interval.upper - one.interval.lower) / 3.92 == pytest.approx(0.04344, rel=0.1)


def test_rule_1_the_interval_holds_the_truth() -> None:
    """Two raters, right in 85 % of cases, on an even mix: kappa and AC1 are 0.49."""
    rng = np.random.default_rng(5)
    hits: dict[Coefficient, list[bool]] = {"cohen": [], "ac1": [], "alpha-nominal": []}
    for seed in range(300):
        truth = rng.integers(0, 2, (150, 1))
        table = np.where(rng.random((150, 2)) < 0.85, truth, 1 - truth)
        ratings = Ratings.from_table(table, (0, 1))
        for name, held in hits.items():
            found = computed(agreement(ratings, name, Resampling(seed, 400)))
            assert isinstance(found.interval, Interval)
            held.append(found.interval.lower <= 0.49 <= found.interval.upper)
    for name, held in hits.items():
        assert 0.915 < np.mean(held) < 0.98, name


def test_rule_2_a_unit_rated_once_counts_for_the_shares_only() -> None:
    table: list[list[float]] = [[0, 0], [1, 1], [0, 1], [1, 1]]
    more: list[list[float]] = [*table, [1, NAN], [NAN, 1], [NAN, NAN]]
    for coefficient in ALL:
        few, many = (
            computed(agreement(Ratings.from_table(t, (0, 1)), coefficient, QUICK))
            for t in (table, more)
        )
        assert few.units == many.units == 4
        assert few.disagreement == pytest.approx(many.disagreement)
        same = not coefficient.startswith(("fleiss", "ac"))
        assert (few.value == pytest.approx(many.value)) == same, coefficient


@pytest.mark.parametrize("coefficient", ALL)
def test_rule_3_what_has_no_meaning_is_not_computed(coefficient: Coefficient) -> None:
    def reason(table: list[list[float]]) -> str:
        result = agreement(Ratings.from_table(table, (0, 1)), coefficient, QUICK)
        assert isinstance(result, NotComputable)
        return result.reason

    assert "rated twice" in reason([[0], [1], [1]])
    assert "rated twice" in reason([[0, NAN], [NAN, 1]])
    one_level = Ratings.from_table([[1, 1]] * 20, (0, 1))
    result = agreement(one_level, coefficient, QUICK)
    if coefficient == "percent":
        assert computed(result).value == 1
    else:
        assert isinstance(result, NotComputable)
        assert "Only one level" in result.reason


def test_rule_3_cohen_is_for_two() -> None:
    three = agreement(Ratings.from_table([[0, 1, 1], [1, 1, 1]], (0, 1)), "cohen", QUICK)
    assert isinstance(three, NotComputable)
    assert "there are 3" in three.reason


def test_rule_3_continuous_scores_without_a_pair_or_all_alike() -> None:
    for table in ([[0.1, NAN], [NAN, 0.2]], [[0.5, 0.5], [0.5, 0.5]]):
        assert isinstance(interval_alpha(table, QUICK), NotComputable)


def test_rule_4_agreement_throughout_has_no_bootstrap_interval() -> None:
    ratings = Ratings.from_table([[0, 0], [1, 1]] * 20, (0, 1))
    for coefficient in ALL:
        found = computed(agreement(ratings, coefficient, QUICK, 0.9))
        assert found.value == pytest.approx(1)
        if coefficient == "percent":
            assert found.interval == clopper_pearson(40, 40, 0.9)
        else:
            assert isinstance(found.interval, NotComputable)
            assert "same value" in found.interval.reason


def test_rule_4_too_rare_a_level_gives_no_interval() -> None:
    ratings = Ratings.from_table([[0, 0]] * 30 + [[0, 1]], (0, 1))
    found = computed(agreement(ratings, "alpha-nominal", QUICK))
    assert isinstance(found.interval, NotComputable)
    assert "could not be computed" in found.interval.reason


@given(
    arrays(np.int64, (12, 3), elements=st.integers(-1, 2)),
    st.permutations(range(3)),
    st.sampled_from([name for name in ALL if not name.startswith("cohen")]),
)
@settings(max_examples=60, deadline=None)
def test_raters_may_change_places_and_nothing_exceeds_one(
    codes: np.ndarray, order: list[int], coefficient: Coefficient
) -> None:
    table = np.where(codes < 0, NAN, codes)
    one, other = (
        agreement(Ratings.from_table(t, (0, 1, 2)), coefficient, QUICK)
        for t in (table, table[:, order])
    )
    assert type(one) is type(other)
    if isinstance(one, Agreement) and isinstance(other, Agreement):
        assert one.value == pytest.approx(other.value)
        assert one.value <= 1 + 1e-12


def test_unknown_coefficients_and_infinite_scores_are_refused() -> None:
    ratings = Ratings.from_table([[0, 1]], (0, 1))
    with pytest.raises(StatisticsError, match="no coefficient"):
        agreement(ratings, "kappa", QUICK)  # type: ignore[arg-type]
    with pytest.raises(StatisticsError, match="finite"):
        interval_alpha([[0.1, float("inf")]], QUICK)
