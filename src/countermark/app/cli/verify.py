# SPDX-License-Identifier: Apache-2.0
"""``countermark verify``: offline, one line per check, a tick or a cross with the reason."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from countermark.app.cli.output import data, data_json, json_option, read_input, talk
from countermark.app.cli.reading import roster_beside, roster_in
from countermark.app.cli.verb import Verb
from countermark.signing.roster import Roster
from countermark.transparency.verify import Verification, verify_statement

FAILED = 5


@click.command(cls=Verb, example="countermark verify demo/record/statements/*.json")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--roster",
    "roster_folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the roster; else `roster` beside the statements' folder.",
)
@click.option(
    "--at",
    type=click.DateTime(("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d")),
    help="Judge as of this time (UTC), such as 2026-01-31T12:00:00Z; else now.",
)
@click.option("--quiet", is_flag=True, help="Only files that fail.")
@json_option
def command(
    files: tuple[Path, ...],
    roster_folder: Path | None,
    at: datetime | None,
    *,
    quiet: bool,
    as_json: bool,
) -> int:
    """Check published statements: signature, role, content, log, witnesses. Needs no network."""
    results = []
    asked = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    rosters: dict[Path, Roster] = {}
    for path in files:
        contents = read_input(path)
        folder = roster_folder or roster_beside(path)
        if folder not in rosters:
            rosters[folder] = roster_in(folder)
        verification = verify_statement(contents, rosters[folder], asked)
        results.append((path, verification))
        if not as_json and not (quiet and verification.valid):
            _print(path, verification)
    failed = [path for path, verification in results if not verification.valid]
    if as_json:
        data_json([_value(path, verification) for path, verification in results])
    for folder, roster in rosters.items():
        talk(f"Roster {folder}: version {roster.version}, anchor {roster.anchor}")
    talk(f"{len(results) - len(failed)} of {len(results)} valid.")
    return FAILED if failed else 0


def _print(path: Path, verification: Verification) -> None:
    data(str(path))
    for check in verification.checks:
        mark = "✓" if check.ok else "✗"
        data(f"  {mark} {check.rule}. {check.title}: {check.detail}")
    if verification.record is not None:
        data(f"  {verification.record.kind_name()} by {verification.author}, witnessed "
             f"{verification.witnessed} by {len(verification.witnesses)}")  # fmt: skip


def _value(path: Path, verification: Verification) -> dict[str, object]:
    return {
        "file": str(path),
        "valid": verification.valid,
        "kind": verification.record.kind_name() if verification.record else None,
        "author": verification.author,
        "witnessed": verification.witnessed,
        "witnesses": list(verification.witnesses),
        "checks": [asdict(check) for check in verification.checks],
    }
