# SPDX-License-Identifier: Apache-2.0
"""L16 and L17: is the design whole, and large enough for what it is to tell.

The design is that of ``protocol.yaml``. Where there is none, it is what the files look like: the
tasks with at least three languages, and the languages that at least two of them have.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from countermark.exercise.lint.finding import Finding, Rule
from countermark.exercise.lint.model import ItemFile, LintSet, Precision, Recipe, meant, stem_of
from countermark.statistics.estimate import NotComputable
from countermark.statistics.planning import items_needed
from countermark.statistics.variances import Variances

MISSING_CELL = Rule("L16", "missing-cell", "error", "A task is missing in a language.")
TOO_FEW_ITEMS = Rule(
    "L17", "too-few-items", "warning", "A task has too few items for its declared precision."
)
RULES = (MISSING_CELL, TOO_FEW_ITEMS)

_LEAST_LANGUAGES, _LEAST_TASKS = 3, 2


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield cells that are missing, and tasks that are too small."""
    tasks, languages = _design(lint)
    if len(languages) > 1:
        for task in tasks:
            yield from _missing(lint, task, languages, len(tasks))
    own = dict(lint.task_precisions)
    for file in lint.files:
        precision = own.get(file.task, lint.precision)
        if precision is not None:
            yield from _small(file, len(file.items), precision)
    datasets = {stem_of(file.path): file for file in lint.files}
    for recipe in lint.recipes:
        yield from _small_for_grades(recipe, datasets)


def _design(lint: LintSet) -> tuple[Sequence[str], Sequence[str]]:
    if lint.tasks and lint.languages:
        return lint.tasks, [meant(code) for code in lint.languages]
    by_task = {task: [str(file.tag) for file in files] for task, files in lint.by_task.items()}
    if lint.format == "moonshot":
        by_task = {task: tags for task, tags in by_task.items() if len(tags) >= _LEAST_LANGUAGES}
    counts = Counter(tag for tags in by_task.values() for tag in tags)
    least = min(_LEAST_TASKS, len(by_task))
    return list(by_task), sorted(tag for tag, count in counts.items() if count >= least)


def _missing(lint: LintSet, task: str, languages: Sequence[str], tasks: int) -> Iterator[Finding]:
    files = lint.by_task.get(task, ())
    there = {file.tag for file in files}
    lacking = [tag for tag in languages if tag not in there]
    if lacking:
        cells = tasks * len(languages)
        yield Finding(
            MISSING_CELL,
            files[0].path if files else f"items/{task}",
            f"the task {task!r} is missing in {', '.join(lacking)}; the design of {tasks} tasks in "
            f"{len(languages)} languages has {cells} cells",
            "Add the files, or leave the task or the language out. Means over different cells are "
            "not comparable.",
            language=lacking[0],
        )


def _small(file: ItemFile, count: int, precision: Precision) -> Iterator[Finding]:
    needed = _needed(precision)
    if isinstance(needed, NotComputable) or not 0 < count < needed:
        return
    yield Finding(
        TOO_FEW_ITEMS,
        file.path,
        f"has {count} items; for a rate near {precision.rate:g} to be known to "
        f"± {precision.half_width:g} ({precision.level:.0%} interval) it takes {needed}: "
        f"{precision.said}",
        f"Add {needed - count} items, or declare less precision.",
        language=file.code,
    )


@lru_cache(maxsize=64)
def _needed(precision: Precision) -> int | NotComputable:
    return items_needed(
        Variances.cautious(precision.rate),
        precision.half_width,
        labs=precision.labs,
        epochs=precision.epochs,
        level=precision.level,
    )


def _small_for_grades(recipe: Recipe, datasets: Mapping[str, ItemFile]) -> Iterator[Finding]:
    """Hold a recipe's items against its narrowest grade, which the interval should fit in."""
    files = [datasets[name] for name in recipe.datasets if name in datasets]
    inner = [high - low for _, low, high in recipe.grades if high > low]
    if not files or not inner or max(high for *_, high in recipe.grades) != 100:
        return
    # Grades are written without their gaps: 20 to 39 and 40 to 59 are 20 wide.
    width = (min(inner) + 1) / 100
    precision = Precision(
        half_width=width / 2,
        level=0.95,
        labs=2,
        epochs=1,
        said=f"its recipe has grades {width:.0%} wide, and an interval should fit in one",
    )
    yield from _small(files[0], sum(len(file.items) for file in files), precision)
