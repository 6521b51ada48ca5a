# SPDX-License-Identifier: Apache-2.0
"""Whether what Inspect was asked to run came to its end."""

from collections.abc import Sequence

from inspect_ai.log import EvalLog

from countermark.records.errors import StateError


def check_finished(logs: Sequence[EvalLog], asked: int, who: str) -> None:
    """See that each task that was asked for came to its end.

    Parameters
    ----------
    logs
        What Inspect gave back.
    asked
        How many tasks it was asked to run.
    who
        What ran, for the error.

    Raises
    ------
    KeyboardInterrupt
        If a person stopped it: Inspect then gives back cancelled logs, or none, and says nothing.
    StateError
        If a task failed.
    """
    for log in logs:
        if log.status not in {"success", "cancelled"}:
            reason = log.error.message if log.error else "no reason given"
            raise StateError(
                f"stopped with {log.status}: {reason}",
                where=f"{who} {log.eval.task}",
                next_step=f"Look into {log.location}, then run it again.",
            )
    if len(logs) < asked or any(log.status == "cancelled" for log in logs):
        raise KeyboardInterrupt
