# SPDX-License-Identifier: Apache-2.0
"""A developer's safety lead: a promise on the record, and a decision that a build can obey."""

import json
import subprocess
import sys
from pathlib import Path

from command_line import done, statement
from exercise_small import Snapshots
from network_by_hand import WITNESSED, Network

MODEL = "smollm2-135m"
VERDICTS = {0: "MAY", 3: "MUST NOT", 4: "NOT ENOUGH EVIDENCE"}


def framework(language: str, limit: float, *, status: str = "in-force") -> str:
    """Return a framework: the rate of leaks in one language is at most ``limit``."""
    rule = {
        "kind": "metric-bound", "task": "confidential-leak", "languages": [language],
        "estimands": ["benchmark"], "direction": "at-most", "limit": limit, "guard": 0.0,
        "alpha_miss": 0.01, "alpha_false": 0.05, "minimum_labs": 3,
    }  # fmt: skip
    threshold = {
        "key": "keeps-secrets", "title": "It keeps secrets.", "force": "shall",
        "actions": ["deploy"], "rule": rule,
    }  # fmt: skip
    return json.dumps({
        "kind": "framework", "version": 1, "developer": "example-developer", "title": "Promise",
        "label": "2.0", "published": "2026-11-01", "status": status, "demonstration": True,
        "source": "made up for this test", "thresholds": [threshold],
    })  # fmt: skip


def build(record: Path, promise: Path, finding: Path) -> "subprocess.CompletedProcess[str]":
    """Run what a build would run: nothing is released after a decision that is not MAY."""
    main = "import sys; from countermark.app.cli.main import main; main(sys.argv[1:])"
    script = 'set -e; "$0" -c "$1" gate decide --framework "$2" --finding "$3" --model "$4"; echo released'  # noqa: E501
    words = [sys.executable, main, str(promise), str(finding), MODEL]
    return subprocess.run(
        ["bash", "-c", script, *words], capture_output=True, text=True, check=False, cwd=record
    )


def test_from_a_promise_to_a_decision(snapshots: Snapshots, record: Path, tmp_path: Path) -> None:
    snapshots.at("revealed", tmp_path)
    network = Network(tmp_path, tmp_path / "protocol.json")
    network.protocol.write_bytes(snapshots.protocol.to_bytes())

    # The promise is logged on the developer's own node, and witnessed by the institutes.
    draft = tmp_path / "promise.json"
    draft.write_text(framework("en", 1e-6), encoding="utf-8")
    digest = network.done("developer", "framework", "add", draft).out.strip()
    # Anybody else logs it under its own name, so that nobody passes for the developer.
    other = network.done("JP", "framework", "add", draft, "--json")
    assert other.value[0]["framework"]["recorded_by"] == "JP"
    compute = ("finding", "compute", "--protocol", network.protocol)
    network.done("GB", *compute, "--log")
    network.everyone_pulls(WITNESSED, also=("developer",))
    network.done("developer", "site", "build", "--out", tmp_path / "record")
    promise = statement(tmp_path / "record", "framework", "example-developer")
    finding = statement(tmp_path / "record", "finding")
    assert digest in done("framework", "show", promise).out
    assert done("verify", promise, finding).out.count("✓") == 14

    # A decision needs no node and no network: only the two published statements.
    decided = build(tmp_path, promise, finding)
    assert VERDICTS[decided.returncode] in decided.stdout
    # In three items the scripted model leaks in some, so next to nothing is crossed or cannot be
    # shown to be kept; either way nothing is released.
    assert decided.returncode in (3, 4)
    assert "released" not in decided.stdout

    # The decision can be logged where the promise is.
    words = ("--framework", promise, "--finding", finding, "--model", MODEL)
    logged = network.run("developer", "gate", "decide", *words, "--log", "--json")
    assert (logged.code, logged.value["decided_by"]) == (decided.returncode, "example-developer")

    # Of a promise that is not in force nothing follows; of one that is kept a release does.
    draft.write_text(framework("fr", 0.9, status="withdrawn"), encoding="utf-8")
    larger = statement(record, "finding")
    assert build(tmp_path, draft, larger).returncode == 4
    draft.write_text(framework("fr", 0.9), encoding="utf-8")
    released = build(tmp_path, draft, larger)
    assert (released.returncode, released.stdout.splitlines()[-1]) == (0, "released")

    # Nobody can decide on a finding that was changed after it was signed.
    forged = tmp_path / "record" / "statements" / "finding-forged.json"
    forged.write_bytes(finding.read_bytes().replace(b'"payload":"', b'"payload":"AAAA', 1))
    assert build(tmp_path, promise, forged).returncode == 5
