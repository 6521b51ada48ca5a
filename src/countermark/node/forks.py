# SPDX-License-Identifier: Apache-2.0
"""Forks that a node meets, kept as evidence that anybody can check.

1. Whatever a log's key signed and this node refuses is held against the checkpoints of that log
   that it keeps signed: the mirror's, and the one that its witness cosigned last.
2. Where two cannot both be, the file of ``transparency/equivocation.py`` is written into
   ``evidence/``. At equal sizes the two checkpoints are enough. At different sizes it takes hashes
   of the larger tree: from tiles that are at hand, or from the consistency proof that came with it.
   Without either nothing is written, because nothing could be shown to others.
"""

from collections.abc import Sequence
from pathlib import Path

from countermark.node.files import read_file, write_atomic
from countermark.node.log import CHECKPOINT
from countermark.node.node import Node
from countermark.records.errors import InputError, StorageError
from countermark.signing.party import Party
from countermark.transparency.equivocation import Equivocation, find_equivocation
from countermark.transparency.note import Note, parse_note
from countermark.transparency.tiles import TileReader


def keep_evidence(folder: Path, found: Equivocation) -> Path:
    """Write evidence of a fork into a folder and return the file."""
    path = folder / found.file_name
    write_atomic(path, found.to_bytes())
    return path


def accuse(
    node: Node, party: Party, note: Note, *readers: TileReader, hashes: Sequence[bytes] = ()
) -> str:
    """Hold a checkpoint against those of the log that this node keeps (rules 1 and 2).

    Parameters
    ----------
    node
        Who keeps them.
    party
        Whose log it is.
    note
        The checkpoint that is refused.
    readers
        Where tiles of its tree may be; the mirror's are read too.
    hashes
        A consistency proof that came with it.

    Returns
    -------
    str
        Words that end a message, with the path of the evidence; empty where there is none.
    """
    mirror, cosigned = node.mirror(party.code), node.cosigned(party.code)
    for data in (mirror.read(CHECKPOINT), read_file(cosigned)):
        try:
            kept = parse_note(data, where=party.code) if data is not None else None
        except InputError:
            continue  # damaged here; it is written again
        if kept is not None:
            words = accuse_of(node, party, kept, note, *readers, mirror.read, hashes=hashes)
            if words:
                return words
    return ""


def accuse_of(
    node: Node,
    party: Party,
    one: Note,
    other: Note,
    *readers: TileReader,
    hashes: Sequence[bytes] = (),
) -> str:
    """Keep the evidence that two checkpoints of a log conflict, if they do (rule 2)."""
    found = find_equivocation(one, other, party.honest_log_keys, *readers, hashes=hashes)
    if found is None:
        return ""
    try:
        path = keep_evidence(node.folder.root / "evidence", found)
    except StorageError as error:
        return f"; it signed two different logs, and the evidence cannot be kept: {error}"
    return f"; the evidence that it signed two different logs is {path}"
