# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest
from exercise_finished import FinishedExercise
from exercise_small import STAGES, Snapshots, exchange

from countermark.exercise.stages import disclosing
from countermark.exercise.stages.closing import close_exercise
from countermark.exercise.stages.sealing import seal_samples
from countermark.exercise.stages.status import stages
from countermark.node.book import Book
from countermark.node.index import book
from countermark.records.finding import Dissent
from countermark.records.protocol import Countersignature

NAMES = {
    "logged": "not countersigned",
    "signed": "countersigned",
    "planned": "planned",
    "run": "planned",
    "sealed": "sealed",
    "closed": "sealed",
    "revealed": "revealed",
}


@pytest.mark.parametrize("stage", STAGES)
def test_everybody_has_reached_the_stage_that_was_taken(
    snapshots: Snapshots, tmp_path: Path, stage: str
) -> None:
    known = book(snapshots.at(stage, tmp_path).institutes["FR"])
    found = stages(snapshots.protocol, known)
    assert [one.institute for one in found] == list(snapshots.protocol.participants)
    assert {one.stage for one in found} == {NAMES[stage]}


def test_each_has_its_own_stage(snapshots: Snapshots, tmp_path: Path) -> None:
    known = book(snapshots.at("revealed", tmp_path).institutes["GB"])
    silent = {"JP": "evidence", "SG": "sealed-result"}
    kept = tuple(
        entry
        for entry in known.entries
        if entry.record.kind_name() != silent.get(entry.author)
        and not (entry.author == "SG" and entry.record.kind_name() == "evidence")
    )
    found = {
        one.institute: one.stage for one in stages(snapshots.protocol, replace(known, entries=kept))
    }
    assert found == {"GB": "revealed", "JP": "sealed", "SG": "planned", "FR": "revealed"}


def test_statements_on_another_protocol_do_not_count(snapshots: Snapshots, tmp_path: Path) -> None:
    known = book(snapshots.at("revealed", tmp_path).institutes["GB"])
    other = snapshots.protocol.model_copy(update={"epochs": 3})
    assert {one.stage for one in stages(other, known)} == {"not countersigned"}


def test_the_finding_is_countersigned_or_dissented_from(
    finished_exercise: FinishedExercise,
) -> None:
    known = book(finished_exercise.outcome.coordinator)
    protocol = finished_exercise.outcome.protocol
    found = stages(protocol, known)
    assert [one.stage for one in found] == ["countersigned the finding"] * 5
    assert {one.stage for one in stages(protocol, dissenting(known, "KE"))} == {
        "countersigned the finding",
        "dissented",
    }


def dissenting(known: Book, code: str) -> Book:
    def other(record: object) -> object:
        if isinstance(record, Countersignature) and record.of_kind == "finding":
            return Dissent(institute=code, of=record.of, reason="other figures", figures=())
        return record

    entries = tuple(
        replace(entry, record=other(entry.record)) if entry.author == code else entry  # type: ignore[arg-type]
        for entry in known.entries
    )
    return replace(known, entries=entries)


def test_it_says_what_each_lab_shows(snapshots: Snapshots, tmp_path: Path) -> None:
    protocol, cast = snapshots.protocol, snapshots.at("closed", tmp_path)
    disclosing.reveal(cast.institutes["GB"], protocol)
    disclosing.reveal(cast.institutes["JP"], protocol, "some", ["false-review"])
    disclosing.reveal(cast.institutes["SG"], protocol, "counts")
    exchange(cast)
    found = {one.institute: one.shows for one in stages(protocol, book(cast.institutes["FR"]))}
    assert found == {
        "GB": "everything open",
        "JP": "scores open, 24 of 28 transcripts open",
        "SG": "counts only",
        "FR": "sealed, not revealed",
    }


def test_a_closing_without_a_lab_is_said(snapshots: Snapshots, tmp_path: Path) -> None:
    protocol, cast = snapshots.protocol, snapshots.at("run", tmp_path)
    seal_samples(cast.institutes["GB"], protocol)
    exchange(cast)
    close_exercise(cast.institutes["GB"], protocol)
    found = {one.institute: one.shows for one in stages(protocol, book(cast.institutes["GB"]))}
    assert found == {"GB": "sealed, not revealed"} | dict.fromkeys(
        ("JP", "SG", "FR"), "planned, not sealed"
    )
