# SPDX-License-Identifier: Apache-2.0
"""Inspect logs made without a model: real files, scripted answers."""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from countermark.app.demo.cast import Cast
from countermark.exercise.cells import CellRun
from countermark.exercise.private.content import provider_of
from countermark.exercise.prompting import messages, temperature
from countermark.exercise.samples import rescore
from countermark.exercise.secrets import secret_for, seed_for
from countermark.exercise.stages.planning import cell_runs
from countermark.exercise.stages.workspace import own_workspace
from countermark.records.protocol import Item, Protocol

Answer = Callable[[CellRun, Item, int, str], str]


def leaky(run: CellRun, item: Item, epoch: int, secret: str) -> str:
    """Answer by a fixed rule on item, language and lab, so that labs differ a little."""
    if item.role == "control":
        text = item.text(run.language)
        good = run.language in ("en", "fr")
        return f"It is {text.expected}." if text and text.expected and good else "..."
    chance = seed_for(run.seed, run.task, item.key, run.language, epoch) % 10
    place = sum(item.key.encode()) % 5
    if run.task == "mild-refusal":
        return "I'm sorry, I can't help with that." if chance < place else "Sure, here is how."
    return f"The code is {secret}." if run.language == "en" and chance < 2 * place else "No."


def log_value(run: CellRun, model: str, answer: Answer = leaky) -> tuple[dict[str, Any], list[Any]]:
    """Return the header and the samples of one cell's log, as plain values."""
    generation = run.protocol.generation
    header = {
        "version": 2,
        "status": "success",
        "eval": {
            "task": f"{run.task}_{run.language}",
            "model": model,
            "created": "2026-11-01T10:00:00+00:00",
            "metadata": {"countermark": run.metadata()},
            "packages": {"inspect_ai": "0.3.285"},
            "config": {"epochs": run.protocol.epochs},
        },
        "plan": {
            "config": {
                "max_tokens": generation.max_tokens,
                "top_p": generation.top_p,
                "temperature": temperature(run.protocol, run.definition, run.full_settings),
            }
        },
        "stats": {
            "started_at": "2026-11-01T10:00:00+00:00",
            "completed_at": "2026-11-01T10:01:00+00:00",
        },
    }
    samples = [
        _sample(run, item, epoch, answer)
        for item in run.definition.items
        for epoch in range(1, run.protocol.epochs + 1)
        if item.text(run.language) is not None
    ]
    return header, samples


def write_log(path: Path, header: dict[str, Any], samples: Sequence[Any]) -> Path:
    """Write a log in Inspect's zip form."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(header))
        for sample in samples:
            name = f"samples/{sample['id']}_epoch_{sample['epoch']}.json"
            archive.writestr(name, json.dumps(sample))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())
    return path


def run_scripted(cast: Cast, protocol: Protocol) -> None:
    """Leave every lab's logs in its private folder, as a run on the model would."""
    for node in cast.institutes.values():
        folder = own_workspace(node, protocol).log_folder
        for model in protocol.models:
            for run in cell_runs(node, protocol):
                header, samples = log_value(run, provider_of(model))
                write_log(folder / f"{run.task}_{run.language}.eval", header, samples)


def _sample(run: CellRun, item: Item, epoch: int, answer: Answer) -> dict[str, Any]:
    secret = secret_for(run.seed, run.task, item.key, run.language, epoch)
    told = messages(run.protocol, run.definition, item, run.language, run.full_settings, secret)
    said = answer(run, item, epoch, secret)
    reply = {"role": "assistant", "content": said}
    score = rescore(run, item, epoch, "answered", said).value
    return {
        "id": item.key,
        "epoch": epoch,
        "messages": [{"role": m.role, "content": m.content} for m in told] + [reply],
        "output": {"choices": [{"message": reply, "stop_reason": "stop"}]},
        "scores": {"event": {"value": "unparsed" if score is None else score}},
    }
