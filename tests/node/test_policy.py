# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodes import PROTOCOL, closing, evidence, plan, seal

from countermark.node.book import Entry
from countermark.node.policy import may_export, may_read_samples
from countermark.records import Record
from countermark.records.evidence import Evidence, ExerciseClosing
from countermark.records.protocol import Protocol
from countermark.records.protocol_parts import DisclosurePlan, Tlp

CLOSED = closing(("KE", "JP", "GB"))
OTHER = PROTOCOL.model_copy(update={"name": "another-exercise"})
READERS = ("KE", "JP", "GB", "public", "example-developer")


def entries(*records: Record) -> list[Entry]:
    return [
        Entry(record, record.digest, "sha256:" + "e" * 64, "XX", "x/log", index, None, (), "x.json")
        for index, record in enumerate(records)
    ]


def judged(reader: str, *records: Record, revealed: Evidence | None = None) -> tuple[bool, int]:
    said = revealed or evidence("KE", CLOSED, b"samples")
    permission = may_read_samples(reader, said, entries(*records))
    assert permission.reason
    return permission.allowed, permission.rule


def test_rule_1_a_lab_reads_its_own_at_any_time() -> None:
    assert judged("KE") == (True, 1)
    assert judged("KE", PROTOCOL, plan("KE")) == (True, 1)


@pytest.mark.parametrize("reader", READERS[1:])
def test_rule_2_nobody_else_reads_before_the_closing(reader: str) -> None:
    assert judged(reader) == (False, 2)
    # Neither a seal nor somebody's evidence is a closing.
    told = [PROTOCOL, plan(reader if len(reader) == 2 else "JP"), seal("JP"), seal("GB")]
    assert judged(reader, *told) == (False, 2)


def test_rule_2_another_closing_does_not_count() -> None:
    later = closing(("KE", "JP"))
    assert later.digest != CLOSED.digest
    assert judged("public", PROTOCOL, later) == (False, 2)


def test_rule_2_the_closing_of_another_exercise_does_not_count() -> None:
    closed = closing(("KE",), protocol=OTHER)
    said = evidence("KE", closed, b"samples")
    assert judged("public", PROTOCOL, OTHER, closed, revealed=said) == (False, 2)
    own = evidence("KE", closed, b"samples", protocol=OTHER)
    assert judged("public", PROTOCOL, OTHER, closed, revealed=own) == (True, 4)


def test_rule_2_a_closing_by_somebody_else_does_not_count() -> None:
    closed = closing(("KE",), coordinator="JP")
    assert PROTOCOL.coordinator == "GB"
    said = evidence("KE", closed, b"samples")
    assert judged("public", PROTOCOL, closed, revealed=said) == (False, 2)


def test_rule_2_a_closing_without_its_protocol_does_not_count() -> None:
    assert judged("public", CLOSED) == (False, 2)


def test_rule_2_a_record_that_is_no_closing_does_not_count() -> None:
    said = evidence("KE", CLOSED, b"samples").model_copy(update={"closing": PROTOCOL.digest})
    assert judged("public", PROTOCOL, CLOSED, revealed=said) == (False, 2)


def test_rule_3_a_participant_with_a_plan_and_no_seal_reads_nothing() -> None:
    assert judged("JP", PROTOCOL, CLOSED, plan("JP")) == (False, 3)
    assert judged("JP", PROTOCOL, CLOSED, plan("JP"), seal("GB"), seal("KE")) == (False, 3)
    assert judged("JP", PROTOCOL, CLOSED, plan("JP"), seal("JP", OTHER)) == (False, 3)
    said = may_read_samples(
        "JP", evidence("KE", CLOSED, b""), entries(PROTOCOL, CLOSED, plan("JP"))
    )
    assert said.reason == "JP-sim has a run plan and no seal yet"


def test_rule_3_every_lab_of_the_participant_has_to_seal() -> None:
    second = plan("JP").model_copy(update={"lab": "JP-osaka"})
    told = [PROTOCOL, CLOSED, plan("JP"), second, seal("JP")]
    assert judged("JP", *told) == (False, 3)
    sealed = seal("JP").model_copy(update={"lab": "JP-osaka"})
    assert judged("JP", *told, sealed) == (True, 4)


def test_rule_3_unless_the_closing_names_it_as_not_sealed() -> None:
    closed = closing(("KE", "GB"), not_sealed=("JP",))
    said = evidence("KE", closed, b"samples")
    assert judged("JP", PROTOCOL, closed, plan("JP"), revealed=said) == (True, 4)
    other = closing(("KE", "GB"), not_sealed=("FR",))
    said = evidence("KE", other, b"samples")
    assert judged("JP", PROTOCOL, other, plan("JP"), revealed=said) == (False, 3)


@pytest.mark.parametrize("reader", ["JP", "GB", "public", "example-developer"])
def test_rule_4_everybody_else_reads_what_was_revealed(reader: str) -> None:
    told = [PROTOCOL, CLOSED, plan("JP"), seal("JP"), plan("GB"), seal("GB")]
    assert judged(reader, *told) == (True, 4)


def _subsets(records: Sequence[Record]) -> Iterable[tuple[Record, ...]]:
    return chain.from_iterable(combinations(records, n) for n in range(len(records) + 1))


def test_whatever_is_held_nobody_reads_before_closing_and_own_seal() -> None:
    """Every subset of all that can be said of the exercise, for every reader."""
    told = [PROTOCOL, OTHER, CLOSED, closing(("KE",), protocol=OTHER), plan("JP"), seal("JP"),
            plan("GB"), seal("GB", OTHER)]  # fmt: skip
    said = evidence("KE", CLOSED, b"samples")
    for held in _subsets(told):
        for reader in ("JP", "GB", "public"):
            allowed, _ = judged(reader, *held, revealed=said)
            closed = PROTOCOL in held and CLOSED in held
            waits = reader != "public" and plan(reader) in held and seal(reader) not in held
            assert allowed == (closed and not waits), (reader, held)


@given(st.permutations([PROTOCOL, CLOSED, plan("JP"), seal("JP"), plan("GB")]))
def test_the_order_in_which_statements_came_does_not_matter(order: list[Record]) -> None:
    assert judged("JP", *order) == (True, 4)
    assert judged("GB", *order) == (False, 3)


def exported(
    plan: DisclosurePlan | None,
    *,
    witnessed: str | None = "2026-11-23T11:00:00Z",
    closed: bool = True,
    day: str = "2026-11-29",
) -> tuple[bool, int]:
    protocol = PROTOCOL.model_copy(update={"disclosure": plan})
    closing_ = closing(("KE", "JP", "GB"), protocol=protocol)
    said = evidence("KE", closing_, b"samples", protocol=protocol)
    told: list[Protocol | ExerciseClosing] = [protocol, closing_] if closed else [protocol]
    (entry,) = entries(said)
    permission = may_export(replace(entry, witnessed=witnessed), said, entries(*told), day)
    assert permission.reason
    return permission.allowed, permission.rule


def test_rule_12_only_what_the_public_may_read_is_exported() -> None:
    assert exported(None) == (True, 13)
    assert exported(None, witnessed=None) == (False, 12)
    assert exported(None, closed=False) == (False, 12)


@pytest.mark.parametrize("label", ["RED", "AMBER+STRICT", "AMBER", "GREEN"])
def test_rule_13_a_label_for_a_circle_exports_nothing(label: Tlp) -> None:
    assert exported(DisclosurePlan(label=label, audience=())) == (False, 13)
    assert exported(DisclosurePlan(label=label, audience=("KE",))) == (False, 13)


def test_rule_13_clear_exports_unless_recipients_are_named_or_it_is_too_early() -> None:
    assert exported(DisclosurePlan(label="CLEAR", audience=())) == (True, 13)
    assert exported(DisclosurePlan(label="CLEAR", audience=("KE",))) == (False, 13)
    late = DisclosurePlan(label="CLEAR", audience=(), embargo_until="2026-12-01")
    assert exported(late) == (False, 13)
    assert exported(late, day="2026-12-01") == (True, 13)
