# SPDX-License-Identifier: Apache-2.0
"""Reading a whole log again: a node's own, or its mirror of a peer's.

1. The checkpoint is signed by the rostered log key, and a quorum has cosigned it.
2. Every tile is what the entries give, and they give the checkpoint's root.
3. Every leaf names an envelope that is here, and is that envelope's leaf.
4. Every leaf has a kept proof, and the statement verifies with it by all rules.
5. The proof's checkpoint is of this same tree when it was smaller: the log was never forked.
6. Every older partial tile that is still there is the beginning of the tile that it grew into.
7. Every checkpoint of it that the peers show, or that this node cosigned, is of this tree too.
   Two that cannot both be are evidence of a fork. A node's own log is as long as any of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from countermark.node.files import read_file
from countermark.node.log import CHECKPOINT, LogFolder, place_of
from countermark.node.node import Node
from countermark.node.ports import PeerSource
from countermark.node.state import Head
from countermark.node.witnessed import quorum_of
from countermark.records.canonical import read_object
from countermark.records.errors import CountermarkError, StateError
from countermark.signing.party import Party
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.equivocation import Equivocation, find_equivocation
from countermark.transparency.note import Note, parse_note
from countermark.transparency.proof import parse_proof
from countermark.transparency.statement import StatementFile, leaf_of
from countermark.transparency.tile_audit import audit
from countermark.transparency.tiles import (
    TILE_BITS,
    TILE_WIDTH,
    TileReader,
    encode_bundle,
    read_entries,
    tile_path,
)
from countermark.transparency.tree import HASH_BYTES
from countermark.transparency.verify import verify_statement


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found; no problems means that the log is whole.

    Parameters
    ----------
    origin, size
        The log, and how many leaves its checkpoint covers.
    statements
        How many statements verified.
    witnesses
        Names of the witnesses that cosigned the newest checkpoint.
    problems
        In words, each with the leaf it is about.
    compared
        How many checkpoints that others saw were compared with it.
    evidence
        Of forks, for others to check.
    """

    origin: str
    size: int
    statements: int
    witnesses: tuple[str, ...]
    problems: tuple[str, ...]
    compared: int = 0
    evidence: tuple[Equivocation, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint of the log that somebody shows, and where that one's tiles are."""

    who: str
    note: Note
    read: TileReader


def audit_node(
    node: Node, code: str | None = None, peers: Mapping[str, PeerSource] | None = None
) -> Report:
    """Audit a node's own log, or its mirror of a peer's; needs none of its keys.

    Parameters
    ----------
    node
        Whose copy it is.
    code
        Whose log; nothing: the node's own.
    peers
        Roster code to where each peer publishes, for rule 7.

    Raises
    ------
    StateError
        If the node has no such log in the roster, or nothing was logged.
    """
    code = code or node.code
    party, log = node.roster.party(code), node.log_of(code)
    if party is None or party.origin is None or log.read(CHECKPOINT) is None:
        raise StateError(
            "has no log that the roster lists" if code == node.code else f"has no mirror of {code}",
            where=str(node.folder.root),
            next_step="Log something first, or get the current roster."
            if code == node.code
            else "Pull from that peer first.",
        )
    try:
        head, note = log.head(*party.log_keys), log.note()
    except CountermarkError as error:
        return Report(party.origin, 0, 0, (), (f"checkpoint: {error}",))
    assert note is not None  # noqa: S101  it was read above
    quorum = quorum_of(note, node.roster)
    problems = [] if quorum.met else ["checkpoint: no quorum of witnesses has cosigned it"]
    tiles = audit(log.read, head.size, head.root)
    problems += list(tiles.problems)
    verified = 0
    if tiles.ok:
        for problem in _statements(node, log, head):
            if problem is None:
                verified += 1
            else:
                problems.append(problem)
        problems += _older_partials(log, head)
    seen = list(_seen(node, code, peers or {}))
    if any("forked" in problem for problem in problems):
        seen += _proved(log, head.size)
    evidence = []
    for problem, found in _disagreements(node, party, Seen("this copy", note, log.read), seen):
        problems += [problem]
        evidence += [found] if found is not None else []
    return Report(
        party.origin, head.size, verified, quorum.counted, tuple(dict.fromkeys(problems)),
        len(seen), tuple(dict.fromkeys(evidence)),
    )  # fmt: skip


def _older_partials(log: LogFolder, head: Head) -> Iterator[str]:
    """Rule 6."""
    for path in sorted(log.path.glob("tile/**/*.p/*")):
        name = path.relative_to(log.path).as_posix()
        if not path.name.isdecimal():
            continue
        (level, index), width = place_of(name), int(path.name)
        whole = min(TILE_WIDTH, (head.size >> TILE_BITS * (level or 0)) - index * TILE_WIDTH)
        if width >= whole:
            continue  # the present one, or what an append that stopped left behind
        grown = log.read(tile_path(level, index, whole)) or log.read(tile_path(level, index)) or b""
        if level is None:
            first = read_entries(
                log.read, index * TILE_WIDTH, index * TILE_WIDTH + width, head.size
            )
            expected = encode_bundle(first)
        else:
            expected = grown[: width * HASH_BYTES]
        if log.read(name) != expected:
            yield f"{name}: is not the beginning of the tile that it grew into"


def _seen(node: Node, code: str, peers: Mapping[str, PeerSource]) -> Iterator[Seen]:
    """Yield every checkpoint of a log that this node cosigned or that a peer shows."""
    mine = read_file(node.folder.root / f"cosignatures/{code}")
    yield from _readable("this node as a witness", mine, lambda _: None)
    for peer, source in peers.items():
        folder = "log" if peer == code else f"peers/{code}/log"
        yield from _published(peer, source, f"cosignatures/{code}", folder)
        yield from _published(peer, source, f"{folder}/{CHECKPOINT}", folder)


def _published(peer: str, source: PeerSource, path: str, folder: str) -> Iterator[Seen]:
    try:
        data = source.read(path)
    except CountermarkError:
        return  # a peer that cannot be read shows nothing; pulling from it says so
    yield from _readable(peer, data, lambda name: source.read(f"{folder}/{name}"))


def _readable(who: str, data: bytes | None, read: TileReader) -> Iterator[Seen]:
    try:
        if data is not None:
            note = parse_note(data, where=who)
            parse_checkpoint(note.text, where=who)
            yield Seen(who, note, read)
    except CountermarkError:
        return  # nobody signed it; it accuses no log


def _proved(log: LogFolder, size: int) -> Iterator[Seen]:
    for index in range(size):
        try:
            proof = log.proof(index)
            if proof is not None:
                yield Seen(f"proof {index}", parse_proof(proof).note, log.read)
        except CountermarkError:
            continue  # its statement is among the problems already


def _disagreements(
    node: Node, party: Party, ours: Seen, seen: list[Seen]
) -> Iterator[tuple[str, Equivocation | None]]:
    """Rule 7."""
    keys, own = party.honest_log_keys, parse_checkpoint(ours.note.text)
    theirs = []
    for one in seen:
        checkpoint = parse_checkpoint(one.note.text)
        if checkpoint.origin == own.origin and any(one.note.signed_by(key) for key in keys):
            theirs.append(one)
            if checkpoint.size > own.size and party.code == node.code:
                yield (
                    f"{one.who} has seen {checkpoint.size} leaves of this log: it was rolled back",
                    None,
                )
    pairs = [(ours, one) for one in theirs] + [
        (one, other)
        for index, one in enumerate(theirs)
        for other in theirs[:index]
        if one.note.text != other.note.text
    ]
    for one, other in pairs:
        found = find_equivocation(one.note, other.note, keys, one.read, other.read, ours.read)
        if found is not None:
            size = found.checkpoints[0].size
            text = f"{one.who} and {other.who} have seen different trees of size {size}"
            yield f"{text}: the log was forked", found


def _statements(node: Node, log: LogFolder, head: Head) -> Iterator[str | None]:
    for index, leaf in enumerate(read_entries(log.read, 0, head.size, head.size)):
        try:
            yield _statement(node, log, head, index, leaf)
        except CountermarkError as error:
            yield f"leaf {index}: {error}"


def _statement(node: Node, log: LogFolder, head: Head, index: int, leaf: bytes) -> str | None:
    digest = str(read_object(leaf, where=f"leaf {index}").get("envelope"))
    envelope = node.envelope(digest)
    if leaf_of(envelope) != leaf:
        return f"leaf {index}: it is not the leaf of the statement {digest}"
    data = log.proof(index)
    if data is None:
        return f"leaf {index}: no quorum has witnessed it yet"
    proof = parse_proof(data, where=f"proof/{index}")
    verdict = verify_statement(StatementFile(envelope, proof).to_bytes(), node.roster, node.clock())
    if not verdict.valid:
        return f"leaf {index}: {verdict.failures[0].detail}"
    if proof.index != index:
        return f"leaf {index}: its proof is of leaf {proof.index}"
    then = Head(proof.checkpoint.size, proof.checkpoint.root)
    if not log.extends(head, then):
        return f"leaf {index}: its proof is of another tree of size {then.size}; the log was forked"
    return None
