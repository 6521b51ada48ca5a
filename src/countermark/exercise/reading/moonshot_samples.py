# SPDX-License-Identifier: Apache-2.0
"""One sample of Moonshot, in any of its forms.

The rules are those of :mod:`~countermark.exercise.reading.moonshot`.
"""

import hashlib
from typing import Any

from countermark.exercise.reading.documents import (
    mapping,
    number,
)
from countermark.exercise.reading.found import (
    FoundMessage,
    FoundSample,
    FoundScore,
    Outcome,
    Usage,
)
from countermark.records.canonical import JsonValue

TOOL = "moonshot"
AGAIN = "Give a result file as Moonshot wrote it, of a recipe or a cookbook."
WHY = "Moonshot may leave out or count otherwise what it could not judge"


def prediction_of(entry: Any) -> str | None:
    """Return what the model answered to one prompt; nothing if the file does not hold it."""
    value = mapping(entry).get("predicted_result")
    if isinstance(value, dict):
        value = value.get("response")
    return value if isinstance(value, str) else None


def one_sample(
    item: str,
    entry: dict[str, Any],
    outcome: Outcome,
    scores: tuple[FoundScore, ...],
    error: str | None,
) -> FoundSample:
    """Return one prompt with its answer and scores in the common form."""
    prompt, prediction = entry["prompt"], prediction_of(entry)
    told = prompt if isinstance(prompt, str) else str(prompt)
    target = entry.get("target")
    seconds = number(entry.get("duration"))
    metadata: dict[str, JsonValue] = {
        "prompt_sha256": hashlib.sha256(told.encode()).hexdigest(),
        **({"targets": target} if isinstance(target, list) else {}),
    }
    messages: tuple[FoundMessage, ...] = (FoundMessage("user", told),)
    if prediction is not None:
        messages = (*messages, FoundMessage("assistant", prediction))
    return FoundSample(
        item=item,
        epoch=1,
        outcome=outcome,
        scores=scores,
        messages=messages,
        target=None if target is None or isinstance(target, list) else str(target),
        error=error,
        usage=None if seconds is None else Usage(seconds=seconds),
        metadata=metadata,
    )
