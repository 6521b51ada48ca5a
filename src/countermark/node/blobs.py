# SPDX-License-Identifier: Apache-2.0
"""Files by their content: ``blobs/sha256/<64 hex digits>``."""

import re
from dataclasses import dataclass
from pathlib import Path

from countermark.node.files import read_file, write_atomic
from countermark.records.canonical import content_digest
from countermark.records.errors import InputError, VerificationError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def blob_path(digest: str) -> str:
    """Return the place of a blob relative to a node's folder.

    Raises
    ------
    InputError
        If ``digest`` is no content address.
    """
    if not _DIGEST.fullmatch(digest):
        raise InputError(
            f"{digest[:80]!r} is no content address",
            next_step="Content addresses are sha256: and 64 lower-case hex digits.",
        )
    return "blobs/sha256/" + digest.removeprefix("sha256:")


@dataclass(frozen=True, slots=True)
class Blobs:
    """The blobs of one node folder; what is read is checked against its address."""

    folder: Path

    def put(self, data: bytes) -> str:
        """Keep ``data`` and return its content address."""
        digest = content_digest(data)
        path = self.folder / blob_path(digest)
        # Compared and not just looked for: putting a file again mends one that was damaged.
        if not path.exists() or read_file(path) != data:
            write_atomic(path, data)
        return digest

    def holds(self, digest: str) -> bool:
        """Tell whether there is a file at a content address; :meth:`get` checks its contents."""
        return (self.folder / blob_path(digest)).exists()

    def get(self, digest: str) -> bytes | None:
        """Return the bytes at a content address, or nothing where they are not kept here.

        Raises
        ------
        VerificationError
            If the file's contents are not what its name says.
        """
        path = self.folder / blob_path(digest)
        data = read_file(path)
        if data is not None and content_digest(data) != digest:
            raise VerificationError(
                "is not what its name says: the file was changed",
                where=str(path),
                next_step="Delete it and pull again from a peer that has it.",
            )
        return data
