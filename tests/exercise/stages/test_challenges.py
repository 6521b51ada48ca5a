# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from exercise_small import Snapshots, exchange

from countermark.app.demo.cast import Cast
from countermark.exercise.logged import closing_of
from countermark.exercise.revealing.seal import disclose, read_revealed, sealed_root
from countermark.exercise.stages import challenges, disclosing
from countermark.exercise.stages.challenges import Challenge, check_answers, make_challenge
from countermark.exercise.stages.disclosing import disclosed_samples
from countermark.exercise.stages.workspace import own_workspace
from countermark.node.book import Entry
from countermark.node.index import book
from countermark.records.canonical import canonical
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import Evidence, ExerciseClosing
from countermark.records.sample import ClosedLeaf, OpenScores, OpenTranscript
from countermark.transparency.challenge import challenged
from countermark.transparency.disclosure import read_disclosed, sample_leaves, to_file

Change = Callable[[Entry], Entry]
COUNT = 5
LAB = "JP-simulated"


@pytest.fixture
def cast(snapshots: Snapshots, tmp_path: Path) -> Cast:
    found = snapshots.at("closed", tmp_path)
    for code, node in found.institutes.items():
        disclosing.reveal(node, snapshots.protocol, "counts" if code == "JP" else "all")
    exchange(found)
    return found


def answers(cast: Cast, snapshots: Snapshots, made: Challenge) -> list[bytes]:
    names = [key.text for key in made.keys]
    shown = disclosed_samples(cast.institutes["JP"], snapshots.protocol, names)
    return [to_file(one) for one in shown]


def broken(cast: Cast, snapshots: Snapshots, made: Challenge, files: list[bytes]) -> list[int]:
    checks = check_answers(cast.developer, snapshots.protocol, made, files)
    assert [check.rule for check in checks] == [1, 2, 3, 4]
    return [check.rule for check in checks if not check.ok]


def test_a_lab_that_showed_only_counts_answers(cast: Cast, snapshots: Snapshots) -> None:
    made = make_challenge(cast.developer, snapshots.protocol, LAB, COUNT)
    assert len(set(made.indices)) == COUNT
    assert broken(cast, snapshots, made, answers(cast, snapshots, made)) == []


def test_everybody_chooses_the_same_whatever_was_logged_since(
    cast: Cast, snapshots: Snapshots
) -> None:
    protocol = snapshots.protocol
    for lab in ("JP-simulated", "GB-simulated"):
        made = make_challenge(cast.institutes["SG"], protocol, lab, COUNT)
        cast.institutes["GB"].say(*(r for _, r in book(cast.developer).of_kind(ExerciseClosing)))
        exchange(cast)
        for node in (*cast.institutes.values(), cast.developer):
            assert make_challenge(node, protocol, lab, COUNT) == made
        assert made.indices == challenged(made.root, made.seal, made.sealed.samples, COUNT)


def test_the_coordinators_own_lab_is_challenged_by_another_log(
    cast: Cast, snapshots: Snapshots
) -> None:
    node = cast.developer
    assert "-gb-" in make_challenge(node, snapshots.protocol, LAB, 1).because_of
    other = make_challenge(node, snapshots.protocol, "GB-simulated", 1).because_of
    assert other.startswith("evidence-")
    assert "-gb-" not in other


def test_a_challenge_needs_a_closed_seal_and_enough_samples(
    cast: Cast, snapshots: Snapshots, tmp_path: Path
) -> None:
    with pytest.raises(StateError, match="no closed seal of KE-simulated"):
        make_challenge(cast.developer, snapshots.protocol, "KE-simulated", 1)
    with pytest.raises(InputError, match="fewer than 999"):
        make_challenge(cast.developer, snapshots.protocol, LAB, 999)
    early = snapshots.at("sealed", tmp_path / "early")
    with pytest.raises(StateError, match="no closed seal"):
        make_challenge(early.developer, snapshots.protocol, LAB, 1)


def test_rule_1_a_file_that_does_not_verify(cast: Cast, snapshots: Snapshots) -> None:
    made = make_challenge(cast.developer, snapshots.protocol, LAB, COUNT)
    files = answers(cast, snapshots, made)
    value = json.loads(files[0])
    value["sample"]["transcript"]["value"]["seed"] += 1
    bent = canonical(value) + b"\n"
    assert broken(cast, snapshots, made, [bent, *files]) == [1]
    assert broken(cast, snapshots, made, [bent, *files[1:]]) == [1, 2]
    assert broken(cast, snapshots, made, [b"{}", *files]) == [1]


def test_rule_2_a_sample_that_is_not_answered_or_half(cast: Cast, snapshots: Snapshots) -> None:
    made = make_challenge(cast.developer, snapshots.protocol, LAB, COUNT)
    files = answers(cast, snapshots, made)
    assert broken(cast, snapshots, made, files[1:]) == [2]
    assert broken(cast, snapshots, made, []) == [2]
    (half,) = disclosed_samples(
        cast.institutes["JP"], snapshots.protocol, [made.keys[0].text], scores_only=True
    )
    assert broken(cast, snapshots, made, [to_file(half), *files[1:]]) == [2]
    assert broken(cast, snapshots, made, [to_file(half), *files]) == []


def test_rule_2_the_transcript_without_its_scores_is_no_answer(
    cast: Cast, snapshots: Snapshots
) -> None:
    made = make_challenge(cast.developer, snapshots.protocol, LAB, COUNT)
    files = answers(cast, snapshots, made)
    first = read_disclosed(files[0], where="answer")
    leaf = ClosedLeaf(leaf=sample_leaves(first.sample)[0].hex())
    closed = first.sample.model_copy(update={"scores": leaf})
    half = to_file(first.model_copy(update={"sample": closed}))
    assert broken(cast, snapshots, made, [half, *files[1:]]) == [2]


def chosen_by(cast: Cast, snapshots: Snapshots, change: Change) -> str | None:
    """Whose log chooses for the coordinator's own lab, if this were logged of the evidence."""
    known, protocol = book(cast.developer), snapshots.protocol
    closing = closing_of(known, protocol)
    assert closing is not None
    entries = tuple(
        change(one) if isinstance(one.record, Evidence) else one for one in known.entries
    )
    found = challenges._source(
        replace(known, entries=entries), protocol, closing, protocol.coordinator
    )
    return None if found is None else found.author


def first_other(cast: Cast) -> str:
    """The lab that revealed first, apart from the coordinator's."""
    order = [entry for entry, _ in book(cast.developer).of_kind(Evidence) if entry.author != "GB"]
    return min(order, key=lambda entry: (entry.witnessed or "", entry.origin)).author


def test_the_first_other_participant_to_reveal_chooses_for_the_coordinators_lab(
    cast: Cast, snapshots: Snapshots
) -> None:
    usual = first_other(cast)
    last = {"JP": "0", "SG": "1", "FR": "2", usual: "3"}

    def delayed(entry: Entry) -> Entry:
        return replace(entry, witnessed=f"2999-01-01T00:00:0{last.get(entry.author, '9')}Z")

    assert chosen_by(cast, snapshots, lambda entry: entry) == usual
    assert chosen_by(cast, snapshots, delayed) == next(
        code for code in ("JP", "SG", "FR") if code != usual
    )


def test_neither_the_coordinator_nor_a_stranger_nor_another_closing_nor_the_unwitnessed_choose(
    cast: Cast, snapshots: Snapshots
) -> None:
    usual = first_other(cast)

    def by(author: str) -> Change:
        return lambda entry: replace(entry, author=author) if entry.author == usual else entry

    def of_another_closing(entry: Entry) -> Entry:
        other = entry.record.model_copy(update={"closing": entry.digest})
        return replace(entry, record=other) if entry.author == usual else entry

    def unwitnessed(entry: Entry) -> Entry:
        return replace(entry, witnessed=None) if entry.author == usual else entry

    def own_first(entry: Entry) -> Entry:
        early = entry.author == snapshots.protocol.coordinator
        return replace(entry, witnessed="2000-01-01T00:00:00Z") if early else entry

    assert chosen_by(cast, snapshots, own_first) == usual
    for change in (by("GB"), by("ZZ"), of_another_closing, unwitnessed):
        assert chosen_by(cast, snapshots, change) not in (None, usual, "GB", "ZZ")


def test_rule_2_a_sample_that_was_not_asked_for_is_no_answer(
    cast: Cast, snapshots: Snapshots
) -> None:
    made = make_challenge(cast.developer, snapshots.protocol, LAB, COUNT)
    more = make_challenge(cast.developer, snapshots.protocol, LAB, COUNT + 1)
    files = answers(cast, snapshots, more)
    assert broken(cast, snapshots, made, files[1:]) == [2]


@pytest.mark.parametrize("rule", [3, 4])
def test_rules_3_and_4_a_lab_that_lied_before_it_sealed(
    cast: Cast, snapshots: Snapshots, rule: int
) -> None:
    protocol = snapshots.protocol
    made = make_challenge(cast.developer, protocol, LAB, COUNT)
    workspace = own_workspace(cast.institutes["JP"], protocol)
    samples = list(read_revealed(workspace.samples()))
    place = made.indices[0]
    if rule == 3:
        samples[place] = samples[place - 1]
    else:
        one = samples[place]
        assert isinstance(one.scores, OpenScores)
        (score,) = one.scores.value.scores
        bent = score.model_copy(update={"value": 1.0 - (score.value or 0.0), "status": "scored"})
        value = one.scores.value.model_copy(update={"scores": (bent,), "outcome": "answered"})
        samples[place] = one.model_copy(
            update={"scores": one.scores.model_copy(update={"value": value})}
        )
    sealed = made.sealed.model_copy(update={"root": sealed_root(samples)})
    lied = replace(made, sealed=sealed)
    files = [to_file(disclose(samples, made.seal, index)) for index in made.indices]
    assert isinstance(samples[place].transcript, OpenTranscript)
    assert broken(cast, snapshots, lied, files) == [rule]


def test_answers_are_scored_only_once_the_lab_has_logged_evidence(
    cast: Cast, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_challenge(cast.developer, snapshots.protocol, LAB, COUNT)
    files = answers(cast, snapshots, made)
    known = book(cast.developer)
    kept = tuple(one for one in known.entries if not isinstance(one.record, Evidence))
    monkeypatch.setattr(challenges, "read_book", lambda _: replace(known, entries=kept))
    with pytest.raises(StateError, match="logged no evidence"):
        check_answers(cast.developer, snapshots.protocol, made, files)
