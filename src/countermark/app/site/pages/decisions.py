# SPDX-License-Identifier: Apache-2.0
"""Release decisions: each with its thresholds, its evidence and its safety case."""

from collections import Counter
from collections.abc import Iterator, Mapping

from markupsafe import Markup

from countermark.app.site import addresses
from countermark.app.site.charts import Chart, Line, Mark, Row, Span, intervals
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.decided import Decided
from countermark.app.site.figures import figure_text, interval_text, rate_text
from countermark.app.site.naming import answer_sort, asked, called
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.app.site.signs import STANDINGS
from countermark.commitments.safety_case import safety_case
from countermark.commitments.wording import SORTS, asks
from countermark.records.decision import (
    BoundUsed,
    ComparisonUsed,
    Decision,
    EvidenceUsed,
    ThresholdOutcome,
)
from countermark.records.determination import Determination
from countermark.records.framework import Threshold

STATE_MARKS: dict[str, Mark] = {"kept": "disc", "undetermined": "kite", "crossed": "triangle"}


def decision_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the list of decisions, and one page for each."""
    yield site.render("decisions", "decisions/", "Release decisions", standings=STANDINGS)
    for made in site.decisions:
        yield from _decision_page(site, made)


def _decision_page(site: Site, made: Decided) -> Iterator[Page | DataFile]:
    entry, decision, framework = made.entry, made.decision, made.framework
    path = addresses.decision(entry.digest)
    thresholds = {threshold.key: threshold for threshold in framework.thresholds}
    sheets = [_bounds(path, decision), _outcomes(path, decision, thresholds)]
    yield site.render(
        "decision",
        path,
        asked(site, made),
        digest=entry.digest,
        entry=entry,
        made=made,
        again=next((one for one in site.decisions if one.entry.digest == made.later), None),
        decision=decision,
        framework=framework,
        outcomes=_with_charts(site, decision, thresholds),
        states=Counter(outcome.state for outcome in decision.outcomes),
        evidence=[_used(site, one) for one in decision.evidence or ()],
        by=sorted({c for one in decision.evidence or () if not one.left_out for c in one.by}),
        case=safety_case(decision, framework),
        system=made.system,
        whose=lambda outcome: _whose(decision, outcome),
        shown=_shown,
        standings=STANDINGS,
        asks=asks,
        sorts=SORTS,
        distance=_distance,
        downloads=downloads(sheets, entry),
    )
    yield from files(sheets)


def _with_charts(
    site: Site, decision: Decision, thresholds: Mapping[str, Threshold]
) -> list[tuple[ThresholdOutcome, Threshold, Markup | None]]:
    return [
        (outcome, threshold, _chart(site, outcome, threshold, f"limit-{place}"))
        for place, outcome in enumerate(decision.outcomes)
        if (threshold := thresholds.get(outcome.threshold))
    ]


def _used(
    site: Site, used: EvidenceUsed
) -> tuple[EvidenceUsed, Determination | None, str, str | None]:
    """Return a piece of evidence, what it says if a person determined it, its name, its sort."""
    entry = site.entries.get(used.statement)
    record = entry.record if entry else None
    name = called(site, entry) if entry else used.sort.capitalize()
    if not isinstance(record, Determination):
        return used, None, name, None
    return used, record, name, answer_sort(record, site.framework(record.framework))


def _whose(decision: Decision, outcome: ThresholdOutcome) -> tuple[str, ...]:
    """Return whose evidence decided a threshold, as far as the decision lists it."""
    given = {one.statement: one.by for one in decision.evidence or ()}
    return tuple(sorted({by for digest in outcome.evidence or () for by in given.get(digest, ())}))


def _distance(outcome: ThresholdOutcome, threshold: Threshold) -> str | None:
    """Return how far from the limit the figure lies that decided, in words."""
    if outcome.distance is None:
        return None
    if threshold.rule.kind in ("metric-bound", "regression"):
        far = f"{figure_text(abs(outcome.distance), 'points')} percentage points"
    else:
        far = figure_text(abs(outcome.distance), "number")
    side = "inside" if outcome.distance < 0 else "beyond"
    return f"The end of the interval that decides lies {far} {side} the limit."


def _bounds(path: str, decision: Decision) -> Sheet:
    columns = ("threshold", "outcome", "rule", "limit", "language", "estimand", "correction")
    return Sheet(
        f"{path}bounds",
        "All bounds",
        (*columns, "without_lab", "value", "lower", "upper", "state"),
        tuple(
            (outcome.threshold, outcome.state, outcome.rule, outcome.limit, *_figures(bound))
            for outcome in decision.outcomes
            for bound in _all_figures(outcome)
        ),
    )


def _all_figures(outcome: ThresholdOutcome) -> Iterator[BoundUsed | ComparisonUsed]:
    yield from outcome.bounds
    yield from outcome.comparisons or ()


def _figures(bound: BoundUsed | ComparisonUsed) -> tuple[str | float | None, ...]:
    return (
        *(bound.language, bound.estimand, bound.correction, bound.without_lab),
        *(bound.value, bound.lower, bound.upper, bound.state),
    )


def _outcomes(path: str, decision: Decision, thresholds: Mapping[str, Threshold]) -> Sheet:
    return Sheet(
        f"{path}thresholds",
        "All thresholds",
        ("threshold", "asks", "state", "rule", "reason", "distance", "standing", "residual"),
        tuple(
            (
                outcome.threshold,
                asks(thresholds[outcome.threshold].rule)
                if outcome.threshold in thresholds
                else None,
                outcome.state,
                outcome.rule,
                outcome.reason,
                outcome.distance,
                outcome.standing,
                outcome.residual,
            )
            for outcome in decision.outcomes
        ),
    )


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
