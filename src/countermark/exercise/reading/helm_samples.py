# SPDX-License-Identifier: Apache-2.0
"""The samples of HELM: what its requests and its statistics say of one instance.

The rules are those of :mod:`~countermark.exercise.reading.helm`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from countermark.exercise.reading.documents import (
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
    Usage,
)

DESCRIBES = (
    "num_", "training_", "inference_", "finish_reason_", "batch_size", "prompt_truncated",
    "logprob", "max_prob",
)  # fmt: skip
Instance = tuple[str, int]  # instance and trial


@dataclass(frozen=True, slots=True)
class InstanceSamples:
    """The samples of one split under one perturbation."""

    requests: Mapping[Instance, list[dict[str, Any]]]
    instances: Mapping[Instance, Mapping[str, dict[str, Any]]]

    def samples(self) -> Iterator[FoundSample]:
        """Yield them in HELM's order."""
        metrics = tuple(
            dict.fromkeys(
                name
                for stats in self.instances.values()
                for name in stats
                if not name.startswith(DESCRIBES)
            )
        )
        for key in dict.fromkeys((*self.requests, *self.instances)):
            yield _sample(key, self.requests.get(key, []), self.instances.get(key, {}), metrics)


def _sample(
    key: Instance,
    requests: list[dict[str, Any]],
    stats: Mapping[str, dict[str, Any]],
    metrics: tuple[str, ...],
) -> FoundSample:
    item, trial = key
    first = next((one for one in requests if one.get("request_mode") != "calibration"), None)
    request = first or (requests[0] if requests else {})
    instance = mapping(request.get("instance"))
    error = _error(requests)
    outcome: Outcome = "errored" if error else "answered"
    completion = _completion(request)
    mapped = mapping(request.get("output_mapping"))
    answer = text(mapped.get((completion or "").strip()))
    told = _told(mapping(request.get("request")))
    right = [
        _text_of(one.get("output"))
        for one in sequence(instance.get("references"))
        if isinstance(one, dict) and "correct" in sequence(one.get("tags"))
    ]
    describes = {
        name: stat.get("mean") for name, stat in stats.items() if name.startswith(DESCRIBES)
    }
    return FoundSample(
        item=item,
        epoch=trial,
        outcome=outcome,
        scores=tuple(_score(name, stats.get(name, {}), outcome, answer) for name in metrics),
        messages=told if completion is None else (*told, FoundMessage("assistant", completion)),
        target=right[0] if right else None,
        error=error,
        usage=_usage(request, describes),
        metadata={
            **{name: value for name, value in describes.items() if value is not None},
            **({"references": [*right]} if len(right) > 1 else {}),
            **({"requests": len(requests)} if len(requests) > 1 else {}),
        },
    )


def _score(name: str, stat: dict[str, Any], outcome: Outcome, answer: str | None) -> FoundScore:
    raw = stat.get("mean")
    if raw is None and stat.get("count") == 1:
        raw = stat.get("sum")
    if outcome != "answered":
        return FoundScore(name, "not-attempted", raw=raw)
    value = number(raw)
    if value is None:
        return FoundScore(name, "unparsed", raw=raw, answer=answer)
    return FoundScore(name, "scored", value, raw, answer)


def _error(requests: list[dict[str, Any]]) -> str | None:
    """Rule 3."""
    for request in requests:
        result = mapping(request.get("result"))
        if result.get("success") is False:
            return text(result.get("error")) or "the request failed"
        if not sequence(result.get("completions")):
            return "the log has no completion"
    return None


def _text_of(value: Any) -> str:
    """Return the text of an output; the first versions wrote the text alone."""
    return text(value) or text(mapping(value).get("text")) or ""


def _completion(request: dict[str, Any]) -> str | None:
    completions = sequence(mapping(request.get("result")).get("completions"))
    first = mapping(completions[0] if completions else None).get("text")
    return first if isinstance(first, str) else None


def _told(request: dict[str, Any]) -> tuple[FoundMessage, ...]:
    turns = [mapping(turn) for turn in sequence(request.get("messages"))]
    if turns:
        return tuple(
            FoundMessage(text(turn.get("role")) or "user", text(turn.get("content")) or "")
            for turn in turns
        )
    prompt = request.get("prompt")
    return (FoundMessage("user", prompt),) if isinstance(prompt, str) else ()


def _usage(request: dict[str, Any], describes: dict[str, Any]) -> Usage | None:
    told = number(describes.get("num_prompt_tokens"))
    given = number(describes.get("num_completion_tokens"))
    seconds = number(mapping(request.get("result")).get("request_time"))
    if told is None and given is None and seconds is None:
        return None
    return Usage(
        input_tokens=None if told is None else int(told),
        output_tokens=None if given is None else int(given),
        seconds=seconds,
    )
