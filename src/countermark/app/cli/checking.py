# SPDX-License-Identifier: Apache-2.0
"""Which check a file asks for: a statement, evidence of a fork, or one disclosed sample."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from countermark.app.cli.output import read_input
from countermark.signing.roster import Roster
from countermark.transparency.verify import Check, Verification, verify_statement

EQUIVOCATION = "countermark-equivocation"
SAMPLE = "countermark-sample"
Seals = Mapping[str, tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on one file.

    Parameters
    ----------
    checks
        One for each rule of its kind of file.
    summary
        What a valid file shows, in a line.
    statement
        The whole verdict, where the file is a statement.
    """

    checks: tuple[Check, ...]
    summary: str
    statement: Verification | None = None

    @property
    def valid(self) -> bool:
        """Every rule holds."""
        return all(check.ok for check in self.checks)


def format_of(contents: bytes) -> str:
    """Return what a file says it is, unverified; nothing where it does not say."""
    try:
        value = json.loads(contents)
    except (ValueError, RecursionError):
        return ""
    found = value.get("format") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def check_file(contents: bytes, roster: Roster, at: datetime, seals: Seals) -> Checked:
    """Check a file by the rules of its kind; what says nothing else is taken for a statement."""
    # The rarer kinds are imported when they are met, so that a statement is checked quickly.
    match format_of(contents):
        case found if found == EQUIVOCATION:
            from countermark.transparency.equivocation import verify_equivocation  # noqa: PLC0415

            checks = verify_equivocation(contents, roster)
            return Checked(checks, "evidence that the log was forked: do not trust it")
        case found if found == SAMPLE:
            from countermark.transparency.disclosure import verify_disclosure  # noqa: PLC0415

            return Checked(verify_disclosure(contents, seals), "one sample of a sealed result")
        case _:
            verdict = verify_statement(contents, roster, at)
            return Checked(verdict.checks, _summary(verdict), verdict)


def seals_near(
    files: Iterable[tuple[Path, bytes]], roster: Roster, at: datetime
) -> dict[str, tuple[str, int]]:
    """Return the seals that samples may be of: root in hex and number of samples, by digest.

    They come from the sealed results among the files, and from those in a folder ``statements``
    beside a sample or one above it. Only statements that verify count.
    """
    files = list(files)
    statements = [contents for _, contents in files if format_of(contents) != SAMPLE]
    for path, contents in files:
        if format_of(contents) == SAMPLE:
            here = path.absolute().parent
            for folder in (here / "statements", here.parent / "statements"):
                statements += [
                    read_input(one) for one in sorted(folder.glob("sealed-result-*.json"))
                ]
    from countermark.records.evidence import SealedResult  # noqa: PLC0415  only samples need it

    seals = {}
    for contents in statements:
        record = verify_statement(contents, roster, at).record
        if isinstance(record, SealedResult):
            seals[record.digest] = (record.root, record.samples)
    return seals


def _summary(found: Verification) -> str:
    if found.record is None:
        return ""
    return (
        f"{found.record.kind_name()} by {found.author}, witnessed {found.witnessed} "
        f"by {len(found.witnesses)}"
    )
