# SPDX-License-Identifier: Apache-2.0
"""What people get wrong: each a clear message with the next step, and nothing half written."""

import contextlib
import errno
import io
import json
import os
import shutil
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Ran, countermark, done, statement, tree
from exercise_small import Snapshots, cell_run, scripted_log

from countermark.exercise import demonstration

SOURCE = Path(demonstration.__file__).parent
LAB = "GB-simulated"


def refused(ran: Ran, *said: str, code: int = 1) -> None:
    """See that a command refused, in words, and went no further."""
    assert ran.code == code, ran.err
    assert ran.out == ""
    first, second = ran.err.splitlines()[-2:]
    assert first.startswith("Error: ")
    assert second.startswith("Next: ")
    assert len(second) > len("Next: ") + 10
    for text in said:
        assert text in ran.err
    assert "Traceback" not in ran.err


def files(folder: Path) -> dict[str, str]:
    return {path: digest for path, digest in tree(folder).items() if digest != "a folder"}


@contextlib.contextmanager
def nothing_written(folder: Path) -> Iterator[None]:
    """See that a folder is afterwards as it was before."""
    before = tree(folder)
    yield
    assert tree(folder) == before


@pytest.fixture
def desk(snapshots: Snapshots, tmp_path: Path) -> Path:
    """Return a folder with a network whose labs may now run: nodes/…, and protocol.json."""
    snapshots.at("signed", tmp_path)
    (tmp_path / "protocol.json").write_bytes(snapshots.protocol.to_bytes())
    done("node", "status", "--node", tmp_path / "nodes" / "GB")
    return tmp_path


def take(desk: Path, log: Path) -> Ran:
    words = ("--protocol", desk / "protocol.json", "--lab", LAB, "--node", desk / "nodes" / "GB")
    return countermark("exercise", "import", log, *words)


@pytest.mark.parametrize(
    "words",
    [("protocol", "show"), ("finding", "show"), ("framework", "show")],
    ids=" ".join,
)
def test_a_wrong_file_instead_of_a_record(words: tuple[str, ...], tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    refused(countermark(*words, picture), "picture.png", "is not UTF-8")


def test_another_record_instead_of_a_protocol(record: Path, tmp_path: Path) -> None:
    value = done("finding", "show", "--json", statement(record, "finding")).out
    (tmp_path / "finding.json").write_text(value, encoding="utf-8")
    refused(
        countermark("protocol", "show", tmp_path / "finding.json"),
        "is of the kind finding, where protocol is asked for",
    )


def test_a_wrong_file_instead_of_a_log(desk: Path) -> None:
    wrong = desk / "notes.eval"
    wrong.write_text("these are my notes")
    with nothing_written(desk):
        refused(take(desk, wrong), "notes.eval", "no Inspect log")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_log(desk: Path, snapshots: Snapshots, share: float) -> None:
    log = scripted_log(desk / "cut.eval", cell_run(snapshots.protocol))
    whole = log.read_bytes()
    log.write_bytes(whole[: int(len(whole) * share)])
    with nothing_written(desk):
        refused(take(desk, log), "cut.eval", "truncated or damaged")


def test_a_zip_bomb(desk: Path) -> None:
    bomb = desk / "bomb.eval"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("header.json", bytes(129 * 1024 * 1024))
    assert bomb.stat().st_size < 200_000
    with nothing_written(desk):
        refused(take(desk, bomb), "bomb.eval", "declares a member of 135,266,304 bytes")


def test_a_zip_bomb_that_lies_about_its_size(desk: Path) -> None:
    bomb = desk / "bomb.eval"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", bytes(50 * 1024 * 1024))
    stated, lie = (50 * 1024 * 1024).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    bomb.write_bytes(buffer.getvalue().replace(stated, lie))
    with nothing_written(desk):
        refused(take(desk, bomb), "not what the log's directory says")


@pytest.mark.parametrize("kind", ["protocol", "finding", "framework"])
def test_a_key_twice_in_json(record: Path, tmp_path: Path, kind: str) -> None:
    text = done(kind, "show", "--json", statement(record, kind)).out
    twice = tmp_path / "twice.json"
    twice.write_text(text.replace('"version": 1', '"version": 1, "version": 1', 1))
    refused(countermark(kind, "show", twice), "twice.json", "has the key 'version' twice")


def test_a_key_twice_in_a_protocol_that_is_to_be_run(desk: Path) -> None:
    protocol = desk / "protocol.json"
    protocol.write_bytes(b'{"kind":"protocol",' + protocol.read_bytes()[1:])
    words = ("--protocol", protocol, "--node", desk / "nodes" / "GB")
    for verb in ("run", "seal", "close", "reveal", "status"):
        with nothing_written(desk):
            refused(countermark("exercise", verb, *words), "has the key 'kind' twice")


def test_a_key_twice_in_a_line_of_items(tmp_path: Path) -> None:
    folder = shutil.copytree(SOURCE, tmp_path / "mine")
    file = folder / "items" / "confidential-leak.en.jsonl"
    file.write_text(file.read_text().replace('"key"', '"key": "a", "key"', 1))
    with nothing_written(tmp_path):
        ran = countermark("protocol", "freeze", folder, "-o", tmp_path / "out.json")
        refused(ran, "confidential-leak.en.jsonl:1", "twice")


def test_an_unknown_language_code(tmp_path: Path) -> None:
    folder = shutil.copytree(SOURCE, tmp_path / "mine")
    file = folder / "protocol.yaml"
    file.write_text(file.read_text().replace("languages: [en, fr, ja, sw]", "languages: [en, kz]"))
    with nothing_written(tmp_path):
        ran = countermark("protocol", "freeze", folder, "-o", tmp_path / "out.json")
        refused(ran, "protocol.yaml", "kz")


@pytest.mark.parametrize("name", ["statement", "log"])
def test_a_missing_key(desk: Path, name: str) -> None:
    node = desk / "nodes" / "GB"
    (node / "keys" / f"{name}.pem").unlink()
    log = tree(node / "log")
    ran = countermark("protocol", "sign", desk / "protocol.json", "--node", node)
    refused(ran, f"{name}.pem", "is missing", "backup")
    assert tree(node / "log") == log


def test_a_wrong_passphrase(tmp_path: Path, snapshots: Snapshots) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("a long and good one\n")
    bad.write_text("another\n")
    words = ("--code", "KE", "--name", "Institute", "--origin", "ke.example/log")
    done("node", "init", tmp_path / "n", *words, "--passphrase-file", good)
    snapshots.at("signed", tmp_path / "net")
    shutil.copytree(tmp_path / "n" / "keys", tmp_path / "net/nodes/GB/keys", dirs_exist_ok=True)
    protocol = tmp_path / "protocol.json"
    protocol.write_bytes(snapshots.protocol.to_bytes())
    node = tmp_path / "net" / "nodes" / "GB"
    log = tree(node / "log")
    ran = countermark("protocol", "sign", protocol, "--node", node, "--passphrase-file", bad)
    refused(ran, "did not open with this passphrase")
    assert tree(node / "log") == log


def test_a_node_folder_of_a_newer_version(desk: Path) -> None:
    node = desk / "nodes" / "GB"
    file = node / "node.toml"
    file.write_text(file.read_text().replace("format = 1", "format = 2"))
    for words in (
        ("node", "status", "--node", node),
        ("node", "reindex", "--node", node),
        ("sync", "pull", "--node", node),
        ("protocol", "sign", desk / "protocol.json", "--node", node),
        ("site", "build", "--node", node, "--out", desk / "record"),
        ("log", "audit", node),
    ):
        with nothing_written(desk):
            refused(countermark(*words), "node.toml", "newer Countermark (format 2, known 1)")


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port that another program holds."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.network
def test_a_port_in_use(desk: Path, taken: int) -> None:
    with nothing_written(desk):
        ran = countermark("node", "serve", "--node", desk / "nodes" / "GB", "--port", taken)
        refused(ran, f"port {taken}", "held by another program", "--port")


@pytest.mark.network
def test_a_port_in_use_is_known_before_the_demonstration_runs(tmp_path: Path, taken: int) -> None:
    with nothing_written(tmp_path):
        ran = countermark("demo", "--out", tmp_path / "demo", "--port", taken)
        refused(ran, f"port {taken}", "held by another program")


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing reach the disk any more."""

    monkeypatch.setattr(os, "fsync", no_space)


WRITERS = [
    ("protocol", "freeze", str(SOURCE), "-o", "out.json"),
    ("protocol", "sign", "protocol.json", "--node", "nodes/GB"),
    ("site", "build", "--node", "nodes/GB", "--out", "record"),
    ("demo", "--no-serve", "--out", "demo"),
]


@pytest.mark.parametrize("words", WRITERS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.usefixtures("full")
def test_a_full_disk(desk: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.chdir(desk)
    with nothing_written(desk):
        ran = countermark(*words)
    assert ran.code == 1
    assert "the disk is full" in ran.err
    assert ran.err.splitlines()[-1].startswith("Next: Free some space")


def test_a_full_disk_while_a_log_is_imported(desk: Path, snapshots: Snapshots) -> None:
    log = scripted_log(desk / "log.eval", cell_run(snapshots.protocol))
    before = files(desk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        refused(take(desk, log), "the disk is full")
    assert files(desk) == before
    assert take(desk, log).code == 0


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of 64 kB, where this process may mount one."""
    place = tmp_path / "tiny"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("only root can mount a file system; test_a_full_disk covers the same commands")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_really_full_disk(desk: Path, tiny: Path) -> None:
    (tiny / "kept.bin").write_bytes(bytes(56 * 1024))
    for words in (
        ("site", "build", "--node", desk / "nodes" / "GB", "--out", tiny / "record"),
        ("protocol", "freeze", SOURCE, "-o", tiny / "protocol.json"),
        ("demo", "--no-serve", "--out", tiny / "demo"),
    ):
        with nothing_written(tiny):
            ran = countermark(*words)
        assert ran.code == 1
        assert "No space left" in ran.err or "the disk is full" in ran.err


def test_importing_the_same_cell_twice_keeps_the_first(desk: Path, snapshots: Snapshots) -> None:
    log = scripted_log(desk / "log.eval", cell_run(snapshots.protocol))
    assert take(desk, log).code == 0
    with nothing_written(desk / "nodes" / "GB" / "runs"):
        refused(take(desk, log), "was taken before")


def test_a_log_that_does_not_match_is_refused_with_the_list(
    desk: Path, snapshots: Snapshots
) -> None:
    run = cell_run(snapshots.protocol, lab="KE-nairobi")
    with nothing_written(desk / "nodes"):
        ran = take(desk, scripted_log(desk / "log.eval", run))
    assert ran.code == 1
    assert "✗ refused" in ran.out
    assert "rule 2: the log was made for lab KE-nairobi, not GB-simulated" in ran.out


def test_json_of_a_refused_log_is_data(desk: Path, snapshots: Snapshots) -> None:
    log = scripted_log(desk / "log.eval", cell_run(snapshots.protocol, lab="KE-nairobi"))
    words = ("--protocol", desk / "protocol.json", "--lab", LAB, "--node", desk / "nodes" / "GB")
    ran = countermark("exercise", "import", log, *words, "--json")
    assert ran.code == 1
    (one,) = json.loads(ran.out)
    assert one["kept"] is None
    assert one["differences"][0]["waivable"] is False
