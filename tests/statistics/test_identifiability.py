# SPDX-License-Identifier: Apache-2.0
"""Golden values: generalised variance inflation computed with R; see ``tests/oracles``."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.statistics import Factor, Identifiability, StatisticsError, identifiability

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "oracles" / "lab_differences.json").read_text(encoding="utf-8")
)


def settings(**values: str) -> dict[str, dict[str, str]]:
    """One letter a lab."""
    labs = len(next(iter(values.values())))
    return {f"lab{k:02}": {name: row[k] for name, row in values.items()} for k in range(labs)}


def of(result: Identifiability, name: str) -> Factor:
    return next(each for each in result.factors if each.name == name)


def test_factors_that_vary_by_themselves_are_estimable() -> None:
    result = identifiability(settings(prompt="aabbccabc", provider="pqpqpqqqp", tools="001011110"))
    assert [each.status for each in result.factors] == ["estimable"] * 3
    assert (result.columns, result.rank, result.residual_df) == (5, 5, 4)
    assert result.identifiable
    assert result.why_not() == ""
    assert [each.vif for each in result.factors] == pytest.approx(GOLDEN["vif"], rel=1e-10)
    assert of(result, "prompt").values == ("a", "b", "c")


def test_rule_1_a_constant_factor_teaches_nothing_and_is_no_obstacle() -> None:
    result = identifiability(settings(seed="111111", tools="001011"))
    assert of(result, "seed").status == "constant"
    assert "seed is 1 at every lab" in of(result, "seed").reason
    assert result.identifiable
    assert result.varying == ("tools",)
    alone = identifiability(settings(seed="111"))
    assert not alone.identifiable
    assert alone.why_not() == "No setting differs between the labs."


def test_rule_2_two_that_change_together_are_named() -> None:
    result = identifiability(settings(provider="ppqqpq", temperature="001101", tools="010011"))
    (alias,) = result.aliases
    assert alias.factors == ("provider", "temperature")
    assert alias.sentence == (
        "provider is aliased with temperature: wherever one changes, so does the other."
    )
    assert of(result, "temperature").status == "aliased"
    assert of(result, "temperature").reason == alias.sentence
    assert of(result, "temperature").vif is None
    assert of(result, "tools").status == "estimable"
    assert not result.identifiable
    assert result.why_not() == alias.sentence


def test_rule_3_almost_aliased_is_inflated() -> None:
    rows = {"provider": "p" * 10 + "q" * 10, "temperature": "0" * 11 + "1" * 9}
    result = identifiability(settings(**rows))
    assert {each.status for each in result.factors} == {"inflated"}
    correlation = np.corrcoef([0] * 10 + [1] * 10, [0] * 11 + [1] * 9)[0, 1]
    assert of(result, "provider").vif == pytest.approx(1 / (1 - correlation**2))
    assert not result.identifiable
    assert "provider varies almost as" in result.why_not()


def test_rule_3_the_limit_itself_is_not_above_it() -> None:
    """Five to the last bit or not: both factors of a pair must be told the same."""
    rows = {"provider": "p" * 9 + "q" * 9, "temperature": "0" * 10 + "1" * 8}
    result = identifiability(settings(**rows))
    assert [each.vif for each in result.factors] == pytest.approx([5, 5])
    assert {each.status for each in result.factors} == {"estimable"}


def test_rule_4_three_that_change_together_are_one_set() -> None:
    result = identifiability(settings(a="001101", b="xxyyxy", c="ppqqpq"))
    (alias,) = result.aliases
    assert alias.factors == ("a", "b", "c")
    assert "so do the others" in alias.sentence


def test_rule_4_a_factor_that_another_settles() -> None:
    result = identifiability(settings(host="xyxxyx", region="abcabc", tools="001011"))
    (alias,) = result.aliases
    assert alias.sentence == (
        "host is aliased with region: labs with the same region have the same host."
    )
    assert of(result, "region").status == "aliased"
    assert of(result, "tools").status == "estimable"


def test_rule_4_a_set_does_not_contain_another() -> None:
    rows = {"host": "xyxxyxxxyx", "region": "abcabcccba", "site": "pqrprqqprq"}
    rows["tier"] = "".join("1" if site == "r" else "0" for site in rows["site"])
    result = identifiability(settings(**rows))
    assert [alias.factors for alias in result.aliases] == [("host", "region"), ("site", "tier")]


def test_rule_4_a_factor_that_is_the_lab() -> None:
    result = identifiability(settings(hardware="abcd", tools="0011"))
    (alias,) = result.aliases
    assert "hardware is another at every lab" in alias.sentence
    alone = identifiability(settings(hardware="abcd"))
    assert alone.residual_df == 0
    assert not alone.identifiable
    assert "nothing is left over" in alone.why_not()


def test_rule_4_three_that_depend_on_one_another() -> None:
    """Each pair is fine, but c is 1 where exactly one of a and b is, at labs that lack 1 1."""
    result = identifiability(settings(a="0100100", b="0010010", c="0110110", tools="0111000"))
    (alias,) = result.aliases
    assert alias.factors == ("a", "b", "c")
    assert "a is aliased with b and c together" in alias.sentence
    assert of(result, "tools").status == "estimable"


def test_rule_4_too_few_labs_for_so_many_factors() -> None:
    wide = settings(a="01010", b="00110", c="00011", d="01100", e="00101")
    result = identifiability(wide)
    assert result.rank == 5
    assert result.residual_df == 0
    lonely = [each for each in result.factors if "too few" in each.reason]
    named = {name for alias in result.aliases for name in alias.factors}
    assert {each.name for each in lonely}.isdisjoint(named)
    assert {each.name for each in result.factors if each.status == "aliased"} == named | {
        each.name for each in lonely
    }
    assert lonely
    assert lonely[0].reason in result.why_not()


def test_rule_5_a_lab_without_a_value_is_refused() -> None:
    wrong = settings(a="01", b="01")
    del wrong["lab01"]["b"]
    with pytest.raises(StatisticsError, match="'lab01' has no value for 'b'"):
        identifiability(wrong)
    with pytest.raises(StatisticsError, match="No lab has any setting"):
        identifiability({})


@given(
    st.integers(2, 8).flatmap(
        lambda labs: st.lists(
            st.lists(st.sampled_from("abc"), min_size=labs, max_size=labs), min_size=1, max_size=4
        )
    )
)
def test_a_factor_is_aliased_just_if_the_rank_falls_short(rows: list[list[str]]) -> None:
    """The rank is computed another way: with a column for every value, and exact arithmetic."""
    names = [f"f{j}" for j in range(len(rows))]
    result = identifiability(settings(**{n: "".join(r) for n, r in zip(names, rows, strict=True)}))

    def rank(chosen: list[list[str]]) -> int:
        full = [[1] * len(rows[0])]
        full += [[int(v == level) for v in row] for row in chosen for level in sorted(set(row))]
        return int(np.linalg.matrix_rank(np.array(full, dtype=float)))

    assert result.rank == rank(rows)
    for j, each in enumerate(result.factors):
        lost = rank(rows) - rank([row for other, row in enumerate(rows) if other != j])
        width = len(set(rows[j])) - 1
        if width == 0:
            assert each.status == "constant"
        else:
            assert (each.status == "aliased") == (lost < width)
    for alias in result.aliases:
        chosen = [rows[names.index(name)] for name in alias.factors]
        assert rank(chosen) < 1 + sum(len(set(row)) - 1 for row in chosen)


@pytest.mark.parametrize(
    ("labs", "factors", "share"),
    [(5, 3, 0.60), (5, 6, 1.0), (9, 3, 0.15), (9, 6, 0.65), (15, 6, 0.06)],
)
def test_free_running_labs_seldom_say_why_they_differ(
    labs: int, factors: int, share: float
) -> None:
    """Each lab deviates from the reference in each factor with probability 0.3."""
    rng = np.random.Generator(np.random.PCG64([labs, factors]))
    reps = 300
    lost = 0
    for _ in range(reps):
        drawn = (rng.random((factors, labs)) < 0.3).astype(int).astype(str)
        result = identifiability(settings(**{f"f{j}": "".join(row) for j, row in enumerate(drawn)}))
        lost += any(each.status != "estimable" for each in result.factors)
    assert lost / reps == pytest.approx(share, abs=0.08)
