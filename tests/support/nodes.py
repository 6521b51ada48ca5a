# SPDX-License-Identifier: Apache-2.0
"""A network of five institutes' nodes and a developer's, in folders; and how a folder stands."""

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sample_book import CODES, DEVELOPER, lab, sample_protocol

from countermark.network.folder import FolderSource
from countermark.node.config import NODE_FORMAT, NodeConfig
from countermark.node.node import Node, timestamp
from countermark.node.ports import PeerSource
from countermark.records.canonical import content_digest
from countermark.records.evidence import (
    BlobReference,
    Evidence,
    ExerciseClosing,
    Opened,
    SealedResult,
    SealReference,
)
from countermark.records.protocol import Protocol, RunPlan
from countermark.signing.ceremony import create_roster
from countermark.signing.party import Role
from countermark.signing.quorum import k_of_n_policy

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EXPIRES = datetime(2027, 11, 23, tzinfo=UTC)
QUORUM = 3
ROLES: dict[str, tuple[Role, ...]] = {
    "GB": ("coordinator", "publisher", "witness"),
    DEVELOPER: ("developer",),
}
# In most tests KE lies to GB, and these three do not.
HONEST = [code for code in CODES if code not in ("GB", "KE")]
_WHOLE = sample_protocol(())
_TASK = _WHOLE.tasks[0].model_copy(update={"items": _WHOLE.tasks[0].items[:1]})
# Small, because it is read and written thousands of times.
PROTOCOL = _WHOLE.model_copy(update={"tasks": (_TASK,), "factors": (), "languages": ("en",)})


@dataclass
class Clock:
    """A clock that goes on by a second each time it is asked."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Network:
    """Nodes side by side in one folder; copied from a template node by node, as they are used."""

    def __init__(self, root: Path, clock: Clock, template: "Network | None" = None) -> None:
        self.root, self.clock, self._template = root, clock, template
        self._opened: dict[str, Node] = {}

    @property
    def codes(self) -> list[str]:
        root = self._template.root if self._template else self.root
        return sorted(path.name for path in root.iterdir())

    @property
    def nodes(self) -> dict[str, Node]:
        return {code: self[code] for code in self.codes}

    @property
    def sources(self) -> dict[str, PeerSource]:
        return {code: self.source(code) for code in self.codes}

    def source(self, code: str) -> PeerSource:
        """Where one node publishes."""
        return FolderSource(self.place(code))

    def place(self, code: str) -> Path:
        """Return one node's folder."""
        place = self.root / code
        if self._template and not place.exists():
            shutil.copytree(self._template.place(code), place, copy_function=_copy)
        return place

    def open(self, code: str) -> Node:
        """Open a node as another process would."""
        return Node.open(self.place(code), clock=self.clock)

    def __getitem__(self, code: str) -> Node:
        if code not in self._opened:
            self._opened[code] = self.open(code)
        return self._opened[code]

    def peers(self, code: str) -> dict[str, PeerSource]:
        """Where everybody else publishes."""
        return {peer: source for peer, source in self.sources.items() if peer != code}

    def some(self, codes: Iterable[str]) -> dict[str, Node]:
        return {code: self[code] for code in codes}

    def copied(self, root: Path) -> "Network":
        """Return a copy that a test may change; what it damages it has to `spoil`."""
        return Network(root, Clock(self.clock.now), self)


def config(code: str) -> NodeConfig:
    return NodeConfig(
        format=NODE_FORMAT,
        code=code,
        name="Example Developer" if code == DEVELOPER else f"Institute {code}",
        origin=f"{code.lower()}.example/log",
        lab=None if code == DEVELOPER else lab(code),
    )


def roster_files(nodes: Sequence[Node], *, quorum: int = QUORUM) -> dict[str, bytes]:
    parties = [node.party(ROLES.get(node.code, ("publisher", "witness"))) for node in nodes]
    policy = k_of_n_policy(
        [party.log.key for party in parties if party.log],
        [party.witness.key for party in parties if party.witness],
        quorum,
    )
    signers = [node.signer for node in nodes if node.code != DEVELOPER]
    return create_roster(
        parties, policy, signers, min(quorum, len(signers)), timestamp(START), EXPIRES
    )


def make_network(root: Path) -> Network:
    clock = Clock()
    nodes = [Node.create(root / code, config(code), None, clock) for code in (*CODES, DEVELOPER)]
    files = roster_files(nodes)
    for node in nodes:
        node.accept_roster(files)
    return Network(root, clock)


def _copy(source: str, target: str) -> None:
    # Nodes replace their files and never write into them, so links do; databases are not replaced.
    if source.endswith(".db"):
        shutil.copyfile(source, target)
    else:
        os.link(source, target)


def spoil(path: Path, data: bytes | None = None) -> None:
    """Put other bytes in a file's place; nothing: one bit of its last byte is changed."""
    old = path.read_bytes()
    path.unlink()
    path.write_bytes(old[:-1] + bytes([old[-1] ^ 1]) if data is None else data)


def snapshot(folder: Path) -> dict[str, bytes | str]:
    """Everything in a folder: files by their contents, folders by their names."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def plan(code: str, samples: int = 208, protocol: Protocol = PROTOCOL) -> RunPlan:
    return RunPlan(
        protocol=protocol.digest, institute=code, lab=lab(code), settings=(), samples=samples,
        secret_commitment=content_digest(b"seed")[7:],
    )  # fmt: skip


def seal(code: str, protocol: Protocol = PROTOCOL) -> SealedResult:
    return SealedResult(
        protocol=protocol.digest, run_plan=plan(code, protocol=protocol).digest, institute=code,
        lab=lab(code), samples=208, root=content_digest(code.encode())[7:],
    )  # fmt: skip


def closing(
    sealed: Sequence[str],
    not_sealed: Sequence[str] = (),
    protocol: Protocol = PROTOCOL,
    coordinator: str = "GB",
) -> ExerciseClosing:
    seals = tuple(
        SealReference(
            institute=code, lab=lab(code), seal=seal(code, protocol).digest,
            envelope=content_digest(b"envelope"), proof="proof",
        )
        for code in sealed
    )  # fmt: skip
    return ExerciseClosing(
        protocol=protocol.digest, coordinator=coordinator, seals=seals,
        not_sealed=tuple(map(lab, not_sealed)),
    )  # fmt: skip


def evidence(
    code: str, closed: ExerciseClosing, samples: bytes, protocol: Protocol = PROTOCOL
) -> Evidence:
    return Evidence(
        protocol=protocol.digest, run_plan=plan(code, protocol=protocol).digest,
        seal=seal(code, protocol).digest, closing=closed.digest, institute=code, lab=lab(code),
        disclosure="all", opened=Opened(samples=208, scores=208, transcripts=208),
        tree_key="1" * 64, secret_seed="2" * 64,
        samples=BlobReference(
            digest=content_digest(samples), size=len(samples), media_type="application/jsonl"
        ),
        counts=(), deviations=(), software=(), started="2026-11-23T09:00:00Z",
        finished="2026-11-23T10:00:00Z",
    )  # fmt: skip
