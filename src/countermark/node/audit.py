# SPDX-License-Identifier: Apache-2.0
"""Reading a node's whole log again.

1. The checkpoint is signed by the rostered log key, and a quorum has cosigned it.
2. Every tile is what the entries give, and they give the checkpoint's root.
3. Every leaf names an envelope that is here, and is that envelope's leaf.
4. Every leaf has a kept proof, and the statement verifies with it by all rules.
5. The proof's checkpoint is of this same tree when it was smaller: the log was never forked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from countermark.node.log import CHECKPOINT, LogFolder
from countermark.node.node import Node
from countermark.node.state import Head
from countermark.node.witnessed import quorum_of
from countermark.records.canonical import read_object
from countermark.records.errors import CountermarkError, StateError
from countermark.transparency.proof import parse_proof
from countermark.transparency.statement import StatementFile, leaf_of
from countermark.transparency.tiles import audit, read_entries
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
    """

    origin: str
    size: int
    statements: int
    witnesses: tuple[str, ...]
    problems: tuple[str, ...]


def audit_node(node: Node) -> Report:
    """Audit a node's own log; needs none of its keys.

    Raises
    ------
    StateError
        If the node has no log in the roster, or nothing was logged.
    """
    party = node.roster.party(node.code)
    if party is None or party.origin is None or node.log.read(CHECKPOINT) is None:
        raise StateError(
            "has no log that the roster lists",
            where=str(node.folder.root),
            next_step="Log something first, or get the current roster.",
        )
    try:
        head, note = node.log.head(*party.log_keys), node.log.note()
    except CountermarkError as error:
        return Report(party.origin, 0, 0, (), (f"checkpoint: {error}",))
    assert note is not None  # noqa: S101  it was read above
    quorum = quorum_of(note, node.roster)
    problems = [] if quorum.met else ["checkpoint: no quorum of witnesses has cosigned it"]
    tiles = audit(node.log.read, head.size, head.root)
    problems += list(tiles.problems)
    verified = 0
    if tiles.ok:
        for problem in _statements(node, node.log, head):
            if problem is None:
                verified += 1
            else:
                problems.append(problem)
    return Report(party.origin, head.size, verified, quorum.counted, tuple(problems))


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
