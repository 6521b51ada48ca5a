# SPDX-License-Identifier: Apache-2.0
"""What a node needs of the world: somewhere to read a peer's published files from."""

from typing import Protocol


class PeerSource(Protocol):
    """A peer's published folder, wherever it lies. What it gives is verified before it is kept."""

    def read(self, path: str) -> bytes | None:
        """Return a published file by its path in the peer's folder, or nothing if it has none.

        Raises
        ------
        StorageError
            If it is there but cannot be read, or is too large.
        """
        ...
