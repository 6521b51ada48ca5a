# SPDX-License-Identifier: Apache-2.0
"""L26 to L29: what translation and copying did to a text."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from countermark.exercise.lint.finding import Finding, Rule
from countermark.exercise.lint.matching import counterparts
from countermark.exercise.lint.model import Item, ItemFile, LintSet
from countermark.exercise.lint.wording import letters_of, printable

UNTRANSLATED = Rule("L26", "untranslated", "error", "A text is the same as in the source language.")
ENCODING_DAMAGE = Rule(
    "L27", "encoding-damage", "error", "Characters were lost or changed on the way."
)
LOST_PLACEHOLDER = Rule(
    "L28", "lost-placeholder", "error", "A placeholder, tag or link differs from the source."
)
LOST_NUMBER = Rule("L29", "lost-number", "warning", "A number of the source is not in the text.")
RULES = (UNTRANSLATED, ENCODING_DAMAGE, LOST_PLACEHOLDER, LOST_NUMBER)

_LEAST_LETTERS = 8
_PLACEHOLDER = re.compile(
    r"\{\{[^{}]{1,60}\}\}|\{[A-Za-z_][\w.]{0,40}\}|%\([A-Za-z_]\w{0,40}\)[sd]|%[sd](?![A-Za-z])"
    r"|</?[A-Za-z][^<>]{0,60}>|https?://[!-~]+|(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
_DAMAGE = re.compile(
    r"(?P<lost>\ufffd)|(?P<surrogate>[\ud800-\udfff])"
    r"|(?P<control>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\u202a-\u202e])"
    "|(?P<mojibake>[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192"
    "\u02c6\u02dc\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]+)"
    r"|(?P<escape>\\[tnr]\s*$|\\u[0-9a-fA-F]{4})"
    r"|(?P<entity>&(?:amp|quot|lt|gt|nbsp|apos|#\d{1,6}|#x[0-9a-fA-F]{1,5});)"
)
# One character that every damage has: most texts have none, and are looked at no further.
_SUSPECT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\u202a-\u202e\ufffd\ud800-\udfff\u00c2-\u00f4&\\\\]"
)
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f\u066b\u066c ]\d{3})*(?:[.,\u066b]\d+)?")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_NOT_DIGIT = re.compile(r"\D+")
_NUMERALS = re.compile(r"[一二三四五六七八九〇十百千万萬億兆만억조]")


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield damage in each file, then what differs from the source."""
    sources = {other.path: source for source, other in lint.pairs()}
    for file in lint.files:
        source = sources.get(file.path)
        before = counterparts(file, source) if source else {}
        for place, item in enumerate(file.items):
            other = before.get(place)
            yield from damage(file, item, item.text, other.text if other else "")
        if source is not None and source.tag != file.tag:
            yield from _untranslated(file, source)
            for place, other in before.items():
                yield from _lost(file, file.items[place], other, source)


def _untranslated(file: ItemFile, source: ItemFile) -> Iterator[Finding]:
    there = dict(zip(source.folded, source.items, strict=True))
    for item, text, bare in zip(file.items, file.folded, file.plain, strict=True):
        other = there.get(text)
        if other is not None and letters_of(bare) >= _LEAST_LETTERS:
            yield Finding(
                UNTRANSLATED,
                file.path,
                f"the text is the same as {printable(other.key or '')!r} in {source.code}: "
                f"{printable(item.text)[:60]!r}",
                f"Translate it into {file.tag}, or take the item out of every language.",
                line=item.line,
                key=item.key,
                language=file.code,
            )


def damage(file: ItemFile, item: Item, text: str, source: str) -> Iterator[Finding]:
    """Yield the first damage in a text of an item, held against its source (L27)."""
    if _SUSPECT.search(text) is None:
        return
    for found in _DAMAGE.finditer(text):
        kind, what = str(found.lastgroup), found[0]
        if kind in {"escape", "entity"} and what in source:
            continue  # the source has it too, so that it may well be meant
        message, advice = _explained(kind, what)
        if message:
            yield Finding(
                ENCODING_DAMAGE,
                file.path,
                message,
                advice,
                line=item.line,
                key=item.key,
                language=file.code,
            )
            return


def _explained(kind: str, what: str) -> tuple[str, str]:
    shown = printable(what.strip())
    if kind == "mojibake":
        try:
            right = what.encode("cp1252").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            return "", ""  # letters that happen to stand side by side
        return (
            f"holds {shown!r}, which is {printable(right)!r} in UTF-8 read as Windows-1252",
            "Take the text from its source again, and read it as UTF-8.",
        )
    return {
        "lost": (
            "holds the sign for a character that was lost (U+FFFD)",
            "Take the text from its source again.",
        ),
        "surrogate": ("holds half of a character", "Take the text from its source again."),
        "control": (f"holds the control character {shown}", "Take it out."),
        "escape": (f"holds {shown!r} spelt out, not the character", "Write the character."),
        "entity": (f"holds {shown!r}, which belongs into HTML", "Write the character."),
    }[kind]


def _lost(file: ItemFile, item: Item, other: Item, source: ItemFile) -> Iterator[Finding]:
    if item.text == other.text:
        return
    theirs, ours = _placeholders(other.text), _placeholders(item.text)
    if theirs != ours:
        less, more = sorted((theirs - ours).elements()), sorted((ours - theirs).elements())
        told = [f"lacks {_listed(less)}"] if less else []
        told += [f"has {_listed(more)}"] if more else []
        yield Finding(
            LOST_PLACEHOLDER,
            file.path,
            f"{' and '.join(told)}, unlike {source.code}",
            "Copy placeholders, tags and links as they are.",
            line=item.line,
            key=item.key,
            language=file.code,
        )
    missing = _missing_numbers(other.text, item.text)
    if missing:
        yield Finding(
            LOST_NUMBER,
            file.path,
            f"lacks {_listed(missing)}, which {source.code} has",
            "Check the numbers; written out in words they are in order.",
            line=item.line,
            key=item.key,
            language=file.code,
        )


# A source text is held against every language; more than one task at a time is not needed.
@lru_cache(maxsize=16_384)
def _placeholders(text: str) -> Counter[str]:
    if not ("{" in text or "%" in text or "<" in text or "@" in text or "://" in text):
        return Counter()
    return Counter(
        re.sub(r"\s+", "", found).rstrip(".,;:!?)'\"") for found in _PLACEHOLDER.findall(text)
    )


def _missing_numbers(theirs: str, ours: str) -> list[str]:
    """Return numbers of at least three digits whose digits are nowhere in the other text."""
    wanted = _numbers(theirs)
    if not wanted or _NUMERALS.search(ours):
        return []
    there = _NOT_DIGIT.sub("", _western(ours))
    return [digits for digits in dict.fromkeys(wanted) if digits not in there]


@lru_cache(maxsize=16_384)
def _numbers(text: str) -> tuple[str, ...]:
    found = (_NOT_DIGIT.sub("", number) for number in _NUMBER.findall(_western(text)))
    return tuple(digits for digits in found if len(digits) >= 3)


def _western(text: str) -> str:
    if text.isascii():
        return text
    return _OTHER_DIGIT.sub(lambda found: str(unicodedata.digit(found[0])), text)


def _listed(things: list[str]) -> str:
    shown = ", ".join(printable(thing) for thing in things[:3])
    return shown + (" …" if len(things) > 3 else "")
