# SPDX-License-Identifier: Apache-2.0
"""L33 to L35: what a file says of itself."""

import re
from collections import defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache

from babel import Locale

from countermark.exercise.lint.detection import close, label
from countermark.exercise.lint.finding import Finding, Rule
from countermark.exercise.lint.model import ItemFile, LintSet, Recipe
from countermark.exercise.lint.wording import folded, printable

NAME_CONTRADICTS = Rule(
    "L33", "name-contradicts-language", "error", "A file's name for itself says another language."
)
SHARED_DESCRIPTION = Rule(
    "L34", "shared-description", "warning", "Different tasks have the same description."
)
MISSPELT_NAME = Rule("L35", "misspelt-name", "note", "A name is nearly a known one.")
RULES = (NAME_CONTRADICTS, SHARED_DESCRIPTION, MISSPELT_NAME)

_OWN_NAMES = {"farsi": "fa", "kiswahili": "sw", "mandarin": "zh", "bahasa": "ms", "tagalog": "fil"}
_WORD = re.compile(r"[^\W\d_]{5,}")
_NEAR = 0.75
_LEAST_LENGTH = 7
_LONGEST = 2000


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield findings on names and descriptions of files and recipes."""
    things: list[ItemFile | Recipe] = [*lint.files, *lint.recipes]
    for thing in things:
        if thing.code:
            yield from _language_named(thing)
        yield from _misspelt(thing)
    yield from _shared(lint.files)
    yield from _shared(lint.recipes)


def _language_named(thing: ItemFile | Recipe) -> Iterator[Finding]:
    tag = thing.tag if isinstance(thing, ItemFile) else _tag(thing)
    named = {
        word: names()[word.casefold()]
        for word in _WORD.findall(thing.name[:_LONGEST])
        if word.casefold() in names() and word[0].isupper()
    }
    if tag and named and not any(close(label(tag), label(other)) for other in named.values()):
        yield Finding(
            NAME_CONTRADICTS,
            thing.path,
            f"is called {printable(thing.name)[:100]!r}, and is the file for {tag}",
            "Correct the name, or the language code of the file.",
            language=thing.code,
        )


def _tag(recipe: Recipe) -> str | None:
    return ItemFile(recipe.path, recipe.task, recipe.code, ()).tag


def _shared(things: tuple[ItemFile, ...] | tuple[Recipe, ...]) -> Iterator[Finding]:
    found: dict[str, list[ItemFile | Recipe]] = defaultdict(list)
    for thing in things:
        if thing.description and thing.code:
            found[folded(thing.description)].append(thing)
    for same in found.values():
        tasks = sorted({thing.task for thing in same})
        if len(tasks) > 1:
            yield Finding(
                SHARED_DESCRIPTION,
                same[0].path,
                f"{len(same)} files of the tasks {', '.join(tasks)} have the same description: "
                f"{printable(same[0].description)[:80]!r}",
                "Describe each task by what it tests.",
                language=same[0].code,
            )


def _misspelt(thing: ItemFile | Recipe) -> Iterator[Finding]:
    """Find words that are nearly a language, or nearly a word of the file's own reference."""
    text = thing.reference if isinstance(thing, ItemFile) else ""
    known = set(names()) | {word.casefold() for word in _WORD.findall(text[:_LONGEST])}
    said = f"{thing.name} {thing.description}"[:_LONGEST]
    for word in dict.fromkeys(found for found in _WORD.findall(said) if found[0].isupper()):
        small = word.casefold()
        if len(small) < _LEAST_LENGTH or small in known:
            continue
        near = max(known, key=lambda other: _alike(small, other))
        if _alike(small, near) >= _NEAR:
            yield Finding(
                MISSPELT_NAME,
                thing.path,
                f"says {printable(word)!r}, which is nearly {near!r}",
                "Check the spelling.",
                language=thing.code,
            )


def _alike(word: str, other: str) -> float:
    if word[0] != other[0] or abs(len(word) - len(other)) > 2 or len(other) < _LEAST_LENGTH:
        return 0.0
    return SequenceMatcher(None, word, other).ratio()


@cache
def names() -> dict[str, str]:
    """Return the English names of languages, each one word of at least five letters, to tags."""
    english = {
        str(name).casefold(): code
        for code, name in Locale("en").languages.items()
        if _WORD.fullmatch(str(name)) and len(code) <= 3
    }
    return english | _OWN_NAMES
