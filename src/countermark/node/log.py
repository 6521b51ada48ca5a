# SPDX-License-Identifier: Apache-2.0
"""A log on disk: one's own, or the verified mirror of a peer's.

Appending is durable and cannot fork the log:

1. The new tiles are written and flushed; until a checkpoint names them they mean nothing.
2. The head in ``state.db`` is swapped from the old to the new; if it is no longer the old one,
   another process has appended, and nothing more happens.
3. Only then the signed checkpoint is written. A crash in between is mended at the next append: the
   head is what counts, and its checkpoint is signed again.
4. A checkpoint that is ahead of the head means that ``state.db`` was restored from a backup. The
   log then refuses to grow, because it might already have published another continuation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from countermark.node.files import read_file, write_atomic
from countermark.node.state import Head, State
from countermark.records.errors import StateError
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from countermark.transparency.note import Note, NoteSigner, parse_note
from countermark.transparency.tiles import plan_append
from countermark.transparency.tree import EMPTY_ROOT

CHECKPOINT = "checkpoint"
OWN = "log"
EMPTY = Head(0, EMPTY_ROOT)


@dataclass(frozen=True, slots=True)
class LogFolder:
    """The files of one log: ``checkpoint``, ``tile/…`` and ``proof/<index>``."""

    path: Path

    def read(self, name: str) -> bytes | None:
        """Return one file of the log by its path in it."""
        return read_file(self.path / name)

    def write(self, name: str, data: bytes) -> None:
        """Write one file of the log."""
        write_atomic(self.path / name, data)

    def note(self) -> Note | None:
        """Return the checkpoint as a signed note, or nothing while there is none."""
        data = self.read(CHECKPOINT)
        return None if data is None else parse_note(data, where=str(self.path / CHECKPOINT))

    def head(self, key: VerifierKey) -> Head:
        """Return how far the log goes by its checkpoint.

        Raises
        ------
        VerificationError
            If the checkpoint is not signed by ``key``.
        """
        data = self.read(CHECKPOINT)
        if data is None:
            return EMPTY
        checkpoint = open_checkpoint(data, key, where=str(self.path / CHECKPOINT))
        return Head(checkpoint.size, checkpoint.root)

    def proof(self, index: int) -> bytes | None:
        """Return the kept proof of one leaf, or nothing while no quorum has cosigned it."""
        return self.read(f"proof/{index}")

    def keep_proof(self, index: int, proof: bytes) -> None:
        """Keep the proof of one leaf."""
        self.write(f"proof/{index}", proof)


def append(log: LogFolder, state: State, signer: NoteSigner, entries: Sequence[bytes]) -> Head:
    """Append leaves to one's own log and publish its checkpoint; return the new head.

    Raises
    ------
    StateError
        If another process appended meanwhile, or ``state.db`` is older than the log.
    """
    old = own_head(log, state, signer)
    plan = plan_append(log.read, old.size, entries)
    for name, data in plan.files.items():
        log.write(name, data)
    new = Head(plan.size, plan.root)
    known = state.head(OWN, signer.name)
    if (known or EMPTY) != old or not state.swap(OWN, signer.name, known, new):
        raise StateError(
            "was appended to by another process at the same moment",
            where=str(log.path),
            next_step="Run the command again; nothing was published.",
        )
    _publish(log, signer, new)
    return new


def own_head(log: LogFolder, state: State, signer: NoteSigner) -> Head:
    """Return the head of one's own log, mending a checkpoint that a crash left behind."""
    head = state.head(OWN, signer.name) or EMPTY
    published = log.head(signer.log_key)
    if published == head:
        return head
    if published.size >= head.size:
        raise StateError(
            f"has a checkpoint of size {published.size}, and state.db knows only {head.size}: "
            "state.db was replaced or restored from a backup",
            where=str(log.path),
            next_step="Bring back the newest state.db; never continue a log from an older one.",
        )
    _publish(log, signer, head)
    return head


def _publish(log: LogFolder, signer: NoteSigner, head: Head) -> None:
    note = sign_checkpoint(Checkpoint(signer.name, head.size, head.root), signer)
    log.write(CHECKPOINT, note.to_bytes())
