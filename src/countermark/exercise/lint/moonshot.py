# SPDX-License-Identifier: Apache-2.0
"""Moonshot's files as a lint reads them: datasets, recipes, metrics, templates and results.

What a JSON file is shows in its fields: a dataset has ``examples``, a recipe ``grading_scale`` or
``datasets``, a cookbook ``recipes``, a template ``template``, a result ``results``. Metrics are
Python; their text is read and never run. Task and language are taken from a file's name:

1. The part after the last ``-``, ``_`` or ``.`` is a language if it has two letters and CLDR or the
   list of codes seen in published files knows it, or if it names a script (``zh-Hans``); or if it
   is another valid tag (``yue``) and another file of the same task has one of those.
2. A code that only stands for a country, and is not on that list, needs such a companion too.
3. What is before it is the task. Names that differ in case or in ``-`` and ``_`` are one task.
4. A region may follow (``fr-CA``, ``zh_TW``).

A checkout holds many datasets that are no part of an exercise in several languages. Where a task
has two languages, datasets whose names say none stand beside the exercise: they are not read, and
recipes and metrics that belong to them only are not looked at. The report says so.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from countermark.exercise.lint.model import (
    Fault,
    Item,
    ItemFile,
    LintSet,
    Outcome,
    Recipe,
    Source,
    stem_of,
    text_of,
)
from countermark.exercise.lint.outcomes import read_outcomes
from countermark.exercise.lint.references import check_references
from countermark.exercise.lint.tolerant import (
    MAX_BYTES,
    Element,
    Faults,
    check_size,
    read_document,
    read_text,
)
from countermark.exercise.lint.wording import printable, task_name
from countermark.records.canonical import JsonValue
from countermark.taxonomy.languages import LanguageTagError, language

FOLDERS = (
    *("datasets", "recipes", "cookbooks", "metrics", "prompt-templates"),
    *("results", "generated-outputs/results"),
)
_OWN_FILES = {"cache.json", "metrics_config.json", "__init__.py"}  # Moonshot's own, no content
_SHORT = re.compile(r"^(.+)[-_.]([A-Za-z]{2,3})$")
_LONG = re.compile(
    r"^(.+)[-_.]([a-z]{2,3}[-_](?:[A-Z][a-z]{3}|[A-Z]{2}|[A-Z][a-z]{3}[-_][A-Z]{2}))$"
)
_SEEN = {"cn", "jp", "kr", "kw", "tl"}
_KEPT = ("category", "risk", "role")


@dataclass(slots=True)
class _Found:
    """What has been read so far."""

    files: list[ItemFile] = field(default_factory=list)
    recipes: list[Recipe] = field(default_factory=list)
    metrics: list[Source] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    templates: set[str] = field(default_factory=set)
    cookbooks: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    shared: bool = False
    beside: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_moonshot(path: Path, *more: Path) -> LintSet:
    """Read files of one folder, a folder of files, or a whole checkout of Moonshot's data.

    Raises
    ------
    InputError
        If the files together would not fit in memory as they are held there.
    """
    found = _Found()
    paths = list(_paths(path, found.faults))
    paths += [(one, printable(one.name)) for one in more]
    named = split_names({one.stem for one, _ in paths})
    found.shared = _in_languages(named.values())
    wanted = []
    for one, shown in paths:
        if found.shared and one.parent.name == "datasets" and named[one.stem][1] is None:
            found.beside.append(one.stem)
        else:
            wanted.append((one, shown))
    check_size((one for one, _ in wanted), path, MAX_BYTES)
    for one, shown in wanted:
        if one.suffix == ".py":
            mine = Faults(shown)
            text = read_text(one, mine)
            found.faults.extend(mine.found)
            if text is not None:
                found.metrics.append(Source(shown, text))
        else:
            _read_json(one, shown, named[one.stem], found)
    if found.beside:
        _set_apart(found)
    if path.is_dir():
        check_references(path, found.recipes, found.cookbooks, found.faults)
    return LintSet(
        format="moonshot",
        root=str(path),
        files=tuple(found.files),
        faults=tuple(found.faults),
        recipes=tuple(found.recipes),
        metrics=tuple(found.metrics),
        outcomes=tuple(found.outcomes),
        beside=tuple(sorted(found.beside)),
    )


def _in_languages(named: Iterable[tuple[str, str | None]]) -> bool:
    """Tell whether a task is there in two languages."""
    first: dict[str, str] = {}
    return any(code and first.setdefault(task, code) != code for task, code in named)


def _set_apart(found: _Found) -> None:
    """Leave out recipes, cookbooks and metrics that belong only to what stands beside."""
    beside = {name.casefold() for name in found.beside}
    found.recipes = [
        recipe
        for recipe in found.recipes
        if recipe.code or not {name.casefold() for name in recipe.datasets} <= beside
    ]
    kept = {stem_of(recipe.path) for recipe in found.recipes}
    found.cookbooks = [
        (shown, names)
        for shown, names in found.cookbooks
        if any(name.removesuffix(".json") in kept for name in names)
    ]
    used = {name for recipe in found.recipes for name in recipe.metrics}
    if used:
        found.metrics = [one for one in found.metrics if stem_of(one.path) in used]


def split_names(stems: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """Split the names of files into task and language code (rules of the module docstring)."""
    parts = {stem: _split(stem) for stem in stems}
    sure = {task for task, code in parts.values() if code and _names_language(code) == "sure"}
    return {
        stem: (task, code)
        if code and (_names_language(code) == "sure" or task in sure)
        else (task_name(stem), None)
        for stem, (task, code) in parts.items()
    }


def _split(stem: str) -> tuple[str, str | None]:
    """Split what may be a language off a name: the longest tag that may be one."""
    for pattern in (_LONG, _SHORT):
        match = pattern.match(stem)
        code = match[2].replace("_", "-") if match else ""
        if match and _names_language(code):
            return task_name(match[1]), code
    return task_name(stem), None


def _names_language(code: str) -> str | None:
    short = len(code) == 2
    if code in _SEEN:
        return "sure"
    try:
        language(code)
    except LanguageTagError as error:
        return "perhaps" if short and error.meant else None
    return "sure" if short or "-" in code else "perhaps"


def _paths(path: Path, faults: list[Fault]) -> Iterator[tuple[Path, str]]:
    if not path.is_dir():
        yield path, printable(path.name)
        return
    folders = [path / name for name in FOLDERS if (path / name).is_dir()] or [path]
    for folder in folders:
        if folder.is_symlink() and folder != path:
            faults.append(Fault("unsafe-name", folder.name, "is a link", "Put the folder there."))
            continue
        for one in sorted(folder.iterdir()):
            wanted = ".py" if folder.name == "metrics" else ".json"
            shown = printable(str(one.relative_to(path)))
            if one.suffix != wanted or one.name in _OWN_FILES:
                continue
            if shown != str(one.relative_to(path)):
                faults.append(
                    Fault(
                        "unsafe-name",
                        shown,
                        "has control characters in its name",
                        "Rename it; it was not read.",
                    )
                )
                continue
            yield one, shown


def _read_json(path: Path, shown: str, named: tuple[str, str | None], found: _Found) -> None:
    mine = Faults(shown)
    text = read_text(path, mine)
    if text is not None:
        fields, elements = read_document(text, mine)
        task, code = named
        if "examples" in fields and found.shared and code is None:
            found.beside.append(path.stem)
            return
        if "examples" in fields:
            found.files.append(_dataset(shown, task, code, fields, elements["examples"], mine))
        elif "results" in fields:
            found.outcomes.extend(read_outcomes(shown, fields))
        elif "grading_scale" in fields or "datasets" in fields:
            found.recipes.append(_recipe(shown, task, code, fields, mine))
        elif "recipes" in fields:
            found.cookbooks.append((shown, _names(fields["recipes"])))
        elif "template" in fields:
            found.templates.add(path.stem)
            if "prompt" not in text_of(fields["template"]):
                mine.shape(
                    "the template has no place for the prompt", "Add {{ prompt }} where it belongs."
                )
        elif not mine.found:
            mine.unreadable(
                "is no dataset, recipe, cookbook, template or result of Moonshot",
                "A dataset has the field 'examples', a recipe 'datasets' and 'grading_scale'.",
            )
    found.faults.extend(mine.found)


def _dataset(
    shown: str,
    task: str,
    code: str | None,
    fields: dict[str, JsonValue],
    elements: list[Element],
    faults: Faults,
) -> ItemFile:
    listed = fields["examples"]
    if not isinstance(listed, list) or len(listed) != len(elements):
        faults.shape("'examples' is no list of objects", "Write a list of objects with 'input'.")
    items = []
    for number, element in enumerate(elements, 1):
        value = element.value
        key = text_of(value.get("id")) or None
        text = text_of(value.get("input"))
        if not text:
            faults.shape(
                f"the example {key or number} has no text in 'input'",
                "Write what the model is asked, or take the example out of every language.",
                element.line,
                key,
            )
        items.append(
            Item(
                key=key,
                text=text,
                target=text_of(value.get("target")) or None,
                fields=tuple((n, text_of(value[n])) for n in _KEPT if text_of(value.get(n))),
                line=element.line,
                start=element.start,
                end=element.end,
            )
        )
    if not items and not faults.found:
        faults.unreadable("holds no example", "Write some, or take the file away.")
    name, description, reference = (
        text_of(fields.get(field)) for field in ("name", "description", "reference")
    )
    return ItemFile(shown, task, code, tuple(items), name, description, reference)


def _recipe(
    shown: str, task: str, code: str | None, fields: dict[str, JsonValue], faults: Faults
) -> Recipe:
    scale = fields.get("grading_scale")
    grades = []
    for name, bounds in scale.items() if isinstance(scale, dict) else ():
        pair = [n for n in bounds if isinstance(n, int | float)] if isinstance(bounds, list) else []
        if len(pair) == 2 and pair[0] <= pair[1]:
            grades.append((name, float(pair[0]), float(pair[1])))
        else:
            faults.shape(
                f"the grade {printable(name)[:40]!r} is no pair of a lowest and a highest value",
                "Write it as [lowest, highest].",
            )
    return Recipe(
        path=shown,
        task=task,
        code=code,
        name=text_of(fields.get("name")),
        description=text_of(fields.get("description")),
        datasets=_names(fields.get("datasets")),
        metrics=_names(fields.get("metrics")),
        grades=tuple(grades),
    )


def _names(value: JsonValue) -> tuple[str, ...]:
    return tuple(text for one in value if (text := text_of(one))) if isinstance(value, list) else ()
