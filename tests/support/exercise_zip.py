# SPDX-License-Identifier: Apache-2.0
"""Zip files that lie: members written byte by byte, with whatever their headers should claim."""

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import zstandard

STORED, DEFLATED, ZSTANDARD, BZIP2 = 0, 8, 93, 12
HEADER: dict[str, Any] = {
    "status": "success",
    "eval": {"task": "t", "model": "m", "created": "2026-11-01T10:00:00+00:00"},
}
SAMPLE: dict[str, Any] = {"id": "a", "epoch": 1, "messages": [{"role": "user", "content": "Hi"}]}


def pack(contents: bytes, method: int) -> bytes:
    """Pack as a zip member is packed."""
    if method == DEFLATED:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return packer.compress(contents) + packer.flush()
    if method == ZSTANDARD:
        return zstandard.ZstdCompressor().compress(contents)
    return contents


@dataclass(frozen=True, slots=True)
class Member:
    """One member, honest unless told otherwise.

    Parameters
    ----------
    name, contents, method
        What it holds and how it is packed.
    packed
        The packed bytes; made from ``contents`` if nothing.
    claimed
        The unpacked size that the directory claims; the true one if nothing.
    crc
        The checksum that the directory claims; the true one if nothing.
    flags, version
        The general-purpose flags, and the version of zip needed.
    """

    name: str
    contents: bytes = b""
    method: int = DEFLATED
    packed: bytes | None = None
    claimed: int | None = None
    crc: int | None = None
    flags: int = 0
    version: int = 20

    def body(self) -> bytes:
        """Return the packed bytes."""
        return pack(self.contents, self.method) if self.packed is None else self.packed


def member(name: str, value: Any, method: int = DEFLATED) -> Member:
    """Return an honest member that holds JSON."""
    return Member(name, json.dumps(value).encode(), method)


def honest(method: int = DEFLATED) -> list[Member]:
    """Return the members of a small log."""
    return [
        member("header.json", HEADER, method),
        member("samples/a_epoch_1.json", SAMPLE, method),
    ]


def zip_of(members: Sequence[Member], *, share: bool = False) -> bytes:
    """Return a zip file; with ``share``, every directory entry points at the first member."""
    body, directory, offsets = b"", b"", []
    for one in members:
        offsets.append(0 if share else len(body))
        if share and body:
            continue
        body += struct.pack("<4s5H3I2H", b"PK\x03\x04", *_common(one), len(one.name), 0)
        body += one.name.encode() + one.body()
    for one, offset in zip(members, offsets, strict=True):
        directory += struct.pack(
            "<4s6H3I5H2I",
            b"PK\x01\x02",
            one.version,
            *_common(one),
            len(one.name),
            *(0, 0, 0, 0),
            0,
            offset,
        )
        directory += one.name.encode()
    count = min(len(members), 0xFFFF)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def _common(one: Member) -> tuple[int, ...]:
    packed = one.body()
    crc = zlib.crc32(one.contents) if one.crc is None else one.crc
    size = len(one.contents) if one.claimed is None else one.claimed
    return one.version, one.flags, one.method, 0, 0, crc, len(packed), size
