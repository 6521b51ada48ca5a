# SPDX-License-Identifier: Apache-2.0
"""The columns that an analysis needs of an Inspect log, from what is cheapest to read.

1. They come from the lines beside the samples (``summaries.json``, or those of the journal); where
   there are none, from the samples.
2. A row is one sample of the log; a score that it lacks, or that is unparsed, is ``nan``.
"""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from countermark.exercise.reading.inspect_log.log import Document, open_log
from countermark.exercise.reading.inspect_log.scores import number, part_names, part_values
from countermark.exercise.reading.inspect_log.shapes import LogSummary


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
    lines: Iterable[LogSummary] | None = log.summaries()
    if lines is None:
        lines = (_line(document) for document in log.documents())
    found = Columns(
        log.header.eval.model, log.header.eval.task, [], array("q"), {}, [], [], array("q")
    )
    for line in lines:
        _add(found, line)
    return found


def _add(found: Columns, line: LogSummary) -> None:
    row = len(found.item)
    found.item.append(str(line.id))
    found.epoch.append(line.epoch)
    found.error.append(line.error)
    found.limit.append(line.limit)
    found.tokens.append(sum(used.total_tokens for used in line.model_usage.values()))
    for column in found.scores.values():
        column.append(math.nan)
    for name, score in (line.scores or {}).items():
        parts = zip(part_names(name, score.value), part_values(score.value), strict=True)
        for part, value in parts:
            if part not in found.scores:
                found.scores[part] = array("d", [math.nan]) * (row + 1)
            mark = number(value)
            if mark is not None:
                found.scores[part][row] = mark


def _line(document: Document) -> LogSummary:
    sample = document.sample
    return LogSummary(
        id=sample.id,
        epoch=sample.epoch,
        scores=sample.scores,
        error=sample.error.message if sample.error else None,
        limit=sample.limit.type if sample.limit else None,
        model_usage=sample.model_usage,
    )
