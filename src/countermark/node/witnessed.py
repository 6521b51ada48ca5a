# SPDX-License-Identifier: Apache-2.0
"""Cosignatures gathered for one's own log, and the proofs that they make possible."""

from collections.abc import Iterable
from datetime import datetime
from typing import NoReturn

from countermark.node.log import CHECKPOINT, LogFolder
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError, VerificationError
from countermark.signing.roster import Roster
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.cosignature import Cosignature, with_cosignatures
from countermark.transparency.note import (
    Note,
    SignatureLine,
    decode_text,
    parse_note,
    parse_signature_lines,
)
from countermark.transparency.policy import QuorumVerdict, Sighting, judge_quorum, sighting
from countermark.transparency.proof import TlogProof
from countermark.transparency.tiles import inclusion_proof
from countermark.transparency.verify import CLOCK_SKEW


def is_ahead(cosignature: Cosignature, now: datetime) -> bool:
    """Tell whether a cosignature's time is yet to come, by more than clocks differ."""
    return cosignature.time > now + CLOCK_SKEW


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
            now = node.clock()
            for line, one in sightings_of(theirs, node.roster).items():
                # With it a proof would be refused by everybody until that time has come.
                if not is_ahead(one.cosignature, now):
                    yield line


def take_lines(node: Node, data: bytes, *, where: str) -> tuple[str, ...]:
    """Add cosignature lines that were carried here to the own checkpoint, as `collect` does.

    Parameters
    ----------
    node
        Whose log it is; none of its keys is needed.
    data
        Lines of text; empty ones and carriage returns are passed over.
    where
        What an error should name beside the number of the line.

    Returns
    -------
    tuple of str
        The names of the witnesses.

    Raises
    ------
    InputError, VerificationError
        If a line is malformed, by nobody rostered, or not on this checkpoint; none is taken then.
    StateError
        If nothing is logged.
    """
    note = node.log.note()
    if note is None:
        raise StateError(
            "has no checkpoint yet", where=str(node.folder.log), next_step="Log something first."
        )
    lines = []
    for number, text in enumerate(decode_text(_plain(data), where=where).split("\n"), start=1):
        if text.strip():
            place = f"{where}:{number}"
            (line,) = parse_signature_lines(f"{text.strip()}\n", where=place)
            _check_line(node, note, line, place)
            lines.append(line)
    if not lines:
        raise InputError(
            "holds no line", where=where, next_step="Give the lines that the witnesses answered."
        )
    collect(node, [Note(note.text, (note.signatures[0], *lines)).to_bytes()])
    return tuple(line.name for line in lines)


def _check_line(node: Node, note: Note, line: SignatureLine, where: str) -> None:
    """Say why a line that was carried here cannot be taken."""
    known = node.roster.witness_key(line.name, line.key_id)
    if known is None:
        _distrust(f"is by {line.name} with a key that no witness of the roster has", where)
    if known[0].code == node.code:
        _distrust("is by this node's own witness, which never counts for its own log", where)
    seen = sighting(line, note.text, node.roster)
    if seen is None:
        size = parse_checkpoint(note.text).size
        _distrust(f"does not verify on this log's checkpoint of size {size}", where)
    at = f"{seen.cosignature.time:%Y-%m-%dT%H:%M:%SZ}"
    if is_ahead(seen.cosignature, node.clock()):
        _distrust(f"was signed at {at}, which is to come", where)
    if not seen.in_time:
        _distrust(f"was signed at {at} with a key that was not valid then", where)


def _plain(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def _distrust(what: str, where: str) -> NoReturn:
    raise VerificationError(
        what,
        where=where,
        next_step="No line was taken. If the log has grown since, make a new request: "
        "countermark log prove --for-witness.",
    )


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
