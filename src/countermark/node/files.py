# SPDX-License-Identifier: Apache-2.0
"""Writing files so that a crash or a full disk leaves the old file or the new one, never a part.

1. The contents are flushed to the disk before the file gets its name.
2. The folder that holds the name is flushed afterwards, so that the name is still there when the
   power fails.
3. So is the folder that holds a folder which was made for it.

A process that is killed may leave a hidden ``.<name>.<random>`` beside the file. Nobody reads it.
"""

import contextlib
import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from countermark.records.errors import StorageError

MAX_FILE_BYTES = 256 * 1024 * 1024


def write_atomic(path: Path, data: bytes, *, mode: int = 0o644, flush_folder: bool = True) -> None:
    """Write ``data`` to a temporary file beside ``path``, flush it to the disk, then rename it.

    Without ``flush_folder`` the caller has to flush the folder: see :func:`write_all`.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written; nothing is left behind.
    """
    with storage_errors(path):
        make_folders(path.parent)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(mode)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if flush_folder:
            _sync_folder(path.parent)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it that are missing, each durably."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def read_file(path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> bytes | None:
    """Return a file's bytes, or nothing where there is no such file.

    Raises
    ------
    StorageError
        If it is there but cannot be read, or is larger than ``max_bytes``.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(max_bytes + 1) if regular else b""
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            next_step="Check that it is a file and that you may read it.",
        ) from error
    if not regular:
        raise StorageError(
            "is not a file",
            where=str(path),
            next_step="Put the file there; pipes and devices are not read.",
        )
    if len(data) > max_bytes:
        raise StorageError(
            f"is larger than {max_bytes:,} bytes",
            where=str(path),
            next_step="Check where the file comes from; Countermark writes none as large.",
        )
    return data


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write many files as :func:`write_atomic` does, but flush each folder once, at the end.

    All are on the disk when it returns. A crash leaves some of them, each of them whole.

    Raises
    ------
    StorageError
        If the disk is full or a folder cannot be written.
    """
    for path, data in files.items():
        write_atomic(path, data, flush_folder=False)
    for folder in {path.parent for path in files}:
        with storage_errors(folder):
            _sync_folder(folder)


@contextlib.contextmanager
def locked_folder(folder: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold a lock on a folder, if it is there; it ends with the process.

    Raises
    ------
    StorageError
        If the folder cannot be opened or locked.
    """
    with contextlib.ExitStack() as stack:
        with (
            storage_errors(folder),
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
        ):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says of ``path`` into a :class:`StorageError`."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise StorageError(
            "cannot be written: the disk is full"
            if full
            else f"cannot be written: {error.strerror or error}",
            where=str(path),
            next_step="Free some space and run the command again; nothing was half written."
            if full
            else "Check that the folder exists and that you may write to it.",
        ) from error


def _open_at_once(path: str, flags: int) -> int:
    # Opening a pipe would wait for a writer, and a folder that somebody else wrote may hold one.
    return os.open(path, flags | os.O_NONBLOCK)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
