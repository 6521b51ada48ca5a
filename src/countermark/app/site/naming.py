# SPDX-License-Identifier: Apache-2.0
"""What pages call a statement: a determination by its question, a decision by what was asked."""

from typing import TypeAlias

from countermark.app.site.context import Site
from countermark.app.site.decided import Decided
from countermark.app.site.figures import label
from countermark.node.book import Entry
from countermark.records.account import Account, Reply
from countermark.records.decision import Decision
from countermark.records.determination import Determination
from countermark.records.finding import Finding
from countermark.records.framework import Duty, Framework, Mitigation, Provision, Threshold
from countermark.records.protocol import Protocol

Judged: TypeAlias = Threshold | Mitigation | Duty | Provision

QUESTIONS = {
    "reached": "Is the threshold “{}” reached?",
    "fired": "Has the trigger “{}” fired?",
    "level": "Which level of security was found for “{}”?",
    "in place": "Is the mitigation “{}” in place?",
    "fulfilled": "Is the duty “{}” fulfilled?",
    "followed": "Is the provision “{}” followed?",
}
"""What a determination answers; the keys are sorts of signs."""

_SORTS = {
    "threshold": "reached",
    "mitigation": "in place",
    "duty": "fulfilled",
    "provision": "followed",
}


def judged(said: Determination, framework: Framework | None) -> Judged | None:
    """Return the part of a framework that a determination is about, if the framework is known."""
    if framework is None:
        return None
    parts: dict[str, tuple[Judged, ...]] = {
        "threshold": framework.thresholds,
        "mitigation": framework.mitigations or (),
        # A trigger's own key stands for the duty to do what it demands.
        "duty": (*(framework.disclosure or ()), *framework.thresholds),
        "provision": (*(framework.process or ()), *(framework.governance or ())),
    }
    return next((one for one in parts[said.subject] if one.key == said.key), None)


def answer_sort(said: Determination, framework: Framework | None) -> str:
    """Return the sort of the signs for what a determination answers."""
    part = judged(said, framework)
    if said.subject == "threshold" and isinstance(part, Threshold):
        special = {"trigger": "fired", "security-level": "level"}
        return special.get(part.rule.kind, "reached")
    return _SORTS[said.subject]


def question(said: Determination, framework: Framework | None) -> str:
    """Return what a determination answers, with the name of what it judged."""
    part = judged(said, framework)
    name = said.key
    if isinstance(part, Threshold) and said.subject == "duty" and part.rule.kind == "trigger":
        name = part.rule.demands
    elif isinstance(part, Threshold | Mitigation):
        name = part.title
    elif part is not None:
        name = part.words
    return QUESTIONS[answer_sort(said, framework)].format(name.rstrip("."))


def called(site: Site, entry: Entry) -> str:
    """Return what pages call a statement.

    Parameters
    ----------
    site
        The record that holds it.
    entry
        The statement.
    """
    record = entry.record
    name = record.kind_name().replace("-", " ").capitalize()
    match record:
        case Determination():
            name = question(record, site.framework(record.framework))
        case Decision():
            made = next((one for one in site.decisions if one.entry.digest == entry.digest), None)
            name = asked(site, made) if made else "Release decision"
        case Finding():
            held = site.entries.get(record.protocol)
            protocol = held.record if held else None
            name = "Joint finding"
            if isinstance(protocol, Protocol):
                name += f": {protocol.title}"
        case Framework():
            name = f"{record.title}, {label(record.label)}"
        case Account():
            ends = (site.framework(digest) for digest in (record.before, record.after))
            labels = " to ".join(label(one.label) if one else "another version" for one in ends)
            name = f"What {site.who(record.developer)} says has changed: {labels}"
        case Reply():
            name = f"Reply of {site.who(record.developer)}"
    return name


def asked(site: Site, made: Decided) -> str:
    """Return the question that a decision answers."""
    return f"May {site.who(made.framework.developer)} {made.decision.action} {made.system}?"
