# SPDX-License-Identifier: Apache-2.0
"""Running a lab's cells through Inspect's own ``eval``."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from inspect_ai import eval as inspect_eval
from inspect_ai.model import get_model

from countermark.exercise.cells import CellRun
from countermark.exercise.inspect.task import inspect_task
from countermark.records.errors import StateError


def run_cells(
    runs: Sequence[CellRun],
    model: str,
    folder: Path,
    on_answer: Callable[[CellRun], None] = lambda _: None,
) -> tuple[Path, ...]:
    """Run a lab's cells and return their logs.

    Parameters
    ----------
    runs
        The cells, all of one lab; at least one.
    model
        Inspect's name of the model, such as ``countermark/smollm2``.
    folder
        Where the logs are written; made if need be.
    on_answer
        Called after each answer with its cell, in the event loop's thread.

    Raises
    ------
    StateError
        If a run did not finish.
    KeyboardInterrupt
        If it was stopped.
    """
    folder.mkdir(parents=True, exist_ok=True)
    logs = inspect_eval(
        [inspect_task(run, functools.partial(on_answer, run)) for run in runs],
        model=get_model(model),
        log_dir=str(folder),
        log_format="eval",
        display="none",
        # Two at once, so that no core idles while the last answers of a cell come in.
        max_tasks=2,
        fail_on_error=False,
    )
    for log in logs:
        if log.status == "cancelled":
            raise KeyboardInterrupt  # Inspect makes a cancelled log of it; the person meant stop
        if log.status != "success":
            reason = log.error.message if log.error else "no reason given"
            raise StateError(
                f"stopped with {log.status}: {reason}",
                where=f"{runs[0].lab} {log.eval.task}",
                next_step=f"Look into {log.location}, then run the lab again.",
            )
    return tuple(Path(log.location.removeprefix("file://")) for log in logs)
