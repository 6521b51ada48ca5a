# SPDX-License-Identifier: Apache-2.0
"""What thresholds ask, in plain words; the command line and the pages share them."""

from functools import singledispatch

from countermark.records.base import LONGEST_TEXT
from countermark.records.threshold_rules import (
    CapabilityLevel,
    MetricBound,
    NotQuantified,
    OutcomeThreshold,
    Regression,
    ScoreTier,
    SecurityLevel,
    Trigger,
    Uplift,
)
from countermark.taxonomy.languages import LanguageTagError, language

SORTS = {
    "metric-bound": "limit on a rate",
    "regression": "no regression",
    "uplift": "uplift over a baseline",
    "capability-level": "level of capability",
    "outcome": "outcome in the world",
    "trigger": "trigger of an assessment",
    "score-tier": "tier of a score",
    "security-level": "level of security",
    "not-quantified": "not quantified",
}
"""What each kind of threshold is called."""


def fitting(text: str) -> str:
    """Return a text that quotes others, cut to what a record can hold."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 2]} …"


@singledispatch
def asks(rule: object) -> str:
    """Return what a threshold asks, in one sentence without its full stop."""
    raise TypeError(f"{type(rule).__name__} is no kind of threshold")


@asks.register
def _(rule: MetricBound) -> str:
    bound = "at most" if rule.direction == "at-most" else "at least"
    guard = f", with a guard band of {rule.guard:.4g}" if rule.guard else ""
    return (
        f"the rate in {rule.task} is {bound} {rule.limit:.4g} in {_languages(rule.languages)} "
        f"({' and '.join(rule.estimands)}){guard}; error budgets {rule.alpha_miss:.4g} for a miss "
        f"and {rule.alpha_false:.4g} for a false alarm, {_labs(rule.minimum_labs)}"
    )


@asks.register
def _(rule: Regression) -> str:
    return (
        f"the rate in {rule.task} is not {rule.worse} than that of {rule.baseline} by more than "
        f"{rule.margin:.4g} in {_languages(rule.languages)} ({' and '.join(rule.estimands)}), "
        f"{_labs(rule.minimum_labs)}"
    )


@asks.register
def _(rule: Uplift) -> str:
    if rule.measure == "rate":
        return f"success is less than {rule.ratio:.4g} times as likely as with {rule.baseline}"
    return f"the {rule.measure} is less than {rule.ratio:.4g} times lower than with {rule.baseline}"


@asks.register
def _(rule: CapabilityLevel) -> str:
    return f"the capability stays below the level {_step(rule.level, rule.scale)}"


@asks.register
def _(rule: OutcomeThreshold) -> str:
    return f"the system does not make this possible: {rule.outcome}"


@asks.register
def _(rule: Trigger) -> str:
    match rule.quantity:
        case "compute":
            amount = f"{rule.at_least:.4g} {rule.unit} of compute"
        case "time":
            amount = f"{rule.at_least:.4g} {rule.unit}"
        case "benchmark":
            amount = f"a score of {rule.at_least:.4g} on {rule.benchmark or 'the benchmark'}"
    return f"from {amount} on, this is due: {rule.demands}"


@asks.register
def _(rule: ScoreTier) -> str:
    return f"the score stays below the tier {_step(rule.tier, rule.scale)}"


@asks.register
def _(rule: SecurityLevel) -> str:
    return f"security is at least at the level {_step(rule.level, rule.scale)}"


@asks.register
def _(rule: NotQuantified) -> str:
    return f"not quantified: {rule.needs}"


def stands_off(distance: float, kind: str) -> str:
    """Return how far from the limit of a kind of threshold the bound lies that decided."""
    rate = kind in ("metric-bound", "regression")
    far = f"{100 * abs(distance):.1f} percentage points" if rate else f"{abs(distance):.3g}"
    side = "inside" if distance < 0 else "beyond"
    return f"the bound that decides lies {far} {side} the limit"


def _step(step: str, scale: tuple[str, ...]) -> str:
    # A step may be called "none" or "much"; without marks it reads as part of the sentence.
    return f"“{step}” on the scale {' / '.join(scale)}"


def _languages(tags: tuple[str, ...]) -> str:
    return ", ".join(_name(tag) for tag in tags)


def _name(tag: str) -> str:
    try:
        return language(tag).english
    except LanguageTagError:
        return tag  # what somebody else logged is shown all the same


def _labs(count: int) -> str:
    return f"at least {count} {'lab' if count == 1 else 'labs'}"
