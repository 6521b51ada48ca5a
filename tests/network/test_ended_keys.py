# SPDX-License-Identifier: Apache-2.0
"""A key that ended before a proof was made undoes the proof; where it can be, it is made anew."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Literal

import pytest
from nodes import EXPIRES, Network, plan, snapshot

from countermark.network.sync import pull, settle
from countermark.node.audit import audit_node
from countermark.node.index import book, statement_file
from countermark.node.node import Node, timestamp
from countermark.node.rotation import KeyName, prepare, switch
from countermark.records.errors import StateError
from countermark.signing.ceremony import draft_next, members_of, sign_draft
from countermark.signing.changes import policy_for, renew, replace_policy
from countermark.signing.keys import generate_key, key_to_pem
from countermark.signing.roster import POLICY_FILE, ROSTER_FILE, parse_content
from countermark.transparency.cosignature import claimed_seconds
from countermark.transparency.note import parse_note
from countermark.transparency.verify import verify_statement

SIGN = ("GB", "SG", "JP")


def witnessed_first(network: Network) -> datetime:
    """When KE's first proof says that it was witnessed."""
    found = [one.witnessed for one in book(network["KE"]).entries if one.author == "KE"]
    return datetime.fromisoformat(min(one for one in found if one))


def stolen(network: Network, *keys: tuple[str, KeyName]) -> None:
    """Everybody accepts a roster in which keys ended before anything was witnessed with them."""
    renewed(network, earliest(network), "revoked", *keys)


def renewed(
    network: Network, at: str, why: Literal["rotated", "revoked"], *keys: tuple[str, KeyName]
) -> None:
    """Everybody accepts a roster with new keys, and uses them."""
    kept = dict(network["GB"].roster_files())
    content = parse_content(kept[ROSTER_FILE])
    for code, name in keys:
        content = renew(content, prepare(network[code], (name,)), at, why)
    texts = {POLICY_FILE: kept[POLICY_FILE]}
    content, texts = replace_policy(content, texts, policy_for(content.parties, 3), at)
    files = draft_next(kept, content, texts, members_of(kept), EXPIRES)
    files = sign_draft(files, *(network[one].signer for one in SIGN))
    for node in network.nodes.values():
        node.accept_roster(files)
    for code, name in keys:
        assert switch(network[code]) == (name,)


def earliest(network: Network) -> str:
    """A time after all began and before anything was witnessed."""
    starts = [grant.valid_from for party in network["GB"].roster.parties for grant in party.roles]
    first = max(starts)
    assert datetime.fromisoformat(first) < witnessed_first(network)
    return first


def reopened(network: Network) -> dict[str, Node]:
    return {code: network.open(code) for code in network.codes}


def files_of(node: Node, author: str = "KE") -> list[bytes | None]:
    return [statement_file(node, one) for one in book(node).entries if one.author == author]


def valid(node: Node, author: str = "KE") -> list[bool]:
    return [
        data is not None and verify_statement(data, node.roster, node.clock()).valid
        for data in files_of(node, author)
    ]


@pytest.mark.parametrize(("code", "name"), [("JP", "witness"), ("KE", "log")])
def test_proofs_that_a_theft_has_undone_are_made_anew_everywhere(
    network: Network, code: str, name: KeyName
) -> None:
    before = files_of(network["KE"])
    stolen(network, (code, name))
    nodes = reopened(network)
    for node in (nodes["KE"], nodes["GB"]):
        assert valid(node) == [False, False]
        assert [one.witnessed for one in book(node).entries if one.author == "KE"] == [None, None]
    settle(nodes, network.sources)
    for reader, node in nodes.items():
        assert valid(node) == [True, True], reader
        assert files_of(node) == files_of(nodes["KE"]) != before
        assert all(one.witnessed for one in book(node).entries), reader
    for reader in ("GB", "JP", "KE"):
        for author in ("GB", "JP", "KE"):
            assert audit_node(nodes[reader], author, network.peers(reader)).problems == ()
    whole = snapshot(nodes["KE"].folder.log)
    settle(nodes, network.sources)
    assert snapshot(nodes["KE"].folder.log) == whole, "what holds again is left alone"


def test_what_a_revoked_key_signed_is_not_proved_anew_and_stops_no_pull(network: Network) -> None:
    proofs = [network["KE"].log.proof(index) for index in (0, 1)]
    stolen(network, ("KE", "statement"), ("JP", "witness"))
    nodes = reopened(network)
    nodes["KE"].say(plan("KE", 320))
    settle(nodes, network.sources)
    assert [nodes["KE"].log.proof(index) for index in (0, 1)] == proofs, "newer ones are no better"
    assert valid(nodes["GB"]) == [False, False, True]
    # A newcomer, who has mirrored nothing yet, follows the log all the same.
    newcomer = fresh_mirror(network)
    (one,) = pull(newcomer, {"KE": network.source("KE")})
    assert (one.statements, one.proofs) == (3, 1)
    assert [newcomer.mirror("KE").proof(index) is None for index in range(3)] == [True, True, False]


def fresh_mirror(network: Network) -> Node:
    node = network.open("example-developer")
    for path in sorted(node.mirror("KE").path.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    return node


@pytest.mark.parametrize(("code", "name"), [("GB", "witness"), ("KE", "log")])
def test_rule_5_what_was_cosigned_before_a_key_was_renewed_is_cosigned_again(
    network: Network, code: str, name: KeyName
) -> None:
    since = network.clock()
    renewed(network, timestamp(since), "rotated", (code, name))
    nodes = reopened(network)
    settle(nodes, network.sources)
    cosigned_at = [line_time(nodes["GB"].cosigned("KE"), nodes["GB"])]
    if name == "log":  # what a witness's older key signed still counts there
        cosigned_at.append(line_time(nodes["KE"].folder.log / "checkpoint", nodes["GB"]))
    assert min(cosigned_at) > since.timestamp()
    before = snapshot(nodes["GB"].folder.root / "cosignatures")
    settle(nodes, network.sources)
    assert snapshot(nodes["GB"].folder.root / "cosignatures") == before, "once is enough"


def line_time(path: Path, witness: Node) -> int:
    """When a witness made its line in a note, in seconds since 1970."""
    key = witness.witness_signer.witness_key
    (line,) = [one for one in parse_note(path.read_bytes()).signatures if one.is_by(key)]
    return claimed_seconds(line) or 0


def test_rule_5_a_key_that_the_roster_does_not_list_signs_nothing(network: Network) -> None:
    node = network["GB"]
    shutil.rmtree(node.folder.root / "cosignatures")
    path = node.folder.key("witness")
    path.unlink()
    path.write_bytes(key_to_pem(generate_key(), None))
    with pytest.raises(StateError, match="another witness key than the roster lists"):
        pull(node, {"KE": network.source("KE")})
    assert not node.cosigned("KE").exists()
