# SPDX-License-Identifier: Apache-2.0
"""Signed notes (C2SP signed-note): a text and the lines that sign it.

1. A note is UTF-8, at most 256 KiB, with no control character below U+0020 other than newline.
2. It is a text that ends with a newline, an empty line, and 1 to 32 signature lines; the last
   empty line separates the two.
3. A signature line is ``— <name> <base64>``; the name is a key name.
4. The base64 is strict and holds a 4-byte key id and at least one byte of signature.

What is parsed writes back the same bytes. Parsing says nothing about who signed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from countermark.records.errors import InputError
from countermark.signing.encoding import from_base64, to_base64
from countermark.signing.keys import Ed25519PrivateKey
from countermark.signing.vkey import COSIGNATURE_V1, ED25519, VerifierKey, is_key_name

MAX_NOTE_BYTES = 256 * 1024
MAX_SIGNATURES = 32
KEY_ID_BYTES = 4
_DASH = "\u2014 "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True)
class NoteSigner:
    """A named private key of a log or a witness."""

    name: str
    private: Ed25519PrivateKey

    @property
    def log_key(self) -> VerifierKey:
        """The public key of a log of this name."""
        return VerifierKey(self.name, ED25519, self._public)

    @property
    def witness_key(self) -> VerifierKey:
        """The public key of a witness of this name."""
        return VerifierKey(self.name, COSIGNATURE_V1, self._public)

    @property
    def _public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature line: whose, by which key, and the bytes after the key id."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {to_base64(self.key_id + self.signature)}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Tell whether the line claims to be by this key (name and key id agree)."""
        return (self.name, self.key_id) == (key.name, key.key_id)


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signature lines, in order."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def to_text(self) -> str:
        """Return the note as text."""
        return f"{self.text}\n{''.join(line.text for line in self.signatures)}"

    def to_bytes(self) -> bytes:
        """Return the note's bytes."""
        return self.to_text().encode()

    def signed_by(self, key: VerifierKey) -> bool:
        """Tell whether a log key signed the note.

        True if at least one line claims to be by the key, and every such line verifies.
        """
        lines = [line for line in self.signatures if line.is_by(key)]
        return bool(lines) and all(_verifies(line, key, self.text) for line in lines)


def sign_note(text: str, signer: NoteSigner) -> SignatureLine:
    """Return the plain Ed25519 signature line of a text that ends with a newline."""
    return SignatureLine(signer.name, signer.log_key.key_id, signer.private.sign(text.encode()))


def parse_note(data: bytes, *, where: str = "note", first_line: int = 1) -> Note:
    """Read a signed note.

    Parameters
    ----------
    data
        The note's bytes.
    where
        The file that an error should name, together with the line.
    first_line
        The line of the file at which the note begins.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    text = decode_text(data, where=where)
    body, separator, tail = text.rpartition("\n\n")
    if not separator or not body:
        _refuse("has no empty line between text and signatures", where)
    begin = first_line + body.count("\n") + 2
    lines = parse_signature_lines(tail, where=where, first_line=begin)
    if not lines:
        _refuse("has no signature", f"{where}:{begin}")
    return Note(body + "\n", lines)


def parse_signature_lines(
    text: str, *, where: str, first_line: int = 1
) -> tuple[SignatureLine, ...]:
    """Read signature lines, such as a witness answers with.

    Raises
    ------
    InputError
        If rule 2, 3 or 4 is broken.
    """
    if text and not text.endswith("\n"):
        _refuse("does not end with a newline in its last signature line", where)
    lines = text.split("\n")[:-1]
    if len(lines) > MAX_SIGNATURES:
        too_many = f"{where}:{first_line + MAX_SIGNATURES}"
        _refuse(f"has {len(lines)} signatures; at most {MAX_SIGNATURES} are read", too_many)
    return tuple(_signature_line(line, f"{where}:{n}") for n, line in enumerate(lines, first_line))


def decode_text(data: bytes, *, where: str) -> str:
    """Return the text of a note or proof (rule 1).

    Raises
    ------
    InputError
        If the rule is broken.
    """
    if len(data) > MAX_NOTE_BYTES:
        _refuse(f"is {len(data):,} bytes; at most {MAX_NOTE_BYTES:,} are read", where)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(f"is not UTF-8 (byte {error.start})", where)
    control = _CONTROL.search(text)
    if control:
        byte = len(text[: control.start()].encode())
        _refuse(f"holds the control character U+{ord(control.group()):04X} (byte {byte})", where)
    return text


def parse_decimal(text: str, *, where: str) -> int:
    """Read a size or an index: ASCII digits, no leading zero, below 2⁶³.

    Raises
    ------
    InputError
        If it is anything else.
    """
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text) or int(text) >= 2**63:
        _refuse(f"has {text[:30]!r} where a whole number should be", where)
    return int(text)


def in_canonical_order(log: str, lines: Iterable[SignatureLine]) -> tuple[SignatureLine, ...]:
    """Return signature lines with the log's first and the others sorted by name and key id."""
    return tuple(sorted(lines, key=lambda line: (line.name != log, line.name, line.key_id)))


def _signature_line(line: str, where: str) -> SignatureLine:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        _refuse(f"has a line that is not a signature: {line[:60]!r}", where)
    blob = from_base64(encoded, where=where)
    if len(blob) <= KEY_ID_BYTES:
        _refuse(f"has a signature of {name} that is too short", where)
    return SignatureLine(name, blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])


def _verifies(line: SignatureLine, key: VerifierKey, text: str) -> bool:
    return key.algorithm == ED25519 and key.verifies(line.signature, text.encode())


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(
        what, where=where, next_step="Get the file again from whoever published it; do not edit it."
    )
