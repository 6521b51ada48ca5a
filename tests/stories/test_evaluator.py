# SPDX-License-Identifier: Apache-2.0
"""An evaluator: logs that Inspect made elsewhere become evidence that nobody can alter."""

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import done, statement
from exercise_small import SEED, Snapshots, cell_run
from network_by_hand import WITNESSED, Network
from scripted import log_value, write_log

LAB = "JP-simulated"
MODEL = "countermark/smollm2"


def by_inspect(network: Network, folder: Path, task: str, language: str) -> Path:
    """Run one cell as an evaluator would, with Inspect's own command on the embedded model."""
    given = {
        "protocol": network.protocol,
        "task": task,
        "language": language,
        "lab": LAB,
        "seed": SEED.hex(),
    }
    inspect = Path(sys.executable).with_name("inspect")
    words = [word for name, value in given.items() for word in ("-T", f"{name}={value}")]
    subprocess.run(
        [
            inspect,
            "eval",
            "countermark/exercise",
            "--model",
            MODEL,
            *words,
            "--log-dir",
            folder,
            "--display",
            "none",
        ],
        check=True,
        capture_output=True,
    )
    (log,) = folder.glob("*.eval")
    return log


def by_script(network: Network, snapshots: Snapshots, task: str, language: str) -> Path:
    run = cell_run(snapshots.protocol, task, language, LAB)
    return write_log(network.root / f"{task}.{language}.eval", *log_value(run, MODEL))


@pytest.mark.model
def test_from_inspect_logs_to_revealed_evidence(snapshots: Snapshots, tmp_path: Path) -> None:
    snapshots.at("signed", tmp_path)
    network = Network(tmp_path, tmp_path / "protocol.json")
    network.protocol.write_bytes(snapshots.protocol.to_bytes())
    take = ("exercise", "import", "--protocol", network.protocol, "--lab", LAB)

    # A log that Inspect made elsewhere is taken as it is.
    log = by_inspect(network, tmp_path / "elsewhere", "confidential-leak", "ja")
    assert network.done("JP", *take, log).out.startswith("✓ kept")

    # One with a sample too few is refused with the list, then taken as a declared deviation.
    run = cell_run(snapshots.protocol, "confidential-leak", "en", LAB)
    header, samples = log_value(run, MODEL)
    short = write_log(tmp_path / "short.eval", header, samples[1:])
    refused = network.run("JP", *take, short)
    assert refused.code == 1
    assert "rule 8: samples missing: " in refused.out
    assert "--deviation" in refused.err
    reason = "the run was stopped by a power cut"
    assert network.done("JP", *take, short, "--deviation", reason).out.startswith("✓ kept")

    # Sealing waits until every cell is there, and is final.
    early = network.run("JP", "exercise", "seal", "--protocol", network.protocol)
    assert early.code == 1
    assert "lacks 2 cells" in early.err
    for language in ("en", "ja"):
        network.done("JP", *take, by_script(network, snapshots, "mild-refusal", language))
    root = network.exercise("JP", "seal", "--json").value["root"]
    again = network.run("JP", "exercise", "seal", "--protocol", network.protocol)
    assert (again.code, "was sealed already" in again.err) == (1, True)
    network.everyone_pulls(WITNESSED)

    # Revealing waits for the closing.
    too_early = network.run("JP", "exercise", "reveal", "--protocol", network.protocol)
    assert (too_early.code, "is not closed yet" in too_early.err) == (1, True)
    assert network.exercise("GB", "close").out.split() == [LAB]
    network.everyone_pulls()
    evidence = network.exercise("JP", "reveal", "--json").value
    assert [one["reason"] for one in evidence["deviations"]] == [
        "the run plan was logged after the run",
        reason,
    ]
    network.everyone_pulls(WITNESSED)

    # Anyone can check what came of it, and it is what was sealed.
    network.done("GB", "site", "build", "--out", tmp_path / "record")
    published = statement(tmp_path / "record", "evidence")
    assert published.name.startswith("evidence-jp-")
    assert done("verify", published).out.count("✓") == 7
    blob = evidence["samples"]["digest"].removeprefix("sha256:")
    assert (tmp_path / "record" / "blobs" / "sha256" / blob).is_file()
    sealed = statement(tmp_path / "record", "sealed-result")
    (check,) = done("verify", "--json", sealed).value
    assert check["valid"]
    assert network.exercise("JP", "status").out.count("revealed") == 1
    assert len(root) == 64
