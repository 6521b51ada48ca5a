# SPDX-License-Identifier: Apache-2.0
"""A developer's safety lead: a promise on the record, and a decision that a build can obey."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from command_line import Ran, countermark, done, statement
from exercise_small import Snapshots, small_protocol
from network_by_hand import WITNESSED, Network

from countermark.app.demo.cast import assemble

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


FILTERED = "smollm2-135m-filtered"


def able() -> str:
    """Return a framework with a capability that a person determines, and what may mitigate it."""
    value = json.loads(framework("fr", 0.9))
    value["mitigations"] = [
        {"key": "filter", "title": "Answers are filtered.", "sort": "deployment"}
    ]
    value["disclosure"] = [
        {"key": "report", "words": "a report", "to": "public", "force": "shall", "before": "deploy"}
    ]
    value["thresholds"].append({
        "key": "acts-alone", "title": "It does not act alone.", "force": "shall",
        "actions": ["deploy"], "mitigations": ["filter"],
        "rule": {
            "kind": "capability-level", "scale": ["some", "much"], "level": "much",
            "evidence": ["long tasks"],
        },
    })  # fmt: skip
    return json.dumps(value)


@dataclass(frozen=True)
class Lead:
    """A safety lead's desk: the network, the promise, and the record that it is decided on."""

    network: Network
    promise: Path
    version: str

    @classmethod
    def begin(cls, root: Path) -> "Lead":
        """Found a network and log the promise."""
        assemble(root, small_protocol())
        network = Network(root, root / "protocol.json")
        promise = root / "promise.json"
        promise.write_text(able(), encoding="utf-8")
        return cls(
            network, promise, network.done("developer", "framework", "add", promise).out.strip()
        )

    @property
    def public(self) -> Path:
        """The public record."""
        return self.network.root / "record"

    def write(self, **value: object) -> Path:
        """Write a statement as a person would."""
        file = self.network.root / f"{value['kind']}.json"
        file.write_text(json.dumps({"version": 1, "demonstration": True, **value}), "utf-8")
        return file

    def determine(self, code: str, **said: object) -> None:
        """Let one party log a judgement about the system."""
        file = self.write(**{
            "kind": "determination", "framework": self.version, "model": MODEL,
            "determined_by": "example-developer" if code == "developer" else code,
            "conclusion": "yes", "date": "2026-11-10", "persons": ["a panel"],
            "reasons": "They looked.", "evidence": [], **said,
        })  # fmt: skip
        self.network.done(code, "gate", "determine", file, "--framework", self.promise)

    def publish(self) -> None:
        """Let everybody pull, and build the record."""
        self.network.everyone_pulls(WITNESSED, also=("developer",))
        self.network.done("GB", "site", "build", "--out", self.public)

    def decide(self, finding: Path, *words: object) -> Ran:
        """Put the question to the gate."""
        evidence = ("--record", self.public, "--finding", finding, "--model", MODEL)
        return countermark("gate", "decide", "--framework", self.promise, *evidence, *words)


def test_from_a_crossed_threshold_to_a_release(record: Path, tmp_path: Path) -> None:
    lead = Lead.begin(tmp_path)
    finding = statement(record, "finding")

    # An institute finds that the system can do what was to be avoided.
    lead.determine("GB", subject="threshold", key="acts-alone", level="much")
    lead.publish()
    crossed = lead.decide(finding)
    assert crossed.code == 3
    assert "MUST NOT: smollm2-135m, deploy (rule 11)" in crossed.out
    assert "no evidence of the system with mitigations in place" in crossed.out

    # The developer says that a filter is in place; without a test with it that changes nothing.
    lead.determine("developer", subject="mitigation", key="filter", model=FILTERED)
    lead.publish()
    assert lead.decide(finding, "--mitigated", FILTERED).code == 3

    # Another institute examines the system with its filter; what is left is the report.
    lead.determine(
        "JP", subject="threshold", key="acts-alone", model=FILTERED, conclusion="no",
        mitigations=["filter"],
    )  # fmt: skip
    lead.publish()
    waiting = lead.decide(finding, "--mitigated", FILTERED)
    assert waiting.code == 4
    assert "nobody determined that this was disclosed: a report" in waiting.out
    lead.determine("GB", subject="duty", key="report")
    lead.publish()

    # Now the build goes on, with its reports; the decision is logged and argues over the filter.
    junit, sarif = tmp_path / "gate.xml", tmp_path / "gate.sarif"
    words = ("--junit", junit, "--sarif", sarif, "--log", "--node", lead.network.node("developer"))
    released = lead.decide(finding, "--mitigated", FILTERED, *words)
    assert released.code == 0
    assert "mitigated    acts-alone (rule 23)" in released.out
    # JP examined it; that the filter is in place is the developer's own word.
    assert "evidence of: developer alone" in released.out
    assert 'failures="0"' in junit.read_text(encoding="utf-8")
    assert json.loads(sarif.read_text(encoding="utf-8"))["version"] == "2.1.0"
    lead.publish()
    decision = statement(lead.public, "decision", "example-developer")
    case = done("gate", "case", decision, "--framework", lead.promise).out
    assert "strategy: Argue over what mitigations leave of the risk" in case
    done("verify", *sorted((lead.public / "statements").iterdir()))


def test_from_a_silent_change_to_a_reply(tmp_path: Path) -> None:
    lead = Lead.begin(tmp_path)

    # A new version asks less, and the developer's account of it does not say so.
    newer = tmp_path / "newer.json"
    value = json.loads(able()) | {"label": "3.0", "published": "2026-11-20"}
    del value["disclosure"]
    newer.write_text(json.dumps(value), encoding="utf-8")
    after = lead.network.done("developer", "framework", "add", newer).out.strip()
    account = lead.write(
        kind="account", developer="example-developer", before=lead.version, after=after,
        date="2026-11-21", changes=[],
    )  # fmt: skip
    versions = ("--before", lead.promise, "--after", newer)
    lead.network.done("developer", "framework", "account", account, *versions)
    lead.publish()
    told = lead.network.run("JP", "framework", "history", "example-developer").out
    assert "removed" in told
    assert "silent" in told

    # Whoever reads the record sees what is contested, and the developer's answer beside it.
    status = ("commitments", "status", lead.public, "--demonstration", "--at", "2026-11-29")
    assert "VII contested" in done(*status).out
    reply = lead.write(
        kind="reply", developer="example-developer", commitment="vii",
        words="The report comes out in spring.", date="2026-11-22",
    )  # fmt: skip
    lead.network.done("developer", "commitments", "reply", reply)
    lead.publish()
    answered = done(*status).out
    assert "the developer replied on 2026-11-22: The report comes out in spring." in answered
    assert "VII contested" in answered
