# SPDX-License-Identifier: Apache-2.0
"""``benchmarks/log.py`` runs, whatever the size, and tells a bar that is reached from one not."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "log.py"
SMALL = ("--entries", "600", "--proofs", "5", "--statements", "2", "--repeat", "1")
BARS: dict[str, tuple[str, set[float]]] = {
    "… of the raw rate of the tree": ("at_least", {20, 8}),
    "append in memory, times pymerkle": ("at_least", {2}),
    "verifying an inclusion proof": ("at_most", {50}),
    "verifying a consistency proof": ("at_most", {50}),
    "full audit of 600 entries": ("at_most", {0.012}),
    "… times these imports": ("at_most", {1.5}),
    "each further file": ("at_most", {5}),
}
NAMES = """\
raw SHA-256 of the leaves
raw SHA-256 of the tree's 2n − 1 inputs
append in one batch, in memory
… of the raw rate of the leaves
… of the raw rate of the tree
append in one batch, written and flushed
… of the raw rate of the tree
pymerkle: append and root, in memory
append in memory, times pymerkle
inclusion proof, tiles read anew
inclusion proof, tiles kept
… times as fast as pymerkle
consistency proof, tiles kept
… times as fast as pymerkle
verifying an inclusion proof
… times as fast as pymerkle
verifying a consistency proof
… times as fast as pymerkle
full audit of 600 entries
raw Ed25519 verifications
statements verified (5 signatures each)
… of the raw rate of their signatures
importing click, pydantic (BaseModel, Field), securesystemslib, tuf.api.metadata
`countermark verify` of one statement
… times these imports
… times the four packages named only, which loads little of them
each further file
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmarks_log", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_all_rows_are_printed_and_only_the_rival_may_be_missing() -> None:
    told = subprocess.run(
        [sys.executable, str(SCRIPT), *SMALL, "--json", "--without-pymerkle"],
        check=True,
        capture_output=True,
        text=True,
    )
    answer = json.loads(told.stdout)
    assert {"processor", "cores", "python", "openssl", "load"} <= set(answer["machine"])
    rows = answer["rows"]
    assert [row["name"] for row in rows] == NAMES.splitlines()
    for name, (side, bars) in BARS.items():
        assert {row[side] for row in rows if row["name"] == name} == bars
    barred = [row for row in rows if row["at_least"] is not None or row["at_most"] is not None]
    assert len(barred) == sum(len(bars) for _, bars in BARS.values())
    missing = [row["name"] for row in rows if row["figure"] is None]
    assert missing == [row["name"] for row in rows if "pymerkle" in row["name"]]
    assert all((row["reached"] is None) == (row["figure"] is None) for row in barred)
    assert all(row["figure"] > 0 for row in rows if row["figure"] and row not in barred)


def test_a_bar_is_reached_not_reached_or_not_measured(script: ModuleType) -> None:
    row = script.Row
    assert row("a", 20.0, "%", at_least=20).markdown == "| a | 20 % | ≥ 20 | reached |"
    assert row("a", 19.9, "%", at_least=20).markdown == "| a | 19.9 % | ≥ 20 | **not reached** |"
    assert row("a", 51.0, "µs", at_most=50).markdown == "| a | 51 µs | ≤ 50 | **not reached** |"
    assert row("a", None, "×", at_least=2).markdown == "| a | not measured | ≥ 2 |  |"
    assert row("a", 1_234_567.8, "/s").markdown == "| a | 1,234,568 /s |  |  |"
