# SPDX-License-Identifier: Apache-2.0
"""The common form of a log: one run of one model on one task, sample by sample, on two axes.

1. Every sample that the log knows of is there, whatever became of it, so a denominator is never
   reduced in silence: *answered*, *refused*, *errored* or *missing*.
2. For each scorer a sample is *scored*, *unparsed* or *not attempted*; only *scored* has a number.
3. A value that the tool gave as a word has the number that the tool itself makes of it; ``raw``
   keeps what stood there.
4. ``history`` keeps what a score was before it was edited, oldest first.

What there is one of for each sample is a ``msgspec.Struct``: it is made ten times as fast as a
frozen dataclass, and a run may have a million.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from countermark.records.canonical import JsonValue

Outcome = Literal["answered", "refused", "errored", "missing"]
ScoreStatus = Literal["scored", "unparsed", "not-attempted"]


class FoundScore(msgspec.Struct, frozen=True):
    """What one scorer made of one sample.

    Parameters
    ----------
    scorer
        The scorer's name as the tool gives it; a part of a compound score is ``name/part``.
    status
        Rule 2 of the module docstring.
    value
        The number; present exactly when *scored*.
    raw
        What stood in the log.
    answer, explanation
        What the scorer took for the answer, and why it scored so, where the tool says.
    history
        Earlier raw values, oldest first.
    reason
        The tool's own word for why there is no ordinary score, such as ``refusal`` or
        ``grader_failed``.
    """

    scorer: str
    status: ScoreStatus
    value: float | None = None
    raw: JsonValue = None
    answer: str | None = None
    explanation: str | None = None
    history: tuple[JsonValue, ...] = ()
    reason: str | None = None


class FoundMessage(msgspec.Struct, frozen=True):
    """One message of a conversation, as text; ``calls`` names the tools that it called."""

    role: str
    text: str
    calls: tuple[str, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """What a sample or a run consumed; absent where the tool does not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    seconds: float | None = None


class Trajectory(msgspec.Struct, frozen=True):
    """Facts of a conversation with tools.

    Parameters
    ----------
    tool_calls
        How many calls there were.
    repeated_calls
        How many of them repeated an earlier call of the sample: same tool, same arguments.
    failed_calls
        How many ended in an error.
    limit
        The limit that stopped the sample, such as ``message`` or ``token``; nothing if none did.
    """

    tool_calls: int = 0
    repeated_calls: int = 0
    failed_calls: int = 0
    limit: str | None = None


class FoundSample(msgspec.Struct, frozen=True):
    """One sample: one item in one epoch.

    Parameters
    ----------
    item, epoch
        Which sample it is; epochs count from 1.
    outcome
        What became of it.
    scores
        One a scorer, in the log's order.
    messages
        The conversation; the last is the answer where the model gave one.
    target
        What a right answer is, where the tool says.
    error
        Why it failed, if it did.
    metadata
        What else the tool keeps of the item, such as a category.
    digest
        SHA-256 in hex of the bytes of the sample in the log, where these lie together.
    retries
        How many earlier attempts failed.
    invalidated
        Who declared the sample invalid afterwards, and why; it is counted all the same.
    settings
        Settings of this sample that differ from the run's, by dotted name.
    """

    item: str
    epoch: int
    outcome: Outcome
    scores: tuple[FoundScore, ...] = ()
    messages: tuple[FoundMessage, ...] = ()
    target: str | None = None
    error: str | None = None
    usage: Usage | None = None
    trajectory: Trajectory | None = None
    metadata: Mapping[str, JsonValue] | None = None
    digest: str | None = None
    retries: int = 0
    invalidated: str | None = None
    settings: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class FoundRun:
    """One run: one model on one task.

    Parameters
    ----------
    file
        Where it was read from.
    tool, tool_version
        The program that ran it: ``inspect``, ``lm-evaluation-harness``, ``helm``, ``moonshot``,
        ``garak``, ``every-eval-ever`` or ``csv``; and its version, where it says.
    model, task
        As the tool names them.
    language
        BCP 47 tag, where the log says or names it beyond doubt.
    status
        As the tool says: ``success``, ``error``, ``cancelled``, ``started`` …
    created
        When it was run, as the tool wrote it.
    settings
        Every effective setting that the log holds, by dotted name: generation, prompts, judge,
        limits, seeds, packages, dataset. What comparability compares.
    submitted
        How many samples were asked for, where the tool says; samples beyond those in the log are
        *missing*.
    stated
        What the file itself states of the whole run, by name, as the tool computed it: nothing here
        was computed from the samples.
    notes
        What a reader should know: an unfinished run, duplicate members, a changed score.
    samples
        Returns a fresh iterator over the samples each time it is called; it may raise
        :class:`~countermark.records.errors.InputError` that names the sample at fault.
    """

    file: str
    tool: str
    tool_version: str | None
    model: str
    task: str
    samples: Callable[[], Iterator[FoundSample]]
    language: str | None = None
    status: str | None = None
    created: str | None = None
    settings: Mapping[str, JsonValue] | None = None
    submitted: int | None = None
    usage: Usage | None = None
    stated: Mapping[str, float] | None = None
    notes: tuple[str, ...] = ()


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return what of some values is a number; a truth value or a text is none."""
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
