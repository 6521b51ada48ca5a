# SPDX-License-Identifier: Apache-2.0
"""The common form of what is linted, so that rules need not know whose files they look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from countermark.exercise.lint.wording import folded, plain
from countermark.records.canonical import JsonValue
from countermark.taxonomy.languages import LanguageTagError, commonly_meant, language

Format = Literal["protocol", "moonshot"]
FaultKind = Literal["unreadable", "duplicate-field", "shape", "unsafe-name", "stray", "reference"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that reading itself found."""

    kind: FaultKind
    file: str
    message: str
    suggestion: str
    line: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item in one language, and where it stands in its file.

    Parameters
    ----------
    key
        Its key as a text, or nothing where it has none.
    text
        What the model is asked.
    target
        What the file says of the answer: ``target``, or ``expected``.
    fields
        Other fields that should agree between languages.
    line, start, end
        Line from 1, and the place in the text of the file.
    """

    key: str | None
    text: str
    target: str | None
    fields: tuple[tuple[str, str], ...]
    line: int
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class ItemFile:
    """The items of one task in one language.

    Parameters
    ----------
    path
        Path below what is linted.
    task
        Name of the task that the file belongs to.
    code
        The language code as the file's name has it; nothing where it has none.
    items
        In the file's order.
    name, description, reference
        What the file says of itself; empty where it says nothing.
    """

    path: str
    task: str
    code: str | None
    items: tuple[Item, ...]
    name: str = ""
    description: str = ""
    reference: str = ""

    @cached_property
    def tag(self) -> str | None:
        """The language tag that the code stands for: the one that it was probably meant for."""
        return meant(self.code) if self.code else None

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """The texts, without what does not count when two are compared."""
        return tuple(folded(item.text) for item in self.items)

    @cached_property
    def plain(self) -> tuple[str, ...]:
        """The texts without links, addresses, placeholders and tags."""
        return tuple(plain(item.text) for item in self.items)

    @cached_property
    def by_key(self) -> Mapping[str, Item]:
        """The first item of each key."""
        found: dict[str, Item] = {}
        for item in self.items:
            if item.key is not None:
                found.setdefault(item.key, item)
        return found


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which datasets, metrics and templates belong together, and how a rate becomes a grade."""

    path: str
    task: str
    code: str | None
    name: str
    description: str
    datasets: tuple[str, ...]
    metrics: tuple[str, ...]
    grades: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a metric, which is read and never run."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one metric reported of one model on one dataset: counts, rates, and how many answers."""

    path: str
    place: str
    counts: tuple[tuple[str, float], ...]
    answers: int
    rates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Precision:
    """How precise a protocol says its rates are to be: a half-width, and where it says so.

    ``rate`` is the one that was planned with; one half needs the most items.
    """

    half_width: float
    level: float
    labs: int
    epochs: int
    said: str
    rate: float = 0.5


@dataclass(frozen=True)
class LintSet:
    """Everything that one run looks at.

    ``labelled`` are answers that people labelled: an item's text is the prompt, its target the
    label. ``beside`` are names of datasets that are no part of the exercise, and were not read.
    """

    format: Format
    root: str
    files: tuple[ItemFile, ...]
    faults: tuple[Fault, ...]
    recipes: tuple[Recipe, ...] = ()
    metrics: tuple[Source, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    languages: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    risks: tuple[tuple[str, str], ...] = ()
    precision: Precision | None = None
    task_precisions: tuple[tuple[str, Precision], ...] = ()
    labelled: tuple[ItemFile, ...] = ()
    beside: tuple[str, ...] = ()

    @cached_property
    def by_task(self) -> Mapping[str, tuple[ItemFile, ...]]:
        """The files of each task, one for each language: the first where there are more."""
        found: dict[str, dict[str, ItemFile]] = {}
        for file in self.files:
            if file.tag is not None and file.items:
                found.setdefault(file.task, {}).setdefault(file.tag, file)
        return {task: tuple(files.values()) for task, files in sorted(found.items())}

    def pairs(self) -> Iterator[tuple[ItemFile, ItemFile]]:
        """Yield each file of a task beside the one in the task's source language."""
        for files in self.by_task.values():
            source = source_of(files)
            yield from ((source, other) for other in files if other is not source)


def source_of(files: tuple[ItemFile, ...]) -> ItemFile:
    """Return the file in the source language: English if there is one, else the first."""
    return next((file for file in files if (file.tag or "").split("-")[0] == "en"), files[0])


def meant(code: str) -> str:
    """Return the tag that a code was probably meant for; the code itself if none is known."""
    try:
        language(code)
    except LanguageTagError as error:
        return error.meant or code
    other = commonly_meant(code)
    return other.tag if other else code


def text_of(value: JsonValue) -> str:
    """Return a text or number as a text, and nothing else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def stem_of(path: str) -> str:
    """Return the name of a file without its folder and suffix."""
    return path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
