# SPDX-License-Identifier: Apache-2.0
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from countermark.network.folder import MAX_PUBLISHED_BYTES, FolderSource
from countermark.records.errors import CountermarkError, InputError, StorageError

PUBLISHED = [
    "log/checkpoint",
    "log/proof/0",
    "log/proof/123456",
    "log/tile/0/000.p/5",
    "log/tile/0/x001/x234/067",
    "log/tile/entries/000",
    "blobs/sha256/" + "a" * 64,
    "cosignatures/KE",
    "cosignatures/example-developer",
]


@pytest.fixture(autouse=True)
def _alarm_fails() -> Iterator[None]:
    def waited(*_: object) -> None:
        raise AssertionError("waited for ten seconds")

    before = signal.signal(signal.SIGALRM, waited)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def source(tmp_path: Path) -> FolderSource:
    for path in (*PUBLISHED, "keys/statement.pem", "node.toml", "state.db", "runs/a.eval"):
        (tmp_path / "node" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "node" / path).write_bytes(path.encode())
    return FolderSource(tmp_path / "node")


@pytest.mark.parametrize("path", PUBLISHED)
def test_what_a_node_publishes_is_read(source: FolderSource, path: str) -> None:
    assert source.read(path) == path.encode()


def test_what_is_not_there_is_nothing(source: FolderSource) -> None:
    assert source.read("log/proof/1") is None
    assert FolderSource(source.folder / "gone").read("log/checkpoint") is None
    # A file where a folder should be.
    assert source.read("log/tile/entries/000/x") is None


@pytest.mark.parametrize(
    "path",
    [
        "keys/statement.pem", "node.toml", "state.db", "index.db", "runs/a.eval",
        "roster/1.root.json",
        "", ".", "..", "/etc/passwd", "log", "log/", "log/tile/../../keys/statement.pem",
        "log/../keys/statement.pem", "blobs/sha256/../../keys/log.pem", "log//checkpoint",
        "/log/checkpoint", "log/checkpoint\n", "log/checkpoint\0", "log/proof/-1",
        "log/proof/" + "9" * 19, "log/proof/\u0661", "log/tile/" + "0" * 121,
        "blobs/sha256/" + "A" * 64, "blobs/sha256/" + "a" * 63, "cosignatures/../keys/log.pem",
        "cosignatures/", "peers/KE/state.db",
    ],
)  # fmt: skip
def test_nothing_else_can_be_asked_for(source: FolderSource, path: str) -> None:
    with pytest.raises(InputError, match="is not a file that a node publishes") as caught:
        source.read(path)
    assert caught.value.next_step


def test_a_file_that_is_too_large_is_refused(source: FolderSource) -> None:
    with (source.folder / "log/checkpoint").open("wb") as file:
        file.truncate(MAX_PUBLISHED_BYTES + 1)
    with pytest.raises(StorageError, match="is larger than 67,108,864 bytes"):
        source.read("log/checkpoint")


def test_a_folder_or_a_pipe_in_the_place_of_a_file_is_refused_at_once(source: FolderSource) -> None:
    place = source.folder / "log/checkpoint"
    place.unlink()
    os.mkfifo(place)
    signal.alarm(10)  # without the control, reading would wait for a writer for ever
    with pytest.raises(StorageError, match="is not a file"):
        source.read("log/checkpoint")
    signal.alarm(0)
    place.unlink()
    place.mkdir()
    with pytest.raises(StorageError, match="cannot be read: Is a directory"):
        source.read("log/checkpoint")


def test_a_device_or_a_loop_of_links_is_refused(source: FolderSource) -> None:
    cases: list[tuple[str, type[CountermarkError], str]] = [
        ("/dev/zero", InputError, "outside the peer's folder"),
        ("checkpoint", StorageError, "cannot be read"),
    ]
    for target, error, saying in cases:
        place = source.folder / "log/checkpoint"
        place.unlink()
        place.symlink_to(target)
        with pytest.raises(error, match=saying):
            source.read("log/checkpoint")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    log = tmp_path / "peer" / "log"
    log.mkdir(parents=True)
    (log / "checkpoint").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="outside the peer's folder"):
        FolderSource(tmp_path / "peer").read("log/checkpoint")
    (log / "real").write_text("theirs")
    (log / "checkpoint").unlink()
    (log / "checkpoint").symlink_to(log / "real")
    assert FolderSource(tmp_path / "peer").read("log/checkpoint") == b"theirs"
