# SPDX-License-Identifier: Apache-2.0
"""What earlier, interrupted runs of a cell left behind, as one log that Inspect can go on with.

1. A log counts if it is of this very cell, with its settings and seed, and of this model.
2. Where Inspect keeps a buffer of samples beside a log that was cut off, what it holds counts too.
3. Of a sample that several logs have, the one without an error counts, and else the earliest.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from inspect_ai import log as inspect_log
from inspect_ai.log import EvalLog, EvalSample, read_eval_log

from countermark.exercise.cells import CellRun
from countermark.exercise.inspect.task import METADATA_KEY


def interrupted_log(paths: Sequence[Path], run: CellRun, model: str) -> EvalLog | None:
    """Return one log with every sample that interrupted runs of a cell finished.

    Parameters
    ----------
    paths
        Logs that did not finish, in the order in which they were begun; those of other cells are
        passed over, and so are files that cannot be read.
    run, model
        Which cell of which model.
    """
    found: dict[tuple[str, int], EvalSample] = {}
    last = None
    for path in paths:
        header = _read(path, header_only=True)
        if header is None or not _is_of(header, run, model):
            continue
        last = header
        for log in _readings(path, header):
            for sample in log.samples or ():
                known = found.get((str(sample.id), sample.epoch))
                if known is None or (known.error is not None and sample.error is None):
                    found[str(sample.id), sample.epoch] = sample
    if last is None:
        return None
    # Inspect would look for the buffer of a *started* log once more.
    return last.model_copy(update={"samples": list(found.values()), "status": "cancelled"})


def _is_of(header: EvalLog, run: CellRun, model: str) -> bool:
    said = (header.eval.metadata or {}).get(METADATA_KEY)
    return said == run.metadata() and header.eval.model == model


def _readings(path: Path, header: EvalLog) -> Iterator[EvalLog]:
    whole = _read(path)
    if whole is not None:
        yield whole
    if header.status == "started" and hasattr(inspect_log, "recover_eval_log"):
        with tempfile.TemporaryDirectory() as folder:
            recovered = _recovered(path, Path(folder) / "recovered.eval")
            if recovered is not None:
                yield recovered


def _read(path: Path, *, header_only: bool = False) -> EvalLog | None:
    try:
        return read_eval_log(str(path), header_only=header_only)
    except (ValueError, OSError, KeyError, EOFError):
        return None  # torn while it was written: the buffer or an earlier log has what there is


def _recovered(path: Path, target: Path) -> EvalLog | None:
    try:
        inspect_log.recover_eval_log(str(path), output=str(target), cleanup=False)
    except (ValueError, OSError, RuntimeError, inspect_log.RecoveryNotAvailable):
        return None
    return _read(target)
