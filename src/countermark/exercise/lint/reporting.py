# SPDX-License-Identifier: Apache-2.0
"""A report for machines: as plain JSON, and as SARIF 2.1.0, which code hosts and editors show.

OASIS, *Static Analysis Results Interchange Format Version 2.1.0*, 27 March 2020.
"""

from typing import Final
from urllib.parse import quote

from countermark import __version__
from countermark.exercise.lint.finding import Finding, Report
from countermark.exercise.lint.rules import RULES
from countermark.records.canonical import JsonValue

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(report: Report) -> JsonValue:
    """Return a report as a SARIF log of one run."""
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "countermark protocol lint",
                        "semanticVersion": __version__,
                        "rules": [
                            {
                                "id": rule.number,
                                "name": rule.name,
                                "shortDescription": {"text": rule.says},
                                "defaultConfiguration": {"level": rule.severity},
                            }
                            for rule in RULES
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding) for finding in report.findings],
            }
        ],
    }


def report_value(report: Report) -> JsonValue:
    """Return a report as plain JSON."""
    return {
        "format": report.format,
        "files": report.files,
        "items": report.items,
        "tasks": list(report.tasks),
        "languages": list(report.languages),
        "counts": {severity: count for severity, count in report.counts.items()},  # noqa: C416
        "findings": [
            {
                "rule": finding.rule.number,
                "name": finding.rule.name,
                "severity": finding.rule.severity,
                "file": finding.file,
                "line": finding.line,
                "key": finding.shown_key,
                "language": finding.language,
                "message": finding.message,
                "suggestion": finding.suggestion,
                "fixable": bool(finding.fixes),
            }
            for finding in report.findings
        ],
    }


def _result(finding: Finding) -> JsonValue:
    place: dict[str, JsonValue] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(finding.file)},
            "region": {"startLine": finding.line or 1},
        }
    }
    if finding.key is not None:
        place["logicalLocations"] = [{"name": finding.shown_key, "kind": "item"}]
    properties: dict[str, JsonValue] = {"suggestion": finding.suggestion}
    if finding.language is not None:
        properties["language"] = finding.language
    return {
        "ruleId": finding.rule.number,
        "ruleIndex": RULES.index(finding.rule),
        "level": finding.rule.severity,
        "message": {"text": f"{finding.message}. {finding.suggestion}"},
        "locations": [place],
        "properties": properties,
    }
