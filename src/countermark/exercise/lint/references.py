# SPDX-License-Identifier: Apache-2.0
"""What Moonshot's recipes and cookbooks name, and whether it is there.

One cause is one fault: names of one file that lack the same thing are told together.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from countermark.exercise.lint.model import Fault, Recipe
from countermark.exercise.lint.wording import printable, task_name

_SHOWN = 5


def check_references(
    path: Path,
    recipes: Sequence[Recipe],
    cookbooks: Sequence[tuple[str, tuple[str, ...]]],
    faults: list[Fault],
) -> None:
    """Add a fault for what names datasets, metrics or recipes that are not there."""
    for folder, suffix, wanted in (
        ("datasets", ".json", [(recipe.path, recipe.datasets) for recipe in recipes]),
        ("metrics", ".py", [(recipe.path, recipe.metrics) for recipe in recipes]),
        ("recipes", ".json", cookbooks),
    ):
        if (path / folder).is_dir():
            there = {one.stem for one in (path / folder).iterdir() if one.suffix == suffix}
            near = {task_name(name): name for name in there}
            for file, names in wanted:
                faults.extend(_absent(file, names, there, near, folder, suffix))


def _absent(
    file: str,
    names: Sequence[str],
    there: set[str],
    near: dict[str, str],
    folder: str,
    suffix: str,
) -> Iterator[Fault]:
    causes: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if name not in there:
            other = near.get(task_name(name.removesuffix(suffix)))
            if other is None:
                causes["Add them, or correct the names."].append(name)
            elif other == name.removesuffix(suffix):
                causes[f"Write the names without {suffix!r}."].append(name)
            else:
                causes[f"Write {printable(other)!r}."].append(name)
    for advice, absent in causes.items():
        shown = ", ".join(repr(printable(name)[:80]) for name in absent[:_SHOWN])
        more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
        one = len(absent) == 1
        yield Fault(
            "reference",
            file,
            f"names {shown}{more}, which {'is' if one else 'are'} not in {folder}/",
            "Add it, or correct the name." if one and advice.startswith("Add") else advice,
        )
