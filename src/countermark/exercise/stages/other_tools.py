# SPDX-License-Identifier: Apache-2.0
"""Taking a log of another tool for a cell of a protocol, as a declared deviation.

No other tool says which protocol it ran, so the lab says it, and everything that the log cannot
show is declared with it.

1. The lab says of which model, task and language of the protocol the log is. That it does so, the
   log's digest and the names in the log are the first declared difference.
2. Of a file with several runs exactly one may fit: by the names of model and task in the log, where
   they are given, by its language, where the log says one, and by its lab, where a table has one.
3. Samples are matched with items by their key. Moonshot has none: there, by the text of the prompt,
   which must be the item's; the second time that it comes is the second epoch.
4. The score is what the protocol's scorer gives the answer, as for every log. So a log whose
   answered samples have no answer in it is refused: nobody could compute its scores again. A score
   that the log recorded is held against it, if the lab names the scorer.
5. A task whose model is told a secret is refused: no log of another tool was told ours.
6. What the model was told is declared if the log does not say it, and so is the time of the run.
7. The rest is for the rules of :mod:`countermark.exercise.matching`: items and epochs that lack,
   are beyond the protocol or come twice, generation settings, prompts, scores.
"""

import hashlib
import json
import re
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from countermark.exercise.cells import CellRun, full_settings
from countermark.exercise.logged import own_plan
from countermark.exercise.matching import METADATA_KEY, Difference
from countermark.exercise.reading.detect import read_runs
from countermark.exercise.reading.found import FoundMessage, FoundRun, FoundSample
from countermark.exercise.reading.moonshot_samples import TOOL as MOONSHOT
from countermark.exercise.scoring.objective import SECRET_REVEALED
from countermark.exercise.secrets import SEED_BYTES
from countermark.exercise.stages.importing import Imported, import_log
from countermark.exercise.stages.workspace import planned_workspace
from countermark.node.node import Node
from countermark.records.errors import InputError
from countermark.records.protocol import Protocol

_BLOCK = 1 << 20
_SECONDS = re.compile(r"[12]\d{9}(?:\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Taken:
    """What the lab says that a log is.

    Parameters
    ----------
    model, task, language
        Keys of the protocol.
    scorer
        The scorer in the log whose scores are held against the protocol's, if any.
    log_model, log_task
        What the log calls them, where it holds several.
    """

    model: str
    task: str
    language: str
    scorer: str | None = None
    log_model: str | None = None
    log_task: str | None = None


def import_other(
    node: Node, protocol: Protocol, path: Path, lab: str, taken: Taken, deviation: str | None
) -> Imported:
    """Take a log of another tool for a cell, as a declared deviation.

    Raises
    ------
    InputError
        If the log is broken, is not one run by rule 2, or cannot be taken by rules 3 to 5.
    StateError
        If a log of this cell was taken before, or the lab has sealed.
    """
    model = next((one for one in protocol.models if one.key == taken.model), None)
    if model is None:
        known = ", ".join(one.key for one in protocol.models)
        _refuse(f"is no model of the protocol: {taken.model}", "--model", f"Give one of: {known}.")
    cell = _cell(node, protocol, lab, taken)
    _check_secret(cell)
    run = _only_run(path, lab, taken)
    samples = list(_samples(run, cell, taken.scorer))
    _check_answers(run, samples)
    started, differences = _time(run, node.clock())
    value = {
        "version": 2,
        "status": "success" if run.status in {None, "completed"} else run.status,
        "eval": {
            "task": run.task,
            "model": model.provider,
            "created": started,
            "metadata": {METADATA_KEY: cell.metadata()},
            "packages": {run.tool: run.tool_version or "unknown"},
            "config": {"epochs": protocol.epochs},
        },
        "stats": {"started_at": started, "completed_at": started},
        "samples": [_value(sample) for sample in samples if sample.outcome != "missing"],
    }
    if not any(message.role != "assistant" for one in samples for message in one.messages):
        differences.append(Difference(9, "the log does not say what the model was told"))
    what = Difference(
        1,
        f"a log of {run.tool} ({_digest(path)}), which ran no protocol; it names the model "
        f"{run.model} and the task {run.task}, and the lab says that they are {taken.model} and "
        f"{taken.task} in {taken.language}",
    )
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"{path.stem}.json"
        made.write_text(json.dumps(value), encoding="utf-8")
        return import_log(node, protocol, made, lab, deviation, (what, *differences))


def _cell(node: Node, protocol: Protocol, lab: str, taken: Taken) -> CellRun:
    workspace = planned_workspace(node, protocol)
    return CellRun(
        protocol=protocol,
        task=taken.task,
        language=taken.language,
        lab=lab,
        settings=full_settings(protocol, ())
        if workspace is None
        else own_plan(node, protocol).settings,
        seed=secrets.token_bytes(SEED_BYTES) if workspace is None else workspace.seed,
    )


def _check_secret(cell: CellRun) -> None:
    """Rule 5."""
    task = cell.definition
    scorers = {task.scorer.key, *([task.control_scorer.key] if task.control_scorer else [])}
    if SECRET_REVEALED in scorers:
        _refuse(
            "tells the model a secret of the lab, which no log of another tool was told",
            f"task {task.key}",
            "Run this task with countermark exercise run, or through Inspect.",
        )


def _only_run(path: Path, lab: str, taken: Taken) -> FoundRun:
    """Rule 2."""
    runs = [
        run
        for run in read_runs(path)
        if taken.log_model in {None, run.model}
        and taken.log_task in {None, run.task}
        and run.language in {None, taken.language}
        and (run.settings or {}).get("lab") in {None, lab}
    ]
    if len(runs) != 1:
        names = "; ".join(f"{run.model} on {run.task}" for run in runs[:5])
        _refuse(
            f"holds {len(runs) or 'no'} runs that may be meant" + (f": {names}" if names else ""),
            str(path),
            "Name the one that is meant, as the log does: --log-model and --log-task.",
        )
    return runs[0]


def _samples(run: FoundRun, cell: CellRun, scorer: str | None) -> Iterator[FoundSample]:
    """Rule 3."""
    by_prompt = {
        text.prompt: item.key
        for item in cell.definition.items
        if (text := item.text(cell.language)) is not None
    }
    epochs: Counter[str] = Counter()
    known = False
    for sample in run.samples():
        item, epoch = sample.item, sample.epoch
        if run.tool == MOONSHOT:
            asked = [message.text for message in sample.messages if message.role == "user"]
            item = by_prompt.get(asked[-1] if asked else "", f"prompt {sample.item}")
            epochs[item] += 1
            epoch = epochs[item]
        scores = tuple(score for score in sample.scores if score.scorer == scorer)
        known = known or bool(scores)
        yield FoundSample(
            item=item,
            epoch=epoch,
            outcome=sample.outcome,
            scores=scores,
            messages=sample.messages,
            error=sample.error,
        )
    if scorer is not None and not known:
        _refuse(f"has no scorer {scorer!r}", run.file, "Name one that the log has, or none.")


def _check_answers(run: FoundRun, samples: list[FoundSample]) -> None:
    """Rule 4."""
    answered = [sample for sample in samples if sample.outcome == "answered"]
    silent = [sample for sample in answered if _answer(sample) is None]
    if not silent and answered and not any(_answer(sample) for sample in answered):
        silent = answered  # a column of answers that nobody filled in
    if silent:
        _refuse(
            f"has no answer in {len(silent)} of {len(answered)} answered samples, the first of "
            f"them {silent[0].item!r}: nobody could compute their scores again",
            run.file,
            "Give a log with the models' answers in it.",
        )


def _answer(sample: FoundSample) -> str | None:
    last = sample.messages[-1] if sample.messages else None
    return last.text if last is not None and last.role == "assistant" else None


def _time(run: FoundRun, now: datetime) -> tuple[str, list[Difference]]:
    """Return when the run was made, or when it is imported, if the log does not say (rule 6)."""
    said = run.created or ""
    try:
        known = (
            datetime.fromtimestamp(float(said), UTC)
            if _SECONDS.fullmatch(said)
            else datetime.fromisoformat(said)
        )
    except ValueError:
        text = f"the log says no time of its run that can be read ({said[:40] or 'nothing'})"
        return now.astimezone(UTC).isoformat(), [
            Difference(6, f"{text}; the time of the import stands for it")
        ]
    if known.tzinfo is None:
        return known.replace(tzinfo=UTC).isoformat(), [
            Difference(6, "the time of the run has no zone; it is taken as UTC")
        ]
    return known.isoformat(), []


def _value(sample: FoundSample) -> dict[str, Any]:
    """Return a sample as an Inspect log holds it, for ``exercise/samples.py`` to read."""
    messages = sample.messages
    if sample.outcome == "refused" and _answer(sample) is None:
        messages = (*messages, FoundMessage("assistant", ""))
    kept = [
        {"role": message.role, "content": message.text}
        for message in messages
        if message.role in {"system", "user", "assistant"}
    ]
    stop = "content_filter" if sample.outcome == "refused" else "stop"
    value: dict[str, Any] = {
        "id": sample.item,
        "epoch": sample.epoch,
        "messages": kept,
        "output": {"choices": [{"message": kept[-1], "stop_reason": stop}] if kept else []},
        "scores": {"event": {"value": sample.scores[0].value}} if sample.scores else {},
    }
    if sample.outcome == "errored":
        value["error"] = {"message": sample.error or sample.outcome}
    return value


def _digest(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    made = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_BLOCK):
            made.update(part)
    return f"sha256:{made.hexdigest()}"


def _refuse(what: str, where: str, next_step: str) -> NoReturn:
    raise InputError(what, where=where, next_step=next_step)
