# SPDX-License-Identifier: Apache-2.0
"""Appending, with a crash between every two steps and with two processes at once."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodes import snapshot, spoil

from countermark.node import files as files_module
from countermark.node import log as log_module
from countermark.node.log import EMPTY, OWN, LogFolder, append, own_head
from countermark.node.state import Head, Heads, State
from countermark.records.errors import InputError, StateError, VerificationError
from countermark.signing.keys import generate_key
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.note import Note, NoteSigner
from countermark.transparency.tile_audit import audit
from countermark.transparency.tiles import plan_append, read_entries
from countermark.transparency.tree import EMPTY_ROOT, leaf_hash, root_hash

ORIGIN = "ke.example/log"


class Crash(BaseException):
    """The process is killed here."""


class Process:
    """One process that has the log open; all others have it open too."""

    def __init__(self, root: Path, signer: NoteSigner) -> None:
        self.root, self.signer = root, signer
        self.log, self.state = LogFolder(root / "log"), State(root / "state.db")

    def append(self, *entries: bytes) -> Head:
        return append(self.log, self.state, self.signer, entries)

    def published(self) -> Head:
        return self.log.head(self.signer.log_key)

    def again(self) -> "Process":
        return Process(self.root, self.signer)

    def entries(self) -> list[bytes]:
        size = self.published().size
        return list(read_entries(self.log.read, 0, size, size))


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path, NoteSigner(ORIGIN, generate_key()))


@pytest.fixture
def checkpoints(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Head]]:
    """Every checkpoint that is ever written; at the end they must all be of one log."""
    seen: list[Head] = []
    real = sign_checkpoint

    def noting(checkpoint: Checkpoint, signer: NoteSigner) -> Note:
        seen.append(Head(checkpoint.size, checkpoint.root))
        return real(checkpoint, signer)

    monkeypatch.setattr(log_module, "sign_checkpoint", noting)
    yield seen
    assert len({head.root for head in seen}) == len({head.size for head in seen})


def sound(process: Process) -> None:
    """The published log is whole, and every checkpoint before it was of the same tree."""
    head = process.published()
    assert audit(process.log.read, head.size, head.root).problems == ()
    assert head.root == root_hash([leaf_hash(entry) for entry in process.entries()])
    assert process.state.head(OWN, ORIGIN) == head


def test_a_new_log_is_empty(process: Process) -> None:
    assert process.published() == EMPTY == Head(0, EMPTY_ROOT)
    assert process.log.note() is None
    assert process.log.proof(0) is None


def test_appending_publishes_one_checkpoint_over_all(
    process: Process, checkpoints: list[Head]
) -> None:
    assert process.append(b"one", b"two") == process.published()
    process.again().append(b"three")
    assert [head.size for head in checkpoints] == [2, 3]
    assert process.entries() == [b"one", b"two", b"three"]
    sound(process)


def test_a_log_of_more_than_one_tile(process: Process, checkpoints: list[Head]) -> None:
    entries = [b"%d" % number for number in range(600)]
    for start, end in ((0, 255), (255, 256), (256, 257), (257, 600)):
        process.append(*entries[start:end])
        sound(process)
    assert process.entries() == entries


def writes(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so many files be written, then crash."""
    left = iter(range(count))
    real = files_module.write_atomic

    def write(path: Path, data: bytes, *, flush_folder: bool = True) -> None:
        if next(left, None) is None:
            raise Crash
        real(path, data, flush_folder=flush_folder)

    for module in (files_module, log_module):
        monkeypatch.setattr(module, "write_atomic", write)


def crash(*_: object, **__: object) -> None:
    raise Crash


@pytest.mark.parametrize("files", [0, 1, 2])
def test_rule_3_a_crash_before_or_between_the_tiles_or_before_the_checkpoint(
    process: Process, checkpoints: list[Head], monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    """Entries and hashes are two files; the third is the checkpoint."""
    process.append(b"one")
    with monkeypatch.context() as patched:
        writes(files, patched)
        with pytest.raises(Crash):
            process.append(b"lost")
    after = process.again()
    # Readers see the old log, whole.
    assert after.entries() == [b"one"]
    assert audit(after.log.read, 1, after.published().root).problems == ()
    # Whether the crashed entry is in the log is decided by the head, and by nothing else.
    decided = [b"lost"] if files == 2 else []
    assert (after.state.head(OWN, ORIGIN) or EMPTY).size == 1 + len(decided)
    after.append(b"two")
    assert after.entries() == [b"one", *decided, b"two"]
    sound(after)


@pytest.mark.parametrize(("place", "kept"), [("keep", False), ("own_head", True)])
def test_rule_3_a_crash_just_before_and_just_after_the_head_moves(
    process: Process,
    checkpoints: list[Head],
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    *,
    kept: bool,
) -> None:
    process.append(b"one")
    with monkeypatch.context() as patched:
        patched.setattr(Heads if place == "keep" else log_module, place, crash)
        with pytest.raises(Crash):
            process.append(b"two")
    after = process.again()
    assert after.published().size == 1
    # The head alone says it; opening the log again signs the checkpoint that the crash prevented.
    assert own_head(after.log, after.state, after.signer).size == 1 + kept
    assert after.published().size == 1 + kept
    sound(after)
    after.append(b"three")
    assert after.entries() == [b"one", *([b"two"] if kept else []), b"three"]
    sound(after)


def test_rule_3_crash_after_crash(
    process: Process, checkpoints: list[Head], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty appends, each crashing after another number of files; nothing is ever forked."""
    current = process
    for turn in range(30):
        with monkeypatch.context() as patched:
            writes(turn % 4, patched)
            try:
                current.append(*(b"%d.%d" % (turn, part) for part in range(1 + turn * 7 % 40)))
            except Crash:
                current = current.again()
        head = current.published()
        assert audit(current.log.read, head.size, head.root).problems == ()
    current.append(b"end")
    sound(current)
    assert len(checkpoints) >= 7


def test_rule_4_a_checkpoint_ahead_of_state_db_stops_the_log(process: Process) -> None:
    process.append(b"one")
    backup = (process.root / "state.db").read_bytes()
    process.append(b"two")
    (process.root / "state.db").write_bytes(backup)
    before = snapshot(process.root)
    for use in (lambda p: p.append(b"other"), lambda p: own_head(p.log, p.state, p.signer)):
        with pytest.raises(StateError, match="restored from a backup") as caught:
            use(process.again())
        assert "never continue a log from an older one" in caught.value.next_step
    assert snapshot(process.root) == before


def test_rule_4_a_state_db_that_was_deleted_stops_the_log(process: Process) -> None:
    process.append(b"one")
    (process.root / "state.db").unlink()
    with pytest.raises(StateError, match="restored from a backup"):
        process.again().append(b"two")


def test_rule_4_a_checkpoint_of_the_same_size_and_another_root_stops_the_log(
    process: Process, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Process(tmp_path / "other", process.signer)
    process.append(b"one")
    other.append(b"another")
    spoil(process.root / "log/checkpoint", (other.root / "log/checkpoint").read_bytes())
    with pytest.raises(StateError, match="restored from a backup"):
        process.append(b"two")


def test_rule_2_a_changed_tile_is_not_signed_over(process: Process) -> None:
    process.append(b"one", b"two", b"three")
    spoil(process.root / "log/tile/0/000.p/3")
    before = snapshot(process.root)
    with pytest.raises(VerificationError, match="tiles that do not give the root"):
        process.append(b"four")
    assert snapshot(process.root) == before


def test_a_checkpoint_by_another_key_is_refused(process: Process) -> None:
    process.append(b"one")
    stranger = NoteSigner(ORIGIN, generate_key())
    with pytest.raises(VerificationError, match="is not signed by the log"):
        append(process.log, process.state, stranger, [b"two"])


def test_rule_1_another_process_that_appended_is_followed(
    process: Process, checkpoints: list[Head]
) -> None:
    other = process.again()
    process.append(b"one")
    other.append(b"two")
    process.append(b"three")
    assert other.entries() == [b"one", b"two", b"three"]
    sound(other)


def test_rule_1_another_process_never_writes_into_a_running_append(
    process: Process, checkpoints: list[Head], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second wants to append just after the first has read the head: it has to wait."""
    process.append(b"zero")
    other, entered = process.again(), threading.Event()
    thread = threading.Thread(target=lambda: other.append(b"two"))
    real = plan_append

    def slowly(*given: object) -> object:
        if not entered.is_set():
            entered.set()
            thread.start()
            thread.join(0.3)
            assert thread.is_alive()
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(log_module, "plan_append", slowly)
    process.append(b"one")
    thread.join()
    assert process.entries() == [b"zero", b"one", b"two"]
    sound(process)


def test_rule_1_many_threads_append_and_nothing_is_lost(
    process: Process, checkpoints: list[Head]
) -> None:
    failed: list[BaseException] = []

    def run(number: int) -> None:
        own = process.again()
        try:
            for turn in range(5):
                own.append(b"%d.%d" % (number, turn))
        except BaseException as error:  # noqa: BLE001  a thread's error has to reach the test
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(process.entries()) == sorted(
        b"%d.%d" % (number, turn) for number in range(4) for turn in range(5)
    )
    sound(process)


def test_rule_3_a_slow_publisher_does_not_take_a_newer_checkpoint_back(
    process: Process, checkpoints: list[Head], monkeypatch: pytest.MonkeyPatch
) -> None:
    other, real = process.again(), log_module.own_head
    turns = iter([True])

    def late(*given: object) -> Head:
        if next(turns, False):
            other.append(b"two")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(log_module, "own_head", late)
    assert process.append(b"one").size == 1
    assert process.published().size == 2
    sound(process)


def test_an_entry_that_is_too_long_changes_nothing(process: Process) -> None:
    process.append(b"one")
    before = snapshot(process.root)
    with pytest.raises(InputError, match="a log entry has at most 65,535"):
        process.append(b"two", bytes(65_536))
    assert snapshot(process.root) == before


def test_a_log_extends_its_own_earlier_heads_and_no_others(process: Process) -> None:
    heads = [process.append(b"%d" % number) for number in range(9)]
    for earlier in (EMPTY, *heads):
        assert process.log.extends(heads[-1], earlier)
    assert not process.log.extends(heads[-1], Head(4, heads[4].root))
    assert not process.log.extends(heads[3], heads[4])
