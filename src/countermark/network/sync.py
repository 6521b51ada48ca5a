# SPDX-License-Identifier: Apache-2.0
"""Pulling from a peer: everything is verified before any of it is kept.

1. What a peer publishes passes the rules of ``news.py``; nothing of it is kept otherwise.
2. The witness of this node cosigns only what continues the tree it cosigned before, by the rules of
   tlog-witness. The head it has followed is durable before anything is kept or cosigned.
3. Samples are fetched only where `may_read_samples` says so, and kept only if they are those that
   the evidence names.
4. One peer's fault does not keep the others from being pulled.
5. A published cosignature is made again where it counts no more: the witness's key or the log's was
   renewed since. A key that the roster does not list for now signs none.
6. What a pull brings is kept under a lock, and only on top of the mirror that it was held against:
   of two pulls at once the slower one keeps nothing, and its next pull brings the rest.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from countermark.network.news import News, Peer, fetch_news, find_peer, refuse_fork
from countermark.node.blobs import blob_path
from countermark.node.book import Entry
from countermark.node.files import locked_folder, make_folders, read_file
from countermark.node.forks import accuse
from countermark.node.index import book, refresh
from countermark.node.log import CHECKPOINT, EMPTY, LogFolder
from countermark.node.node import Node
from countermark.node.policy import may_read_samples
from countermark.node.ports import PeerSource
from countermark.node.witnessed import collect, standing
from countermark.node.witnessing import OK, WITNESS, admit, open_witness, publish
from countermark.records.canonical import content_digest
from countermark.records.errors import (
    CountermarkError,
    InputError,
    StateError,
    VerificationError,
)
from countermark.records.evidence import Evidence
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.cosignature import cosign
from countermark.transparency.note import Note, parse_note
from countermark.transparency.tiles import (
    consistency_proof,
)
from countermark.transparency.witness import AddCheckpoint

ANOTHER_SIZE = 5  # the rule of tlog-witness by which another request was quicker


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
        If a peer publishes what does not check out; nothing of that was kept. The other peers are
        pulled all the same.
    InputError, StorageError, StateError
        If a peer's files are malformed or cannot be read, or it is not in the roster; likewise.
    """
    problems: list[CountermarkError] = []
    pulled = _mirror(node, peers, problems)
    gathered = _gather(node, peers, problems)
    whole = _fetch_samples(node, peers, pulled, problems, gathered=gathered)
    raise_worst(problems)
    return whole


def settle(nodes: Mapping[str, Node], sources: Mapping[str, PeerSource], rounds: int = 6) -> None:
    """Let nodes pull from each other until nobody learns anything new.

    Raises
    ------
    StateError
        If they have not settled after ``rounds``.
    CountermarkError
        As :func:`pull` does.
    """
    peers = {
        code: {peer: source for peer, source in sources.items() if peer != code} for code in nodes
    }
    problems: list[CountermarkError] = []
    for _ in range(rounds):
        # In step, so that each log gathers the cosignatures of all and not just of the quickest.
        pulled = {code: _mirror(node, peers[code], problems) for code, node in nodes.items()}
        gathered = {code: _gather(node, peers[code], problems) for code, node in nodes.items()}
        whole = [
            _fetch_samples(node, peers[code], pulled[code], problems, gathered=gathered[code])
            for code, node in nodes.items()
        ]
        raise_worst(problems)
        if not any(gathered.values()) and not any(one.changed for each in whole for one in each):
            return
    raise StateError(
        f"did not settle in {rounds} rounds",
        where=", ".join(nodes),
        next_step="Run it again; if it stays so, look at `countermark node status` of each node.",
    )


@contextlib.contextmanager
def _noting(problems: list[CountermarkError]) -> Iterator[None]:
    """Note what is wrong with one peer, and let the others be pulled."""
    try:
        yield
    except CountermarkError as error:
        problems.append(error)


def raise_worst(problems: Sequence[CountermarkError]) -> None:
    """Raise the gravest of some problems, if there is one."""
    if problems:
        raise max(problems, key=lambda error: error.exit_code)


def _mirror(
    node: Node, peers: Mapping[str, PeerSource], problems: list[CountermarkError]
) -> tuple[Pulled, ...]:
    pulled = []
    for code, source in peers.items():
        with _noting(problems):
            pulled.append(_pull_from(node, find_peer(node, code, source)))
    return tuple(pulled)


def _gather(node: Node, peers: Mapping[str, PeerSource], problems: list[CountermarkError]) -> bool:
    offered = []
    for source in peers.values():
        with _noting(problems):
            offered.append(source.read(f"cosignatures/{node.code}"))
    return collect(node, [note for note in offered if note is not None])


def _fetch_samples(
    node: Node,
    peers: Mapping[str, PeerSource],
    pulled: tuple[Pulled, ...],
    problems: list[CountermarkError],
    *,
    gathered: bool,
) -> tuple[Pulled, ...]:
    if gathered or any(one.changed for one in pulled):
        refresh(node)
    entries = book(node).entries
    whole = []
    for one in pulled:
        with _noting(problems):
            whole.append(_with_samples(node, one, peers[one.code], entries))
    return tuple(whole)


def _pull_from(node: Node, peer: Peer) -> Pulled:
    news = fetch_news(node, peer)
    if news is None or not _witnessed(node, peer, news):
        return Pulled(peer.code, 0, 0, 0, news.head.size if news else 0, ())
    for envelope in news.envelopes.values():
        node.blobs.put(envelope.to_bytes())
    if not _kept(node.mirror(peer.code), news):
        return Pulled(peer.code, 0, 0, 0, news.head.size, ())
    _publish_cosignature(node, peer, news.note)
    return Pulled(peer.code, news.statements, len(news.proofs), 0, news.head.size, ())


def _kept(mirror: LogFolder, news: News) -> bool:
    """Keep what is new of a log, unless another process has changed the mirror (rule 6)."""
    make_folders(mirror.path.parent)
    with locked_folder(mirror.path.parent, exclusive=True):
        if mirror.read(CHECKPOINT) != news.mirrored:
            return False
        for path, contents in news.tiles.items():
            mirror.write(path, contents)
        for index, proof in news.proofs.items():
            mirror.keep_proof(index, proof)
        if news.note.to_bytes() != news.mirrored:
            mirror.write(CHECKPOINT, news.note.to_bytes())
    return True


def _witnessed(node: Node, peer: Peer, news: News) -> bool:
    """Judge the growth by the rules of tlog-witness and note it durably, if this is a witness.

    Returns
    -------
    bool
        False if another process of this node is witnessing the same log; its word will do.
    """
    own = node.roster.party(node.code)
    if own is None or own.witness is None or not news.head.size:
        return True
    origin = peer.log.origin
    seen = node.state.head(WITNESS, origin) or EMPTY
    refuse_fork(peer, seen, news.head, lambda: accuse(node, peer.party, news.note, news.read))
    bare = Note(news.note.text, news.note.signatures[:1])
    proof = consistency_proof(news.read, seen.size, news.head.size)
    verdict = admit(node, AddCheckpoint(seen.size, proof, bare).to_bytes(), read=news.read)
    if verdict.rule == ANOTHER_SIZE:
        return False
    if verdict.status != OK:
        peer.distrust(f"cannot be cosigned: {verdict.reason}")
    return True


def _publish_cosignature(node: Node, peer: Peer, note: Note) -> None:
    """Cosign the mirrored checkpoint, unless the published cosignature still counts (rule 5)."""
    own = node.roster.party(node.code)
    witness = own.witness_at(node.clock()) if own is not None else None
    if witness is None or not parse_checkpoint(note.text).size:
        return
    if not _signs(node, peer, note, witness.key):
        publish(node, note, cosign(note.text, open_witness(node), node.clock()))


def _signs(node: Node, peer: Peer, note: Note, key: VerifierKey) -> bool:
    path = node.cosigned(peer.code)
    data = read_file(path)
    try:
        published = None if data is None else parse_note(data, where=str(path))
    except InputError:
        return False  # damaged: it is written again
    if published is None or published.text != note.text:
        return False
    # As it would stand beneath the line by which the log signs now.
    lines = (note.signatures[0], *published.signatures[1:])
    counting = standing(Note(note.text, lines), node.roster).signatures
    return any(line.is_by(key) for line in counting)


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
