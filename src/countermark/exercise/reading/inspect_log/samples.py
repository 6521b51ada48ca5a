# SPDX-License-Identifier: Apache-2.0
"""One sample of an Inspect log in the common form.

1. A sample with an error is *errored*, and so is one that holds no answer, whatever stopped it.
2. One whose first answer the provider filtered, or marks as a refusal, is *refused*.
3. All others are *answered*; a limit that stopped the sample, retries before it and its being
   declared invalid afterwards do not change that, and are told beside.
4. Calls of tools are counted from the events, which keep what a compacted conversation has lost;
   from the messages where a log has no events.
"""

from collections.abc import Mapping
from typing import Any

from countermark.exercise.reading.found import (
    FoundMessage,
    FoundSample,
    FoundScore,
    Outcome,
    Trajectory,
    Usage,
)
from countermark.exercise.reading.inspect_log.log import Document
from countermark.exercise.reading.inspect_log.scores import found_scores
from countermark.exercise.reading.inspect_log.shapes import (
    ATTACHMENT,
    LogCall,
    LogEvent,
    LogMessage,
    LogProvenance,
    LogSample,
    LogUsage,
    decode,
)

_FILTERED = "content_filter"
_MOST_CONFIGS = 1000
_NO_ANSWER = "the log holds no answer"


class SampleReader:
    """Puts samples of one run into the common form.

    Parameters
    ----------
    names
        The scores that the log has anywhere.
    unnamed
        What the one score of a log of early 2024 is called.
    generation
        The effective settings of generation of the run, from which a sample may differ.
    """

    def __init__(self, names: tuple[str, ...], unnamed: str, generation: Mapping[str, Any]) -> None:
        self._names = names
        self._unnamed = unnamed
        self._generation = generation
        self._differing: dict[bytes, dict[str, Any]] = {}

    def found(self, document: Document) -> FoundSample:
        """Return one sample in the common form."""
        sample = document.sample
        outcome, error = _outcome(sample)
        tools, configs = _events(sample)
        return FoundSample(
            item=str(sample.id),
            epoch=sample.epoch,
            outcome=outcome,
            scores=found_scores(sample, self._names, self._unnamed),
            messages=tuple([_message(sample, one) for one in sample.messages]),
            target=_target(sample),
            error=error,
            usage=usage_of(sample.model_usage, sample.total_time),
            trajectory=_trajectory(sample, tools),
            metadata=sample.metadata or None,
            digest=document.digest,
            retries=len(sample.error_retries or ()),
            invalidated=_told(sample.invalidation),
            settings=self._settings(sample, configs),
        )

    def missing(self, item: str, epoch: int) -> FoundSample:
        """Return a sample that was planned and is not in the log."""
        scores = tuple(FoundScore(name, "not-attempted") for name in self._names)
        return FoundSample(item=item, epoch=epoch, outcome="missing", scores=scores)

    def _settings(self, sample: LogSample, configs: set[bytes]) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        for config in sorted(configs) if len(configs) > 1 else configs:
            found.update(self._differences(config))
        for fallback in sample.model_fallbacks or ():
            found[f"fallback.{fallback.model}"] = fallback.fallback_model
        return found or None

    def _differences(self, data: bytes) -> dict[str, Any]:
        if data not in self._differing:
            if len(self._differing) > _MOST_CONFIGS:
                self._differing.clear()
            used = decode(data, dict, "config of an event")
            self._differing[data] = {
                f"generate.{name}": value
                for name, value in used.items()
                if value is not None and self._generation.get(name) != value
            }
        return self._differing[data]


def usage_of(used: Mapping[str, LogUsage], seconds: object = None) -> Usage | None:
    """Return what all models together consumed; nothing if the log does not say."""
    if not used and not isinstance(seconds, float):
        return None
    if len(used) == 1:
        (one,) = used.values()
        cached = (one.input_tokens_cache_read or 0) + (one.input_tokens_cache_write or 0)
        return Usage(
            one.input_tokens + cached,
            one.output_tokens,
            one.total_tokens,
            seconds if isinstance(seconds, float) else None,
        )
    each = used.values()
    return Usage(
        input_tokens=sum(
            one.input_tokens
            + (one.input_tokens_cache_read or 0)
            + (one.input_tokens_cache_write or 0)
            for one in each
        )
        if used
        else None,
        output_tokens=sum(one.output_tokens for one in each) if used else None,
        total_tokens=sum(one.total_tokens for one in each) if used else None,
        seconds=seconds if isinstance(seconds, float) else None,
    )


def _events(sample: LogSample) -> tuple[list[LogEvent], set[bytes]]:
    """Return the calls of tools, and the settings of the model's own calls."""
    tools, configs = [], set()
    for event in sample.all_events:
        kind = event.event
        if kind == "tool":
            tools.append(event)
        elif kind == "model" and event.role is None:
            configs.add(bytes(event.config))
    return tools, configs


def _outcome(sample: LogSample) -> tuple[Outcome, str | None]:
    if sample.error is not None:
        return "errored", sample.resolve(sample.error.message)
    choices = sample.output.choices
    answer = choices[0].message if choices else _last_answer(sample)
    if answer is None:
        stopped = f"; stopped by its limit: {sample.limit.type}" if sample.limit else ""
        return "errored", _NO_ANSWER + stopped
    if choices and choices[0].stop_reason == _FILTERED:
        return "refused", None
    if not isinstance(answer.content, str) and any(part.refusal for part in answer.content):
        return "refused", None
    return "answered", None


def _last_answer(sample: LogSample) -> LogMessage | None:
    return next((one for one in reversed(sample.messages) if one.role == "assistant"), None)


def _message(sample: LogSample, message: LogMessage) -> FoundMessage:
    text, calls = message.content, message.tool_calls
    if not isinstance(text, str) or text.startswith(ATTACHMENT):
        text = sample.text(message)
    return FoundMessage(message.role, text, tuple(call.function for call in calls) if calls else ())


def _target(sample: LogSample) -> str | None:
    if isinstance(sample.target, str):
        return sample.resolve(sample.target) or None
    return "\n".join(sample.resolve(one) for one in sample.target) or None


def _told(provenance: LogProvenance | None) -> str | None:
    if provenance is None:
        return None
    return f"{provenance.author}: {provenance.reason}" if provenance.reason else provenance.author


def _trajectory(sample: LogSample, tools: list[LogEvent]) -> Trajectory | None:
    made: list[LogEvent] | list[LogCall] = tools or [
        call for message in sample.messages if message.tool_calls for call in message.tool_calls
    ]
    if not made and sample.limit is None:
        return None
    calls = [(call.function, bytes(call.arguments)) for call in made]
    if tools:
        failed = sum(one.error is not None for one in tools)
    else:
        failed = sum(
            one.role == "tool" and (one.error is not None or one.tool_error is not None)
            for one in sample.messages
        )
    return Trajectory(
        tool_calls=len(calls),
        repeated_calls=len(calls) - len(set(calls)),
        failed_calls=failed,
        limit=sample.limit.type if sample.limit else None,
    )
