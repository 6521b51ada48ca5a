# SPDX-License-Identifier: Apache-2.0
"""A protocol folder as a lint reads it: whatever is there, though freezing would refuse it.

``protocol.yaml`` is read strictly, since a reader that guesses would guess wrong; if it cannot be
read, tasks and languages are taken from the names of the item files.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from pydantic import ValidationError

from countermark.exercise.authoring_draft import PROTOCOL_FILE
from countermark.exercise.authoring_lines import ItemLine
from countermark.exercise.lint.model import Fault, Item, ItemFile, LintSet, Precision, text_of
from countermark.exercise.lint.tolerant import (
    Element,
    Faults,
    read_json_lines,
    read_table,
    read_text,
)
from countermark.exercise.lint.wording import printable
from countermark.exercise.yaml_reading import read_yaml_object
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError

_SUFFIXES = (".jsonl", ".csv")
_COMPARED = ("role", "approach")
_LINE = re.compile(r":(\d+):\d+$")


def read_protocol_folder(folder: Path) -> LintSet:
    """Read what there is of a protocol folder."""
    value, faults = _described(folder)
    tasks, risks = _tasks(value)
    languages = _texts(value.get("languages"))
    files: list[ItemFile] = []
    for path in _files(folder, faults):
        shown = f"items/{printable(path.name)}"
        task, code, _ = path.name.rsplit(".", 2)
        if tasks and task not in tasks:
            faults.append(
                Fault(
                    "stray",
                    shown,
                    f"belongs to the task {printable(task)!r}, which {PROTOCOL_FILE} does not have",
                    "Add the task, or take the file away.",
                )
            )
        elif languages and code not in languages:
            faults.append(
                Fault(
                    "stray",
                    shown,
                    f"is in {printable(code)!r}, which {PROTOCOL_FILE} does not list",
                    "List the language, or take the file away.",
                )
            )
        files.append(read_item_file(path, shown, faults))
    return LintSet(
        format="protocol",
        root=str(folder),
        files=tuple(files),
        faults=tuple(faults),
        languages=tuple(languages),
        tasks=tuple(tasks),
        risks=tuple(risks.items()),
        precision=_precision(value),
        task_precisions=tuple(_task_precisions(value)),
    )


def read_item_file(path: Path, shown: str, faults: list[Fault]) -> ItemFile:
    """Read one file of items, named ``<task>.<language>.jsonl`` or ``.csv``."""
    task, code, *_ = (
        [*path.name.split("."), "", ""] if path.name.count(".") < 2 else (path.name.rsplit(".", 2))
    )
    mine = Faults(shown)
    text = read_text(path, mine)
    items: tuple[Item, ...] = ()
    if text is not None:
        rows = read_table if path.suffix == ".csv" else read_json_lines
        items = tuple(_item(element, mine) for element in rows(text, mine))
        if not items and not mine.found:
            mine.unreadable("holds no item", "Write at least one, or take the file away.")
    faults.extend(mine.found)
    return ItemFile(shown, printable(task), printable(code) or None, items)


def _item(element: Element, faults: Faults) -> Item:
    value = element.value
    key = text_of(value.get("key")) or None
    try:
        line = ItemLine.model_validate(value)
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            name = printable(".".join(str(step) for step in wrong["loc"]))[:60]
            faults.shape(
                f"the field {name!r}: {wrong['msg'][:200]}",
                "An item has the fields " + ", ".join(ItemLine.model_fields) + ".",
                element.line,
                key,
            )
    else:
        if line.role == "control" and line.expected is None:
            faults.shape(
                "the control item does not say what it expects",
                "Add 'expected': what a right answer holds, in this language.",
                element.line,
                key,
            )
        if line.role == "test" and line.expected is not None:
            faults.shape(
                "the test item says what it expects, which only control items do",
                "Take 'expected' out, or make it a control item in every language.",
                element.line,
                key,
            )
    return Item(
        key=key,
        text=text_of(value.get("prompt")),
        target=text_of(value.get("expected")) or None,
        fields=tuple(
            (name, text_of(value[name])) for name in _COMPARED if text_of(value.get(name))
        ),
        line=element.line,
        start=element.start,
        end=element.end,
    )


def _described(folder: Path) -> tuple[dict[str, JsonValue], list[Fault]]:
    mine = Faults(PROTOCOL_FILE)
    text = read_text(folder / PROTOCOL_FILE, mine)
    if text is None:
        return {}, mine.found
    try:
        return read_yaml_object(text.encode(), where=PROTOCOL_FILE), mine.found
    except InputError as error:
        line = _LINE.search(error.where or "")
        mine.unreadable(error.what, error.next_step, int(line[1]) if line else None)
        return {}, mine.found


def _tasks(value: dict[str, JsonValue]) -> tuple[list[str], dict[str, str]]:
    listed = value.get("tasks")
    entries = (
        [task for task in listed if isinstance(task, dict)] if isinstance(listed, list) else []
    )
    risks = {text_of(task.get("key")): text_of(task.get("risk")) for task in entries}
    return [key for key in risks if key], {key: risk for key, risk in risks.items() if key}


def _texts(value: JsonValue) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _precision(value: dict[str, JsonValue]) -> Precision | None:
    """Return what the protocol says of precision: the margin by which it compares languages."""
    comparison = value.get("comparison")
    margin = comparison.get("margin") if isinstance(comparison, dict) else None
    if not _is_share(margin):
        return None
    labs, epochs = _size(value)
    said = f"the margin {margin:g} by which languages are compared"
    return Precision(half_width=margin, level=0.95, labs=labs, epochs=epochs, said=said)


def _task_precisions(value: dict[str, JsonValue]) -> Iterator[tuple[str, Precision]]:
    """Yield what single tasks say of precision."""
    tasks = value.get("tasks")
    labs, epochs = _size(value)
    for task in tasks if isinstance(tasks, list) else ():
        own = task.get("precision") if isinstance(task, dict) else None
        if not isinstance(task, dict) or not isinstance(own, dict):
            continue
        half_width, level, rate = (
            own.get(name) for name in ("half_width", "level", "expected_rate")
        )
        if _is_share(half_width) and _is_share(level) and _is_share(rate):
            key = text_of(task.get("key"))
            said = f"the precision that {PROTOCOL_FILE} declares of {printable(key)}"
            yield key, Precision(half_width, level, labs, epochs, said, rate)


def _is_share(value: JsonValue) -> TypeGuard[float]:
    return isinstance(value, float) and 0 < value < 1


def _size(value: dict[str, JsonValue]) -> tuple[int, int]:
    """Return how many labs and epochs a protocol plans, as far as it says so."""
    labs, epochs = value.get("participants"), value.get("epochs")
    return (
        max(2, len(labs)) if isinstance(labs, list) else 2,
        epochs if isinstance(epochs, int) and 0 < epochs <= 1000 else 1,
    )


def _files(folder: Path, faults: list[Fault]) -> Iterator[Path]:
    """Yield the item files, by name; what is no item file becomes a fault."""
    items = folder / "items"
    found = sorted(items.iterdir()) if items.is_dir() and not items.is_symlink() else []
    if not found:
        faults.append(
            Fault(
                "unreadable", "items", "there are no items", "Write items/<task>.<language>.jsonl."
            )
        )
    for path in found:
        shown = f"items/{printable(path.name)}"
        if shown != f"items/{path.name}":
            faults.append(
                Fault(
                    "unsafe-name",
                    shown,
                    "has control characters in its name",
                    "Rename it; it was not read.",
                )
            )
        elif path.suffix in _SUFFIXES and path.name.count(".") >= 2:
            yield path
        else:
            faults.append(
                Fault(
                    "stray",
                    shown,
                    "is no file of items",
                    "Name it <task>.<language>.jsonl or .csv, or take it away.",
                )
            )
