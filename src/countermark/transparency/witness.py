# SPDX-License-Identifier: Apache-2.0
"""What a witness answers to a new checkpoint (C2SP tlog-witness, ``add-checkpoint``).

A request is a line ``old <size>``, up to 63 lines of a consistency proof in base64, an empty line
and the signed checkpoint. The rules are tried in this order; the first that fails decides.

1. The request parses, else **400**.
2. The witness knows the log's origin, else **404**.
3. The log's key signed the checkpoint, and no line that claims to be by it fails, else **403**.
4. The old size is not above the checkpoint's size, else **400**.
5. The old size is that of the last checkpoint this witness cosigned for the log (0 before the
   first), else **409** with that size in the answer.
6. At equal sizes the roots are equal, else **409** with the size.
7. The consistency proof leads from the root last cosigned to the new one, else **422**.

If all hold the answer is **200**: the caller stores :attr:`Verdict.state` if the stored state is
still the one judged here, and only then cosigns :attr:`Verdict.checkpoint`. That compare-and-swap
is what keeps two requests at once from rolling a log back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from countermark.records.errors import InputError
from countermark.signing.encoding import to_base64
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import Checkpoint, parse_checkpoint
from countermark.transparency.note import Note, decode_text, parse_decimal, parse_note
from countermark.transparency.proof import parse_hashes
from countermark.transparency.tree import EMPTY_ROOT, verify_consistency

MAX_PROOF_LINES = 63
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class WitnessState:
    """Size and root of the last checkpoint that a witness cosigned for one log."""

    size: int
    root: bytes


NOTHING_SEEN = WitnessState(0, EMPTY_ROOT)
"""The state for a log of which nothing was cosigned yet."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to cosign a checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note

    def to_bytes(self) -> bytes:
        """Return the request's body."""
        lines = [f"old {self.old_size}", *(to_base64(value) for value in self.proof)]
        return ("\n".join(lines) + "\n\n" + self.note.to_text()).encode()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a request.

    Parameters
    ----------
    status
        200, 400, 403, 404, 409 or 422.
    rule
        Number of the rule that failed, or 0 if all hold.
    reason
        Why, in plain words.
    content_type, body
        The answer's, except for 200, whose body is the cosignature line.
    checkpoint
        What to cosign, for 200.
    before, state
        For 200: the state that was judged, and the one to store in its place.
    origin
        The log that signed the checkpoint, once rule 3 holds; else empty.
    """

    status: int
    rule: int
    reason: str
    content_type: str
    body: bytes
    checkpoint: Checkpoint | None = None
    before: WitnessState | None = None
    state: WitnessState | None = None
    origin: str = ""


def parse_request(body: bytes, *, where: str = "request") -> AddCheckpoint:
    """Read the body of a request (rule 1).

    Raises
    ------
    InputError
        If it is malformed.
    """
    text = decode_text(body, where=where)
    head, separator, tail = text.partition("\n\n")
    first, *lines = head.split("\n")
    if not separator or not first.startswith("old "):
        _refuse("is not an old size, a proof, an empty line and a checkpoint", where)
    if len(lines) > MAX_PROOF_LINES:
        _refuse(
            f"has {len(lines)} proof lines; at most {MAX_PROOF_LINES} are read",
            f"{where}:{MAX_PROOF_LINES + 2}",
        )
    proof = parse_hashes(lines, where=where, first_line=2)
    begin = len(lines) + 3
    note = parse_note(tail.encode(), where=where, first_line=begin)
    parse_checkpoint(note.text, where=where, first_line=begin)
    old_size = parse_decimal(first.removeprefix("old "), where=f"{where}:1")
    return AddCheckpoint(old_size, proof, note)


def consider(
    body: bytes,
    logs: Mapping[str, VerifierKey],
    latest: Callable[[str], WitnessState | None],
) -> Verdict:
    """Judge a request.

    Parameters
    ----------
    body
        The request's body.
    logs
        Origin to key of each log that the witness knows.
    latest
        Returns the stored state of an origin, or nothing if none was cosigned yet.
    """
    try:
        request = parse_request(body)
    except InputError as error:
        return _refusal(400, 1, f"the request {error.what}")
    checkpoint = parse_checkpoint(request.note.text)
    key = logs.get(checkpoint.origin)
    if key is None:
        return _refusal(404, 2, f"the log {checkpoint.origin} is not known here")
    if not request.note.signed_by(key):
        return _refusal(403, 3, f"the checkpoint is not signed by the key of {key.name}")
    if request.old_size > checkpoint.size:
        return _refusal(400, 4, f"old size {request.old_size} is above {checkpoint.size}")
    seen = latest(checkpoint.origin) or NOTHING_SEEN
    return replace(_judge_growth(request, checkpoint, seen), origin=checkpoint.origin)


def _judge_growth(request: AddCheckpoint, checkpoint: Checkpoint, seen: WitnessState) -> Verdict:
    """Rules 5 to 7."""
    if request.old_size != seen.size:
        return _conflict(5, f"the last size cosigned is {seen.size}", seen)
    if checkpoint.size == seen.size and checkpoint.root != seen.root:
        return _conflict(6, f"another root was cosigned at size {seen.size}", seen)
    if not verify_consistency(
        seen.size, seen.root, checkpoint.size, checkpoint.root, request.proof
    ):
        reason = f"the proof does not lead from size {seen.size} to {checkpoint.size}"
        return _refusal(422, 7, reason)
    return Verdict(
        200,
        0,
        f"consistent from size {seen.size} to {checkpoint.size}",
        TEXT_TYPE,
        b"",
        checkpoint,
        seen,
        WitnessState(checkpoint.size, checkpoint.root),
    )


def _refusal(status: int, rule: int, reason: str) -> Verdict:
    return Verdict(status, rule, reason, TEXT_TYPE, f"{reason}\n".encode())


def _conflict(rule: int, reason: str, seen: WitnessState) -> Verdict:
    return Verdict(409, rule, reason, SIZE_TYPE, f"{seen.size}\n".encode())


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(what, where=where, next_step="Send the body that C2SP tlog-witness describes.")
