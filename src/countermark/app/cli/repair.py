# SPDX-License-Identifier: Apache-2.0
"""``countermark log repair``: bring one's own log back from what peers hold of it."""

from pathlib import Path

import click

from countermark.app.cli.output import answer, json_option, node_option, talk
from countermark.app.cli.verb import Verb
from countermark.node.node import Node
from countermark.node.repair import repair as bring_back


@click.command(cls=Verb, example="countermark log repair --node demo/nodes/KE --from demo/nodes/GB")
@node_option
@click.option(
    "--from",
    "sources",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A peer's node folder, or a copy of this node's; may be given more than once.",
)
@click.option(
    "--trust-peers",
    is_flag=True,
    help="state.db is lost: declare that nobody has seen a newer checkpoint than these folders.",
)
@json_option
def repair(
    node_folder: Path, sources: tuple[Path, ...], *, trust_peers: bool, as_json: bool
) -> None:
    """Bring the node's own log back. Everything is verified before any of it is kept."""
    found = bring_back(Node.open(node_folder), sources, trust_peers=trust_peers)
    value = {
        "size": found.size, "files": found.files, "blobs": found.blobs, "proofs": found.proofs,
        "missing": list(found.missing),
    }  # fmt: skip
    answer(
        f"{found.size} leaves are whole; brought back: {found.files} files of the log, "
        f"{found.blobs} blobs, {found.proofs} proofs",
        value,
        as_json=as_json,
    )
    for digest in found.missing:
        talk(f"Warning: nobody has the statement {digest}")
