# SPDX-License-Identifier: Apache-2.0
"""Results of lm-evaluation-harness: ``results_*.json`` and the ``samples_*.jsonl`` beside it.

1. A run is one task of one model. A group of tasks, which only sums up others, is none.
2. The samples of a task are in the file ``samples_<task>_<date>.jsonl`` beside the results, of the
   same date where several have one; a samples file that is given alone names no model.
3. A task without a samples file has no samples here, but as many submitted as the results say.
   Samples that the results count and the file lacks are *missing*.
4. A sample is one document. Each of its metrics under each filter is one score, named as in the
   results (``exact_match,none``); lines of one document under several filters are one sample.
5. A number or truth value is *scored*; a metric that is absent or no number is *unparsed*; a list,
   from which the harness computes a value over all samples (``bleu``), is *not attempted*.
6. A document without any response of the model is *errored* and its scores are *not attempted*; an
   empty response is an answer.
7. The aggregates that the results state are in the settings as ``results.<metric>``; where the mean
   of the samples differs from one, a note says so.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    Keys,
    Line,
    LineIndex,
    decode,
    differences,
    mapping,
    number,
    read_document,
    read_lines,
    read_start,
    refuse,
    sequence,
    settings,
    sibling,
    tally,
    text,
)
from countermark.exercise.reading.found import (
    FoundMessage,
    FoundRun,
    FoundSample,
    FoundScore,
    Outcome,
)
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError

TOOL = "lm-evaluation-harness"
_FIXED = {
    "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics",
    "doc_hash", "prompt_hash", "target_hash", "schema_version",
}  # fmt: skip
_DATE = re.compile(r"_(\d{4}-\d\d-\d\dT\d\d[-:]\d\d[-:]\d\d(?:\.\d+)?)$")
_RESULTS = re.compile(rb'\A\s*\{\s*"results"\s*:\s*\{')
_MARKS = (b'"lm_eval_version"', b'"task_hashes"', b'"n-shot"', b"_stderr", b'"versions"')
_ROLES = {"system", "user", "assistant", "tool"}
_AGAIN = "Give the file as the harness wrote it, with --log_samples."
_WHY = "the harness may weight, filter or combine samples in another way"


def recognises(path: Path, start: bytes) -> bool:
    """Tell whether a file or folder holds results or samples of the harness."""
    if path.is_dir():
        return any(_results_files(path))
    if b'"doc_id"' in start[:4096] or (path.suffix == ".jsonl" and b'"doc_id"' in start):
        return b'"arguments"' in start or b'resps"' in start or path.name.startswith("samples_")
    if b'"config_general"' in start[:4096]:
        return False  # lighteval's, which looks alike
    named = any(mark in start for mark in _MARKS[:2])
    return named or bool(_RESULTS.match(start) and any(mark in start for mark in _MARKS))


def read(path: Path) -> Iterator[FoundRun]:
    """Yield the runs of a results file, of a samples file, or of all results in a folder.

    Raises
    ------
    InputError
        If a file is broken; it names the file and the line.
    """
    if path.is_dir():
        for results in _results_files(path):
            yield from _read_results(results)
    elif path.name.startswith("results") or path.suffix == ".json":
        yield from _read_results(path)
    else:
        yield from _read_samples_alone(path)


def _results_files(folder: Path) -> Iterator[Path]:
    return iter(sorted(path for path in folder.glob("results*.json") if path.is_file()))


def _read_results(path: Path) -> Iterator[FoundRun]:
    whole = read_document(path, TOOL)
    results = whole.get("results") if isinstance(whole, dict) else None
    if not isinstance(results, dict) or not all(isinstance(v, dict) for v in results.values()):
        refuse("has no object 'results' of tasks", str(path), _AGAIN)
    beside = _samples_beside(path)
    groups = mapping(whole.get("groups"))
    for task, stated in results.items():
        if sequence(mapping(whole.get("group_subtasks")).get(task)):
            continue
        if task in groups and task not in mapping(whole.get("configs")):
            continue
        yield _run(path, whole, task, stated, beside.get(_file_name(task)))


def _file_name(task: str) -> str:
    # The harness replaces what file systems refuse, and so must a comparison of names.
    return re.sub(r"[\"<>:/|\\?*\[\]]+", "_", task)


def _samples_beside(results: Path) -> dict[str, Path]:
    date = _DATE.search(results.stem)
    found: dict[str, tuple[bool, str, Path]] = {}
    for path in sorted(results.parent.glob("samples_*.jsonl")):
        own = _DATE.search(path.stem)
        task = _DATE.sub("", path.stem).removeprefix("samples_")
        same = bool(date and own and date[1] == own[1])
        if date and own and not same:
            continue
        known = found.get(task)
        if known is None or (same, own[1] if own else "") >= known[:2]:
            checked = sibling(results, path.name, TOOL)
            if checked is not None:
                found[task] = (same, own[1] if own else "", checked)
    return {task: path for task, (_, _, path) in found.items()}


def _read_samples_alone(path: Path) -> Iterator[FoundRun]:
    task = _DATE.sub("", path.stem).removeprefix("samples_")
    date = _DATE.search(path.stem)
    for results in _results_files(path.parent):
        own = _DATE.search(results.stem)
        if (own[1] if own else None) != (date[1] if date else None):
            continue
        runs = [run for run in _read_results(results) if _file_name(run.task) == task]
        if runs:
            yield from runs
            return
    yield _run(path, {}, task, {}, path)


def _run(
    path: Path, whole: dict[str, Any], task: str, stated: dict[str, Any], samples: Path | None
) -> FoundRun:
    config = mapping(mapping(whole.get("configs")).get(task))
    means = {
        name: value
        for name, raw in stated.items()
        if "_stderr" not in name and name != "samples" and (value := number(raw)) is not None
    }
    reader = _Samples(samples, tuple(means), config) if samples else None
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


class _Samples:
    """The samples of one file, read anew each time."""

    def __init__(self, path: Path, stated: tuple[str, ...], config: dict[str, Any]) -> None:
        self._path, self._stated, self._config = path, stated, config
        self._listed = _old_list(path)
        self._filters = self._find_filters()
        self._index = self._by_document() if len(self._filters) > 1 else {}

    def notes(self) -> Iterator[str]:
        """Yield what a reader should know of the file."""
        repeats = self._config.get("repeats")
        if isinstance(repeats, int) and repeats > 1:
            yield f"Each document was asked {repeats} times; the harness keeps one score of all."
        first = next(self.samples(), None)
        for score in first.scores if first else ():
            if isinstance(score.raw, list):
                yield (
                    f"{score.scorer} is computed over all samples; its value is in the settings, "
                    "and no sample has one of its own."
                )

    def samples(self) -> Iterator[FoundSample]:
        """Yield them; lines of one document under several filters come together (rule 4)."""
        if self._index:
            for lines in self._index.values():
                found = self._again(lines) if isinstance(lines, list) else self._reread(lines)
                yield self._sample(list(found))
            return
        keys = Keys("the document")
        for line, value in self._lines():
            keys.add(_item(value, self._where(line)), self._where(line))
            yield self._sample([(line, value)])
        keys.close()

    def _find_filters(self) -> tuple[str | None, ...]:
        named: dict[str | None, None] = {}
        first, again = None, False
        for line, value in self._lines():
            named[text(value.get("filter"))] = None
            item = _item(value, self._where(line))
            again = again or item == first
            first = item if first is None else first
        if None in named and again:  # lines from before October 2024 do not name their filter
            listed = sequence(self._config.get("filter_list"))
            known = [name for one in listed if (name := text(mapping(one).get("name")))]
            return tuple(known) if len(known) > 1 else (None,)
        return tuple(named)

    def _by_document(self) -> dict[str, LineIndex | list[int]]:
        index: dict[str, LineIndex | list[int]] = {}
        for line, value in self._lines():
            lines = index.setdefault(
                _item(value, self._where(line)), [] if self._listed else LineIndex()
            )
            if isinstance(lines, list):
                lines.append(line.number)
            else:
                lines.add(line)
            if len(lines) > len(self._filters):
                refuse(
                    f"has the document {_item(value, '')!r} more than once under a filter",
                    self._where(line),
                    _AGAIN,
                )
        return index

    def _lines(self) -> Iterator[tuple[Line, dict[str, Any]]]:
        if self._listed is not None:
            return self._again(range(1, len(self._listed) + 1))
        return self._decoded(read_lines(self._path, TOOL))

    def _again(self, places: Iterable[int]) -> Iterator[tuple[Line, dict[str, Any]]]:
        for place in places:
            value = sequence(self._listed)[place - 1]
            if not isinstance(value, dict):
                refuse("is no sample", f"{self._path}: sample {place}", _AGAIN)
            yield Line(0, place, b""), value

    def _reread(self, lines: LineIndex) -> Iterator[tuple[Line, dict[str, Any]]]:
        return self._decoded(lines.lines(self._path, TOOL))

    def _decoded(self, lines: Iterator[Line]) -> Iterator[tuple[Line, dict[str, Any]]]:
        for line in lines:
            value = decode(line.data, self._where(line), TOOL)
            if not isinstance(value, dict):
                refuse("is no sample", self._where(line), _AGAIN)
            yield line, value

    def _where(self, line: Line) -> str:
        return f"{self._path}:{line.number}"

    def _sample(self, members: list[tuple[Line, dict[str, Any]]]) -> FoundSample:
        line, value = members[0]
        answer = _answer(value)
        outcome: Outcome = "answered" if _responded(value) else "errored"
        scores: list[FoundScore] = []
        for place, (_, member) in enumerate(members):
            name = text(member.get("filter"))
            if name is None and len(self._filters) > 1:
                name = self._filters[place]
            scores += self._scores(member, name, outcome)
        told = _told(value)
        return FoundSample(
            item=_item(value, self._where(line)),
            epoch=1,
            outcome=outcome,
            scores=tuple(scores),
            messages=(*told, FoundMessage("assistant", answer)) if answer is not None else told,
            target=None if value.get("target") is None else str(value["target"]),
            error=None if outcome == "answered" else "the log has no response",
            metadata={
                key: value[key]
                for key in ("doc", "doc_hash", "prompt_hash", "target_hash")
                if key in value
            },
            digest=line.digest if line.data else None,
        )

    def _scores(
        self, value: dict[str, Any], name: str | None, outcome: Outcome
    ) -> Iterator[FoundScore]:
        listed = value.get("metrics")
        metrics = [one for one in sequence(listed) if isinstance(one, str)]
        if not isinstance(listed, list):
            metrics = [key for key in value if key not in _FIXED]
        for metric in metrics:
            raw = value.get(metric)
            yield _score(self._scorer(metric, name), raw, outcome)

    def _scorer(self, metric: str, name: str | None) -> str:
        if name is not None:
            return f"{metric},{name}"
        alike = [known for known in self._stated if known.split(",")[0] == metric]
        return alike[0] if len(alike) == 1 else metric


def _old_list(path: Path) -> list[Any] | None:
    """Return the list that the first 0.4 versions wrote under the name of a file of lines."""
    if not read_start(path, 64).lstrip().startswith(b"["):
        return None
    whole = read_document(path, TOOL)
    return whole if isinstance(whole, list) else None


def _score(scorer: str, raw: Any, outcome: Outcome) -> FoundScore:
    """Rules 5 and 6."""
    value = number(raw)
    if outcome != "answered" or isinstance(raw, list | dict):
        return FoundScore(scorer, "not-attempted", raw=raw)
    if value is None:
        return FoundScore(scorer, "unparsed", raw=raw)
    return FoundScore(scorer, "scored", value, raw)


def _item(value: dict[str, Any], where: str) -> str:
    item = value.get("doc_id")
    if isinstance(item, bool) or not isinstance(item, int | str):
        refuse("has no doc_id", where, _AGAIN)
    return str(item)


def _responded(value: dict[str, Any]) -> bool:
    if "resps" not in value and "filtered_resps" not in value:
        return False
    return any(
        _holds(value.get(key)) for key in ("resps", "filtered_resps") if value.get(key) is not None
    )


def _holds(value: Any) -> bool:
    """Tell whether there is a response anywhere in nested lists; an empty text is one."""
    if isinstance(value, list):
        return any(_holds(part) for part in value)
    return value is not None


def _answer(value: dict[str, Any]) -> str | None:
    """Return the first generated text; log-likelihoods are no text."""
    part: Any = value.get("resps")
    while isinstance(part, list) and part:
        part = part[0]
    if isinstance(part, str) and not _is_likelihood(value):
        return part
    return None


def _is_likelihood(value: dict[str, Any]) -> bool:
    part: Any = value.get("resps")
    while isinstance(part, list) and part and isinstance(part[0], list):
        part = part[0]
    # A saved log-likelihood is a pair such as ["-1.2", "False"].
    return isinstance(part, list) and len(part) == 2 and str(part[1]) in {"True", "False"}


def _told(value: dict[str, Any]) -> tuple[FoundMessage, ...]:
    arguments = value.get("arguments")
    first: Any = None
    if isinstance(arguments, dict) and arguments:
        first = mapping(next(iter(arguments.values()))).get("arg_0")
    elif isinstance(arguments, list) and arguments and isinstance(arguments[0], list):
        first = next(iter(arguments[0]), None)
    if isinstance(first, list):  # a saved chat is a list that holds its JSON
        first = next(iter(first), None)
    if not isinstance(first, str):
        return ()
    return _chat(first) or (FoundMessage("user", first),)


def _chat(prompt: str) -> tuple[FoundMessage, ...]:
    if not prompt.startswith('[{"role"'):
        return ()
    try:
        turns = sequence(decode(prompt.encode(), "prompt", TOOL))
    except InputError:
        return ()
    return tuple(
        FoundMessage(str(turn["role"]), str(turn.get("content", "")))
        for turn in turns
        if isinstance(turn, dict) and turn.get("role") in _ROLES
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
