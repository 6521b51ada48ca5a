# SPDX-License-Identifier: Apache-2.0
"""The index is a projection: whatever becomes of it, the logs and blobs give the same again."""

import shutil
import sqlite3
import threading
from contextlib import closing as closed
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from nodes import HONEST, PROTOCOL, Network, config, plan, snapshot, spoil

from countermark.network.sync import pull, settle
from countermark.node import index
from countermark.node.blobs import blob_path
from countermark.node.book import Book
from countermark.node.index import book, refresh, reindex, statement_file, statement_name
from countermark.node.node import Node
from countermark.records.errors import StateError, StorageError, VerificationError
from countermark.records.protocol import Protocol, RunPlan
from countermark.transparency.statement import leaf_of
from countermark.transparency.verify import verify_statement


def contents(node: Node) -> dict[str, list[Any]]:
    """Every row of every table."""
    with closed(sqlite3.connect(node.folder.index)) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        names = [name for name, sql in tables if sql and sql.startswith("CREATE TABLE")]
        return {"": tables} | {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall())  # noqa: S608
            for name in names
        }


def spoilt_table(node: Node, table: str) -> None:
    """Overwrite the page on which a table's rows begin."""
    with closed(sqlite3.connect(node.folder.index)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    data = bytearray(node.folder.index.read_bytes())
    data[(page - 1) * size : page * size] = b"\xaa" * size
    node.folder.index.write_bytes(bytes(data))


def test_a_deleted_index_is_rebuilt_row_for_row(network: Network) -> None:
    for code, node in network.nodes.items():
        before, known = contents(node), book(node)
        assert sum(map(len, before.values())) > 17
        node.folder.index.unlink()
        assert reindex(network.open(code)) == 11
        assert contents(node) == before
        assert book(network.open(code)) == known


def test_an_index_brought_up_to_date_is_the_one_built_anew(network: Network) -> None:
    """Statements come unwitnessed, are witnessed, and more come: step by step, or all at once."""
    node, ke = network["GB"], network["KE"]
    for samples in (300, 301, 302):
        node.say(plan("GB", samples))
        book(node)
        ke.say(plan("KE", samples))
        pull(node, {"KE": network.source("KE")})
        refresh(node)
        settle(network.some([*HONEST, "KE"]), network.sources)
        pull(node, network.peers("GB"))
        step_by_step = contents(node)
        reindex(node)
        assert contents(node) == step_by_step


def test_a_stale_index_is_noticed(network: Network) -> None:
    node = network["KE"]
    assert len(book(node).entries) == 11
    node.say(plan("KE", 300))
    assert len(book(node).entries) == 12
    # Another process has said something.
    network.open("KE").say(plan("KE", 301))
    assert len(book(node).entries) == 13
    assert book(node).logs == book(network.open("KE")).logs


def test_new_cosignatures_are_noticed(network: Network) -> None:
    node = network["KE"]
    node.say(plan("KE", 300))
    assert [entry.witnessed for entry in book(node).entries if entry.index == 2][-1] is None
    settle(network.nodes, network.sources)
    (entry,) = [e for e in book(network.open("KE")).entries if (e.author, e.index) == ("KE", 2)]
    assert entry.witnessed is not None
    assert len(entry.witnesses) == 4


def test_an_index_that_is_up_to_date_is_not_written(network: Network) -> None:
    book(network["KE"])
    before = network["KE"].folder.index.stat()
    book(network.open("KE"))
    after = network["KE"].folder.index.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("damage", [b"", b"no database at all", b"SQLite format 3\x00" + bytes(84)])
def test_a_damaged_index_is_rebuilt(network: Network, damage: bytes) -> None:
    node = network["KE"]
    before, known = contents(node), book(node)
    node.folder.index.write_bytes(damage)
    assert book(network.open("KE")) == known
    assert contents(node) == before


@pytest.mark.parametrize("table", ["statements", "logs"])
def test_an_index_damaged_in_one_place_is_rebuilt(network: Network, table: str) -> None:
    node = network["KE"]
    before, known = contents(node), book(node)
    spoilt_table(node, table)
    assert book(network.open("KE")) == known
    assert contents(node) == before
    spoilt_table(node, table)
    node.say(plan("KE", 300))
    assert len(book(network.open("KE")).entries) == 12


def test_a_damaged_index_of_a_node_that_knows_nothing_is_rebuilt(
    network: Network, tmp_path: Path
) -> None:
    node = Node.create(tmp_path / "new", config("GB"), None)
    node.accept_roster(network["GB"].roster_files())
    node.folder.index.write_bytes(b"no database")
    assert book(node).entries == ()


def test_an_index_of_other_tables_is_rebuilt(network: Network) -> None:
    node, known = network["KE"], book(network["KE"])
    node.folder.index.unlink()
    with closed(sqlite3.connect(node.folder.index)) as connection:
        connection.execute("CREATE TABLE logs (author TEXT, checkpoint TEXT)")
        connection.commit()
    assert book(node) == known


def test_a_mirror_that_is_gone_takes_its_rows_with_it(network: Network) -> None:
    node = network["GB"]
    assert {entry.author for entry in book(node).entries} >= {"KE", "JP"}
    shutil.rmtree(node.folder.mirror("KE"))
    assert "KE" not in {entry.author for entry in book(node).entries}
    assert "KE" not in {log.author for log in book(node).logs}


def test_what_stops_the_building_leaves_the_old_index_and_nothing_else(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = network["KE"]
    before = snapshot(node.folder.root)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("countermark.node.index.quorum_of", crash)
        with pytest.raises(KeyboardInterrupt):
            reindex(node)
    assert snapshot(node.folder.root) == before


def test_a_full_disk_is_an_error_of_ours(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    node = network["KE"]
    before = snapshot(node.folder.root)
    real = index._engine

    def tiny(path: Path) -> Any:
        engine = real(path)
        sqlalchemy.event.listen(
            engine, "connect", lambda c, _: c.execute("PRAGMA max_page_count = 2")
        )
        return engine

    with monkeypatch.context() as patched:
        patched.setattr(index, "_engine", tiny)
        with pytest.raises(StorageError, match=r"cannot be written: .*full") as caught:
            reindex(node)
    assert "free space" in caught.value.next_step
    assert snapshot(node.folder.root) == before


def test_threads_that_find_it_stale_at_once_all_do_well(network: Network) -> None:
    network["KE"].say(plan("KE", 300))
    found: list[Book] = []
    gate = threading.Barrier(4)

    def read() -> None:
        gate.wait()
        found.append(book(network.open("KE")))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(one.entries) for one in found] == [12] * 4
    assert {path.name for path in network["KE"].folder.root.iterdir()} == {
        "blobs", "cosignatures", "index.db", "keys", "log", "node.toml", "peers", "roster",
        "state.db",
    }  # fmt: skip


def test_a_lost_envelope_says_to_pull(network: Network) -> None:
    node = network["KE"]
    (entry,) = [e for e in book(node).entries if isinstance(e.record, Protocol)]
    (node.folder.root / blob_path(entry.envelope)).unlink()
    with pytest.raises(StateError, match="lacks the envelope") as caught:
        reindex(network.open("KE"))
    assert "sync pull" in caught.value.next_step
    pull(network.open("KE"), {"GB": network.source("GB")})
    assert reindex(network.open("KE")) == 11


def test_a_changed_envelope_is_not_shown(network: Network) -> None:
    node = network["KE"]
    (entry,) = [e for e in book(node).entries if isinstance(e.record, Protocol)]
    spoil(node.folder.root / blob_path(entry.envelope))
    with pytest.raises(VerificationError, match="is not what its name says"):
        book(network.open("KE"))


def test_the_book_finds_records_by_kind_and_address(network: Network) -> None:
    known = book(network["KE"])
    ((entry, protocol),) = known.of_kind(Protocol)
    assert (protocol, entry.author, entry.origin) == (PROTOCOL, "GB", "gb.example/log")
    assert len(known.of_kind(RunPlan)) == 10
    assert known.find(PROTOCOL.digest) == entry
    assert known.find("sha256:" + "0" * 64) is None
    assert known.roster == network["KE"].roster
    order = [(one.author, one.index) for one in known.entries]
    assert order == sorted(order)


def test_a_published_file_verifies_and_has_its_own_name(network: Network) -> None:
    node = network["KE"]
    for entry in book(node).entries:
        data = statement_file(node, entry)
        assert data is not None
        verdict = verify_statement(data, node.roster, node.clock())
        assert (verdict.valid, verdict.author, verdict.index) == (True, entry.author, entry.index)
        assert entry.file == statement_name(entry.record.kind_name(), entry.author, entry.index)
    assert len({entry.file for entry in book(node).entries}) == 11
    assert statement_name("run-plan", "KE", 7) == "run-plan-ke-0007.json"


def test_what_nobody_has_witnessed_has_no_file_yet(network: Network) -> None:
    node = network["KE"]
    node.say(plan("KE", 300))
    (entry,) = [e for e in book(node).entries if (e.author, e.index) == ("KE", 2)]
    assert statement_file(node, entry) is None
    assert leaf_of(node.envelope(entry.envelope))
