# SPDX-License-Identifier: Apache-2.0
"""Logs as static files (C2SP tlog-tiles): paths, entry bundles, appending, proofs.

A tile at level L holds up to 256 hashes, each over 256**L leaves; ``tile/<L>/<N>`` is a full tile
and ``tile/<L>/<N>.p/<W>`` the first W hashes of one. ``tile/entries/<N>[.p/<W>]`` holds the
entries themselves, each after its length in two bytes.

1. What a path holds never changes. A tile that grows gets another path, so a partial one may be
   deleted later: whoever still needs it takes the beginning of the full one.
2. A file has exactly the hashes or entries that its path says, else it is refused by its name.
3. Appending never builds on a bundle whose entries are not those that the hash tile has.
4. A hash from a tile is believed by nobody: a root has to be compared with a signed checkpoint,
   and a proof has to be verified.

Everything here is pure. Files come in through a :class:`TileReader`; what is to be written comes
out in an :class:`AppendPlan`. Write its files before the checkpoint that needs them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, Protocol

from countermark.records.errors import InputError, StorageError, VerificationError
from countermark.transparency.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    Range,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    parents,
    split_point,
)

TILE_WIDTH = 256
TILE_BITS = 8
MAX_ENTRY_BYTES = 65_535
_KEPT_TILES = 512  # about 20 MB once expanded


class TileReader(Protocol):
    """Where the files of a log come from: a folder, a cache, a peer."""

    def __call__(self, path: str, /) -> bytes | None:
        """Return the contents of a file of the log, or nothing if there is none."""


@dataclass(frozen=True, slots=True)
class AppendPlan:
    """What appending entries writes.

    Parameters
    ----------
    files
        Path to contents. A path that exists already keeps its contents.
    size, root
        Of the tree afterwards.
    """

    files: Mapping[str, bytes]
    size: int
    root: bytes


def tile_path(level: int | None, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a hash tile, or of an entry bundle if ``level`` is ``None``.

    >>> tile_path(0, 1234067, 5)
    'tile/0/x001/x234/067.p/5'
    """
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    kind = "entries" if level is None else str(level)
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{kind}/{'/'.join(reversed(groups))}{suffix}"


def tile_paths(size: int) -> Iterator[str]:
    """Yield the paths of all files, entry bundles included, of a log of ``size`` leaves."""
    level: int | None = None
    count = size
    while count:
        for index in range(count // TILE_WIDTH):
            yield tile_path(level, index)
        if count % TILE_WIDTH:
            yield tile_path(level, count // TILE_WIDTH, count % TILE_WIDTH)
        level, count = (0, count) if level is None else (level + 1, count >> TILE_BITS)


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Return the bytes of an entry bundle.

    Raises
    ------
    InputError
        If an entry is longer than 65,535 bytes.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise InputError(
                f"is {len(entry):,} bytes; a log entry has at most {MAX_ENTRY_BYTES:,}",
                where="log entry",
                next_step="Log a digest, and keep the content in a blob.",
            )
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def parse_bundle(data: bytes, width: int, *, where: str = "entry bundle") -> tuple[bytes, ...]:
    """Return the entries of a bundle that holds exactly ``width`` of them.

    Raises
    ------
    VerificationError
        If the bytes are not such a bundle.
    """
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if start > len(data) or position > len(data):
            _broken(
                f"ends at byte {len(data)}, in the middle of entry {len(entries)}, which begins at "
                f"byte {start - 2}",
                where,
            )
        entries.append(data[start:position])
    if len(entries) != width:
        _broken(f"holds {len(entries)} entries, not {width}", where)
    return tuple(entries)


def plan_append(reader: TileReader, size: int, entries: Sequence[bytes]) -> AppendPlan:
    """Work out what appending entries to a log of ``size`` leaves writes.

    Raises
    ------
    InputError
        If an entry is too long.
    StorageError, VerificationError
        If a file of the right edge is missing or broken.
    """
    files = _plan_bundles(reader, size, entries)
    new_size = size + len(entries)
    added = [leaf_hash(entry) for entry in entries]
    level = 0
    while added:
        first, width = divmod((new_size >> TILE_BITS * level) - len(added), TILE_WIDTH)
        hashes = [*_tile(reader, level, first, width), *added]
        for index, chunk in enumerate(_chunks(hashes), start=first):
            files[tile_path(level, index, len(chunk))] = b"".join(chunk)
        added = hashes[: len(hashes) // TILE_WIDTH * TILE_WIDTH]
        for _ in range(TILE_BITS):
            added = parents(added)
        level += 1
    root = root_of(lambda path: files.get(path) or reader(path), new_size)
    return AppendPlan(files, new_size, root)


class TileTree:
    """The tree of a log's first ``size`` leaves, read from its tiles as it is needed.

    It keeps the tiles that it has read. For many proofs of one log make one and use it again.
    Every method raises :class:`StorageError` or :class:`VerificationError` if a tile is missing
    or broken, and :class:`ValueError` if a leaf or a size is not in the tree.
    """

    def __init__(self, reader: TileReader, size: int) -> None:
        self._reader = reader
        self._size = size
        self._expanded = lru_cache(_KEPT_TILES)(self._expand)

    def root(self) -> bytes:
        """Return the root that the tiles give."""
        return self._subtree(0, self._size) if self._size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the proof that leaf ``index`` is in the tree."""
        return self.subtrees(inclusion_ranges(index, self._size))

    def consistency_proof(self, old: int) -> tuple[bytes, ...]:
        """Return the proof that the tree extends that of the first ``old`` leaves."""
        return self.subtrees(consistency_ranges(old, self._size))

    def subtrees(self, ranges: Iterable[Range]) -> tuple[bytes, ...]:
        """Return the hashes of some subtrees that :mod:`~countermark.transparency.tree` named."""
        return tuple(self._subtree(start, end) for start, end in ranges)

    def _subtree(self, start: int, end: int) -> bytes:
        span = end - start
        if span & (span - 1):
            middle = start + split_point(span)
            return node_hash(self._subtree(start, middle), self._subtree(middle, end))
        level, height = divmod(span.bit_length() - 1, TILE_BITS)
        tile, offset = divmod(start >> TILE_BITS * level, TILE_WIDTH)
        return self._expanded(level, tile)[height][offset >> height]

    def _expand(self, level: int, index: int) -> list[Sequence[bytes]]:
        """Return a tile's hashes, and those of all perfect subtrees over them, level by level."""
        width = min(TILE_WIDTH, (self._size >> TILE_BITS * level) - index * TILE_WIDTH)
        rows: list[Sequence[bytes]] = [_tile(self._reader, level, index, width)]
        while len(rows[-1]) > 1:
            rows.append(parents(rows[-1]))
        return rows


def root_of(reader: TileReader, size: int) -> bytes:
    """Return the root that a log's tiles give for ``size`` leaves."""
    return TileTree(reader, size).root()


def inclusion_proof(reader: TileReader, index: int, size: int) -> tuple[bytes, ...]:
    """Return the proof that leaf ``index`` is in the tree of ``size`` leaves."""
    return TileTree(reader, size).inclusion_proof(index)


def consistency_proof(reader: TileReader, old: int, new: int) -> tuple[bytes, ...]:
    """Return the proof that the tree of ``new`` leaves extends that of ``old``."""
    return TileTree(reader, new).consistency_proof(old)


def subtree_hashes(reader: TileReader, size: int, ranges: Sequence[Range]) -> tuple[bytes, ...]:
    """Return the hashes of some subtrees, each a leaf range, of the tree of ``size`` leaves.

    Raises
    ------
    StorageError, VerificationError
        If a tile is missing or broken.
    """
    return TileTree(reader, size).subtrees(ranges)


def read_entries(reader: TileReader, start: int, end: int, size: int) -> Iterator[bytes]:
    """Yield entries ``start`` to ``end`` (not included) of a log of ``size`` leaves.

    Raises
    ------
    ValueError
        If the range is not in the log.
    StorageError, VerificationError
        If a bundle is missing or broken.
    """
    if not 0 <= start <= end <= size:
        raise ValueError(f"entries {start} to {end} are not in a log of {size}")
    for index in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
        first = index * TILE_WIDTH
        entries = _bundle(reader, index, min(TILE_WIDTH, size - first))
        yield from entries[max(start - first, 0) : end - first]


def _plan_bundles(reader: TileReader, size: int, entries: Sequence[bytes]) -> dict[str, bytes]:
    if not entries:
        return {}
    first, width = divmod(size, TILE_WIDTH)
    held = _bundle(reader, first, width) if width else ()
    if tuple(map(leaf_hash, held)) != _tile(reader, 0, first, width):
        _broken("has other entries than its hash tile says", tile_path(None, first, width))
    return {
        tile_path(None, index, len(chunk)): encode_bundle(chunk)
        for index, chunk in enumerate(_chunks([*held, *entries]), start=first)
    }


def _chunks(items: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (items[start : start + TILE_WIDTH] for start in range(0, len(items), TILE_WIDTH))


def _tile(reader: TileReader, level: int, index: int, width: int) -> tuple[bytes, ...]:
    """Return the hashes of a tile, taken from the full one if the partial one is gone."""
    if width == 0:
        return ()
    data, held = _file(reader, level, index, width)
    if len(data) != held * HASH_BYTES:
        _broken(f"is {len(data)} bytes, not {held * HASH_BYTES}", tile_path(level, index, held))
    return tuple(data[i : i + HASH_BYTES] for i in range(0, width * HASH_BYTES, HASH_BYTES))


def _bundle(reader: TileReader, index: int, width: int) -> tuple[bytes, ...]:
    """Return the entries of a bundle, taken from the full one if the partial one is gone."""
    data, held = _file(reader, None, index, width)
    return parse_bundle(data, held, where=tile_path(None, index, held))[:width]


def _file(reader: TileReader, level: int | None, index: int, width: int) -> tuple[bytes, int]:
    """Return a file and how many items it should hold."""
    for held in dict.fromkeys((width, TILE_WIDTH)):
        data = reader(tile_path(level, index, held))
        if data is not None:
            return data, held
    raise StorageError(
        "is missing",
        where=tile_path(level, index, width),
        next_step="Copy the log again from its publisher or from a peer's mirror.",
    )


def _broken(what: str, where: str) -> NoReturn:
    raise VerificationError(
        what,
        where=where,
        next_step="Copy the log again; if it stays so, tell its operator and do not use it.",
    )
