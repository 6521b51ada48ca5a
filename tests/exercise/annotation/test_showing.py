# SPDX-License-Identifier: Apache-2.0
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.annotation.showing import is_hidden, paragraphs, visible

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
INVISIBLE = "\u0000\u0007\u001b\u007f\u0085\u200b\u2060\ufeff\u00ad\u2028\u2029\u3164\U000e0041"


@pytest.mark.parametrize("character", [*BIDI, *INVISIBLE])
def test_rule_1_a_character_that_is_not_seen_is_named(character: str) -> None:
    (line,) = paragraphs(f"a{character}b", "ltr")
    assert [piece.text for piece in line.pieces] == ["a", f"[U+{ord(character):04X}]", "b"]
    assert [piece.named for piece in line.pieces] == [False, True, False]
    assert visible(f"a{character}b") == f"a[U+{ord(character):04X}]b"


@given(st.text())
def test_rule_1_nothing_hidden_is_left(text: str) -> None:
    shown = visible(text)
    assert not any(is_hidden(one) for one in shown)
    assert not any(unicodedata.category(one) == "Cc" for one in shown if one not in "\n\t")


def test_rule_2_persian_keeps_its_joiners() -> None:
    assert visible("می‌خواهم") == "می‌خواهم"
    assert visible("क्‍ष") == "क्‍ष"


@pytest.mark.parametrize(
    ("line", "usual", "direction"),
    [
        ("SmolLM پاسخ داد که نمی‌تواند", "rtl", "rtl"),
        ("This is English", "rtl", "ltr"),
        ("متن فارسی", "ltr", "rtl"),
        ("123 (4)", "rtl", "rtl"),
        ("", "rtl", "rtl"),
        ("ab אב", "ltr", "ltr"),
    ],
)
def test_rule_3_each_line_runs_as_most_of_its_letters(
    line: str, usual: str, direction: str
) -> None:
    (found,) = paragraphs(line, usual)  # type: ignore[arg-type]
    assert found.direction == direction


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_rule_3_lines_are_lines(text: str) -> None:
    made = paragraphs(text, "ltr")
    shown = "\n".join("".join(piece.text for piece in line.pieces) for line in made)
    assert shown == visible(text)
