# SPDX-License-Identifier: Apache-2.0
"""The columns that an analysis needs of an Inspect log, from what is cheapest to read.

1. They come from the lines beside the samples (``summaries.json``, or those of the journal); where
   there are none, from the samples.
2. Of lines for one sample the last counts, as for Inspect.
3. A row is one sample of the log; a score that it lacks, or that is unparsed, is ``nan``.
"""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from countermark.exercise.reading.inspect_log.log import Document, open_log
from countermark.exercise.reading.inspect_log.scores import LETTERS, number, part_names, part_values
from countermark.exercise.reading.inspect_log.shapes import LogSummary, LogValue


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one log, all of one length.

    Parameters
    ----------
    model, task
        Of the run.
    item, epoch
        Which sample a row is.
    scores
        For each score its numbers.
    error, limit
        Why the sample failed, and the limit that stopped it; nothing if neither.
    tokens
        All tokens of all models.
    """

    model: str
    task: str
    item: list[str]
    epoch: "array[int]"
    scores: "dict[str, array[float]]"
    error: list[str | None]
    limit: list[str | None]
    tokens: "array[int]"


def columns(path: Path) -> Columns:
    """Read the columns of one log.

    Raises
    ------
    InputError
        If it is no Inspect log, or damaged.
    """
    log = open_log(path)
    if log.repeated is not None:
        raise log.repeated
    lines: Iterable[LogSummary] | None = log.summaries()
    if lines is None:
        lines = (_line(document) for document in log.documents())
    found = Columns(
        log.header.eval.model, log.header.eval.task, [], array("q"), {}, [], [], array("q")
    )
    _fill(found, lines)
    return found


def _fill(found: Columns, lines: Iterable[LogSummary]) -> None:
    # Names are bound once: this loop is all that a long log costs beside its decoding.
    items, epochs, errors, limits = found.item, found.epoch, found.error, found.limit
    scores, tokens, nan, isfinite = found.scores, found.tokens, math.nan, math.isfinite
    count = 0
    rows: dict[tuple[str, int], int] = {}
    for line in lines:
        key = (str(line.id), line.epoch)
        row = rows.setdefault(key, count)
        if row == count:
            count += 1
            items.append(key[0])
            epochs.append(key[1])
            errors.append(line.error)
            limits.append(line.limit)
            tokens.append(0)
            for column in scores.values():
                column.append(nan)
        else:
            errors[row], limits[row], tokens[row] = line.error, line.limit, 0
        for used in line.model_usage.values():
            tokens[row] += used.total_tokens
        if not line.scores:
            continue
        for name, score in line.scores.items():
            value = score.value
            kind = type(value)
            if kind is dict or kind is list:
                for part, one in zip(part_names(name, value), part_values(value), strict=True):
                    _column(found, part)[row] = _mark(one)
                continue
            column = scores[name] if name in scores else _column(found, name)
            if kind is str and value in LETTERS:
                column[row] = LETTERS[value]
            else:
                column[row] = value if kind is float and isfinite(value) else _mark(value)


def _mark(value: object) -> float:
    mark = number(value)
    return math.nan if mark is None else mark


def _column(found: Columns, name: str) -> "array[float]":
    column = found.scores.get(name)
    if column is None:
        column = found.scores[name] = array("d", [math.nan]) * len(found.item)
    return column


def _line(document: Document) -> LogSummary:
    sample = document.sample
    return LogSummary(
        id=sample.id,
        epoch=sample.epoch,
        scores={name: LogValue(score.value) for name, score in (sample.scores or {}).items()},
        error=sample.error.message if sample.error else None,
        limit=sample.limit.type if sample.limit else None,
        model_usage=sample.model_usage,
    )
