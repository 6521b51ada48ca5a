# SPDX-License-Identifier: Apache-2.0
"""From a log to samples: every item and epoch of a cell once, with its outcome, scores and text.

1. A sample that the protocol asks for and the log lacks is *missing*.
2. A sample with an error, or whose conversation does not end with an answer, is *errored*.
3. A sample that the provider's own filter stopped is *refused*.
4. Every other sample is *answered*.
5. Scores are computed here from the answer, never taken from the log; only *answered* samples are
   scored, the others are *not attempted*.
6. In a task with tools the answer is what the model handed in, and the facts of the way there are
   kept with the scores (see :mod:`countermark.exercise.trajectories`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from pydantic import ValidationError

from countermark.exercise.cells import CellRun
from countermark.exercise.logs import Log, LogMessage, LogSample
from countermark.exercise.scoring import score_answer
from countermark.exercise.secrets import secret_for, seed_for
from countermark.exercise.trajectories import handed_in, opening, trajectory
from countermark.records.errors import InputError
from countermark.records.evidence import CellCounts, ScorerCounts
from countermark.records.protocol import Item
from countermark.records.sample import (
    Message,
    SampleKey,
    SampleScores,
    Score,
    ToolCall,
    Transcript,
)

Outcome = Literal["answered", "refused", "errored", "missing"]
_FILTERED = "content_filter"
_ROLES: Mapping[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


@dataclass(frozen=True, slots=True)
class LabSample:
    """One sample in its two parts: what can be shown without its text, and its text."""

    scores: SampleScores
    transcript: Transcript


def samples_of(run: CellRun, model: str, log: Log | None) -> tuple[LabSample, ...]:
    """Return one sample per item and epoch of the cell, in the protocol's order.

    Parameters
    ----------
    run
        The cell, with the settings and the seed that the lab declared.
    model
        Key of the model under test.
    log
        The log of that cell; without one all its samples are *missing*.

    Raises
    ------
    InputError
        If a message is longer than a sample may hold.
    """
    logged = {(str(sample.id), sample.epoch): sample for sample in (log.samples if log else ())}
    return tuple(
        _sample(run, model, item, epoch, logged.get((item.key, epoch)))
        for item in run.definition.items
        if item.text(run.language) is not None
        for epoch in range(1, run.protocol.epochs + 1)
    )


def told_and_answer(
    messages: Sequence[Message], *, tools: bool = False
) -> tuple[tuple[Message, ...], str | None]:
    """Return what the model was told, and its answer: the last message, where the model wrote it.

    An earlier message of the *assistant* was put into the model's mouth, so it was told. With
    ``tools`` it is the model's own, and the answer is what was handed in (rule 6).
    """
    if tools:
        return opening(messages), handed_in(messages)
    if messages and messages[-1].role == "assistant":
        return tuple(messages[:-1]), messages[-1].content
    return tuple(messages), None


def rescore(run: CellRun, item: Item, epoch: int, outcome: Outcome, answer: str) -> Score:
    """Return the score that the protocol's scorer gives an answer (rule 5)."""
    secret = secret_for(run.seed, run.task, item.key, run.language, epoch)
    return score_answer(
        run.protocol,
        run.definition,
        item,
        run.language,
        run.full_settings,
        answer if outcome == "answered" else None,
        secret,
    )


def count_cells(samples: Iterable[SampleScores]) -> tuple[CellCounts, ...]:
    """Return the counts of each cell on both axes, in order of first appearance."""
    cells: dict[tuple[str, str, str, str | None], list[SampleScores]] = {}
    for sample in samples:
        key = sample.key
        cells.setdefault((key.model, key.task, key.language, key.arm), []).append(sample)
    return tuple(_counts(*cell, members) for cell, members in cells.items())


def _sample(
    run: CellRun, model: str, item: Item, epoch: int, logged: LogSample | None
) -> LabSample:
    key = SampleKey(
        model=model,
        task=run.task,
        language=run.language,
        item=item.key,
        epoch=epoch,
        arm=run.arm,
    )
    tools = run.definition.agent is not None
    messages = conversation(logged)
    _, answer = told_and_answer(messages, tools=tools)
    outcome = _outcome(logged, answer)
    limit = logged.limit.type if logged and logged.limit else None
    return LabSample(
        scores=SampleScores(
            key=key,
            outcome=outcome,
            scores=(rescore(run, item, epoch, outcome, answer or ""),),
            trajectory=trajectory(messages, limit) if tools and messages else None,
        ),
        transcript=Transcript(
            key=key,
            messages=messages,
            seed=seed_for(run.seed, run.task, item.key, run.language, epoch),
            error=logged.error.message if logged and logged.error else None,
        ),
    )


def _outcome(logged: LogSample | None, answer: str | None) -> Outcome:
    if logged is None:
        return "missing"
    if logged.error is not None or answer is None:
        return "errored"
    if any(choice.stop_reason == _FILTERED for choice in logged.output.choices[:1]):
        return "refused"
    return "answered"


def conversation(logged: LogSample | None) -> tuple[Message, ...]:
    """Return a logged conversation as it is sealed.

    Raises
    ------
    InputError
        If a message is longer than a sample may hold.
    """
    if logged is None:
        return ()
    try:
        return tuple(
            Message(
                role=_ROLES[message.role],
                content=logged.text(message),
                calls=_calls(logged, message),
                failed=True if message.role == "tool" and message.error else None,
            )
            for message in logged.messages
            if message.role in _ROLES
        )
    except ValidationError as error:
        raise InputError(
            f"has a message that no sample can hold: {error.errors(include_url=False)[0]['msg']}",
            where=f"{logged.id} epoch {logged.epoch}",
            next_step="Run the cell again with the protocol's token limit.",
        ) from error


def _calls(logged: LogSample, message: LogMessage) -> tuple[ToolCall, ...] | None:
    made = tuple(
        ToolCall(tool=call.function or "?", arguments=_arguments(logged, call.arguments))
        for call in message.tool_calls or ()
    )
    return made or None


def _arguments(logged: LogSample, written: msgspec.Raw) -> str:
    """Return what a tool was called with, as JSON with sorted names and no attachments."""
    given = _resolved(logged, msgspec.json.decode(written))
    return json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _resolved(logged: LogSample, value: Any) -> Any:
    match value:
        case str():
            return logged.resolve(value)
        case list():
            return [_resolved(logged, one) for one in value]
        case dict():
            return {name: _resolved(logged, one) for name, one in value.items()}
        case _:
            return value


def _counts(
    model: str, task: str, language: str, arm: str | None, samples: list[SampleScores]
) -> CellCounts:
    scorers: dict[tuple[str, str], list[str]] = {}
    for sample in samples:
        for score in sample.scores:
            scorers.setdefault((score.scorer, score.version), []).append(score.status)
    outcomes = [sample.outcome for sample in samples]
    return CellCounts(
        model=model,
        task=task,
        language=language,
        arm=arm,
        submitted=len(samples),
        answered=outcomes.count("answered"),
        refused=outcomes.count("refused"),
        errored=outcomes.count("errored"),
        missing=outcomes.count("missing"),
        scorers=tuple(
            ScorerCounts(
                scorer=scorer,
                version=version,
                scored=statuses.count("scored"),
                unparsed=statuses.count("unparsed"),
                not_attempted=statuses.count("not-attempted"),
            )
            for (scorer, version), statuses in scorers.items()
        ),
    )
