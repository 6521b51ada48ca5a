# SPDX-License-Identifier: Apache-2.0
"""What of a text counts when two are compared or a language is looked for; how it is shown."""

import re
import unicodedata
from typing import Final

_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
WORD: Final = re.compile(r"[^\W\d_]+")
_LONGEST: Final = 1_000_000  # NFKC makes some characters eighteen times as long
_SPACE: Final = re.compile(r"\s+")
_ASIDE: Final = re.compile(
    r"https?://[!-~]+|\{[^{}]{0,60}\}|<[^<>]{0,60}>|%\w|`[^`]*`|\\u[0-9a-fA-F]{4}"
)
# Runs are looked at from their beginning only, so that a long one costs no more than its length.
_ADDRESS: Final = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")


def folded(text: str) -> str:
    """Return a text after NFKC and folding of case and white space."""
    if not text.isascii() and len(text) < _LONGEST:
        text = unicodedata.normalize("NFKC", text)
    return _SPACE.sub(" ", text).strip().casefold()


def plain(text: str) -> str:
    """Return a text without links, addresses, placeholders, tags and code."""
    if "@" in text:
        text = _ADDRESS.sub(" ", text)
    return _ASIDE.sub(" ", text)


def letters_of(text: str) -> int:
    """Count the letters of a text."""
    return sum(map(len, WORD.findall(text)))


def without_shared(text: str, other: str) -> str:
    """Return a text without the words of another, and each of its own once."""
    known = set(WORD.findall(other))
    return " ".join(dict.fromkeys(word for word in WORD.findall(text) if word not in known))


def printable(text: str) -> str:
    """Return a text with its control characters, direction marks and stray surrogates spelt out."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def task_name(name: str) -> str:
    """Return the name of a task without what two spellings of it may differ in."""
    return printable(re.sub(r"[-_. ]+", "-", name.casefold()).strip("-"))
