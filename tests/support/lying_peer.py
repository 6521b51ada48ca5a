# SPDX-License-Identifier: Apache-2.0
"""A peer that publishes its real folder with one thing bent. It has its own keys, and no others."""

from collections.abc import Sequence

import pytest
from nodes import Network, snapshot

from countermark.network.folder import FolderSource
from countermark.network.sync import pull
from countermark.node.blobs import blob_path
from countermark.node.index import book
from countermark.node.node import Node
from countermark.node.ports import PeerSource
from countermark.node.witnessing import WITNESS
from countermark.records import Record
from countermark.records.errors import CountermarkError
from countermark.signing.envelope import Envelope, sign_record
from countermark.signing.keys import Signer
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.note import Note, NoteSigner
from countermark.transparency.statement import leaf_of
from countermark.transparency.tiles import AppendPlan, plan_append, read_entries


class LyingPeer:
    """Where others read a node's folder, except for the paths that it lies about."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._truth = FolderSource(node.folder.root)
        self._lies: dict[str, bytes | None] = {}
        self.asked: list[str] = []

    def read(self, path: str) -> bytes | None:
        """Return a published file, as the peer would have it seen."""
        self.asked.append(path)
        return self._lies[path] if path in self._lies else self._truth.read(path)

    def true(self, path: str) -> bytes:
        """Return a file that is really there."""
        data = self._truth.read(path)
        assert data is not None, path
        return data

    @property
    def leaves(self) -> list[bytes]:
        """The leaves of the true log."""
        head = self._node.log.head(self._node.log_signer.log_key)
        return list(read_entries(self._node.log.read, 0, head.size, head.size))

    @property
    def checkpoint(self) -> Checkpoint:
        """The true checkpoint."""
        head = self._node.log.head(self._node.log_signer.log_key)
        return Checkpoint(self._node.config.origin, head.size, head.root)

    def serve(self, path: str, data: bytes | None) -> None:
        """Lie about one file; nothing: as if it were not there."""
        self._lies[path] = data

    def change_byte(self, path: str, place: int = -3) -> None:
        """Serve a file with one bit of one byte changed."""
        data = bytearray(self.true(path))
        data[place] ^= 1
        self.serve(path, bytes(data))

    def misstate_size(self) -> None:
        """Serve the checkpoint with another size under the old signature."""
        origin, size, rest = self.true("log/checkpoint").split(b"\n", 2)
        self.serve("log/checkpoint", b"\n".join([origin, b"%d" % (int(size) + 1), rest]))

    def sign(self, checkpoint: Checkpoint, signer: NoteSigner | None = None) -> None:
        """Serve a checkpoint, whatever the tiles are."""
        note = sign_checkpoint(checkpoint, signer or self._node.log_signer)
        self.serve("log/checkpoint", note.to_bytes())

    def show_log(self, leaves: Sequence[bytes]) -> None:
        """Serve another log, whole and signed."""
        plan = plan_of(leaves)
        for path, data in plan.files.items():
            self.serve(f"log/{path}", data)
        self.sign(Checkpoint(self._node.config.origin, plan.size, plan.root))

    def log_more(self, *envelopes: Envelope) -> None:
        """Serve the true log with these statements at its end."""
        for envelope in envelopes:
            self.serve(blob_path(envelope.digest), envelope.to_bytes())
        self.show_log([*self.leaves, *map(leaf_of, envelopes)])

    def signed(self, record: Record, signer: Signer | None = None) -> Envelope:
        """Sign whatever record, allowed or not."""
        return sign_record(record, signer or self._node.signer)

    def tree_note(self, leaves: Sequence[bytes]) -> Note:
        """Return the signed checkpoint of any leaves."""
        plan = plan_of(leaves)
        return sign_checkpoint(
            Checkpoint(self._node.config.origin, plan.size, plan.root), self._node.log_signer
        )


def plan_of(leaves: Sequence[bytes]) -> AppendPlan:
    """Return the files of a whole log."""
    return plan_append(lambda _: None, 0, leaves)


def envelope_in(leaf: bytes) -> str:
    """Return the content address of the envelope that a leaf names."""
    return leaf.decode().split('"envelope":"')[1][:71]


def refused(
    network: Network, source: PeerSource, error: type[CountermarkError], saying: str
) -> None:
    """GB pulls from ``source`` as if it were KE; it must refuse and keep nothing."""
    victim = network.open("GB")
    book(victim)
    before, head = _without_evidence(victim), victim.state.head(WITNESS, "ke.example/log")
    with pytest.raises(error, match=saying) as caught:
        pull(victim, {"KE": source})
    assert caught.value.next_step
    assert _without_evidence(victim) == before
    assert network.open("GB").state.head(WITNESS, "ke.example/log") == head


def _without_evidence(node: Node) -> dict[str, bytes | str]:
    found = snapshot(node.folder.root)
    return {path: data for path, data in found.items() if not path.startswith("evidence")}
