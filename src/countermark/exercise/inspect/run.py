# SPDX-License-Identifier: Apache-2.0
"""Running a lab's cells through Inspect's own ``eval``, and going on with interrupted ones.

1. Each sample is in the log, on disk, as soon as it is done (of large cells, in thousandths).
2. A cell that was interrupted goes on by Inspect's own retry: finished samples are taken over from
   its earlier logs as they are, and the model is asked only for what is missing.
3. A sample that ended in an error, after as many tries as the protocol allows, is finished too.
4. A sample that was under way when the run stopped is asked again; of it, nothing was recorded.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from inspect_ai import Task, eval_retry, task
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import get_model

from countermark.exercise.cells import CellRun
from countermark.exercise.inspect.finished import check_finished
from countermark.exercise.inspect.interrupted import interrupted_log
from countermark.exercise.inspect.task import inspect_task
from countermark.exercise.stages.running import RunOptions, SampleDone, Told, nobody

_TASKS_AT_ONCE = 2  # so that no core idles while the last answers of a cell come in
_CELLS: dict[str, Task] = {}
Sample = tuple[str, int]


@task
def cell(name: str) -> Task:
    """Return a cell of this process by its name: Inspect retries only tasks that it can call."""
    return _CELLS[name]


def run_cells(
    runs: Sequence[CellRun],
    model: str,
    folder: Path,
    told: Told = nobody,
    options: RunOptions | None = None,
    interrupted: Sequence[Path] = (),
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
    told
        Told of each sample that is done.
    options
        How the model is reached, and how much is under way at once.
    interrupted
        Logs of earlier runs that did not finish.

    Raises
    ------
    StateError
        If a run did not finish.
    KeyboardInterrupt
        If it was stopped.
    """
    folder.mkdir(parents=True, exist_ok=True)
    options = options or RunOptions()
    arguments: dict[str, Any] = dict(options.model_args)
    fresh: list[Task] = []
    logs: list[EvalLog] = []
    for run in runs:
        earlier = interrupted_log(interrupted, run, model)
        made = functools.partial(_prepared, run, told)
        if earlier is None:
            fresh.append(made({}))
            continue
        failed = _failed(run, earlier.samples or ())
        for sample in earlier.samples or ():
            if sample.error is None or (str(sample.id), sample.epoch) in failed:
                told(run, SampleDone(failed=sample.error is not None, kept=True))
        made(failed)
        again = eval_retry(earlier, **_bounds(options), **_always(folder, [run]))
        check_finished(again, 1, run.lab)
        logs += again
    if fresh:
        ran = inspect_eval(
            fresh,
            model=get_model(model, base_url=options.base_url, **arguments),
            max_tasks=_TASKS_AT_ONCE,
            retry_on_error=runs[0].protocol.generation.retries or None,
            **_bounds(options),
            **_always(folder, runs),
        )
        check_finished(ran, len(fresh), runs[0].lab)
        logs += ran
    return tuple(Path(log.location.removeprefix("file://")) for log in logs)


def _prepared(run: CellRun, told: Told, failed: Mapping[Sample, str]) -> Task:
    name = "/".join(str(part) for part in (run.lab, run.task, run.language, run.arm))
    _CELLS[name] = inspect_task(run, told, failed)
    return cell(name)


def _failed(run: CellRun, samples: Sequence[EvalSample]) -> dict[Sample, str]:
    """Return the samples that are finished because they failed (rule 3), with their errors."""
    retries = run.protocol.generation.retries or 0
    return {
        (str(sample.id), sample.epoch): sample.error.message
        for sample in samples
        if sample.error is not None
        and len(sample.error_retries or ()) >= retries
        and "CancelledError" not in sample.error.traceback
    }


def _bounds(options: RunOptions) -> dict[str, Any]:
    return {"max_connections": options.max_connections, "max_samples": options.max_samples}


def _always(folder: Path, runs: Sequence[CellRun]) -> dict[str, Any]:
    log_format: Literal["eval"] = "eval"
    return {
        "log_dir": str(folder),
        "log_format": log_format,
        "log_buffer": 1 + max(run.samples for run in runs) // 1000,
        "display": "none",
        "fail_on_error": False,
    }
