# SPDX-License-Identifier: Apache-2.0
"""``countermark exercise export``: the runs of a log in the form of another project."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import click

from countermark.app.cli.output import answer, json_option, talk
from countermark.app.cli.verb import Verb
from countermark.exercise.exporting_eee import (
    RELATIONSHIPS,
    Relationship,
    Source,
    export_runs,
)
from countermark.exercise.reading.detect import read_runs
from countermark.node.files import write_atomic


@click.command(
    name="export",
    cls=Verb,
    example="countermark exercise export results.json --to every-eval-ever -o out "
    "--organisation 'Kenya AISI'",
)
@click.argument("log", type=click.Path(path_type=Path))
@click.option(
    "--to", "form", type=click.Choice(("every-eval-ever",)), required=True, help="The form."
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the records; each goes where the form wants it, under data/.",
)
@click.option("--organisation", required=True, help="Who evaluated.")
@click.option(
    "--relationship",
    type=click.Choice(RELATIONSHIPS),
    default="other",
    show_default=True,
    help="Whose system it is, seen from there.",
)
@click.option(
    "--lower-is-better", multiple=True, metavar="SCORER", help="A scorer whose numbers are of harm."
)
@click.option(
    "--at",
    type=click.DateTime(("%Y-%m-%d",)),
    help="Day of the export, in UTC; today if nothing. The same day gives the same files.",
)
@json_option
def export(
    log: Path,
    form: str,
    out: Path,
    organisation: str,
    relationship: str,
    lower_is_better: tuple[str, ...],
    at: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Write the runs of a log of any tool as records of another project."""
    day = (at or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)
    source = Source(
        organisation,
        cast("Relationship", relationship),
        int(day.replace(tzinfo=UTC).timestamp()),
    )
    # All runs are made before the first is written, so that a broken log leaves nothing behind.
    made, without = export_runs(read_runs(log), source, lower_is_better)
    for task in without:
        talk(f"Left out, for no sample of it has a score: {task}")
    written = []
    for one in made:
        for path, data in (
            (one.samples_path, b"".join(one.rows())),
            (one.record_path, json.dumps(one.record, ensure_ascii=False, indent=2).encode()),
        ):
            write_atomic(out / path, data)
            written.append(str(out / path))
    answer("\n".join(written), {"form": form, "files": written}, as_json=as_json)
