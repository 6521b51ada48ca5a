# SPDX-License-Identifier: Apache-2.0
from collections.abc import Mapping
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.joint.differences import differences
from countermark.records.protocol import FactorSetting, RunPlan

DIGEST = "sha256:" + "0" * 64


def plans(*settings: Mapping[str, str]) -> list[RunPlan]:
    return [
        RunPlan(
            protocol=DIGEST,
            institute="GB",
            lab=f"GB-lab{number}",
            settings=tuple(
                FactorSetting(factor=factor, value=value) for factor, value in said.items()
            ),
            samples=1,
            secret_commitment="0" * 64,
        )
        for number, said in enumerate(settings)
    ]


def found(*settings: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {one.factor: one.aliases for one in differences(plans(*settings))}


def test_rule_1_only_factors_that_differ_are_named() -> None:
    assert found({"a": "x", "b": "y"}, {"a": "x", "b": "z"}, {"a": "x", "b": "z"}) == {"b": ()}
    assert found({"a": "x"}, {"a": "x"}) == {}
    assert found({"a": "x"}) == {}


def test_rule_2_factors_that_split_the_labs_alike_are_aliases() -> None:
    assert found(
        {"a": "1", "b": "p", "c": "u"},
        {"a": "2", "b": "q", "c": "u"},
        {"a": "1", "b": "p", "c": "v"},
    ) == {"a": ("b",), "b": ("a",), "c": ()}


def test_rule_2_three_aliases_name_each_other() -> None:
    same = [{"a": v, "b": v, "c": v} for v in ("1", "2", "2")]
    assert found(*same) == {"a": ("b", "c"), "b": ("a", "c"), "c": ("a", "b")}


def test_rule_3_a_factor_that_differs_everywhere_is_an_alias_of_lab() -> None:
    assert found({"a": "1", "b": "x"}, {"a": "2", "b": "x"}, {"a": "3", "b": "y"}) == {
        "a": ("lab",),
        "b": (),
    }
    assert found({"a": "1"}, {"a": "2"}) == {"a": ("lab",)}
    assert found({"a": "1", "b": "1"}, {"a": "2", "b": "2"}) == {
        "a": ("b", "lab"),
        "b": ("a", "lab"),
    }


@given(
    st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("12")), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_labs_changes_nothing(values: list[tuple[str, str]], draw: Random) -> None:
    given_plans = plans(*({"a": first, "b": second} for first, second in values))
    shuffled = list(given_plans)
    draw.shuffle(shuffled)
    assert differences(given_plans) == differences(shuffled)
