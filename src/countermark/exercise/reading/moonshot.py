# SPDX-License-Identifier: Apache-2.0
"""Results of Moonshot: of recipes and of cookbooks, in the four forms that it has had.

The forms are the first one of early 2024 (each result under a text such as ``('endpoint',
'recipe', 'dataset', 'template')``), that of April 2024 (models, datasets and templates inside each
other) and the one since (``results`` with ``recipes`` or ``cookbooks``, ``details`` in each), and
that of Moonshot for continuous integration (``run_metadata`` and
``run_results``).

1. A run is one model on one dataset of one recipe with one prompt template, in one cookbook or
   none. Its task is ``recipe/dataset``.
2. Moonshot gives its prompts no key: a sample's item is its place in the run, from 1. The digest
   of the prompt is in the metadata.
3. What Moonshot computed over a whole run is in the settings as ``metrics.<name>``, except numbers
   that it lists by the text of each prediction. It is no
   score of any sample: the samples' scores are *not attempted*, and a note says so, except by
   rules 4 and 5.
4. Where the metric is the exact match of prediction and target, each sample is scored by it: 1 or
   0. The metric is that if it is called ``exact_str_match``, or if it is called ``accuracy`` and
   exact matching gives the stated value in every run of the recipe in the file, at least one of
   them not zero. A note says which.
5. The form for continuous integration has a verdict for each sample; each truth value or number
   of ``evaluated_result`` is a score.
6. A sample without a prediction is *errored*; an empty prediction is an answer. A sample that did
   not complete is *errored*.
7. Where Moonshot says how many prompts it ran and the file holds fewer, a note says so; of a
   recipe with one run, the rest is *missing*.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    differences,
    mapping,
    number,
    read_document,
    refuse,
    sequence,
    settings,
    tally,
    text,
)
from countermark.exercise.reading.found import (
    FoundRun,
    FoundSample,
    FoundScore,
    Outcome,
    numbers,
)
from countermark.exercise.reading.moonshot_integration import integration_runs
from countermark.exercise.reading.moonshot_samples import (
    AGAIN,
    TOOL,
    WHY,
    one_sample,
    prediction_of,
)

EXACT = "exact_str_match"
ACCURACY = "accuracy"
_MOST_NAMES = 4
_METADATA = (
    "prompt_selection_percentage", "num_of_prompts", "random_seed", "system_prompt", "end_time",
    "duration",
)  # fmt: skip


def recognises(_path: Path, start: bytes) -> bool:
    """Tell whether a file is a result of Moonshot."""
    if b'"run_metadata"' in start[:4096] and b'"run_results"' in start:
        return True
    if b'"metadata"' not in start[:4096] or b'"endpoints"' not in start[:65536]:
        return False
    return b'"recipes"' in start and b'"cookbooks"' in start


def is_input(start: bytes) -> bool:
    """Tell whether a file is what Moonshot is given: a dataset, a recipe or a cookbook."""
    head = start[:4096]
    if b'"name"' not in head or b'"description"' not in head:
        return False
    return any(mark in start for mark in (b'"examples"', b'"datasets"', b'"recipes"'))


def read(path: Path) -> Iterator[FoundRun]:
    """Yield the runs of a result file (rule 1).

    Raises
    ------
    InputError
        If it is broken; it names the file and the result or sample.
    """
    whole = read_document(path, TOOL)
    if not isinstance(whole, dict):
        refuse("is no result", str(path), AGAIN)
    if "run_results" in whole:
        yield from integration_runs(whole, path)
        return
    metadata = whole.get("metadata")
    if not isinstance(metadata, dict):
        refuse("has no metadata", str(path), AGAIN)
    parts = list(_parts(whole, path) if "results" in whole else _early_parts(whole, path))
    seen: set[tuple[str, ...]] = set()
    for part in parts:
        if part.key in seen:
            refuse(f"has the result {' '.join(part.key)!r} twice", part.where, AGAIN)
        seen.add(part.key)
    exact = _exact_recipes(parts)
    for part in parts:
        yield _run(part, metadata, path, exact)


@dataclass(frozen=True, slots=True)
class _Part:
    """One result of the first two forms: a model on a dataset of a recipe with a template."""

    where: str
    cookbook: str
    recipe: str
    model: str
    dataset: str
    template: str
    data: list[Any]
    metrics: dict[str, Any]
    summary: dict[str, Any] = field(default_factory=dict)
    alone: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        return (self.cookbook, self.recipe, self.model, self.dataset, self.template)


def _parts(whole: dict[str, Any], path: Path) -> Iterator[_Part]:
    results = mapping(whole["results"])
    recipes = [("", recipe) for recipe in sequence(results.get("recipes"))]
    for cookbook in sequence(results.get("cookbooks")):
        name = text(mapping(cookbook).get("id")) or ""
        recipes += [(name, recipe) for recipe in sequence(mapping(cookbook).get("recipes"))]
    if not recipes:
        refuse("has results of no recipe", str(path), AGAIN)
    for cookbook_name, recipe in recipes:
        name = text(mapping(recipe).get("id")) or "unknown"
        where = f"{path}: {'/'.join(filter(None, (cookbook_name, name)))}"
        if isinstance(recipe, dict) and isinstance(recipe.get("models"), list):
            recipe["details"] = list(_nested(recipe["models"]))
        if not isinstance(recipe, dict) or not isinstance(recipe.get("details"), list):
            refuse("has no list of details", where, AGAIN)
        summaries = {
            text(mapping(one).get("model_id")): mapping(one)
            for one in sequence(recipe.get("evaluation_summary"))
        }
        models = [mapping(detail).get("model_id") for detail in recipe["details"]]
        for place, detail in enumerate(recipe["details"]):
            spot = f"{where}: result {place}"
            if not isinstance(detail, dict) or not isinstance(detail.get("data"), list):
                refuse("has no list of data", spot, AGAIN)
            model = text(detail.get("model_id"))
            if model is None:
                refuse("names no model", spot, AGAIN)
            yield _Part(
                where=spot,
                cookbook=cookbook_name,
                recipe=name,
                model=model,
                dataset=text(detail.get("dataset_id")) or "",
                template=text(detail.get("prompt_template_id")) or "",
                data=detail["data"],
                metrics=_merged(detail.get("metrics")),
                summary=summaries.get(model, {}),
                alone=models.count(model) == 1,
            )


def _nested(models: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield the results of a recipe of April 2024 as later versions wrote them."""
    for model in models:
        for dataset in sequence(mapping(model).get("datasets")):
            for template in sequence(mapping(dataset).get("prompt_templates")):
                yield mapping(template) | {
                    "model_id": mapping(model).get("id"),
                    "dataset_id": mapping(dataset).get("id"),
                    "prompt_template_id": mapping(template).get("id"),
                }


def _early_parts(whole: dict[str, Any], path: Path) -> Iterator[_Part]:
    found = False
    for name, value in whole.items():
        if name == "metadata":
            continue
        inner = mapping(value)
        nested = any(not key.startswith("(") for key in inner)
        recipes = inner if nested else {name: inner}
        for recipe, results in recipes.items():
            for key, result in mapping(results).items():
                where = f"{path}: {recipe} {key[:80]}"
                model, _, dataset, template = _early_key(key, where)
                if not isinstance(result, dict) or not isinstance(result.get("data"), list):
                    refuse("has no list of data", where, AGAIN)
                found = True
                yield _Part(
                    where=where,
                    cookbook=name if nested else "",
                    recipe=recipe,
                    model=model,
                    dataset=dataset,
                    template=template,
                    data=result["data"],
                    metrics=_merged(result.get("results")),
                )
    if not found:
        refuse("has results of no recipe", str(path), AGAIN)


def _early_key(key: str, where: str) -> tuple[str, str, str, str]:
    """Read ``('endpoint', 'recipe', 'dataset', 'template')``; the template was optional."""
    try:
        names = ast.literal_eval(key) if len(key) < 4096 else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        names = None
    if (
        not isinstance(names, tuple)
        or not 3 <= len(names) <= _MOST_NAMES
        or not all(isinstance(name, str) for name in names)
    ):
        refuse("is under no name of endpoint, recipe, dataset and template", where, AGAIN)
    padded = (*names, "")[:_MOST_NAMES]
    return padded[0], padded[1], padded[2], padded[3]


def _of_the_run(metrics: dict[str, Any], data: list[Any]) -> dict[str, Any]:
    """Leave out what is listed by prediction (rule 3)."""
    predictions = {prediction_of(entry) for entry in data}
    return {
        name: _of_the_run(value, data) if isinstance(value, dict) else value
        for name, value in metrics.items()
        if name not in predictions
    }


def _merged(listed: Any) -> dict[str, Any]:
    metrics: dict[str, Any] = {}
    for one in listed if isinstance(listed, list) else [listed]:
        metrics |= mapping(one)
    return metrics


def _exact_recipes(parts: list[_Part]) -> set[tuple[str, str]]:
    """Return the recipes whose accuracy is that of exact matching (rule 4)."""
    by_recipe: defaultdict[tuple[str, str], list[_Part]] = defaultdict(list)
    for part in parts:
        if ACCURACY in part.metrics and part.data:
            by_recipe[part.cookbook, part.recipe].append(part)
    found = set()
    for recipe, of_recipe in by_recipe.items():
        stated = [number(part.metrics[ACCURACY]) for part in of_recipe]
        given = [100.0 * sum(map(_matches, part.data)) / len(part.data) for part in of_recipe]
        same = all(
            one is not None and abs(one - other) < 1e-6
            for one, other in zip(stated, given, strict=True)
        )
        if same and any(stated):
            found.add(recipe)
    return found


def _matches(entry: Any) -> bool:
    target, prediction = mapping(entry).get("target"), prediction_of(entry)
    if prediction is None:
        return False
    return prediction in target if isinstance(target, list) else prediction == target


def _run(
    part: _Part, metadata: dict[str, Any], path: Path, exact: set[tuple[str, str]]
) -> FoundRun:
    own = {name: value for name, value in part.metrics.items() if name != "grading_criteria"}
    metrics = _of_the_run(part.metrics, part.data)
    scorer, notes = None, []
    if EXACT in own:
        scorer, unit = EXACT, 1.0 if (number(own[EXACT]) or 0.0) <= 1.0 else 100.0
        notes.append(f"{EXACT}: each sample is scored by the exact match of prediction and target.")
    elif (part.cookbook, part.recipe) in exact:
        scorer, unit = ACCURACY, 100.0
        notes.append(
            f"{ACCURACY}: each sample is scored by the exact match of prediction and target, which "
            f"gives the stated value in every result of the recipe {part.recipe} in this file."
        )
    else:
        unit = 1.0
    others = sorted(name for name in own if name != scorer)
    if others:
        notes.append(
            f"{', '.join(others)}: stated for the whole run only; no sample has a score of its own."
        )
    reader = _Samples(part, scorer, tuple(others))
    stated = {scorer: value / unit} if scorer and (value := number(own[scorer])) is not None else {}
    asked = _asked(part)
    if asked > len(part.data):
        notes.append(
            f"Moonshot counts {asked:,} prompts of the recipe {part.recipe} for this model; this "
            f"result holds {len(part.data):,}."
        )
    counted = tally(reader.samples)
    return FoundRun(
        file=str(path),
        tool=TOOL,
        tool_version=None,
        model=part.model,
        task="/".join(filter(None, (part.recipe, part.dataset))),
        samples=reader.samples,
        status=text(metadata.get("status")),
        created=text(metadata.get("start_time")),
        settings=settings(
            cookbook=part.cookbook or None,
            recipe=part.recipe,
            dataset=part.dataset,
            prompt_template=part.template or None,
            metrics=metrics,
            summary={k: v for k, v in part.summary.items() if k != "model_id"},
            **{key: metadata.get(key) for key in _METADATA},
        ),
        submitted=max(asked, len(part.data)) if part.alone else len(part.data),
        stated=numbers(settings(**metrics)),
        notes=(*notes, *differences(counted.means, stated, WHY)),
    )


def _asked(part: _Part) -> int:
    """Return how many prompts Moonshot counts; over all runs of the recipe, unless it has one."""
    counted = part.summary.get("num_of_prompts")
    if not part.alone or isinstance(counted, bool) or not isinstance(counted, int):
        return 0
    return counted


@dataclass(frozen=True, slots=True)
class _Samples:
    """The samples of one result, all scored by one metric or by none."""

    part: _Part
    scorer: str | None
    others: tuple[str, ...]

    def samples(self) -> Iterator[FoundSample]:
        """Yield them in their order (rule 2)."""
        for place, entry in enumerate(self.part.data, start=1):
            where = f"{self.part.where}: sample {place}"
            if not isinstance(entry, dict) or "prompt" not in entry:
                refuse("has no prompt", where, AGAIN)
            prediction = prediction_of(entry)
            outcome: Outcome = "errored" if prediction is None else "answered"
            scores = [FoundScore(name, "not-attempted") for name in self.others]
            if self.scorer is not None:
                scores.insert(0, self._score(self.scorer, entry, outcome))
            yield one_sample(
                str(place),
                entry,
                outcome,
                tuple(scores),
                error="the log has no prediction" if prediction is None else None,
            )

    def _score(self, scorer: str, entry: dict[str, Any], outcome: Outcome) -> FoundScore:
        if outcome != "answered":
            return FoundScore(scorer, "not-attempted")
        return FoundScore(
            scorer,
            "scored",
            float(_matches(entry)),
            explanation="exact match of predicted_result and target",
        )
