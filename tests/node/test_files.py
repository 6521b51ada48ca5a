# SPDX-License-Identifier: Apache-2.0
import errno
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nodes import snapshot

from countermark.node.files import read_file, storage_errors, write_all, write_atomic
from countermark.records.errors import StorageError

ROOT = os.geteuid() == 0


class Interrupted(BaseException):
    """As a killed process: nothing catches it."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "folder/file"
    write_atomic(path, b"old")
    return path


def test_a_file_is_written_with_its_folders_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a/b/c.json"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert read_file(path) == b"two"
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_mode_holds_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    replace = Path.replace

    def noting(self: Path, target: Path) -> Path:
        modes.append(stat.S_IMODE(self.stat().st_mode))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", noting)
    write_atomic(tmp_path / "key.pem", b"secret", mode=0o600)
    assert modes == [0o600]


@pytest.mark.parametrize(
    "step", ["os.fdopen", "os.fsync", "pathlib.Path.chmod", "pathlib.Path.replace"]
)
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    old: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise Interrupted

    before = snapshot(old.parent)
    with monkeypatch.context() as patched:
        patched.setattr(step, interrupt)
        with pytest.raises(Interrupted):
            write_atomic(old, b"new" * 100_000)
    assert snapshot(old.parent) == before
    write_atomic(old, b"new")
    assert read_file(old) == b"new"


def test_the_contents_are_flushed_before_the_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    replace = Path.replace

    def fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")

    def rename(self: Path, target: Path) -> Path:
        steps.append("rename")
        assert self.read_bytes() == b"data"
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)
    write_atomic(tmp_path / "file", b"data")
    assert steps == ["file", "rename", "folder"]
    steps.clear()
    write_all({tmp_path / name: b"data" for name in ("one", "two")})
    assert steps == ["file", "rename", "file", "rename", "folder"]


def test_a_new_folder_is_flushed_into_the_one_that_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda number: flushed.append(os.fstat(number).st_ino))
    write_atomic(tmp_path / "a/b/file", b"data")
    folders = [tmp_path, tmp_path / "a", tmp_path / "a/b"]
    assert [number for number in flushed if number != (tmp_path / "a/b/file").stat().st_ino] == [
        folder.stat().st_ino for folder in folders
    ]
    flushed.clear()
    write_atomic(tmp_path / "a/b/other", b"data")
    assert len(flushed) == 2  # the file and its folder


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel itself says that the disk is full: the temporary file is /dev/full."""
    make = tempfile.mkstemp

    def full(**options: Any) -> tuple[int, str]:
        descriptor, name = make(**options)
        os.close(descriptor)
        return os.open("/dev/full", os.O_WRONLY), name

    monkeypatch.setattr(tempfile, "mkstemp", full)
    with pytest.raises(StorageError, match="cannot be written: the disk is full") as caught:
        write_atomic(old, b"new")
    assert caught.value.where == str(old)
    assert "Free some space" in caught.value.next_step
    assert read_file(old) == b"old"
    assert list(old.parent.iterdir()) == [old]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 KiB, where that may be had."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if not ROOT or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_disk_that_really_is_full(small_disk: Path) -> None:
    path = small_disk / "file"
    write_atomic(path, b"old")
    with pytest.raises(StorageError, match="the disk is full"):
        write_atomic(path, bytes(100_000))
    assert snapshot(small_disk) == {"file": b"old"}


def test_a_folder_that_may_not_be_written_is_another_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written: File exists") as caught:
        write_atomic(tmp_path / "file/below", b"new")
    assert "may write" in caught.value.next_step


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_quota_that_is_used_up_is_a_full_disk(tmp_path: Path, number: int) -> None:
    with pytest.raises(StorageError, match="the disk is full"), storage_errors(tmp_path):
        raise OSError(number, "as the kernel says")


def test_a_file_that_is_not_there_is_nothing(tmp_path: Path) -> None:
    assert read_file(tmp_path / "file") is None
    (tmp_path / "file").write_bytes(b"x")
    assert read_file(tmp_path / "file/below") is None


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_file(tmp_path / "file", max_bytes=5) == b"12345"
    with pytest.raises(StorageError, match="is larger than 4 bytes"):
        read_file(tmp_path / "file", max_bytes=4)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="is not a file"):
        read_file(tmp_path / "pipe")
    with pytest.raises(StorageError, match="cannot be read: Is a directory"):
        read_file(tmp_path)
