# SPDX-License-Identifier: Apache-2.0
"""Text that a model wrote, as a person may safely read it: nothing in it hides or moves anything.

1. A character that shows nothing, or changes how others are shown, is named in brackets: controls,
   bidirectional marks, embeddings and isolates, invisible spaces and tags. Line ends and tabs stay.
2. The joiners U+200C and U+200D stay: Persian and the languages of India are spelled with them.
3. Each line is a paragraph with a direction of its own: that of most of its letters, or that of the
   language where it has none, or as many of both.
4. What is shown has no mark-up; whoever shows it writes text.
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

Direction = Literal["ltr", "rtl"]

# Line ends and tabs; the two joiners; and signs of Arabic and Syriac, which are seen.
_KEPT = frozenset("\n\t\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")
_HIDING = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_BLANK = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0})
_LEFT, _RIGHT = frozenset({"L"}), frozenset({"R", "AL"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of plain characters, or the name of one that would not be seen."""

    text: str
    named: bool


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line with its direction."""

    direction: Direction
    pieces: tuple[Piece, ...]


def paragraphs(text: str, direction: Direction) -> tuple[Paragraph, ...]:
    """Return a text line by line, with the characters of rule 1 named.

    Parameters
    ----------
    text
        What somebody wrote.
    direction
        Which way its language runs.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return tuple(Paragraph(_direction(line, direction), pieces(line)) for line in lines)


def pieces(line: str) -> tuple[Piece, ...]:
    """Return a line as runs of plain characters and names of hidden ones."""
    found: list[Piece] = []
    for character in line:
        named = is_hidden(character)
        shown = f"[U+{ord(character):04X}]" if named else character
        if not named and found and not found[-1].named:
            found[-1] = Piece(found[-1].text + shown, named=False)
        else:
            found.append(Piece(shown, named=named))
    return tuple(found)


def visible(text: str) -> str:
    """Return a text with the characters of rule 1 named, for files."""
    text = text.replace("\r\n", "\n")
    return "".join(f"[U+{ord(one):04X}]" if is_hidden(one) else one for one in text)


def is_hidden(character: str) -> bool:
    """Tell whether a character would not be seen, or moves others."""
    if character in _KEPT:
        return False
    return unicodedata.category(character) in _HIDING or ord(character) in _BLANK


def _direction(line: str, usual: Direction) -> Direction:
    kinds = [unicodedata.bidirectional(character) for character in line]
    left = sum(kind in _LEFT for kind in kinds)
    right = sum(kind in _RIGHT for kind in kinds)
    if left == right:
        return usual
    return "ltr" if left > right else "rtl"
