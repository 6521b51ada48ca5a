# SPDX-License-Identifier: Apache-2.0
"""The samples of lm-evaluation-harness: one file of one task.

1. A sample is one document. Each of its metrics under each filter is one score, named as in the
   results (``exact_match,none``); lines of one document under several filters are one sample.
2. A number or truth value is *scored*; a metric that is absent or no number is *unparsed*; a list,
   from which the harness computes a value over all samples (``bleu``), is *not attempted*.
3. A document without any response of the model is *errored* and its scores are *not attempted*; an
   empty response is an answer.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    Keys,
    Line,
    LineIndex,
    decode,
    mapping,
    number,
    read_document,
    read_lines,
    read_start,
    refuse,
    sequence,
    text,
)
from countermark.exercise.reading.found import FoundMessage, FoundSample, FoundScore, Outcome
from countermark.records.errors import InputError

TOOL = "lm-evaluation-harness"
AGAIN = "Give the file as the harness wrote it, with --log_samples."
_FIXED = {
    "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics",
    "doc_hash", "prompt_hash", "target_hash", "schema_version",
}  # fmt: skip
_ROLES = {"system", "user", "assistant", "tool"}


class SampleFile:
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
                    AGAIN,
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
                refuse("is no sample", f"{self._path}: sample {place}", AGAIN)
            yield Line(0, place, b""), value

    def _reread(self, lines: LineIndex) -> Iterator[tuple[Line, dict[str, Any]]]:
        return self._decoded(lines.lines(self._path, TOOL))

    def _decoded(self, lines: Iterator[Line]) -> Iterator[tuple[Line, dict[str, Any]]]:
        for line in lines:
            value = decode(line.data, self._where(line), TOOL)
            if not isinstance(value, dict):
                refuse("is no sample", self._where(line), AGAIN)
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
    """Rules 2 and 3."""
    value = number(raw)
    if outcome != "answered" or isinstance(raw, list | dict):
        return FoundScore(scorer, "not-attempted", raw=raw)
    if value is None:
        return FoundScore(scorer, "unparsed", raw=raw)
    return FoundScore(scorer, "scored", value, raw)


def _item(value: dict[str, Any], where: str) -> str:
    item = value.get("doc_id")
    if isinstance(item, bool) or not isinstance(item, int | str):
        refuse("has no doc_id", where, AGAIN)
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
