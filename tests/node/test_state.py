# SPDX-License-Identifier: Apache-2.0
import sqlite3
import threading
from pathlib import Path

import pytest

from countermark.node.state import STATE_FORMAT, Head, State
from countermark.records.errors import StateError, StorageError


def head(size: int, mark: int = 0) -> Head:
    return Head(size, bytes([mark]) * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_a_head_is_kept_for_each_role_and_origin(path: Path) -> None:
    state = State(path)
    assert state.head("log", "a") is None
    assert state.swap("log", "a", None, head(1))
    assert state.swap("witness", "a", None, head(2))
    assert state.swap("log", "b", None, head(3))
    for role, origin, size in (("log", "a", 1), ("witness", "a", 2), ("log", "b", 3)):
        assert State(path).head(role, origin) == head(size)


@pytest.mark.parametrize("expected", [None, head(1, 1), head(2, 0), head(0, 0)])
def test_a_swap_from_another_head_changes_nothing(path: Path, expected: Head | None) -> None:
    State(path).swap("log", "a", None, head(1, 0))
    assert not State(path).swap("log", "a", expected, head(9))
    assert State(path).head("log", "a") == head(1, 0)


def test_a_first_swap_expects_nothing(path: Path) -> None:
    assert not State(path).swap("log", "a", head(0), head(1))
    assert State(path).head("log", "a") is None


@pytest.mark.parametrize("shared", [True, False])
def test_of_racing_swaps_one_wins_each_round(path: Path, *, shared: bool) -> None:
    """Threads with one State, and threads with one each, as two processes would have."""
    first = State(path)
    states = [first if shared else State(path) for _ in range(4)]
    rounds, wins, errors = 12, [], []

    def race(number: int) -> None:
        won = 0
        while (seen := states[number].head("log", "a") or Head(0, b"")).size < rounds:
            old = seen if seen.size else None
            try:
                won += states[number].swap("log", "a", old, head(seen.size + 1, number))
            except StorageError as error:
                errors.append(error)
                return
        wins.append(won)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(wins) == rounds
    final = first.head("log", "a")
    assert final is not None
    assert final.size == rounds


def test_the_lock_makes_others_wait(path: Path) -> None:
    state, order = State(path), []
    started = threading.Event()

    def other() -> None:
        started.set()
        assert State(path).swap("log", "a", head(1), head(2))
        order.append("other")

    thread = threading.Thread(target=other)
    with state.locked() as heads:
        thread.start()
        started.wait()
        thread.join(0.2)
        assert thread.is_alive()
        heads.keep("log", "a", head(1))
        order.append("first")
    thread.join()
    assert order == ["first", "other"]
    assert state.head("log", "a") == head(2)


def test_what_is_kept_under_a_lock_that_fails_is_not_kept(path: Path) -> None:
    def interrupted() -> None:
        with State(path).locked() as heads:
            heads.keep("log", "a", head(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert State(path).head("log", "a") is None


def test_writes_are_flushed_to_the_disk(path: Path) -> None:
    with State(path).locked() as heads:
        level = heads._connection.exec_driver_sql("PRAGMA synchronous").scalar()
    assert level == 3  # EXTRA: the deletion of the journal, which is the commit, too


def test_a_newer_format_is_left_alone(path: Path) -> None:
    State(path).swap("log", "a", None, head(1))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE format SET number = ?", (STATE_FORMAT + 1,))
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match=r"newer Countermark \(format 2, known 1\)") as caught:
        State(path)
    assert caught.value.where == str(path)
    assert path.read_bytes() == before


def test_a_damaged_file_is_not_overwritten(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageError, match="cannot be used") as caught:
        State(path)
    assert "bring back the newest copy" in caught.value.next_step
    assert path.read_bytes() == b"this is no database" * 100


def test_a_folder_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be used: unable to open"):
        State(tmp_path / "gone/state.db")
