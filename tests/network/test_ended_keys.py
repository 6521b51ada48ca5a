# SPDX-License-Identifier: Apache-2.0
"""A key that ended before a proof was made undoes the proof; where it can be, it is made anew."""

from datetime import datetime

import pytest
from nodes import EXPIRES, Network, plan, snapshot

from countermark.network.sync import pull, settle
from countermark.node.audit import audit_node
from countermark.node.index import book, statement_file
from countermark.node.node import Node
from countermark.node.rotation import KeyName, prepare, switch
from countermark.signing.ceremony import draft_next, members_of, sign_draft
from countermark.signing.changes import policy_for, renew, replace_policy
from countermark.signing.roster import POLICY_FILE, ROSTER_FILE, parse_content
from countermark.transparency.verify import verify_statement

SIGN = ("GB", "SG", "JP")


def witnessed_first(network: Network) -> datetime:
    """When KE's first proof says that it was witnessed."""
    found = [one.witnessed for one in book(network["KE"]).entries if one.author == "KE"]
    return datetime.fromisoformat(min(one for one in found if one))


def stolen(network: Network, *keys: tuple[str, KeyName]) -> None:
    """Everybody accepts a roster in which keys ended before anything was witnessed with them."""
    kept = dict(network["GB"].roster_files())
    at, content = earliest(network), parse_content(kept[ROSTER_FILE])
    for code, name in keys:
        content = renew(content, prepare(network[code], (name,)), at, "revoked")
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
