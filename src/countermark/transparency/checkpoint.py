# SPDX-License-Identifier: Apache-2.0
"""Checkpoints (C2SP tlog-checkpoint): the signed head of a log.

The text is three lines: origin, size, base64 of the root.

1. The origin is a key name (not empty, no white space, no plus); the log's key has the same name.
2. The size is a decimal below 2⁶³; size 0 has the root of the empty tree.
3. The root is 32 bytes in strict base64.
4. There are no extension lines. C2SP advises against them, and no auditor could judge them.
"""

from dataclasses import dataclass
from typing import NoReturn

from countermark.records.errors import InputError, VerificationError
from countermark.signing.encoding import from_base64, to_base64
from countermark.signing.vkey import VerifierKey, is_key_name
from countermark.transparency.note import Note, NoteSigner, parse_decimal, parse_note, sign_note
from countermark.transparency.tree import EMPTY_ROOT, HASH_BYTES


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of a log at one moment."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note text that is signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


def parse_checkpoint(text: str, *, where: str = "checkpoint", first_line: int = 1) -> Checkpoint:
    """Read the text of a checkpoint; signatures are not part of it.

    Parameters
    ----------
    text
        The note's text.
    where
        The file that an error should name, together with the line.
    first_line
        The line of the file at which the text begins.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        _refuse(f"has a text of {len(lines) - 1} lines, not of exactly three lines", where)
    origin, size_text, root_text, _ = lines
    line_1, line_2, line_3 = (f"{where}:{first_line + i}" for i in range(3))
    if not is_key_name(origin):
        _refuse(f"has the origin {origin[:60]!r}, which is empty or has a space or plus", line_1)
    size = parse_decimal(size_text, where=line_2)
    root = from_base64(root_text, where=line_3)
    if len(root) != HASH_BYTES:
        _refuse(f"has a root of {len(root)} bytes, not {HASH_BYTES}", line_3)
    if size == 0 and root != EMPTY_ROOT:
        _refuse("has size 0 and a root that is not the empty tree's", line_3)
    return Checkpoint(origin, size, root)


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> Note:
    """Return the checkpoint as a note signed by the log.

    Raises
    ------
    InputError
        If the signer's name is not the origin.
    """
    if signer.name != checkpoint.origin:
        _refuse(f"has the origin {checkpoint.origin}, the key is {signer.name}'s", "checkpoint")
    return Note(checkpoint.text, (sign_note(checkpoint.text, signer),))


def open_checkpoint(data: bytes, *keys: VerifierKey, where: str = "checkpoint") -> Checkpoint:
    """Read a checkpoint and verify that one of a log's keys signed it.

    Cosignatures are not looked at, nor when a key was valid.

    Raises
    ------
    InputError
        If it is malformed.
    VerificationError
        If it has another origin than the keys' name, or none of them signed it.
    """
    note = parse_note(data, where=where)
    checkpoint = parse_checkpoint(note.text, where=where)
    if not any(checkpoint.origin == key.name and note.signed_by(key) for key in keys):
        raise VerificationError(
            f"is not signed by the log {keys[0].name if keys else checkpoint.origin}",
            where=where,
            next_step="Fetch it again; if it stays so, tell the log's operator and do not use it.",
        )
    return checkpoint


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(
        what, where=where, next_step="Fetch the checkpoint again from the log that publishes it."
    )
