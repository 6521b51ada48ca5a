# SPDX-License-Identifier: Apache-2.0
"""A log on disk: one's own, or the verified mirror of a peer's.

Appending is durable and cannot fork the log:

1. The write lock of ``state.db`` is held from reading the head until the new one is durable, so
   that two processes append one after the other and never write each other's tiles.
2. The tiles must give the root of the head. If they do not, the files were changed, and a new
   checkpoint over them would fork the log.
3. The new tiles are written and flushed; until a checkpoint names them they mean nothing. Then the
   head in ``state.db`` moves. Only then the signed checkpoint is written. A crash in between is
   mended at the next append: the head is what counts, and its checkpoint is signed again.
4. A checkpoint that is ahead of the head means that ``state.db`` was restored from a backup. The
   log then refuses to grow, because it might already have published another continuation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from countermark.node.files import read_file, write_atomic
from countermark.node.state import Head, Heads, State
from countermark.records.errors import StateError, VerificationError
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from countermark.transparency.note import Note, NoteSigner, parse_note
from countermark.transparency.tiles import TileReader, consistency_proof, plan_append, root_of
from countermark.transparency.tree import EMPTY_ROOT, verify_consistency

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

    def head(self, *keys: VerifierKey) -> Head:
        """Return how far the log goes by its checkpoint.

        Raises
        ------
        VerificationError
            If none of the log's ``keys`` signed the checkpoint.
        """
        data = self.read(CHECKPOINT)
        if data is None:
            return EMPTY
        checkpoint = open_checkpoint(data, *keys, where=str(self.path / CHECKPOINT))
        return Head(checkpoint.size, checkpoint.root)

    def extends(self, new: Head, old: Head) -> bool:
        """Tell whether the log, whose head is ``new``, is one that had the head ``old`` before."""
        return extends(self.read, new, old)

    def proof(self, index: int) -> bytes | None:
        """Return the kept proof of one leaf, or nothing while no quorum has cosigned it."""
        return self.read(f"proof/{index}")

    def keep_proof(self, index: int, proof: bytes) -> None:
        """Keep the proof of one leaf."""
        self.write(f"proof/{index}", proof)


def extends(reader: TileReader, new: Head, old: Head) -> bool:
    """Tell whether the tree in some tiles, whose head is ``new``, had the head ``old`` before."""
    if old.size > new.size:
        return False
    hashes = consistency_proof(reader, old.size, new.size)
    return verify_consistency(old.size, old.root, new.size, new.root, hashes)


def append(log: LogFolder, state: State, signer: NoteSigner, entries: Sequence[bytes]) -> Head:
    """Append leaves to one's own log and publish its checkpoint; return the new head.

    Raises
    ------
    StateError
        If ``state.db`` is older than the log.
    VerificationError
        If the log's files were changed.
    """
    with state.locked() as heads:
        old = _known_head(log, heads, signer)
        if root_of(log.read, old.size) != old.root:
            raise VerificationError(
                f"has tiles that do not give the root of its {old.size} leaves",
                where=str(log.path),
                next_step="Bring the log folder back from a backup or from a peer's mirror.",
            )
        plan = plan_append(log.read, old.size, entries)
        for name, data in plan.files.items():
            log.write(name, data)
        new = Head(plan.size, plan.root)
        heads.keep(OWN, signer.name, new)
    own_head(log, state, signer)
    return new


def own_head(log: LogFolder, state: State, signer: NoteSigner) -> Head:
    """Return the head of one's own log, and publish its checkpoint where that is behind."""
    with state.locked() as heads:
        head = _known_head(log, heads, signer)
        if log.head(signer.log_key) != head:
            checkpoint = Checkpoint(signer.name, head.size, head.root)
            log.write(CHECKPOINT, sign_checkpoint(checkpoint, signer).to_bytes())
    return head


def _known_head(log: LogFolder, heads: Heads, signer: NoteSigner) -> Head:
    """Return the head in ``state.db``, if the published checkpoint is not ahead of it."""
    head = heads.read(OWN, signer.name) or EMPTY
    published = log.head(signer.log_key)
    if published != head and published.size >= head.size:
        raise StateError(
            f"has a checkpoint of size {published.size} that state.db, at {head.size}, does not "
            "know: state.db was replaced or restored from a backup",
            where=str(log.path),
            next_step="Bring back the newest state.db; never continue a log from an older one.",
        )
    return head
