# SPDX-License-Identifier: Apache-2.0
"""Cosignatures gathered for one's own log, and the proofs that they make possible.

1. Only cosignatures that count are gathered: they verify, the witness's key was valid when they
   were made, and so was the log's key that signed the checkpoint. What does not count any more,
   because a newer roster ends a key earlier, is taken off, so that it can be made again.
2. Once a quorum has cosigned, each leaf without a proof gets one. A proof at the earliest quorum is
   the one to keep.
3. A kept proof whose checkpoint proves nothing under the roster now in force is made anew, if its
   statement is then valid.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NoReturn

from countermark.node.log import CHECKPOINT
from countermark.node.node import Node
from countermark.records.canonical import read_object
from countermark.records.errors import (
    CountermarkError,
    InputError,
    StateError,
    VerificationError,
)
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
from countermark.transparency.statement import StatementFile
from countermark.transparency.tiles import inclusion_proof, read_entries
from countermark.transparency.verify import CLOCK_SKEW, verify_statement


def is_ahead(cosignature: Cosignature, now: datetime) -> bool:
    """Tell whether a cosignature's time is yet to come, by more than clocks differ."""
    return cosignature.time > now + CLOCK_SKEW


def sightings_of(note: Note, roster: Roster) -> dict[SignatureLine, Sighting]:
    """Return the cosignatures on a checkpoint that count as things stand, each by its line.

    They verify, and their witness keys were valid when they were made.
    """
    found = {line: sighting(line, note.text, roster) for line in note.signatures}
    return {line: one for line, one in found.items() if one is not None and one.in_time}


def standing(note: Note, roster: Roster) -> Note:
    """Return a checkpoint with the log's line and those cosignatures that count (rule 1)."""
    origin = parse_checkpoint(note.text).origin
    party = roster.by_origin(origin)
    logs = party.logs if party is not None else ()
    signing = next((log for log in logs if note.signed_by(log.key)), None)
    own = [line for line in note.signatures if signing is not None and line.is_by(signing.key)]
    by_witness = {
        line.name: line
        for line, one in sightings_of(note, roster).items()
        if signing is not None and signing.valid_at(one.cosignature.time)
    }
    return with_cosignatures(Note(note.text, tuple(own)), by_witness.values(), origin=origin)


def proves(note: Note, roster: Roster) -> bool:
    """Tell whether a proof with this checkpoint can prove anything as things stand.

    It is what rules 6 and 7 of :mod:`countermark.transparency.verify` ask of the checkpoint alone.
    """
    return quorum_of(note, roster).met and standing(note, roster) == note


def proof_stands(proof: bytes, roster: Roster, judged: dict[bytes, bool]) -> bool:
    """Tell the same of a kept proof; ``judged`` holds what was found of checkpoints before."""
    checkpoint = proof.partition(b"\n\n")[2]
    if checkpoint not in judged:
        try:
            judged[checkpoint] = proves(parse_note(checkpoint, where="a kept proof"), roster)
        except InputError:
            judged[checkpoint] = False  # damaged here
    return judged[checkpoint]


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
        kept = standing(note, node.roster)
        have = {line.name for line in kept.signatures}
        fresh = {line.name: line for line in _lines(node, note, offered) if line.name not in have}
        merged = with_cosignatures(kept, fresh.values(), origin=node.config.origin)
        # Proofs first: after a crash in between, the same cosignatures are fresh again.
        proved = _prove(node, merged)
        if merged != note:
            node.log.write(CHECKPOINT, merged.to_bytes())
    return proved or merged != note


def _lines(node: Node, note: Note, offered: Iterable[bytes]) -> Iterable[SignatureLine]:
    for data in offered:
        try:
            theirs = parse_note(data, where="a peer's cosignature")
        except InputError:
            # A peer's broken file must not stop the others' cosignatures from counting.
            continue
        if theirs.text == note.text:
            now = node.clock()
            ours = with_cosignatures(
                Note(note.text, note.signatures[:1]),
                sightings_of(theirs, node.roster),
                origin=node.config.origin,
            )
            for line, one in sightings_of(standing(ours, node.roster), node.roster).items():
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
            (line,) = parse_signature_lines(f"{text.strip()}\n", where=where, first_line=number)
            _check_line(node, note, line, f"{where}:{number}")
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


def _prove(node: Node, note: Note) -> bool:
    """Make the proofs that are missing, or that a newer roster has undone (rules 2 and 3)."""
    if not proves(note, node.roster):
        return False
    size, judged, made = parse_checkpoint(note.text).size, dict[bytes, bool](), False
    for index in range(size):
        held = node.log.proof(index)
        if held is not None and proof_stands(held, node.roster, judged):
            continue
        proof = TlogProof(index, inclusion_proof(node.log.read, index, size), note)
        if held is None or _valid_with(node, proof, size):
            node.log.keep_proof(index, proof.to_bytes())
            made = True
    return made


def _valid_with(node: Node, proof: TlogProof, size: int) -> bool:
    (leaf,) = read_entries(node.log.read, proof.index, proof.index + 1, size)
    try:
        envelope = node.envelope(str(read_object(leaf, where="leaf").get("envelope")))
    except CountermarkError:
        return False  # its statement is lost or damaged here; an audit says so
    file = StatementFile(envelope, proof).to_bytes()
    return verify_statement(file, node.roster, node.clock()).valid
