# SPDX-License-Identifier: Apache-2.0
"""Logs as static files (C2SP tlog-tiles): paths, entry bundles, appending, proofs, audit.

A tile at level L holds up to 256 hashes, each over 256**L leaves; ``tile/<L>/<N>`` is a full tile
and ``tile/<L>/<N>.p/<W>`` the first W hashes of one. ``tile/entries/<N>[.p/<W>]`` holds the
entries themselves, each after its length in two bytes.

:func:`audit` finds a log sound if

1. all entries up to its size are there and parse;
2. every hash tile is what the entries give, byte for byte;
3. the root is what the entries give.

Everything here is pure. Files come in through a :class:`TileReader`; what is to be written comes
out in an :class:`AppendPlan`. Write its files before the checkpoint that needs them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    root_hash,
    split_point,
)

TILE_WIDTH = 256
TILE_BITS = 8
MAX_ENTRY_BYTES = 65_535
_AUDIT_BATCH = TILE_WIDTH * 64


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


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit of a log found; no problems means that it is sound."""

    size: int
    root: bytes | None
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """The log is sound."""
        return not self.problems


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
            _broken("ends in the middle of an entry", where)
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
        If a tile of the right edge is missing or broken.
    """
    files = _plan_bundles(reader, size, entries)
    new_size = size + len(entries)
    hashes = [leaf_hash(entry) for entry in entries]
    edge: list[list[bytes]] = []
    level = 0
    while count := new_size >> TILE_BITS * level:
        first, width = divmod(count - len(hashes), TILE_WIDTH)
        tile = [*_tile(reader, level, first, width), *hashes]
        full, added = len(tile) // TILE_WIDTH, bool(hashes)
        chunks = [tile[i * TILE_WIDTH : (i + 1) * TILE_WIDTH] for i in range(full)]
        for index, chunk in enumerate(chunks, start=first):
            files[tile_path(level, index)] = b"".join(chunk)
        rest = tile[full * TILE_WIDTH :]
        if rest and added:
            files[tile_path(level, first + full, len(rest))] = b"".join(rest)
        edge.append(rest)
        hashes = [root_hash(chunk) for chunk in chunks]
        level += 1
    return AppendPlan(files, new_size, _edge_root(edge))


def _perfect_subtrees(hashes: list[bytes]) -> Iterator[bytes]:
    """Yield the roots of the largest perfect subtrees over some hashes, smallest (last) first."""
    end = len(hashes)
    while end:
        width = end & -end
        yield root_hash(hashes[end - width : end])
        end -= width


def root_of(reader: TileReader, size: int) -> bytes:
    """Return the root that a log's tiles give for ``size`` leaves."""
    return plan_append(reader, size, []).root


def inclusion_proof(reader: TileReader, index: int, size: int) -> tuple[bytes, ...]:
    """Return the proof that leaf ``index`` is in the tree of ``size`` leaves.

    Raises
    ------
    ValueError
        If the index is not in the tree.
    StorageError, VerificationError
        If a tile is missing or broken.
    """
    return _hashes(reader, size, inclusion_ranges(index, size))


def consistency_proof(reader: TileReader, old: int, new: int) -> tuple[bytes, ...]:
    """Return the proof that the tree of ``new`` leaves extends that of ``old``.

    Raises
    ------
    ValueError
        If the old size is negative or above the new one.
    StorageError, VerificationError
        If a tile is missing or broken.
    """
    return _hashes(reader, new, consistency_ranges(old, new))


def subtree_hashes(reader: TileReader, size: int, ranges: Sequence[Range]) -> tuple[bytes, ...]:
    """Return the hashes of some subtrees, each a leaf range, of the tree of ``size`` leaves.

    Raises
    ------
    StorageError, VerificationError
        If a tile is missing or broken.
    """
    return _hashes(reader, size, ranges)


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


def audit(reader: TileReader, size: int, root: bytes) -> Audit:
    """Rebuild a whole log from its entries and compare it with its tiles and root.

    Parameters
    ----------
    reader
        The files of the log.
    size, root
        As its checkpoint says.

    Returns
    -------
    Audit
        The root that the entries give, and every difference found.
    """
    problems: list[str] = []
    edge: dict[str, bytes] = {}
    plan = plan_append(edge.get, 0, [])
    while plan.size < size:
        try:
            end = min(size, plan.size + _AUDIT_BATCH)
            batch = list(read_entries(reader, plan.size, end, size))
        except (StorageError, VerificationError) as error:
            return Audit(size, None, (*problems, str(error)))
        plan = plan_append(edge.get, plan.size, batch)
        edge.update((path, data) for path, data in plan.files.items() if ".p/" in path)
        expected = plan.files.items()
        if end < size:  # the partial tiles on the way are not the log's own
            expected = {p: d for p, d in expected if ".p/" not in p}.items()
        problems += [
            f"{p}: is not what the entries give" for p, d in expected if _differs(reader, p, d)
        ]
    if plan.root != root:
        problems.append("the root of the checkpoint is not what the entries give")
    return Audit(size, plan.root, tuple(problems))


def _plan_bundles(reader: TileReader, size: int, entries: Sequence[bytes]) -> dict[str, bytes]:
    if not entries:
        return {}
    first, width = divmod(size, TILE_WIDTH)
    pending = [*(_bundle(reader, first, width) if width else ()), *entries]
    files: dict[str, bytes] = {}
    for index, start in enumerate(range(0, len(pending), TILE_WIDTH), start=first):
        chunk = pending[start : start + TILE_WIDTH]
        files[tile_path(None, index, len(chunk))] = encode_bundle(chunk)
    return files


def _edge_root(edge: Sequence[list[bytes]]) -> bytes:
    """Return the root of a log from the hashes in the partial tile of each level, lowest first.

    The partial tiles split the tree into perfect subtrees whose sizes fall from left to right,
    so joining from the right gives the tree of RFC 6962.
    """
    root: bytes | None = None
    for hashes in edge:
        for subtree in _perfect_subtrees(hashes):
            root = subtree if root is None else node_hash(subtree, root)
    return EMPTY_ROOT if root is None else root


def _hashes(reader: TileReader, size: int, ranges: Iterable[Range]) -> tuple[bytes, ...]:
    tiles: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def subtree(start: int, end: int) -> bytes:
        span = end - start
        if span & (span - 1):
            middle = start + split_point(span)
            return node_hash(subtree(start, middle), subtree(middle, end))
        level, low_bits = divmod(span.bit_length() - 1, TILE_BITS)
        tile, offset = divmod(start >> TILE_BITS * level, TILE_WIDTH)
        if (level, tile) not in tiles:
            width = min(TILE_WIDTH, (size >> TILE_BITS * level) - tile * TILE_WIDTH)
            tiles[level, tile] = _tile(reader, level, tile, width)
        return root_hash(tiles[level, tile][offset : offset + (1 << low_bits)])

    return tuple(subtree(start, end) for start, end in ranges)


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


def _differs(reader: TileReader, path: str, expected: bytes) -> bool:
    data = reader(path)
    if data is None and ".p/" in path:
        full = reader(path.partition(".p/")[0])
        data = None if full is None else full[: len(expected)]
    return data != expected


def _broken(what: str, where: str) -> NoReturn:
    raise VerificationError(
        what,
        where=where,
        next_step="Copy the log again; if it stays so, tell its operator and do not use it.",
    )
