# SPDX-License-Identifier: Apache-2.0
"""A process that is killed while it says something and publishes it: nothing that was said is lost.

A child says one thing after another and has the witnesses cosign each. It tells through a pipe what
was said, once `say` has returned. It is killed (SIGKILL), and then:

1. the log opens: its tiles, its checkpoint and ``state.db`` agree, or the next use mends them;
2. it holds every statement whose `say` had returned, in order, and at most one more;
3. it continues the checkpoint that was published before;
4. its tiles are whole, and after the next cosigning an audit finds nothing wrong.

What a killed process wrote stays in the page cache of the kernel, so this cannot show that anything
was flushed to the disk. The last test does, by the order in which files are flushed and named.
``COUNTERMARK_CRASH_SEED`` chooses other points. `make test` kills at some moments and at every
fifth operation; `make nightly` at more moments, and at each operation.
"""

import os
import random
import signal
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from nodes import HONEST, Network, plan
from sqlalchemy import event

from countermark.node import state as state_module
from countermark.node.audit import audit_node
from countermark.node.log import own_head
from countermark.node.state import Head
from countermark.node.witnessed import collect
from countermark.records.canonical import read_object
from countermark.transparency.cosignature import cosign
from countermark.transparency.note import Note
from countermark.transparency.tile_audit import audit
from countermark.transparency.tiles import read_entries

SEED = int(os.environ.get("COUNTERMARK_CRASH_SEED", "20261123"))
LIVES = 20  # of one folder, one after the other
OPERATIONS = {"chmod", "commit", "execute", "fsync", "mkdir", "mkstemp", "open", "replace", "write"}


class Life:
    """KE's node, which is used by one child after another, each of which is killed."""

    def __init__(self, network: Network) -> None:
        self.node = network["KE"]
        self.clock = network.clock
        # They change nothing, so the nodes that all tests share will do.
        self.witnesses = [network[code].witness_signer for code in HONEST]
        self.node.roster, self.node.signer, self.node.log_signer  # noqa: B018  read before forking
        self.kept, self.head = self.said(), self.published()
        self.number = 1000

    def published(self) -> Head:
        return self.node.log.head(self.node.log_signer.log_key)

    def said(self) -> list[str]:
        """Content addresses of the statements in the published log."""
        size = self.published().size
        leaves = read_entries(self.node.log.read, 0, size, size)
        names = [str(read_object(leaf, where="leaf")["envelope"]) for leaf in leaves]
        return [self.node.record(name).digest for name in names]

    def publish(self) -> None:
        """Let the witnesses cosign the newest checkpoint, and keep the proofs."""
        note = self.node.log.note()
        assert note is not None
        lines = [cosign(note.text, witness, self.clock()) for witness in self.witnesses]
        collect(
            self.node, [Note(note.text, (note.signatures[0], line)).to_bytes() for line in lines]
        )

    def work(self, tell: int, rounds: int) -> None:
        """Say and publish; tell what was said."""
        for number in range(self.number, self.number + rounds):
            record = plan("KE", number)
            self.node.say(record)
            os.write(tell, f"{record.digest}\n".encode())
            self.publish()

    def killed(self, rounds: int, arm: Callable[[], None], delay: float | None = None) -> bool:
        """Run :meth:`work` in a child that is killed; check all promises; return if it was.

        ``arm`` is called in the child, and may see to it that it kills itself; else it is killed
        after ``delay`` seconds.
        """
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(read)
                arm()
                self.work(write, rounds)
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        if delay is not None:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
        with os.fdopen(read, "rb") as pipe:
            told = pipe.read().decode().splitlines()
        _, status = os.waitpid(child, 0)
        self.recovered(told)
        self.number += rounds
        by_kill = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert by_kill or status == 0, status
        return by_kill

    def recovered(self, told: list[str]) -> None:
        """Open the log after a kill and check the promises."""
        self.node.refuse_damage()
        log, published = self.node.log, self.published()
        assert log.extends(published, self.head)
        mended = own_head(log, self.node.state, self.node.log_signer)
        assert log.extends(mended, published)
        assert audit(log.read, mended.size, mended.root).problems == ()
        now, sure = self.said(), self.kept + told
        assert now[: len(sure)] == sure
        assert len(now) <= len(sure) + 1
        self.kept, self.head = now, mended

    def end(self) -> None:
        """Check that the log can be published and is whole."""
        self.publish()
        assert audit_node(self.node).problems == ()


def kill_at_operation(count: int) -> None:
    """Kill this process before or after the so-many-th operation on a file or ``state.db``."""
    left = iter(range(count))

    def watch(_: FrameType, event: str, thing: object) -> None:
        if (
            event in {"c_call", "c_return"}
            and getattr(thing, "__name__", "") in OPERATIONS
            and next(left, None) is None
        ):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


@pytest.mark.parametrize("least", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_kills_at_random_moments_lose_nothing(settled: Network, tmp_path: Path, least: int) -> None:
    chance, kills, turn = random.Random(SEED), 0, 0  # noqa: S311  it chooses moments, no keys
    while kills < least:
        life = Life(settled.copied(tmp_path / str(turn)))
        begun = time.monotonic()
        life.killed(2, lambda: None)
        whole = time.monotonic() - begun
        kills += sum(life.killed(4, lambda: None, chance.uniform(0, whole)) for _ in range(LIVES))
        life.end()
        turn += 1
        assert turn < 2 * least / LIVES


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_at_a_single_operation_loses_nothing(
    settled: Network, tmp_path: Path, stride: int
) -> None:
    point, going = SEED % stride, True
    while going:
        life = Life(settled.copied(tmp_path / str(point)))
        for _ in range(LIVES):
            going = life.killed(1, lambda: kill_at_operation(point))  # noqa: B023  used at once
            point += stride
            if not going:
                break
        life.end()
    assert point > 60


def test_each_step_is_on_the_disk_before_the_next(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blob, tiles, ``state.db``, checkpoint: contents, then name, then the folder of the name."""
    node, steps = network.open("KE"), list[str]()
    root = str(node.folder.root)
    replace, keep = Path.replace, state_module.Heads.keep

    def room(path: str) -> str:
        return path.removeprefix(root + "/").partition("/tile")[0].partition("/sha256")[0]

    def fsync(number: int) -> None:
        folder = stat.S_ISDIR(os.fstat(number).st_mode)
        name = room(str(Path(f"/proc/self/fd/{number}").readlink()))
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
    event.listen(node.state._engine, "commit", committed)
    node.say(plan("KE", 400))
    durable = [f"{step} {{0}}" for step in ("flush file", "name", "flush folder")]
    once = [[line.format(where) for line in durable] for where in ("blobs", "log")]
    tile_folders = [step for step in steps if step == "flush folder log"]
    assert len(tile_folders) >= 3
    first, rest = steps[:3], steps[3:]
    assert first == once[0]
    middle = rest.index("head")
    assert rest[middle : middle + 2] == ["head", "commit"]
    assert rest[middle + 2 :] == once[1]
    written = rest[:middle]
    names = [place for place, step in enumerate(written) if step.startswith("name")]
    assert all(written[place - 1] == "flush file log" for place in names)
    # The folders of the names are flushed together, after the last and before the head moves.
    assert written[names[-1] + 1 :] == ["flush folder log"] * 2
    assert sum(step.startswith("name") for step in written) == 2  # entries and hashes
