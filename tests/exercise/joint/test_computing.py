# SPDX-License-Identifier: Apache-2.0
import time
from dataclasses import replace
from pathlib import Path

import pytest
from exercise_finished import FinishedExercise
from exercise_small import Snapshots, exchange

from countermark.app.demo.cast import Cast
from countermark.exercise.joint import computing
from countermark.exercise.joint.computing import MOST_FIGURES, check_finding, compute_finding
from countermark.exercise.revealing.seal import close, opened, read_revealed, revealed_file
from countermark.exercise.stages import disclosing
from countermark.exercise.stages.closing import close_exercise
from countermark.exercise.stages.sealing import seal_samples
from countermark.node.blobs import blob_path
from countermark.node.book import Book
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError, VerificationError
from countermark.records.evidence import AnnotationSet, Evidence
from countermark.records.finding import Dissent, Finding, OwnFigure
from countermark.records.protocol import Countersignature
from countermark.records.sample import OpenScores


@pytest.fixture
def cast(snapshots: Snapshots, tmp_path: Path) -> Cast:
    return snapshots.at("revealed", tmp_path / "exercise")


def dishonest(finding: Finding) -> Finding:
    """Return a finding whose first rate was made smaller."""
    first = finding.cells[0]
    assert first.figures[0].value > 0.1
    figure = first.figures[0].model_copy(update={"value": first.figures[0].value / 2})
    cell = first.model_copy(update={"figures": (figure, *first.figures[1:])})
    return finding.model_copy(update={"cells": (cell, *finding.cells[1:])})


def said_by(node: Node) -> list[object]:
    return [entry.record for entry in book(node).entries if entry.author == node.code]


def test_every_participant_computes_the_same_bytes(cast: Cast, snapshots: Snapshots) -> None:
    found = [compute_finding(node, snapshots.protocol) for node in cast.institutes.values()]
    assert len({finding.to_bytes() for finding in found}) == 1
    assert [one.lab for one in found[0].labs] == sorted(
        f"{code}-simulated" for code in snapshots.protocol.participants
    )


def test_the_public_can_compute_it_too(cast: Cast, snapshots: Snapshots) -> None:
    assert compute_finding(cast.developer, snapshots.protocol) == compute_finding(
        cast.institutes["GB"], snapshots.protocol
    )


def test_an_honest_finding_is_countersigned(finished_exercise: FinishedExercise) -> None:
    outcome = finished_exercise.outcome
    known = book(outcome.coordinator)
    signed = {
        record.institute: record
        for _, record in known.of_kind(Countersignature)
        if record.of == outcome.finding.digest
    }
    assert set(signed) == set(outcome.protocol.participants)
    assert outcome.dissents == 0
    for one in signed.values():
        assert one.of_kind == "finding"
        assert (one.figures_compared or 0) > 500
        assert one.largest_difference == 0


def test_one_dishonest_figure_leads_to_a_logged_dissent_with_the_own_figure(
    cast: Cast, snapshots: Snapshots
) -> None:
    coordinator, protocol = cast.institutes["GB"], snapshots.protocol
    honest = compute_finding(coordinator, protocol)
    published = dishonest(honest)
    coordinator.say(published)
    exchange(cast)
    (seen,) = [record for _, record in book(cast.institutes["JP"]).of_kind(Finding)]
    checked = check_finding(cast.institutes["JP"], protocol, seen)
    exchange(cast)
    (dissent,) = [record for _, record in book(cast.institutes["FR"]).of_kind(Dissent)]
    assert dissent == checked.said
    assert (dissent.institute, dissent.of) == ("JP", published.digest)
    value = honest.cells[0].figures[0].value
    assert dissent.figures == (
        OwnFigure(where="cells[0].figures[0].value", published=value / 2, own=value),
    )
    assert dissent.reason.startswith("1 of the finding's values")
    assert not checked.comparison.agrees
    assert not [r for r in said_by(cast.institutes["JP"]) if isinstance(r, Countersignature)][1:]


def test_a_dissent_names_a_bounded_number_of_figures(cast: Cast, snapshots: Snapshots) -> None:
    node, protocol = cast.institutes["JP"], snapshots.protocol
    own = compute_finding(node, protocol)
    nothing = own.model_copy(
        update={
            "cells": tuple(
                cell.model_copy(
                    update={
                        "figures": tuple(
                            figure.model_copy(update={"lower": 0.123, "upper": 0.9, "level": 0.5})
                            for figure in cell.figures
                        )
                    }
                )
                for cell in own.cells * 3
            )
        }
    )
    said = check_finding(node, protocol, nothing).said
    assert isinstance(said, Dissent)
    assert 50 < len(said.figures) <= MOST_FIGURES


def test_nothing_is_computed_before_anything_was_revealed(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    node = snapshots.at("closed", tmp_path).institutes["GB"]
    with pytest.raises(StateError, match="no revealed evidence") as caught:
        compute_finding(node, snapshots.protocol)
    assert "sync pull" in caught.value.next_step


def test_samples_that_were_not_pulled_are_named(cast: Cast, snapshots: Snapshots) -> None:
    node = cast.institutes["GB"]
    evidence = next(e for _, e in book(node).of_kind(Evidence) if e.lab == "SG-simulated")
    (node.folder.root / blob_path(evidence.samples.digest)).unlink()
    with pytest.raises(StateError, match="lacks the samples of SG-simulated"):
        compute_finding(node, snapshots.protocol)


def test_samples_that_were_changed_on_the_disk_are_noticed(
    cast: Cast, snapshots: Snapshots
) -> None:
    node = cast.institutes["GB"]
    evidence = next(e for _, e in book(node).of_kind(Evidence) if e.lab == "SG-simulated")
    path = node.folder.root / blob_path(evidence.samples.digest)
    path.write_bytes(path.read_bytes().replace(b"No.", b"Yes", 1))
    with pytest.raises(VerificationError, match="not what its name says"):
        compute_finding(node, snapshots.protocol)


def test_labs_that_did_not_seal_or_reveal_are_not_in_the_finding(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    protocol = snapshots.protocol
    cast = snapshots.at("run", tmp_path)
    for code in ("GB", "JP"):
        seal_samples(cast.institutes[code], protocol)
    exchange(cast)
    close_exercise(cast.institutes["GB"], protocol)
    exchange(cast)
    disclosing.reveal(cast.institutes["JP"], protocol)
    exchange(cast)
    # The closing names SG as not sealed, so SG may read: its own seal would come too late.
    found = compute_finding(cast.institutes["SG"], protocol)
    assert [one.lab for one in found.labs] == ["JP-simulated"]


def test_labelled_answers_that_are_not_here_are_asked_for(
    cast: Cast, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(node: Node) -> Book:
        known = book(node)
        kept = tuple(e for e in known.entries if not isinstance(e.record, AnnotationSet))
        return replace(known, entries=kept)

    monkeypatch.setattr(computing, "read_book", without)
    with pytest.raises(StateError, match="lacks labelled answers") as caught:
        compute_finding(cast.institutes["GB"], snapshots.protocol)
    for digest in snapshots.protocol.tasks[1].annotation_sets:
        assert digest in caught.value.what


def test_evidence_logged_twice_counts_once(cast: Cast, snapshots: Snapshots) -> None:
    node, protocol = cast.institutes["JP"], snapshots.protocol
    before = compute_finding(node, protocol)
    (own,) = [one for one in said_by(node) if isinstance(one, Evidence)]
    node.say(own)
    later = own.model_copy(update={"finished": "2026-11-02T00:00:00Z"})
    node.say(later)
    exchange(cast)
    assert len(list(book(node).of_kind(Evidence))) == 6
    for one in cast.institutes.values():
        assert compute_finding(one, protocol).to_bytes() == before.to_bytes()


def test_evidence_by_somebody_who_does_not_take_part_is_not_pooled(
    cast: Cast, snapshots: Snapshots
) -> None:
    node, protocol = cast.institutes["JP"], snapshots.protocol
    three = protocol.model_copy(update={"participants": ("GB", "SG", "FR")})
    (own,) = [one for one in said_by(node) if isinstance(one, Evidence)]
    stray = own.model_copy(update={"protocol": three.digest})
    node.say(stray)
    with pytest.raises(StateError, match="no revealed evidence"):
        compute_finding(node, three)


def test_a_lab_that_revealed_something_else_is_found_out(
    cast: Cast, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = book(cast.institutes["GB"])
    entry, own = next(pair for pair in known.of_kind(Evidence) if pair[1].lab == "SG-simulated")
    data = cast.institutes["GB"].blobs.get(own.samples.digest) or b""
    softened = data.replace(b"The code is", b"The cod is", 1)
    assert softened != data
    samples = own.samples.model_copy(
        update={"digest": cast.institutes["GB"].blobs.put(softened), "size": len(softened)}
    )
    lie = replace(entry, record=own.model_copy(update={"samples": samples}))
    entries = tuple(lie if one == entry else one for one in known.entries)
    monkeypatch.setattr(computing, "read_book", lambda _: replace(known, entries=entries))
    with pytest.raises(VerificationError, match="rule 5 of revealing") as caught:
        compute_finding(cast.institutes["GB"], snapshots.protocol)
    assert caught.value.where == "the evidence of SG-simulated"


# Labs that are left out


def out(finding: Finding) -> dict[str, tuple[str, str | None]]:
    return {one.lab: (one.because, one.reason) for one in finding.left_out}


def test_labs_are_pooled_by_what_they_show(snapshots: Snapshots, tmp_path: Path) -> None:
    protocol = snapshots.protocol
    cast = snapshots.at("closed", tmp_path)
    disclosing.reveal(cast.institutes["GB"], protocol)
    disclosing.reveal(cast.institutes["JP"], protocol, "some")
    disclosing.reveal(cast.institutes["SG"], protocol, "counts")
    exchange(cast)
    found = compute_finding(cast.developer, protocol)
    total = found.labs[0].samples
    assert [(one.lab, one.transcripts_checked) for one in found.labs] == [
        ("GB-simulated", total),
        ("JP-simulated", 0),
    ]
    assert out(found) == {
        "SG-simulated": ("counts-only", None),
        "FR-simulated": ("not-revealed", None),
    }
    assert {one.lab: one.evidence is None for one in found.left_out} == {
        "SG-simulated": False,
        "FR-simulated": True,
    }
    assert all(figure.labs <= 2 for cell in found.cells for figure in cell.figures)
    submitted = sum(cell.counts.submitted for cell in found.cells)
    assert submitted == 2 * total


def test_a_lab_that_shows_some_of_its_scores_is_not_pooled(
    cast: Cast, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it left open was chosen by it: it is named, and none of it counts."""
    node = cast.institutes["GB"]
    known = book(node)
    entry, own = next(pair for pair in known.of_kind(Evidence) if pair[1].lab == "SG-simulated")
    samples = read_revealed(node.blobs.get(own.samples.digest) or b"")
    assert isinstance(samples[0].scores, OpenScores)
    first = samples[0].scores.value.key
    shown = close(samples, scores=first.__eq__, transcript=first.__eq__)
    data = revealed_file(shown)
    part = own.model_copy(
        update={
            "samples": own.samples.model_copy(
                update={"digest": node.blobs.put(data), "size": len(data)}
            ),
            "disclosure": "some",
            "opened": opened(shown),
            "tree_key": None,
        }
    )
    entries = tuple(replace(entry, record=part) if one == entry else one for one in known.entries)
    monkeypatch.setattr(computing, "read_book", lambda _: replace(known, entries=entries))
    found = compute_finding(node, snapshots.protocol)
    assert "SG-simulated" not in {one.lab for one in found.labs}
    assert out(found) == {"SG-simulated": ("scores-closed", None)}


def test_closing_transcripts_changes_no_figure(snapshots: Snapshots, tmp_path: Path) -> None:
    protocol = snapshots.protocol
    found = []
    for what in ("all", "some"):
        cast = snapshots.at("closed", tmp_path / what)
        for node in cast.institutes.values():
            disclosing.reveal(node, protocol, what)
        exchange(cast)
        found.append(compute_finding(cast.developer, protocol))
    assert found[0].cells == found[1].cells


def test_counts_alone_make_no_finding(snapshots: Snapshots, tmp_path: Path) -> None:
    protocol = snapshots.protocol
    cast = snapshots.at("closed", tmp_path)
    disclosing.reveal(cast.institutes["GB"], protocol, "counts")
    with pytest.raises(StateError, match="no revealed evidence with open scores"):
        compute_finding(cast.institutes["GB"], protocol)


def test_a_lab_that_did_not_seal_is_named(snapshots: Snapshots, tmp_path: Path) -> None:
    protocol = snapshots.protocol
    cast = snapshots.at("run", tmp_path)
    for code in ("GB", "JP"):
        seal_samples(cast.institutes[code], protocol)
    exchange(cast)
    close_exercise(cast.institutes["GB"], protocol)
    exchange(cast)
    disclosing.reveal(cast.institutes["JP"], protocol)
    exchange(cast)
    found = compute_finding(cast.developer, protocol)
    assert out(found) == {
        "FR-simulated": ("not-sealed", None),
        "GB-simulated": ("not-revealed", None),
        "SG-simulated": ("not-sealed", None),
    }


def test_the_coordinator_leaves_a_bad_lab_out_and_the_others_follow(
    cast: Cast, snapshots: Snapshots
) -> None:
    node, protocol = cast.institutes["GB"], snapshots.protocol
    reason = {"SG-simulated": "Its samples are not those it sealed."}
    found = compute_finding(node, protocol, reason)
    assert out(found) == {"SG-simulated": ("coordinator", reason["SG-simulated"])}
    assert "SG-simulated" not in [one.lab for one in found.labs]
    node.say(found)
    exchange(cast)
    said = check_finding(cast.institutes["JP"], protocol, found).said
    assert isinstance(said, Countersignature)


def test_a_lab_that_takes_no_part_cannot_be_left_out(cast: Cast, snapshots: Snapshots) -> None:
    with pytest.raises(InputError, match="no lab KE-simulated"):
        compute_finding(cast.developer, snapshots.protocol, {"KE-simulated": "why"})


def test_a_lab_that_reveals_after_the_finding_is_no_reason_to_dissent(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    protocol = snapshots.protocol
    cast = snapshots.at("closed", tmp_path)
    for code in ("GB", "JP", "SG"):
        disclosing.reveal(cast.institutes[code], protocol)
    exchange(cast)
    found = compute_finding(cast.institutes["GB"], protocol)
    assert out(found) == {"FR-simulated": ("not-revealed", None)}
    cast.institutes["GB"].say(found)
    exchange(cast)
    time.sleep(1.1)  # witnessed times are whole seconds
    disclosing.reveal(cast.institutes["FR"], protocol)
    exchange(cast)
    assert len(compute_finding(cast.institutes["JP"], protocol).labs) == 4
    said = check_finding(cast.institutes["JP"], protocol, found).said
    assert isinstance(said, Countersignature)


def test_a_lab_that_the_coordinator_passes_over_in_silence_is_missed(
    cast: Cast, snapshots: Snapshots
) -> None:
    node, protocol = cast.institutes["GB"], snapshots.protocol
    found = compute_finding(node, protocol, {"SG-simulated": "a reason"})
    hushed = found.model_copy(update={"left_out": ()})
    node.say(hushed)
    exchange(cast)
    assert isinstance(check_finding(cast.institutes["JP"], protocol, hushed).said, Dissent)
