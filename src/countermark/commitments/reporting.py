# SPDX-License-Identifier: Apache-2.0
"""A decision for the tools of a build: JUnit for its test report, SARIF for its code host.

1. Every threshold that was weighed is one test. Kept or mitigated: it passes. Crossed: it fails.
   Undetermined: it is an error, never skipped, because what is skipped lets a build go on.
2. The verdict is one test more, so that a decision without thresholds does not pass either. Its
   name is that of no threshold, because servers keep but the first of two tests of one name.
3. In SARIF only what did not pass is a result, at the level *error*: code hosts let a build go on
   without results, and with warnings alone.
"""

import re
from urllib.parse import quote
from xml.etree import ElementTree as ET

from countermark import __version__
from countermark.records.canonical import JsonValue
from countermark.records.decision import Decision, State, Verdict
from countermark.records.framework import Framework

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS: dict[State | Verdict, str | None] = {
    "kept": None,
    "mitigated": None,
    "crossed": "failure",
    "undetermined": "error",
    "MAY": None,
    "MUST NOT": "failure",
    "NOT ENOUGH EVIDENCE": "error",
}
_VERDICT = "(verdict)"  # no threshold can have this key


def as_junit(decision: Decision, framework: Framework) -> bytes:
    """Return a decision as a JUnit report."""
    rows = _rows(decision, framework)
    failures = sum(_ELEMENTS[state] == "failure" for _, _, state, _, _ in rows)
    errors = sum(_ELEMENTS[state] == "error" for _, _, state, _, _ in rows)
    suite = ET.Element(
        "testsuite",
        name=_xml(f"{framework.title} {framework.label}: {decision.action} {decision.model}"),
        tests=str(len(rows)),
        failures=str(failures),
        errors=str(errors),
    )
    for key, title, state, rule, reason in rows:
        test = ET.SubElement(suite, "testcase", classname=_xml(key), name=_xml(title))
        element = _ELEMENTS[state]
        if element is not None:
            told = ET.SubElement(test, element, type=state, message=_xml(f"{state} (rule {rule})"))
            told.text = _xml(reason)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def as_sarif(decision: Decision, framework: Framework, file: str) -> JsonValue:
    """Return a decision as a SARIF 2.1.0 log of one run; ``file`` is where the framework lies."""
    results: list[JsonValue] = [
        {
            "ruleId": f"G{rule}",
            "level": "error",
            "message": {"text": f"{key}: {state}. {reason}"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": quote(file)}}}],
        }
        for key, _, state, rule, reason in _rows(decision, framework)
        if _ELEMENTS[state] is not None
    ]
    numbers = sorted({rule for _, _, _, rule, _ in _rows(decision, framework)})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "countermark gate decide",
                        "semanticVersion": __version__,
                        "rules": [
                            {
                                "id": f"G{number}",
                                "shortDescription": {"text": f"Rule {number} of docs/gate.md"},
                            }
                            for number in numbers
                        ],
                    }
                },
                "results": results,
            }
        ],
    }


def _rows(
    decision: Decision, framework: Framework
) -> list[tuple[str, str, State | Verdict, int, str]]:
    titles = {threshold.key: threshold.title for threshold in framework.thresholds}
    return [
        *(
            (key := one.threshold, titles.get(key, key), one.state, one.rule, one.reason)
            for one in decision.outcomes
        ),
        (_VERDICT, f"may {decision.action}", decision.verdict, decision.rule, decision.reason),
    ]


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
