# SPDX-License-Identifier: Apache-2.0
"""Which item of one language belongs to which item of another, as far as the files tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from countermark.exercise.lint.alignment import Alignment, align
from countermark.exercise.lint.model import Item, ItemFile, source_of


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Languages of a task whose files share keys."""

    files: tuple[ItemFile, ...]
    keys: frozenset[str]


def stripped(key: str) -> str:
    """Return a key without what is no letter or digit at its ends."""
    places = [place for place, mark in enumerate(key) if mark.isalnum()]
    return key[places[0] : places[-1] + 1] if places else ""


@lru_cache(maxsize=512)
def keys_of(file: ItemFile) -> frozenset[str]:
    """Return the keys of a file, without stray characters at their ends."""
    return frozenset(stripped(item.key) for item in file.items if item.key)


def key_groups(files: Sequence[ItemFile]) -> list[KeyGroup]:
    """Put files together that share at least half of the keys of the smaller; the source first."""
    groups: list[list[ItemFile]] = []
    ordered = sorted(files, key=lambda file: file is not source_of(tuple(files)))
    for file in ordered:
        home = next((group for group in groups if any(_share(file, one) for one in group)), None)
        if home is None:
            groups.append([file])
        else:
            home.append(file)
    return [
        KeyGroup(tuple(group), frozenset().union(*(keys_of(file) for file in group)))
        for group in groups
    ]


@lru_cache(maxsize=512)
def alignment(one: ItemFile, other: ItemFile) -> Alignment | None:
    """Test whether two files belong together row by row."""
    return align([item.text for item in one.items], [item.text for item in other.items])


@lru_cache(maxsize=512)
def counterparts(file: ItemFile, source: ItemFile) -> Mapping[int, Item]:
    """Return for each place in a file the item of the source that it translates.

    By key where the two share keys; else by position, if the rows are shown to belong together;
    else nothing.
    """
    if _share(file, source):
        there = {stripped(key): item for key, item in source.by_key.items()}
        return {
            place: there[stripped(item.key)]
            for place, item in enumerate(file.items)
            if item.key and stripped(item.key) in there
        }
    found = alignment(source, file)
    if found is not None and found.aligned:
        return dict(enumerate(source.items))
    return {}


def _share(one: ItemFile, other: ItemFile) -> bool:
    first, second = keys_of(one), keys_of(other)
    return len(first & second) * 2 >= max(1, min(len(first), len(second)))
