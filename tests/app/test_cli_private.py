# SPDX-License-Identifier: Apache-2.0
"""A lab's commands on a protocol with private items: the private part is given once, and kept."""

import shutil
from pathlib import Path

import pytest
from exercise_small import SEED, small_protocol, stages
from network_by_hand import Network, answer_by_script
from scripted import log_value, write_log

from countermark.exercise.cells import CellRun
from countermark.exercise.private.content import open_private, provider_of
from countermark.exercise.private.files import given_part, write_private
from countermark.exercise.private.sealing import seal_private
from countermark.records.protocol import Protocol

PRIVATE = "private.json"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder where all have signed a protocol with a private item and model."""
    root = tmp_path_factory.mktemp("signed")
    sealing = seal_private(
        small_protocol(("en",)), ["smollm2-135m"], [("confidential-leak", "pretext-repair")]
    )
    assert sealing.part is not None
    for name, _ in stages(root, open_private(sealing.protocol, sealing.part)):
        if name == "signed":
            break
    (root / "protocol.json").write_bytes(sealing.protocol.to_bytes())
    write_private(root / PRIVATE, sealing.part)
    return root


@pytest.fixture
def network(signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    answer_by_script(monkeypatch)
    shutil.copytree(signed, tmp_path, dirs_exist_ok=True)
    return Network(tmp_path, tmp_path / "protocol.json")


def runs(network: Network, code: str) -> list[Path]:
    return sorted((network.node(code) / "runs").rglob("*"))


def test_without_the_private_part_nothing_is_planned(network: Network) -> None:
    ran = network.run("JP", "exercise", "run", "--protocol", network.protocol)
    assert (ran.code, ran.out) == (1, "")
    assert "--private FILE" in ran.err
    assert runs(network, "JP") == []
    assert network.done("JP", "exercise", "status", "--protocol", network.protocol).out


def test_the_private_part_is_given_once(network: Network) -> None:
    private = network.root / PRIVATE
    network.exercise("JP", "run", "--private", private)
    (kept,) = (network.node("JP") / "runs").glob(f"*/{PRIVATE}")
    assert kept.read_bytes() == private.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600
    private.unlink()
    sealed = network.exercise("JP", "seal", "--json").value
    assert sealed["samples"] == 14


def test_a_log_that_was_made_elsewhere_is_imported_with_the_private_part(network: Network) -> None:
    private = network.root / PRIVATE
    frozen = Protocol.from_bytes(network.protocol.read_bytes(), where="protocol.json")
    opened = open_private(frozen, given_part(private))
    run = CellRun(opened, "confidential-leak", "en", "JP-simulated", (), SEED)
    log = write_log(network.root / "a.eval", *log_value(run, provider_of(opened.models[0])))
    words = ("exercise", "import", log, "--lab", run.lab, "--protocol", network.protocol)

    ran = network.run("JP", *words)
    assert (ran.code, ran.out) == (1, "")
    assert "--private FILE" in ran.err
    assert "✓ kept" in network.done("JP", *words, "--private", private).out
    assert [path.name for path in runs(network, "JP") if path.name == PRIVATE] == [PRIVATE]
