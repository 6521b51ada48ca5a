# SPDX-License-Identifier: Apache-2.0
"""Where rooms that may not know each other are put together."""

from countermark.network.folder import FolderSource
from countermark.network.http_witness import HttpWitness, parse_place
from countermark.node.node import Node
from countermark.node.ports import PeerSource, Witness
from countermark.records.errors import StateError


def peer_sources(node: Node) -> dict[str, PeerSource]:
    """Return where each peer of ``node.toml`` publishes.

    Raises
    ------
    StateError
        If it names none, and no witness either.
    """
    if not node.config.peers and not node.config.witnesses:
        raise StateError(
            "names no peers",
            where=f"{node.folder.root}/node.toml",
            next_step='Add the folders they publish, under [peers]: KE = "../KE".',
        )
    return {
        code: FolderSource(node.folder.root / place) for code, place in node.config.peers.items()
    }


def witnesses(node: Node) -> dict[str, Witness]:
    """Return the witnesses of ``node.toml``.

    Raises
    ------
    InputError
        If an address is not one.
    """
    where = f"{node.folder.root}/node.toml"
    return {
        code: HttpWitness(parse_place(place, where=f"{where}: witnesses.{code}"))
        for code, place in node.config.witnesses.items()
    }
