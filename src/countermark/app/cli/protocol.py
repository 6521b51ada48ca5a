# SPDX-License-Identifier: Apache-2.0
"""``countermark protocol``: freeze a folder into a protocol, sign it, show it, compare two."""

from dataclasses import asdict
from pathlib import Path

import click

from countermark.app.cli.output import (
    answer,
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    talk,
)
from countermark.app.cli.protocol_lines import change_lines, protocol_lines
from countermark.app.cli.protocol_lint import command as lint_command
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Noun
from countermark.exercise.authoring.folder import read_authored
from countermark.exercise.authoring.freezing import freeze_authored
from countermark.exercise.private.content import has_private, open_private
from countermark.exercise.private.files import given_part
from countermark.exercise.protocol.diff import comparable, protocol_changes
from countermark.exercise.scoring.rulebook import check_scorers
from countermark.exercise.stages.planning import sign_protocol
from countermark.node.files import write_atomic
from countermark.records.protocol import Protocol
from countermark.taxonomy.risks import risk

NOT_COMPARABLE = 3


@click.group(cls=Noun, example="countermark protocol show protocol.json")
def command() -> None:
    """Freeze, sign, show and compare definitions of an exercise."""


command.add_command(lint_command)


@command.command(example="countermark protocol freeze my-exercise/ -o protocol.json")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("protocol.json")
)
@click.option(
    "-p",
    "--private",
    "private_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where what is private is written; what it holds already keeps its salts.",
)
@node_option
@passphrase_option
@click.option("--log", "log_it", is_flag=True, help="As the coordinator, log it on this node.")
@json_option
def freeze(
    folder: Path,
    out: Path,
    private_file: Path | None,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    log_it: bool,
    as_json: bool,
) -> None:
    """Join a protocol's folder into one content-addressed document."""
    authored = read_authored(folder)
    for task in authored.protocol.tasks:
        risk(task.risk, where=f"{folder}/protocol.yaml: task {task.key}")
    check_scorers(authored.protocol)
    protocol = freeze_authored(authored, private_file)
    write_atomic(out, protocol.to_bytes())
    if log_it:
        open_node(node_folder, passphrase_file).say(*authored.annotation_sets, protocol)
    answer(protocol.digest, protocol.to_value(), as_json=as_json)
    if has_private(protocol):
        talk(f"Wrote {private_file}. It opens the seals: give it to the labs, and to nobody else.")
    talk(f"Wrote {out}. Next: countermark protocol sign {out}")


@command.command(example="countermark protocol sign protocol.json --node demo/nodes/KE")
@click.argument("file", type=click.Path(path_type=Path))
@node_option
@passphrase_option
@json_option
def sign(file: Path, node_folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Countersign a protocol as a participant."""
    protocol = read_record(Protocol, file)
    node = open_node(node_folder, passphrase_file)
    sign_protocol(node, protocol)
    signed = {"protocol": protocol.digest, "signed_by": node.code}
    answer(protocol.digest, signed, as_json=as_json)
    talk("Countersigned and logged. Next: countermark sync pull")


@command.command(example="countermark protocol show protocol.json")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--private",
    "private_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Check that this private part opens every seal, and show what it opens.",
)
@json_option
def show(file: Path, private_file: Path | None, *, as_json: bool) -> None:
    """Show what a protocol asks for."""
    protocol = read_record(Protocol, file)
    if private_file is None:
        shown, opened = protocol, 0
    else:
        part = given_part(private_file)
        shown, opened = open_private(protocol, part), len(part.openings)
    if as_json:
        data_json(shown.model_dump(mode="json", exclude_none=True))
        return
    for line in protocol_lines(shown):
        data(line)
    if private_file is not None:
        data(f"\n✓ each of its {opened} seals opens to what {private_file} holds")


@command.command(example="countermark protocol diff protocol.json my-exercise/")
@click.argument("before", type=click.Path(path_type=Path, exists=True))
@click.argument("after", type=click.Path(path_type=Path, exists=True))
@json_option
def diff(before: Path, after: Path, *, as_json: bool) -> int:
    """Say what changed, and which results remain comparable.

    Takes frozen protocols or folders. Exits with 0 if all results of what both ask for remain
    comparable, with 3 if some must not be compared, or not as they are.
    """
    old, new = (_written_or_frozen(path) for path in (before, after))
    changes = protocol_changes(old, new)
    keeps = comparable(changes)
    if as_json:
        data_json(
            {
                "before": old.digest,
                "after": new.digest,
                "comparable": keeps,
                "changes": [asdict(change) for change in changes],
            }
        )
    else:
        for line in change_lines(changes, keeps):
            data(line)
    return 0 if keeps == "all" else NOT_COMPARABLE


def _written_or_frozen(path: Path) -> Protocol:
    return read_authored(path).protocol if path.is_dir() else read_record(Protocol, path)
