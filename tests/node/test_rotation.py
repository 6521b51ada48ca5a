# SPDX-License-Identifier: Apache-2.0
"""New keys: made first, listed by the members, and used from when the roster says."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from nodes import EXPIRES, Network, plan

from countermark.network.sync import settle
from countermark.node.audit import audit_node
from countermark.node.index import book
from countermark.node.log import CHECKPOINT
from countermark.node.node import Node, timestamp
from countermark.node.rotation import KeyName, has_new_keys, prepare, signers, switch
from countermark.records.errors import StateError
from countermark.signing.ceremony import draft_next, members_of, sign_draft
from countermark.signing.changes import policy_for, renew, replace_policy
from countermark.signing.party import Party
from countermark.signing.roster import POLICY_FILE, ROSTER_FILE, parse_content


def renewed(network: Network, entry: Party, at: str) -> dict[str, bytes]:
    kept = dict(network["GB"].roster_files())
    content = renew(parse_content(kept[ROSTER_FILE]), entry, at)
    texts = {POLICY_FILE: kept[POLICY_FILE]}
    content, texts = replace_policy(content, texts, policy_for(content.parties, 3), at)
    files = draft_next(kept, content, texts, members_of(kept), EXPIRES)
    return sign_draft(files, *(network[code].signer for code in ("GB", "JP", "SG")))


def rotate(network: Network, *names: KeyName) -> dict[str, bytes]:
    entry = prepare(network["KE"], names)
    return renewed(network, entry, timestamp(network.clock()))


@pytest.mark.parametrize("names", [("statement",), ("log",), ("witness",)])
def test_a_node_goes_on_with_new_keys(network: Network, names: tuple[KeyName, ...]) -> None:
    files = rotate(network, *names)
    ke = network["KE"]
    before = ke.folder.key(names[0]).read_bytes()
    assert has_new_keys(ke)
    for node in network.nodes.values():
        node.accept_roster(files)
    assert switch(ke) == names
    assert ke.folder.key(names[0]).read_bytes() != before
    assert not has_new_keys(ke)
    reopened = {code: network.open(code) for code in network.codes}
    reopened["KE"].say(plan("KE", 311))
    settle(reopened, network.sources)
    found = [entry for entry in book(reopened["GB"]).entries if entry.author == "KE"]
    assert len(found) == 3
    assert all(entry.witnessed for entry in found), "what was said before and what was said after"
    for node in reopened.values():
        if node.code != "example-developer":
            assert audit_node(node).problems == ()


def test_rule_2_a_key_is_not_used_before_its_time(network: Network) -> None:
    entry = prepare(network["KE"], ("statement",))
    later = timestamp(network.clock.now + timedelta(hours=1))
    files = renewed(network, entry, later)
    ke = network["KE"]
    ke.accept_roster(files)
    assert switch(ke) == ()
    network.clock.now += timedelta(hours=1)
    assert switch(ke) == ("statement",)


def test_rule_3_a_log_whose_state_went_back_is_not_signed_again(network: Network) -> None:
    ke = network["KE"]
    backup = (ke.folder.root / "state.db").read_bytes()
    ke.say(plan("KE", 311))
    files = rotate(network, "log")
    ke.accept_roster(files)
    (ke.folder.root / "state.db").write_bytes(backup)
    published = ke.log.read(CHECKPOINT)
    reopened = network.open("KE")
    with pytest.raises(StateError, match="restored from a backup"):
        switch(reopened)
    assert ke.log.read(CHECKPOINT) == published, "a checkpoint that was published is never replaced"


def test_rule_3_a_crash_before_the_key_is_in_its_place_is_mended(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    ke = network["KE"]
    ke.accept_roster(rotate(network, "log"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", _only_keys(killed))
        with pytest.raises(KeyboardInterrupt):
            switch(ke)
    assert has_new_keys(ke)
    reopened = network.open("KE")
    assert switch(reopened) == ("log",)
    reopened.say(plan("KE", 311))


def _only_keys(killed: Callable[..., object]) -> Callable[[Path, Path], object]:
    replace = Path.replace

    def chosen(path: Path, target: Path) -> object:
        return killed() if path.name == "log-next.pem" else replace(path, target)

    return chosen


@pytest.mark.parametrize("name", ["log", "witness"])
def test_keys_that_are_drafted_for_later_stop_nobody_until_then(
    network: Network, name: KeyName
) -> None:
    entry = prepare(network["KE"], (name,))
    later = network.clock.now + timedelta(hours=1)
    files = renewed(network, entry, timestamp(later))
    for node in network.nodes.values():
        node.accept_roster(files)
    reopened = {code: network.open(code) for code in network.codes}
    reopened["KE"].say(plan("KE", 312))
    settle(reopened, network.sources)
    network.clock.now = later
    assert switch(reopened["KE"]) == (name,)
    again = {code: network.open(code) for code in network.codes}
    again["KE"].say(plan("KE", 313))
    settle(again, network.sources)
    found = [entry for entry in book(again["GB"]).entries if entry.author == "KE"]
    assert len(found) == 4
    assert all(entry.witnessed for entry in found)


def test_rule_1_new_keys_are_made_once_and_sign_with_the_old(network: Network) -> None:
    ke = network["KE"]
    assert len(signers(ke)) == 1
    prepare(ke, ("statement",))
    old, new = signers(ke)
    assert old.public_key.keyid != new.public_key.keyid
    assert ke.signer.public_key.keyid == old.public_key.keyid
    with pytest.raises(StateError, match="already"):
        prepare(ke, ("log", "statement"))
    assert len(list(ke.folder.keys.iterdir())) == 4


def test_a_node_that_is_not_listed_has_nothing_to_rotate(network: Network) -> None:
    ke = network["KE"]
    stranger = Node(ke.folder, ke.config.model_copy(update={"code": "ZZ"}), None, network.clock)
    with pytest.raises(StateError, match="not in the roster"):
        prepare(stranger, ("log",))
