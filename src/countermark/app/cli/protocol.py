# SPDX-License-Identifier: Apache-2.0
"""``countermark protocol``: freeze a folder into a protocol, sign it, show it."""

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
from countermark.app.cli.protocol_lint import command as lint_command
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Noun
from countermark.exercise.authoring import read_folder
from countermark.exercise.scoring.rulebook import check_scorers
from countermark.exercise.steps import sign_protocol
from countermark.node.files import write_atomic
from countermark.records.protocol import Protocol
from countermark.taxonomy.languages import language
from countermark.taxonomy.risks import risk


@click.group(cls=Noun, example="countermark protocol show protocol.json")
def command() -> None:
    """Freeze, sign and show the definition of an exercise."""


command.add_command(lint_command)


@command.command(example="countermark protocol freeze my-exercise/ -o protocol.json")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("protocol.json")
)
@node_option
@passphrase_option
@click.option("--log", "log_it", is_flag=True, help="As the coordinator, log it on this node.")
@json_option
def freeze(
    folder: Path,
    out: Path,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    log_it: bool,
    as_json: bool,
) -> None:
    """Join a protocol's folder into one content-addressed document."""
    protocol, annotations = read_folder(folder)
    for task in protocol.tasks:
        risk(task.risk, where=f"{folder}/protocol.yaml: task {task.key}")
    check_scorers(protocol)
    write_atomic(out, protocol.to_bytes())
    if log_it:
        open_node(node_folder, passphrase_file).say(*annotations, protocol)
    answer(protocol.digest, protocol.to_value(), as_json=as_json)
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
@json_option
def show(file: Path, *, as_json: bool) -> None:
    """Show what a protocol asks for."""
    protocol = read_record(Protocol, file)
    if as_json:
        data_json(protocol.to_value())
        return
    data(f"{protocol.title}\n{protocol.digest}")
    data(f"coordinator {protocol.coordinator}; participants {', '.join(protocol.participants)}")
    data("languages " + ", ".join(language(tag).english for tag in protocol.languages))
    for task in protocol.tasks:
        controls = sum(item.role == "control" for item in task.items)
        data(
            f"{task.key}: {task.title} ({task.risk}); {len(task.items) - controls} test and "
            f"{controls} control items; scored by {task.scorer.key} ({task.scorer.nature})"
        )
    for factor in protocol.factors:
        levels = ", ".join(level.value for level in factor.levels)
        data(f"factor {factor.key}: {levels} (reference {factor.reference})")
