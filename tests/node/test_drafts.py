# SPDX-License-Identifier: Apache-2.0
"""Drafts are kept at once or not at all: under races, kills and stale saves."""

import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from types import FrameType

import pytest
from annotation_desk import BATCH, NOW, Office, open_office, plain_answers

from countermark.node.drafts import Drafts, Held, hashed
from countermark.records.errors import StateError

ITEM = f"{0:016x}"
OPERATIONS = {"commit", "execute"}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(tmp_path / "node", plain_answers(3))


def save(office: Office, label: str, over: int, name: str = "rater-1") -> tuple[bool, Held]:
    with Drafts(office.node.state).locked() as kept:
        return kept.save(BATCH, ITEM, name, label, over, NOW)


def held(office: Office, name: str = "rater-1") -> Held | None:
    with Drafts(office.node.state).locked() as kept:
        return kept.label(BATCH, ITEM, name)


def test_rule_1_what_is_saved_under_a_lock_that_fails_is_not_kept(office: Office) -> None:
    def interrupted() -> None:
        with Drafts(office.node.state).locked() as kept:
            kept.save(BATCH, ITEM, "rater-1", "yes", 0, NOW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert held(office) is None


def test_rule_1_a_process_killed_at_any_step_of_a_save_loses_nothing_confirmed(
    office: Office,
) -> None:
    """A child saves labels one after the other and tells of each; it is killed at every step."""
    point, killed = 0, True
    while killed:
        before = held(office)
        told, killed = _saves_until(office, point)
        version = (before.version if before else 0) + told
        now = held(office)
        assert version <= (now.version if now else 0) <= version + 1
        with Drafts(office.node.state).locked() as kept:
            assert len(kept.answers(BATCH, "mild-refusal", "en")) == 3
        point += 1
    assert point > 20


def _saves_until(office: Office, point: int) -> tuple[int, bool]:
    """Return how many saves a child confirmed before it was killed, and whether it was."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        left = iter(range(point))

        def watch(_: FrameType, event: str, thing: object) -> None:
            known = event in {"c_call", "c_return"} and getattr(thing, "__name__", "") in OPERATIONS
            if known and next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            now = held(office)
            version = now.version if now else 0
            sys.setprofile(watch)
            for label in ("yes", "no", "unsure"):
                other = label if now is None or now.label != label else "skip"
                done, now = save(office, other, version)
                version = now.version
                os.write(writing, b"1" if done else b"0")
            sys.setprofile(None)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().count(b"1")
    _, status = os.waitpid(child, 0)
    return told, os.WIFSIGNALED(status)


def test_rule_2_a_save_over_what_stands_is_kept(office: Office) -> None:
    assert save(office, "yes", 0) == (True, Held("yes", 1))
    assert save(office, "no", 1) == (True, Held("no", 2))
    assert held(office) == Held("no", 2)
    assert held(office, "rater-2") is None


@pytest.mark.parametrize("over", [0, 2, -1])
def test_rule_2_a_stale_save_changes_nothing_and_says_what_stands(
    office: Office, over: int
) -> None:
    save(office, "yes", 0)
    assert save(office, "no", over) == (False, Held("yes", 1))
    assert held(office) == Held("yes", 1)


def test_rule_2_a_save_that_is_sent_again_does_no_harm(office: Office) -> None:
    save(office, "yes", 0)
    assert save(office, "yes", 0) == (True, Held("yes", 1))


def test_rule_2_of_two_tabs_that_save_at_once_one_wins(office: Office) -> None:
    for turn in range(6):
        now = held(office)
        version = now.version if now else 0
        results: list[bool] = []
        labels = ("yes", "no") if turn % 2 else ("unsure", f"{turn}")

        def tab(label: str, over: int = version, results: list[bool] = results) -> None:
            results.append(save(office, label, over)[0])

        threads = [threading.Thread(target=tab, args=(label,)) for label in labels]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == [False, True]


def test_rule_3_no_secret_is_in_the_file(office: Office) -> None:
    secret = office.session("rater-1")
    data = (office.node.folder.root / "state.db").read_bytes()
    assert secret.encode() not in data
    assert office.links["rater-1"].encode() not in data
    assert hashed(secret).encode() in data


def test_rule_3_links_and_sessions_expire_and_end_with_their_person(office: Office) -> None:
    secret, desk = office.session("rater-1"), office.desk
    assert desk.session(secret) is not None
    with Drafts(office.node.state).locked() as kept:
        assert kept.holder("link", secret, NOW) is None  # a session is no link
        assert kept.holder("session", office.links["rater-1"], NOW) is None
        kept.revoke(BATCH, "rater-2", NOW)
    assert desk.session(secret) is not None
    assert desk.enter(office.links["rater-2"]) is None
    with Drafts(office.node.state).locked() as kept:
        kept.revoke(BATCH, "rater-1", NOW)
    assert desk.session(secret) is None
    third = office.session("third")
    office.clock.now = office.clock.now.replace(year=2027)
    assert desk.session(third) is None
    assert desk.enter(office.links["third"]) is None


def test_a_batch_is_drawn_once(office: Office) -> None:
    with Drafts(office.node.state).locked() as kept:
        (batch,) = kept.batches()
        with pytest.raises(StateError, match="was drawn already"):
            kept.begin(batch, (), NOW)


def test_heads_and_drafts_share_a_file_of_the_same_format(office: Office) -> None:
    with sqlite3.connect(office.node.folder.root / "state.db") as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        (number,) = connection.execute("SELECT number FROM format").fetchone()
    connection.close()
    assert {"heads", "annotation_labels", "annotation_tokens"} <= names
    assert number == 1
