# SPDX-License-Identifier: Apache-2.0
"""What changed from one protocol to another, and which results remain comparable.

Results of two protocols are comparable where the same model was asked the same thing in the same
way and was scored by the same rules. Each change says how far that still holds for what both ask
for:

=============  =================================================================================
``all``        it holds for everything
``rest``       it does not hold for what the change names; for everything else it does
``rescored``   it holds once the answers that the change names are scored again by one rule
``none``       it holds for nothing
=============  =================================================================================

1. Words about the exercise (name, title, objectives, coordinator, participants, disclosure), and
   how it is planned and computed (digits, tolerance, estimands, comparison, precision, annotation,
   swaps, the share of controls to pass): ``all``. A finding has to be computed again.
2. A model, language or task that one of the two lacks: ``all``, for what both have is unchanged.
3. A model's provider or snapshot: ``rest``, without that model.
4. An item that one of the two lacks: ``rest``. Rates are over other items; compare the shared ones.
5. An item's wording in a language: ``rest``, without those items in that language. Private wordings
   are compared by their seals; where only one of the two is sealed, nobody can tell, and it counts
   as changed.
6. An item's role or sandbox files: ``rest``, without the item. Its approach: ``all``.
7. What a control item expects: ``rescored``, for that item.
8. How a wording came to be (translation status): ``all``.
9. A task's scorers (key, versions, rules or judge): ``rescored``, for that task.
10. A task's event or agent settings: ``rest``, without that task. Its risk category, title and the
    direction that is worse: ``all``, for the answers are the same.
11. A factor that one of the two lacks, its reference or the wording or number that a value stands
    for: ``rest``, without the tasks it applies to, or without the results under that value. A value
    that was added or taken out: ``all``.
12. Longest answer or nucleus sampling: ``none``. Retries: ``all``, but for counts of errors.
13. Epochs: ``all``, for those that both have.
14. Nothing of this, and yet the two are not the same: ``all`` where only the order of parts
    differs; else ``none``, for then a field differs that this version does not know.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel

from countermark.exercise.protocol.checks import all_scorers
from countermark.records.canonical import JsonValue, canonical
from countermark.records.protocol import Factor, Item, ItemText, ModelUnderTest, Protocol, Task

Keeps = Literal["all", "rest", "rescored", "none"]
ORDER: tuple[Keeps, ...] = ("all", "rescored", "rest", "none")
MOST_LISTED = 5
P = TypeVar("P", bound=BaseModel)

_WORDS = (
    ("name", "the name"),
    ("title", "the title"),
    ("objectives", "the objectives"),
    ("coordinator", "the coordinator"),
    ("participants", "the participants"),
    ("disclosure", "the plan for disclosure"),
    ("demonstration", "whether it is a demonstration"),
)
_COMPUTED = (
    ("significant_digits", "the digits of figures"),
    ("relative_tolerance", "the tolerance between figures"),
    ("estimands", "the estimands"),
    ("comparison", "how languages are compared"),
    ("swaps", "the swaps"),
)
_COMPUTED_OF_TASK = (
    ("control_minimum", "the share of controls to pass"),
    ("precision", "the planned precision"),
    ("annotation", "the annotation plan"),
    ("annotation_sets", "the labelled answers that the judge is validated against"),
    ("title", "the title"),
    ("risk", "the risk category"),
    ("worse", "which direction is worse"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed.

    Parameters
    ----------
    rule
        Number of the rule in the module docstring.
    place
        Which part of the protocol.
    what
        What changed, in words.
    then
        What that means for results, in words.
    keeps
        How far results remain comparable.
    """

    rule: int
    place: str
    what: str
    then: str
    keeps: Keeps


def protocol_changes(before: Protocol, after: Protocol) -> tuple[Change, ...]:
    """Return what changed, in the order of a protocol; nothing if the two are the same."""
    changes = tuple(_changes(before, after))
    # By what they say, not by their digests: two sealings of one content say the same.
    old, new = (one.model_dump(mode="json", exclude_none=True) for one in (before, after))
    if changes or old == new:
        return changes
    if _unordered(old) == _unordered(new):
        what, then = "only the order of its parts changed", "results are the same"
        return (Change(14, "protocol", what, then, "all"),)
    what = "a field that this version of Countermark does not know changed"
    then = "nobody can tell with this version; use the one that the protocol was frozen with"
    return (Change(14, "protocol", what, then, "none"),)


def _unordered(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _unordered(child) for name, child in value.items()}
    if isinstance(value, list):
        return sorted(map(_unordered, value), key=canonical)
    return value


def comparable(changes: Iterable[Change]) -> Keeps:
    """Return how far results remain comparable after all changes."""
    return max((change.keeps for change in changes), key=ORDER.index, default="all")


def _changes(before: Protocol, after: Protocol) -> Iterator[Change]:
    again = "results are the same; a finding has to be computed again"
    yield from _fields(before, after, _WORDS, "protocol", "results are the same")
    yield from _fields(before, after, _COMPUTED, "protocol", again)
    yield from _lists("model", "models", _by_key(before.models), _by_key(after.models))
    yield from _lists("language", "languages", before.languages, after.languages)
    yield from _lists("task", "tasks", _by_key(before.tasks), _by_key(after.tasks))
    for model, other_model in _both(before.models, after.models):
        yield from _model(model, other_model)
    languages = [language for language in before.languages if language in after.languages]
    for task, other_task in _both(before.tasks, after.tasks):
        yield from _task(task, other_task, languages)
    yield from _factors(before, after)
    yield from _settings(before, after)


def _fields(
    before: BaseModel, after: BaseModel, names: Iterable[tuple[str, str]], place: str, then: str
) -> Iterator[Change]:
    for name, words in names:
        if getattr(before, name) != getattr(after, name):
            yield Change(1, place, f"{words} changed", then, "all")


def _lists(place: str, many: str, before: Iterable[str], after: Iterable[str]) -> Iterator[Change]:
    then = f"results of all other {many} remain comparable"
    for gone in _without(before, after):
        yield Change(2, f"{place} {gone}", "was taken out", then, "all")
    for new in _without(after, before):
        yield Change(2, f"{place} {new}", "was added", then, "all")


def _without(these: Iterable[str], those: Iterable[str]) -> list[str]:
    known = set(those)
    return [one for one in these if one not in known]


def _by_key(parts: Iterable[P]) -> dict[str, P]:
    return {str(getattr(part, "key", "")): part for part in parts}


def _both(before: Iterable[P], after: Iterable[P]) -> Iterator[tuple[P, P]]:
    others = _by_key(after)
    return ((part, others[key]) for key, part in _by_key(before).items() if key in others)


def _model(before: ModelUnderTest, after: ModelUnderTest) -> Iterator[Change]:
    place = f"model {before.key}"
    if before.title != after.title:
        yield Change(1, place, "its title changed", "results are the same", "all")
    if (before.sealed is None) != (after.sealed is None):
        what = "is pseudonymous in one of the two: nobody can tell whether it is the same"
    elif before.sealed != after.sealed:
        what = "has another seal"
    elif (before.provider, before.snapshot) != (after.provider, after.snapshot):
        what = "is another provider's or another snapshot"
    else:
        return
    yield Change(3, place, what, "results of this model are not comparable", "rest")


def _task(before: Task, after: Task, languages: list[str]) -> Iterator[Change]:
    place = f"task {before.key}"
    again = "answers are the same; a finding has to be computed again"
    for change in _fields(before, after, _COMPUTED_OF_TASK, place, again):
        answers = ("the title", "the risk category", "which direction")
        yield Change(10, *_rest(change)) if change.what.startswith(answers) else change
    if before.event != after.event:
        then = "rates of this task count something else and are not comparable"
        yield Change(10, place, "what a score of 1 means changed", then, "rest")
    if before.agent != after.agent:
        then = "results of this task are not comparable"
        yield Change(10, place, "its scaffold, tools or limits changed", then, "rest")
    if before.scorer != after.scorer or all_scorers(before) != all_scorers(after):
        yield from _scorers(before, after, place)
    yield from _items(before, after, languages, place)


def _rest(change: Change) -> tuple[str, str, str, Keeps]:
    return change.place, change.what, "answers are the same", change.keeps


def _scorers(before: Task, after: Task, place: str) -> Iterator[Change]:
    old, new = (
        {
            f"{scorer.key} {version.version}": version.digest
            for scorer in all_scorers(task)
            for version in scorer.versions
        }
        for task in (before, after)
    )
    then = "rates of this task are not comparable until its answers are scored again by one rule"
    changed = [name for name in old if name in new and old[name] != new[name]]
    for name in changed:
        yield Change(9, place, f"the rules of scorer {name} changed", then, "rescored")
    for name in _without(old, new):
        yield Change(9, place, f"scorer {name} was taken out", then, "rescored")
    for name in _without(new, old):
        yield Change(9, place, f"scorer {name} was added", then, "rescored")
    if old == new:
        words = "what is said of its scorers, or their order, changed"
        yield Change(9, place, words, then, "rescored")


def _items(before: Task, after: Task, languages: list[str], place: str) -> Iterator[Change]:
    old, new = _by_key(before.items), _by_key(after.items)
    shared = [key for key in old if key in new]
    then = f"results of the {len(shared)} shared items remain comparable; rates over all do not"
    for keys, words in ((_without(old, new), "taken out"), (_without(new, old), "added")):
        if keys:
            yield Change(4, place, f"{_items_named(keys)} {words}", then, "rest")
    for test, rule, words, then_, keeps in _ITEM_RULES:
        keys = [key for key in shared if test(old[key], new[key])]
        if keys:
            yield Change(rule, place, f"{words} of {_items_named(keys)} changed", then_, keeps)
    for language in languages:
        yield from _texts(old, new, shared, language, f"{place} in {language}")


def _texts(
    old: Mapping[str, Item], new: Mapping[str, Item], shared: list[str], language: str, place: str
) -> Iterator[Change]:
    found: dict[str, list[str]] = {}
    for key in shared:
        kind = _text_change(old[key].text(language), new[key].text(language))
        if kind is not None:
            found.setdefault(kind, []).append(key)
    unchanged = len(shared) - sum(len(found.get(kind, [])) for kind in _REWORDED)
    for kind, (rule, keeps, then) in _TEXT_RULES.items():
        if kind in found:
            words = f"{kind} of {_items_named(found[kind])} changed"
            yield Change(rule, place, words, then.format(unchanged), keeps)


def _text_change(before: ItemText | None, after: ItemText | None) -> str | None:
    """Return what of a wording changed, as :data:`_TEXT_RULES` names it."""
    if before is None or after is None:
        return None if before is after else "the wording"
    if (before.sealed is None) != (after.sealed is None):
        return "the privacy"
    if before.sealed != after.sealed:
        return "the seal"
    if before.prompt != after.prompt:
        return "the wording"
    if before.expected != after.expected:
        return "the expected answer"
    return None if before.translation == after.translation else "the translation status"


def _factors(before: Protocol, after: Protocol) -> Iterator[Change]:
    old, new = _by_key(before.factors), _by_key(after.factors)
    for here, there, words in ((old, new, "was taken out"), (new, old, "was added")):
        for key in _without(here, there):
            then = f"results of {_applies(here[key])} are not comparable"
            yield Change(11, f"factor {key}", words, then, "rest")
    for factor, other in _both(before.factors, after.factors):
        yield from _factor(factor, other)


def _factor(before: Factor, after: Factor) -> Iterator[Change]:
    place = f"factor {before.key}"
    if before.title != after.title:
        yield Change(1, place, "its title changed", "results are the same", "all")
    if before.task != after.task:
        then = f"results of {_applies(before)} and of {_applies(after)} are not comparable"
        yield Change(11, place, "applies to another task", then, "rest")
    if before.reference != after.reference:
        what = f"its reference is {after.reference}, and was {before.reference}"
        then = f"reference arms of {_applies(before)} are not comparable; equal values are"
        yield Change(11, place, what, then, "rest")
    values, others = ({lv.value: lv for lv in factor.levels} for factor in (before, after))
    for here, there, words in ((values, others, "taken out"), (others, values, "added")):
        for value in _without(here, there):
            then = "results under the other values remain comparable"
            yield Change(11, place, f"the value {value} was {words}", then, "all")
    for value, level in values.items():
        if value in others and level != others[value]:
            then = f"results of {_applies(before)} under {value} are not comparable"
            yield Change(11, place, f"what {value} stands for changed", then, "rest")


def _applies(factor: Factor) -> str:
    return "all tasks" if factor.task is None else f"the task {factor.task}"


def _settings(before: Protocol, after: Protocol) -> Iterator[Change]:
    old, new = before.generation, after.generation
    if (old.max_tokens, old.top_p) != (new.max_tokens, new.top_p):
        what = "the longest answer or nucleus sampling changed"
        yield Change(12, "generation", what, "no results are comparable", "none")
    if old.retries != new.retries:
        then = "results are comparable, but counts of errors are not"
        yield Change(12, "generation", "the number of retries changed", then, "all")
    if before.epochs != after.epochs:
        what = f"each item is asked {after.epochs} times, and was {before.epochs}"
        then = f"the first {min(before.epochs, after.epochs)} epochs remain comparable"
        yield Change(13, "epochs", what, then, "all")


def _items_named(keys: list[str]) -> str:
    more = f" and {len(keys) - MOST_LISTED} more" if len(keys) > MOST_LISTED else ""
    return f"{len(keys)} item{'s' * (len(keys) > 1)} ({', '.join(keys[:MOST_LISTED])}{more})"


_ItemRule = tuple[Callable[[Item, Item], bool], int, str, str, Keeps]
_NOT = "results of these items are not comparable"
_ITEM_RULES: tuple[_ItemRule, ...] = (
    (lambda old, new: old.role != new.role, 6, "the role", _NOT, "rest"),
    (lambda old, new: old.files != new.files, 6, "the sandbox files", _NOT, "rest"),
    (
        lambda old, new: old.approach != new.approach,
        6,
        "the approach",
        "answers are the same; rates by approach are over other items",
        "all",
    ),
)
_REWORDED = ("the wording", "the seal", "the privacy")
_UNCHANGED = "results of the {} unchanged items in this language remain comparable"
_TEXT_RULES: dict[str, tuple[int, Keeps, str]] = {
    "the wording": (5, "rest", _UNCHANGED),
    "the seal": (5, "rest", _UNCHANGED),
    "the privacy": (5, "rest", "nobody can tell whether it is the same; " + _UNCHANGED),
    "the expected answer": (7, "rescored", "answers are comparable once they are scored again"),
    "the translation status": (8, "all", "results are the same"),
}
