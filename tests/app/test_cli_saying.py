# SPDX-License-Identifier: Apache-2.0
"""Logging determinations, accounts and replies: each on its own author's node only."""

import json
from pathlib import Path
from typing import Any

import pytest
from exercise_small import Snapshots
from hand_made_case import LEVEL, determined
from hand_made_finding import framework, threshold
from network_by_hand import Network

from countermark.records.account import Account, Announced, Reply
from countermark.records.base import Record

DEVELOPER = "example-developer"
OLD = framework(threshold(LEVEL), developer=DEVELOPER, demonstration=True)
NEW = OLD.model_copy(update={"label": "2"})
SAID: dict[str, Any] = {"developer": DEVELOPER, "date": "2026-11-01", "demonstration": True}
ACCOUNT = Account(
    before=OLD.digest, after=NEW.digest, changes=(Announced(words="a new label"),), **SAID
)
REPLY = Reply(commitment="ii", words="we read it otherwise", **SAID)
DETERMINED = determined(OLD, "no", determined_by="GB", demonstration=True)


@pytest.fixture
def network(snapshots: Snapshots, tmp_path: Path) -> Network:
    snapshots.at("logged", tmp_path)
    return Network(tmp_path, tmp_path / "protocol.json")


def written(folder: Path, name: str, record: Record) -> Path:
    path = folder / f"{name}.json"
    path.write_bytes(record.to_bytes())
    return path


def test_each_says_it_on_its_own_node(network: Network, tmp_path: Path) -> None:
    old, new = written(tmp_path, "old", OLD), written(tmp_path, "new", NEW)
    calls = (
        ("GB", DETERMINED, ("gate", "determine"), ("--framework", old)),
        ("developer", ACCOUNT, ("framework", "account"), ("--before", old, "--after", new)),
        ("developer", REPLY, ("commitments", "reply"), ()),
    )
    for node, record, verb, more in calls:
        file = written(tmp_path, verb[1], record)
        other = "GB" if node == "developer" else "JP"
        refused = network.run(other, *verb, file, *more)
        assert refused.code == 1
        logged = network.done(node, *verb, file, *more, "--json")
        assert logged.value["kind"] == record.kind_name()


def test_what_does_not_fit_the_framework_is_not_logged(network: Network, tmp_path: Path) -> None:
    odd = written(tmp_path, "odd", DETERMINED.model_copy(update={"key": "another"}))
    ran = network.run("GB", "gate", "determine", odd, "--framework", written(tmp_path, "old", OLD))
    assert ran.code == 1
    assert "names no threshold" in ran.err


def test_slips_are_told_before_it_is_logged(network: Network, tmp_path: Path) -> None:
    value = {**REPLY.to_value(), "of": "sha256:" + "1" * 64, "word": "?", "date": "9999-01-01"}
    file = tmp_path / "reply.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    ran = network.done("developer", "commitments", "reply", file)
    assert "the field word is not known and changes nothing" in ran.err
    assert "its date, 9999-01-01, is yet to come" in ran.err
    assert "this node has no statement of sha256:1" in ran.err


def test_a_reply_to_nothing_is_not_logged(network: Network, tmp_path: Path) -> None:
    value = {key: one for key, one in REPLY.to_value().items() if key != "commitment"}
    file = tmp_path / "reply.json"
    file.write_text(json.dumps(value | {"statement": "sha256:" + "1" * 64}), encoding="utf-8")
    ran = network.run("developer", "commitments", "reply", file)
    assert (ran.code, ran.out) == (1, "")
    assert "answers nothing" in ran.err
    assert "Give of, the digest of the statement" in ran.err
