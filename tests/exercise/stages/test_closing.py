# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

from exercise_small import Snapshots, exchange
from exercise_steps import At, refused

from countermark.exercise.logged import closing_of
from countermark.exercise.stages.closing import close_exercise
from countermark.exercise.stages.sealing import seal_samples
from countermark.node.index import book
from countermark.records.evidence import ExerciseClosing


def test_only_the_coordinator_closes(at: At, snapshots: Snapshots) -> None:
    node = at("sealed").institutes["JP"]
    refused(node, "coordinated by GB, not JP", lambda: close_exercise(node, snapshots.protocol))


def test_nothing_is_closed_before_a_seal_was_witnessed(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("run"), snapshots.protocol
    node = cast.institutes["GB"]
    refused(node, "no witnessed seal yet", lambda: close_exercise(node, protocol))
    seal_samples(node, protocol)
    refused(node, "no witnessed seal yet", lambda: close_exercise(node, protocol))


def test_a_closing_lists_who_sealed_and_who_did_not(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("run"), snapshots.protocol
    for code in ("JP", "GB"):
        seal_samples(cast.institutes[code], protocol)
    exchange(cast)
    closing = close_exercise(cast.institutes["GB"], protocol)
    assert [one.lab for one in closing.seals] == ["GB-simulated", "JP-simulated"]
    assert closing.not_sealed == ("FR-simulated", "SG-simulated")
    late = cast.institutes["SG"]
    exchange(cast)
    refused(late, "was closed without this lab", lambda: seal_samples(late, protocol))


def test_an_exercise_is_closed_once(at: At, snapshots: Snapshots) -> None:
    node = at("closed").institutes["GB"]
    refused(node, "was closed already", lambda: close_exercise(node, snapshots.protocol))


def test_another_coordinators_closing_opens_nothing(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("closed"), snapshots.protocol
    known = book(cast.institutes["JP"])
    assert closing_of(known, protocol) is not None
    forged = tuple(
        replace(entry, author="SG") if isinstance(entry.record, ExerciseClosing) else entry
        for entry in known.entries
    )
    assert closing_of(replace(known, entries=forged), protocol) is None
