# SPDX-License-Identifier: Apache-2.0
import hashlib
import hmac

import pytest

from countermark.records.errors import InputError
from countermark.transparency.commitment import commitment_root, salt_of, salted_leaf
from countermark.transparency.tree import root_hash

KEY = bytes(range(32))


def test_leaf_and_salt_are_those_of_the_formula() -> None:
    salt = hmac.new(KEY, (1).to_bytes(8, "big"), hashlib.sha256).digest()
    leaf = hashlib.sha256(b"\x00" + salt + b'{"text":"a"}').digest()
    assert salt_of(KEY, 1) == salt
    assert salted_leaf(salt, {"text": "a"}) == leaf


def test_equal_values_have_different_leaves() -> None:
    leaves = [salted_leaf(salt_of(KEY, index), True) for index in range(100)]
    assert len(set(leaves)) == 100
    assert commitment_root(leaves) == root_hash(leaves)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(InputError, match="31 bytes"):
        salt_of(KEY[:31], 0)
