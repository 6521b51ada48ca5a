# SPDX-License-Identifier: Apache-2.0
"""Rules 1, 19 to 23 and 26 of the gate: one threshold held against all evidence that counts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import get_args

from countermark.commitments.case import Case, DatedFinding, first_day
from countermark.commitments.comparisons import hold_regression, hold_uplift
from countermark.commitments.judged import hold_determined, hold_security, hold_trigger
from countermark.commitments.judged import says_reached as reached
from countermark.commitments.rates import Held, hold_metric
from countermark.records.determination import Determination
from countermark.records.framework import Standing, Threshold
from countermark.records.threshold_rules import (
    MetricBound,
    NotQuantified,
    Regression,
    SecurityLevel,
    Trigger,
    Uplift,
)

STANDINGS: tuple[Standing, ...] = get_args(Standing)  # the least independent first


def standing_of(held: Held, developer: str) -> Standing:
    """Return how independent the evidence is that decided (rule 22)."""
    return _standing(held.institutes, developer)


def _standing(codes: Iterable[str], developer: str) -> Standing:
    return STANDINGS[min(len(set(codes) - {developer}), 2)]


def hold(case: Case, threshold: Threshold, model: str, *, with_mitigations: bool = False) -> Held:
    """Hold a threshold against all evidence that counts about one model.

    Parameters
    ----------
    case, threshold
        The question, and the threshold.
    model
        Key of the system as it is, or of the system with mitigations.
    with_mitigations
        Whether what is known of the system with mitigations in place is wanted.
    """
    rule = threshold.rule
    match rule:
        case NotQuantified():
            return Held("undetermined", 1, f"not quantified: {rule.needs}")
        case MetricBound() | Regression():
            held = _hold_findings(case, threshold, model, with_mitigations=with_mitigations)
        case Uplift(measure="rate"):
            held = _hold_findings(case, threshold, model, with_mitigations=with_mitigations)
        case Trigger():
            held = _recent(case, threshold, hold_trigger(case, threshold, rule, (model,)))
        case _:
            held = _hold_determinations(case, threshold, model, with_mitigations=with_mitigations)
    return _independent(case, threshold, held)


def hold_if_due(case: Case, threshold: Threshold) -> Held:
    """Hold a threshold against what is known of the system as it is, if it is due (rule 26)."""
    held = hold(case, threshold, case.model)
    conditions = [
        one
        for one in case.framework.thresholds
        if one.key in (threshold.due_once or ()) and (one.status or "in-force") == "in-force"
    ]
    if not conditions:
        return held
    others = {one.key: hold(case, _as_strictly(one, threshold), case.model) for one in conditions}
    states = {one.state for one in others.values()}
    if states == {"kept"}:
        return _not_due(case, others)
    if "crossed" in states or held.state == "kept":
        return held
    unknown = next(key for key, one in others.items() if one.state == "undetermined")
    reason = f"it is not known whether it is due: {unknown} is undetermined, "
    reason += f"because {others[unknown].reason}; of itself, {held.reason}"
    return replace(held, state="undetermined", rule=26, reason=reason)


def _as_strictly(one: Threshold, due: Threshold) -> Threshold:
    """Ask of a threshold what another asks that rests on it, where that asks more."""
    standings = [wanted for wanted in (one.standing, due.standing) if wanted is not None]
    ages = [most for most in (one.maximum_age_months, due.maximum_age_months) if most is not None]
    return one.model_copy(
        update={
            "standing": max(standings, key=STANDINGS.index, default=None),
            "maximum_age_months": min(ages, default=None),
        }
    )


def in_place(case: Case, threshold: Threshold, model: str) -> dict[str, tuple[Determination, ...]]:
    """Return who shows each mitigation of a system to be in place, as the threshold asks it.

    What is too old for the threshold, or from somebody not independent enough, shows none.
    """
    found = {}
    for key in sorted(case.in_place(model)):
        said = tuple(
            one
            for one in case.about("mitigation", key, (model,))
            if _stale(case, threshold, one.date) is None
        )
        by = _standing((one.determined_by for one in said), case.framework.developer)
        if said and STANDINGS.index(by) >= STANDINGS.index(threshold.standing or STANDINGS[0]):
            found[key] = said
    return found


def resting_on(held: Held, judgements: Iterable[Sequence[Determination]], developer: str) -> Held:
    """Return what was held, as resting on judgements, too; whoever is less independent counts."""
    all_of = [one for said in judgements for one in said]
    institutes = frozenset(one.determined_by for one in all_of)
    weaker = replace(held, institutes=institutes)
    if STANDINGS.index(standing_of(weaker, developer)) < STANDINGS.index(
        standing_of(held, developer)
    ):
        held = weaker
    return replace(held, evidence=tuple(sorted({*held.evidence, *(one.digest for one in all_of)})))


def _recent(case: Case, threshold: Threshold, held: Held) -> Held:
    """Take back *kept* where even the newest judgement of a trigger is too old (rule 20)."""
    dates = [case.judgements[digest].date for digest in held.evidence]
    newest = max(dates, key=lambda said: (first_day(said), said), default=None)
    stale = _stale(case, threshold, newest)
    if held.state != "kept" or stale is None:
        return held
    return replace(held, state="undetermined", rule=20, reason=f"{stale}; in it {held.reason}")


def _not_due(case: Case, others: dict[str, Held]) -> Held:
    developer = case.framework.developer
    weakest = min(others.values(), key=lambda one: STANDINGS.index(standing_of(one, developer)))
    names = " and ".join(others)
    return Held(
        "kept",
        26,
        f"it is due once {' or '.join(others)} is reached, and {names} {_are(others)} kept",
        institutes=weakest.institutes,
        evidence=tuple(sorted({digest for one in others.values() for digest in one.evidence})),
    )


def _are(others: dict[str, Held]) -> str:
    return "is" if len(others) == 1 else "are"


def _hold_findings(case: Case, threshold: Threshold, model: str, *, with_mitigations: bool) -> Held:
    findings = case.findings
    if with_mitigations and model == case.model:
        findings = ()  # what was tested under this key is the system as it is
    tasks = _tasks(threshold)
    about = [one for one in findings if any((model, task) in one.results for task in tasks)]
    if not about:
        if case.tested and not case.findings:
            left_out = {
                one.left_out for one in case.account() if one.left_out and one.sort == "finding"
            }
            why = "; ".join(sorted(left_out))
            return Held("undetermined", 19, f"no finding counts: {why}")
        asked = " and ".join(sorted(tasks))
        return Held("undetermined", 2, f"no finding has a result for {model} in {asked}")
    holds = _by_kind(threshold)
    each = [_fresh(case, threshold, one, holds(one, model, len(about))) for one in about]
    for state in ("crossed", "kept", "undetermined"):
        found = [held for held in each if held.state == state]
        if found:
            return min(found, key=_nearness)
    raise AssertionError("a threshold is in one of the three states")


def _tasks(threshold: Threshold) -> set[str]:
    """Return the tasks of which a threshold asks: only findings of these share its budget."""
    match threshold.rule:
        case MetricBound(task=task) | Regression(task=task):
            return {task}
        case Uplift(task=task, baseline_task=baseline):
            return {name for name in (task, baseline) if name is not None}
        case _:
            return set()


def _by_kind(threshold: Threshold) -> Callable[[DatedFinding, str, int], Held]:
    rule = threshold.rule
    match rule:
        case MetricBound():
            return lambda tested, model, looks: hold_metric(rule, tested, model, looks)
        case Regression():
            return lambda tested, model, looks: hold_regression(rule, tested, model, looks)
        case Uplift():
            return lambda tested, model, looks: hold_uplift(rule, tested, model, looks)
        case _:
            raise TypeError(f"no figure decides a {rule.kind}")


def _nearness(held: Held) -> tuple[bool, float, int, str]:
    """Order what decides alike: that with figures first, then the greatest distance."""
    far = held.distance
    return far is None, -(far or 0.0), held.rule, "".join(held.evidence)


def _fresh(case: Case, threshold: Threshold, one: DatedFinding, held: Held) -> Held:
    """Say whose evidence it is, and take back *kept* where that is too old (rule 20)."""
    held = replace(held, evidence=(one.digest,))
    stale = _stale(case, threshold, one.on)
    if held.state != "kept" or stale is None:
        return held
    return replace(held, state="undetermined", rule=20, reason=f"{stale}; in it {held.reason}")


def _stale(case: Case, threshold: Threshold, said: str | None) -> str | None:
    most = threshold.maximum_age_months
    if most is None or case.at is None:
        return None
    age = case.age(said)
    if age is None:
        return f"the evidence has no date, and may be at most {most} months old"
    if age > most:
        return f"the evidence is {age:.1f} months old, and may be at most {most}"
    return None


def _hold_determinations(
    case: Case, threshold: Threshold, model: str, *, with_mitigations: bool
) -> Held:
    rule = threshold.rule
    there = set(in_place(case, threshold, model)) if with_mitigations else set()
    named = set(threshold.mitigations or ()) & there

    def is_of(one: Determination) -> bool:
        """Tell whether it is of the system in question, with what is in place there."""
        tested = set(one.mitigations or ())
        if not with_mitigations:
            return not tested
        return tested <= there and (model != case.model or bool(tested & named))

    # What is reached in spite of mitigations is reached without them, too.
    said = [
        one
        for one in case.about("threshold", threshold.key, (model,))
        if is_of(one) or (one.mitigations and reached(rule, one))
    ]
    old = [_stale(case, threshold, one.date) for one in said]
    # An old judgement that it was reached still holds; one that it was not shows nothing.
    used = [one for one, why in zip(said, old, strict=True) if why is None or reached(rule, one)]
    if said and not used:
        reason = min(why for why in old if why)
        digests = tuple(sorted(one.digest for one in said))
        return Held("undetermined", 20, reason, evidence=digests)
    held = _determined(threshold, used)
    left_out = case.left_out("threshold", threshold.key)
    if not used and left_out:
        return Held("undetermined", 19, f"no determination counts: {'; '.join(left_out)}")
    return held


def _determined(threshold: Threshold, used: Sequence[Determination]) -> Held:
    rule = threshold.rule
    if isinstance(rule, SecurityLevel):
        return hold_security(rule, used)
    return hold_determined(threshold, rule, used)  # type: ignore[arg-type]


def _independent(case: Case, threshold: Threshold, held: Held) -> Held:
    """Take back *kept* where it rests on somebody not independent enough (rule 22)."""
    wanted = threshold.standing
    if wanted is None or held.state != "kept":
        return held
    found = standing_of(held, case.framework.developer)
    if STANDINGS.index(found) >= STANDINGS.index(wanted):
        return held
    words = {
        "developer-alone": "the developer alone",
        "one-institute": "one institute",
        "several-institutes": "several institutes",
    }
    reason = f"shown by {words[found]}, and the threshold asks for {words[wanted]}"
    return replace(held, state="undetermined", rule=22, reason=f"{reason}; {held.reason}")
