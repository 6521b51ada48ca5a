# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.records.errors import InputError
from countermark.signing.encoding import from_base64, to_base64


@given(st.binary())
def test_round_trip(data: bytes) -> None:
    assert from_base64(to_base64(data), where="x") == data


@pytest.mark.parametrize(
    "text",
    ["A", "AA", "AA=", "AAA", "AB==", "AAB=", "AA==\n", " AA==", "AA==AA==", "A-__", "é", "="],
)
def test_other_texts_for_a_value_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="strict base64"):
        from_base64(text, where="x")
