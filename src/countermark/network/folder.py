# SPDX-License-Identifier: Apache-2.0
"""A peer's published files in a folder: on this disk, a share, or a stick that was carried over."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from countermark.node.files import read_file
from countermark.records.errors import InputError

MAX_PUBLISHED_BYTES = 64 * 1024 * 1024
_PUBLISHED = re.compile(
    r"(?:peers/[A-Za-z0-9-]{1,40}/)?log/(?:checkpoint|proof/[0-9]{1,18}|tile/[0-9a-z/.]{1,120})"
    r"|blobs/sha256/[0-9a-f]{64}|cosignatures/[A-Za-z0-9-]{1,40}"
)


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Reads a peer's node folder, and of it only what a node publishes."""

    folder: Path

    def read(self, path: str) -> bytes | None:
        """Return a published file, or nothing if the peer has none there.

        Raises
        ------
        InputError
            If the path is not one that nodes publish, or leads out of the folder.
        StorageError
            If the file cannot be read or is too large.
        """
        if not _PUBLISHED.fullmatch(path) or ".." in path:
            raise InputError(
                f"{path[:80]!r} is not a file that a node publishes",
                where=str(self.folder),
                next_step="This is a fault in the software; please report it.",
            )
        place = self.folder / path
        # A link on somebody's stick could point at a file of the reader's own.
        if not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(self.folder)):
            raise InputError(
                "is a link to a place outside the peer's folder",
                where=str(place),
                next_step="Do not pull from this folder; ask the peer why it holds such a link.",
            )
        return read_file(place, max_bytes=MAX_PUBLISHED_BYTES)
