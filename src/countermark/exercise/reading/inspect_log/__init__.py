# SPDX-License-Identifier: Apache-2.0
"""Logs of Inspect, read without Inspect."""

from collections.abc import Iterator
from pathlib import Path

from countermark.exercise.logs import read_log
from countermark.exercise.reading.found import FoundRun


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is a log of Inspect in either form."""
    if head.startswith(b"PK\x03\x04"):
        return path.suffix == ".eval" or b"_journal/start.json" in head
    return path.suffix == ".eval" or (
        head.lstrip().startswith(b"{") and b'"eval"' in head and b'"version"' in head
    )


def read(path: Path) -> Iterator[FoundRun]:
    """Yield the one run of a log."""
    log = read_log(path)
    yield FoundRun(
        file=str(path),
        tool="inspect",
        tool_version=log.header.eval.packages.get("inspect_ai"),
        model=log.header.eval.model,
        task=log.header.eval.task,
        samples=lambda: iter(()),
    )
