# SPDX-License-Identifier: Apache-2.0
"""L08 to L15: what tells that an item is the same item in another language."""

import re
from collections import Counter
from collections.abc import Iterator

from countermark.exercise.lint.finding import Finding, Replace, Rule
from countermark.exercise.lint.matching import (
    KeyGroup,
    alignment,
    counterparts,
    key_groups,
    keys_of,
    stripped,
)
from countermark.exercise.lint.model import ItemFile, LintSet, source_of
from countermark.exercise.lint.wording import printable

NO_KEY = Rule("L08", "no-key", "warning", "Items have no key.")
KEY_TWICE = Rule("L09", "key-twice", "error", "Two items of a file have one key.")
CORRUPT_KEY = Rule("L10", "corrupt-key", "error", "A key holds characters that no other has.")
KEYS_NOT_SHARED = Rule("L11", "keys-not-shared", "error", "Languages of a task share no keys.")
DISJOINT_SETS = Rule(
    "L12", "disjoint-item-sets", "error", "Languages of a task hold different items."
)
MISSING_ITEMS = Rule("L13", "missing-items", "error", "Items are missing in one language.")
UNRELATED_TEXTS = Rule(
    "L14", "unrelated-texts", "warning", "Items of one key do not look like translations."
)
FIELD_DIFFERS = Rule("L15", "field-differs", "error", "One item differs in a field by language.")
RULES = (
    NO_KEY,
    KEY_TWICE,
    CORRUPT_KEY,
    KEYS_NOT_SHARED,
    DISJOINT_SETS,
    MISSING_ITEMS,
    UNRELATED_TEXTS,
    FIELD_DIFFERS,
)

_ODD = re.compile(r"[^\w.:/-]")
_LEAST_FOR_RELATION = 20
_FEW = 0.05


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield findings on keys, in each file and between the languages of each task."""
    for file in lint.files:
        yield from keys_in_file(file)
        yield from _corrupt(file, lint.by_task.get(file.task, ()))
    for files in lint.by_task.values():
        groups = key_groups([file for file in files if keys_of(file)])
        for group in groups:
            yield from _missing(group)
        for group in groups[1:]:
            yield _apart(groups[0], group)
    for source, other in lint.pairs():
        yield from _compared(source, other)


def keys_in_file(file: ItemFile) -> Iterator[Finding]:
    """Yield items without a key, and keys that stand twice (L08, L09)."""
    without = [item for item in file.items if item.key is None]
    if without:
        yield Finding(
            NO_KEY,
            file.path,
            f"{len(without)} of {len(file.items)} items have no key, so no result can be traced to "
            "an item, and no item to its translation",
            "Give each item a key that is the same in every language.",
            line=without[0].line,
            language=file.code,
        )
    counts = Counter(item.key for item in file.items if item.key is not None)
    seen: set[str] = set()
    for item in file.items:
        if item.key is not None and counts[item.key] > 1:
            if item.key in seen:
                yield Finding(
                    KEY_TWICE,
                    file.path,
                    f"the key {printable(item.key)!r} stands at line "
                    f"{file.by_key[item.key].line} already",
                    "Give one of the two another key, in every language.",
                    line=item.line,
                    key=item.key,
                    language=file.code,
                )
            seen.add(item.key)


def _corrupt(file: ItemFile, siblings: tuple[ItemFile, ...]) -> Iterator[Finding]:
    odd = [item for item in file.items if item.key and _ODD.search(item.key)]
    if not odd or len(odd) > max(1, _FEW * len(file.items)):
        return
    elsewhere = {key for other in siblings if other is not file for key in other.by_key}
    for item in odd:
        key = str(item.key)
        mended = stripped(key)
        certain = mended in elsewhere and mended not in file.by_key and item.end > item.start
        field = "key" if file.path.endswith(".jsonl") else "id"
        yield Finding(
            CORRUPT_KEY,
            file.path,
            f"the key {printable(key)!r} has characters that the other keys do not have",
            f"Write {mended!r}, as in the other languages." if certain else "Correct the key.",
            line=item.line,
            key=key,
            language=file.code,
            fixes=(Replace(file.path, item.start, item.end, field, key, mended),)
            if certain
            else (),
        )


def _missing(group: KeyGroup) -> Iterator[Finding]:
    having = Counter(key for file in group.files for key in keys_of(file))
    # What one of many languages has alone is told of that one, not of all others.
    alone = {key for key, count in having.items() if count == 1 < len(group.files) - 1}
    shared = group.keys - alone
    for file in group.files:
        lacking, more = sorted(shared - keys_of(file)), sorted(alone & keys_of(file))
        if lacking:
            there = next(one for one in group.files if lacking[0] in keys_of(one))
            yield Finding(
                MISSING_ITEMS,
                file.path,
                f"lacks {len(lacking)} of {len(shared)} items that other languages have: "
                + _listed(lacking),
                f"Translate them from {there.path}, or take them out of every language.",
                key=lacking[0],
                language=file.code,
            )
        if more:
            item = next(one for one in file.items if one.key and stripped(one.key) == more[0])
            yield Finding(
                MISSING_ITEMS,
                file.path,
                f"has {len(more)} items that none of the {len(group.files) - 1} other languages "
                f"has: {_listed(more)}",
                "Correct their keys, translate them, or take them out.",
                line=item.line,
                key=item.key,
                language=file.code,
            )


def _listed(keys: list[str]) -> str:
    return ", ".join(printable(key) for key in keys[:5]) + (" …" if len(keys) > 5 else "")


def _apart(first: KeyGroup, other: KeyGroup) -> Finding:
    """Say of two groups that share no keys whether they hold the same items (L11, L12)."""
    ours, theirs = first.files[0], other.files[0]
    shown = (
        f"{_codes(other)} ({len(theirs.items)} items) and {_codes(first)} ({len(ours.items)} "
        f"items) share {len(first.keys & other.keys)} keys"
    )
    found = alignment(ours, theirs)
    different = len(ours.items) != len(theirs.items)
    if different or (found is not None and found.unrelated and not found.aligned):
        return Finding(
            DISJOINT_SETS,
            theirs.path,
            f"{shown}, and "
            + ("they are of different size" if different else f"not their rows either: {found}")
            + ": these are different tests under one name",
            "Use one set of items in all languages, or give the two tests two names. A difference "
            "between these languages says nothing about languages.",
            line=theirs.items[0].line,
            key=theirs.items[0].key,
            language=theirs.code,
        )
    if found is not None and found.aligned:
        message = f"{shown}; but they belong together row by row: {found}"
        advice = f"Give each row the key of the same row of {ours.path}, before anyone sorts them."
    else:
        why = str(found) if found else "there are too few rows to test"
        message = f"{shown}; whether they belong together row by row is not shown: {why}"
        advice = f"Find for each item its key in {ours.path}, by hand."
    return Finding(
        KEYS_NOT_SHARED,
        theirs.path,
        message,
        advice,
        line=theirs.items[0].line,
        key=theirs.items[0].key,
        language=theirs.code,
    )


def _compared(source: ItemFile, other: ItemFile) -> Iterator[Finding]:
    """Compare two files that share keys (L14, L15)."""
    if not (keys_of(source) & keys_of(other)):
        return
    pairs = [(place, item) for place, item in counterparts(other, source).items()]
    # The rows of the two are put in one order, so that the test holds key against key.
    ordered = ItemFile(source.path, "", None, tuple(item for _, item in pairs))
    theirs = ItemFile(other.path, "", None, tuple(other.items[place] for place, _ in pairs))
    found = alignment(ordered, theirs) if len(pairs) >= _LEAST_FOR_RELATION else None
    if found is not None and found.unrelated:
        yield Finding(
            UNRELATED_TEXTS,
            other.path,
            f"items of one key in {source.code} and {other.code} do not look like translations of "
            f"each other: {found}",
            "Check that no rows were moved under the keys of others.",
            line=theirs.items[0].line,
            key=theirs.items[0].key,
            language=other.code,
        )
    for place, item in pairs:
        mine = dict(other.items[place].fields)
        for name, value in item.fields:
            if mine.get(name, value) != value:
                yield Finding(
                    FIELD_DIFFERS,
                    other.path,
                    f"{name} is {printable(mine[name])!r}, and {printable(value)!r} in "
                    f"{source_of((source, other)).code}",
                    "Give the item one value in every language; codes are never translated.",
                    line=other.items[place].line,
                    key=other.items[place].key,
                    language=other.code,
                )


def _codes(group: KeyGroup) -> str:
    return "{" + ", ".join(str(file.code) for file in group.files) + "}"
