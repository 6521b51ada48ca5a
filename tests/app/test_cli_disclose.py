# SPDX-License-Identifier: Apache-2.0
"""Revealing in part, single samples and challenges by command; and what leaks nowhere."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import countermark
from exercise_small import STAGES, Snapshots
from network_by_hand import Network, answer_by_script

from countermark.app.record import write_record
from countermark.exercise.revealing.seal import read_revealed
from countermark.exercise.stages import disclosing
from countermark.exercise.stages.workspace import own_workspace
from countermark.network.sync import settle
from countermark.records.sample import OpenScores, OpenTranscript


@pytest.fixture
def closed(snapshots: Snapshots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    answer_by_script(monkeypatch)
    snapshots.at("closed", tmp_path)
    found = Network(tmp_path, tmp_path / "protocol.json")
    found.protocol.write_bytes(snapshots.protocol.to_bytes())
    return found


def reveal(network: Network, code: str, *words: object) -> tuple[int, str, str]:
    ran = network.run(code, "exercise", "reveal", "--protocol", network.protocol, *words)
    return ran.code, ran.out, ran.err


def test_a_lab_reveals_in_part_and_the_status_says_so(closed: Network) -> None:
    listed = closed.root / "hazardous.txt"
    listed.write_text("false-review\n\n")
    code, _, err = reveal(closed, "JP", "--disclose", "some", "--closed-items", listed)
    assert code == 0
    assert "scores open, 24 of 28 transcripts open" in err
    status = closed.done("JP", "exercise", "status", "--protocol", closed.protocol)
    assert "JP  revealed (scores open, 24 of 28 transcripts open)" in status.out
    assert "GB  sealed (sealed, not revealed)" in status.out


@pytest.mark.parametrize(
    "words",
    [
        ("--closed-items", "x"),
        ("--disclose", "counts", "--closed-items", "x"),
        ("--sample", "a", "--disclose", "some"),
        ("--lab", "JP-simulated"),
        ("--scores-only",),
    ],
)
def test_words_that_do_not_fit_together(closed: Network, words: tuple[str, ...]) -> None:
    code, out, err = reveal(closed, "JP", *words)
    assert (code, out) == (2, "")
    assert "Next: " in err


def test_a_challenge_is_answered_and_checked(closed: Network) -> None:
    assert reveal(closed, "JP", "--disclose", "counts")[0] == 0
    closed.done("GB", "sync", "pull")
    challenge = ("exercise", "challenge", "--protocol", closed.protocol, "--lab", "JP-simulated")
    asked = closed.done("GB", *challenge, "--count", "3").out.split()
    assert len(asked) == 3
    said = closed.done("GB", *challenge, "--count", "3", "--json").value
    assert [one["sample"] for one in said["samples"]] == asked
    names = [word for name in asked for word in ("--sample", name)]
    folder = closed.root / "answers"
    code, out, _ = reveal(closed, "JP", *names, "-o", folder)
    files = out.split()
    assert code == 0
    assert sorted(files) == sorted(str(path) for path in folder.iterdir())
    checked = closed.run("GB", *challenge, "--count", "3", *files)
    assert (checked.code, checked.out.count("✓")) == (0, 4)
    short = closed.run("GB", *challenge, "--count", "3", *files[1:])
    assert short.code == 5
    assert "✗ 2." in short.out


def test_a_lab_is_left_out_with_a_reason(snapshots: Snapshots, tmp_path: Path) -> None:
    snapshots.at("revealed", tmp_path)
    network = Network(tmp_path, tmp_path / "protocol.json")
    network.protocol.write_bytes(snapshots.protocol.to_bytes())
    compute = ("finding", "compute", "--protocol", network.protocol)
    file = tmp_path / "finding.json"
    network.done("GB", *compute, "--without", "SG-simulated=Its seal is bad.", "-o", file)
    shown = countermark("finding", "show", file).out
    assert "SG-simulated: left out (Its seal is bad.)" in shown
    assert "JP-simulated: 28 of 28 scores computed again" in shown
    for words in (["SG-simulated"], ["SG-simulated= "], ["X=y", "--check", str(file)]):
        assert network.run("GB", *compute, "--without", *words).code == 2


def held(folder: Path, skip: Path) -> Callable[[bytes], bool]:
    contents = [
        path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and skip not in path.parents
    ]
    return lambda text: any(text in data for data in contents)


@pytest.mark.parametrize("stage", STAGES)
def test_at_no_stage_does_anybody_hold_anothers_plaintext_before_the_closing(
    snapshots: Snapshots, tmp_path: Path, stage: str
) -> None:
    """Every file of every node, the record with its pages, and what the commands print."""
    cast = snapshots.at(stage, tmp_path / "net")
    settle(cast.nodes, cast.sources)
    protocol = snapshots.protocol
    secret: dict[str, list[bytes]] = {}
    if stage not in ("logged", "signed", "planned", "run"):
        for code, node in cast.institutes.items():
            workspace = own_workspace(node, protocol)
            samples = read_revealed(workspace.samples())
            parts = [part for one in samples for part in (one.scores, one.transcript)]
            salts = [p.salt for p in parts if isinstance(p, OpenScores | OpenTranscript)]
            seeds = [f'"seed":{one.open_transcript.seed}' for one in samples if one.open_transcript]
            private = (*salts, *seeds, workspace.seed.hex(), workspace.tree_key.hex())
            secret[code] = [text.encode() for text in private]
    assert bool(secret) == (stage in ("sealed", "closed", "revealed"))
    for reader, node in cast.nodes.items():
        write_record(node, tmp_path / f"record-{reader}")
        place = node.folder.root
        within, shown = (
            held(place, node.folder.runs),
            held(tmp_path / f"record-{reader}", node.folder.runs),
        )
        for author, texts in secret.items():
            for text in texts[:3] + texts[-3:]:
                assert (within(text) or shown(text)) == (stage == "revealed"), (reader, author)


def test_what_is_closed_is_in_no_record_page_or_mirror(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    cast, protocol = snapshots.at("closed", tmp_path / "net"), snapshots.protocol
    shown = {"GB": "all", "JP": "some", "SG": "counts"}
    for code, what in shown.items():
        disclosing.reveal(cast.institutes[code], protocol, what)  # type: ignore[arg-type]
    settle(cast.nodes, cast.sources)
    for reader, node in cast.nodes.items():
        write_record(node, tmp_path / f"record-{reader}")
        within = held(node.folder.root, node.folder.runs)
        public = held(tmp_path / f"record-{reader}", node.folder.runs)
        for code in cast.institutes:
            workspace = own_workspace(cast.institutes[code], protocol)
            for one in read_revealed(workspace.samples())[::5]:
                assert isinstance(one.scores, OpenScores)
                assert isinstance(one.transcript, OpenTranscript)
                scores, transcript = one.scores.salt.encode(), one.transcript.salt.encode()
                what = shown.get(code, "nothing")
                assert (within(scores) or public(scores)) == (what in ("all", "some"))
                assert (within(transcript) or public(transcript)) == (what == "all")
    page = next((tmp_path / "record-GB" / "site" / "exercises").glob("*/index.html")).read_text()
    for words in ("everything open", "scores open, 0 of 28 transcripts open", "counts only"):
        assert words in page
    assert "<strong>FR-simulated</strong>: sealed, not revealed" in page
