# SPDX-License-Identifier: Apache-2.0
"""What a node needs of the world: where peers publish, and who witnesses its log."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What a witness answered to a request, not verified yet."""

    status: int
    content_type: str
    body: bytes


class Witness(Protocol):
    """A witness, wherever it is. What it answers is verified before it is kept."""

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Return its answer to a request of C2SP tlog-witness.

        Raises
        ------
        StorageError
            If it cannot be reached, is too slow or answers with too much.
        """
        ...
