# SPDX-License-Identifier: Apache-2.0
"""Proofs for offline use (C2SP tlog-proof): index, path and checkpoint in one text.

1. The first line is ``c2sp.org/tlog-proof@v1``.
2. A line ``extra <base64>`` may follow; it is authenticated by nothing.
3. A line ``index <decimal>`` follows.
4. Up to 63 lines of base64 follow, one 32-byte hash each, from the leaf's sibling up.
5. An empty line and the signed checkpoint close it.

What is parsed writes back the same bytes.
"""

from collections.abc import Sequence
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
    total = len(lines)
    if lines.pop(0) != HEADER:
        _refuse(f"does not begin with {HEADER}", f"{where}:1")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra "), where=f"{where}:2")
    line = f"{where}:{total - len(lines) + 1}"
    if not lines or not lines[0].startswith("index "):
        _refuse("has no index line", line)
    index = parse_decimal(lines.pop(0).removeprefix("index "), where=line)
    if len(lines) > MAX_HASHES:
        line = f"{where}:{total - len(lines) + 1 + MAX_HASHES}"
        _refuse(f"has {len(lines)} hashes; at most {MAX_HASHES} make sense", line)
    hashes = parse_hashes(lines, where=where, first_line=total - len(lines) + 1)
    note = parse_note(tail.encode(), where=where, first_line=total + 2)
    parse_checkpoint(note.text, where=where, first_line=total + 2)
    return TlogProof(index, hashes, note, extra)


def parse_hashes(lines: Sequence[str], *, where: str, first_line: int) -> tuple[bytes, ...]:
    """Read lines of base64 that hold one hash each; an error names the line.

    Raises
    ------
    InputError
        If a line is not strict base64 of 32 bytes.
    """
    hashes = []
    for number, line in enumerate(lines, first_line):
        value = from_base64(line, where=f"{where}:{number}")
        if len(value) != HASH_BYTES:
            _refuse(f"has a hash of {len(value)} bytes, not {HASH_BYTES}", f"{where}:{number}")
        hashes.append(value)
    return tuple(hashes)


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(what, where=where, next_step="Get the statement again from its author's log.")
