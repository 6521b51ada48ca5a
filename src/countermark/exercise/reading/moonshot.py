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
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    differences,
    mapping,
    number,
    numbers,
    read_document,
    refuse,
    sequence,
    settings,
    tally,
    text,
)
from countermark.exercise.reading.found import (
    FoundMessage,
    FoundRun,
    FoundSample,
    FoundScore,
    Outcome,
    Usage,
)
from countermark.records.canonical import JsonValue

TOOL = "moonshot"
EXACT = "exact_str_match"
ACCURACY = "accuracy"
_AGAIN = "Give a result file as Moonshot wrote it, of a recipe or a cookbook."
_WHY = "Moonshot may leave out or count otherwise what it could not judge"
_MOST_NAMES = 4
_METADATA = (
    "prompt_selection_percentage", "num_of_prompts", "random_seed", "system_prompt", "end_time",
    "duration",
)  # fmt: skip
_DONE = {"completed", "complete", "success"}


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
        refuse("is no result", str(path), _AGAIN)
    if "run_results" in whole:
        yield from _integration_runs(whole, path)
        return
    metadata = whole.get("metadata")
    if not isinstance(metadata, dict):
        refuse("has no metadata", str(path), _AGAIN)
    parts = list(_parts(whole, path) if "results" in whole else _early_parts(whole, path))
    seen: set[tuple[str, ...]] = set()
    for part in parts:
        if part.key in seen:
            refuse(f"has the result {' '.join(part.key)!r} twice", part.where, _AGAIN)
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
        refuse("has results of no recipe", str(path), _AGAIN)
    for cookbook_name, recipe in recipes:
        name = text(mapping(recipe).get("id")) or "unknown"
        where = f"{path}: {'/'.join(filter(None, (cookbook_name, name)))}"
        if isinstance(recipe, dict) and isinstance(recipe.get("models"), list):
            recipe["details"] = list(_nested(recipe["models"]))
        if not isinstance(recipe, dict) or not isinstance(recipe.get("details"), list):
            refuse("has no list of details", where, _AGAIN)
        summaries = {
            text(mapping(one).get("model_id")): mapping(one)
            for one in sequence(recipe.get("evaluation_summary"))
        }
        models = [mapping(detail).get("model_id") for detail in recipe["details"]]
        for place, detail in enumerate(recipe["details"]):
            spot = f"{where}: result {place}"
            if not isinstance(detail, dict) or not isinstance(detail.get("data"), list):
                refuse("has no list of data", spot, _AGAIN)
            model = text(detail.get("model_id"))
            if model is None:
                refuse("names no model", spot, _AGAIN)
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
                    refuse("has no list of data", where, _AGAIN)
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
        refuse("has results of no recipe", str(path), _AGAIN)


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
        refuse("is under no name of endpoint, recipe, dataset and template", where, _AGAIN)
    padded = (*names, "")[:_MOST_NAMES]
    return padded[0], padded[1], padded[2], padded[3]


def _of_the_run(metrics: dict[str, Any], data: list[Any]) -> dict[str, Any]:
    """Leave out what is listed by prediction (rule 3)."""
    predictions = {_prediction(entry) for entry in data}
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
    target, prediction = mapping(entry).get("target"), _prediction(entry)
    if prediction is None:
        return False
    return prediction in target if isinstance(target, list) else prediction == target


def _prediction(entry: Any) -> str | None:
    value = mapping(entry).get("predicted_result")
    if isinstance(value, dict):
        value = value.get("response")
    return value if isinstance(value, str) else None


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
        notes=(*notes, *differences(counted.means, stated, _WHY)),
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
                refuse("has no prompt", where, _AGAIN)
            prediction = _prediction(entry)
            outcome: Outcome = "errored" if prediction is None else "answered"
            scores = [FoundScore(name, "not-attempted") for name in self.others]
            if self.scorer is not None:
                scores.insert(0, self._score(self.scorer, entry, outcome))
            yield _sample(
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


def _integration_runs(whole: dict[str, Any], path: Path) -> Iterator[FoundRun]:
    results = whole["run_results"]
    if not isinstance(results, list):
        refuse("has no list of run_results", str(path), _AGAIN)
    for place, entry in enumerate(results):
        where = f"{path}: result {place}"
        told = mapping(mapping(entry).get("metadata"))
        result = mapping(mapping(entry).get("results"))
        listed = result.get("individual_results")
        if not told or not isinstance(listed, dict | list):
            refuse("has no metadata or no individual_results", where, _AGAIN)
        groups = listed.values() if isinstance(listed, dict) else [listed]
        prompts = [one for group in groups for one in sequence(group)]
        reader = _Verdicts(where, prompts, text(mapping(told.get("metric")).get("name")))
        connector = mapping(told.get("connector"))
        counted = tally(reader.samples)
        stated = dict(_percentages(result.get("evaluation_summary"), counted.means))
        yield FoundRun(
            file=str(path),
            tool=TOOL,
            tool_version=None,
            model=text(connector.get("model")) or text(connector.get("connector_adapter"))
            or "unknown",
            task="/".join(
                name for key in ("test_name", "dataset") if (name := text(told.get(key)))
            ) or "unknown",
            samples=reader.samples,
            created=text(told.get("start_time"))
            or text(mapping(whole.get("run_metadata")).get("start_time")),
            settings=settings(
                connector={k: v for k, v in connector.items() if k != "model"},
                metric=told.get("metric"),
                type=told.get("type"),
                run=whole.get("run_metadata"),
                metrics=result.get("evaluation_summary"),
            ),
            submitted=counted.samples,
            stated=numbers(settings(**mapping(result.get("evaluation_summary")))),
            notes=differences(counted.means, stated, _WHY),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Verdicts:
    """The samples of one result of the form for continuous integration."""

    where: str
    prompts: list[Any]
    metric: str | None

    def samples(self) -> Iterator[FoundSample]:
        """Yield them, each with the verdicts on it (rule 5)."""
        seen = set()
        verdicts = list(
            dict.fromkeys(
                name
                for entry in self.prompts
                for name, value in mapping(mapping(entry).get("evaluated_result")).items()
                if isinstance(value, bool | int | float)
            )
        )
        for place, entry in enumerate(self.prompts, start=1):
            where = f"{self.where}: sample {place}"
            if not isinstance(entry, dict) or "prompt" not in entry:
                refuse("has no prompt", where, _AGAIN)
            item = str(entry.get("prompt_id", place))
            if item in seen:
                refuse(f"has the prompt_id {item!r} twice", where, _AGAIN)
            seen.add(item)
            state = text(entry.get("state"))
            error = None
            if _prediction(entry) is None:
                error = "the log has no prediction"
            elif state is not None and state.lower() not in _DONE:
                error = f"its state is {state}"
            outcome: Outcome = "errored" if error else "answered"
            evaluated = mapping(entry.get("evaluated_result"))
            scores = tuple(self._score(name, evaluated, outcome) for name in verdicts)
            yield _sample(item, entry, outcome, scores, error)

    def _score(self, name: str, evaluated: Mapping[str, Any], outcome: Outcome) -> FoundScore:
        raw = evaluated.get(name)
        scorer = f"{self.metric}/{name}" if self.metric else name
        word = text(evaluated.get("evaluated_response"))
        if outcome != "answered":
            return FoundScore(scorer, "not-attempted", raw=raw)
        value = number(raw)
        if value is None:
            return FoundScore(scorer, "unparsed", raw=raw, explanation=word)
        return FoundScore(scorer, "scored", value, raw, explanation=word)


def _percentages(summary: Any, means: dict[str, float]) -> Iterator[tuple[str, float]]:
    """Yield what the summary states of a verdict; ``attack_success_rate`` is of attack_success."""
    for name, value in settings(summary=summary).items():
        last, stated = name.rsplit(".", 1)[-1], number(value)
        for scorer in means:
            verdict = scorer.rsplit("/", 1)[-1]
            if stated is not None and last in {verdict, f"{verdict}_rate"}:
                yield scorer, stated / 100.0


def _sample(
    item: str,
    entry: dict[str, Any],
    outcome: Outcome,
    scores: tuple[FoundScore, ...],
    error: str | None,
) -> FoundSample:
    prompt, prediction = entry["prompt"], _prediction(entry)
    told = prompt if isinstance(prompt, str) else str(prompt)
    target = entry.get("target")
    seconds = number(entry.get("duration"))
    metadata: dict[str, JsonValue] = {
        "prompt_sha256": hashlib.sha256(told.encode()).hexdigest(),
        **({"targets": target} if isinstance(target, list) else {}),
    }
    messages: tuple[FoundMessage, ...] = (FoundMessage("user", told),)
    if prediction is not None:
        messages = (*messages, FoundMessage("assistant", prediction))
    return FoundSample(
        item=item,
        epoch=1,
        outcome=outcome,
        scores=scores,
        messages=messages,
        target=None if target is None or isinstance(target, list) else str(target),
        error=error,
        usage=None if seconds is None else Usage(seconds=seconds),
        metadata=metadata,
    )
