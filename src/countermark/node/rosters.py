# SPDX-License-Identifier: Apache-2.0
"""The roster's folder of a node: replaced whole, so that a crash leaves the old one or the new.

Whoever reads it or replaces it holds a lock on the folder above. So a reader never meets half of
each, and of two processes that replace it the second continues what the first has left.
"""

import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from countermark.node.files import (
    locked_folder,
    make_folders,
    read_file,
    storage_errors,
    write_atomic,
)
from countermark.records.errors import StateError
from countermark.signing.roster import (
    ROSTER_FILE,
    TARGETS_FILE,
    Roster,
    load_roster,
    parse_content,
    refuse_rewriting,
    root_names,
)


def kept_roster(folder: Path) -> Mapping[str, bytes]:
    """Return the files of the roster that was accepted, by name.

    Raises
    ------
    StateError
        If none was.
    """
    with locked_folder(folder.parent, exclusive=False):
        return _read(folder)


def holds_roster(folder: Path) -> bool:
    """Tell whether a roster was accepted."""
    with locked_folder(folder.parent, exclusive=False):
        return _holds(folder)


def _holds(folder: Path) -> bool:
    return folder.is_dir() or _fresh(folder).is_dir()


def _read(folder: Path) -> Mapping[str, bytes]:
    place = folder if folder.is_dir() else _fresh(folder)
    names = sorted(path.name for path in place.iterdir()) if place.is_dir() else []
    if not names:
        raise StateError(
            "has no roster",
            where=str(folder),
            next_step="Get the members' signed roster, then: countermark roster accept FOLDER.",
        )
    return {name: read_file(place / name) or b"" for name in names}


def accept(folder: Path, files: Mapping[str, bytes], at: datetime) -> Roster:
    """Check a roster at a time, and that it continues the one kept; then keep it.

    Parameters
    ----------
    folder
        Where the roster is kept.
    files
        Those of the new one, by name; what is no part of it is left out.
    at
        The time at which expiry is judged (UTC).

    Raises
    ------
    VerificationError
        If it does not check out, or rewrites what the kept one says.
    InputError
        If a file is missing or malformed.
    StorageError
        If it cannot be written; the old one is still there.
    """
    fresh = load_roster(files, at=at)
    terms = parse_content(files[ROSTER_FILE]).policies
    names = [*root_names(files), TARGETS_FILE, ROSTER_FILE, *(term.file for term in terms)]
    with storage_errors(folder):
        make_folders(folder.parent)
    with locked_folder(folder.parent, exclusive=True):
        if _holds(folder):
            refuse_rewriting(_read(folder), files)
        _replace(folder, {name: files[name] for name in names})
    return fresh


def _fresh(folder: Path) -> Path:
    """Return where a whole new roster waits; it counts where the old one is already gone."""
    return folder.with_name(f"{folder.name}.new")


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    draft, old = (folder.with_name(f"{folder.name}.{end}") for end in ("draft", "old"))
    with storage_errors(folder):
        _settle(folder, old)
        shutil.rmtree(draft, ignore_errors=True)
        for name, data in files.items():
            write_atomic(draft / name, data)
        draft.replace(_fresh(folder))
        if folder.is_dir():
            folder.replace(old)
        _settle(folder, old)


def _settle(folder: Path, old: Path) -> None:
    """Bring an exchange to its end that may have been cut off."""
    fresh = _fresh(folder)
    if fresh.is_dir() and not folder.is_dir():
        fresh.replace(folder)
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    if folder.parent.is_dir():
        descriptor = os.open(folder.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
