# SPDX-License-Identifier: Apache-2.0
"""What a framework must be before it is logged or decided by, beyond the form of its record.

A framework is refused where:

1. A key comes twice in one of its lists, or where determinations could not tell which is meant:
   among triggers and duties to disclose, or among provisions of process and of governance.
2. A threshold names a domain or a mitigation that the framework does not have.
3. A scale repeats one of its steps, or the level or tier is not a step of it.
4. An uplift in a rate lacks a field that decides it or compares a task with itself, one in cost or
   time has such a field, or the ratio is not above 1.
5. The unit of a trigger does not fit its quantity, or its benchmark is missing or out of place.
6. Two limits on one rate contradict each other, so that nothing can be shown to keep both: the
   same task, a language, an estimand and an action in common, and the least rate, with its guard
   band, above the greatest.
7. A guard band leaves no rate that can be shown to keep the limit.
8. It takes effect before it was published.
9. A list that must not repeat itself does: actions, languages, estimands, mitigations, evidence,
   what makes it due.
10. A text that a person needs is blank.
11. A threshold is in force in a framework that is not.
12. A threshold is due once another is reached that the framework does not have, that is itself,
    that is due only so, or that is a trigger or a level of security, which is not *reached*; or it
    is due once one of no others is.
13. A limit on a rate is one that no rate can be beyond, or a margin one that no rate can exceed.

Limits of which one makes the other idle do not contradict each other: a wider limit of the same
force beside a stricter one is a warning. Withdrawn and superseded thresholds, and those that say
only *may*, bind nobody; rule 6 and the warnings pass over them.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TypeAlias

from countermark.records.errors import InputError
from countermark.records.framework import Framework, Threshold
from countermark.records.threshold_rules import (
    CapabilityLevel,
    MetricBound,
    NotQuantified,
    OutcomeThreshold,
    Regression,
    ScoreTier,
    SecurityLevel,
    ThresholdRule,
    Trigger,
    Uplift,
)
from countermark.taxonomy.risks import risks

Limit: TypeAlias = tuple[Threshold, MetricBound]

UNITS = {"compute": ("times", "FLOP"), "time": ("months",), "benchmark": ("share",)}
"""Which units fit a quantity of a trigger."""

_RATE_FIELDS = (
    *("task", "baseline_task", "languages", "estimands"),
    *("alpha_miss", "alpha_false", "minimum_labs"),
)
_LISTS = ("thresholds", "domains", "mitigations", "process", "governance", "disclosure")


def check_framework(framework: Framework, *, where: str = "framework") -> None:
    """Refuse a framework that a rule of the module docstring refuses.

    Parameters
    ----------
    framework
        The framework, which was read already.
    where
        The file it was read from; the error names the threshold after it.

    Raises
    ------
    InputError
        For the first rule that is broken, in the order of the framework.
    """
    _check_keys(framework, where)
    _check_dates(framework, where)
    _check_words(framework, where)
    for threshold in framework.thresholds:
        place = f"{where}: threshold {threshold.key}"
        _check_names(threshold, framework, place)
        _check_due(threshold, framework, place)
        _check_rule(threshold.rule, place)
        _check_repeats(threshold, place)
        if threshold.status == "in-force" and framework.status != "in-force":
            raise InputError(
                f"is in force, but the framework is {framework.status}",
                where=place,
                next_step="Correct one of the two, or leave the threshold's status out.",
            )
    for first, second in combinations(_limits(framework), 2):
        _check_together(first, second, where)


def framework_warnings(framework: Framework) -> tuple[str, ...]:
    """Return what is allowed and yet probably a slip: idle limits, risks that nobody knows."""
    known = {one.code for one in risks()}
    found = [
        f"the domain {domain.key} names the risk {domain.risk}, which is not in the taxonomy"
        for domain in framework.domains or ()
        if domain.risk is not None and domain.risk not in known
    ]
    for (one, first), (two, second) in combinations(_limits(framework), 2):
        if (
            first.direction == second.direction
            and first.limit != second.limit
            and one.force == two.force
            and _meet((one, first), (two, second))
        ):
            wider = one if (first.limit > second.limit) == (first.direction == "at-most") else two
            stricter = two if wider is one else one
            found.append(
                f"{wider.key} is idle where {stricter.key} holds: it limits the same rate, "
                f"is as binding, and is wider"
            )
    return tuple(found)


def _check_keys(framework: Framework, where: str) -> None:
    """Rule 1."""
    keys = {name: [entry.key for entry in getattr(framework, name) or ()] for name in _LISTS}
    triggers = [one.key for one in framework.thresholds if isinstance(one.rule, Trigger)]
    keys["triggers and duties to disclose"] = triggers + keys["disclosure"]
    keys["provisions of process and of governance"] = keys["process"] + keys["governance"]
    for name, found in keys.items():
        repeated = _repeated(found)
        if repeated is not None:
            raise InputError(
                f"has the key {repeated} twice among its {name}",
                where=where,
                next_step="Give each a key of its own.",
            )


def _check_names(threshold: Threshold, framework: Framework, place: str) -> None:
    """Rule 2."""
    named = [("domain", name) for name in (threshold.domain,) if name is not None]
    named += [("mitigation", name) for name in threshold.mitigations or ()]
    for what, name in named:
        known = [entry.key for entry in getattr(framework, f"{what}s") or ()]
        if name not in known:
            raise InputError(
                f"names the {what} {name}, which the framework does not have",
                where=place,
                next_step=f"Add it to {what}s, or name one of: {', '.join(known) or 'none yet'}.",
            )


def _check_due(threshold: Threshold, framework: Framework, place: str) -> None:
    """Rule 12."""
    others = {one.key: one for one in framework.thresholds if one.key != threshold.key}
    if threshold.due_once == ():
        how = "Name them, or leave due_once out if it is due always."
        raise InputError("is due once one of no thresholds is reached", where=place, next_step=how)
    for key in threshold.due_once or ():
        if key not in others:
            raise InputError(
                f"is due once {key} is reached, which is no other threshold of the framework",
                where=place,
                next_step="Name other thresholds of this framework by their keys.",
            )
        if others[key].due_once is not None:
            raise InputError(
                f"is due once {key} is reached, which itself is due only once another is",
                where=place,
                next_step="Name the thresholds that are due always, and on which both depend.",
            )
        if others[key].rule.kind in ("trigger", "security-level"):
            raise InputError(
                f"is due once {key} is reached, which is a {others[key].rule.kind}",
                where=place,
                next_step="Name a capability, an outcome, a rate, an uplift or a tier.",
            )


def _check_rule(rule: ThresholdRule, place: str) -> None:
    match rule:
        case CapabilityLevel() | SecurityLevel():
            _check_scale(rule.scale, rule.level, place)
        case ScoreTier():
            _check_scale(rule.scale, rule.tier, place)
        case Uplift():
            _check_uplift(rule, place)
        case Trigger():
            _check_trigger(rule, place)
        case MetricBound():
            _check_guard(rule, place)
        case Regression():
            if rule.margin >= 1:
                raise _idle(f"the margin {rule.margin:g}", place)
        case OutcomeThreshold() | NotQuantified():
            pass  # Their words and lists are held to rules 9 and 10 alone.


def _check_scale(scale: Sequence[str], step: str, place: str) -> None:
    """Rule 3."""
    repeated = _repeated(scale)
    if repeated is not None:
        raise InputError(
            f"has {repeated!r} twice on its scale",
            where=place,
            next_step="Name each step once, lowest first.",
        )
    if step not in scale:
        raise InputError(
            f"asks for {step!r}, which is not on its scale",
            where=place,
            next_step=f"Name one of: {', '.join(scale)}.",
        )


def _check_uplift(rule: Uplift, place: str) -> None:
    """Rule 4."""
    if not (math.isfinite(rule.ratio) and rule.ratio > 1):
        raise InputError(
            f"has the ratio {rule.ratio:g}, which is no uplift",
            where=place,
            next_step="Give how many times more is reached: a tenth of the cost is the ratio 10.",
        )
    wants = rule.measure == "rate"
    wrong = [name for name in _RATE_FIELDS if (getattr(rule, name) is not None) != wants]
    if wrong:
        has = "lacks" if wants else "has"
        raise InputError(
            f"is an uplift in {rule.measure} and {has} {', '.join(wrong)}",
            where=place,
            next_step="Add what decides a ratio of rates."
            if wants
            else "Take it out: a person determines an uplift in cost or time.",
        )
    if wants and rule.task == rule.baseline_task:
        how = "Name the task without the model's help as baseline_task."
        raise InputError(f"compares the task {rule.task} with itself", where=place, next_step=how)


def _check_trigger(rule: Trigger, place: str) -> None:
    """Rule 5."""
    fitting = UNITS[rule.quantity]
    if rule.unit not in fitting:
        raise InputError(
            f"measures {rule.quantity} in {rule.unit}",
            where=place,
            next_step=f"Give {rule.quantity} in {' or '.join(fitting)}.",
        )
    if (rule.benchmark is not None) != (rule.quantity == "benchmark"):
        raise InputError(
            "does not name its benchmark"
            if rule.benchmark is None
            else f"names a benchmark, but is a trigger of {rule.quantity}",
            where=place,
            next_step="Name the benchmark where a score is the trigger, and only there.",
        )
    if rule.unit == "share" and rule.at_least > 1:
        raise InputError(
            f"asks for a share of {rule.at_least:g}",
            where=place,
            next_step="Give a share of at most 1: 50% is 0.5.",
        )


def _check_guard(rule: MetricBound, place: str) -> None:
    """Rules 7 and 13."""
    if rule.limit >= 1 if rule.direction == "at-most" else rule.limit <= 0:
        raise _idle(f"the limit {rule.direction} {rule.limit:g}", place)
    if rule.limit - rule.guard < 0 if rule.direction == "at-most" else rule.limit + rule.guard > 1:
        raise InputError(
            f"has a guard band of {rule.guard:g} that leaves nothing of its limit {rule.limit:g}",
            where=place,
            next_step="Give a narrower guard band.",
        )


def _idle(what: str, place: str) -> InputError:
    """Rule 13."""
    return InputError(
        f"has {what}, which no rate can be beyond",
        where=place,
        next_step="Give one that a rate can be beyond, or say that it is not quantified.",
    )


def _check_together(first: Limit, second: Limit, where: str) -> None:
    """Rule 6."""
    if first[1].direction == second[1].direction or not _meet(first, second):
        return
    least, most = (first, second) if first[1].direction == "at-least" else (second, first)
    floor, ceiling = least[1].limit + least[1].guard, most[1].limit - most[1].guard
    if floor > ceiling:
        raise InputError(
            f"contradicts threshold {most[0].key}: no rate in {least[1].task} can be shown to be "
            f"at least {floor:.4g} and at most {ceiling:.4g}, guard bands counted",
            where=f"{where}: threshold {least[0].key}",
            next_step="Correct a limit, a direction or a task.",
        )


def _check_dates(framework: Framework, where: str) -> None:
    """Rule 8."""
    effective, published = framework.effective, framework.published
    # Dates may be known to the month or the year only; what both say is compared.
    known = min(len(effective or ""), len(published))
    if effective is not None and effective[:known] < published[:known]:
        raise InputError(
            f"takes effect on {effective}, before it was published on {published}",
            where=where,
            next_step="Correct one of the two dates.",
        )


def _check_repeats(threshold: Threshold, place: str) -> None:
    """Rule 9."""
    lists: dict[str, Sequence[str]] = {
        "actions": threshold.actions,
        "mitigations": threshold.mitigations or (),
        "due_once": threshold.due_once or (),
    }
    for name in ("languages", "estimands", "evidence"):
        lists[name] = getattr(threshold.rule, name, None) or ()
    for name, entries in lists.items():
        repeated = _repeated(entries)
        if repeated is not None:
            raise InputError(
                f"names {repeated!r} twice among its {name}",
                where=place,
                next_step="Name each once.",
            )


def _check_words(framework: Framework, where: str) -> None:
    """Rule 10."""
    for place, text in _words(framework):
        if not text.strip():
            raise InputError(
                f"leaves {place} blank",
                where=where,
                next_step="Write what a person needs to know, or take the field out.",
            )


def _words(framework: Framework) -> Iterator[tuple[str, str]]:
    for name in ("title", "label", "source"):
        yield name, getattr(framework, name)
    for position, text in enumerate(framework.not_encoded or ()):
        yield f"not_encoded {position}", text
    for name in ("domains", "mitigations"):
        for entry in getattr(framework, name) or ():
            yield f"{name} {entry.key}: title", entry.title
    for name in ("process", "governance", "disclosure"):
        for entry in getattr(framework, name) or ():
            yield f"{name} {entry.key}: words", entry.words
    for threshold in framework.thresholds:
        yield f"threshold {threshold.key}: title", threshold.title
        for position, text in enumerate(threshold.assumed or ()):
            yield f"threshold {threshold.key}: assumed {position}", text
        for name in type(threshold.rule).model_fields:
            value = getattr(threshold.rule, name)
            for text in value if isinstance(value, tuple) else (value,):
                if isinstance(text, str):
                    yield f"threshold {threshold.key}: {name}", text


def _limits(framework: Framework) -> list[Limit]:
    return [
        (threshold, threshold.rule)
        for threshold in framework.thresholds
        if isinstance(threshold.rule, MetricBound)
        and threshold.force != "may"
        and threshold.status in (None, "in-force")
    ]


def _meet(first: Limit, second: Limit) -> bool:
    """Tell whether two limits can bear on one rate at one action."""
    return first[1].task == second[1].task and all(
        set(one) & set(two)
        for one, two in (
            (first[0].actions, second[0].actions),
            (first[1].languages, second[1].languages),
            (first[1].estimands, second[1].estimands),
        )
    )


def _repeated(entries: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for entry in entries:
        if entry in seen:
            return entry
        seen.add(entry)
    return None
