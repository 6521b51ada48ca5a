# SPDX-License-Identifier: Apache-2.0
"""``countermark framework``: log and show a developer's safety framework."""

from pathlib import Path

import click

from countermark.app.cli.output import (
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    read_input,
    talk,
)
from countermark.records.framework import Framework, MetricBound


@click.group()
def command() -> None:
    """Log and show a developer's safety framework."""


def read_framework(path: Path) -> Framework:
    """Read a framework that a person named."""
    return Framework.from_bytes(read_input(path), where=str(path))


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@node_option
@passphrase_option
def add(file: Path, node_folder: Path, passphrase_file: Path | None) -> None:
    """Log one version of a framework on the developer's node."""
    framework = read_framework(file)
    open_node(node_folder, passphrase_file).say(framework)
    data(framework.digest)
    talk("Logged. Next: countermark sync pull, at the witnesses")


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def show(file: Path, *, as_json: bool) -> None:
    """Show a framework's thresholds."""
    framework = read_framework(file)
    if as_json:
        data_json(framework.to_value())
        return
    data(f"{framework.developer}: {framework.title}, {framework.label} ({framework.published})")
    data(f"{framework.status}; {framework.digest}")
    for threshold in framework.thresholds:
        data(f"{threshold.key} ({threshold.force}, {'/'.join(threshold.actions)}): {threshold.title}")
        rule = threshold.rule
        if isinstance(rule, MetricBound):
            data(
                f"    {rule.task} {', '.join(rule.languages)}: {rule.direction} {rule.limit:g}, "
                f"guard {rule.guard:g}, error budgets {rule.alpha_miss:g} and {rule.alpha_false:g}, "
                f"at least {rule.minimum_labs} labs"
            )
        else:
            data(f"    not quantified: {rule.needs}")
