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
   Tiles that a crashed append left beyond the head are removed by the next one.
4. A checkpoint that is ahead of the head means that ``state.db`` was restored from a backup. The
   log then refuses to grow, because it might already have published another continuation.

:func:`refuse_damage` makes the same checks 2 and 4 when a node is opened for use. It reads the few
tiles of the right edge; whether the rest is whole is for an audit to say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from countermark.node.files import read_file, storage_errors, write_all, write_atomic
from countermark.node.state import Head, Heads, State
from countermark.records.errors import StateError, StorageError, VerificationError
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from countermark.transparency.note import Note, NoteSigner, parse_note
from countermark.transparency.tiles import (
    TILE_BITS,
    TILE_WIDTH,
    TileReader,
    consistency_proof,
    plan_append,
    root_of,
)
from countermark.transparency.tree import EMPTY_ROOT, verify_consistency

CHECKPOINT = "checkpoint"
OWN = "log"
EMPTY = Head(0, EMPTY_ROOT)
REPAIR = (
    "Bring the files back from a peer's mirror: countermark log repair --from FOLDER; or from a "
    "backup of the log folder."
)


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

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Write many files of the log; when it returns all are on the disk."""
        write_all({self.path / name: data for name, data in files.items()})

    def remove_leftovers(self, files: Iterable[str], size: int) -> None:
        """Remove partial tiles beyond ``size`` beside the ones that are about to be written.

        No checkpoint names them, but once the log has grown past them they would look like the
        partial tiles of an earlier tree, and be of another.
        """
        for folder in {_partials(name) for name in files}:
            place = self.path / folder
            if place.is_dir():
                level, index = place_of(folder)
                width = max(0, (size >> TILE_BITS * (level or 0)) - index * TILE_WIDTH)
                for path in place.iterdir():
                    if path.name.isdecimal() and int(path.name) > width:
                        with storage_errors(path):
                            path.unlink()

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


def place_of(path: str) -> tuple[int | None, int]:
    """Return level (nothing: an entry bundle) and index in the path of a tile, full or partial."""
    _, kind, *groups = path.partition(".p")[0].split("/")
    number = "".join(group.removeprefix("x") for group in groups)
    return (None if kind == "entries" else int(kind)), int(number)


def _partials(path: str) -> str:
    return path.partition(".p/")[0] + ".p"


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
        old = _known_head(log, heads, signer.log_key)
        _check_tiles(log, old)
        plan = plan_append(log.read, old.size, entries)
        log.remove_leftovers(plan.files, old.size)
        log.write_all(plan.files)
        new = Head(plan.size, plan.root)
        heads.keep(OWN, signer.name, new)
    own_head(log, state, signer)
    return new


def own_head(log: LogFolder, state: State, signer: NoteSigner) -> Head:
    """Return the head of one's own log, and publish its checkpoint where that is behind."""
    with state.locked() as heads:
        head = _known_head(log, heads, signer.log_key)
        if log.head(signer.log_key) != head:
            checkpoint = Checkpoint(signer.name, head.size, head.root)
            log.write(CHECKPOINT, sign_checkpoint(checkpoint, signer).to_bytes())
    return head


def sign_head_again(
    log: LogFolder, state: State, signer: NoteSigner, keys: Sequence[VerifierKey]
) -> None:
    """Publish the checkpoint of one's own log anew, signed by another of its ``keys``.

    Raises
    ------
    StateError, StorageError, VerificationError
        As :func:`append` does: what may not grow is not signed again either.
    """
    with state.locked() as heads:
        head = _known_head(log, heads, *keys)
        _check_tiles(log, head)
        if head.size:
            checkpoint = Checkpoint(signer.name, head.size, head.root)
            log.write(CHECKPOINT, sign_checkpoint(checkpoint, signer).to_bytes())


def refuse_damage(log: LogFolder, state: State | None, keys: Sequence[VerifierKey]) -> None:
    """Refuse to work on one's own log where its tiles and its checkpoint disagree.

    Parameters
    ----------
    log, keys
        The log, and the public keys that the roster lists for it, all of one name.
    state
        The node's state, or nothing where ``state.db`` is not there.

    Raises
    ------
    StateError
        If ``state.db`` is older than the log.
    StorageError, VerificationError
        If a tile of the right edge is missing, or the files do not give the checkpoint.
    """
    head = log.head(*keys)
    if state is not None:
        with state.locked() as heads:
            head = _known_head(log, heads, *keys)
    _check_tiles(log, head)


def _check_tiles(log: LogFolder, head: Head) -> None:
    try:
        root = root_of(log.read, head.size)
    except (StorageError, VerificationError) as error:
        raise type(error)(
            f"{log.path}: {error.what}", where=error.where, next_step=REPAIR
        ) from error
    if root != head.root:
        raise VerificationError(
            f"has tiles that do not give the root of its {head.size} leaves",
            where=str(log.path),
            next_step=REPAIR,
        )


def _known_head(log: LogFolder, heads: Heads, *keys: VerifierKey) -> Head:
    """Return the head in ``state.db``, if the published checkpoint is not ahead of it."""
    head = heads.read(OWN, keys[0].name) or EMPTY
    published = log.head(*keys)
    if published != head and published.size >= head.size:
        raise StateError(
            f"has a checkpoint of size {published.size} that state.db, at {head.size}, does not "
            "know: state.db was replaced or restored from a backup",
            where=str(log.path),
            next_step="Bring back the newest state.db; never continue a log from an older one. "
            "If it is lost, see countermark log repair --trust-peers.",
        )
    return head
