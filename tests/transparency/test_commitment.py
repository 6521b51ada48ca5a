# SPDX-License-Identifier: Apache-2.0
import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError
from countermark.transparency.commitment import (
    Opening,
    commitment_root,
    open_leaf,
    salt_of,
    salted_leaves,
    verify_opening,
)

KEY = bytes(range(32))
VALUES: list[JsonValue] = [{"score": 1.0}, {"text": "a"}, {"score": 0.0}, {"text": "b"}, None]


def test_leaf_and_salt_are_those_of_the_formula() -> None:
    salt = hmac.new(KEY, (1).to_bytes(8, "big"), hashlib.sha256).digest()
    leaf = hashlib.sha256(b"\x00" + salt + b'{"text":"a"}').digest()
    assert salt_of(KEY, 1) == salt
    assert salted_leaves(KEY, VALUES)[1] == leaf


def test_each_value_opens_and_nothing_else_does() -> None:
    leaves = salted_leaves(KEY, VALUES)
    root = commitment_root(leaves)
    for index, value in enumerate(VALUES):
        opening = open_leaf(KEY, leaves, index)
        assert verify_opening(root, 5, opening, value)
        assert not verify_opening(root, 5, opening, {"score": 0.5})
        other = (index + 2) % 5
        assert not verify_opening(root, 5, replace(opening, index=other), value)
        assert not verify_opening(root, 5, replace(opening, salt=salt_of(KEY, other)), value)
        assert not verify_opening(root, 5, replace(opening, path=opening.path[:-1]), value)
        assert not verify_opening(b"\0" * 32, 5, opening, value)


def test_a_salt_cannot_borrow_bytes_from_the_value() -> None:
    leaves = salted_leaves(KEY, ["x"])
    longer = Opening(0, salt_of(KEY, 0) + b'"x"', ())
    assert not verify_opening(commitment_root(leaves), 1, longer, "")


def test_equal_values_have_different_leaves() -> None:
    leaves = salted_leaves(KEY, [True] * 100)
    assert len(set(leaves)) == 100


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(InputError, match="31 bytes"):
        salt_of(KEY[:31], 0)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.text(), min_size=1))
def test_any_values_open(values: list[JsonValue]) -> None:
    leaves = salted_leaves(KEY, values)
    for index, value in enumerate(values):
        opening = open_leaf(KEY, leaves, index)
        assert verify_opening(commitment_root(leaves), len(values), opening, value)
