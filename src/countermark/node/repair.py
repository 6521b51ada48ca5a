# SPDX-License-Identifier: Apache-2.0
"""Bringing one's own log back from what peers hold of it. Nothing is kept before it is verified.

1. The head that must come out is the one in ``state.db``. No source can change it.
2. If ``state.db`` is lost, or older than a checkpoint that this log's key signed, then the newest
   such checkpoint of all sources is taken, but only if the operator says so (``trust_peers``): a
   peer that is not among the sources may hold a newer one, and going on from an older one forks
   the log. What ``state.db`` knows must be the beginning of it.
3. From the head's root down, every tile is one that the tile above names, and every entry bundle
   one that the lowest tiles name, whoever it came from. All are found before the first is written.
4. Envelopes and samples are those of their names; a proof is kept if its statement verifies.
5. The head is durable in ``state.db`` before its checkpoint is written.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from countermark.node.blobs import Blobs
from countermark.node.log import CHECKPOINT, EMPTY, OWN, LogFolder, extends
from countermark.node.node import Node
from countermark.node.state import Head
from countermark.records.canonical import read_object
from countermark.records.errors import CountermarkError, StateError, VerificationError
from countermark.records.evidence import Evidence
from countermark.signing.envelope import Envelope
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import open_checkpoint
from countermark.transparency.proof import parse_proof
from countermark.transparency.statement import StatementFile
from countermark.transparency.tiles import (
    TILE_BITS,
    TILE_WIDTH,
    parse_bundle,
    root_of,
    tile_path,
)
from countermark.transparency.tree import HASH_BYTES, leaf_hash, root_hash
from countermark.transparency.verify import verify_statement


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was brought back.

    Parameters
    ----------
    size
        How many leaves the log has.
    files, blobs, proofs
        How many of each were written.
    missing
        Envelopes that no source has; the log is whole, but an audit will name them.
    """

    size: int
    files: int
    blobs: int
    proofs: int
    missing: tuple[str, ...]


def repair(node: Node, sources: Sequence[Path], *, trust_peers: bool = False) -> Repaired:
    """Bring a node's own log back.

    Parameters
    ----------
    node
        Whose log it is; its roster must be there.
    sources
        Folders: peers' node folders, whose mirrors are read; or copies of this node's own folder.
    trust_peers
        Take the newest signed checkpoint of all sources for the newest there ever was (rule 2).

    Raises
    ------
    StateError
        If rule 2 asks for a decision, or no source has a part that is needed.
    VerificationError
        If the sources hold two logs that cannot both be.
    """
    party = node.roster.party(node.code)
    if party is None or party.origin is None:
        raise StateError(
            "has no log that the roster lists",
            where=str(node.folder.root),
            next_step="Get the current roster first.",
        )
    copies = [node.log, *_copies(node.code, sources)]
    known = node.state.head(OWN, party.origin)
    signed = dict(_signed(copies, party.log_keys))
    head = _decide(node, known, signed, trust_peers=trust_peers)
    files, leaves = _recovered(copies, head)
    changed = {path: data for path, data in files.items() if _lacks(node.log, path, data)}
    if known is not None and head != known and not extends(files.get, head, known):
        raise VerificationError(
            f"has two logs: the newest checkpoint, of size {head.size}, does not continue the "
            f"{known.size} leaves in state.db",
            where=str(node.folder.root),
            next_step="Do not publish anything. Run countermark log audit, and tell the members.",
        )
    for path, data in changed.items():
        node.log.write(path, data)
    blobs, missing = _blobs(node, sources, leaves)
    proofs = _proofs(node, copies, head, leaves)
    if head != known and not node.state.swap(OWN, party.origin, known, head):
        raise StateError(
            "was used by another process meanwhile",
            where=str(node.folder.root),
            next_step="Stop the other process and run this again.",
        )
    written = len(changed) + _checkpoint(node, party.log_keys, head, signed)
    return Repaired(head.size, written, blobs, proofs, missing)


def _copies(code: str, sources: Sequence[Path]) -> Iterator[LogFolder]:
    for source in sources:
        for place in (source / "peers" / code / "log", source / "log", source):
            if (place / CHECKPOINT).exists() or (place / "tile").is_dir():
                yield LogFolder(place)


def _signed(
    copies: Sequence[LogFolder], keys: Sequence[VerifierKey]
) -> Iterator[tuple[Head, bytes]]:
    """Yield the heads that the log's key signed, each with its checkpoint."""
    for copy in copies:
        try:
            data = copy.read(CHECKPOINT)
            if data is not None:
                checkpoint = open_checkpoint(data, *keys)
                yield Head(checkpoint.size, checkpoint.root), data
        except CountermarkError:
            continue  # damaged, or of another log: that is why there are other sources


def _decide(
    node: Node, known: Head | None, signed: dict[Head, bytes], *, trust_peers: bool
) -> Head:
    """Rules 1 and 2."""
    newest = max(signed, key=lambda head: head.size, default=EMPTY)
    here = known or EMPTY
    if len({head.root for head in signed if head.size == newest.size}) > 1:
        raise VerificationError(
            f"has two signed checkpoints of size {newest.size}: the log was forked",
            where=str(node.folder.root),
            next_step="Do not publish anything. Run countermark log audit, and tell the members.",
        )
    if newest.size > here.size or known is None:
        if not trust_peers:
            raise StateError(
                f"has a state.db that knows {here.size} leaves, and a checkpoint of {newest.size} "
                "was signed",
                where=str(node.folder.root),
                next_step="Bring back the newest state.db. If it is lost, give every peer's folder "
                "with --from and add --trust-peers: you then declare that none of them, and nobody "
                "else, has seen a newer checkpoint of this log.",
            )
        return newest
    return here


def _recovered(copies: Sequence[LogFolder], head: Head) -> tuple[dict[str, bytes], list[bytes]]:
    """Return all files of the log, and its leaves, verified from the root down (rule 3)."""
    files: dict[str, bytes] = {}
    levels = 0
    while head.size >> TILE_BITS * levels:
        levels += 1
    hashes = _edge(copies, head, levels)
    above: list[bytes] = []
    for level in reversed(range(levels)):
        here: list[bytes] = []
        for index, expected in enumerate(above):
            path = tile_path(level, index)
            files[path] = _pick(copies, path, partial(_has_root, expected))
            here += _split(files[path])
        count = head.size >> TILE_BITS * level
        if count % TILE_WIDTH:
            files[tile_path(level, count // TILE_WIDTH, count % TILE_WIDTH)] = hashes[level]
        above = here + _split(hashes[level])
    leaves: list[bytes] = []
    for index in range(-(-head.size // TILE_WIDTH)):
        wanted = above[index * TILE_WIDTH : (index + 1) * TILE_WIDTH]
        path = tile_path(None, index, len(wanted))
        files[path] = _pick(copies, path, partial(_gives, wanted))
        leaves += parse_bundle(files[path], len(wanted))
    return files, leaves


def _edge(copies: Sequence[LogFolder], head: Head, levels: int) -> list[bytes]:
    """Return the partial tile of each level, from a copy whose right edge gives the root."""
    for copy in copies:
        try:
            if root_of(copy.read, head.size) != head.root:
                continue
        except CountermarkError:
            continue
        edge = []
        for level in range(levels):
            index, width = divmod(head.size >> TILE_BITS * level, TILE_WIDTH)
            data = copy.read(tile_path(level, index, width)) if width else b""
            if data is None:
                data = copy.read(tile_path(level, index)) or b""
            edge.append(data[: width * HASH_BYTES])
        return edge
    if not head.size:
        return []
    raise _lacking(f"the last tiles of a log of {head.size} leaves with that root")


def _pick(copies: Sequence[LogFolder], path: str, right: Callable[[bytes], bool]) -> bytes:
    for copy in copies:
        data = copy.read(path)
        if data is None and ".p/" in path:
            whole = copy.read(path.partition(".p/")[0])
            data = _beginning(whole, int(path.rpartition("/")[2])) if whole is not None else None
        if data is not None and right(data):
            return data
    raise _lacking(path)


def _beginning(bundle: bytes, width: int) -> bytes:
    """Return the first entries of a full bundle; what is no bundle gives what is none."""
    end = 0
    for _ in range(width):
        end += 2 + int.from_bytes(bundle[end : end + 2], "big")
    return bundle[:end]


def _split(tile: bytes) -> list[bytes]:
    return [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]


def _has_root(root: bytes, tile: bytes) -> bool:
    return len(tile) == TILE_WIDTH * HASH_BYTES and root_hash(_split(tile)) == root


def _gives(hashes: Sequence[bytes], bundle: bytes) -> bool:
    try:
        return [leaf_hash(entry) for entry in parse_bundle(bundle, len(hashes))] == list(hashes)
    except VerificationError:
        return False


def _lacks(log: LogFolder, path: str, data: bytes) -> bool:
    return log.read(path) != data


def _blobs(
    node: Node, sources: Sequence[Path], leaves: Sequence[bytes]
) -> tuple[int, tuple[str, ...]]:
    """Rule 4: envelopes, and the samples that they reveal."""
    held = [node.blobs, *map(Blobs, sources)]
    wanted = [str(read_object(leaf, where="leaf").get("envelope")) for leaf in leaves]
    found, missing = 0, []
    for digest in wanted:
        brought = _blob(held, digest)
        if brought is None:
            missing.append(digest)
            continue
        found += brought
        record = node.record(digest)
        if isinstance(record, Evidence):
            found += _blob(held, record.samples.digest) or 0
    return found, tuple(missing)


def _blob(held: Sequence[Blobs], digest: str) -> int | None:
    """Bring one blob; return 1 if it was lost here, 0 if it was not, nothing if nobody has it."""
    for place, blobs in enumerate(held):
        try:
            data = blobs.get(digest)
        except VerificationError:
            continue  # damaged there
        if data is not None:
            if place:
                held[0].put(data)
            return int(place > 0)
    return None


def _proofs(node: Node, copies: Sequence[LogFolder], head: Head, leaves: Sequence[bytes]) -> int:
    """Rule 4: proofs whose statements verify, where they are missing or damaged here."""
    kept = 0
    for index, leaf in enumerate(leaves):
        for place, copy in enumerate(copies):
            try:
                data = copy.proof(index)
                if data is not None and _proves(node, index, leaf, data, head):
                    if place:
                        node.log.keep_proof(index, data)
                    kept += bool(place)
                    break
            except CountermarkError:
                continue
    return kept


def _proves(node: Node, index: int, leaf: bytes, data: bytes, head: Head) -> bool:
    # That the leaf is the envelope's follows: the statement's leaf is at this place of this tree.
    envelope: Envelope = node.envelope(str(read_object(leaf, where="leaf").get("envelope")))
    proof = parse_proof(data)
    then = Head(proof.checkpoint.size, proof.checkpoint.root)
    file = StatementFile(envelope, proof).to_bytes()
    return (
        proof.index == index
        and verify_statement(file, node.roster, node.clock()).valid
        and node.log.extends(head, then)
    )


def _checkpoint(
    node: Node, keys: Sequence[VerifierKey], head: Head, signed: dict[Head, bytes]
) -> int:
    """Write the checkpoint of the head if it is lost and was found; else the next use signs it."""
    try:
        if node.log.head(*keys) == head:
            return 0
    except CountermarkError:
        (node.log.path / CHECKPOINT).unlink()  # damaged
    if head not in signed:
        return 0
    node.log.write(CHECKPOINT, signed[head])
    return 1


def _lacking(what: str) -> StateError:
    return StateError(
        f"no source has {what}; nothing was written",
        where="repair",
        next_step="Give the folders of more peers with --from.",
    )
