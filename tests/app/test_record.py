# SPDX-License-Identifier: Apache-2.0
"""The public record as files: whole or not at all."""

import hashlib
import shutil
from pathlib import Path

import pytest
from command_line import countermark, done, tree
from exercise_finished import FinishedExercise
from exercise_small import Snapshots

from countermark.app import record as module
from countermark.app.record import put_in_place, write_record
from countermark.node.index import book
from countermark.node.policy import Permission
from countermark.records.errors import StateError
from countermark.records.evidence import Evidence
from countermark.records.protocol import Countersignature


def test_it_holds_statements_roster_samples_and_pages(
    record: Path, finished_exercise: FinishedExercise
) -> None:
    assert {path.name for path in record.iterdir()} == {"statements", "roster", "blobs", "site"}
    known = book(finished_exercise.cast().institutes["GB"])
    names = {path.name for path in (record / "statements").iterdir()}
    assert names == {entry.file for entry in known.entries}
    assert {path.name for path in (record / "roster").iterdir()} == {
        "1.root.json", "targets.json", "roster.json", "policy.txt",
    }  # fmt: skip
    revealed = {one.samples.digest for _, one in known.of_kind(Evidence)}
    blobs = list((record / "blobs" / "sha256").iterdir())
    assert {f"sha256:{path.name}" for path in blobs} == revealed
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in blobs)
    assert (record / "site" / "index.html").is_file()


def test_no_private_file_is_in_it(record: Path) -> None:
    for path in record.rglob("*"):
        if path.is_file():
            assert b"PRIVATE KEY" not in path.read_bytes()
            assert path.suffix not in {".pem", ".db", ".toml", ".eval"}


def test_anyone_may_read_it(record: Path) -> None:
    assert record.stat().st_mode & 0o777 == 0o755


def test_what_no_quorum_has_seen_is_not_published(snapshots: Snapshots, tmp_path: Path) -> None:
    node = snapshots.at("signed", tmp_path).institutes["GB"]
    before = write_record(node, tmp_path / "before").statements
    node.say(Countersignature(institute="GB", of="sha256:" + "0" * 64, of_kind="finding"))
    assert len(book(node).entries) == before + 1
    assert write_record(node, tmp_path / "after").statements == before


def test_samples_that_the_public_may_not_read_are_not_published(
    snapshots: Snapshots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = snapshots.at("revealed", tmp_path).institutes["GB"]
    asked: list[str] = []

    def nobody(reader: str, *_: object) -> Permission:
        asked.append(reader)
        return Permission(allowed=False, rule=2, reason="not yet")

    monkeypatch.setattr(module, "may_read_samples", nobody)
    write_record(node, tmp_path / "record")
    assert not (tmp_path / "record" / "blobs").exists()
    assert set(asked) == {"public"}


def test_an_earlier_record_is_replaced_as_a_whole(snapshots: Snapshots, tmp_path: Path) -> None:
    node = snapshots.at("signed", tmp_path / "net").institutes["GB"]
    out = tmp_path / "out" / "record"
    write_record(node, out)
    (out / "statements" / "stray.json").write_text("{}")
    write_record(node, out)
    assert not (out / "statements" / "stray.json").exists()
    assert [path.name for path in out.parent.iterdir()] == ["record"]


def test_the_same_node_gives_the_same_bytes(snapshots: Snapshots, tmp_path: Path) -> None:
    node = snapshots.at("signed", tmp_path / "net").institutes["GB"]
    write_record(node, tmp_path / "a")
    write_record(node, tmp_path / "b")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_a_folder_that_holds_something_else_is_left_alone(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    snapshots.at("signed", tmp_path / "net")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    node = tmp_path / "net" / "nodes" / "GB"
    ran = countermark("site", "build", "--node", node, "--out", tmp_path / "mine")
    assert ran.code == 1
    assert "no public record" in ran.err
    assert tree(tmp_path / "mine").keys() == {"thesis.txt"}


def test_an_empty_folder_may_be_written_to(snapshots: Snapshots, tmp_path: Path) -> None:
    snapshots.at("signed", tmp_path / "net")
    (tmp_path / "empty").mkdir()
    node = tmp_path / "net" / "nodes" / "GB"
    value = done("site", "build", "--node", node, "--out", tmp_path / "empty", "--json").value
    assert value["front"] == str(tmp_path / "empty" / "site" / "index.html")
    assert value["statements"] == len(list((tmp_path / "empty" / "statements").iterdir()))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_a_record_that_stops_half_way_leaves_the_earlier_one(
    snapshots: Snapshots,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: type[BaseException],
) -> None:
    node = snapshots.at("signed", tmp_path / "net").institutes["GB"]
    out = tmp_path / "out" / "record"
    write_record(node, out)
    before = tree(out.parent)

    def stopped(*_: object) -> int:
        raise stop

    monkeypatch.setattr(module, "build_site", stopped)
    with pytest.raises(stop):
        write_record(node, out)
    assert tree(out.parent) == before


def test_what_stood_there_comes_back_when_the_new_cannot_take_its_place(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.txt").write_text("old")
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    moved = Path.replace

    def only_the_old(self: Path, target: Path) -> Path:
        if self == fresh:
            raise KeyboardInterrupt
        return moved(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", only_the_old)
        with pytest.raises(KeyboardInterrupt):
            put_in_place(fresh, out)
    assert tree(out).keys() == {"old.txt"}


def test_the_old_goes_away_only_when_the_new_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while the old one is being removed, the new one is whole and in its place."""
    for name in ("out", "fresh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", stopped)
    with pytest.raises(KeyboardInterrupt):
        put_in_place(tmp_path / "fresh", tmp_path / "out")
    assert tree(tmp_path / "out").keys() == {"fresh.txt"}


def test_a_node_that_knows_no_roster_has_no_record(tmp_path: Path) -> None:
    words = ("--code", "KE", "--name", "N", "--origin", "ke.example/log", "--unencrypted")
    done("node", "init", tmp_path / "n", *words)
    ran = countermark("site", "build", "--node", tmp_path / "n", "--out", tmp_path / "record")
    assert ran.code == StateError.exit_code
    assert "has no roster" in ran.err
    assert not (tmp_path / "record").exists()
