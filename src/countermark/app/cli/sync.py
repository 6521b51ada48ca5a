# SPDX-License-Identifier: Apache-2.0
"""``countermark sync``: pull from peers."""

from pathlib import Path

import click

from countermark.app.cli.output import (
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
)
from countermark.app.cli.verb import Noun
from countermark.app.wiring import peer_sources
from countermark.network.sync import pull as pull_from


@click.group(cls=Noun, example="countermark sync pull --node demo/nodes/GB")
def command() -> None:
    """Pull from peers, verifying before keeping."""


@command.command(example="countermark sync pull --node demo/nodes/GB")
@node_option
@passphrase_option
@json_option
def pull(node_folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Fetch what the peers published, check it, cosign it, and collect their cosignatures."""
    node = open_node(node_folder, passphrase_file)
    results = pull_from(node, peer_sources(node))
    if as_json:
        data_json(
            [
                {
                    "peer": one.code,
                    "size": one.size,
                    "statements": one.statements,
                    "proofs": one.proofs,
                    "samples": one.samples,
                    "withheld": list(one.withheld),
                }
                for one in results
            ]
        )
        return
    for one in results:
        data(
            f"{one.code}: log of {one.size}; new: {one.statements} statements, "
            f"{one.proofs} proofs, {one.samples} files of samples"
        )
        for reason in one.withheld:
            data(f"    withheld: {reason}")
