# SPDX-License-Identifier: Apache-2.0
"""``countermark sync``: pull from peers."""

from collections.abc import Sequence
from pathlib import Path

import click

from countermark.app.cli.output import (
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    talk,
)
from countermark.app.cli.verb import Noun
from countermark.app.wiring import peer_sources, witnesses
from countermark.network.sync import Pulled, raise_worst
from countermark.network.sync import pull as pull_from
from countermark.network.witnesses import Submission, submit


@click.group(cls=Noun, example="countermark sync pull --node demo/nodes/GB")
def command() -> None:
    """Pull from peers, verifying before keeping."""


@command.command(example="countermark sync pull --node demo/nodes/GB")
@node_option
@passphrase_option
@json_option
def pull(node_folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Fetch what the peers published, check it, cosign it, and collect their cosignatures.

    Witnesses that node.toml lists are asked to cosign this node's log first.
    """
    node = open_node(node_folder, passphrase_file)
    asked = submit(node, witnesses(node))
    if not as_json:
        _print_submissions(asked)
    results = pull_from(node, peer_sources(node))
    if as_json:
        data_json(
            [
                *(
                    {
                        "witness": one.code,
                        "cosigned": one.size,
                        "problem": str(one.problem) if one.problem else None,
                    }
                    for one in asked
                ),
                *(
                    {
                        "peer": one.code,
                        "size": one.size,
                        "statements": one.statements,
                        "proofs": one.proofs,
                        "samples": one.samples,
                        "withheld": list(one.withheld),
                    }
                    for one in results
                ),
            ]
        )
    else:
        _print_pulled(results)
    raise_worst([one.problem for one in asked if one.problem])


def _print_submissions(asked: Sequence[Submission]) -> None:
    for one in asked:
        if one.problem is None:
            data(f"{one.code}: its witness has cosigned this log at {one.size}")
        else:
            talk(f"Warning: {one.problem}\n  Next: {one.problem.next_step}")


def _print_pulled(results: Sequence[Pulled]) -> None:
    for one in results:
        data(
            f"{one.code}: log of {one.size}; new: {one.statements} statements, "
            f"{one.proofs} proofs, {one.samples} files of samples"
        )
        for reason in one.withheld:
            data(f"    withheld: {reason}")
