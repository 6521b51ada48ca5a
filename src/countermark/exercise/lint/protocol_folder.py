# SPDX-License-Identifier: Apache-2.0
"""A protocol folder as a lint reads it: whatever is there, though freezing would refuse it.

``protocol.yaml`` is read strictly, since a reader that guesses would guess wrong; if it cannot be
read, tasks and languages are taken from the names of the item files.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeGuard

from pydantic import BaseModel, ValidationError

from countermark.exercise.authoring.draft import PROTOCOL_FILE
from countermark.exercise.authoring.lines import ItemLine, LabelledLine
from countermark.exercise.authoring.yaml_reading import read_yaml_object
from countermark.exercise.lint.model import Fault, Item, ItemFile, LintSet, Precision, text_of
from countermark.exercise.lint.tolerant import (
    MAX_BYTES,
    Element,
    Faults,
    check_size,
    read_json_lines,
    read_table,
    read_text,
)
from countermark.exercise.lint.wording import printable
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError

_SUFFIXES = (".jsonl", ".csv")
_COMPARED = ("role", "approach")
_LABELS = frozenset({"true", "false"})
_LINE = re.compile(r":(\d+):\d+$")


def read_protocol_folder(folder: Path) -> LintSet:
    """Read what there is of a protocol folder.

    Raises
    ------
    InputError
        If its files together would not fit in memory as they are held there.
    """
    value, faults = _described(folder)
    tasks, risks = _tasks(value)
    languages = _texts(value.get("languages"))
    items, labelled = (
        list(_files(folder, "items", faults)),
        list(_files(folder, "labelled", faults)),
    )
    check_size((*items, *labelled), folder, MAX_BYTES)
    for path in (*items, *labelled):
        _declared(path, tasks, languages, faults)
    return LintSet(
        format="protocol",
        root=str(folder),
        files=tuple(read_item_file(path, _shown(path), faults) for path in items),
        labelled=tuple(_read_lines(path, _shown(path), faults, _labelled) for path in labelled),
        faults=tuple(faults),
        languages=tuple(languages),
        tasks=tuple(tasks),
        risks=tuple(risks.items()),
        precision=_precision(value),
        task_precisions=tuple(_task_precisions(value)),
    )


def read_item_files(paths: Sequence[Path]) -> LintSet:
    """Read files of items of one folder."""
    faults: list[Fault] = []
    check_size(paths, paths[0].parent, MAX_BYTES)
    files = tuple(read_item_file(path, printable(path.name), faults) for path in paths)
    return LintSet("protocol", str(paths[0].parent), files, tuple(faults))


def _declared(path: Path, tasks: list[str], languages: list[str], faults: list[Fault]) -> None:
    """Add a fault for a file whose task or language the protocol does not have."""
    task, code, _ = path.name.rsplit(".", 2)
    if tasks and task not in tasks:
        said = f"belongs to the task {printable(task)!r}, which {PROTOCOL_FILE} does not have"
        faults.append(Fault("stray", _shown(path), said, "Add the task, or take the file away."))
    elif languages and code not in languages:
        said = f"is in {printable(code)!r}, which {PROTOCOL_FILE} does not list"
        advice = "List the language, or take the file away."
        faults.append(Fault("stray", _shown(path), said, advice))


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{printable(path.name)}"


def read_item_file(path: Path, shown: str, faults: list[Fault]) -> ItemFile:
    """Read one file of items, named ``<task>.<language>.jsonl`` or ``.csv``."""
    return _read_lines(path, shown, faults, _item)


def _read_lines(
    path: Path, shown: str, faults: list[Fault], item: Callable[[Element, Faults], Item]
) -> ItemFile:
    task, code, *_ = (
        [*path.name.split("."), "", ""] if path.name.count(".") < 2 else (path.name.rsplit(".", 2))
    )
    mine = Faults(shown)
    text = read_text(path, mine)
    items: tuple[Item, ...] = ()
    if text is not None:
        rows = read_table if path.suffix == ".csv" else read_json_lines
        items = tuple(item(element, mine) for element in rows(text, mine))
        if not items and not mine.found:
            mine.unreadable("holds no line", "Write at least one, or take the file away.")
    faults.extend(mine.found)
    return ItemFile(shown, printable(task), printable(code) or None, items)


def _shape(error: ValidationError, of: type[BaseModel], element: Element, faults: Faults) -> None:
    """Add a fault for each field that is not as a line has it."""
    for wrong in error.errors(include_url=False, include_input=False):
        name = printable(".".join(str(step) for step in wrong["loc"]))[:60]
        faults.shape(
            f"the field {name!r}: {wrong['msg'][:200]}",
            "A line has the fields " + ", ".join(of.model_fields) + ".",
            element.line,
            text_of(element.value.get("key")) or None,
        )


def _labelled(element: Element, faults: Faults) -> Item:
    """Return a labelled answer as an item: its label is the target."""
    value = dict(element.value)
    label = value.get("label")
    if isinstance(label, str) and label.casefold() in _LABELS:
        value["label"] = label.casefold() == "true"  # a table has no other way to say it
    try:
        LabelledLine.model_validate(value)
    except ValidationError as error:
        _shape(error, LabelledLine, element, faults)
    return Item(
        key=text_of(value.get("key")) or None,
        text=text_of(value.get("prompt")),
        target=str(value["label"]).casefold() if isinstance(value.get("label"), bool) else None,
        fields=(("answer", text_of(value.get("answer"))),),
        line=element.line,
        start=element.start,
        end=element.end,
    )


def _item(element: Element, faults: Faults) -> Item:
    value = element.value
    key = text_of(value.get("key")) or None
    try:
        line = ItemLine.model_validate(value)
    except ValidationError as error:
        _shape(error, ItemLine, element, faults)
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


def _files(folder: Path, name: str, faults: list[Fault]) -> Iterator[Path]:
    """Yield the files of items or of labelled answers, by name; what is none becomes a fault."""
    inner = folder / name
    found = sorted(inner.iterdir()) if inner.is_dir() and not inner.is_symlink() else []
    if not found and name == "items":
        advice = "Write items/<task>.<language>.jsonl."
        faults.append(Fault("unreadable", name, "there are no items", advice))
    for path in found:
        shown = _shown(path)
        if shown != f"{name}/{path.name}":
            said = "has control characters in its name"
            faults.append(Fault("unsafe-name", shown, said, "Rename it; it was not read."))
        elif path.suffix in _SUFFIXES and path.name.count(".") >= 2:
            yield path
        else:
            said = "is no file of items" if name == "items" else "is no file of labelled answers"
            advice = "Name it <task>.<language>.jsonl or .csv, or take it away."
            faults.append(Fault("stray", shown, said, advice))
