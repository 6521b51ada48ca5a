# SPDX-License-Identifier: Apache-2.0
"""What a lint says: findings of numbered rules, and what would mend them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from countermark.exercise.lint.wording import printable

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its number never changes and is never given to another rule.

    Parameters
    ----------
    number
        Such as ``L06``.
    name
        A slug for people and machines.
    severity
        *error*: a figure would be wrong, or compare what cannot be compared. *warning*: somebody
        should look. *note*: what was not checked, or is asked for.
    says
        What it finds, in one line.
    """

    number: str
    name: str
    severity: Severity
    says: str


@dataclass(frozen=True, slots=True)
class Replace:
    """A value of one field of one item that can safely be put right.

    ``start`` and ``end`` are the place of the whole item in the text of ``file``.
    """

    file: str
    start: int
    end: int
    field: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.field} {self.before!r} becomes {self.after!r}"


@dataclass(frozen=True, slots=True)
class Rename:
    """A language code that can safely be put right, in a file's name and where it is named."""

    file: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"language code {self.before!r} becomes {self.after!r}"


Fix = Replace | Rename


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found.

    Parameters
    ----------
    rule
        The rule.
    file
        Path below what was linted.
    message
        What is wrong.
    suggestion
        What to do.
    line
        Line of the file, from 1, if there is one.
    key
        Key of the item.
    language
        The language, as the file says it.
    fixes
        What ``--fix`` would do; empty where that is not safe.
    """

    rule: Rule
    file: str
    message: str
    suggestion: str
    line: int | None = None
    key: str | None = None
    language: str | None = None
    fixes: tuple[Fix, ...] = ()

    @property
    def shown_key(self) -> str | None:
        """The key without control characters."""
        return None if self.key is None else printable(self.key)

    @property
    def place(self) -> str:
        """File and line, the key of the item, and the language."""
        place = self.file + (f":{self.line}" if self.line else "")
        place += f" {self.shown_key}" if self.key else ""
        return place + (f" ({self.language})" if self.language else "")


@dataclass(frozen=True, slots=True)
class Report:
    """Everything found in one run, and what was looked at."""

    format: Literal["protocol", "moonshot"]
    files: int
    items: int
    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> Mapping[Severity, int]:
        """How many findings there are of each severity."""
        return MappingProxyType(
            {
                severity: sum(found.rule.severity == severity for found in self.findings)
                for severity in SEVERITIES
            }
        )

    @property
    def causes(self) -> Mapping[Rule, tuple[tuple[Finding, ...], ...]]:
        """Return the findings of each rule, those together that say the same of other places."""
        found: dict[Rule, tuple[tuple[Finding, ...], ...]] = {}
        for rule, findings in self.by_rule.items():
            causes: dict[tuple[str, str], list[Finding]] = {}
            for finding in findings:
                causes.setdefault((finding.message, finding.suggestion), []).append(finding)
            found[rule] = tuple(tuple(cause) for cause in causes.values())
        return MappingProxyType(found)

    @property
    def by_rule(self) -> Mapping[Rule, tuple[Finding, ...]]:
        """Return the findings of each rule that found something, in the order of the rules."""
        rules = dict.fromkeys(found.rule for found in self.findings)
        return MappingProxyType(
            {
                rule: tuple(found for found in self.findings if found.rule == rule)
                for rule in sorted(rules, key=lambda rule: rule.number)
            }
        )
