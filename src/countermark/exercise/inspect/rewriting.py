# SPDX-License-Identifier: Apache-2.0
"""Logs that only Inspect itself can read, rewritten in the form that we read."""

import json
from pathlib import Path

from inspect_ai.log import EvalSample, read_eval_log

# What Inspect's reader raises for what it does not understand; it has no error of its own.
_FAILURES = (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError)


def whole_log(path: Path) -> bytes | None:
    """Return a log as Inspect understands it, in the JSON form; nothing if it does not."""
    try:
        log = read_eval_log(str(path), resolve_attachments=True)
        return log.model_dump_json(exclude_none=True).encode()
    except _FAILURES:
        return None


def one_sample(data: bytes) -> bytes | None:
    """Return a sample as Inspect understands it; nothing if it does not."""
    try:
        sample = EvalSample.model_validate(json.loads(data))
        return sample.model_dump_json(exclude_none=True).encode()
    except _FAILURES:
        return None
