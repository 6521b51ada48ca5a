# SPDX-License-Identifier: Apache-2.0
"""Decisions and the frameworks they follow from."""

from collections.abc import Iterator

from markupsafe import Markup

from countermark.app.site import addresses
from countermark.app.site.charts import Chart, Line, Mark, Row, Span, intervals
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.exercises import decisions, system_title
from countermark.app.site.figures import interval_text, rate_text
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.node.book import Entry
from countermark.records.decision import BoundUsed, Decision, ThresholdOutcome
from countermark.records.framework import Framework, Threshold

STATE_MARKS: dict[str, Mark] = {"kept": "disc", "undetermined": "kite", "crossed": "triangle"}


def decision_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the list of decisions, and one page for each decision and framework."""
    rows = decisions(site.book)
    frameworks = {entry.digest: (entry, record) for entry, record in site.book.of_kind(Framework)}
    yield site.render(
        "decisions",
        "decisions/",
        "Release decisions",
        rows=rows,
        frameworks=tuple(frameworks.values()),
        system_title=system_title,
    )
    for entry, decision, framework in rows:
        yield from _decision_page(site, entry, decision, framework)
    for entry, framework in frameworks.values():
        made = [row for row in rows if row[1].framework == entry.digest]
        yield site.render(
            "framework",
            addresses.framework(entry.digest),
            framework.title,
            digest=entry.digest,
            entry=entry,
            framework=framework,
            decisions=made,
            system_title=system_title,
            downloads=downloads([], entry),
        )


def _decision_page(
    site: Site, entry: Entry, decision: Decision, framework: Framework
) -> Iterator[Page | DataFile]:
    path = addresses.decision(entry.digest)
    thresholds = {threshold.key: threshold for threshold in framework.thresholds}
    outcomes = [
        (
            outcome,
            thresholds[outcome.threshold],
            _chart(site, outcome, thresholds[outcome.threshold], f"limit-{place}"),
        )
        for place, outcome in enumerate(decision.outcomes)
        if outcome.threshold in thresholds
    ]
    sheet = Sheet(
        f"{path}bounds",
        "All bounds",
        (
            "threshold",
            "outcome",
            "rule",
            "limit",
            "language",
            "estimand",
            "correction",
            "without_lab",
            "value",
            "lower",
            "upper",
            "state",
        ),
        tuple(
            (
                outcome.threshold,
                outcome.state,
                outcome.rule,
                outcome.limit,
                bound.language,
                bound.estimand,
                bound.correction,
                bound.without_lab,
                bound.value,
                bound.lower,
                bound.upper,
                bound.state,
            )
            for outcome in decision.outcomes
            for bound in outcome.bounds
        ),
    )
    system = system_title(site.book, decision)
    yield site.render(
        "decision",
        path,
        f"May {site.who(framework.developer)} {decision.action} {system}?",
        digest=entry.digest,
        entry=entry,
        decision=decision,
        framework=framework,
        outcomes=outcomes,
        system=system,
        shown=_shown,
        finding=decision.finding in site.shown,
        downloads=downloads([sheet], entry),
    )
    yield from files([sheet])


def _shown(outcome: ThresholdOutcome) -> tuple[BoundUsed, ...]:
    """Return the bounds over all labs, and the deciding one whatever it leaves out."""
    return tuple(
        bound for bound in outcome.bounds if bound.without_lab is None or bound == outcome.deciding
    )


def _chart(site: Site, outcome: ThresholdOutcome, threshold: Threshold, key: str) -> Markup | None:
    rule = threshold.rule
    bounds = _shown(outcome)
    if rule.kind != "metric-bound" or not bounds:
        return None
    rows = []
    said = [f"Limit {rate_text(rule.limit)}"]
    for bound in bounds:
        label = f"{site.language(bound.language)}, {bound.estimand}"
        if bound.correction != "none":
            label += ", corrected"
        if bound.without_lab:
            label += f", without {bound.without_lab}"
        mark = STATE_MARKS[bound.state]
        rows.append(Row(label, bound.state, (Span(bound.lower, bound.value, bound.upper, mark),)))
        said.append(f"{label}: {interval_text(bound.lower, bound.upper)}, {bound.state}")
    words = {
        "disc": "the interval keeps the limit",
        "kite": "the interval reaches across the limit",
        "triangle": "the interval is beyond the limit",
    }
    used = [STATE_MARKS[bound.state] for bound in bounds]
    legend = tuple((mark, words[mark]) for mark in STATE_MARKS.values() if mark in used)
    line = Line(
        f"limit {rate_text(rule.limit)}",
        rule.limit,
        "above" if rule.direction == "at-most" else "below",
    )
    title = f"{threshold.title}: intervals against the limit"
    return intervals(Chart(key, title, "; ".join(said) + ".", tuple(rows), legend, line))
