# SPDX-License-Identifier: Apache-2.0
"""Verbs that log what persons determined, what a developer says of a change, and its replies."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from countermark.app.cli.framework_reading import read_framework
from countermark.app.cli.output import (
    answer,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    talk,
)
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Verb
from countermark.commitments.case import first_day
from countermark.commitments.reference import load_commitments
from countermark.commitments.said import check_account, check_determination, check_reply
from countermark.records.account import Account, Reply
from countermark.records.base import Record
from countermark.records.determination import Determination
from countermark.records.faults import unknown_fields

if TYPE_CHECKING:
    from countermark.node.node import Node

_FILE = click.Path(path_type=Path)


@click.command(
    cls=Verb, example="countermark gate determine determination.json --framework framework.json"
)
@click.argument("file", type=_FILE)
@click.option("--framework", metavar="FILE|KEY", required=True, help="The framework it is about.")
@node_option
@passphrase_option
@json_option
def determine(
    file: Path, framework: str, node_folder: Path, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """Log a signed human judgement: a level, a mitigation in place, a duty fulfilled."""
    said = read_record(Determination, file)
    check_determination(said, read_framework(framework), where=str(file))
    doubt(said, said.date, file)
    _log(said, open_node(node_folder, passphrase_file), as_json=as_json)


@click.command(
    cls=Verb, example="countermark framework account account.json --before 1.json --after 2.json"
)
@click.argument("file", type=_FILE)
@click.option("--before", metavar="FILE|KEY", required=True, help="The older version.")
@click.option("--after", metavar="FILE|KEY", required=True, help="The newer version.")
@node_option
@passphrase_option
@json_option
def account(
    file: Path,
    before: str,
    after: str,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Log a developer's own account of what changed between two versions."""
    said = read_record(Account, file)
    check_account(said, read_framework(before), read_framework(after), where=str(file))
    doubt(said, said.date, file)
    _log(said, open_node(node_folder, passphrase_file), as_json=as_json)


@click.command(cls=Verb, example="countermark commitments reply reply.json --node developer")
@click.argument("file", type=_FILE)
@node_option
@passphrase_option
@json_option
def reply(file: Path, node_folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Log a developer's reply to a statement about it, or to a commitment's state."""
    said = read_record(Reply, file)
    check_reply(said, load_commitments(), where=str(file))
    doubt(said, said.date, file)
    # It brings the database library.
    from countermark.node.index import book  # noqa: PLC0415

    node = open_node(node_folder, passphrase_file)
    if said.of is not None and book(node).find(said.of) is None:
        talk(f"Warning: {file}: this node has no statement of {said.of}; see that it is no slip.")
    _log(said, node, as_json=as_json)


def doubt(said: Record, day: str, file: object) -> None:
    """Tell of what is allowed in a record and more often a slip."""
    for one in unknown_fields(said):
        talk(f"Warning: {file}: {one}")
    if is_to_come(first_day(day)):
        talk(f"Warning: {file}: its date, {day}, is yet to come")


def is_to_come(day: date) -> bool:
    """Tell whether a day has begun nowhere on earth yet."""
    return day > (datetime.now(UTC) + timedelta(hours=14)).date()


def _log(said: Record, node: "Node", *, as_json: bool) -> None:
    node.say(said)
    answer(said.digest, said.to_value(), as_json=as_json)
    talk("Logged. Next: countermark sync pull, at the witnesses")
