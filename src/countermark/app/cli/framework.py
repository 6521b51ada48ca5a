# SPDX-License-Identifier: Apache-2.0
"""``countermark framework``: log and show a developer's safety framework."""

from pathlib import Path

import click

from countermark.app.cli.framework_history import attach
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
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Noun
from countermark.commitments.wording import asks
from countermark.records.framework import Framework


@click.group(cls=Noun, example="countermark framework show framework.json")
def command() -> None:
    """Log and show a developer's safety framework."""


@command.command(example="countermark framework add framework.json --node developer")
@click.argument("file", type=click.Path(path_type=Path))
@node_option
@passphrase_option
@json_option
def add(file: Path, node_folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Log one version of a framework on the developer's node."""
    framework = read_record(Framework, file)
    open_node(node_folder, passphrase_file).say(framework)
    answer(framework.digest, framework.to_value(), as_json=as_json)
    talk("Logged. Next: countermark sync pull, at the witnesses")


@command.command(example="countermark framework show framework.json")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def show(file: Path, *, as_json: bool) -> None:
    """Show a framework's thresholds."""
    framework = read_record(Framework, file)
    if as_json:
        data_json(framework.to_value())
        return
    data(f"{framework.developer}: {framework.title}, {framework.label} ({framework.published})")
    data(f"{framework.status}; {framework.digest}")
    for threshold in framework.thresholds:
        data(
            f"{threshold.key} ({threshold.force}, {'/'.join(threshold.actions)}): {threshold.title}"
        )
        data(f"    {asks(threshold.rule)}")


attach(command)
