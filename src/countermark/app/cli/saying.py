# SPDX-License-Identifier: Apache-2.0
"""Verbs that log what persons determined, what a developer says of a change, and its replies."""

from pathlib import Path

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
from countermark.commitments.said import check_account, check_determination
from countermark.records.account import Account, Reply
from countermark.records.base import Record
from countermark.records.determination import Determination

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
    _log(said, node_folder, passphrase_file, as_json=as_json)


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
    _log(said, node_folder, passphrase_file, as_json=as_json)


@click.command(cls=Verb, example="countermark commitments reply reply.json --node developer")
@click.argument("file", type=_FILE)
@node_option
@passphrase_option
@json_option
def reply(file: Path, node_folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Log a developer's reply to a statement about it, or to a commitment's state."""
    _log(read_record(Reply, file), node_folder, passphrase_file, as_json=as_json)


def _log(said: Record, folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    open_node(folder, passphrase_file).say(said)
    answer(said.digest, said.to_value(), as_json=as_json)
    talk("Logged. Next: countermark sync pull, at the witnesses")
