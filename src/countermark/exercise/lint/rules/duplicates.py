# SPDX-License-Identifier: Apache-2.0
"""L30 to L32: items that are one item more than once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from countermark.exercise.lint.finding import Finding, Rule
from countermark.exercise.lint.matching import counterparts
from countermark.exercise.lint.model import Item, ItemFile, LintSet
from countermark.exercise.lint.neighbours import NEAR, near_pairs
from countermark.exercise.lint.wording import folded, printable

DUPLICATE_HERE = Rule(
    "L30", "duplicate-in-one-language", "error", "Items that differ elsewhere are the same here."
)
DUPLICATE = Rule("L31", "duplicate-item", "warning", "Items of a file have the same text.")
NEAR_DUPLICATE = Rule("L32", "near-duplicate", "note", "Items of a file are nearly the same.")
RULES = (DUPLICATE_HERE, DUPLICATE, NEAR_DUPLICATE)


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield texts that stand twice in a file, and pairs that are near."""
    sources = {other.path: source for source, other in lint.pairs()}
    siblings = {
        source.path: [other for other in files if other is not source]
        for files in lint.by_task.values()
        for source in files
    }
    near: dict[str, frozenset[frozenset[str | None]]] = {}
    # The source comes first, so that its near pairs are known when its translations are read.
    for file in sorted(lint.files, key=lambda file: file.path in sources):
        texts = file.folded
        source = sources.get(file.path)
        yield from _same(file, texts, [source] if source else siblings.get(file.path, []))
        yield from _near(file, texts, source, near)


def _same(file: ItemFile, texts: tuple[str, ...], others: list[ItemFile]) -> Iterator[Finding]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        if text:
            places[text].append(place)
    for group in places.values():
        if len(group) < 2:
            continue
        first, last = file.items[group[0]], file.items[group[1]]
        apart = next((other for other in others if _differ(file, group, other)), None)
        shown = ", ".join(printable(file.items[place].key or "?") for place in group[:5])
        yield Finding(
            DUPLICATE_HERE if apart else DUPLICATE,
            file.path,
            f"the items {shown} have the same text (line {first.line})"
            + (f", and differ in {apart.code}" if apart else ""),
            "Translate each on its own."
            if apart
            else "Keep one: a text that counts twice weighs twice, and makes intervals too narrow.",
            line=last.line,
            key=last.key,
            language=file.code,
        )


def _differ(file: ItemFile, group: list[int], other: ItemFile) -> bool:
    matched = counterparts(file, other)
    texts = {folded(matched[place].text) for place in group if place in matched}
    return len(texts) > 1


def _near(
    file: ItemFile,
    texts: tuple[str, ...],
    source: ItemFile | None,
    known: dict[str, frozenset[frozenset[str | None]]],
) -> Iterator[Finding]:
    pairs = list(near_pairs(texts))
    known[file.path] = frozenset(
        frozenset((file.items[one].key, file.items[other].key)) for one, other, _ in pairs
    )
    if source is not None:
        matched: Mapping[int, Item] = counterparts(file, source)
        there = known.get(source.path, frozenset())
        pairs = [
            (one, other, score)
            for one, other, score in pairs
            if one in matched
            and other in matched
            and frozenset((matched[one].key, matched[other].key)) not in there
        ]
    if not pairs:
        return
    one, other, score = max(pairs, key=lambda pair: pair[2])
    yield Finding(
        NEAR_DUPLICATE,
        file.path,
        f"{len(pairs)} pairs of texts share at least {NEAR:.0%} of their runs of characters"
        + (f", and do not in {source.code}" if source else "")
        + f"; the nearest ({score:.0%}): {printable(file.items[one].key or '?')} and "
        f"{printable(file.items[other].key or '?')}",
        "Check that they are meant to be two items.",
        line=file.items[other].line,
        key=file.items[other].key,
        language=file.code,
    )
