# SPDX-License-Identifier: Apache-2.0
"""The file of a protocol's private part: read strictly, written for its owner only."""

from pathlib import Path

from countermark.exercise.private.content import PrivatePart
from countermark.node.files import read_file, write_atomic
from countermark.records.canonical import MAX_BYTES
from countermark.records.errors import InputError


def read_private(path: Path) -> PrivatePart | None:
    """Return the private part in a file, or nothing where there is no such file."""
    data = read_file(path, max_bytes=MAX_BYTES)
    return None if data is None else PrivatePart.from_bytes(data, where=str(path))


def given_part(private_file: Path) -> PrivatePart:
    """Read a private part that a person names.

    Raises
    ------
    InputError
        If there is no such file, or it is no private part.
    """
    part = read_private(private_file)
    if part is None:
        raise InputError(
            "is no file",
            where=str(private_file),
            next_step="Give the private part that the coordinator sent: --private FILE.",
        )
    return part


def write_private(path: Path, part: PrivatePart) -> None:
    """Write a private part, readable by its owner only."""
    write_atomic(path, part.to_bytes(), mode=0o600)
