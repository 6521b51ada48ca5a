# SPDX-License-Identifier: Apache-2.0
"""What a peer has published, fetched and verified in memory; nothing is kept here.

1. The peer's checkpoint is signed by its rostered log key.
2. It is not behind what this node has already seen of that log, and at the same size it has the
   same root; otherwise the log was rolled back or forked.
3. The new leaves, appended to the mirror, give the checkpoint's root: the log only grew.
4. Each new leaf names an envelope that the peer publishes, and the leaf is that envelope's.
5. The envelope is signed by a statement key of that very peer, and its record is one its role may
   say and speaks for nobody else.
6. With each proof the whole statement verifies, and the proof's checkpoint is of the same tree. A
   proof that proves nothing any more, because a key in it has ended meanwhile, is no lie: it is not
   kept. One that is held and proves nothing any more is replaced by the peer's newer one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from countermark.node.blobs import blob_path
from countermark.node.forks import accuse, accuse_of
from countermark.node.log import CHECKPOINT, LogFolder, extends
from countermark.node.node import Node
from countermark.node.ports import PeerSource
from countermark.node.state import Head
from countermark.node.witnessed import proof_stands, sightings_of, standing
from countermark.records.canonical import content_digest, read_object
from countermark.records.errors import StateError, StorageError, VerificationError
from countermark.signing.envelope import Envelope, record_of, verify
from countermark.signing.party import Lasting, LogKey, Party
from countermark.transparency.checkpoint import open_checkpoint
from countermark.transparency.cosignature import with_cosignatures
from countermark.transparency.note import Note, parse_note
from countermark.transparency.policy import sighting
from countermark.transparency.proof import TlogProof, parse_proof
from countermark.transparency.statement import StatementFile, leaf_of
from countermark.transparency.tiles import TileReader, plan_append, read_entries, root_of
from countermark.transparency.verify import Verification, verify_statement

MAX_NEW_LEAVES = 100_000
MAX_LEAF_BYTES = 512


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer with a log, and where it publishes."""

    party: Party
    log: LogKey
    source: PeerSource

    @property
    def code(self) -> str:
        """The peer's roster code."""
        return self.party.code

    def distrust(self, what: str) -> NoReturn:
        """Raise the error that says what its log does wrong."""
        raise VerificationError(
            what,
            where=f"the log of {self.code}",
            next_step="None of it was kept. Keep a copy of what the peer publishes and ask it why.",
        )


@dataclass(frozen=True, slots=True)
class News:
    """What a peer has published, verified in memory.

    Parameters
    ----------
    head
        How far its log goes.
    note
        Its checkpoint with the cosignatures that verify.
    read
        The tiles of its whole log: those mirrored, and the new ones.
    tiles
        The new ones, by path.
    statements
        How many leaves are new.
    envelopes
        Those not held yet, by content address.
    proofs
        Those not held yet, by leaf.
    mirrored
        The mirror's checkpoint that all this was held against, or nothing.
    """

    head: Head
    note: Note
    read: TileReader
    tiles: Mapping[str, bytes]
    statements: int
    envelopes: Mapping[str, Envelope]
    proofs: Mapping[int, bytes]
    mirrored: bytes | None


def find_peer(node: Node, code: str, source: PeerSource) -> Peer:
    """Return a peer as the roster lists it.

    Raises
    ------
    StateError
        If the roster does not list it with a log.
    """
    party = node.roster.party(code)
    log = party.log_at(node.clock()) if party is not None else None
    if party is None or log is None:
        raise StateError(
            f"is a peer that the roster does not list with a log: {code}",
            where=str(node.folder.root),
            next_step="Correct [peers] in node.toml, or get the current roster.",
        )
    return Peer(party, log, source)


def fetch_news(node: Node, peer: Peer) -> News | None:
    """Fetch what is new and verify it; return nothing where the peer has published nothing yet.

    Raises
    ------
    VerificationError
        If a rule of the module docstring is broken.
    InputError, StorageError
        If a file is malformed, is missing or cannot be read.
    """
    data = peer.source.read(f"log/{CHECKPOINT}")
    if data is None:
        return None
    checkpoint = open_checkpoint(data, peer.log.key, where=f"{peer.code} log/checkpoint")
    head, mirror = Head(checkpoint.size, checkpoint.root), node.mirror(peer.code)
    mirrored = mirror.read(CHECKPOINT)
    seen = mirror.head(*peer.party.log_keys)
    note = parse_note(data)
    refuse_fork(peer, seen, head, lambda: accuse(node, peer.party, note))
    if head.size - seen.size > MAX_NEW_LEAVES:
        peer.distrust(f"claims {head.size - seen.size:,} new statements at once")
    _check_mirror(mirror, seen)
    new = []
    for leaf in read_entries(_tiles_of(peer.source), seen.size, head.size, head.size):
        # Before they are held together: a hundred thousand of the longest would fill the memory.
        if len(leaf) > MAX_LEAF_BYTES:
            peer.distrust(
                f"has a leaf of {len(leaf):,} bytes, and a statement's has fewer than 300"
            )
        new.append(leaf)
    plan = plan_append(mirror.read, seen.size, new)
    if plan.root != head.root:
        words = accuse(node, peer.party, note, _tiles_of(peer.source))
        peer.distrust(f"has a checkpoint that its own leaves do not give{words}")
    read = _over(plan.files, mirror.read)
    leaves = tuple(read_entries(read, 0, head.size, head.size))
    envelopes = _envelopes(node, peer, leaves, seen.size)
    proofs = _proofs(node, peer, leaves, envelopes, head, read, note)
    verified = _with_verified_lines(node, peer, note)
    return News(head, verified, read, plan.files, len(new), envelopes, proofs, mirrored)


def refuse_fork(peer: Peer, seen: Head, new: Head, evidence: Callable[[], str]) -> None:
    """Refuse a log that went back, or that is another one of the same size (rule 2)."""
    if new.size < seen.size:
        peer.distrust(f"was rolled back from size {seen.size} to {new.size}{evidence()}")
    if new.size == seen.size and new.root != seen.root:
        peer.distrust(f"shows another tree of size {new.size} than before{evidence()}")


def _check_mirror(mirror: LogFolder, seen: Head) -> None:
    # Otherwise damage to one's own disk would look like a lie of the peer.
    if root_of(mirror.read, seen.size) != seen.root:
        raise StorageError(
            "is damaged: its tiles do not give its checkpoint",
            where=str(mirror.path),
            next_step="Delete this folder and pull again; nothing in it is lost.",
        )


def _tiles_of(source: PeerSource) -> TileReader:
    return lambda path: source.read(f"log/{path}")


def _over(new: Mapping[str, bytes], old: TileReader) -> TileReader:
    return lambda path: new[path] if path in new else old(path)


def _with_verified_lines(node: Node, peer: Peer, note: Note) -> Note:
    """Leave out lines that nobody rostered signed, and keep those that were mirrored before."""
    before = node.mirror(peer.code).note()
    earlier = before.signatures if before is not None and before.text == note.text else ()
    own = next(line for line in note.signatures if line.is_by(peer.log.key))
    lines = sightings_of(Note(note.text, (*note.signatures, *earlier)), node.roster)
    whole = with_cosignatures(Note(note.text, (own,)), lines, origin=peer.log.origin)
    return standing(whole, node.roster)


def _envelopes(node: Node, peer: Peer, leaves: Sequence[bytes], seen: int) -> dict[str, Envelope]:
    """Fetch and verify the envelopes of new leaves, and of older ones that were lost here."""
    envelopes = {}
    for index, leaf in enumerate(leaves):
        digest = _named(leaf, peer)
        if index >= seen or not node.blobs.holds(digest):
            envelopes[digest] = _envelope(peer, digest, leaf)
    return envelopes


def _named(leaf: bytes, peer: Peer) -> str:
    return str(read_object(leaf, where=f"{peer.code} log").get("envelope"))


def _envelope(peer: Peer, digest: str, leaf: bytes) -> Envelope:
    """Rules 4 and 5."""
    data = peer.source.read(blob_path(digest))
    if data is None or content_digest(data) != digest:
        peer.distrust(f"does not publish the statement {digest} that its log names")
    envelope = Envelope.from_value(read_object(data, where=digest), where=digest)
    if leaf_of(envelope) != leaf:
        peer.distrust(f"has a leaf that is not that of its statement {digest}")
    key = next((key for key in peer.party.statement_keys if key.keyid == envelope.keyid), None)
    if key is None or not verify(envelope, key.key):
        peer.distrust(f"logs a statement that it did not sign: {digest}")
    record = record_of(envelope, where=digest)
    if not peer.party.could_ever_say(record.kind_name()):
        peer.distrust(f"logs a {record.kind_name()}, which its roles may not say")
    if record.speaker not in (None, peer.code):
        peer.distrust(f"logs a {record.kind_name()} that speaks for {record.speaker}")
    return envelope


def _proofs(
    node: Node,
    peer: Peer,
    leaves: Sequence[bytes],
    envelopes: Mapping[str, Envelope],
    head: Head,
    read: TileReader,
    note: Note,
) -> dict[int, bytes]:
    """Rule 6."""
    proofs: dict[int, bytes] = {}
    judged: dict[bytes, bool] = {}
    for index, leaf in enumerate(leaves):
        held = node.mirror(peer.code).proof(index)
        if held is not None and proof_stands(held, node.roster, judged):
            continue
        data = peer.source.read(f"log/proof/{index}")
        if data is None or data == held:
            continue
        proof = parse_proof(data, where=f"{peer.code} log/proof/{index}")
        then = Head(proof.checkpoint.size, proof.checkpoint.root)
        if then.size > head.size:
            continue  # the log has grown since its checkpoint was read; it is for the next pull
        digest = _named(leaf, peer)
        envelope = envelopes.get(digest) or node.envelope(digest)
        file = StatementFile(envelope, proof).to_bytes()
        verdict = verify_statement(file, node.roster, node.clock())
        if not verdict.valid:
            if _has_ended(node, peer, envelope, proof, verdict):
                continue
            reason = verdict.failures[0].detail
            peer.distrust(f"publishes a proof of statement {index} that fails: {reason}")
        if proof.index != index:
            peer.distrust(f"publishes a proof of leaf {proof.index} in place of {index}'s")
        if not extends(read, head, then):
            words = accuse_of(node, peer.party, proof.note, note, read)
            peer.distrust(f"has shown its witnesses another tree of size {then.size}{words}")
        proofs[index] = data
    return proofs


def _has_ended(
    node: Node, peer: Peer, envelope: Envelope, proof: TlogProof, verdict: Verification
) -> bool:
    """Tell whether a proof fails for nothing but a key or a role that has ended."""
    if not {check.rule for check in verdict.failures} <= {3, 6, 7}:
        return False
    by_log = [key for key in peer.party.log_keys if proof.note.signed_by(key)]
    lines = [line for line in proof.note.signatures if not any(map(line.is_by, by_log))]
    seen = [one for line in lines if (one := sighting(line, proof.note.text, node.roster))]
    if not by_log or not seen or len(seen) < len(lines):
        return False
    witnessed = max(one.cosignature.time for one in seen)
    used: list[Lasting] = [one.key for one in seen]
    used += [grant for one in seen for grant in one.party.roles if grant.role == "witness"]
    used += [log for log in peer.party.logs if log.key in by_log]
    used += [key for key in peer.party.statement_keys if key.keyid == envelope.keyid]
    used += peer.party.roles
    return any(one.valid_until is not None and not one.valid_at(witnessed) for one in used)
