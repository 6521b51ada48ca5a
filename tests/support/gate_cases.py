# SPDX-License-Identifier: Apache-2.0
"""The worked cases of docs/gate.md: each is a question to the gate, made up to show one thing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from hand_made_case import COMPUTE, FILTER, LEVEL, REPORT, SECURITY, determined, regression
from hand_made_finding import case, cell, figure, figures, finding, framework, limit, threshold
from scipy import stats

from countermark.commitments.case import Case, DatedFinding
from countermark.records.finding import Finding
from countermark.records.finding_figures import ExactCounts, Figure
from countermark.records.framework import Framework
from countermark.records.threshold_rules import NotQuantified

AT = date(2026, 11, 29)
HALF = limit(limit=0.5, alpha_miss=0.05)
FIVE = ("AU-a", "CA-a", "FR-a", "GB-b", "JP-c")
MINE, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@dataclass(frozen=True, slots=True)
class Worked:
    """A worked case: what it is called, and the question."""

    title: str
    question: Callable[[], Case]


def counted(events: int, trials: int) -> Figure:
    """Return one lab's rate with the exact bounds of Clopper and Pearson."""
    low, high = events, trials - events
    return figure(0.5).model_copy(
        update={
            "value": events / trials,
            "se": None,
            "df": None,
            "lower": float(stats.beta.ppf(0.025, low, high + 1)),
            "upper": float(stats.beta.ppf(0.975, low + 1, high)),
            "shape": "exact",
            "method": "exact",
            "counts": ExactCounts(events=events, trials=trials),
            "labs": 1,
            "items": trials,
        }
    )


def on_items(events: int, trials: int) -> Case:
    return case(framework(threshold(HALF)), finding(cell(counted(events, trials))), at=AT)


def by_labs(*labs: str) -> Case:
    rule = threshold(limit(minimum_labs=3))
    return case(framework(rule), finding(cell(*figures(0.02, labs=labs))), at=AT)


def with_judge(status: str, reason: str) -> Case:
    unsound = cell(*figures(0.02), language="fr", status=status, reason=reason)
    both = finding(cell(*figures(0.02)), unsound)
    return case(framework(threshold(limit(languages=("en", "fr")))), both, at=AT)


def dated(day: str) -> Case:
    promised = framework(threshold(maximum_age_months=6))
    tested = (DatedFinding(finding(cell(*figures(0.02))), day),)
    return Case(promised, "m", "deploy", AT, tested=tested)


def mitigated(*, evidence: bool) -> Case:
    promised = framework(threshold(mitigations=("filter",)), mitigations=(FILTER,))
    guarded = (cell(*figures(0.02), model="m-filtered"),) if evidence else ()
    said = determined(
        promised, "yes", subject="mitigation", key="filter", model="m-filtered", base_model="m"
    )
    return case(
        promised,
        finding(cell(*figures(0.5)), *guarded),
        determinations=(said,),
        mitigated=("m-filtered",),
        at=AT,
    )


OLD = framework(
    threshold(limit(task="honesty", limit=0.5), key="honest"),
    threshold(key="secret"),
    label="2025-08",
    published="2025-08-20",
)
NEW = framework(threshold(key="secret"), label="2026-06", published="2026-06-30")


def under(promised: Framework, *earlier: Framework) -> Case:
    both = finding(cell(*figures(0.02)), cell(*figures(0.6), task="honesty"))
    return case(promised, both, earlier=earlier, at=AT)


def determining(rule: Any, word: str, **changes: Any) -> Case:
    of_threshold = {name: changes.pop(name) for name in ("standing",) if name in changes}
    promised = framework(threshold(rule, **of_threshold))
    return case(promised, determinations=(determined(promised, word, **changes),), at=AT)


def snapshot(identity: str) -> Case:
    tested = (DatedFinding(finding(cell(*figures(0.02))), "2026-11-01", (("m", identity),)),)
    return Case(framework(), "m", "deploy", AT, MINE, tested)


def regressed(new: float) -> Case:
    known: Finding = finding(cell(*figures(new)), cell(*figures(0.1), model="old"))
    return case(framework(threshold(regression())), known, at=AT)


def disclosed(*, done: bool) -> Case:
    promised = framework(threshold(), disclosure=(REPORT,))
    said = (determined(promised, "yes", subject="duty", key="report"),) if done else ()
    return case(promised, finding(cell(*figures(0.02))), determinations=said, at=AT)


def secured_once_able(word: str | None) -> Case:
    promised = framework(
        threshold(LEVEL, key="able"), threshold(SECURITY, key="secured", due_once=("able",))
    )
    said = [determined(promised, "yes", key="secured", level="SML-1")]
    if word:
        said.append(determined(promised, word, key="able"))
    return case(promised, determinations=tuple(said), at=AT)


CASES = [
    Worked("0.49 against a limit of 0.50, 300 items", lambda: on_items(147, 300)),
    Worked("0.49 against a limit of 0.50, 10,000 items", lambda: on_items(4900, 10_000)),
    Worked("0.60 against a limit of 0.50, 300 items", lambda: on_items(180, 300)),
    Worked("2 % against 10 %, three labs asked for, one lab", lambda: by_labs("GB-b")),
    Worked("the same from five labs", lambda: by_labs(*FIVE)),
    Worked(
        "a judge that nobody validated in French",
        lambda: with_judge("judge-not-validated", "nobody labelled answers in French"),
    ),
    Worked(
        "a model that fails the control items in French",
        lambda: with_judge("not-informative", "3 of 12 control answers were right"),
    ),
    Worked("evidence eleven months old, six allowed", lambda: dated("2025-12-29")),
    Worked("evidence one month old, six allowed", lambda: dated("2026-10-29")),
    Worked("crossed, and nobody tested it with its filter", lambda: mitigated(evidence=False)),
    Worked("crossed, and kept with its filter in place", lambda: mitigated(evidence=True)),
    Worked("a threshold that the new version has deleted", lambda: under(NEW, OLD)),
    Worked("the same under the old version, now superseded",
           lambda: under(OLD.model_copy(update={"status": "superseded"}))),
    Worked("evidence about another snapshot", lambda: snapshot(OTHER)),
    Worked("not quantified", lambda: case(
        framework(threshold(NotQuantified(needs="a severe uplift, in the words of the text"))),
        finding(cell(*figures(0.02))), at=AT,
    )),
    Worked("a capability level that nobody determined", lambda: case(
        framework(threshold(LEVEL)), finding(cell(*figures(0.02))), at=AT)),
    Worked("determined as not reached by the developer, an institute asked for",
           lambda: determining(LEVEL, "no", determined_by="example", standing="one-institute")),
    Worked("determined as not reached by an institute",
           lambda: determining(LEVEL, "no", standing="one-institute")),
    Worked("called not reached, at a level that is", lambda: determining(
        LEVEL, "no", level="critical")),
    Worked("five times the compute since the last assessment", lambda: determining(
        COMPUTE, "yes", quantity=5.0, unit="times")),
    Worked("security one level too low", lambda: determining(SECURITY, "yes", level="SML-1")),
    Worked("the same, due once a capability is reached, which it is not",
           lambda: secured_once_able("no")),
    Worked("the same, and nobody determined the capability", lambda: secured_once_able(None)),
    Worked("20 percentage points worse than the model before", lambda: regressed(0.3)),
    Worked("no worse than the model before", lambda: regressed(0.1)),
    Worked("all kept, and a report that is due is not out", lambda: disclosed(done=False)),
    Worked("all kept, and the report is out", lambda: disclosed(done=True)),
]  # fmt: skip
