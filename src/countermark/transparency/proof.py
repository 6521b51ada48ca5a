# SPDX-License-Identifier: Apache-2.0
"""Proofs for offline use (C2SP tlog-proof): index, path and checkpoint in one text.

1. The first line is ``c2sp.org/tlog-proof@v1``.
2. A line ``extra <base64>`` may follow; it is authenticated by nothing.
3. A line ``index <decimal>`` follows.
4. Up to 63 lines of base64 follow, one 32-byte hash each, from the leaf's sibling up.
5. An empty line and the signed checkpoint close it.

What is parsed writes back the same bytes.
"""

from dataclasses import dataclass
from typing import NoReturn

from countermark.records.errors import InputError
from countermark.signing.encoding import from_base64, to_base64
from countermark.transparency.checkpoint import Checkpoint, parse_checkpoint
from countermark.transparency.note import Note, decode_text, parse_decimal, parse_note
from countermark.transparency.tree import HASH_BYTES

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof that something was logged.

    Parameters
    ----------
    index
        Place of the leaf in the log, from 0.
    hashes
        The inclusion proof, from the leaf's sibling up; 32 bytes each.
    note
        The signed checkpoint.
    extra
        Bytes that nothing authenticates, or nothing.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: Note
    extra: bytes | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint's contents; they are well-formed, and so far only claimed."""
        return parse_checkpoint(self.note.text)

    def to_text(self) -> str:
        """Return the proof as text."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {to_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines.extend(to_base64(value) for value in self.hashes)
        return "\n".join(lines) + "\n\n" + self.note.to_text()

    def to_bytes(self) -> bytes:
        """Return the proof's bytes."""
        return self.to_text().encode()


def parse_proof(data: bytes, *, where: str = "proof") -> TlogProof:
    """Read a proof.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken, or the checkpoint is malformed.
    """
    text = decode_text(data, where=where)
    head, separator, tail = text.partition("\n\n")
    if not separator:
        _refuse("has no empty line before the checkpoint", where)
    lines = head.split("\n")
    if lines.pop(0) != HEADER:
        _refuse(f"does not begin with {HEADER}", where)
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra "), where=where)
    if not lines or not lines[0].startswith("index "):
        _refuse("has no index line", where)
    index = parse_decimal(lines.pop(0).removeprefix("index "), where=where)
    if len(lines) > MAX_HASHES:
        _refuse(f"has {len(lines)} hashes; at most {MAX_HASHES} make sense", where)
    hashes = tuple(from_base64(line, where=where) for line in lines)
    if any(len(value) != HASH_BYTES for value in hashes):
        _refuse(f"has a hash that is not {HASH_BYTES} bytes", where)
    note = parse_note(tail.encode(), where=where)
    parse_checkpoint(note.text, where=where)
    return TlogProof(index, hashes, note, extra)


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(what, where=where, next_step="Get the statement again from its author's log.")
