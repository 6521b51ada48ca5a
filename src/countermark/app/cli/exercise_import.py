# SPDX-License-Identifier: Apache-2.0
"""Options of ``exercise import`` that say which cell a log of another tool is of."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import click

from countermark.exercise.stages.other_tools import Taken
from countermark.records.errors import UsageError

F = TypeVar("F", bound=Callable[..., object])
_NEEDED = ("model", "task", "language")
_OPTIONS = {
    "model": "Of a log of another tool: key of the model under test that it ran.",
    "task": "And the key of the task.",
    "language": "And the language.",
    "score": "The scorer in that log whose scores are held against the protocol's.",
    "log-model": "What that log calls the model, if it holds several.",
    "log-task": "What that log calls the task, if it holds several.",
}


def taken_options(function: F) -> F:
    """Add the options to a command."""
    for name, text in reversed(_OPTIONS.items()):
        function = click.option(f"--{name}", help=text)(function)
    return function


def taken_as(words: Mapping[str, str | None], logs: int) -> Taken | None:
    """Return what the options say, or nothing if none is given.

    Raises
    ------
    UsageError
        If they do not name one cell, or for several logs.
    """
    given = {name: value for name, value in words.items() if value is not None}
    if not given:
        return None
    lacking = [f"--{name}" for name in _NEEDED if name not in given]
    if lacking or logs != 1:
        raise UsageError(
            "take one log of another tool for one cell",
            where=", ".join(lacking) or "--model, --task and --language",
            next_step="Give one log with --model, --task and --language.",
        )
    return Taken(
        model=given["model"],
        task=given["task"],
        language=given["language"],
        scorer=given.get("score"),
        log_model=given.get("log_model"),
        log_task=given.get("log_task"),
    )
