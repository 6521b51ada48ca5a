# SPDX-License-Identifier: Apache-2.0
"""Taking one statement out of a node, with what proves it to anybody offline."""

from countermark.node.book import Entry
from countermark.node.index import book, statement_file
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError


def proved_statement(node: Node, which: str, author: str, *, bare: bool) -> bytes:
    """Return the file of one of the statements that a node holds.

    Parameters
    ----------
    node
        The node; none of its keys is needed.
    which
        The statement's number in the log of ``author``, or the content address of its record or
        envelope, in whichever log it is.
    author
        Roster code.
    bare
        Return the proof alone, as C2SP tlog-proof.

    Raises
    ------
    InputError
        If the node holds no such statement.
    StateError
        If no quorum has cosigned it yet.
    """
    entry = _find(node, which, author)
    data = node.log_of(entry.author).proof(entry.index) if bare else statement_file(node, entry)
    if data is None:
        raise StateError(
            "has not been cosigned by a quorum of witnesses yet, so nothing proves it",
            where=f"statement {entry.index} of {entry.author}",
            next_step="Wait for the witnesses and run countermark sync pull, or carry a request "
            "to them: countermark log prove --for-witness.",
        )
    return data


def _find(node: Node, which: str, author: str) -> Entry:
    by_number = which.isascii() and which.isdecimal()
    for entry in book(node).entries:
        if by_number and (entry.author, str(entry.index)) == (author, which):
            return entry
        if which in {entry.digest, entry.envelope}:
            return entry
    raise InputError(
        f"holds no statement {which[:80]}" + (f" of {author}" if by_number else ""),
        where=node.code,
        next_step="countermark node status shows how long each log is; a digest is sha256: and "
        "64 hex digits.",
    )
