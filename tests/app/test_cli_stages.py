# SPDX-License-Identifier: Apache-2.0
"""Each stage of an exercise as one command: JSON to stdout, talk to stderr, each taken once."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import countermark, tree
from exercise_small import Snapshots
from network_by_hand import Network, answer_by_script

from countermark.exercise import demonstration

SOURCE = Path(demonstration.__file__).parent


@pytest.fixture
def at(
    snapshots: Snapshots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Network]:
    """Return what brings back the small exercise as it stood after a stage."""
    answer_by_script(monkeypatch)

    def network(stage: str) -> Network:
        snapshots.at(stage, tmp_path)
        found = Network(tmp_path, tmp_path / "protocol.json")
        found.protocol.write_bytes(snapshots.protocol.to_bytes())
        return found

    return network


# The stage that it follows, who takes it, its words, and a field of what it says in JSON.
STAGES: list[tuple[str, str, tuple[str, ...], str]] = [
    ("logged", "JP", ("protocol", "sign", "PROTOCOL"), "signed_by"),
    ("signed", "JP", ("exercise", "run", "--protocol", "PROTOCOL"), "logs"),
    ("run", "JP", ("exercise", "seal", "--protocol", "PROTOCOL"), "root"),
    ("sealed", "GB", ("exercise", "close", "--protocol", "PROTOCOL"), "seals"),
    ("closed", "JP", ("exercise", "reveal", "--protocol", "PROTOCOL"), "tree_key"),
    ("revealed", "GB", ("finding", "compute", "--protocol", "PROTOCOL"), "cells"),
]


@pytest.mark.parametrize(("stage", "code", "words", "field"), STAGES, ids=str)
def test_each_stage_says_what_it_did(
    at: Callable[[str], Network], stage: str, code: str, words: tuple[str, ...], field: str
) -> None:
    network = at(stage)
    typed = [network.protocol if word == "PROTOCOL" else word for word in words]
    ran = network.done(code, *typed, "--json")
    assert field in ran.value
    assert "Next: " not in ran.out


@pytest.mark.parametrize(
    ("stage", "verb"),
    [("logged", "run"), ("planned", "seal"), ("run", "close"), ("sealed", "reveal")],
)
def test_a_stage_waits_for_the_one_before(
    at: Callable[[str], Network], stage: str, verb: str
) -> None:
    network = at(stage)
    before = tree(network.node("GB") / "log")
    ran = network.run("GB", "exercise", verb, "--protocol", network.protocol)
    assert ran.code == 1
    assert "Next: " in ran.err
    assert tree(network.node("GB") / "log") == before


@pytest.mark.parametrize(("stage", "verb"), [("sealed", "seal"), ("revealed", "reveal")])
def test_a_stage_is_taken_once(at: Callable[[str], Network], stage: str, verb: str) -> None:
    network = at(stage)
    before = tree(network.node("JP") / "log")
    ran = network.run("JP", "exercise", verb, "--protocol", network.protocol)
    assert ran.code == 1
    assert "already" in ran.err
    assert tree(network.node("JP") / "log") == before


def test_only_the_coordinator_closes(at: Callable[[str], Network]) -> None:
    network = at("sealed")
    ran = network.run("JP", "exercise", "close", "--protocol", network.protocol)
    assert ran.code == 1
    assert "is coordinated by GB" in ran.err


def test_settings_of_a_run_that_was_planned_are_not_taken_again(
    at: Callable[[str], Network],
) -> None:
    network = at("planned")
    words = ("--protocol", network.protocol, "-s", "temperature=t10")
    ran = network.run("GB", "exercise", "run", *words)
    assert ran.code == 2
    assert "planned already" in ran.err


def test_a_run_without_inspect_plans_nothing_and_says_what_to_install(
    at: Callable[[str], Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = at("signed")
    monkeypatch.delitem(sys.modules, "countermark.exercise.inspect.run", raising=False)
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    before = tree(network.node("GB") / "log")
    ran = network.run("GB", "exercise", "run", "--protocol", network.protocol)
    assert ran.code == 1
    assert "Next: pip install 'countermark[inspect]'" in ran.err
    assert tree(network.node("GB") / "log") == before


def test_checking_a_finding_in_json(at: Callable[[str], Network]) -> None:
    network = at("revealed")
    file = network.root / "finding.json"
    compute = ("finding", "compute", "--protocol", network.protocol)
    network.done("GB", *compute, "-o", file)
    said = network.done("JP", *compute, "--check", file, "--json").value
    assert (said["kind"], said["of_kind"]) == ("countersignature", "finding")
    assert said["figures_compared"] > 100


def test_freezing_writes_the_protocol_and_says_it(tmp_path: Path) -> None:
    out = tmp_path / "protocol.json"
    ran = countermark("protocol", "freeze", SOURCE, "-o", out, "--json")
    assert ran.code == 0
    assert ran.value["name"] == "demonstration"
    assert countermark("protocol", "show", out, "--json").value == ran.value
