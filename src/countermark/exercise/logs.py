# SPDX-License-Identifier: Apache-2.0
"""Inspect logs as the import of a protocol's cell wants them: whole, in the order of their names.

They are read by :mod:`countermark.exercise.reading.inspect_log`, under its rules. All samples are
held at once, so a log is at most ``MAX_HELD`` samples long here.
"""

from dataclasses import dataclass
from pathlib import Path

from countermark.exercise.reading.archive import LOCAL_MAGIC
from countermark.exercise.reading.inspect_log.log import open_log
from countermark.exercise.reading.inspect_log.shapes import LogHeader, LogSample, refuse

MAX_HELD = 200_000


@dataclass(frozen=True, slots=True)
class Log:
    """One Inspect log."""

    name: str
    header: LogHeader
    samples: tuple[LogSample, ...]


def read_log(path: Path) -> Log:
    """Read a log in either form.

    Raises
    ------
    InputError
        If the file is missing, truncated, no Inspect log, breaks a rule of its reader, or has more
        samples than can be held.
    """
    log = open_log(path)
    samples: list[tuple[str, LogSample]] = []
    for document in log.documents():
        if len(samples) == MAX_HELD:
            refuse(f"has more than {MAX_HELD:,} samples", log.where)
        samples.append((document.where, document.sample))
    if log.zipped:
        samples.sort(key=lambda sample: sample[0])
    return Log(log.where, log.header, tuple(sample for _, sample in samples))


def is_zip(data: bytes) -> bool:
    """Tell whether a log is in the zip form."""
    return data.startswith(LOCAL_MAGIC)
