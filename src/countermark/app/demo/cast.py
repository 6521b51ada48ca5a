# SPDX-License-Identifier: Apache-2.0
"""Who takes part in the demonstration: five simulated institutes and an example developer."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from countermark.network.folder import FolderSource
from countermark.network.reference import load_institutes
from countermark.node.config import NODE_FORMAT, NodeConfig
from countermark.node.node import Clock, Node, system_clock, timestamp
from countermark.node.ports import PeerSource
from countermark.records.protocol import FactorSetting, Protocol
from countermark.signing.ceremony import create_roster
from countermark.signing.party import Role
from countermark.signing.quorum import k_of_n_policy

DEVELOPER = "example-developer"
DEVELOPER_NAME = "Example Developer"
THRESHOLD = 3
ROSTER_DAYS = 365
# What each lab declares; a factor that is not named has the protocol's reference value.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "GB": {},
    "JP": {"temperature": "t03"},
    "SG": {"system-prompt": "strict", "judge-version": "v1"},
    "FR": {"temperature": "t10", "judge-version": "v1"},
    "KE": {"system-prompt": "strict"},
}


@dataclass(frozen=True)
class Cast:
    """The opened nodes of the demonstration.

    Parameters
    ----------
    institutes
        Roster code to node, the coordinator's first.
    developer
        The example developer's node.
    """

    institutes: Mapping[str, Node]
    developer: Node

    @property
    def nodes(self) -> Mapping[str, Node]:
        """All nodes by their codes."""
        return {**self.institutes, DEVELOPER: self.developer}

    @property
    def sources(self) -> Mapping[str, PeerSource]:
        """Where each node publishes."""
        return {code: FolderSource(node.folder.root) for code, node in self.nodes.items()}


def assemble(root: Path, protocol: Protocol, clock: Clock = system_clock) -> Cast:
    """Make all nodes with fresh keys, and a roster signed by the five.

    The keys are not encrypted, so that anyone can look at them.
    """
    countries = {institute.code: institute.country for institute in load_institutes()}
    codes = (
        protocol.coordinator,
        *(code for code in protocol.participants if code != protocol.coordinator),
    )
    places = {code: root / "nodes" / code for code in codes} | {DEVELOPER: root / "developer"}
    institutes = {
        code: _node(places, code, f"Simulated institute of {countries[code]}", clock)
        for code in codes
    }
    developer = _node(places, DEVELOPER, DEVELOPER_NAME, clock)
    parties = [node.party(_roles(protocol, code)) for code, node in institutes.items()] + [
        developer.party(("developer",))
    ]
    files = create_roster(
        parties,
        k_of_n_policy(
            [party.log.key for party in parties if party.log],
            [party.witness.key for party in parties if party.witness],
            THRESHOLD,
        ),
        [node.signer for node in institutes.values()],
        THRESHOLD,
        timestamp(clock()),
        (clock() + timedelta(days=ROSTER_DAYS)).replace(microsecond=0),
    )
    for node in (*institutes.values(), developer):
        node.accept_roster(files)
    return Cast(institutes, developer)


def declared(code: str) -> tuple[FactorSetting, ...]:
    """Return what a lab of the demonstration declares."""
    return tuple(
        FactorSetting(factor=factor, value=value) for factor, value in SETTINGS[code].items()
    )


def _node(places: Mapping[str, Path], code: str, name: str, clock: Clock) -> Node:
    here = places[code]
    peers = {peer: os.path.relpath(place, here) for peer, place in places.items() if peer != code}
    slug = code.lower()
    config = NodeConfig(
        format=NODE_FORMAT,
        code=code,
        name=name,
        origin=f"{slug}.demo.countermark.example/log",
        lab=None if code == DEVELOPER else f"{code}-simulated",
        peers=peers,
    )
    return Node.create(here, config, None, clock)


def _roles(protocol: Protocol, code: str) -> tuple[Role, ...]:
    if code == protocol.coordinator:
        return ("coordinator", "publisher", "witness")
    return ("publisher", "witness")
