# SPDX-License-Identifier: Apache-2.0
"""Lint: what would make figures wrong or incomparable, found before anyone runs an exercise.

A lint reads tolerantly, tells everything that its rules find, and decides nothing. The numbered
rules are in :mod:`countermark.exercise.lint.rules`; docs/lint.md explains them.
"""

from pathlib import Path

from countermark.exercise.authoring_draft import PROTOCOL_FILE
from countermark.exercise.lint.finding import Finding, Report
from countermark.exercise.lint.model import Fault, LintSet
from countermark.exercise.lint.moonshot import FOLDERS, read_moonshot
from countermark.exercise.lint.protocol_folder import read_item_file, read_protocol_folder
from countermark.exercise.lint.rules import CHECKS
from countermark.records.errors import InputError

__all__ = ["lint", "read", "report"]

MAX_BYTES = 256 * 1024 * 1024
_SUFFIXES = {".json", ".jsonl", ".csv", ".py"}


def lint(path: Path) -> Report:
    """Read what is at a path, and hold all rules against it.

    Raises
    ------
    InputError
        If there is nothing that a lint can read.
    """
    return report(read(path))


def read(path: Path) -> LintSet:
    """Read a protocol folder, a file of items, or files of Moonshot.

    Raises
    ------
    InputError
        If the path is none of these.
    """
    if path.is_dir():
        _check_size(path)
        if (path / PROTOCOL_FILE).exists() or (path / "items").is_dir():
            return read_protocol_folder(path)
        if any((path / name).is_dir() for name in FOLDERS) or any(path.glob("*.json")):
            return read_moonshot(path)
    elif path.suffix in {".jsonl", ".csv"} and path.exists():
        faults: list[Fault] = []
        file = read_item_file(path, path.name, faults)
        return LintSet("protocol", str(path.parent), (file,), tuple(faults))
    elif path.suffix in {".json", ".py"} and path.exists():
        return read_moonshot(path)
    raise InputError(
        "is nothing that a lint can read" if path.exists() else "is not there",
        where=str(path),
        next_step="Give a protocol folder, a file of items (.jsonl, .csv), or a file, a folder or "
        "a checkout of Moonshot's data.",
    )


def _check_size(path: Path) -> None:
    """Refuse a folder whose files together would not fit in memory as they are held there."""
    folders = [path, *(path / name for name in ("items", *FOLDERS))]
    size = sum(
        one.lstat().st_size
        for folder in folders
        if folder.is_dir()
        for one in folder.iterdir()
        if one.suffix in _SUFFIXES
    )
    if size > MAX_BYTES:
        raise InputError(
            f"holds {size:,} bytes of files; at most {MAX_BYTES:,} are looked at together",
            where=str(path),
            next_step="Lint one task at a time.",
        )


def report(found: LintSet) -> Report:
    """Hold all rules against what was read; findings come by rule, then by file and line."""
    findings = [finding for check in CHECKS for finding in check(found)]
    return Report(
        format=found.format,
        files=len(found.files) + len(found.recipes) + len(found.metrics),
        items=sum(len(file.items) for file in found.files),
        tasks=tuple(sorted({file.task for file in found.files})),
        languages=tuple(sorted({file.tag for file in found.files if file.tag})),
        findings=tuple(sorted(findings, key=_order)),
    )


def _order(finding: Finding) -> tuple[str, str, int, str]:
    return finding.rule.number, finding.file, finding.line or 0, finding.key or ""
