# SPDX-License-Identifier: Apache-2.0
"""States as pages show them: each has a shape, a word and a colour that only repeats the shape.

A sign is no grade: its colour tells states of one kind apart and never adds them up. A word has
one shape and one colour wherever it stands. Bad news of a commitment, a change, a decision and a
history each have shapes of their own, because they stand on one page.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from markupsafe import Markup

from countermark.records.threshold_rules import ThresholdRule

Tone: TypeAlias = Literal["yes", "no", "open", "plain"]


@dataclass(frozen=True, slots=True)
class Sign:
    """How one state is shown."""

    shape: str
    tone: Tone
    word: str | None = None


_UNCLEAR = Sign("◇", "open")

SIGNS: dict[str, dict[str, Sign]] = {
    "verdict": {
        "MAY": Sign("●", "yes"),
        "MUST NOT": Sign("✕", "no"),
        "NOT ENOUGH EVIDENCE": Sign("◇", "open"),
    },
    "state": {
        "kept": Sign("●", "yes"),
        "mitigated": Sign("◆", "yes", "crossed, and mitigated"),
        "crossed": Sign("✕", "no"),
        "undetermined": Sign("◇", "open"),
    },
    "standing": {
        "supported": Sign("●", "yes"),
        "undeveloped": Sign("◇", "open"),
        "defeated": Sign("✕", "no"),
    },
    "effect": {
        "weakened": Sign("▼", "no"),
        "removed": Sign("⊖", "no"),
        "strengthened": Sign("▲", "yes"),
        "added": Sign("✚", "yes"),
        "reworded": Sign("≈", "open"),
        "moved": Sign("➜", "open"),
    },
    "told": {
        "announced": Sign("●", "yes"),
        "partly": Sign("◐", "open", "announced in part"),
        "silent": Sign("○", "no", "not announced"),
        "no account": Sign("–", "plain", "no account known"),
    },
    "commitment": {
        "evidenced": Sign("●", "yes"),
        "claimed": Sign("◐", "open"),
        "overdue": Sign("◷", "no"),
        "contested": Sign("⇄", "no"),
        "not applicable": Sign("–", "plain"),
        "unknown": Sign("?", "plain"),
    },
    "reached": {
        "yes": Sign("✕", "no", "reached"),
        "no": Sign("●", "yes", "not reached"),
        "unclear": _UNCLEAR,
    },
    "fired": {
        "yes": Sign("►", "open", "fired"),
        "no": Sign("▷", "plain", "not fired"),
        "unclear": _UNCLEAR,
    },
    "level": {
        "yes": Sign("▪", "plain"),
        "no": Sign("▫", "plain"),
        "unclear": _UNCLEAR,
    },
    "in place": {
        "yes": Sign("●", "yes", "in place"),
        "no": Sign("✕", "no", "not in place"),
        "unclear": _UNCLEAR,
    },
    "fulfilled": {
        "yes": Sign("●", "yes", "fulfilled"),
        "no": Sign("✕", "no", "not fulfilled"),
        "unclear": _UNCLEAR,
    },
    "followed": {
        "yes": Sign("●", "yes", "followed"),
        "no": Sign("✕", "no", "not followed"),
        "unclear": _UNCLEAR,
    },
    "weighed": {
        "counted": Sign("●", "yes"),
        "left out": Sign("○", "open"),
    },
    "made": {
        "latest": Sign("◉", "plain"),
        "earlier": Sign("↻", "plain", "decided again later"),
    },
    "alarm": {
        "alarm": Sign("!", "no"),
    },
    "quantity": {
        "quantified": Sign("▣", "plain", "a number decides"),
        "determined": Sign("▢", "plain", "a person decides"),
        "not-quantified": Sign("◇", "open", "not quantified"),
    },
}
"""Every sign by what it is a state of."""

STANDINGS = {
    "developer-alone": "the developer alone",
    "one-institute": "one institute",
    "several-institutes": "several institutes",
}
"""Whose evidence it is, in words."""


def sign(sort: str, state: str) -> Markup:
    """Return a state as HTML: its shape, hidden from screen readers, and its word."""
    found = SIGNS[sort][state]
    tone = "" if found.tone == "plain" else f" {found.tone}"
    return Markup('<span class="tag{}"><span aria-hidden="true">{}</span> {}</span>').format(
        tone, found.shape, found.word or state
    )


def tone(sort: str, state: str) -> Tone:
    """Return the tone of a state: the name of its colour."""
    return SIGNS[sort][state].tone


def quantity(rule: ThresholdRule) -> str:
    """Return whether a number or a person decides a threshold, or nobody can."""
    if rule.kind == "not-quantified":
        return rule.kind
    counted = rule.kind in ("metric-bound", "regression", "trigger")
    return "quantified" if counted or rule.kind == "uplift" else "determined"
