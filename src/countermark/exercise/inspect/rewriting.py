# SPDX-License-Identifier: Apache-2.0
"""Logs that only Inspect itself can read, rewritten in the form that we read."""

from pathlib import Path

from inspect_ai.log import read_eval_log
from pydantic import ValidationError

from countermark.records.errors import InputError

_FAILURES = (ValueError, KeyError, TypeError, OSError, RecursionError, ValidationError)


def rewritten(path: Path) -> bytes:
    """Return a log as Inspect's own reader understands it, in the JSON form.

    Raises
    ------
    InputError
        If Inspect cannot read it either.
    """
    try:
        log = read_eval_log(str(path), resolve_attachments=True)
        return log.model_dump_json(exclude_none=True).encode()
    except _FAILURES as error:
        raise InputError(
            f"is a log that neither this reader nor Inspect's own reads: {error}",
            where=str(path),
            next_step="Read it with the version of Inspect that wrote it, and convert it: "
            "inspect log convert.",
        ) from error
