# SPDX-License-Identifier: Apache-2.0
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from exercise_small import Snapshots, exchange
from exercise_steps import At, refused, said

from countermark.exercise.joint.computing import compute_finding
from countermark.exercise.logged import own_record
from countermark.exercise.revealing.seal import read_revealed
from countermark.exercise.stages import disclosing
from countermark.exercise.stages.closing import close_exercise
from countermark.exercise.stages.disclosing import disclosed_samples
from countermark.exercise.stages.sealing import seal_samples
from countermark.exercise.stages.workspace import own_workspace
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records.errors import InputError
from countermark.records.evidence import Evidence, SealedResult
from countermark.records.sample import OpenTranscript
from countermark.transparency.disclosure import to_file, verify_disclosure


@pytest.fixture
def at(snapshots: Snapshots, tmp_path: Path) -> At:
    return lambda stage: snapshots.at(stage, tmp_path)


def sample_names(node: Node, evidence: Evidence) -> list[str]:
    data = node.blobs.get(evidence.samples.digest) or b""
    return [one.open_scores.key.text for one in read_revealed(data) if one.open_scores]


def test_rule_1_no_sample_is_shown_before_the_closing(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("sealed").institutes["JP"], snapshots.protocol
    refused(node, "is not closed yet", lambda: disclosed_samples(node, protocol, ["x"]))


def test_rule_2_more_cannot_be_revealed_later(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    disclosing.reveal(node, protocol, "counts")
    error = refused(node, "revealed already", lambda: disclosing.reveal(node, protocol))
    assert "--sample" in error.next_step


def test_rule_3_the_transcripts_of_the_named_items_are_closed(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    evidence = disclosing.reveal(node, protocol, "some", ["false-review"])
    samples = read_revealed(node.blobs.get(evidence.samples.digest) or b"")
    keys = [one.open_scores.key for one in samples if one.open_scores]
    assert len(keys) == len(samples) == evidence.opened.scores
    for key, one in zip(keys, samples, strict=True):
        assert (one.open_transcript is None) == (key.item == "false-review")
    assert (evidence.disclosure, evidence.tree_key) == ("some", None)


def test_rule_3_all_transcripts_are_closed_if_no_items_are_named(
    at: At, snapshots: Snapshots
) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    opened = disclosing.reveal(node, protocol, "some").opened
    assert (opened.scores, opened.transcripts) == (opened.samples, 0)


@pytest.mark.parametrize(("items", "text"), [(["no-item"], "no item of"), ([], "closes nothing")])
def test_rule_3_items_that_close_nothing(
    at: At, snapshots: Snapshots, items: list[str], text: str
) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    refused(node, text, lambda: disclosing.reveal(node, protocol, "some", items), InputError)


def test_rule_4_with_counts_nothing_is_open_and_the_counts_are_said(
    at: At, snapshots: Snapshots
) -> None:
    cast, protocol = at("closed"), snapshots.protocol
    node = cast.institutes["JP"]
    evidence = disclosing.reveal(node, protocol, "counts")
    assert sample_names(node, evidence) == []
    assert evidence.opened.samples == sum(one.submitted for one in evidence.counts) > 0
    whole = disclosing.reveal(cast.institutes["SG"], protocol)
    assert [one.submitted for one in evidence.counts] == [one.submitted for one in whole.counts]


@pytest.mark.parametrize("what", ["some", "counts"])
def test_rule_5_the_own_lab_shows_any_sample_later(at: At, snapshots: Snapshots, what: str) -> None:
    cast, protocol = at("closed"), snapshots.protocol
    names = sample_names(cast.institutes["SG"], disclosing.reveal(cast.institutes["SG"], protocol))
    node = cast.institutes["JP"]
    disclosing.reveal(node, protocol, what)  # type: ignore[arg-type]
    sealed = own_record(book(node), node, SealedResult, protocol)
    assert sealed
    seals = {sealed.digest: (sealed.root, sealed.samples)}
    for index, one in enumerate(disclosed_samples(node, protocol, names)):
        assert one.index == index
        assert all(check.ok for check in verify_disclosure(to_file(one), seals))
    (half,) = disclosed_samples(node, protocol, names[3:4], scores_only=True)
    assert half.sample.open_transcript is None
    assert all(check.ok for check in verify_disclosure(to_file(half), seals))
    with pytest.raises(InputError, match="no open sample"):
        disclosed_samples(node, protocol, ["a/b/en/c/1"])


def test_rule_5_anybody_shows_a_sample_that_is_open(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("closed"), snapshots.protocol
    node = cast.institutes["JP"]
    evidence = disclosing.reveal(node, protocol, "some", ["false-review"])
    exchange(cast)
    names = sample_names(node, evidence)
    closed = [name for name in names if "/false-review/" in name]
    open_ = next(name for name in names if name not in closed)
    public = cast.developer
    assert disclosed_samples(public, protocol, [open_], "JP-simulated") == disclosed_samples(
        node, protocol, [open_]
    )
    with pytest.raises(InputError, match="not opened the transcript"):
        disclosed_samples(public, protocol, closed[:1], "JP-simulated")
    (half,) = disclosed_samples(public, protocol, closed[:1], "JP-simulated", scores_only=True)
    assert half.sample.open_scores
    other = "SG-simulated"
    refused(public, "has revealed nothing", lambda: disclosed_samples(public, protocol, [], other))


def test_closed_answers_are_in_no_node_but_their_own(at: At, snapshots: Snapshots) -> None:
    """Closing takes them out of all that is published: blobs, logs, mirrors, and the index."""
    cast, protocol = at("closed"), snapshots.protocol
    node = cast.institutes["JP"]
    workspace = own_workspace(node, protocol)
    disclosing.reveal(node, protocol, "some")
    for code in ("GB", "SG"):
        disclosing.reveal(cast.institutes[code], protocol)
    exchange(cast)
    compute_finding(cast.institutes["GB"], protocol)
    whole = read_revealed(workspace.samples())
    salts = [one.transcript.salt for one in whole if isinstance(one.transcript, OpenTranscript)]
    # The generation seeds are in no closed file, and each is of one sample of one lab only.
    seeds = [f'"seed":{one.open_transcript.seed}' for one in whole if one.open_transcript]
    secret = [text.encode() for text in (*salts, *seeds, workspace.tree_key.hex())]
    assert len(secret) == 2 * len(whole) + 1
    for other in (*cast.institutes.values(), cast.developer):
        for path in other.folder.root.rglob("*"):
            published = path.is_file() and other.folder.runs not in path.parents
            assert not (published and any(one in path.read_bytes() for one in secret)), path


def test_nothing_is_revealed_before_the_closing(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("sealed").institutes["JP"], snapshots.protocol
    refused(node, "is not closed yet", lambda: disclosing.reveal(node, protocol))


def test_nothing_is_revealed_that_was_not_sealed(at: At, snapshots: Snapshots) -> None:
    node = at("run").institutes["JP"]
    refused(node, "has nothing sealed", lambda: disclosing.reveal(node, snapshots.protocol))


def test_a_lab_whose_seal_the_closing_lacks_does_not_reveal(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("run"), snapshots.protocol
    late = cast.institutes["SG"]
    seal_samples(cast.institutes["GB"], protocol)
    exchange(cast)
    close_exercise(cast.institutes["GB"], protocol)
    seal_samples(late, protocol)  # it has not pulled the closing yet
    exchange(cast)
    refused(late, "closed without this lab's seal", lambda: disclosing.reveal(late, protocol))


def test_a_reveal_opens_what_was_sealed(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    workspace = own_workspace(node, protocol)
    evidence = disclosing.reveal(node, protocol)
    assert said(node, Evidence) == [evidence]
    assert node.blobs.get(evidence.samples.digest) == workspace.samples()
    assert evidence.tree_key == workspace.tree_key.hex()
    assert evidence.secret_seed == workspace.seed.hex()
    assert evidence.deviations == ()
    assert (evidence.started, evidence.finished) == ("2026-11-01T10:00:00Z", "2026-11-01T10:01:00Z")
    assert {one.name for one in evidence.software} == {"countermark", "inspect_ai"}
    for counts in evidence.counts:
        outcomes = counts.answered + counts.refused + counts.errored + counts.missing
        scores = sum(s.scored + s.unparsed + s.not_attempted for s in counts.scorers)
        assert outcomes == scores == counts.submitted > 0


def test_a_lab_reveals_once(at: At, snapshots: Snapshots) -> None:
    node = at("revealed").institutes["JP"]
    refused(node, "was revealed already", lambda: disclosing.reveal(node, snapshots.protocol))


@pytest.mark.parametrize("change", [lambda _: b"", lambda data: data.replace(b"No.", b"Yes", 1)])
def test_samples_that_are_not_what_was_sealed_are_not_revealed(
    at: At, snapshots: Snapshots, change: Callable[[bytes], bytes]
) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    path = own_workspace(node, protocol).folder / "samples.jsonl"
    assert change(path.read_bytes()) != path.read_bytes()
    path.write_bytes(change(path.read_bytes()))
    error = refused(node, "no longer what was sealed", lambda: disclosing.reveal(node, protocol))
    assert error.where == str(path)


def test_the_counts_are_those_of_the_sealed_samples_whatever_became_of_the_logs(
    at: At, snapshots: Snapshots
) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    folder = own_workspace(node, protocol).log_folder
    os.unlink(folder / "mild-refusal_ja.eval")  # noqa: PTH108  as a clean-up job would
    evidence = disclosing.reveal(node, protocol)
    assert sum(one.missing for one in evidence.counts) == 0
