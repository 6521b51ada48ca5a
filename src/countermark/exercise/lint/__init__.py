# SPDX-License-Identifier: Apache-2.0
"""Lint: what would make figures wrong or incomparable, found before anyone runs an exercise.

A lint reads tolerantly, tells everything that its rules find, and decides nothing. The numbered
rules are in :mod:`countermark.exercise.lint.rules`; docs/lint.md explains them.
"""

from pathlib import Path

from countermark.exercise.authoring.draft import PROTOCOL_FILE
from countermark.exercise.lint.finding import Finding, Report
from countermark.exercise.lint.model import LintSet
from countermark.exercise.lint.moonshot import FOLDERS, read_moonshot
from countermark.exercise.lint.protocol_folder import read_item_files, read_protocol_folder
from countermark.exercise.lint.rules import CHECKS
from countermark.records.errors import InputError

__all__ = ["lint", "read", "report"]

_ITEMS = {".jsonl", ".csv"}
_MOONSHOT = {".json", ".py"}


def lint(path: Path, *more: Path) -> Report:
    """Read what is at a path, or several files of one folder, and hold all rules against it.

    Raises
    ------
    InputError
        If there is nothing that a lint can read.
    """
    return report(read(path, *more))


def read(path: Path, *more: Path) -> LintSet:
    """Read a protocol folder, files of items, or files of Moonshot.

    Raises
    ------
    InputError
        If the path is none of these, or several paths are no files of one kind in one folder.
    """
    if path.is_dir() and not more:
        if (path / PROTOCOL_FILE).exists() or (path / "items").is_dir():
            return read_protocol_folder(path)
        if any((path / name).is_dir() for name in FOLDERS) or any(path.glob("*.json")):
            return read_moonshot(path)
    files = (path, *more)
    for kinds in (_ITEMS, _MOONSHOT):
        if all(one.suffix in kinds and one.exists() for one in files):
            if len({one.parent for one in files}) > 1:
                raise InputError(
                    "lies in another folder than the first file",
                    where=str(next(one for one in files if one.parent != path.parent)),
                    next_step="Give the folder above them.",
                )
            return read_item_files(files) if kinds == _ITEMS else read_moonshot(*files)
    odd = next((one for one in files if not one.exists()), path if not more else None)
    raise InputError(
        "is not there"
        if odd is not None and not odd.exists()
        else "is nothing that a lint can read",
        where=str(odd or ", ".join(map(str, files))),
        next_step="Give a protocol folder, files of items (.jsonl, .csv), or files, a folder or "
        "a checkout of Moonshot's data.",
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
