# SPDX-License-Identifier: Apache-2.0
"""A protocol as its authors write it: a folder, checked and joined into one frozen protocol.

::

    protocol.yaml                       everything but the items
    items/<task>.<language>.jsonl       one item a line: key, role, approach, prompt, expected
    labelled/<task>.<language>.jsonl    one labelled answer a line: key, prompt, answer, label

The rules; a broken one is an error that names the file, the line and the key:

1. ``protocol.yaml`` is strict YAML (see :mod:`countermark.exercise.yaml_reading`) of format 1, and
   has no field that a protocol does not have.
2. Every language is a known language tag; no language and no task is named twice.
3. Every task has an item file in every language, and the two folders hold no other file.
4. A line is one strict JSON object with known fields; no key stands in two lines of a file.
5. A task's items have the same keys in every language, each with the same role and approach.
6. A control item says what it expects; a test item does not.
7. The reference of a factor is one of its levels, the task it names exists, and a wording exists in
   every language, with no placeholder but ``{secret}``.
8. Labelled answers belong to a task whose ``labelled`` entry says who labelled them and how they
   were chosen. A language may have none.

Whether a risk code is known, and whether this software has the scorers, is for the caller to ask.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from countermark.exercise.authoring_lines import (
    ItemLine,
    LabelledBy,
    LabelledLine,
    Placed,
    parse,
    read_bytes,
    read_lines,
)
from countermark.exercise.prompting import SECRET
from countermark.exercise.yaml_reading import read_yaml_object
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError
from countermark.records.evidence import AnnotationSet, LabelledAnswer
from countermark.records.protocol import Factor, Protocol
from countermark.taxonomy.languages import language as known_language
from countermark.taxonomy.reading import refuse_unknown

FORMAT = 1
PROTOCOL_FILE = "protocol.yaml"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}?|\}")

ItemFiles = Mapping[str, dict[str, Placed[ItemLine]]]


@dataclass(frozen=True, slots=True)
class _Draft:
    """What ``protocol.yaml`` says, before its tasks have their items."""

    file: Path
    value: dict[str, JsonValue]
    languages: tuple[str, ...]
    tasks: dict[str, dict[str, JsonValue]]

    def path(self, folder: str, task: str, language: str) -> Path:
        return self.file.parent / folder / f"{task}.{language}.jsonl"


def read_folder(folder: Path) -> tuple[Protocol, tuple[AnnotationSet, ...]]:
    """Read a protocol folder.

    Parameters
    ----------
    folder
        The folder that holds ``protocol.yaml``.

    Returns
    -------
    tuple
        The protocol, and the sets of labelled answers whose digests it names: by task, then by
        language, in the protocol's order.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    draft = _read_draft(folder / PROTOCOL_FILE)
    _check_files(draft)
    sets: list[AnnotationSet] = []
    tasks: list[JsonValue] = []
    for key, task in draft.tasks.items():
        labelled = _annotation_sets(draft, key)
        sets.extend(labelled)
        tasks.append(
            {name: field for name, field in task.items() if name != "labelled"}
            | {
                "annotation_sets": [found.digest for found in labelled],
                "items": _items(draft, key),
            }
        )
    where = str(draft.file)
    protocol = Protocol.from_value(draft.value | {"tasks": tasks}, where=where)
    refuse_unknown(protocol, where=where)
    for factor in protocol.factors:
        _check_factor(factor, protocol, where)
    return protocol, tuple(sets)


def _read_draft(file: Path) -> _Draft:
    where = str(file)
    value = read_yaml_object(read_bytes(file), where=where)
    made_for = value.pop("format", None)
    if made_for != FORMAT:
        raise InputError(
            f"is a protocol folder of format {made_for!r}, and this version reads {FORMAT}",
            where=where,
            next_step=f"Write 'format: {FORMAT}' if that is what it is; else use the Countermark "
            "that the folder was written for.",
        )
    languages = _names(value.get("languages"), "languages", where)
    for language in languages:
        known_language(language, where=f"{where}, languages")
    tasks = value.get("tasks")
    if not isinstance(tasks, list) or not tasks:
        _refuse("has no list of tasks", where, "List at least one task under 'tasks'.")
    entries = [task if isinstance(task, dict) else {} for task in tasks]
    keys = _names([entry.get("key") for entry in entries], "tasks (their keys)", where)
    for key, entry in zip(keys, entries, strict=True):
        for name in ("items", "annotation_sets"):
            if name in entry:
                _refuse(
                    f"task {key}: says {name!r}, which come from the files of the folder",
                    where,
                    "Write items into items/ and labelled answers into labelled/.",
                )
    stated: dict[str, JsonValue] = {"kind": "protocol", "version": 1}
    stated |= value
    return _Draft(file, stated, languages, dict(zip(keys, entries, strict=True)))


def _names(value: JsonValue, what: str, where: str) -> tuple[str, ...]:
    names = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or not names or len(names) != len(value):
        _refuse(f"{what}: is no list of texts", where, f"Write {what} as a list of texts.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        _refuse(f"{what}: names {twice!r} twice", where, "Take one of the two out.")
    return tuple(names)


def _check_files(draft: _Draft) -> None:
    for folder in ("items", "labelled"):
        expected = {
            draft.path(folder, task, language)
            for task in draft.tasks
            for language in draft.languages
        }
        for found in sorted((draft.file.parent / folder).glob("*")):
            if found not in expected:
                _refuse(
                    "is the file of no task and language of this protocol",
                    str(found),
                    f"Name it <task>.<language>.jsonl after {PROTOCOL_FILE}, or take it away.",
                )


def _items(draft: _Draft, task: str) -> list[JsonValue]:
    files = {
        language: read_lines(ItemLine, draft.path("items", task, language))
        for language in draft.languages
    }
    first, *others = draft.languages
    for language in others:
        _check_same(draft, task, files, first, language)
        _check_same(draft, task, files, language, first)
    return [
        {
            "key": key,
            "role": placed.line.role,
            "approach": placed.line.approach,
            "texts": [_text(language, files[language][key]) for language in draft.languages],
        }
        for key, placed in files[first].items()
    ]


def _check_same(draft: _Draft, task: str, files: ItemFiles, one: str, other: str) -> None:
    """Check that each item in language ``one`` is there in ``other``, and is the same item."""
    for key, placed in files[one].items():
        counterpart = files[other].get(key)
        if counterpart is None:
            _refuse(
                f"lacks the item {key!r}, which stands at {placed.where}",
                str(draft.path("items", task, other)),
                "Translate the item, or take it out of every language.",
            )
        for field in ("role", "approach"):
            ours, theirs = getattr(placed.line, field), getattr(counterpart.line, field)
            if ours != theirs:
                _refuse(
                    f"the item {key!r} has the {field} {theirs!r}, but {ours!r} at {placed.where}",
                    counterpart.where,
                    f"Give the item one {field} in every language.",
                )


def _text(language: str, placed: Placed[ItemLine]) -> JsonValue:
    line = placed.line
    if line.role == "control" and line.expected is None:
        _refuse(
            f"the control item {line.key!r} does not say what it expects",
            placed.where,
            "Add 'expected': what a right answer holds, in this language.",
        )
    if line.role == "test" and line.expected is not None:
        _refuse(
            f"the test item {line.key!r} says what it expects, which only control items do",
            placed.where,
            "Take 'expected' out, or make the item a control item in every language.",
        )
    text: dict[str, JsonValue] = {"language": language, "prompt": line.prompt}
    return text if line.expected is None else text | {"expected": line.expected}


def _annotation_sets(draft: _Draft, task: str) -> tuple[AnnotationSet, ...]:
    described = draft.tasks[task].get("labelled")
    files = {
        language: path
        for language in draft.languages
        if (path := draft.path("labelled", task, language)).exists()
    }
    where = f"{draft.file}, task {task}"
    if not isinstance(described, dict):
        if files:
            _refuse(
                "does not say who labelled the answers in labelled/",
                where,
                "Add 'labelled' with title, labelled_by and sampling to the task.",
            )
        return ()
    if not files:
        _refuse("says who labelled answers, and there are none", where, "Add them to labelled/.")
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


def _check_factor(factor: Factor, protocol: Protocol, where: str) -> None:
    place = f"{where}, factor {factor.key}"
    values = [level.value for level in factor.levels]
    if factor.reference not in values:
        _refuse(
            f"has the reference {factor.reference!r}, which is none of its levels",
            place,
            "Use one of: " + ", ".join(values) + ".",
        )
    if factor.task is not None and protocol.task(factor.task) is None:
        _refuse(
            f"is for the task {factor.task!r}, which the protocol does not have",
            place,
            "Use one of: " + ", ".join(task.key for task in protocol.tasks) + ".",
        )
    for level in factor.levels:
        if level.texts is None:
            continue
        for language in protocol.languages:
            wording = level.text(language)
            if wording is None:
                _refuse(
                    f"has no wording in {language!r}",
                    f"{place}, value {level.value}",
                    "Write it: a factor that is a text needs one in every language.",
                )
            _check_placeholders(wording, f"{place}, value {level.value}, {language}")


def _check_placeholders(wording: str, where: str) -> None:
    other = next((found for found in _PLACEHOLDER.findall(wording) if found != SECRET), None)
    if other is not None:
        _refuse(
            f"has the placeholder {other!r}, which nothing fills",
            where,
            f"The only placeholder is {SECRET}.",
        )


def _refuse(what: str, where: str, next_step: str) -> NoReturn:
    raise InputError(what, where=where, next_step=next_step)
