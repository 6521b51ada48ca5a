# SPDX-License-Identifier: Apache-2.0
"""A log that asks its witnesses; some of them lie."""

from collections.abc import Callable

import pytest
from lying_witness import (
    LyingWitness,
    beyond_the_log,
    by_another,
    garbage,
    huge,
    in_the_future,
    no_line,
    on_another_checkpoint,
    rising_sizes,
    size_that_is_none,
    time_changed,
)
from nodes import HONEST, Network, plan, snapshot
from sample_book import DEVELOPER

from countermark.network.sync import pull
from countermark.network.witnesses import SUBMITTED, submit
from countermark.node.index import book
from countermark.node.node import Node
from countermark.node.ports import Witness, WitnessAnswer
from countermark.records.errors import StateError, StorageError, VerificationError
from countermark.transparency.note import parse_note
from countermark.transparency.witness import TEXT_TYPE

Lie = Callable[[LyingWitness, bytes], WitnessAnswer]


@pytest.fixture
def node(network: Network) -> Node:
    """KE has said something that nobody has witnessed yet: its log is of 3."""
    network["KE"].say(plan("KE", 300))
    return network["KE"]


def names(node: Node) -> list[str]:
    note = node.log.note()
    assert note is not None
    return [line.name for line in note.signatures[1:]]


def honest(network: Network, *codes: str) -> dict[str, Witness]:
    return {code: LyingWitness(network[code]) for code in codes}


def test_a_quorum_over_the_port_proves_what_was_said(network: Network, node: Node) -> None:
    book(node)
    asked = submit(node, honest(network, *HONEST))
    assert [(one.code, one.size, one.problem) for one in asked] == [
        (code, 3, None) for code in HONEST
    ]
    assert names(node) == sorted(f"{code.lower()}.example/log/witness" for code in HONEST)
    (entry,) = [one for one in book(node).entries if (one.author, one.index) == ("KE", 2)]
    assert entry.witnessed is not None


def test_a_witness_is_asked_from_where_it_is(network: Network, node: Node) -> None:
    witness = LyingWitness(network["GB"])
    submit(node, {"GB": witness})
    # It followed this log by pulling, which the log did not know; now it does.
    assert witness.olds == [0, 2]
    submit(node, {"GB": witness})
    assert witness.olds == [0, 2]  # it has cosigned this checkpoint already
    node.say(plan("KE", 301))
    submit(node, {"GB": witness})
    assert witness.olds == [0, 2, 3]


def test_a_log_with_nothing_in_it_asks_nobody(network: Network) -> None:
    witness = LyingWitness(network["GB"])
    assert submit(network[DEVELOPER], {"GB": witness}) == ()
    assert witness.asked == []


LIES: list[tuple[Lie, str]] = [
    (on_another_checkpoint, "does not verify"),
    (in_the_future, "which is to come"),
    (time_changed, "does not verify"),
    (no_line, "no cosignature of its own"),
]


@pytest.mark.parametrize(("lie", "saying"), LIES)
def test_rule_2_a_lie_is_told_and_nothing_of_it_is_kept(
    network: Network, node: Node, lie: Lie, saying: str
) -> None:
    book(node)
    before = snapshot(node.folder.root)
    (one,) = submit(node, {"GB": LyingWitness(network["GB"], lie)})
    assert isinstance(one.problem, VerificationError)
    assert saying in str(one.problem)
    assert "GB" in str(one.problem)
    assert snapshot(node.folder.root) == before


@pytest.mark.parametrize("lie", [garbage, huge, size_that_is_none])
def test_an_answer_that_does_not_parse_is_told(network: Network, node: Node, lie: Lie) -> None:
    (one,) = submit(node, {"GB": LyingWitness(network["GB"], lie)})
    assert one.problem is not None
    assert "GB" in str(one.problem)
    assert names(node) == []


def test_rule_2_another_witnesses_line_counts_for_neither(network: Network, node: Node) -> None:
    (one,) = submit(node, {"GB": LyingWitness(network["GB"], by_another(network["JP"]))})
    assert "no cosignature of its own" in str(one.problem)
    assert names(node) == []


def test_rule_2_lines_by_unknown_keys_are_ignored(network: Network, node: Node) -> None:
    def with_stranger(liar: LyingWitness, body: bytes) -> WitnessAnswer:
        good = liar.honest(body).body
        return WitnessAnswer(200, TEXT_TYPE, good.replace(b"gb.", b"zz.") + good)

    witness = LyingWitness(network["GB"], lambda liar, body: liar.honest(body))
    submit(node, {"GB": witness})  # it remembers where it is
    node.say(plan("KE", 301))
    witness.lie = with_stranger
    (one,) = submit(node, {"GB": witness})
    assert one.problem is None
    assert names(node) == ["gb.example/log/witness"]


def test_rule_1_a_size_that_rises_for_ever_is_tried_once(network: Network, node: Node) -> None:
    liar = LyingWitness(network["GB"], rising_sizes)
    (one,) = submit(node, {"GB": liar})
    assert liar.olds == [0, 1]
    assert isinstance(one.problem, VerificationError)
    assert "answered 409: 2" in str(one.problem)


def test_rule_1_a_size_beyond_the_log_is_not_tried(network: Network, node: Node) -> None:
    liar = LyingWitness(network["GB"], beyond_the_log)
    (one,) = submit(node, {"GB": liar})
    assert liar.olds == [0]
    assert "no witness can have cosigned 1000000" in str(one.problem)


def test_rule_3_one_witness_that_fails_does_not_stop_the_others(
    network: Network, node: Node
) -> None:
    def away(_: LyingWitness, body: bytes) -> WitnessAnswer:
        raise StorageError("gives no answer", where="gb", next_step="Try it again later.")

    asked = submit(
        node,
        {"GB": LyingWitness(network["GB"], away), "FR": LyingWitness(network["FR"], garbage)}
        | honest(network, "JP", "SG"),
    )
    assert [one.size for one in asked] == [0, 0, 3, 3]
    assert names(node) == ["jp.example/log/witness", "sg.example/log/witness"]


@pytest.mark.parametrize("code", ["KE", "ZZ", DEVELOPER])
def test_who_is_no_other_partys_witness_is_not_asked(
    network: Network, node: Node, code: str
) -> None:
    witness = LyingWitness(network["GB"])
    (one,) = submit(node, {code: witness})
    assert isinstance(one.problem, StateError)
    assert witness.asked == []


def test_the_own_witness_over_http_is_no_way_around_it(network: Network, node: Node) -> None:
    """Two others and the own: no quorum."""
    submit(node, honest(network, "GB", "JP", "KE"))
    assert names(node) == ["gb.example/log/witness", "jp.example/log/witness"]
    assert node.log.proof(2) is None


def test_what_a_witness_says_is_shown_without_control_characters(
    network: Network, node: Node
) -> None:
    def rude(_: LyingWitness, body: bytes) -> WitnessAnswer:
        return WitnessAnswer(500, TEXT_TYPE, b"\x1b[2Jgone\r\n\xff" * 100)

    (one,) = submit(node, {"GB": LyingWitness(network["GB"], rude)})
    assert str(one.problem).isprintable() or "\ufffd" in str(one.problem)
    assert "\x1b" not in str(one.problem)
    assert len(str(one.problem)) < 300


def test_a_witness_that_does_not_know_the_log_is_told_apart(network: Network, node: Node) -> None:
    lie: Lie = lambda *_: WitnessAnswer(404, TEXT_TYPE, b"not known")  # noqa: E731
    (one,) = submit(node, {"GB": LyingWitness(network["GB"], lie)})
    assert one.problem is not None
    assert "current roster" in one.problem.next_step


def test_where_a_witness_is_is_remembered_by_other_processes(network: Network, node: Node) -> None:
    submit(node, honest(network, "GB"))
    head = network.open("KE").state.head(SUBMITTED, "gb.example/log/witness")
    assert head is not None
    assert head.size == 3


def test_a_pull_passes_over_a_cosignature_from_the_future(network: Network, node: Node) -> None:
    """Everybody would refuse a proof with it until that time has come."""
    note = node.log.note()
    assert note is not None
    answer = in_the_future(
        LyingWitness(network["GB"]),
        b"old 0\n\n" + note.to_bytes(),
    )
    place = network["GB"].folder.root / "cosignatures/KE"
    place.unlink()
    place.write_bytes(note.to_bytes() + answer.body)
    assert len(parse_note(place.read_bytes()).signatures) == 2
    pull(node, {"GB": network.source("GB")})
    assert names(node) == []
