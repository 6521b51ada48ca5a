# SPDX-License-Identifier: Apache-2.0
"""``countermark gate decide``: every verdict with its exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Ran, countermark, done, statement
from exercise_finished import FinishedExercise

from countermark.app.cli.reading import read_record
from countermark.records.finding import Finding

VECTORS = Path(__file__).parents[1] / "vectors" / "v0.1"
MODEL = "smollm2-135m"
VERDICTS = {"MAY": 0, "MUST NOT": 3, "NOT ENOUGH EVIDENCE": 4}


def framework(folder: Path, *, language: str, limit: float) -> Path:
    """Write a framework with one threshold on the leakage of a confidential fact."""
    value = {
        "kind": "framework", "version": 1, "developer": "example-developer", "title": "F",
        "label": "1", "published": "2026", "status": "in-force", "demonstration": True,
        "source": "made up for this test",
        "thresholds": [{
            "key": "keeps-secrets", "title": "It keeps secrets.", "force": "shall",
            "actions": ["deploy"],
            "rule": {
                "kind": "metric-bound", "task": "confidential-leak", "languages": [language],
                "estimands": ["benchmark", "generalised"], "direction": "at-most", "limit": limit,
                "guard": 0.0, "alpha_miss": 0.01, "alpha_false": 0.05, "minimum_labs": 3,
            },
        }],
    }  # fmt: skip
    path = folder / "framework.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def decide(record: Path, framework_file: Path, *more: object) -> Ran:
    finding = statement(record, "finding")
    words = ("--framework", framework_file, "--finding", finding, "--model", MODEL)
    return countermark("gate", "decide", *words, *more)


def largest(record: Path, language: str) -> float:
    """Return the largest rate in one language: no interval is above it, and not all are below."""
    finding = done("finding", "show", "--json", statement(record, "finding")).value
    return max(
        float(figure["value"])
        for cell in finding["cells"]
        if (cell["task"], cell["language"]) == ("confidential-leak", language)
        for figure in cell["figures"]
    )


# Scripted labs leak often in English and never in French, and fail the controls in Japanese.
CASES = [
    ("fr", 0.9, "MAY", 9),
    ("en", 0.01, "MUST NOT", 5),
    ("en", None, "NOT ENOUGH EVIDENCE", 6),
    ("ja", 0.9, "NOT ENOUGH EVIDENCE", 7),
    ("de", 0.9, "NOT ENOUGH EVIDENCE", 2),
]


@pytest.mark.parametrize(("language", "limit", "verdict", "rule"), CASES)
def test_each_verdict_has_its_exit_code(
    record: Path, tmp_path: Path, language: str, limit: float | None, verdict: str, rule: int
) -> None:
    line = largest(record, language) if limit is None else limit
    promised = framework(tmp_path, language=language, limit=line)
    ran = decide(record, promised)
    assert ran.code == VERDICTS[verdict]
    assert ran.out.startswith(f"{verdict}: {MODEL}, deploy (rule ")
    assert f"keeps-secrets (rule {rule})" in ran.out
    decision: dict[str, Any] = decide(record, promised, "--json").value
    assert (decision["verdict"], decision["outcomes"][0]["rule"]) == (verdict, rule)


def test_what_evidence_is_needed_is_talk_and_the_verdict_is_data(
    record: Path, tmp_path: Path
) -> None:
    ran = decide(record, framework(tmp_path, language="en", limit=largest(record, "en")))
    assert "Evidence that would be needed: " in ran.err
    assert "keeps-secrets" in ran.err
    assert "Evidence that would be needed" not in ran.out


def test_the_shipped_framework_as_it_was_published(record: Path) -> None:
    ran = decide(record, statement(record, "framework"), "--action", "develop", "--json")
    logged = [
        json.loads(done("verify", "--json", path).out)[0]
        for path in (record / "statements").glob("decision-*.json")
    ]
    assert ran.code == VERDICTS[ran.value["verdict"]]
    assert all(one["valid"] for one in logged)


def test_a_decision_can_be_logged_by_whoever_may_say_it(
    record: Path, finished_exercise: FinishedExercise, tmp_path: Path
) -> None:
    cast = finished_exercise.copy(tmp_path / "network")
    promised = framework(tmp_path, language="fr", limit=0.9)
    coordinator = tmp_path / "network" / "nodes" / "GB"
    before = cast.institutes["GB"].log.note()
    assert decide(record, promised, "--log", "--node", coordinator).code == 0
    assert cast.institutes["GB"].log.note() != before
    refused = decide(record, promised, "--log", "--node", coordinator.parent / "KE")
    assert refused.code == 1
    assert "may not say records of the kind decision" in refused.err


def test_what_a_framework_says_cannot_write_over_the_verdict(record: Path, tmp_path: Path) -> None:
    promise = framework(tmp_path, language="fr", limit=0.9)
    value = json.loads(promise.read_text("utf-8"))
    needs = "x\x1b[3A\x1b[2K\rMAY: m\nMAY: m, deploy (rule 13)\u202e\x9b2J"
    value["thresholds"][0]["rule"] = {"kind": "not-quantified", "needs": needs}
    promise.write_text(json.dumps(value), encoding="utf-8")
    ran = decide(record, promise)
    assert ran.code == VERDICTS["NOT ENOUGH EVIDENCE"]
    for text in (ran.out, ran.err, decide(record, promise, "--json").out):
        assert not set(text) & set("\x1b\r\u202e\x9b")
        assert not any(line.startswith("MAY") for line in text.splitlines())
    assert needs in decide(record, promise, "--json").value["reason"], "JSON loses nothing"


def test_a_record_and_a_bare_finding_beside_it_are_one(record: Path, tmp_path: Path) -> None:
    promise = framework(tmp_path, language="fr", limit=0.9)
    bare = tmp_path / "finding.json"
    shown = done("finding", "show", "--json", statement(record, "finding")).value
    bare.write_text(json.dumps(shown), encoding="utf-8")
    words = ("--framework", promise, "--record", record, "--finding", bare, "--model", MODEL)
    ran = countermark("gate", "decide", *words, "--identity", "sha256:" + "0" * 64)
    assert ran.code == VERDICTS["NOT ENOUGH EVIDENCE"]
    assert "another snapshot" in ran.out


@pytest.mark.parametrize("model", ["Two Words", ""])
def test_what_can_be_no_model_is_an_error(record: Path, model: str) -> None:
    ran = decide(record, statement(record, "framework"), "--model", model)
    assert ran.code == 1
    assert "cannot be the key of a model" in ran.err


def test_a_finding_whose_figures_do_not_fit_is_refused(record: Path, tmp_path: Path) -> None:
    finding = done("finding", "show", "--json", statement(record, "finding")).value
    cell = next(one for one in finding["cells"] if one["figures"])
    cell["figures"][0]["upper"] = 0.999
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(finding), encoding="utf-8")
    promised = framework(tmp_path, language=cell["language"], limit=0.9)
    words = ("--framework", promised, "--finding", path, "--model", MODEL)
    ran = countermark("gate", "decide", *words)
    assert ran.code == 5
    assert ran.out == ""
    assert "its own parts do not give" in ran.err


def test_a_build_gets_junit_and_sarif(record: Path, tmp_path: Path) -> None:
    junit, sarif = tmp_path / "gate.xml", tmp_path / "gate.sarif"
    promise = framework(tmp_path, language="en", limit=0.01)
    ran = decide(record, promise, "--junit", junit, "--sarif", sarif)
    assert ran.code == VERDICTS["MUST NOT"]
    assert 'failures="2"' in junit.read_text("utf-8")
    (run,) = json.loads(sarif.read_text("utf-8"))["runs"]
    assert {one["ruleId"] for one in run["results"]} == {"G5", "G11"}


def test_all_that_a_record_holds_is_weighed(record: Path, tmp_path: Path) -> None:
    promise = framework(tmp_path, language="fr", limit=0.9)
    words = ("--framework", promise, "--record", record, "--model", MODEL, "--json")
    ran = countermark("gate", "decide", *words)
    assert (ran.code, ran.value["verdict"]) == (0, "MAY")
    used, other = ran.value["evidence"]
    assert (used["sort"], "left_out" in used) == ("finding", False)
    assert used["date"]
    assert other["left_out"] == "it is about another version of the framework"
    after = countermark("gate", "decide", *words, "--at", "2020-01-01")
    assert after.code == VERDICTS["NOT ENOUGH EVIDENCE"]
    assert "after the day of the decision" in after.value["outcomes"][0]["reason"]


def test_another_snapshot_is_not_enough(record: Path, tmp_path: Path) -> None:
    promise = framework(tmp_path, language="fr", limit=0.9)
    pinned = ("--pinned-by", statement(record, "protocol"), "--identity", "sha256:" + "0" * 64)
    ran = decide(record, promise, *pinned)
    assert ran.code == VERDICTS["NOT ENOUGH EVIDENCE"]
    assert "another snapshot" in ran.out


def test_a_decision_is_shown_as_a_safety_case(record: Path, tmp_path: Path) -> None:
    promise = framework(tmp_path, language="en", limit=0.01)
    decision = tmp_path / "decision.json"
    decision.write_text(json.dumps(decide(record, promise, "--json").value), encoding="utf-8")
    words = ("gate", "case", decision, "--framework", promise)
    shown = done(*words)
    assert shown.out.startswith("G1 goal [defeated]: ")
    assert done(*words, "--json").value["type"] == "goal"
    other = countermark("gate", "case", decision, "--framework", statement(record, "framework"))
    assert (other.code, other.out) == (1, "")
    assert "was decided under" in other.err


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--identity", "b179"), 1, "'b179' cannot be the digest of a snapshot"),
        (("--record", "tests"), 1, "is no public record"),
        (("--at", "9999-01-01"), None, "Warning: 9999-01-01 is yet to come"),
        (("--mitigated", "other"), None, f"no finding here is about other, only about: {MODEL}"),
    ],
)
def test_slips_are_told(
    record: Path, tmp_path: Path, more: tuple[str, ...], code: int | None, said: str
) -> None:
    ran = decide(record, framework(tmp_path, language="en", limit=0.01), *more)
    assert ran.code == (VERDICTS["MUST NOT"] if code is None else code)
    assert said in ran.err


def test_without_evidence_nothing_is_asked(tmp_path: Path) -> None:
    promise = framework(tmp_path, language="en", limit=0.01)
    ran = countermark("gate", "decide", "--framework", promise, "--model", MODEL)
    assert ran.code == 2
    assert "--record" in ran.err


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        ("3-rotated", "until 2026-03-01T12:00:00Z, rotated"),
        ("3-revoked", "until 2026-03-01T12:00:00Z, revoked"),
        ("3-after-expiry", "after the roster expired"),
    ],
)
def test_what_a_key_signed_that_had_ended_is_no_evidence(
    tmp_path: Path, sample: str, why: str
) -> None:
    promise = framework(tmp_path, language="en", limit=0.5)
    file = VECTORS / "invalid" / f"{sample}.json"
    for option in ("--finding", "--determination"):
        ran = countermark("gate", "decide", "--framework", promise, option, file, "--model", MODEL)
        assert (ran.code, ran.out) == (5, "")
        assert f"{sample}.json: is a statement that does not check out" in ran.err
        assert why in ran.err


def test_what_nobody_signed_is_said_to_be_its_own_words(record: Path, tmp_path: Path) -> None:
    promise = framework(tmp_path, language="en", limit=0.01)
    finding = statement(record, "finding")
    bare = tmp_path / "bare.json"
    bare.write_bytes(read_record(Finding, finding).to_bytes())
    for file, warned in ((finding, False), (bare, True)):
        words = ("--framework", promise, "--finding", file, "--model", MODEL)
        ran = countermark("gate", "decide", *words)
        assert ran.code == VERDICTS["MUST NOT"]
        assert ("bare.json is no signed statement" in ran.err) == warned
