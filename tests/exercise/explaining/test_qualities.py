# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest
from sample_book import sample_book

from countermark.exercise.explaining.qualities import Beside, Check, beside, qualities
from countermark.records.finding import Finding
from countermark.records.protocol import Protocol

BOOK = sample_book()
FINDING = BOOK.of_kind(Finding)[0][1]
PROTOCOL = next(
    record for entry, record in BOOK.of_kind(Protocol) if entry.digest == FINDING.protocol
)
ALL = Beside(
    countersigned=PROTOCOL.participants, decisions=2, deciders=("example-developer",),
    other_exercises=1,
)  # fmt: skip


def check(number: int, finding: Finding = FINDING, known: Beside = ALL) -> Check:
    return qualities(finding, PROTOCOL, known)[number - 1]


def cells(**change: object) -> Finding:
    changed = tuple(cell.model_copy(update=change) for cell in FINDING.cells)
    return FINDING.model_copy(update={"cells": changed})


def test_checks_are_numbered_as_the_rules_and_cover_six_qualities() -> None:
    found = qualities(FINDING, PROTOCOL, ALL)
    assert [one.number for one in found] == list(range(1, 17))
    assert len({one.quality for one in found}) == 6


@pytest.mark.parametrize(
    ("number", "lost"),
    [
        (2, replace(ALL, decisions=0)),
        (9, replace(ALL, deciders=("GB",))),
        (11, replace(ALL, countersigned=PROTOCOL.participants[1:])),
        (12, replace(ALL, other_exercises=0)),
        (15, replace(ALL, dissented=("KE",))),
    ],
)
def test_rule_2_9_11_12_15_a_check_fails_when_the_record_lacks_it(
    number: int, lost: Beside
) -> None:
    assert check(number).holds is True
    assert check(number, known=lost).holds is False


@pytest.mark.parametrize(
    ("number", "lost"),
    [
        (1, cells(status="not-informative")),
        (3, cells(next_run=())),
        (4, cells(figures=()).model_copy(update={"gaps": ()})),
        (7, cells(status="not-informative")),
        (8, cells(status="not-informative")),
        (13, cells(status="not-computable", reason=None)),
        (16, cells(precision=None)),
    ],
)
def test_rule_1_3_4_7_8_13_16_a_check_fails_when_the_finding_lacks_it(
    number: int, lost: Finding
) -> None:
    assert check(number, lost).holds is False


def test_rule_5_one_closed_transcript_is_enough_to_fail() -> None:
    labs = FINDING.labs
    whole = tuple(one.model_copy(update={"transcripts_checked": one.samples}) for one in labs)
    one_less = (
        whole[0].model_copy(update={"transcripts_checked": whole[0].samples - 1}),
        *whole[1:],
    )
    assert check(5, FINDING.model_copy(update={"labs": whole})).holds is True
    assert check(5, FINDING.model_copy(update={"labs": one_less})).holds is False


def test_rule_6_a_sealed_wording_is_not_a_published_one() -> None:
    task = PROTOCOL.tasks[0]
    item = task.items[0]
    text = item.texts[0].model_copy(update={"prompt": None})
    sealed = item.model_copy(update={"texts": (text, *item.texts[1:])})
    tasks = (task.model_copy(update={"items": (sealed, *task.items[1:])}), *PROTOCOL.tasks[1:])
    private = PROTOCOL.model_copy(update={"tasks": tasks})
    assert check(6).holds is True
    assert qualities(FINDING, private, ALL)[5].holds is False


def test_rule_10_a_judge_that_nobody_checked_is_seen() -> None:
    assert check(10).holds is False  # one language of the sample has no labels
    assert check(10, cells(validity=())).evidence.startswith("in 0 of")


def test_rule_14_a_model_without_a_snapshot_is_not_pinned() -> None:
    model = PROTOCOL.models[0].model_copy(update={"snapshot": None})
    loose = PROTOCOL.model_copy(update={"models": (model,)})
    assert check(14).holds is True
    assert qualities(FINDING, loose, ALL)[13].holds is False


def test_what_the_book_holds_beside_a_finding() -> None:
    found = beside(BOOK, FINDING, PROTOCOL)
    assert set(found.countersigned) | set(found.dissented) <= set(PROTOCOL.participants)
    assert len(found.dissented) == 1
    assert found.decisions == 3
    assert found.deciders == ("example-developer",)
    assert found.other_exercises == 0
