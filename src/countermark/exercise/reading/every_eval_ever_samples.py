# SPDX-License-Identifier: Apache-2.0
"""The samples of Every Eval Ever: the rows of a file of lines.

The rules are those of :mod:`~countermark.exercise.reading.every_eval_ever`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    Keys,
    Line,
    LineIndex,
    decode,
    mapping,
    number,
    read_lines,
    refuse,
    sequence,
    text,
)
from countermark.exercise.reading.found import (
    FoundMessage,
    FoundSample,
    FoundScore,
    Outcome,
    Trajectory,
    Usage,
)

TOOL = "every-eval-ever"
AGAIN = "Give a record of Every Eval Ever, 0.0 to 0.3 (.json), with its _samples.jsonl beside it."


@dataclass(slots=True)
class Rows:
    """The rows of one evaluation of one model in a samples file."""

    path: Path
    lines: LineIndex = field(default_factory=LineIndex)
    by_sample: dict[tuple[str, int], LineIndex] = field(default_factory=dict)
    results: dict[str, None] = field(default_factory=dict)


def index_rows(path: Path) -> dict[tuple[str, str], Rows]:
    """Return where the rows of each model and evaluation are."""
    found: dict[tuple[str, str], Rows] = {}
    for line, row in _rows(path, read_lines(path, TOOL)):
        where = f"{path}:{line.number}"
        model, name = text(row.get("model_id")), text(row.get("evaluation_name"))
        if model is None or name is None:
            refuse("has no model_id or no evaluation_name", where, AGAIN)
        rows = found.setdefault((model, name), Rows(path))
        rows.lines.add(line)
        rows.results[_result(row)] = None
    for rows in found.values():
        if len(rows.results) > 1:
            for line, row in _rows(path, rows.lines.lines(path, TOOL)):
                key = _key(row, f"{path}:{line.number}")
                rows.by_sample.setdefault(key, LineIndex()).add(line)
    return found


def _rows(path: Path, lines: Iterator[Line]) -> Iterator[tuple[Line, dict[str, Any]]]:
    for line in lines:
        row = decode(line.data, f"{path}:{line.number}", TOOL)
        if not isinstance(row, dict):
            refuse("is no row", f"{path}:{line.number}", AGAIN)
        yield line, row


def _result(row: dict[str, Any]) -> str:
    return text(row.get("evaluation_result_id")) or ""


def _key(row: dict[str, Any], where: str) -> tuple[str, int]:
    item = row.get("sample_id")
    if isinstance(item, bool) or not isinstance(item, str | int):
        refuse("has no sample_id", where, AGAIN)
    epoch = mapping(row.get("metadata")).get("epoch")
    if isinstance(epoch, str) and epoch.isascii() and epoch.isdigit() and len(epoch) < 10:
        epoch = int(epoch)
    if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 1:
        epoch = 1
    return str(item), epoch


@dataclass(frozen=True, slots=True)
class RowSamples:
    """The samples of one run."""

    rows: Rows
    names: dict[str, str]

    def samples(self) -> Iterator[FoundSample]:
        """Yield them; rows of one sample come together (rule 3)."""
        path = self.rows.path
        for key, lines in self.rows.by_sample.items():
            members = list(_rows(path, lines.lines(path, TOOL)))
            if len({_result(row) for _, row in members}) != len(members):
                where = f"{path}:{members[-1][0].number}"
                refuse(f"has the sample {key[0]!r} twice for one metric", where, AGAIN)
            yield self._sample(key, members)
        if self.rows.by_sample:
            return
        keys = Keys("the sample")
        for line, row in _rows(path, self.rows.lines.lines(path, TOOL)):
            where = f"{path}:{line.number}"
            key = _key(row, where)
            keys.add(f"{key[0]} epoch {key[1]}", where)
            yield self._sample(key, [(line, row)])
        keys.close()

    def _sample(
        self, key: tuple[str, int], members: list[tuple[Line, dict[str, Any]]]
    ) -> FoundSample:
        line, row = members[0]
        messages, answered = _conversation(row)
        error = text(row.get("error"))
        if error is None and not answered:
            error = "the row has no output"
        outcome: Outcome = "errored" if error else "answered"
        usage, performance = mapping(row.get("token_usage")), mapping(row.get("performance"))
        calls = _whole(mapping(row.get("evaluation")).get("tool_calls_count"))
        reference = mapping(row.get("input")).get("reference")
        target = next(iter(reference), None) if isinstance(reference, list) else reference
        milliseconds = number(performance.get("latency_ms"))
        return FoundSample(
            item=key[0],
            epoch=key[1],
            outcome=outcome,
            scores=tuple(self._score(member, outcome) for _, member in members),
            messages=messages,
            target=target if isinstance(target, str) else None,
            error=error,
            usage=Usage(
                input_tokens=_whole(usage.get("input_tokens")),
                output_tokens=_whole(usage.get("output_tokens")),
                total_tokens=_whole(usage.get("total_tokens")),
                seconds=None if milliseconds is None else milliseconds / 1000,
            )
            if usage or performance
            else None,
            trajectory=None if calls is None else Trajectory(tool_calls=calls),
            metadata={k: v for k, v in mapping(row.get("metadata")).items() if k != "epoch"},
            digest=line.digest if len(members) == 1 else None,
        )

    def _score(self, row: dict[str, Any], outcome: Outcome) -> FoundScore:
        scorer = self.names.get(_result(row))
        if scorer is None:
            alone = next(iter(self.names.values())) if len(self.names) == 1 else None
            scorer = alone or _result(row) or "score"
        verdict = mapping(row.get("evaluation"))
        raw = verdict.get("score", verdict.get("is_correct"))
        if raw is None:
            raw = verdict.get("is_correct")
        extracted = [mapping(one) for one in sequence(row.get("answer_attribution"))]
        final = next((one for one in reversed(extracted) if one.get("is_terminal")), None)
        answer = text(mapping(final).get("extracted_value"))
        if outcome != "answered":
            return FoundScore(scorer, "not-attempted", raw=raw)
        value = number(raw)
        if value is None:
            return FoundScore(scorer, "unparsed", raw=raw, answer=answer)
        return FoundScore(scorer, "scored", value, raw, answer)


@dataclass(frozen=True, slots=True)
class InnerSamples:
    """The samples that a record of version 0.1 holds, to which it gives no scores."""

    path: Path
    listed: list[Any]
    scorers: tuple[str, ...]

    def samples(self) -> Iterator[FoundSample]:
        """Yield them in their order."""
        keys = Keys("the sample")
        for place, entry in enumerate(self.listed):
            where = f"{self.path}: sample {place}"
            item, epoch = _key(mapping(entry), where)
            keys.add(item, where)
            asked, given = _plain(entry.get("input")), _plain(entry.get("response"))
            told = (FoundMessage("user", asked),) if asked is not None else ()
            yield FoundSample(
                item,
                epoch,
                "errored" if given is None else "answered",
                tuple(FoundScore(name, "not-attempted") for name in self.scorers),
                messages=told if given is None else (*told, FoundMessage("assistant", given)),
                target=_plain(entry.get("ground_truth")),
                error="the record has no response" if given is None else None,
                metadata={"choices": entry["choices"]} if entry.get("choices") else None,
            )
        keys.close()


def _conversation(row: dict[str, Any]) -> tuple[tuple[FoundMessage, ...], bool]:
    turns = [mapping(turn) for turn in sequence(row.get("messages"))]
    if turns:
        told = tuple(
            FoundMessage(
                text(turn.get("role")) or "user",
                _plain(turn.get("content")) or "",
                tuple(
                    called
                    for one in sequence(turn.get("tool_calls"))
                    if (called := text(mapping(one).get("name"))) is not None
                ),
            )
            for turn in turns
        )
        return told, any(message.role == "assistant" for message in told)
    asked = mapping(row.get("input"))
    prompt = _plain(asked.get("formatted")) or _plain(asked.get("raw"))
    told = (FoundMessage("user", prompt),) if prompt is not None else ()
    output = mapping(row.get("output")).get("raw")
    given = _plain(next(iter(output), None) if isinstance(output, list) else output)
    if given is None:
        return told, output == []
    return (*told, FoundMessage("assistant", given)), True


def _plain(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
