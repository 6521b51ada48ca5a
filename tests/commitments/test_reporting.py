# SPDX-License-Identifier: Apache-2.0
"""A decision as JUnit and SARIF, rule by rule."""

from typing import Any
from xml.etree import ElementTree as ET

from hand_made_finding import case, cell, figures, finding, framework, limit, threshold

from countermark.commitments.gate import decide
from countermark.commitments.reporting import as_junit, as_sarif
from countermark.records.decision import Decision
from countermark.records.framework import Framework

FOUND = finding(cell(*figures(0.02)), cell(*figures(0.5), language="fr"))
KEPT = threshold(key="kept")
CROSSED = threshold(limit(languages=("fr",)), key="crossed")
OPEN = threshold(limit(languages=("ja",)), key="open")


def decided(promised: Framework) -> Decision:
    return decide(case(promised, FOUND), decided_by="GB")


def suite(promised: Framework) -> ET.Element:
    root = ET.fromstring(as_junit(decided(promised), promised))  # noqa: S314  ours
    (found,) = root
    return found


def results(promised: Framework) -> list[dict[str, Any]]:
    value: Any = as_sarif(decided(promised), promised, "framework.json")
    (run,) = value["runs"]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {one["ruleId"] for one in run["results"]} <= known
    found: list[dict[str, Any]] = run["results"]
    return found


def test_rule_1_a_crossed_threshold_fails_and_an_open_one_is_an_error() -> None:
    found = suite(framework(KEPT, CROSSED, OPEN))
    told = {test.get("classname"): [child.tag for child in test] for test in found}
    assert told == {"kept": [], "crossed": ["failure"], "open": ["error"], "(verdict)": ["failure"]}
    assert (found.get("tests"), found.get("failures"), found.get("errors")) == ("4", "2", "1")
    assert not list(found.iter("skipped"))


def test_rule_2_without_a_threshold_that_applies_the_verdict_is_no_pass() -> None:
    promised = framework(threshold(actions=("develop",)))
    found = suite(promised)
    assert [(test.get("classname"), test[0].tag) for test in found] == [("(verdict)", "error")]
    passed = suite(framework(KEPT))
    assert (passed.get("failures"), passed.get("errors")) == ("0", "0")


def test_rule_3_only_what_did_not_pass_is_a_result() -> None:
    assert results(framework(KEPT)) == []
    found = results(framework(KEPT, CROSSED, OPEN))
    assert [(one["ruleId"], one["level"]) for one in found] == [
        ("G5", "error"), ("G2", "error"), ("G11", "error"),
    ]  # fmt: skip
    assert found[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_what_xml_cannot_hold_is_replaced() -> None:
    odd = KEPT.model_copy(update={"title": "a\x00b\x1b <&> \ufffe"})
    (test, _) = suite(framework(odd))
    assert test.get("name") == "a\ufffdb\ufffd <&> \ufffd"


def test_rule_2_no_threshold_has_the_name_of_the_verdict() -> None:
    promised = framework(threshold(key="verdict").model_copy(update={"title": "may deploy"}), OPEN)
    names = [(test.get("classname"), test.get("name")) for test in suite(promised)]
    assert len(set(names)) == len(names) == 3


def test_rule_3_every_verdict_but_may_has_an_error() -> None:
    for promised in (framework(OPEN), framework(CROSSED), framework(KEPT, status="withdrawn")):
        assert "error" in {one["level"] for one in results(promised)}


def test_the_place_of_the_framework_is_an_address() -> None:
    promised = framework(OPEN)
    value: Any = as_sarif(decided(promised), promised, "a b/100%:x.json")
    place = value["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/100%25%3Ax.json"
