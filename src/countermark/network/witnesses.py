# SPDX-License-Identifier: Apache-2.0
"""Asking peers' witnesses to cosign one's own checkpoint (C2SP tlog-witness, the client's part).

1. A witness is asked from the size it cosigned last, as far as this node remembers. If it answers
   that it is another size, that one is tried, once.
2. Of its answer only lines by the witness key that the roster lists for it count. Lines of others
   are ignored; a line that claims to be by that key and does not verify is a fault, and so is one
   whose time is more than 30 seconds ahead.
3. One witness's fault keeps nobody else from being asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from countermark.node.index import refresh
from countermark.node.node import Node
from countermark.node.ports import Witness, WitnessAnswer
from countermark.node.state import Head
from countermark.node.witnessed import collect, is_ahead
from countermark.node.witnessing import OK, own_request
from countermark.records.errors import (
    CountermarkError,
    StateError,
    VerificationError,
)
from countermark.signing.party import Party
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.cosignature import verify_cosignature
from countermark.transparency.note import (
    Note,
    SignatureLine,
    decode_text,
    parse_decimal,
    parse_signature_lines,
)
from countermark.transparency.witness import SIZE_TYPE, AddCheckpoint

SUBMITTED = "submitted"
CONFLICT, NOT_FOUND = 409, 404


@dataclass(frozen=True, slots=True)
class Submission:
    """What came of asking one witness.

    Parameters
    ----------
    code
        The witness's roster code.
    size
        Size of the checkpoint that it has cosigned; 0 where it has not.
    problem
        What went wrong, or nothing.
    """

    code: str
    size: int
    problem: CountermarkError | None


def submit(node: Node, witnesses: Mapping[str, Witness]) -> tuple[Submission, ...]:
    """Ask witnesses to cosign the own checkpoint, and prove what a quorum has then seen.

    Parameters
    ----------
    node
        Whose log it is; none of its keys is needed.
    witnesses
        Roster code to that party's witness.
    """
    submissions, offered = [], []
    if node.log.note() is None:
        return ()
    for code, witness in witnesses.items():
        try:
            note = _ask(node, code, witness)
        except CountermarkError as error:
            submissions.append(Submission(code, 0, error))
        else:
            offered.append(note.to_bytes())
            submissions.append(Submission(code, parse_checkpoint(note.text).size, None))
    if collect(node, offered):
        refresh(node)
    return tuple(submissions)


def _ask(node: Node, code: str, witness: Witness) -> Note:
    """Return the own checkpoint with the witness's verified line."""
    key = _key(node, code)
    known = node.log.note()
    has = [] if known is None else [line for line in known.signatures if line.is_by(key)]
    if known is not None and has:
        return Note(known.text, (known.signatures[0], *has))
    last = node.state.head(SUBMITTED, key.name)
    request = own_request(node, last.size if last else 0)
    answer = witness.add_checkpoint(request.to_bytes())
    if answer.status == CONFLICT and answer.content_type == SIZE_TYPE:
        request = own_request(node, _size(answer, code))
        answer = witness.add_checkpoint(request.to_bytes())
    if answer.status != OK:
        raise _refused(answer, code)
    line = _line(node, request, key, answer, code)
    checkpoint = parse_checkpoint(request.note.text)
    with node.state.locked() as heads:
        heads.keep(SUBMITTED, key.name, Head(checkpoint.size, checkpoint.root))
    return Note(request.note.text, (*request.note.signatures, line))


def _key(node: Node, code: str) -> VerifierKey:
    party: Party | None = node.roster.party(code)
    witness = party.witness_at(node.clock()) if party is not None else None
    if witness is None or code == node.code:
        raise StateError(
            "is not another party's witness by the roster",
            where=code,
            next_step="Correct [witnesses] in node.toml, or get the current roster.",
        )
    return witness.key


def _size(answer: WitnessAnswer, code: str) -> int:
    text = decode_text(answer.body, where=f"the witness of {code}")
    return parse_decimal(text.removesuffix("\n"), where=f"the witness of {code}")


def _line(
    node: Node, request: AddCheckpoint, key: VerifierKey, answer: WitnessAnswer, code: str
) -> SignatureLine:
    """Return the line by the witness's own key (rule 2)."""
    where = f"the witness of {code}"
    text = decode_text(answer.body, where=where)
    lines = [line for line in parse_signature_lines(text, where=where) if line.is_by(key)]
    if not lines:
        _distrust("answered with no cosignature of its own", where)
    for line in lines:
        cosignature = verify_cosignature(line, key, request.note.text)
        if cosignature is None:
            _distrust("answered with a cosignature that does not verify", where)
        if is_ahead(cosignature, node.clock()):
            _distrust(f"cosigned at {cosignature.time:%Y-%m-%dT%H:%M:%SZ}, which is to come", where)
    return lines[0]


def _refused(answer: WitnessAnswer, code: str) -> CountermarkError:
    said = answer.body[:200].decode("ascii", "replace").strip()
    reason = "".join(char if char.isprintable() else " " for char in said)
    what, where = f"answered {answer.status}: {reason}", f"the witness of {code}"
    if answer.status == CONFLICT:
        return VerificationError(
            what,
            where=where,
            next_step="It claims to have cosigned another state of this log. Compare what it "
            "publishes of the log with your own; if no copy of the log key is in use, tell the "
            "members.",
        )
    if answer.status == NOT_FOUND:
        return StateError(
            what,
            where=where,
            next_step="Ask its operator to get the current roster, and check the address in "
            "[witnesses] of node.toml.",
        )
    return StateError(what, where=where, next_step="Try later; if it stays so, ask its operator.")


def _distrust(what: str, where: str) -> NoReturn:
    raise VerificationError(
        what, where=where, next_step="Nothing of its answer was kept. Ask its operator why."
    )
