# SPDX-License-Identifier: Apache-2.0
"""A node as a witness of others' logs (C2SP tlog-witness), and what it asks of its own witnesses.

1. The logs a node knows are the current ones of the roster, but never its own.
2. A checkpoint is judged by the rules of ``transparency/witness.py`` and the new head replaces the
   one judged, by compare-and-swap in ``state.db``, durably. If another request was quicker it is
   judged again, against what that one left.
3. Only then it is cosigned, and the cosignature published with the checkpoint as the log signed it.
   A crash in between loses an answer and never a head.
4. At most 60 requests a minute that make a log grow are answered for each log, and as many others
   that its key signed; the rest get **429**. They are counted apart, because anybody can send a
   log's published checkpoint again and must not use up what the log itself needs.
5. A checkpoint that the log's key signed and that is refused with **409** or **422** is held
   against those that this node keeps of that log; a fork becomes evidence (``forks.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock

from countermark.node.files import write_atomic
from countermark.node.forks import accuse
from countermark.node.log import EMPTY
from countermark.node.node import Node
from countermark.node.ports import WitnessAnswer
from countermark.node.state import Head
from countermark.records.errors import (
    CountermarkError,
    InputError,
    StateError,
    VerificationError,
)
from countermark.signing.roster import ANY_TIME, Roster, load_roster
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.cosignature import cosign
from countermark.transparency.note import Note, NoteSigner, SignatureLine
from countermark.transparency.tiles import TileReader, consistency_proof
from countermark.transparency.witness import (
    TEXT_TYPE,
    AddCheckpoint,
    Verdict,
    WitnessState,
    consider,
    parse_request,
)

WITNESS = "witness"
OK = 200
TOO_MANY = 429
REQUESTS_PER_MINUTE = 60
MINUTE = timedelta(minutes=1)
_REFUSED = frozenset({409, 422})
_SIGNED = frozenset({200, 409, 422})  # answers that only a checkpoint signed by the log gets


@dataclass(frozen=True)
class Pace:
    """How often each log has asked of late; kept in memory by who serves requests."""

    per_minute: int = REQUESTS_PER_MINUTE
    _recent: dict[tuple[str, bool], tuple[datetime, ...]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def allows(self, origin: str, *, grows: bool, now: datetime) -> bool:
        """Count one request, if it may still be answered."""
        with self._lock:
            recent = within_pace(self._recent.get((origin, grows), ()), now, self.per_minute)
            if recent is not None:
                self._recent[origin, grows] = recent
        return recent is not None


def within_pace(
    recent: Sequence[datetime], now: datetime, per_minute: int
) -> tuple[datetime, ...] | None:
    """Return the times of the last minute with ``now`` added, or nothing if they are too many.

    Times after ``now`` are left out, so that a clock that was set back does not bar a log.
    """
    kept = tuple(time for time in recent if timedelta(0) <= now - time < MINUTE)
    return (*kept, now) if len(kept) < per_minute else None


def open_witness(node: Node) -> NoteSigner:
    """Return what cosigns, if the roster lists this node as a witness with that very key.

    Raises
    ------
    StateError
        If it does not.
    InputError
        If the key does not open.
    """
    party = _roster(node).party(node.code)
    witness = party.witness_at(node.clock()) if party is not None else None
    if witness is None:
        raise StateError(
            "is no witness by the roster",
            where=node.code,
            next_step="Ask the members for the role witness, or get the current roster.",
        )
    signer = node.witness_signer
    if signer.witness_key.text != witness.vkey:
        raise StateError(
            "has another witness key than the roster lists; nobody would count its cosignatures",
            where=node.code,
            next_step="Bring back the key that the roster lists, or ask for the new one to be put "
            "in.",
        )
    return signer


def known_logs(node: Node) -> dict[str, VerifierKey]:
    """Return the logs that this node witnesses, origin to key (rule 1)."""
    now = node.clock()
    return {
        log.origin: log.key
        for party in _roster(node).parties
        if party.code != node.code and (log := party.log_at(now)) is not None
    }


def admit(
    node: Node, body: bytes, pace: Pace | None = None, read: TileReader | None = None
) -> Verdict:
    """Judge a request and keep the new head; whoever gets 200 may cosign (rules 1, 2, 4, 5).

    Parameters
    ----------
    node
        The witness.
    body
        The request's body.
    pace
        How often requests are answered; nothing where the node asks itself.
    read
        Tiles of the checkpoint's tree, where they are at hand.
    """
    logs = known_logs(node)
    counted = False
    while True:
        verdict = consider(body, logs, lambda origin: _seen(node, origin))
        if pace is not None and not counted and verdict.status in _SIGNED:
            counted = True
            grows = verdict.before != verdict.state
            if not pace.allows(verdict.origin, grows=grows, now=node.clock()):
                reason = f"{verdict.origin} asks more than {pace.per_minute} times a minute"
                return Verdict(TOO_MANY, 0, reason, TEXT_TYPE, f"{reason}\n".encode())
        # A lost race cannot be lost for ever: the size has changed, so the next verdict is 409.
        if _kept(node, verdict):
            return _with_evidence(node, verdict, body, read)


def add_checkpoint(
    node: Node, signer: NoteSigner, body: bytes, pace: Pace | None = None
) -> Verdict:
    """Answer a request to cosign a checkpoint: judge it, keep the head, then cosign.

    Returns
    -------
    Verdict
        For 200 its body is the cosignature line.

    Raises
    ------
    CountermarkError
        If the roster cannot be read, ``state.db`` cannot be used or the clock is out of range.
    """
    verdict = admit(node, body, pace)
    if verdict.checkpoint is None:
        return verdict
    line = cosign(verdict.checkpoint.text, signer, node.clock())
    publish(node, parse_request(body).note, line)
    return replace(verdict, body=line.text.encode())


def publish(node: Node, note: Note, line: SignatureLine) -> None:
    """Publish a cosignature with the checkpoint that it is on, as the log signed it (rule 3)."""
    party = _roster(node).by_origin(parse_checkpoint(note.text).origin)
    if party is not None:
        own = [one for one in note.signatures if any(map(one.is_by, party.log_keys))]
        write_atomic(node.cosigned(party.code), Note(note.text, (*own[:1], line)).to_bytes())


@dataclass(frozen=True)
class NodeWitness:
    """A node of this process as a witness; implements the port."""

    node: Node
    signer: NoteSigner
    pace: Pace | None = None

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Answer as :func:`add_checkpoint` does."""
        verdict = add_checkpoint(self.node, self.signer, body, self.pace)
        return WitnessAnswer(verdict.status, verdict.content_type, verdict.body)


def refusal(verdict: Verdict, *, where: str) -> CountermarkError:
    """Return the error that tells a person why a request was refused."""
    what = f"{verdict.status}: {verdict.reason}"
    if verdict.status == 409 and verdict.rule == 5:
        size = verdict.body.decode().strip()
        return StateError(
            what,
            where=where,
            next_step="Ask the log for a request from there: "
            f"countermark log prove --for-witness --since {size}",
        )
    if verdict.status in {403, 409, 422}:
        return VerificationError(
            what,
            where=where,
            next_step="Nothing was cosigned. Keep the request: if the log signed it, it may be "
            "proof that the log shows different people different things.",
        )
    if verdict.status == 404:
        return StateError(
            what,
            where=where,
            next_step="Get the current roster; a node never witnesses its own log.",
        )
    return InputError(
        what,
        where=where,
        next_step="Ask the log for a new one: countermark log prove --for-witness.",
    )


def own_request(node: Node, since: int) -> AddCheckpoint:
    """Return the request that asks a witness to cosign one's own checkpoint.

    Parameters
    ----------
    node
        Whose log it is; none of its keys is needed.
    since
        Size that the witness cosigned last; 0 before the first.

    Raises
    ------
    StateError
        If nothing is logged, or less than ``since``.
    VerificationError
        If the log's files were changed.
    """
    party, note = node.roster.party(node.code), node.log.note()
    head = node.log.head(*party.log_keys) if party is not None and party.logs else EMPTY
    if note is None or not head.size:
        raise StateError(
            "has logged nothing that the roster's log key signed",
            where=str(node.folder.log),
            next_step="Log something first, or get the current roster.",
        )
    if since > head.size:
        raise StateError(
            f"has {head.size} leaves, so no witness can have cosigned {since}",
            where=str(node.folder.log),
            next_step="If a witness says it has, this log was restored from an older copy: bring "
            "the newest one back.",
        )
    proof = consistency_proof(node.log.read, since, head.size)
    return AddCheckpoint(since, proof, Note(note.text, note.signatures[:1]))


def _kept(node: Node, verdict: Verdict) -> bool:
    """Keep the head of a verdict of 200, unless it is kept already; False if a race was lost."""
    if verdict.checkpoint is None or verdict.before is None or verdict.before == verdict.state:
        return True
    before = verdict.before
    expected = Head(before.size, before.root) if before.size else None
    new = Head(verdict.checkpoint.size, verdict.checkpoint.root)
    return node.state.swap(WITNESS, verdict.checkpoint.origin, expected, new)


def _with_evidence(node: Node, verdict: Verdict, body: bytes, read: TileReader | None) -> Verdict:
    """Rule 5."""
    party = _roster(node).by_origin(verdict.origin) if verdict.status in _REFUSED else None
    if party is None:
        return verdict
    request = parse_request(body)
    readers = () if read is None else (read,)
    words = accuse(node, party, request.note, *readers, hashes=request.proof)
    return replace(verdict, reason=verdict.reason + words)


def _seen(node: Node, origin: str) -> WitnessState | None:
    head = node.state.head(WITNESS, origin)
    return WitnessState(head.size, head.root) if head else None


def _roster(node: Node) -> Roster:
    # Read each time, because a node serves for months and a key may be revoked meanwhile.
    return _verified(frozenset(node.roster_files().items()))


@lru_cache(maxsize=4)
def _verified(files: frozenset[tuple[str, bytes]]) -> Roster:
    # The node accepted it when it was in force; see `Node.roster`.
    return load_roster(dict(files), at=ANY_TIME)
