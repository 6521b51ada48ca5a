# SPDX-License-Identifier: Apache-2.0
"""What Inspect's score values mean: the number that Inspect itself makes of each.

1. ``C`` and *yes*, *true* are 1, ``P`` is 0.5, ``I``, ``N`` and *no*, *false* are 0; a text that is
   a finite number is that number, and so are numbers and booleans. Inspect looks at the case of
   the four letters only.
2. ``NaN`` is Inspect's mark of a score that could not be made: *unparsed*. So are infinite numbers,
   and texts of which Inspect makes 0 with a warning.
3. A mapping or list is one score for each part, named ``scorer/key`` or ``scorer/0``.
4. The history holds the values from before each edit, oldest first.
"""

import math
from collections.abc import Iterator
from typing import Any

from countermark.exercise.reading.found import FoundScore
from countermark.exercise.reading.inspect_log.shapes import LogSample, LogScore

UNCHANGED = "UNCHANGED"
LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def number(value: object) -> float | None:
    """Return the number of one value under rules 1 and 2; nothing if it is unparsed."""
    if isinstance(value, str):
        found = LETTERS.get(value)
        if found is not None:
            return found
        found = _WORDS.get(value.lower())
        if found is None:
            found = _float(value)
    elif isinstance(value, bool | int | float):
        found = _float(value)
    else:
        found = None
    return found if found is not None and math.isfinite(found) else None


def _float(value: str | float) -> float | None:
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def found_scores(sample: LogSample, names: tuple[str, ...], unnamed: str) -> tuple[FoundScore, ...]:
    """Return a sample's scores, and for each further name one that was not attempted.

    Parameters
    ----------
    sample
        One sample.
    names
        The scores that the log has anywhere, parts by their full names.
    unnamed
        What the one score of a log of early 2024 is called.
    """
    found: list[FoundScore] = []
    for name, score in named_scores(sample, unnamed).items():
        kind = type(score.value)
        if kind is dict or kind is list:
            found += _parts(name, score)
        else:
            found.append(_one(name, score.value, score, _history(score) if score.history else ()))
    if len(found) == len(names):
        return tuple(found)
    have = {part.scorer for part in found}
    tops = {name.partition("/")[0] for name in have}
    found += [
        FoundScore(name, "not-attempted")
        for name in names
        if name not in have and (name not in tops or "/" in name)
    ]
    return tuple(found)


def named_scores(sample: LogSample, unnamed: str) -> dict[str, LogScore]:
    """Return a sample's scores by name, in old and new forms alike."""
    if sample.scores is not None:
        return sample.scores
    return {unnamed: sample.score} if sample.score is not None else {}


def part_names(name: str, value: object) -> Iterator[str]:
    """Yield the names under which a value counts (rule 3)."""
    if isinstance(value, dict):
        yield from (f"{name}/{key}" for key in value)
    elif isinstance(value, list):
        yield from (f"{name}/{index}" for index in range(len(value)))
    else:
        yield name


def part_values(value: Any) -> Iterator[Any]:
    """Yield the values in the order of :func:`part_names`."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value
    else:
        yield value


def _parts(name: str, score: LogScore) -> list[FoundScore]:
    history = _history(score)
    each = zip(part_names(name, score.value), part_values(score.value), strict=True)
    return [
        _one(part, value, score, tuple(_same_part(past, name, part) for past in history))
        for part, value in each
    ]


def _one(name: str, value: Any, score: LogScore, history: tuple[Any, ...]) -> FoundScore:
    mark = LETTERS[value] if type(value) is str and value in LETTERS else number(value)
    return FoundScore(
        name,
        "unparsed" if mark is None else "scored",
        mark,
        value,
        score.answer,
        score.explanation,
        history,
        _reason(score) if score.metadata else score.reason,
    )


def _history(score: LogScore) -> tuple[Any, ...]:
    """Return the values before the present one: Inspect lists the original and every edit."""
    values = tuple(edit.value for edit in score.history if edit.value != UNCHANGED)
    return values[:-1]


def _same_part(value: Any, name: str, part: str) -> Any:
    for past, one in zip(part_names(name, value), part_values(value), strict=True):
        if past == part:
            return one
    return value


def _reason(score: LogScore) -> str | None:
    if score.reason is not None or not score.metadata:
        return score.reason
    old = score.metadata.get("unscored_reason")
    return old if isinstance(old, str) else None
