# SPDX-License-Identifier: Apache-2.0
"""Cosignatures gathered for one's own log, and the proofs that they make possible."""

from collections.abc import Iterable

from countermark.node.log import CHECKPOINT, LogFolder
from countermark.node.node import Node
from countermark.records.errors import InputError
from countermark.signing.roster import Roster
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.cosignature import with_cosignatures
from countermark.transparency.note import Note, SignatureLine, parse_note
from countermark.transparency.policy import QuorumVerdict, Sighting, judge_quorum, sighting
from countermark.transparency.proof import TlogProof
from countermark.transparency.tiles import inclusion_proof


def sightings_of(note: Note, roster: Roster) -> dict[SignatureLine, Sighting]:
    """Return the cosignatures on a checkpoint that count as things stand, each by its line.

    They verify, and their witness keys were valid when they were made.
    """
    found = {line: sighting(line, note.text, roster) for line in note.signatures}
    return {line: one for line, one in found.items() if one is not None and one.in_time}


def quorum_of(note: Note, roster: Roster) -> QuorumVerdict:
    """Judge whether enough witnesses have cosigned a checkpoint."""
    origin = parse_checkpoint(note.text).origin
    return judge_quorum(roster, origin, tuple(sightings_of(note, roster).values()))


def collect(node: Node, offered: Iterable[bytes]) -> bool:
    """Add peers' cosignatures to the own checkpoint; prove what a quorum has now seen.

    Parameters
    ----------
    node
        Whose log it is.
    offered
        Notes that peers published; those on another checkpoint, or by nobody rostered, are passed
        over.

    Returns
    -------
    bool
        Whether anything was added.
    """
    # Under the lock, so that a checkpoint that `append` publishes meanwhile is not overwritten.
    with node.state.locked():
        note = node.log.note()
        if note is None:
            return False
        have = {line.name for line in note.signatures}
        fresh = {line.name: line for line in _lines(node, note, offered) if line.name not in have}
        if not fresh:
            return False
        merged = with_cosignatures(note, fresh.values(), origin=node.config.origin)
        # Proofs first: after a crash in between, the same cosignatures are fresh again.
        _prove(node.log, merged, node.roster)
        node.log.write(CHECKPOINT, merged.to_bytes())
    return True


def _lines(node: Node, note: Note, offered: Iterable[bytes]) -> Iterable[SignatureLine]:
    for data in offered:
        try:
            theirs = parse_note(data, where="a peer's cosignature")
        except InputError:
            # A peer's broken file must not stop the others' cosignatures from counting.
            continue
        if theirs.text == note.text:
            yield from sightings_of(theirs, node.roster)


def _prove(log: LogFolder, note: Note, roster: Roster) -> None:
    if not quorum_of(note, roster).met:
        return
    size = parse_checkpoint(note.text).size
    # A proof at the earliest quorum is the one to keep, so only those after the last are made.
    first = size
    while first > 0 and log.proof(first - 1) is None:
        first -= 1
    # Upwards, so that a crash leaves no gap below the last.
    for index in range(first, size):
        hashes = inclusion_proof(log.read, index, size)
        log.keep_proof(index, TlogProof(index, hashes, note).to_bytes())
