# SPDX-License-Identifier: Apache-2.0
"""Reading a whole log again and holding it against its tiles and its root.

:func:`audit` finds a log sound if

1. all entries up to its size are there and parse;
2. every hash tile is what the entries give, byte for byte;
3. the root is what the entries give.

It believes no hash that it reads. The entries are appended, a batch at a time, to an empty log of
which only the right edge is kept, and every file that this gives is compared.
"""

from dataclasses import dataclass

from countermark.records.errors import StorageError, VerificationError
from countermark.transparency.tiles import TILE_WIDTH, TileReader, plan_append, read_entries

_BATCH = TILE_WIDTH * 64


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
            end = min(size, plan.size + _BATCH)
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


def _differs(reader: TileReader, path: str, expected: bytes) -> bool:
    data = reader(path)
    if data is None and ".p/" in path:
        full = reader(path.partition(".p/")[0])
        data = None if full is None else full[: len(expected)]
    return data != expected
