# SPDX-License-Identifier: Apache-2.0
"""Evidence that a log signed two trees that cannot both be: a file that anyone can check.

The file is canonical JSON of a closed object and one newline; it has one byte form::

    {"first":"…","format":"countermark-equivocation","hashes":["…"],"origin":"…","second":"…",
     "version":1}

``first`` and ``second`` are checkpoint notes of one origin, each with the log's own signature line
and no other. ``first`` is the one of the smaller size, or at equal sizes of the smaller root.

At equal sizes the two roots differ, and that says it all; there are no hashes. At different sizes
``hashes`` are those of subtrees that split the larger tree: the subtrees of its consistency proof
from the smaller size, in that order, and before them always the one that ends at the smaller size.
From all of them follows the root of the larger tree, which must be the signed one. From those below
the smaller size follows the root of the larger tree's first leaves, which must not be the signed
one. Because nobody can find two inputs of SHA-256 with one output, the larger root stands for these
hashes and no others, so the larger tree does not begin with the smaller. An honest log only grows.

:func:`verify_equivocation` judges a file by these rules:

1. **Form.** It parses and is the one byte form.
2. **Signatures.** Each checkpoint is signed by a key that the roster lists, for now or for earlier,
   for the log of that origin. (Rotating its key does not make a log another log.) A revoked key
   does not count: whoever stole it could accuse an honest log.
3. **Conflict.** The checkpoints cannot be of one log that only grew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from countermark.records.canonical import JsonValue, canonical, read_object
from countermark.records.errors import InputError, StorageError, VerificationError
from countermark.signing.encoding import from_base64, to_base64
from countermark.signing.roster import Roster
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import Checkpoint, parse_checkpoint
from countermark.transparency.note import Note, parse_note
from countermark.transparency.tiles import TileReader, subtree_hashes
from countermark.transparency.tree import (
    HASH_BYTES,
    Range,
    consistency_ranges,
    node_hash,
    split_point,
)
from countermark.transparency.verify import Check

FORMAT = "countermark-equivocation"
VERSION = 1
MAX_BYTES = 1024 * 1024
TITLES = {
    1: "The file is whole and in its one form",
    2: "The log's own key signed both checkpoints",
    3: "No log that only grows can have both",
}
"""A short title of each rule, for people."""


@dataclass(frozen=True, slots=True)
class Equivocation:
    """Two checkpoints of one log, and the hashes that show that they conflict.

    Having one says nothing about whether it is true; see :func:`verify_equivocation`.
    """

    first: Note
    second: Note
    hashes: tuple[bytes, ...] = ()

    @property
    def checkpoints(self) -> tuple[Checkpoint, Checkpoint]:
        """What the two notes say."""
        return parse_checkpoint(self.first.text), parse_checkpoint(self.second.text)

    @property
    def origin(self) -> str:
        """The log."""
        return parse_checkpoint(self.first.text).origin

    @property
    def file_name(self) -> str:
        """A name for the file that says which log, and at which size it differs."""
        slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in self.origin)[:100]
        return f"equivocation-{slug}-{self.checkpoints[0].size}.json"

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str = "evidence") -> "Equivocation":
        """Read an evidence file (rule 1).

        Raises
        ------
        InputError
            If it is not the one byte form of one.
        """
        value = read_object(data, where=where, max_bytes=MAX_BYTES)
        found = cls.from_value(value, where=where)
        if found.to_bytes() != data:
            _refuse("is not in the one canonical byte form", where)
        return found

    @classmethod
    def from_value(cls, value: Mapping[str, JsonValue], *, where: str) -> "Equivocation":
        """Make one of a JSON object; see :meth:`from_bytes`."""
        if set(value) != {"format", "version", "origin", "first", "second", "hashes"}:
            _refuse("does not have exactly format, version, origin, first, second, hashes", where)
        if value["format"] != FORMAT or value["version"] != VERSION:
            _refuse(f"is not a {FORMAT} of version {VERSION}", where)
        first, second, hashes = value["first"], value["second"], value["hashes"]
        if not isinstance(first, str) or not isinstance(second, str):
            _refuse("has a checkpoint that is not text", where)
        if not isinstance(hashes, list):
            _refuse("has hashes that are not a list", where)
        found = cls(
            _bare_note(first, f"{where} first"),
            _bare_note(second, f"{where} second"),
            tuple(_hash(text, where) for text in hashes),
        )
        one, other = found.checkpoints
        if {one.origin, other.origin} != {value["origin"]}:
            _refuse("has checkpoints of another origin than it says", where)
        if (one.size, one.root) > (other.size, other.root):
            _refuse("has its checkpoints in the wrong order", where)
        return found

    def to_value(self) -> dict[str, JsonValue]:
        """Return the file's object."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "origin": self.origin,
            "first": self.first.to_text(),
            "second": self.second.to_text(),
            "hashes": [to_base64(value) for value in self.hashes],
        }

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        return canonical(self.to_value()) + b"\n"


def find_equivocation(
    one: Note,
    other: Note,
    keys: Sequence[VerifierKey],
    *readers: TileReader,
    hashes: Sequence[bytes] = (),
) -> Equivocation | None:
    """Return the evidence that two checkpoints of a log conflict, if they do and it can be shown.

    Parameters
    ----------
    one, other
        Notes, in any order, with any lines beside the log's own.
    keys
        The log's keys.
    readers
        Where tiles of the larger tree may be, for checkpoints of different sizes. They are not
        trusted.
    hashes
        A consistency proof that the log gave from the smaller size to the larger. It shows a fork
        if it gives the larger root and not the smaller. (From a size that is a power of two it
        never does: such a proof leaves out the subtree that the smaller tree should be.)
    """
    notes = [bare for note in (one, other) if (bare := _by_log(note, keys)) is not None]
    if len(notes) < 2 or len({parse_checkpoint(note.text).origin for note in notes}) > 1:
        return None
    first, second = sorted(notes, key=_order)
    small, large = parse_checkpoint(first.text), parse_checkpoint(second.text)
    if small.size == large.size:
        return Equivocation(first, second) if small.root != large.root else None
    if small.size == 0:
        return None
    offers = [tuple(hashes), *(_subtrees(read, small.size, large.size) for read in readers)]
    found = (Equivocation(first, second, offer) for offer in offers if offer)
    return next((one for one in found if _conflict_problem(one) is None), None)


def _subtrees(reader: TileReader, small: int, large: int) -> tuple[bytes, ...]:
    try:
        return subtree_hashes(reader, large, _ranges(small, large))
    except (StorageError, VerificationError, InputError):
        return ()  # whoever holds these tiles cannot show it


def verify_equivocation(data: bytes, roster: Roster) -> tuple[Check, ...]:
    """Check an evidence file against a roster.

    Returns
    -------
    tuple[Check, ...]
        One for each rule, in order; never an exception, whatever the bytes. If all are ok, whoever
        holds the log's key has signed two trees that cannot both be.
    """
    try:
        found = Equivocation.from_bytes(data)
    except (InputError, VerificationError) as error:
        skipped = "not reached: the file could not be read"
        return (
            Check(1, TITLES[1], ok=False, detail=f"the file {error.what}"),
            *(
                Check(rule, TITLES[rule], ok=False, detail=skipped, reached=False)
                for rule in (2, 3)
            ),
        )
    small, large = found.checkpoints
    signers = _signature_problem(found, roster)
    conflict = _conflict_problem(found)
    party = roster.by_origin(found.origin)
    fine = {
        1: f"{len(data):,} bytes, canonical",
        2: f"both are signed by the log {found.origin} of {party.name if party else 'nobody'}",
        3: f"it signed two different trees of {small.size} leaves"
        if small.size == large.size
        else f"its tree of {large.size} leaves does not begin with its tree of {small.size}",
    }
    problems = {1: None, 2: signers, 3: conflict}
    return tuple(
        Check(rule, title, ok=problems[rule] is None, detail=problems[rule] or fine[rule])
        for rule, title in TITLES.items()
    )


def _signature_problem(found: Equivocation, roster: Roster) -> str | None:
    """Rule 2."""
    party = roster.by_origin(found.origin)
    if party is None:
        return f"the roster lists no log {found.origin}"
    for name, note in (("first", found.first), ("second", found.second)):
        if any(note.signed_by(key) for key in party.honest_log_keys):
            continue
        if any(note.signed_by(key) for key in party.log_keys):
            return f"the {name} checkpoint is signed by a key that was revoked: a thief may have"
        return f"the {name} checkpoint is not signed by a key of {found.origin}"
    return None


def _conflict_problem(found: Equivocation) -> str | None:
    """Rule 3."""
    small, large = found.checkpoints
    if small.size == large.size:
        if found.hashes:
            return "there are hashes, and none are needed at equal sizes"
        return "the two checkpoints are the same" if small.root == large.root else None
    return _growth_problem(found, small, large)


def _growth_problem(found: Equivocation, small: Checkpoint, large: Checkpoint) -> str | None:
    """Rule 3 for two sizes."""
    if small.size == 0:
        return "every log begins with no leaves"
    ranges = _ranges(small.size, large.size)
    if len(ranges) != len(found.hashes):
        return f"there are {len(found.hashes)} hashes where there should be {len(ranges)}"
    known = dict(zip(ranges, found.hashes, strict=True))
    if _root(known, 0, large.size) != large.root:
        return "the hashes do not give the root of the larger checkpoint"
    if _root(known, 0, small.size) == small.root:
        return "the larger tree begins with the smaller, as it should"
    return None


def _ranges(small: int, large: int) -> list[Range]:
    ranges = consistency_ranges(small, large)
    # A consistency proof leaves out a leading subtree whose root is the smaller root itself.
    return ranges if any(end == small for _, end in ranges) else [(0, small), *ranges]


def _root(known: Mapping[Range, bytes], start: int, end: int) -> bytes:
    if (start, end) in known:
        return known[start, end]
    middle = start + split_point(end - start)
    return node_hash(_root(known, start, middle), _root(known, middle, end))


def _order(note: Note) -> tuple[int, bytes]:
    checkpoint = parse_checkpoint(note.text)
    return checkpoint.size, checkpoint.root


def _by_log(note: Note, keys: Sequence[VerifierKey]) -> Note | None:
    """Return a note with the log's own line alone, or nothing if the log did not sign it."""
    for line in note.signatures:
        bare = Note(note.text, (line,))
        if any(line.is_by(key) and bare.signed_by(key) for key in keys):
            return bare
    return None


def _bare_note(text: str, where: str) -> Note:
    note = parse_note(text.encode(), where=where)
    parse_checkpoint(note.text, where=where)
    if len(note.signatures) != 1:
        _refuse("has more than the log's own signature line", where)
    return note


def _hash(text: JsonValue, where: str) -> bytes:
    value = from_base64(text, where=where) if isinstance(text, str) else b""
    if len(value) != HASH_BYTES:
        _refuse(f"has a hash that is not {HASH_BYTES} bytes in base64", where)
    return value


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(
        what, where=where, next_step="Get the file again from whoever made it; do not edit it."
    )
