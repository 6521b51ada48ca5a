# SPDX-License-Identifier: Apache-2.0
"""What is decoded of an Inspect log, and how: only the fields that a joint exercise needs.

1. Fields that are not named here are passed over, so logs of newer versions are read.
2. Bare ``NaN`` and ``Infinity``, which Inspect writes and JSON has not, are read as those words.
3. Forms that Inspect itself migrates are read alike: ``score`` for one unnamed scorer and
   ``transcript`` for events (2024), ``results.scorer`` and ``max_messages``.
"""

import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeAlias, TypeVar

import msgspec

from countermark.exercise.reading.archive import NEXT_STEP
from countermark.records.errors import InputError

T = TypeVar("T")
Ids: TypeAlias = list[str | int] | None
ATTACHMENT = "attachment://"


class LogRevision(msgspec.Struct, frozen=True, kw_only=True):
    """The commit that ran."""

    type: str = ""
    origin: str = ""
    commit: str = ""
    dirty: bool | None = None


class LogDataset(msgspec.Struct, frozen=True, kw_only=True):
    """The header's account of the data set; ``samples`` counts all, ``sample_ids`` those run.

    The ids are decoded where they are asked for: a long log has a million.
    """

    name: str | None = None
    location: str | None = None
    samples: int | None = None
    sample_ids: msgspec.Raw = msgspec.Raw(b"null")
    shuffled: bool | None = None

    def ids(self) -> list[str | int] | None:
        """Return the ids of the samples that were run; nothing if the header does not say."""
        return decode(self.sample_ids, Ids, "sample ids of the header")  # type: ignore[arg-type]


class LogSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The header's account of what was run."""

    task: str
    model: str
    created: str = ""
    run_id: str = ""
    eval_id: str = ""
    task_version: int | str = 0
    task_file: str | None = None
    task_args: dict[str, Any] = {}
    solver: str | None = None
    solver_args: dict[str, Any] | None = None
    model_args: dict[str, Any] = {}
    model_base_url: str | None = None
    model_roles: dict[str, Any] | None = None
    model_generate_config: dict[str, Any] = {}
    metadata: dict[str, Any] | None = None
    tags: list[str] | None = None
    packages: dict[str, str] = {}
    config: dict[str, Any] = {}
    dataset: LogDataset = LogDataset()
    sandbox: Any = None
    revision: LogRevision | None = None
    scorers: list[dict[str, Any]] | None = None


class LogStep(msgspec.Struct, frozen=True, kw_only=True):
    """One solver of the plan."""

    solver: str
    params: dict[str, Any] = {}


class LogPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The header's account of solvers and generation settings."""

    steps: list[LogStep] = []
    finish: LogStep | None = None
    config: dict[str, Any] = {}


class LogTotal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All tokens of one model."""

    total_tokens: int = 0


class LogUsage(LogTotal, frozen=True, kw_only=True, gc=False):
    """Tokens of one model; cached input tokens are not in ``input_tokens``."""

    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_cache_write: int | None = None
    input_tokens_cache_read: int | None = None
    total_cost: float | None = None


class LogStats(msgspec.Struct, frozen=True, kw_only=True):
    """When the run began and ended, and what it consumed."""

    started_at: str = ""
    completed_at: str = ""
    model_usage: dict[str, LogUsage] = {}


class LogMetric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one score over all samples."""

    value: Any = None


class LogMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """One score of the results; ``name`` differs from ``scorer`` for parts and repeats."""

    name: str
    scorer: str = ""
    reducer: str | None = None
    metrics: dict[str, LogMetric] | list[Any] = {}


class LogResults(msgspec.Struct, frozen=True, kw_only=True):
    """The header's account of results; ``metrics`` are of the one ``scorer`` of early 2024."""

    total_samples: int = 0
    scores: list[LogMeasure] = []
    scorer: LogMeasure | None = None
    metrics: dict[str, LogMetric] | list[Any] = {}


class LogError(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why a sample or run failed."""

    message: str = ""


class LogProvenance(msgspec.Struct, frozen=True, kw_only=True):
    """Who changed something afterwards, and why."""

    author: str = ""
    reason: str | None = None


class LogEditUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of tags and metadata after the run."""

    edits: list[dict[str, Any]] = []
    provenance: LogProvenance = LogProvenance()


class LogConfigChange(msgspec.Struct, frozen=True, kw_only=True):
    """One setting changed during the run; ``cleared`` puts the first value back."""

    config: str
    name: str
    value: Any = None
    cleared: bool = False


class LogConfigUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Settings changed together during the run."""

    changes: list[LogConfigChange] = []
    provenance: LogProvenance = LogProvenance()


class LogHeader(msgspec.Struct, frozen=True, kw_only=True):
    """A log without its samples."""

    version: int = 2
    status: str = "started"
    eval: LogSpec
    plan: LogPlan = LogPlan()
    stats: LogStats = LogStats()
    results: LogResults | None = None
    error: LogError | None = None
    invalidated: bool = False
    log_updates: list[LogEditUpdate] | None = None
    config_updates: list[LogConfigUpdate] | None = None


class LogPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One part of a message's content."""

    type: str = "text"
    text: str = ""
    refusal: bool | None = None


class LogCall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call of a tool by the model."""

    function: str = ""
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class LogMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message; its content is text or a list of parts."""

    role: str
    content: str | list[LogPart] = ""
    tool_calls: list[LogCall] | None = None
    error: LogError | None = None
    tool_error: str | None = None  # until June 2024


class LogChoice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One answer of the model."""

    message: LogMessage
    stop_reason: str = "unknown"


class LogOutput(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All answers of the model to one sample, and which model the provider says gave them."""

    model: str = ""
    choices: list[LogChoice] = []


class LogScoreEdit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One stage of a score that was edited."""

    value: Any = "UNCHANGED"


class LogScore(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One score as the log recorded it."""

    value: Any = None
    answer: str | None = None
    explanation: str | None = None
    reason: str | None = None
    metadata: dict[str, Any] | None = None
    history: list[LogScoreEdit] = []


class LogLimit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The limit that stopped a sample."""

    type: str = "unknown"


class LogEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of a sample; the fields belong to calls of tools and of models."""

    event: str = ""
    function: str = ""
    arguments: msgspec.Raw = msgspec.Raw(b"{}")
    error: Any = None
    role: str | None = None
    config: msgspec.Raw = msgspec.Raw(b"{}")


class LogTranscript(msgspec.Struct, frozen=True, kw_only=True):
    """Events as logs of 2024 held them, with long texts aside."""

    events: list[LogEvent] = []
    content: dict[str, str] = {}


class LogFallback(msgspec.Struct, frozen=True, kw_only=True):
    """That another model than the one asked for answered."""

    model: str = ""
    fallback_model: str = ""
    count: int = 1


class LogSample(msgspec.Struct, frozen=True, kw_only=True):
    """One sample of a log."""

    id: str | int
    epoch: int
    target: str | list[str] = ""
    metadata: dict[str, Any] = {}
    messages: list[LogMessage] = []
    output: LogOutput = LogOutput()
    score: LogScore | None = None
    scores: dict[str, LogScore] | None = None
    error: LogError | None = None
    error_retries: list[LogError] | None = None
    limit: LogLimit | None = None
    invalidation: LogProvenance | None = None
    model_usage: dict[str, LogUsage] = {}
    model_fallbacks: list[LogFallback] | None = None
    total_time: float | str | None = None
    working_time: float | str | None = None
    events: list[LogEvent] = []
    transcript: LogTranscript | None = None
    attachments: dict[str, str] = {}

    @property
    def all_events(self) -> list[LogEvent]:
        """The events; logs of 2024 have them in a transcript."""
        return self.transcript.events if self.transcript else self.events

    def text(self, message: LogMessage) -> str:
        """Return a message's text, with attachments put back in their place."""
        if isinstance(message.content, str):
            return self.resolve(message.content)
        return "\n".join(self.resolve(part.text) for part in message.content if part.type == "text")

    def resolve(self, text: str) -> str:
        """Return a text, or the attachment that it refers to."""
        if not text.startswith(ATTACHMENT):
            return text
        name = text.removeprefix(ATTACHMENT)
        if name in self.attachments:
            return self.attachments[name]
        return self.transcript.content.get(name, text) if self.transcript else text


class LogValue(msgspec.Struct, frozen=True, gc=False):
    """One score of a line, without what is said about it."""

    value: Any = None


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """The scores of a line beside the samples."""

    id: str | int
    epoch: int
    scores: dict[str, LogValue] | None = None


class LogSummary(LogLine, frozen=True, kw_only=True, gc=False):
    """What Inspect says of a sample in short, beside the samples."""

    error: str | None = None
    limit: str | None = None
    model_usage: Mapping[str, LogTotal] = {}


class LogShell(msgspec.Struct, frozen=True, kw_only=True):
    """A chunked sample's first member: where in its messages the conversation lies."""

    message_refs: list[tuple[int, int]] = []


class JsonLog(LogHeader, frozen=True, kw_only=True):
    """A log in the JSON form; the samples are decoded one by one."""

    samples: list[msgspec.Raw] | None = None


class UnknownShape(InputError):
    """It is JSON, but of no shape above; Inspect's own reader may know it."""


def unknown_shape(error: msgspec.ValidationError, where: str) -> UnknownShape:
    """Return the error for JSON of another shape."""
    return UnknownShape(f"is no Inspect log: {error}", where=where, next_step=NEXT_STEP)


def decode(data: bytes | memoryview, kind: type[T], where: str) -> T:
    """Decode JSON as one of the shapes above.

    Raises
    ------
    UnknownShape
        If it is JSON of another shape.
    InputError
        If it is no JSON.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise unknown_shape(error, where) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        first = error
    try:
        return msgspec.json.decode(_with_words(data), type=kind)
    except msgspec.ValidationError as error:
        raise unknown_shape(error, where) from error
    except (ValueError, RecursionError):
        refuse(f"is no Inspect log: {first}", where)


def _with_words(data: bytes | memoryview) -> bytes:
    """Return JSON anew, with words in place of bare NaN and Infinity."""
    return msgspec.json.encode(json.loads(bytes(data), parse_constant=str))


def refuse(what: str, where: str) -> NoReturn:
    """Refuse a log or a part of it."""
    raise InputError(what, where=where, next_step=NEXT_STEP)
