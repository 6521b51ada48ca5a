# SPDX-License-Identifier: Apache-2.0
"""The risk list is closed, sourced and forgiving only in its advice."""

import pytest

from countermark.records.errors import InputError
from countermark.taxonomy.risks import risk, risks


def test_codes_are_unique_and_sourced() -> None:
    codes = [entry.code for entry in risks()]
    assert len(codes) == len(set(codes))
    for entry in risks():
        assert all(source.url and source.published for source in entry.sources), entry.code


def test_the_exercises_categories_are_there() -> None:
    second = {
        "privacy",
        "non-violent-crime",
        "violent-crime",
        "intellectual-property",
        "jailbreak-robustness",
    }
    third = {"data-leakage", "fraud", "cyber"}
    assert second | third <= {entry.code for entry in risks()}


def test_a_code_is_found() -> None:
    assert risk("cyber").title == "Cyber misuse"


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("data-leak", "Did you mean data-leakage?"),
        ("Privacy", "Did you mean privacy?"),
        ("ビデオデッキ", "Use one of: privacy, "),
    ],
)
def test_an_unknown_code_lists_those_near(code: str, advice: str) -> None:
    with pytest.raises(InputError) as caught:
        risk(code, where="protocol.json")
    assert advice in caught.value.next_step
    assert str(caught.value).startswith("protocol.json: ")
