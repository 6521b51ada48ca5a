# SPDX-License-Identifier: Apache-2.0
"""A process that is killed while it says something and publishes it: nothing that was said is lost.

A child says one thing after another and has the witnesses cosign each. It tells through a pipe what
was said, once `say` has returned. It is killed (SIGKILL, by itself, at a counted point), and then:

1. the log opens: its tiles, its checkpoint and ``state.db`` agree, or the next use mends them;
2. it holds every statement whose `say` had returned, in order, and at most one more;
3. it continues every checkpoint that was ever published;
4. after the next cosigning an audit finds nothing wrong.

What a killed process wrote stays in the page cache of the kernel. So this cannot show that anything
was flushed to the disk. The last test shows that, by the order in which files are flushed and named.
``COUNTERMARK_CRASH_SEED`` chooses other points.
"""

import os
import random
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from nodes import HONEST, Network, plan

from countermark.node import state as state_module
from countermark.node.audit import audit_node
from countermark.node.log import own_head
from countermark.node.node import Node
from countermark.node.state import Head
from countermark.node.witnessed import collect
from countermark.records.canonical import read_object
from countermark.transparency.cosignature import cosign
from countermark.transparency.note import Note
from countermark.transparency.tiles import read_entries

SEED = int(os.environ.get("COUNTERMARK_CRASH_SEED", "20261123"))
KILLS = 200
LIVES = 10  # of one folder, one after the other
OPERATIONS = {"chmod", "commit", "execute", "fsync", "mkdir", "mkstemp", "open", "replace", "write"}
Point = Callable[[str, object], bool]


def publish(node: Node, network: Network) -> None:
    """Let three witnesses cosign the newest checkpoint, and keep the proofs."""
    note = node.log.note()
    assert note is not None
    lines = [cosign(note.text, network[code].witness_signer, network.clock()) for code in HONEST]
    collect(node, [Note(note.text, (note.signatures[0], line)).to_bytes() for line in lines])


def work(network: Network, tell: int, start: int, rounds: int) -> None:
    """Say and publish; tell what was said."""
    node = network.open("KE")
    for number in range(start, start + rounds):
        record = plan("KE", number)
        node.say(record)
        os.write(tell, f"{record.digest}\n".encode())
        publish(node, network)


def killed(network: Network, start: int, rounds: int, at: Point) -> tuple[list[str], bool]:
    """Run :func:`work` in a child until ``at`` says so; return what it told, and if it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)

            def watch(_: FrameType, event: str, thing: object) -> None:
                if at(event, thing):
                    os.kill(os.getpid(), signal.SIGKILL)

            sys.setprofile(watch)
            work(network, write, start, rounds)
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read().decode().splitlines()
    _, status = os.waitpid(child, 0)
    by_kill = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert by_kill or status == 0, status
    return told, by_kill


def nth(count: int) -> Point:
    """Stop at the so-many-th call, return or line of machinery."""
    left = iter(range(count))
    return lambda _event, _thing: next(left, None) is None


def nth_operation(count: int) -> Point:
    """Stop just before or just after the so-many-th operation on a file or on ``state.db``."""
    left = iter(range(count))

    def here(event: str, thing: object) -> bool:
        operation = event in {"c_call", "c_return"} and getattr(thing, "__name__", "") in OPERATIONS
        return operation and next(left, None) is None

    return here


def said(node: Node) -> list[str]:
    """Content addresses of the statements in the node's log, by its published checkpoint."""
    head = node.log.head(node.log_signer.log_key)
    leaves = read_entries(node.log.read, 0, head.size, head.size)
    return [node.record(str(read_object(leaf, where="leaf")["envelope"])).digest for leaf in leaves]


def recovered(network: Network, before: list[str], head: Head, told: list[str]) -> list[str]:
    """Open the log after a kill and check all four promises; return what it holds."""
    node = network.open("KE")
    node.refuse_damage()
    published = node.log.head(node.log_signer.log_key)
    assert node.log.extends(published, head)
    mended = own_head(node.log, node.state, node.log_signer)
    assert node.log.extends(mended, published)
    now = said(node)
    assert now[: len(before) + len(told)] == before + told
    assert len(now) <= len(before) + len(told) + 1
    publish(node, network)
    assert audit_node(node).problems == ()
    return now


def lives(network: Network, points: Iterator[Point], rounds: int) -> int:
    """Kill one folder again and again; return how often it was."""
    node, kills = network.open("KE"), 0
    kept, head = said(node), node.log.head(node.log_signer.log_key)
    for point in points:
        told, was = killed(network, 1000 + len(kept), rounds, point)
        kept = recovered(network, kept, head, told)
        head, kills = node.log.head(node.log_signer.log_key), kills + was
    return kills


def events(network: Network, count: Callable[[int], Point], rounds: int) -> int:
    """Return at how many points a child could be stopped."""
    low, high = 0, 1
    while killed(network.copied(network.root.parent / f"up{high}"), 1, rounds, count(high))[1]:
        low, high = high, high * 2
    while high - low > 1 + low // 50:
        middle = (low + high) // 2
        probe = network.copied(network.root.parent / f"probe{middle}")
        low, high = (middle, high) if killed(probe, 1, rounds, count(middle))[1] else (low, middle)
    return low


def test_two_hundred_kills_at_random_points_lose_nothing(settled: Network, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    whole = events(settled.copied(tmp_path / "measure"), nth, 2)
    steps = events(settled.copied(tmp_path / "steps"), nth_operation, 2)
    kills, turn = 0, 0
    while kills < KILLS:
        # Half of them anywhere in the program, half of them where a file is touched.
        points = (
            nth(chance.randrange(whole)) if life % 2 else nth_operation(chance.randrange(steps))
            for life in range(LIVES)
        )
        kills += lives(settled.copied(tmp_path / str(turn)), points, 2)
        turn += 1
        assert turn < 2 * KILLS / LIVES
    assert kills >= KILLS


def test_a_kill_at_each_single_operation_in_turn_loses_nothing(
    settled: Network, tmp_path: Path
) -> None:
    point, going = 0, True
    while going:
        network = settled.copied(tmp_path / str(point // LIVES))
        node = network.open("KE")
        kept, head = said(node), node.log.head(node.log_signer.log_key)
        for _ in range(LIVES):
            told, going = killed(network, 1000 + len(kept), 1, nth_operation(point))
            kept = recovered(network, kept, head, told)
            head, point = node.log.head(node.log_signer.log_key), point + 1
            if not going:
                break
    assert point > 60


def test_each_step_is_on_the_disk_before_the_next(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blob, tiles, ``state.db``, checkpoint: contents, then name, then the folder of the name."""
    node, steps = network.open("KE"), list[str]()
    root, names = str(node.folder.root), dict[int, str]()
    replace, keep = Path.replace, state_module.Heads.keep

    def room(path: str) -> str:
        return path.removeprefix(root + "/").partition("/tile")[0].partition("/sha256")[0]

    def fsync(number: int) -> None:
        folder = stat.S_ISDIR(os.fstat(number).st_mode)
        name = room(os.readlink(f"/proc/self/fd/{number}"))
        steps.append(f"flush {'folder' if folder else 'file'} {name.partition('/.')[0]}")

    def rename(self: Path, target: Path) -> Path:
        steps.append(f"name {room(str(target.parent))}")
        return replace(self, target)

    def kept(self: state_module.Heads, *given: object) -> None:
        keep(self, *given)  # type: ignore[arg-type]
        steps.append("head")

    def committed(*_: object) -> None:
        if steps[-1] == "head":
            steps.append("commit")

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)
    monkeypatch.setattr(state_module.Heads, "keep", kept)
    state_module.event.listen(node.state._engine, "commit", committed)
    node.say(plan("KE", 400))
    durable = [f"{step} {{0}}" for step in ("flush file", "name", "flush folder")]
    once = [[line.format(where) for line in durable] for where in ("blobs", "log")]
    tile_folders = [step for step in steps if step == "flush folder log"]
    assert len(tile_folders) >= 3
    first, rest = steps[:3], [step for step in steps[3:]]
    assert first == once[0]
    middle = rest.index("head")
    assert rest[middle : middle + 2] == ["head", "commit"]
    assert rest[middle + 2 :] == once[1]
    written = [step for step in rest[:middle]]
    for place, step in enumerate(written):
        if step.startswith("name"):
            assert (written[place - 1], written[place + 1]) == ("flush file log", "flush folder log")
    assert sum(step.startswith("name") for step in written) == 2  # entries and hashes
