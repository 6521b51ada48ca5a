# SPDX-License-Identifier: Apache-2.0
"""Which tool wrote a file, told by what is in it, and the reader that goes with it.

1. The first format of the table that recognises a file reads it; a name alone decides nothing
   that the contents contradict.
2. Recognising looks at the first ``HEAD`` bytes, or at the names in a folder; it raises nothing.
3. What nobody recognises is refused, with the names of what is read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from countermark.exercise.reading import (
    csv_table,
    every_eval_ever,
    garak,
    helm,
    inspect_log,
    lm_eval,
    moonshot,
)
from countermark.exercise.reading.found import FoundRun
from countermark.records.errors import InputError

HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Format:
    """One tool's form of log.

    Parameters
    ----------
    name
        As people call it; it stands in the refusal of rule 3.
    recognises
        Tells from the path and the first ``HEAD`` bytes (none for a folder) whether it is ours.
    read
        Yields the runs in a file or folder.
    """

    name: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path], Iterator[FoundRun]]


FORMATS: tuple[Format, ...] = (
    Format("Inspect (.eval, .json)", inspect_log.recognises, inspect_log.read),
    Format(
        "lm-evaluation-harness (results_*.json, samples_*.jsonl)", lm_eval.recognises, lm_eval.read
    ),
    Format("HELM (a run folder)", helm.recognises, helm.read),
    Format("Moonshot (results, .json)", moonshot.recognises, moonshot.read),
    Format("garak (.report.jsonl)", garak.recognises, garak.read),
    Format("Every Eval Ever (.json)", every_eval_ever.recognises, every_eval_ever.read),
    Format("a table (.csv)", csv_table.recognises, csv_table.read),
)


def read_runs(path: Path) -> Iterator[FoundRun]:
    """Yield the runs in a log of any tool that is known.

    Raises
    ------
    InputError
        If it cannot be read, nobody recognises it, or its reader refuses it.
    """
    head = _head(path)
    for one in FORMATS:
        if one.recognises(path, head):
            yield from one.read(path)
            return
    raise InputError(
        "is no log of a tool that is known",
        where=str(path),
        next_step=f"These are read: {'; '.join(one.name for one in FORMATS)}.",
    )


def _head(path: Path) -> bytes:
    if path.is_dir():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            next_step="Give the path of a log, or of a folder that a tool wrote.",
        ) from error
