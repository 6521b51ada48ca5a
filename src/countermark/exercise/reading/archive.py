# SPDX-License-Identifier: Apache-2.0
"""A zip file as hostile input, read member by member in flat memory.

1. At most ``MAX_MEMBERS`` members, of at most ``MAX_MEMBER_BYTES`` each, and together at most
   ``MAX_TOTAL_BYTES`` or ``MAX_RATIO`` times the file, by what the directory declares, before
   anything is unpacked.
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
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

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
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_WINDOW = 256 * 1024
_MOST_COMMENT = 0xFFFF
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_NEWEST_VERSION = 63
_ENCRYPTED, _UTF8 = 1, 1 << 11
_SPARE = 64


class Member(NamedTuple):
    """One entry of the directory; ``offset`` is where its local header begins."""

    index: int
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


class Archive:
    """A zip file whose directory obeys rules 1 and 2; a context manager.

    Parameters
    ----------
    path
        The file.
    keep
        Which members :attr:`kept` holds, by their names.
    known
        The same file opened before; its directory is not checked again if the file is the same.

    Raises
    ------
    InputError
        If it cannot be opened, is no whole zip file, or breaks a rule.
    """

    def __init__(
        self,
        path: Path,
        keep: Callable[[bytes], bool] = lambda _: False,
        known: "Archive | None" = None,
    ) -> None:
        self.where = str(path)
        self.kept: dict[bytes, Member] = {}
        try:
            self._file = path.open("rb", buffering=0)
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
            self._identity = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns)
            self._superseded: frozenset[int] = frozenset()
            if known is not None and known._identity == self._identity:
                self._start, self._length = known._start, known._length
                self._superseded, self.kept = known._superseded, known.kept
            else:
                self._start, self._length, count = self._find_directory()
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

    @property
    def superseded(self) -> int:
        """How many members a later one of the same name replaces."""
        return len(self._superseded)

    def members(self) -> Iterator[Member]:
        """Yield the members that count, in the order of the directory."""
        if not self._superseded:
            return self._entries()
        return (one for one in self._entries() if one.index not in self._superseded)

    def read(self, member: Member) -> bytes:
        """Return what a member holds.

        Raises
        ------
        InputError
            If rule 3 is broken; it names the member.
        """
        if member.flags & _ENCRYPTED:
            self._refuse("is encrypted", member)
        guess = _LOCAL.size + len(member.name) + member.extra + _SPARE
        data = self._at(member.offset, guess + member.packed)
        body = self._body(data, member)
        if body + member.packed > len(data):
            data = self._at(member.offset, body + member.packed)
        packed = memoryview(data)[body : body + member.packed]
        try:
            contents = self._unpack(packed, member)
        except (zlib.error, zstandard.ZstdError) as error:
            self._refuse(f"is damaged ({error})", member)
        if len(contents) != member.size or zlib.crc32(contents) != member.crc:
            self._refuse("is damaged: it is not what the log's directory says", member)
        return contents

    def _unpack(self, packed: memoryview, member: Member) -> bytes:
        limit = member.size + 1
        if member.method == STORED:
            return bytes(packed[:limit])
        if member.method == DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, limit)
        if member.method == ZSTANDARD:
            with self._unpacker.stream_reader(packed, read_across_frames=True) as reader:
                return _up_to(reader, limit)
        self._refuse(f"is packed by a method this version does not read ({member.method})", member)

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
        position, end, index = self._start, self._start + self._length, 0
        while position < end:
            window = self._at(position, min(_WINDOW, end - position))
            cursor = 0
            while len(window) - cursor >= _CENTRAL.size:
                one, length = self._entry(window, cursor, index)
                if one is None:
                    break
                yield one
                cursor, index = cursor + length, index + 1
            if cursor == 0:
                self._refuse("is a truncated or damaged log (its directory is not whole)")
            position += cursor

    def _entry(self, window: bytes, cursor: int, index: int) -> tuple[Member | None, int]:
        (magic, _, version, flags, method, _, _, crc, packed, size, names, extras, notes, *rest) = (
            _CENTRAL.unpack_from(window, cursor)
        )
        if magic != b"PK\x01\x02" or version > _NEWEST_VERSION:
            self._refuse("is a truncated or damaged log (an entry of its directory is unreadable)")
        length = _CENTRAL.size + names + extras + notes
        if cursor + length > len(window):
            return None, length
        start, offset = cursor + _CENTRAL.size, rest[-1]
        name = window[start : start + names]
        if _FULL32 in {packed, size, offset}:
            extra = window[start + names : start + names + extras]
            size, packed, offset = self._large(extra, size, packed, offset)
        return Member(
            index, name, version, flags, method, crc, packed, size, offset, extras
        ), length

    def _large(self, extra: bytes, *values: int) -> tuple[int, ...]:
        """Return size, packed size and offset, each from the extra field where it is too large."""
        cursor = 0
        while cursor + 4 <= len(extra):
            kind, length = struct.unpack_from("<2H", extra, cursor)
            if kind == 1:
                wanted = sum(value == _FULL32 for value in values)
                field = extra[cursor + 4 : cursor + 4 + length]
                if len(field) < 8 * wanted:
                    break
                large = iter(struct.unpack_from(f"<{wanted}Q", field))
                return tuple(next(large) if value == _FULL32 else value for value in values)
            cursor += 4 + length
        self._refuse("is a truncated or damaged log (an entry of its directory is unreadable)")

    def _check(self, count: int, keep: Callable[[bytes], bool]) -> None:
        """Hold the directory to rules 1 and 2, and find what rule 5 leaves out."""
        if count > MAX_MEMBERS:
            self._refuse(f"has {count:,} members; at most {MAX_MEMBERS:,} are read")
        total, found, before, ascending = 0, 0, 0, True
        doubtful = _Doubtful(count)
        for one in self._entries():
            found, total = found + 1, total + one.size
            if one.size > MAX_MEMBER_BYTES:
                size = f"{one.size:,} bytes; at most {MAX_MEMBER_BYTES:,} are read"
                self._refuse(f"declares a member of {size}", one)
            start, end = self._span(one)
            ascending = ascending and start >= before
            before = end
            doubtful.add(one.name)
            if keep(one.name):
                self.kept[one.name] = one
        if found != count and found % (_FULL16 + 1) != count:
            self._refuse(f"has {found:,} members where its directory says {count:,}")
        if found > MAX_MEMBERS:
            self._refuse(f"has {found:,} members; at most {MAX_MEMBERS:,} are read")
        if total > max(MAX_TOTAL_BYTES, MAX_RATIO * self._size):
            self._refuse(f"declares {total:,} bytes unpacked from {self._size:,}")
        if not ascending:
            self._check_order()
        if doubtful.names:
            self._superseded = self._replaced(doubtful.names)

    def _check_order(self) -> None:
        spans = sorted((*self._span(one), one) for one in self._entries())
        for (_, end, _), (start, _, one) in zip(spans, spans[1:], strict=False):
            if start < end:
                self._refuse(f"has members that overlap at {one.label!r}")

    def _replaced(self, names: set[bytes]) -> frozenset[int]:
        last: dict[bytes, int] = {}
        replaced = set()
        for one in self._entries():
            if one.name in names:
                if one.name in last:
                    replaced.add(last[one.name])
                last[one.name] = one.index
        return frozenset(replaced)

    def _span(self, one: Member) -> tuple[int, int]:
        body = self._body(self._at(one.offset, _LOCAL.size), one)
        end = one.offset + body + one.packed
        if end > self._start:
            self._refuse(f"is truncated or damaged at {one.label!r}")
        return one.offset, end

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
            return self._file.read(length) or b""
        except (OSError, ValueError, OverflowError) as error:
            raise InputError(
                f"cannot be read at byte {offset:,}: {error}",
                where=self.where,
                next_step=NEXT_STEP,
            ) from error

    def _refuse(self, what: str, member: Member | None = None) -> NoReturn:
        where = f"{self.where}:{member.label}" if member else self.where
        raise InputError(what, where=where, next_step=NEXT_STEP)


class _Doubtful:
    """Names that may have come before, told in two bytes a name; :attr:`names` holds every repeat.

    A name is marked by one bit of a table of sixteen bits a name, so about one of twenty names is
    doubtful without being a repeat; a second look at the directory tells.
    """

    def __init__(self, count: int) -> None:
        self._bits = bytearray(2 * min(count, MAX_MEMBERS) + 64)
        self.names: set[bytes] = set()

    def add(self, name: bytes) -> None:
        place, bit = divmod(hash(name) % (8 * len(self._bits)), 8)
        if self._bits[place] >> bit & 1:
            self.names.add(name)
        else:
            self._bits[place] |= 1 << bit


def _up_to(reader: Any, limit: int) -> bytes:
    part: bytes = reader.read(limit)
    if not part or len(part) == limit:
        return part
    parts, size = [part], len(part)
    while size < limit and (part := reader.read(limit - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
