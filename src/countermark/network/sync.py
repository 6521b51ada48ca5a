# SPDX-License-Identifier: Apache-2.0
"""Pulling from a peer: everything is verified before any of it is kept.

1. The peer's checkpoint is signed by its rostered log key.
2. It is not behind what this node has already seen of that log, and at the same size it has the
   same root; otherwise the log was rolled back or forked.
3. The new leaves, appended to the mirror, give the checkpoint's root: the log only grew.
4. Each new leaf names an envelope that the peer publishes, and the leaf is that envelope's.
5. The envelope is signed by a statement key of that very peer, and its record is one its role may
   say.
6. Proofs are kept only if the whole statement verifies with them.
7. Samples are fetched only where `may_read_samples` says so.

Only after rules 1 to 5 does the witness of this node cosign the checkpoint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from countermark.node.blobs import blob_path
from countermark.node.index import book, refresh
from countermark.node.book import Entry
from countermark.node.log import CHECKPOINT, EMPTY
from countermark.node.node import Node
from countermark.node.files import write_atomic
from countermark.node.policy import may_read_samples
from countermark.node.ports import PeerSource
from countermark.node.state import Head
from countermark.node.witnessed import collect
from countermark.records.canonical import content_digest, read_object
from countermark.records.errors import StateError, VerificationError
from countermark.records.evidence import Evidence
from countermark.signing.envelope import Envelope, record_of, verify
from countermark.signing.party import Party
from countermark.transparency.checkpoint import open_checkpoint
from countermark.transparency.cosignature import cosign
from countermark.transparency.note import Note, parse_note
from countermark.transparency.proof import parse_proof
from countermark.transparency.statement import StatementFile, leaf_of
from countermark.transparency.tiles import consistency_proof, plan_append, read_entries
from countermark.transparency.verify import verify_statement
from countermark.transparency.witness import AddCheckpoint, WitnessState, consider

WITNESS = "witness"
MAX_NEW_LEAVES = 100_000


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one pull from one peer brought.

    Parameters
    ----------
    code
        The peer.
    statements, proofs, samples
        How many of each are new.
    size
        How many leaves its log has.
    withheld
        Samples that may not be read yet, each with the reason.
    """

    code: str
    statements: int
    proofs: int
    samples: int
    size: int
    withheld: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether anything new was kept."""
        return bool(self.statements or self.proofs or self.samples)


def pull(node: Node, peers: Mapping[str, PeerSource]) -> tuple[Pulled, ...]:
    """Pull from every peer, cosign what they publish, and collect their cosignatures.

    Parameters
    ----------
    node
        Who pulls.
    peers
        Roster code to where that peer publishes.

    Raises
    ------
    VerificationError
        If a peer publishes what does not check out; nothing of that pull is kept.
    """
    pulled = _mirror(node, peers)
    gathered = _gather(node, peers)
    return _fetch_samples(node, peers, pulled, gathered=gathered)


def settle(nodes: Mapping[str, Node], sources: Mapping[str, PeerSource], rounds: int = 6) -> None:
    """Let nodes pull from each other until nobody learns anything new.

    Raises
    ------
    StateError
        If they have not settled after ``rounds``.
    """
    peers = {
        code: {peer: source for peer, source in sources.items() if peer != code} for code in nodes
    }
    for _ in range(rounds):
        # In step, so that each log gathers the cosignatures of all and not just of the quickest.
        pulled = {code: _mirror(node, peers[code]) for code, node in nodes.items()}
        gathered = {code: _gather(node, peers[code]) for code, node in nodes.items()}
        whole = [
            _fetch_samples(node, peers[code], pulled[code], gathered=gathered[code])
            for code, node in nodes.items()
        ]
        if not any(gathered.values()) and not any(one.changed for each in whole for one in each):
            return
    raise StateError(
        f"did not settle in {rounds} rounds",
        where=", ".join(nodes),
        next_step="Run it again; if it stays so, look at `countermark node status` of each node.",
    )


def _mirror(node: Node, peers: Mapping[str, PeerSource]) -> tuple[Pulled, ...]:
    pulled = []
    for code, source in peers.items():
        party = _party(node, code)
        statements, size = _pull_log(node, party, source)
        proofs = _pull_proofs(node, party, source, size)
        if size:
            _witness(node, party)
        pulled.append(Pulled(code, statements, proofs, 0, size, ()))
    return tuple(pulled)


def _gather(node: Node, peers: Mapping[str, PeerSource]) -> bool:
    offered = (source.read(f"cosignatures/{node.code}") for source in peers.values())
    return collect(node, [note for note in offered if note is not None])


def _fetch_samples(
    node: Node, peers: Mapping[str, PeerSource], pulled: tuple[Pulled, ...], *, gathered: bool
) -> tuple[Pulled, ...]:
    if gathered or any(one.changed for one in pulled):
        refresh(node)
    entries = book(node).entries
    return tuple(_with_samples(node, one, peers[one.code], entries) for one in pulled)


def _party(node: Node, code: str) -> Party:
    party = node.roster.party(code)
    if party is None or party.log is None:
        raise StateError(
            f"is a peer that the roster does not list with a log: {code}",
            where=str(node.folder.root),
            next_step="Correct [peers] in node.toml, or get the current roster.",
        )
    return party


def _pull_log(node: Node, party: Party, source: PeerSource) -> tuple[int, int]:
    """Rules 1 to 5; return how many leaves are new and how many there are."""
    assert party.log is not None  # noqa: S101  checked by _party
    data = source.read(f"log/{CHECKPOINT}")
    if data is None:
        return 0, 0
    checkpoint = open_checkpoint(data, party.log.key, where=f"{party.code} log/checkpoint")
    mirror = node.mirror(party.code)
    seen = mirror.head(party.log.key)
    _refuse_fork(party, seen, Head(checkpoint.size, checkpoint.root))
    if checkpoint.size - seen.size > MAX_NEW_LEAVES:
        _distrust(party, f"claims {checkpoint.size - seen.size:,} new statements at once")
    leaves = list(
        read_entries(
            lambda path: source.read(f"log/{path}"), seen.size, checkpoint.size, checkpoint.size
        )
    )
    plan = plan_append(mirror.read, seen.size, leaves)
    if plan.root != checkpoint.root:
        _distrust(party, "has a checkpoint that its own leaves do not give")
    envelopes = [_envelope(party, source, leaf) for leaf in leaves]
    for envelope in envelopes:
        node.blobs.put(envelope.to_bytes())
    for path, contents in plan.files.items():
        mirror.write(path, contents)
    if data != mirror.read(CHECKPOINT):
        mirror.write(CHECKPOINT, data)
    return len(leaves), checkpoint.size


def _refuse_fork(party: Party, seen: Head, new: Head) -> None:
    if new.size < seen.size:
        _distrust(party, f"was rolled back from size {seen.size} to {new.size}")
    if new.size == seen.size and seen != EMPTY and new.root != seen.root:
        _distrust(party, f"shows another tree of size {new.size} than before")


def _envelope(party: Party, source: PeerSource, leaf: bytes) -> Envelope:
    where = f"{party.code} log"
    digest = str(read_object(leaf, where=where).get("envelope"))
    data = source.read(blob_path(digest))
    if data is None or content_digest(data) != digest:
        _distrust(party, f"does not publish the statement {digest} that its log names")
    envelope = Envelope.from_value(read_object(data, where=digest), where=digest)
    if envelope.to_bytes() != data or leaf_of(envelope) != leaf:
        _distrust(party, f"has a leaf that is not that of its statement {digest}")
    key = next((key for key in party.statement_keys if key.keyid == envelope.keyid), None)
    if key is None or not verify(envelope, key.key):
        _distrust(party, f"logs a statement that it did not sign: {digest}")
    record = record_of(envelope, where=digest)
    if not party.may_say(record.kind_name()):
        _distrust(party, f"logs a {record.kind_name()}, which its roles may not say")
    return envelope


def _pull_proofs(node: Node, party: Party, source: PeerSource, size: int) -> int:
    mirror, kept = node.mirror(party.code), 0
    for index, leaf in enumerate(read_entries(mirror.read, 0, size, size)):
        if mirror.proof(index) is not None:
            continue
        data = source.read(f"log/proof/{index}")
        if data is None:
            continue
        digest = str(read_object(leaf, where=party.code)["envelope"])
        proof = parse_proof(data, where=f"{party.code} log/proof/{index}")
        statement = StatementFile(node.envelope(digest), proof)
        verdict = verify_statement(statement.to_bytes(), node.roster)
        if not verdict.valid or proof.index != index:
            reason = verdict.failures[0].detail if verdict.failures else "it proves another leaf"
            _distrust(party, f"publishes a proof of statement {index} that fails: {reason}")
        mirror.keep_proof(index, data)
        kept += 1
    return kept


def _witness(node: Node, party: Party) -> None:
    """Cosign the mirrored checkpoint by the rules of tlog-witness, if this node is a witness."""
    own = node.roster.party(node.code)
    mirror = node.mirror(party.code)
    note = mirror.note()
    if own is None or own.witness is None or party.log is None or note is None:
        return
    origin, place = party.log.origin, f"cosignatures/{party.code}"
    if _already_signed(node, place, note):
        return
    seen = node.state.head(WITNESS, origin)
    size = mirror.head(party.log.key).size
    bare = Note(note.text, tuple(line for line in note.signatures if line.name == origin))
    request = AddCheckpoint(
        seen.size if seen else 0,
        consistency_proof(mirror.read, seen.size if seen else 0, size),
        bare,
    )
    verdict = consider(
        request.to_bytes(),
        {origin: party.log.key},
        lambda _: WitnessState(seen.size, seen.root) if seen else None,
    )
    if verdict.state is None:
        _distrust(party, f"cannot be cosigned: {verdict.reason}")
    new = Head(verdict.state.size, verdict.state.root)
    if new != seen and not node.state.swap(WITNESS, origin, seen, new):
        return  # another process of this node is witnessing the same log; its word will do
    line = cosign(note.text, node.witness_signer, node.clock())
    signed = Note(note.text, (*bare.signatures, line))
    write_atomic(node.folder.root / place, signed.to_bytes())


def _already_signed(node: Node, place: str, note: Note) -> bool:
    path = node.folder.root / place
    return path.exists() and parse_note(path.read_bytes(), where=place).text == note.text


def _with_samples(
    node: Node, pulled: Pulled, source: PeerSource, entries: Sequence[Entry]
) -> Pulled:
    fetched, withheld = 0, []
    for entry in entries:
        evidence = entry.record
        if not isinstance(evidence, Evidence) or entry.author != pulled.code:
            continue
        digest = evidence.samples.digest
        if node.blobs.get(digest) is not None:
            continue
        permission = may_read_samples(node.code, evidence, entries)
        if not permission.allowed:
            withheld.append(f"{evidence.lab}: {permission.reason}")
            continue
        data = source.read(blob_path(digest))
        if data is None:
            withheld.append(f"{evidence.lab}: the samples are not published")
        elif content_digest(data) != digest:
            raise VerificationError(
                f"publishes samples of {evidence.lab} that are not those it signed",
                where=pulled.code,
                next_step="Ask the institute for the file with the digest in its evidence.",
            )
        else:
            node.blobs.put(data)
            fetched += 1
    return Pulled(
        pulled.code, pulled.statements, pulled.proofs, fetched, pulled.size, tuple(withheld)
    )


def _distrust(party: Party, what: str) -> NoReturn:
    raise VerificationError(
        what,
        where=f"the log of {party.code}",
        next_step="Nothing was kept. Keep a copy of what the peer publishes and ask it why.",
    )
