# SPDX-License-Identifier: Apache-2.0
"""``countermark exercise export``: a log, or what labs revealed, in the form of another project."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import click

from countermark.app.cli.output import answer, json_option, open_node, talk
from countermark.app.cli.reading import is_public_record, read_public_record, read_record
from countermark.app.cli.verb import Verb
from countermark.exercise.exporting.every_eval_ever import (
    RELATIONSHIPS,
    Exported,
    Relationship,
    Source,
    export_runs,
)
from countermark.exercise.exporting.evidence import export_evidence
from countermark.exercise.reading.detect import read_runs
from countermark.exercise.stages.opening import opened_as_kept
from countermark.node.blobs import Blobs
from countermark.node.files import write_atomic
from countermark.node.index import book
from countermark.records.errors import UsageError
from countermark.records.protocol import Protocol


@click.command(
    name="export",
    cls=Verb,
    example="countermark exercise export results.json --to every-eval-ever -o out "
    "--organisation 'Kenya AISI'",
)
@click.argument("source", type=click.Path(path_type=Path), required=False)
@click.option(
    "--protocol",
    "protocol_file",
    type=click.Path(path_type=Path),
    help="Export what labs revealed in this exercise; SOURCE is then a public record.",
)
@click.option(
    "--node",
    "node_folder",
    type=click.Path(path_type=Path),
    help="With --protocol, in place of SOURCE: the node that holds what was revealed.",
)
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
@click.option(
    "--organisation", help="Who evaluated a log; what was revealed is of the institutes' names."
)
@click.option(
    "--relationship",
    type=click.Choice(RELATIONSHIPS),
    default="other",
    show_default=True,
    help="Whose system it is, seen from there.",
)
@click.option(
    "--lower-is-better",
    multiple=True,
    metavar="SCORER",
    help="A scorer of a log whose numbers are of harm; a protocol says it itself.",
)
@click.option(
    "--at",
    type=click.DateTime(("%Y-%m-%d",)),
    help="Day of the export, in UTC; today if nothing. The same day gives the same files.",
)
@json_option
def export(
    source: Path | None,
    protocol_file: Path | None,
    node_folder: Path | None,
    form: str,
    out: Path,
    organisation: str | None,
    relationship: str,
    lower_is_better: tuple[str, ...],
    at: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Write the runs of a log of any tool, or what labs revealed, as records of another project."""
    when = (at or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    seen_from = cast("Relationship", relationship)
    # All records are made before the first is written, so that a fault leaves nothing behind.
    if protocol_file is None:
        made, without = _of_log(source, node_folder, organisation, seen_from, lower_is_better, when)
    else:
        if organisation is not None or lower_is_better:
            raise UsageError(
                "--organisation and --lower-is-better are for logs",
                where="exercise export",
                next_step="Leave them out: what was revealed says who evaluated and what is worse.",
            )
        made, without = _of_exercise(source, node_folder, protocol_file, seen_from, when)
    for what in without:
        talk(f"Left out: {what}")
    written = []
    for one in made:
        for path, data in (
            (one.samples_path, b"".join(one.rows())),
            (one.record_path, json.dumps(one.record, ensure_ascii=False, indent=2).encode()),
        ):
            write_atomic(out / path, data)
            written.append(str(out / path))
    answer("\n".join(written), {"form": form, "files": written}, as_json=as_json)


def _of_log(
    log: Path | None,
    node_folder: Path | None,
    organisation: str | None,
    relationship: Relationship,
    lower_is_better: tuple[str, ...],
    when: datetime,
) -> tuple[tuple[Exported, ...], tuple[str, ...]]:
    if node_folder is not None or (log is not None and is_public_record(log)):
        raise UsageError(
            "does not say of which exercise",
            where="exercise export",
            next_step="Name it: --protocol protocol.json.",
        )
    if log is None or organisation is None:
        raise UsageError(
            "needs a log and who evaluated it, or the protocol of an exercise",
            where="exercise export",
            next_step="Give a log and --organisation NAME, or --protocol protocol.json and --node.",
        )
    source = Source(organisation, relationship, int(when.timestamp()))
    made, without = export_runs(read_runs(log), source, lower_is_better)
    return made, tuple(f"{task}: no sample of it has a score" for task in without)


def _of_exercise(
    record: Path | None,
    node_folder: Path | None,
    protocol_file: Path,
    relationship: Relationship,
    when: datetime,
) -> tuple[tuple[Exported, ...], tuple[str, ...]]:
    protocol = read_record(Protocol, protocol_file)
    if node_folder is not None and record is None:
        node = open_node(node_folder, None, ask=False)
        known, blobs, protocol = book(node), node.blobs, opened_as_kept(node, protocol)
    elif record is not None and node_folder is None:
        known, blobs = read_public_record(record), Blobs(record)
    else:
        raise UsageError(
            "needs one place where the evidence is held",
            where="exercise export",
            next_step="Give the folder of a public record, or --node FOLDER.",
        )
    # An embargo is held against the clock, not against the day that the records are to say.
    return export_evidence(
        known,
        blobs,
        protocol,
        today=f"{datetime.now(UTC):%Y-%m-%d}",
        retrieved=int(when.timestamp()),
        relationship=relationship,
    )
