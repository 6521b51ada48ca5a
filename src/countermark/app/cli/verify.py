# SPDX-License-Identifier: Apache-2.0
"""``countermark verify``: offline, one line per check, a tick or a cross with the reason."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from countermark.app.cli.checking import SAMPLE, Checked, Seals, check_file, format_of, seals_near
from countermark.app.cli.output import data, data_json, json_option, read_input, talk
from countermark.app.cli.reading import roster_beside, roster_in
from countermark.app.cli.verb import Verb
from countermark.records.errors import InputError
from countermark.signing.roster import Roster

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
    """Check statements, evidence of a fork, disclosed samples. Needs no network."""
    asked = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    rosters: dict[Path, Roster] = {}
    seals: dict[Path, Seals] = {}
    results = []
    read = [(path, read_input(path)) for path in files]
    for path, contents in read:
        folder = roster_folder or _roster_found(path)
        if folder not in rosters:
            rosters[folder] = roster_in(folder)
        if format_of(contents) == SAMPLE and folder not in seals:
            seals[folder] = seals_near(read, rosters[folder], asked)
        checked = check_file(contents, rosters[folder], asked, seals.get(folder, {}))
        results.append((path, checked))
        if not as_json and not (quiet and checked.valid):
            _print(path, checked)
    failed = [path for path, checked in results if not checked.valid]
    if as_json:
        data_json([_value(path, checked) for path, checked in results])
    for folder, roster in rosters.items():
        talk(f"Roster {folder}: version {roster.version}, anchor {roster.anchor}")
    talk(f"{len(results) - len(failed)} of {len(results)} valid.")
    return FAILED if failed else 0


def _roster_found(path: Path) -> Path:
    folder = roster_beside(path)
    if not folder.is_dir():
        raise InputError(
            "has no folder 'roster' beside it, nor beside its folder",
            where=str(path),
            next_step="Say where the members' roster is: --roster FOLDER.",
        )
    return folder


def _print(path: Path, checked: Checked) -> None:
    data(str(path))
    for check in checked.checks:
        mark = "✓" if check.ok else "✗"
        data(f"  {mark} {check.rule}. {check.title}: {check.detail}")
    if checked.valid:
        data(f"  {checked.summary}")


def _value(path: Path, checked: Checked) -> dict[str, object]:
    statement = checked.statement
    record = statement.record if statement else None
    return {
        "file": str(path),
        "valid": checked.valid,
        "kind": record.kind_name() if record else None,
        "author": statement.author if statement else None,
        "witnessed": statement.witnessed if statement else None,
        "witnesses": list(statement.witnesses) if statement else [],
        "checks": [asdict(check) for check in checked.checks],
    }
