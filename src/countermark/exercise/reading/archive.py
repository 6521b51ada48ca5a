# SPDX-License-Identifier: Apache-2.0
"""A zip file as hostile input, read member by member in flat memory.

1. At most ``MAX_MEMBERS`` members, of at most ``MAX_MEMBER_BYTES`` each, and together at most
   ``MAX_TOTAL_BYTES`` or ``MAX_RATIO`` times the file, by what the directory declares, before
   anything is unpacked. One that the caller has another way to read may be longer: reading it is
   refused.
2. No two members share bytes of the file: a small file may otherwise declare enormous contents.
3. Only stored, deflate and zstandard members; never more bytes out than were declared, and what
   comes out has the declared size and checksum.
4. Members are read by their place, never extracted under their own names.
5. Of members with one name the last counts, as for every reader of zip files.

The standard library's reader is not used: it knows no zstandard before Python 3.14, and holds an
object for every member.
"""

import os
import struct
import zlib
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, TypeAlias

import zstandard

from countermark.records.errors import InputError

MAX_MEMBERS = 4_000_000
MAX_MEMBER_BYTES = 128 * 1024 * 1024
MAX_TOTAL_BYTES = 4 * 1024 * 1024 * 1024
MAX_RATIO = 100
LOCAL_MAGIC = b"PK\x03\x04"
EMPTY_MAGIC = b"PK\x05\x06"
STORED, DEFLATED, ZSTANDARD = 0, 8, 93
NEXT_STEP = "Give a whole log; `inspect log recover` mends some runs that were interrupted."

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s2x3H4x3I3H8xI")
_END = struct.Struct("<4s4H2IH")
_END64_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_WINDOW = 256 * 1024
_MOST_COMMENT = 0xFFFF
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_NEWEST_VERSION = 63
_ENCRYPTED, _UTF8 = 1, 1 << 11
_HEADROOM = _LOCAL.size + 64
_FEW = 100_000


_Row: TypeAlias = tuple[int, bytes, int, int, int, int, int, int, int, int]


class Member(NamedTuple):
    """One entry of the directory, the ``place``-th; ``offset`` is where its local header begins."""

    place: int
    name: bytes
    version: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    extra: int

    @property
    def label(self) -> str:
        """The name as text, to be shown and never to be opened."""
        return self.name.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Directory:
    """Where a file's directory lies, and what was found in it.

    Parameters
    ----------
    identity
        Which file it is, as the system tells: device, number, size and time of change.
    start, length
        Its place, in bytes.
    starts
        Where members begin, ascending.
    superseded
        The places of members that a later one of the same name replaces.
    kept
        The members that were asked for, by name.
    """

    identity: tuple[int, int, int, int]
    start: int
    length: int
    starts: "array[int]" = field(default_factory=lambda: array("Q"))
    superseded: set[int] = field(default_factory=set)
    kept: dict[bytes, Member] = field(default_factory=dict)


class Archive:
    """A zip file whose directory obeys rules 1 and 2; a context manager.

    Parameters
    ----------
    path
        The file.
    keep
        Which members the directory's ``kept`` holds, by their names.
    known
        The directory of the file as it was opened before; it is not checked again if the file is
        still the same.
    spare
        The names of members that may be too long to be read.

    Raises
    ------
    InputError
        If it cannot be opened, is no whole zip file, or breaks a rule.
    """

    def __init__(
        self,
        path: Path,
        keep: Callable[[bytes], bool] = lambda _: False,
        known: "Directory | None" = None,
        spare: frozenset[bytes] = frozenset(),
    ) -> None:
        self._spare = spare
        self.where = str(path)
        try:
            self._file = path.open("rb", buffering=_WINDOW)
        except OSError as error:
            raise InputError(
                f"cannot be read: {error.strerror}",
                where=self.where,
                next_step="Give the path of a log.",
            ) from error
        self._unpacker = zstandard.ZstdDecompressor()
        try:
            told = os.fstat(self._file.fileno())
            self._size = told.st_size
            identity = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns)
            if known is not None and known.identity == identity:
                self.directory = known
            else:
                start, length, count = self._find_directory()
                self.directory = Directory(identity, start, length)
                self._check(count, keep)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def members(self) -> Iterator[Member]:
        """Yield the members that count, in the order of the directory."""
        superseded = self.directory.superseded
        if not superseded:
            return self._entries()
        return (one for one in self._entries() if one.place not in superseded)

    def read(self, member: Member) -> bytes:
        """Return what a member holds.

        Raises
        ------
        InputError
            If rule 3 is broken; it names the member.
        """
        # Taken apart at once: a field of a named tuple costs more than a plain name.
        _, name, _, flags, _, crc, length, size, offset, extra = member
        if size > MAX_MEMBER_BYTES:
            self._refuse(f"is {size:,} bytes; at most {MAX_MEMBER_BYTES:,} are read", member)
        if flags & _ENCRYPTED:
            self._refuse("is encrypted", member)
        data = self._at(offset, _HEADROOM + len(name) + extra + length)
        body = self._body(data, member)
        self._check_room(body, member)
        if body + length > len(data):
            data = self._at(offset, body + length)
        packed = memoryview(data)[body : body + length]
        try:
            contents = self._unpack(packed, member)
        except (zlib.error, zstandard.ZstdError) as error:
            self._refuse(f"is damaged ({error})", member)
        if len(contents) != size or zlib.crc32(contents) != crc:
            self._refuse("is damaged: it is not what the log's directory says", member)
        return contents

    def _unpack(self, packed: memoryview, member: Member) -> bytes:
        limit = member.size + 1
        if member.method not in {STORED, DEFLATED, ZSTANDARD}:
            what = f"is packed by a method this version does not read ({member.method})"
            self._refuse(what, member)
        if member.method == STORED:
            return bytes(packed[:limit])
        if member.method == DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, limit)
        with self._unpacker.stream_reader(packed, read_across_frames=True) as reader:
            return _up_to(reader, limit)

    def _find_directory(self) -> tuple[int, int, int]:
        tail = min(self._size, _END.size + _MOST_COMMENT)
        data = self._at(self._size - tail, tail)
        place = data.rfind(EMPTY_MAGIC)
        if place < 0 or len(data) - place < _END.size:
            self._refuse("is a truncated or damaged log (a zip without its directory)")
        _, disk, first, _, count, length, start, _ = _END.unpack_from(data, place)
        end = self._size - tail + place
        if _FULL16 in {disk, first, count} or _FULL32 in {length, start}:
            end, count, length, start = self._find_directory64(end, count, length, start)
        elif disk or first:
            self._refuse("is a truncated or damaged log (a zip in several parts)")
        if start + length > end:
            self._refuse("is a truncated or damaged log (its directory is not whole)")
        return start, length, count

    def _find_directory64(
        self, end: int, count: int, length: int, start: int
    ) -> tuple[int, int, int, int]:
        place = end - _END64_LOCATOR.size
        data = self._at(place, _END64_LOCATOR.size) if place >= 0 else b""
        if not data.startswith(b"PK\x06\x07"):
            return end, count, length, start  # exactly as many as the small form can just hold
        end64 = _END64_LOCATOR.unpack(data)[2]
        data = self._at(end64, _END64.size)
        if len(data) < _END64.size or not data.startswith(b"PK\x06\x06"):
            self._refuse("is a truncated or damaged log (its directory is not whole)")
        _, _, _, _, _, _, _, count, length, start = _END64.unpack(data)
        return end64, count, length, start

    def _entries(self) -> Iterator[Member]:
        return map(Member._make, self._rows())

    def _rows(self) -> Iterator[_Row]:
        """Yield the fields of :class:`Member` for each entry of the directory."""
        position, place = self.directory.start, 0
        end = position + self.directory.length
        # Bound once, as in ``_check``: a long log has a million entries.
        unpack, fixed = _CENTRAL.unpack_from, _CENTRAL.size
        while position < end:
            window = self._at(position, min(_WINDOW, end - position))
            cursor, most = 0, len(window)
            while most - cursor >= fixed:
                magic, version, flags, method, crc, packed, size, names, extra, note, offset = (
                    unpack(window, cursor)
                )
                start = cursor + fixed
                after = start + names + extra + note
                if magic != b"PK\x01\x02" or version > _NEWEST_VERSION:
                    self._refuse_entry()
                if after > most:
                    break
                name = window[start : start + names]
                if _FULL32 in (packed, size, offset):
                    field = window[start + names : start + names + extra]
                    size, packed, offset = self._large(field, size, packed, offset)
                yield place, name, version, flags, method, crc, packed, size, offset, extra
                cursor, place = after, place + 1
            if cursor == 0:
                self._refuse("is a truncated or damaged log (its directory is not whole)")
            position += cursor

    def _large(self, extra: bytes, *values: int) -> tuple[int, ...]:
        """Return size, packed size and offset, each from the extra field where it is too large."""
        wanted = sum(value == _FULL32 for value in values)
        sizes, cursor = b"", 0
        while cursor + 4 <= len(extra) and not sizes:
            kind, length = struct.unpack_from("<2H", extra, cursor)
            sizes = extra[cursor + 4 : cursor + 4 + length] if kind == 1 else b""
            cursor += 4 + length
        if len(sizes) < 8 * wanted:
            self._refuse_entry()
        large = iter(struct.unpack_from(f"<{wanted}Q", sizes))
        return tuple(next(large) if value == _FULL32 else value for value in values)

    def _check(self, count: int, keep: Callable[[bytes], bool]) -> None:
        """Hold the directory to rules 1 and 2, and find what rule 5 leaves out."""
        if count > MAX_MEMBERS:
            self._refuse(f"has {count:,} members; at most {MAX_MEMBERS:,} are read")
        total, limit, header = 0, self.directory.start, _LOCAL.size
        starts, names = self.directory.starts, array("q")
        before, ordered = 0, True
        for row in self._rows():
            _, name, _, _, _, _, packed, size, offset, _ = row
            total += size
            if size > MAX_MEMBER_BYTES and name not in self._spare:
                most = f"{size:,} bytes; at most {MAX_MEMBER_BYTES:,} are read"
                self._refuse(f"declares a member of {most}", Member._make(row))
            end = offset + header + len(name) + packed
            if end > limit:
                self._refuse(f"is truncated or damaged at {Member._make(row).label!r}")
            ordered &= before <= offset
            before = end
            starts.append(offset)
            names.append(hash(name))
            if keep(name):
                self.directory.kept[name] = Member._make(row)
        found = len(starts)
        if found > MAX_MEMBERS:
            self._refuse(f"has {found:,} members; at most {MAX_MEMBERS:,} are read")
        if found != count and found % (_FULL16 + 1) != count:
            self._refuse(f"has {found:,} members where its directory says {count:,}")
        if total > max(MAX_TOTAL_BYTES, MAX_RATIO * self._size):
            self._refuse(f"declares {total:,} bytes unpacked from {self._size:,}")
        if not ordered:
            starts[:] = array("Q", sorted(starts))
            self._check_order()
        repeated = _repeated(names)
        if repeated:
            self.directory.superseded.update(self._replaced(repeated))

    def _check_order(self) -> None:
        spans = sorted((one.offset, one) for one in self._entries())
        for (start, before), (after, one) in pairwise(spans):
            if start + _LOCAL.size + len(before.name) + before.packed > after:
                self._refuse(f"has members that overlap at {one.label!r}")

    def _replaced(self, hashes: set[int]) -> set[int]:
        last: dict[bytes, int] = {}
        replaced = set()
        for one in self._entries():
            if hash(one.name) in hashes:
                if one.name in last:
                    replaced.add(last[one.name])
                last[one.name] = one.place
        return replaced

    def _check_room(self, body: int, one: Member) -> None:
        """See that a member ends before the next begins, by its own header too."""
        starts = self.directory.starts
        after = bisect_right(starts, one.offset)
        end = starts[after] if after < len(starts) else self.directory.start
        if one.offset + body + one.packed > end:
            self._refuse(f"has members that overlap at {one.label!r}")

    def _body(self, data: bytes, one: Member) -> int:
        """Return how far after its local header a member's packed bytes begin."""
        if len(data) < _LOCAL.size or data[:4] != LOCAL_MAGIC:
            self._refuse(f"is damaged at {one.label!r}")
        return (
            _LOCAL.size
            + int.from_bytes(data[26:28], "little")
            + int.from_bytes(data[28:30], "little")
        )

    def _at(self, offset: int, length: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(length)
        except (OSError, ValueError, OverflowError) as error:
            raise InputError(
                f"cannot be read at byte {offset:,}: {error}",
                where=self.where,
                next_step=NEXT_STEP,
            ) from error

    def _refuse_entry(self) -> NoReturn:
        self._refuse("is a truncated or damaged log (an entry of its directory is unreadable)")

    def _refuse(self, what: str, member: Member | None = None) -> NoReturn:
        where = f"{self.where}:{member.label}" if member else self.where
        raise InputError(what, where=where, next_step=NEXT_STEP)


def _repeated(hashes: "array[int]") -> set[int]:
    """Return the values that come more than once, in a few bytes for each value."""
    found: set[int] = set()
    parts = 1 + len(hashes) // _FEW
    for part in range(parts):
        each = Counter(value for value in hashes if value % parts == part)
        found.update(value for value, count in each.items() if count > 1)
    return found


def _up_to(reader: Any, limit: int) -> bytes:
    part: bytes = reader.read(limit)
    if len(part) >= limit - 1:
        return part  # as long as was declared, or longer; else the rest is asked for
    parts, size = [part], len(part)
    while size < limit and (part := reader.read(limit - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
