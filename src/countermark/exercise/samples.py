# SPDX-License-Identifier: Apache-2.0
"""From a log to samples: every item and epoch of a cell once, with its outcome, scores and text.

1. A sample that the protocol asks for and the log lacks is *missing*.
2. A sample with an error, or whose conversation does not end with an answer, is *errored*.
3. A sample that the provider's own filter stopped is *refused*.
4. Every other sample is *answered*.
5. Scores are computed here from the answer, never taken from the log; only *answered* samples are
   scored, the others are *not attempted*.
6. Of a judge that is a model, its reply is taken from the log, for each judgement that the protocol
   asks for, and the score is computed from that reply. Other judgements are left in the log.
7. Counts are of first judgements; repeats measure the judge and are no further answers.
8. In a task with tools the answer is what the model handed in, and the facts of the way there are
   kept with the scores (see :mod:`countermark.exercise.trajectories`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from pydantic import ValidationError

from countermark.exercise.cells import CellRun
from countermark.exercise.logs import Log
from countermark.exercise.reading.inspect_log.shapes import LogMessage, LogSample
from countermark.exercise.scoring import named, score_answer, score_asked, scores_asked
from countermark.exercise.secrets import secret_for, seed_for
from countermark.exercise.trajectories import handed_in, opening, trajectory
from countermark.records.errors import InputError
from countermark.records.evidence import CellCounts, ScorerCounts
from countermark.records.protocol import Item
from countermark.records.sample import (
    Judgement,
    Message,
    SampleKey,
    SampleScores,
    Score,
    ToolCall,
    Transcript,
)

Outcome = Literal["answered", "refused", "errored", "missing"]
JUDGEMENTS = "judgements"
"""Where a score's metadata in the log holds the replies of a judge that is a model."""
FILTERED = "content_filter"
"""Why a provider stopped an answer that its own filter caught."""
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
    ``tools`` it is the model's own, and the answer is what was handed in (rule 8).
    """
    if tools:
        return opening(messages), handed_in(messages)
    if messages and messages[-1].role == "assistant":
        return tuple(messages[:-1]), messages[-1].content
    return tuple(messages), None


def outcome_of(logged: LogSample | None, answer: str | None) -> Outcome:
    """Return what became of a sample with this answer (rules 1 to 4)."""
    if logged is None:
        return "missing"
    if logged.error is not None or answer is None:
        return "errored"
    if any(choice.stop_reason == FILTERED for choice in logged.output.choices[:1]):
        return "refused"
    return "answered"


def rescore(
    run: CellRun,
    item: Item,
    epoch: int,
    outcome: Outcome,
    answer: str,
    judgements: Sequence[Judgement] = (),
) -> Score:
    """Return the score that the first of the item's scorers gives an answer (rule 5)."""
    secret = secret_for(run.seed, run.task, item.key, run.language, epoch)
    return score_answer(
        run.protocol,
        run.definition,
        item,
        run.language,
        run.full_settings,
        answer if outcome == "answered" else None,
        secret,
        judgements,
    )


def rescore_all(
    run: CellRun,
    key: SampleKey,
    outcome: Outcome,
    answer: str,
    judgements: Sequence[Judgement] = (),
) -> tuple[Score, ...]:
    """Return all scores that the protocol asks of a sample, in its order (rules 5 and 6)."""
    answered = outcome == "answered"
    item = run.item(key.item)
    secret = secret_for(run.seed, run.task, item.key, run.language, key.epoch)
    return tuple(
        score_asked(asked, item, run.language, answer if answered else None, secret, judgements)
        for asked in scores_asked(run, key, answered=answered)
    )


def asked_judgements(
    run: CellRun, key: SampleKey, outcome: Outcome, judgements: Sequence[Judgement]
) -> tuple[Judgement, ...]:
    """Return the first of each judgement that the protocol asks for, in its order (rule 6)."""
    by_name: dict[tuple[str, str, int | None], Judgement] = {}
    for one in judgements:
        by_name.setdefault(named(one), one)
    if outcome != "answered":
        return ()
    return tuple(
        by_name[one.name]
        for one in scores_asked(run, key, answered=True)
        if one.pinned.judge is not None and one.name in by_name
    )


def logged_judgements(logged: LogSample) -> tuple[Judgement, ...]:
    """Return what a log recorded of judges' replies about a sample, asked for or not.

    Raises
    ------
    InputError
        If what stands there is no judgement.
    """
    found: list[Judgement] = []
    for score in (logged.scores or {}).values():
        said = score.metadata or {}
        replies = said.get(JUDGEMENTS)
        if replies is None:
            continue
        try:
            found += [
                Judgement.model_validate(
                    {
                        "scorer": said.get("scorer"),
                        "version": said.get("version"),
                        "reply": one.get("reply"),
                        "repeat": one.get("repeat"),
                    }
                )
                for one in replies
            ]
        except (ValidationError, AttributeError, TypeError) as error:
            raise InputError(
                "has a judgement that no sample can hold",
                where=f"{logged.id} epoch {logged.epoch}",
                next_step="Judge it again: countermark exercise run, or import another log.",
            ) from error
    return tuple(found)


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
    outcome = outcome_of(logged, answer)
    said = asked_judgements(run, key, outcome, logged_judgements(logged) if logged else ())
    limit = logged.limit.type if logged and logged.limit else None
    return LabSample(
        scores=SampleScores(
            key=key,
            outcome=outcome,
            scores=rescore_all(run, key, outcome, answer or "", said),
            trajectory=trajectory(messages, limit) if tools and messages else None,
        ),
        transcript=Transcript(
            key=key,
            messages=messages,
            seed=seed_for(run.seed, run.task, item.key, run.language, epoch),
            error=logged.error.message if logged and logged.error else None,
            judgements=said or None,
        ),
    )


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
            if score.repeat is None:
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
                judge_refused=statuses.count("judge-refused") or None,
            )
            for (scorer, version), statuses in scorers.items()
        ),
    )
