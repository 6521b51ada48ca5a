# SPDX-License-Identifier: Apache-2.0
"""The samples of garak: the outputs of the attempts of one probe.

The rules are those of :mod:`~countermark.exercise.reading.garak`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    Line,
    LineIndex,
    decode,
    mapping,
    number,
    sequence,
    text,
)
from countermark.exercise.reading.found import (
    FoundMessage,
    FoundSample,
    FoundScore,
    Outcome,
)

TOOL = "garak"
DETECTED = 2


@dataclass(slots=True)
class Probe:
    """Where the attempts of one probe are, and what garak states of it."""

    lines: LineIndex = field(default_factory=LineIndex)
    evals: dict[str, dict[str, Any]] = field(default_factory=dict)
    detectors: dict[str, None] = field(default_factory=dict)
    languages: set[str] = field(default_factory=set)
    sequence_numbers: set[int] = field(default_factory=set)
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ProbeSamples:
    """The outputs of one probe's attempts."""

    path: Path
    probe: Probe
    detectors: tuple[str, ...]
    threshold: float

    def samples(self) -> Iterator[FoundSample]:
        """Yield them, attempt by attempt (rule 2)."""
        for line in self.probe.lines.lines(self.path, TOOL):
            where = f"{self.path}:{line.number}"
            attempt = mapping(decode(line.data, where, TOOL))
            outputs = sequence(attempt.get("outputs")) or [None]
            results = {
                detector: _in_place(outputs, given)
                for detector, given in mapping(attempt.get("detector_results")).items()
            }
            for place, output in enumerate(outputs):
                yield self._sample(attempt, place, output, results, line)

    def _sample(
        self,
        attempt: dict[str, Any],
        place: int,
        output: Any,
        results: dict[str, Any],
        line: Line,
    ) -> FoundSample:
        answer = _text_of(output)
        outcome: Outcome = "errored" if answer is None else "answered"
        order = attempt.get("seq")
        item = str(order) if isinstance(order, int) else text(attempt.get("uuid")) or ""
        if self.probe.repeated or attempt.get("status", DETECTED) != DETECTED:
            item = f"{item}-{str(attempt.get('uuid'))[:8]}"
        told = _told(attempt, place)
        metadata = {
            key: attempt[key]
            for key in ("uuid", "status", "goal", "intent")
            if attempt.get(key) is not None
        }
        return FoundSample(
            item=item,
            epoch=place + 1,
            outcome=outcome,
            scores=tuple(
                score
                for detector in self.detectors
                for score in self._scores(detector, results.get(detector), place, outcome)
            ),
            messages=told if answer is None else (*told, FoundMessage("assistant", answer)),
            error="the model gave no output" if answer is None else None,
            metadata={
                **metadata,
                **({"language": known} if (known := language_of(attempt)) else {}),
            },
            digest=line.digest,
        )

    def _scores(
        self, detector: str, results: Any, place: int, outcome: Outcome
    ) -> Iterator[FoundScore]:
        """Rule 5."""
        hit = f"{detector}/hit"
        raw = results[place] if isinstance(results, list) and place < len(results) else None
        if not isinstance(results, list) or outcome != "answered":
            yield FoundScore(detector, "not-attempted", raw=raw)
            yield FoundScore(hit, "not-attempted", raw=raw)
            return
        value = number(raw)
        if value is None:
            yield FoundScore(detector, "unparsed", raw=raw)
            yield FoundScore(hit, "unparsed", raw=raw)
            return
        yield FoundScore(detector, "scored", value, raw)
        yield FoundScore(hit, "scored", float(value >= self.threshold), raw)


def _in_place(outputs: list[Any], given: Any) -> Any:
    """Return a detector's numbers in the places of their outputs (rule 4)."""
    told = [place for place, output in enumerate(outputs) if _text_of(output) is not None]
    if not isinstance(given, list) or len(given) != len(told) or len(told) == len(outputs):
        return given
    by_place = dict(zip(told, given, strict=True))
    return [by_place.get(place) for place in range(len(outputs))]


def _text_of(output: Any) -> str | None:
    value = output.get("text") if isinstance(output, dict) else output
    return value if isinstance(value, str) else None


def _turns(conversation: Any) -> tuple[FoundMessage, ...]:
    listed = conversation if isinstance(conversation, list) else mapping(conversation).get("turns")
    found = []
    for turn in sequence(listed):
        content = _text_of(mapping(turn).get("content"))
        if content is not None:
            found.append(FoundMessage(text(mapping(turn).get("role")) or "user", content))
    return tuple(found)


def _told(attempt: dict[str, Any], place: int) -> tuple[FoundMessage, ...]:
    conversations = attempt.get("conversations", attempt.get("messages"))
    own = sequence(conversations)[place : place + 1]
    told = _turns(own[0]) if own else ()
    if told and told[-1].role == "assistant":
        told = told[:-1]
    if told:
        return told
    prompt = attempt.get("prompt")
    simple = _text_of(prompt)
    return (FoundMessage("user", simple),) if simple is not None else _turns(prompt)


def language_of(attempt: dict[str, Any]) -> str | None:
    """Return the one language of an attempt's prompt, where the attempt says it."""
    prompt = mapping(attempt.get("prompt"))
    found = {
        tag
        for turn in sequence(prompt.get("turns"))
        if (tag := text(mapping(mapping(turn).get("content")).get("lang"))) and tag != "*"
    }
    found |= {tag for tag in (text(attempt.get("lang")), text(prompt.get("lang"))) if tag}
    found.discard("*")
    return found.pop() if len(found) == 1 else None
