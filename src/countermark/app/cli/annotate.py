# SPDX-License-Identifier: Apache-2.0
"""``countermark annotate``: people label answers, in the browser or in files."""

from collections.abc import Iterator
from pathlib import Path

import click

from countermark.app.cli.exercise_options import protocol_option
from countermark.app.cli.output import (
    answer,
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    read_input,
    talk,
)
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Noun
from countermark.exercise.annotation import files, planning, publishing
from countermark.exercise.annotation.agreeing import live_agreement
from countermark.exercise.annotation.desk import Refused
from countermark.exercise.annotation.parts import Part, parts_of
from countermark.node.drafts import Drafts
from countermark.node.files import write_atomic
from countermark.node.node import Node
from countermark.node.policy import AnnotationRole
from countermark.records.errors import StateError
from countermark.records.evidence import AnnotationSet
from countermark.records.protocol import Protocol

ROLES = ("annotator", "adjudicator", "coordinator")
person_option = click.option("--person", required=True, help="The pseudonym of the rater.")


@click.group(cls=Noun, example="countermark annotate status --protocol protocol.json")
def command() -> None:
    """Let people label answers, blind to lab and judge, and publish what they say."""


@command.command(example="countermark annotate plan --protocol protocol.json --node nairobi")
@protocol_option
@click.option("--without", multiple=True, metavar="LAB", help="Do not wait for this lab.")
@node_option
@json_option
def plan(
    protocol_file: Path, without: tuple[str, ...], node_folder: Path, *, as_json: bool
) -> None:
    """Draw the answers that people label, from the revealed evidence; once."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, None, ask=False)
    samples = planning.draw_batch(node, protocol, without)
    if as_json:
        data_json(
            [
                {
                    "task": one.task,
                    "language": one.language,
                    "draw": one.draw.model_dump(mode="json", exclude_none=True),
                }
                for one in samples
            ]
        )
    else:
        for one in samples:
            for cell in one.draw.cells:
                closed = f"; closed at {', '.join(cell.closed_labs)}" if cell.closed_labs else ""
                data(
                    f"{one.task}/{one.language}/{cell.model}: {cell.drawn} of {cell.eligible}"
                    f" answers{closed}"
                )
    talk("Next: countermark annotate invite, then countermark node serve")


@command.command(
    example="countermark annotate invite rater-1 --language sw --protocol protocol.json"
)
@click.argument("name")
@click.option("--language", "languages", multiple=True, help="Of these languages; else of all.")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="annotator",
    show_default=True,
    help="annotator: labels; adjudicator: decides where raters differ; coordinator: watches.",
)
@click.option(
    "--days",
    type=click.IntRange(1, planning.LONGEST_DAYS),
    default=30,
    show_default=True,
    help="How long the link works.",
)
@click.option(
    "--address",
    default="http://127.0.0.1:8400",
    show_default=True,
    help="Where the node is served, as the person's browser reaches it.",
)
@protocol_option
@node_option
@json_option
def invite(
    name: str,
    languages: tuple[str, ...],
    role: AnnotationRole,
    days: int,
    address: str,
    protocol_file: Path,
    node_folder: Path,
    *,
    as_json: bool,
) -> None:
    """Make a person's link, and print it; it is shown once."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, None, ask=False)
    secret = planning.invite(node, protocol, name, role, languages or protocol.languages, days)
    link = f"{address.rstrip('/')}/annotate/enter/{secret}"
    answer(link, {"name": name, "role": role, "days": days, "link": link}, as_json=as_json)
    talk(f"Give it to {name} alone: whoever has the link acts as {name}, for {days} days.")


@command.command(example="countermark annotate revoke rater-1 --protocol protocol.json")
@click.argument("name")
@protocol_option
@node_option
@json_option
def revoke(name: str, protocol_file: Path, node_folder: Path, *, as_json: bool) -> None:
    """End a person's links; drafts that they have not submitted are not used."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, None, ask=False)
    planning.revoke(node, protocol, name)
    answer(name, {"revoked": name}, as_json=as_json)
    talk(f"The links of {name} no longer work.")


@command.command(example="countermark annotate status --protocol protocol.json --node nairobi")
@protocol_option
@node_option
@json_option
def status(protocol_file: Path, node_folder: Path, *, as_json: bool) -> None:
    """Show how far raters are, how far they agree, and what waits for an adjudicator."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, None, ask=False)
    parts = list(_parts(node, protocol))
    if as_json:
        data_json([_status(part) for part in parts])
        return
    for part in parts:
        data(f"{part.task}/{part.language}: {len(part.answers)} answers")
        for name, done in part.progress().items():
            data(f"  {name:<24} {done:>5}{'  submitted' if name in part.submitted else ''}")
        if len(part.raters) < part.plan.raters:
            data(f"  {len(part.raters)} of {part.plan.raters} raters invited")
        for figure in live_agreement(part.said(), part.raters).figures:
            data(f"  {figure.name}: {figure.text}")
        if part.disputed():
            data(f"  {len(part.waiting())} of {len(part.disputed())} disputed answers wait")


@command.command(example="countermark annotate export --person rater-1 --protocol protocol.json")
@person_option
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path(), help="Folder.")
@protocol_option
@node_option
@json_option
def export(
    person: str, out: Path, protocol_file: Path, node_folder: Path, *, as_json: bool
) -> None:
    """Write one rater's answers as sheets, for who cannot use the page."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, None, ask=False)
    paths = []
    for sheet in files.sheets_for(node, protocol, person):
        for suffix, contents in (("csv", sheet.csv), ("jsonl", sheet.jsonl)):
            paths.append(out / f"{sheet.name}.{suffix}")
            write_atomic(paths[-1], contents, mode=0o600)
    answer("\n".join(map(str, paths)), {"files": [str(path) for path in paths]}, as_json=as_json)


@command.command(
    name="import",
    example="countermark annotate import rater-1.mild-refusal.sw.csv --person rater-1 "
    "--protocol protocol.json",
)
@click.argument("sheets", nargs=-1, required=True, type=click.Path(path_type=Path))
@person_option
@click.option("--submit", is_flag=True, help="The rater is done: close what is fully labelled.")
@protocol_option
@node_option
@json_option
def import_(
    sheets: tuple[Path, ...],
    person: str,
    protocol_file: Path,
    node_folder: Path,
    *,
    submit: bool,
    as_json: bool,
) -> None:
    """Take filled sheets back, each whole or not at all."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, None, ask=False)
    taken = {}
    for path in sheets:
        try:
            taken[str(path)] = files.take_sheet(
                node, protocol, person, read_input(path), str(path), submit=submit
            )
        except Refused as refused:
            raise StateError(
                str(refused),
                where=str(path),
                next_step="See who labels what: countermark annotate status.",
            ) from refused
    lines = "\n".join(f"{count} labels  {path}" for path, count in taken.items())
    answer(lines, taken, as_json=as_json)


@command.command(example="countermark annotate publish --protocol protocol.json --node nairobi")
@click.option("--task", help="Only this task.")
@click.option("--language", help="Only this language.")
@protocol_option
@node_option
@passphrase_option
@json_option
def publish(
    task: str | None,
    language: str | None,
    protocol_file: Path,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Sign and log what people said, one annotation set a task and language."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, passphrase_file)
    wanted = [
        part
        for part in _parts(node, protocol)
        if task in (None, part.task) and language in (None, part.language)
    ]
    made = publishing.publish(node, protocol, wanted)
    lines = "\n".join(f"{one.digest}  {one.task}/{one.language}" for one in made)
    answer(lines, [one.digest for one in made], as_json=as_json)
    talk("Next, at every lab: countermark sync pull")


@command.command(
    example="countermark annotate scores annotations.json --lab KE-nairobi --model smollm2-135m"
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--lab", required=True, help="Whose log the labels are for.")
@click.option("--model", required=True, help="Key of the model.")
def scores(file: Path, lab: str, model: str) -> None:
    """Write a set's labels of one lab as Inspect's precomputed_scores take them."""
    data_json(publishing.inspect_scores(read_record(AnnotationSet, file), lab, model))
    talk("Save it, then score that lab's log with Inspect's scorer precomputed_scores.")


def _parts(node: Node, protocol: Protocol) -> Iterator[Part]:
    with Drafts(node.state).locked() as kept:
        parts = tuple(parts_of(kept, planning.batch_of(kept, protocol.digest)))
    yield from parts


def _status(part: Part) -> dict[str, object]:
    return {
        "task": part.task,
        "language": part.language,
        "answers": len(part.answers),
        "raters": part.progress(),
        "raters_planned": part.plan.raters,
        "submitted": sorted(part.submitted),
        "disputed": len(part.disputed()),
        "waiting": len(part.waiting()),
        "agreement": [
            {
                "name": one.name,
                "value": one.value,
                "lower": one.lower,
                "upper": one.upper,
                "reason": one.reason,
            }
            for one in live_agreement(part.said(), part.raters).figures
        ],
    }
