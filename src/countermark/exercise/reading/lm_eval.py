# SPDX-License-Identifier: Apache-2.0
"""Results of lm-evaluation-harness: ``results_*.json`` and the ``samples_*.jsonl`` beside it.

1. A run is one task of one model. A group of tasks, which only sums up others, is none.
2. The samples of a task are in the file ``samples_<task>_<date>.jsonl`` beside the results, of the
   same date where several have one, or in ``<model_args>_<task>.jsonl``, as before May 2024. A
   samples file that no results go with names no model.
3. A task without a samples file has no samples here, but as many submitted as the results say.
   Samples that the results count and the file lacks are *missing*.
4. What becomes of a sample is in ``lm_eval_samples.py``.
5. The aggregates that the results state are in the settings as ``results.<metric>``; where the mean
   of the samples differs from one, a note says so.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    differences,
    mapping,
    number,
    read_document,
    read_start,
    refuse,
    sequence,
    settings,
    sibling,
    tally,
    text,
)
from countermark.exercise.reading.found import FoundRun, numbers
from countermark.exercise.reading.lm_eval_samples import AGAIN, TOOL, SampleFile
from countermark.records.canonical import JsonValue

_DATE = re.compile(r"_(\d{4}-\d\d-\d\dT\d\d[-:]\d\d[-:]\d\d(?:\.\d+)?)$")
_RESULTS = re.compile(rb'\A\s*\{\s*"results"\s*:\s*\{')
_MARKS = (b'"lm_eval_version"', b'"task_hashes"', b'"n-shot"', b"_stderr", b'"versions"')
_WHY = "the harness may weight, filter or combine samples in another way"


def recognises(path: Path, start: bytes) -> bool:
    """Tell whether a file holds results or samples of the harness."""
    if b'"doc_id"' in start[:4096] or (path.suffix == ".jsonl" and b'"doc_id"' in start):
        return b'"arguments"' in start or b'resps"' in start or path.name.startswith("samples_")
    if is_lighteval(start):
        return False
    named = any(mark in start for mark in _MARKS[:2])
    return named or bool(_RESULTS.match(start) and any(mark in start for mark in _MARKS))


def is_lighteval(start: bytes) -> bool:
    """Tell whether a file is of lighteval, whose results look alike."""
    return b'"config_general"' in start[:4096]


def together(path: Path) -> Path:
    """Return the folder in which results and samples lie together."""
    return path.parent


def read(path: Path) -> Iterator[FoundRun]:
    """Yield the runs of a results file, of a samples file, or of all of both in a folder.

    Raises
    ------
    InputError
        If a file is broken; it names the file and the line.
    """
    if path.is_dir():
        yield from _read_folder(path)
    elif path.suffix == ".json":
        yield from _read_results(path, read_document(path, TOOL))
    else:
        yield from _read_samples_alone(path)


def _read_folder(folder: Path) -> Iterator[FoundRun]:
    taken: set[Path] = set()
    for results in _results_files(folder):
        whole = read_document(results, TOOL)
        taken.update(_samples_beside(results, whole).values())
        yield from _read_results(results, whole)
    for samples in sorted(folder.glob("*.jsonl")):
        if samples not in taken and recognises(samples, read_start(samples)):
            yield _run(samples, {}, _task_named(samples), {}, samples)


def _results_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*.json")):
        if not path.is_symlink() and recognises(path, read_start(path)):
            yield path


def _read_results(path: Path, whole: Any) -> Iterator[FoundRun]:
    results = whole.get("results") if isinstance(whole, dict) else None
    if not isinstance(results, dict) or not all(isinstance(v, dict) for v in results.values()):
        refuse("has no object 'results' of tasks", str(path), AGAIN)
    beside = _samples_beside(path, whole)
    groups = mapping(whole.get("groups"))
    for task, stated in results.items():
        if sequence(mapping(whole.get("group_subtasks")).get(task)):
            continue
        if task in groups and task not in mapping(whole.get("configs")):
            continue
        yield _run(path, whole, task, stated, beside.get(task))


def _file_name(task: str) -> str:
    # The harness replaces what file systems refuse, and so must a comparison of names.
    return re.sub(r"[\"<>:/|\\?*\[\]]+", "_", task)


def _task_named(samples: Path) -> str:
    return _DATE.sub("", samples.stem).removeprefix("samples_")


def _date(path: Path) -> str:
    named = _DATE.search(path.stem)
    return named[1] if named else ""


def _samples_beside(results: Path, whole: Any) -> dict[str, Path]:
    """Return the samples file of each task (rule 2)."""
    tasks = {_file_name(task): task for task in mapping(mapping(whole).get("results"))}
    asked = _letters(mapping(mapping(whole).get("config")).get("model_args"))
    date = _date(results)
    found: dict[str, tuple[bool, str, Path]] = {}
    for path in sorted(results.parent.glob("*.jsonl")):
        own = _date(path)
        task = tasks.get(_task_named(path)) or _task_of_old_name(path.stem, tasks, asked)
        same = bool(date) and date == own
        if task is None or (date and own and not same):
            continue
        known = found.get(task)
        if known is None or (same, own) >= known[:2]:
            checked = sibling(results, path.name, TOOL)
            if checked is not None:
                found[task] = (same, own, checked)
    return {task: path for task, (_, _, path) in found.items()}


def _task_of_old_name(stem: str, tasks: dict[str, str], asked: str) -> str | None:
    """Return the task of a file that is named for the model's arguments and the task."""
    for name, task in tasks.items():
        before = stem.removesuffix(f"_{name}")
        if asked and before != stem and _letters(before) == asked:
            return task
    return None


def _letters(given: Any) -> str:
    # Which signs became underscores changed from version to version; letters and digits did not.
    return re.sub(r"[^A-Za-z0-9]+", "", given) if isinstance(given, str) else ""


def _read_samples_alone(path: Path) -> Iterator[FoundRun]:
    for results in _results_files(path.parent):
        whole = read_document(results, TOOL)
        tasks = [task for task, own in _samples_beside(results, whole).items() if own == path]
        if tasks:
            yield from (run for run in _read_results(results, whole) if run.task in tasks)
            return
    yield _run(path, {}, _task_named(path), {}, path)


def _run(
    path: Path, whole: dict[str, Any], task: str, stated: dict[str, Any], samples: Path | None
) -> FoundRun:
    config = mapping(mapping(whole.get("configs")).get(task))
    means = {
        name: value
        for name, raw in stated.items()
        if "_stderr" not in name and name != "samples" and (value := number(raw)) is not None
    }
    reader = SampleFile(samples, tuple(means), config) if samples else None
    notes = [] if whole else ["The samples file names no model: give the results file beside it."]
    submitted = _count(mapping(mapping(whole.get("n-samples")).get(task)).get("effective"))
    if reader is None:
        notes.append("No samples file lies beside the results: only their aggregates are known.")
    else:
        counted = tally(reader.samples)
        submitted = max(submitted or 0, counted.samples)
        if counted.samples < submitted:
            notes.append(f"The file holds {counted.samples:,} of {submitted:,} samples.")
        notes += [*reader.notes(), *differences(counted.means, means, _WHY)]
    return FoundRun(
        file=str(path),
        tool=TOOL,
        tool_version=text(whole.get("lm_eval_version")),
        model=_model(whole),
        task=task,
        samples=reader.samples if reader else lambda: iter(()),
        status=None,
        created=_created(whole, path),
        settings=_settings(whole, task, config, stated),
        submitted=submitted,
        stated=numbers(stated),
        notes=tuple(notes),
    )


def _model(whole: dict[str, Any]) -> str:
    if name := text(whole.get("model_name")):
        return name
    config = mapping(whole.get("config"))
    given = config.get("model_args")
    if isinstance(given, str):
        given = dict(part.split("=", 1) for part in given.split(",") if "=" in part)
    for key in ("peft", "delta", "pretrained", "model", "path", "engine"):
        if name := text(mapping(given).get(key)):
            return name
    return text(config.get("model")) or "unknown"


def _created(whole: dict[str, Any], path: Path) -> str | None:
    date = whole.get("date")
    if isinstance(date, int | float | str) and not isinstance(date, bool):
        return str(date)
    named = _DATE.search(path.stem)
    return named[1] if named else None


def _settings(
    whole: dict[str, Any], task: str, config: dict[str, Any], stated: dict[str, Any]
) -> dict[str, JsonValue]:
    parts: dict[str, Any] = {
        "task": {key: value for key, value in config.items() if key != "task"},
        "model": whole.get("config"),
        "results": {key: value for key, value in stated.items() if key != "alias"},
    }
    for name, key in (
        ("task_version", "versions"), ("fewshot", "n-shot"), ("task_hash", "task_hashes"),
        ("n_samples", "n-samples"),
    ):  # fmt: skip
        parts[name] = mapping(whole.get(key)).get(task)
    for key in (
        "model_source", "system_instruction", "system_instruction_sha", "chat_template",
        "chat_template_sha", "fewshot_as_multiturn", "git_hash", "transformers_version",
        "max_length", "total_evaluation_time_seconds",
    ):  # fmt: skip
        parts[key] = whole.get(key)
    return settings(**parts)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
