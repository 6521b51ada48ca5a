# SPDX-License-Identifier: Apache-2.0
"""How the parts of two versions of a framework are brought together.

The numbers of the rules are those of :mod:`countermark.commitments.framework_diff`.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from countermark.commitments.comparing import (
    ALIKE,
    MOST_COMPARED,
    Keyed,
    Keys,
    likeness,
    same_subject,
)
from countermark.records.framework import Duty, Provision, Threshold

K = TypeVar("K", bound=Keyed)


def align(
    before: Iterable[K], after: Iterable[K], alike: Callable[[K, K], float | None]
) -> list[tuple[K | None, K | None]]:
    """Bring the parts of two versions together (rules 1 and 2), whatever order they stand in."""
    old, new = _by_key(before), _by_key(after)
    pairs: list[tuple[K | None, K | None]] = []
    for key in sorted(old.keys() & new.keys()):
        was, now = old.pop(key), new.pop(key)
        if len(was) > 1 or len(now) > 1:
            # Parts of one key are a slip; equal ones among them belong together all the same.
            was, now, equal = _without_equal(was, now)
            pairs += equal
        matched = min(len(was), len(now))
        pairs += zip(was[:matched], now[:matched], strict=True)
        old[key], new[key] = was[matched:], now[matched:]
    pairs += _likeliest(_in_order(old), _in_order(new), alike)
    return pairs


def _without_equal(old: list[K], new: list[K]) -> tuple[list[K], list[K], list[tuple[K, K]]]:
    """Take equal parts out of two lists; return the rest in order, and the equal ones."""
    waiting: dict[str, list[K]] = {}
    for one in new:
        waiting.setdefault(_text(one), []).append(one)
    equal, left = [], []
    for text, one in sorted(((_text(one), one) for one in old), key=lambda pair: pair[0]):
        if waiting.get(text):
            equal.append((one, waiting[text].pop()))
        else:
            left.append(one)
    return left, [one for text in sorted(waiting) for one in waiting[text]], equal


def _by_key(parts: Iterable[K]) -> dict[str, list[K]]:
    found: dict[str, list[K]] = {}
    for one in parts:
        found.setdefault(one.key, []).append(one)
    return found


def _in_order(parts: dict[str, list[K]]) -> list[K]:
    return sorted((one for same in parts.values() for one in same), key=_text)


def _text(one: Keyed) -> str:
    return one.model_dump_json()


def _likeliest(
    old: list[K], new: list[K], alike: Callable[[K, K], float | None]
) -> list[tuple[K | None, K | None]]:
    """Bring parts of other keys together, the most alike first (rule 2)."""
    pairs: list[tuple[K | None, K | None]] = []
    old_texts, new_texts = [_text(one) for one in old], [_text(one) for one in new]
    likely = sorted(
        (-share, sorted((old_texts[i], new_texts[j])), old_texts[i], i, j)
        for i, was in enumerate(old if len(old) * len(new) <= MOST_COMPARED else ())
        for j, now in enumerate(new)
        if (share := alike(was, now)) is not None
    )
    taken_old: set[int] = set()
    taken_new: set[int] = set()
    for *_, i, j in likely:
        if i not in taken_old and j not in taken_new:
            taken_old.add(i)
            taken_new.add(j)
            pairs.append((old[i], new[j]))
    pairs += [(was, None) for i, was in enumerate(old) if i not in taken_old]
    pairs += [(None, now) for j, now in enumerate(new) if j not in taken_new]
    return pairs


def alike_thresholds(was: Threshold, now: Threshold, domains: Keys) -> float | None:
    """Return how alike two thresholds of other keys are, if they may be one (rule 2)."""
    share = likeness(was.title, now.title)
    same_domain = domains.same(was.domain, now.domain)
    same_sort, same_rule = same_subject(was.rule, now.rule), was.rule == now.rule
    return (
        share
        if (same_sort and same_domain and (share >= ALIKE or same_rule))
        or (share == 1 and (same_domain or same_sort))
        or (same_rule and share >= ALIKE)
        else None
    )


def alike_words(was: Keyed, now: Keyed) -> float | None:
    """Return how alike two other parts of other keys are, if they may be one (rule 2)."""
    share = likeness(said_of(was), said_of(now))
    return share if share >= ALIKE else None


def said_of(one: Keyed) -> str:
    """Return the words of a part."""
    return one.words if isinstance(one, Provision | Duty) else one.title


def same_keys(pairs: list[tuple[K | None, K | None]]) -> Keys:
    """Return which keys name the same, once parts are brought together."""
    both = frozenset((was.key, now.key) for was, now in pairs if was and now)
    return Keys(both, (frozenset(was for was, _ in both), frozenset(now for _, now in both)))


def key_of(one: Keyed | None) -> str | None:
    """Return the key of a part, if there is one."""
    return one.key if one else None


def both(pairs: list[tuple[K | None, K | None]]) -> list[tuple[K | None, K | None]]:
    """Return the pairs of which both are there."""
    return [(was, now) for was, now in pairs if was and now]


def only(pairs: list[tuple[K | None, K | None]], side: int) -> list[K]:
    """Return what only the older version has (0), or only the newer (1)."""
    return [one for pair in pairs if None in pair and (one := pair[side]) is not None]
