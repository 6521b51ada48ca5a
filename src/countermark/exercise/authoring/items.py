# SPDX-License-Identifier: Apache-2.0
"""A task's items, labelled answers and guidelines, joined from the files of a protocol folder.

The rules that are kept here are 5, 6, 8 and 11 to 14 of :mod:`.folder`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from countermark.exercise.authoring.draft import Draft, check_stray, flag, refuse
from countermark.exercise.authoring.lines import (
    ItemLine,
    LabelledBy,
    LabelledLine,
    Placed,
    TranslationLine,
    parse,
    read_lines,
)
from countermark.exercise.authoring.parts import FILES, GUIDELINES, guidelines, sandbox_files
from countermark.records.canonical import JsonValue
from countermark.records.evidence import AnnotationSet, LabelledAnswer

ItemFiles = Mapping[str, dict[str, Placed[ItemLine]]]


def annotation_plan(draft: Draft, task: str) -> dict[str, JsonValue]:
    """Return a task's annotation plan with its guidelines, if it has one (rule 11)."""
    plan = draft.tasks[task].get("annotation")
    if not isinstance(plan, dict):
        return {}
    where = f"{draft.file}, task {task}, annotation"
    if "guidelines" in plan:
        refuse(
            "says guidelines, which come from the files of the folder",
            where,
            f"Write them into {GUIDELINES}/{task}.<language>.md.",
        )
    told = guidelines(draft.folder, task, draft.languages)
    if not told:
        refuse(
            "has no guidelines",
            where,
            f"Write them into {GUIDELINES}/{task}.<language>.md, in at least one language.",
        )
    return {"annotation": plan | {"guidelines": told}}


def _translations(draft: Draft, task: str) -> dict[str, TranslationLine]:
    said = draft.tasks[task].get("translation", {})
    where = f"{draft.file}, task {task}, translation"
    if not isinstance(said, dict):
        refuse("is no mapping", where, "Write, for each language: {status, by, reviewed_by}.")
    unknown = next((language for language in said if language not in draft.languages), None)
    if unknown is not None:
        refuse(
            f"names {unknown!r}, which is no language of the protocol",
            where,
            f"Use: {', '.join(draft.languages)}.",
        )
    return {
        language: parse(
            TranslationLine, entry if isinstance(entry, dict) else {}, where=f"{where}, {language}"
        )
        for language, entry in said.items()
    }


def items_of(draft: Draft, task: str) -> tuple[list[JsonValue], list[str]]:
    """Return a task's items, and the keys of those that are private."""
    files = {
        language: read_lines(ItemLine, draft.path("items", task, language))
        for language in draft.languages
    }
    first, *others = draft.languages
    for language in others:
        _check_same(draft, task, files, first, language)
        _check_same(draft, task, files, language, first)
    check_stray(draft, f"{FILES}/{task}", _item_folders(draft, task, files[first]))
    translations = _translations(draft, task)
    whole = flag(draft.tasks[task], "private", f"{draft.file}, task {task}")
    items: list[JsonValue] = []
    for key, placed in files[first].items():
        item: dict[str, JsonValue] = {
            "key": key,
            "role": placed.line.role,
            "approach": placed.line.approach,
            "texts": [
                _text(language, files[language][key], translations.get(language))
                for language in draft.languages
            ],
        }
        lying = sandbox_files(draft.folder, task, key)
        items.append(item | ({"files": lying} if lying else {}))
    return items, [key for key, placed in files[first].items() if whole or placed.line.private]


def _item_folders(draft: Draft, task: str, items: Iterable[str]) -> frozenset[Path]:
    return frozenset(draft.folder / FILES / task / item for item in items)


def _check_same(draft: Draft, task: str, files: ItemFiles, one: str, other: str) -> None:
    """Check that each item in language ``one`` is there in ``other``, and is the same item."""
    for key, placed in files[one].items():
        counterpart = files[other].get(key)
        if counterpart is None:
            refuse(
                f"lacks the item {key!r}, which stands at {placed.where}",
                str(draft.path("items", task, other)),
                "Translate the item, or take it out of every language.",
            )
        for field in ("role", "approach", "private"):
            ours, theirs = getattr(placed.line, field), getattr(counterpart.line, field)
            if ours != theirs:
                refuse(
                    f"the item {key!r} has the {field} {theirs!r}, but {ours!r} at {placed.where}",
                    counterpart.where,
                    f"Give the item one {field} in every language.",
                )


def _text(
    language: str, placed: Placed[ItemLine], of_the_file: TranslationLine | None
) -> JsonValue:
    line = placed.line
    if line.role == "control" and line.expected is None:
        refuse(
            f"the control item {line.key!r} does not say what it expects",
            placed.where,
            "Add 'expected': what a right answer holds, in this language.",
        )
    if line.role == "test" and line.expected is not None:
        refuse(
            f"the test item {line.key!r} says what it expects, which only control items do",
            placed.where,
            "Take 'expected' out, or make the item a control item in every language.",
        )
    text: dict[str, JsonValue] = {"language": language, "prompt": line.prompt}
    if line.expected is not None:
        text["expected"] = line.expected
    translation = line.translation or of_the_file
    if translation is not None:
        text["translation"] = translation.model_dump(mode="json", exclude_none=True)
    return text


def annotation_sets(draft: Draft, task: str) -> tuple[AnnotationSet, ...]:
    """Return a task's labelled answers, one set a language (rule 8)."""
    described = draft.tasks[task].get("labelled")
    files = {
        language: path
        for language in draft.languages
        if (path := draft.path("labelled", task, language)).exists()
    }
    where = f"{draft.file}, task {task}"
    if not isinstance(described, dict):
        if files:
            refuse(
                "does not say who labelled the answers in labelled/",
                where,
                "Add 'labelled' with title, labelled_by and sampling to the task.",
            )
        return ()
    if not files:
        refuse("says who labelled answers, and there are none", where, "Add them to labelled/.")
    by = parse(LabelledBy, described, where=f"{where}, labelled")
    return tuple(
        AnnotationSet(
            title=by.title,
            task=task,
            language=language,
            labelled_by=by.labelled_by,
            sampling=by.sampling,
            answers=tuple(
                LabelledAnswer(**placed.line.model_dump())
                for placed in read_lines(LabelledLine, path).values()
            ),
        )
        for language, path in files.items()
    )
