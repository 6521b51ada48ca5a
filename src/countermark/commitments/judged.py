# SPDX-License-Identifier: Apache-2.0
"""Rules 16 to 18 of the gate: what persons determine, triggers, and levels of security."""

from collections.abc import Sequence

from countermark.commitments.case import Case, first_day, last_day
from countermark.commitments.rates import Held, HeldState
from countermark.records.determination import Determination
from countermark.records.framework import Threshold
from countermark.records.threshold_rules import (
    CapabilityLevel,
    OutcomeThreshold,
    ScoreTier,
    SecurityLevel,
    Trigger,
    Uplift,
)

Reached = bool | None


def hold_determined(
    threshold: Threshold,
    rule: CapabilityLevel | OutcomeThreshold | ScoreTier | Uplift,
    determinations: Sequence[Determination],
) -> Held:
    """Take what persons determined of a capability, outcome, tier or uplift (rule 16)."""
    said = [(one, _reached(rule, one)) for one in determinations]
    reached = [one for one, found in said if found is True]
    unclear = [one for one, found in said if found is None]
    below = [one for one, found in said if found is False]
    if reached:
        return _held("crossed", 16, f"{_who(reached)} determined that it is reached", reached)
    if unclear:
        return _held("undetermined", 16, f"{_who(unclear)} could not determine it", unclear)
    if below:
        return _held("kept", 16, f"{_who(below)} determined that it is not reached", below)
    needs = f"nobody determined it: {threshold.title}"
    weigh = getattr(rule, "evidence", ())
    if weigh:
        needs += f" (to be weighed: {'; '.join(weigh)})"
    return Held("undetermined", 16, needs)


def hold_security(rule: SecurityLevel, determinations: Sequence[Determination]) -> Held:
    """Hold the level of security that was found against the one required (rule 18)."""
    found = [(one, _place(rule.scale, one.level)) for one in determinations]
    known = [(one, place) for one, place in found if place is not None]
    required = rule.scale.index(rule.level)
    low = [one for one, place in known if place < required]
    if low:
        return _held("crossed", 18, f"{_who(low)} found security below {rule.level}", low)
    if not known:
        return Held(
            "undetermined", 18, f"nobody determined a level of security of {', '.join(rule.scale)}"
        )
    if len(known) < len(found):
        others = [one for one, place in found if place is None]
        return _held("undetermined", 18, f"{_who(others)} named a level off the scale", others)
    unsure = [one for one, _ in known if one.conclusion != "yes"]
    if unsure:
        reason = f"{_who(unsure)} named the level, and did not say that it is reached"
        return _held("undetermined", 18, reason, unsure)
    sure = [one for one, _ in known]
    return _held("kept", 18, f"{_who(sure)} found security at {rule.level} or above", sure)


def hold_trigger(case: Case, threshold: Threshold, rule: Trigger, models: Sequence[str]) -> Held:
    """Say whether a trigger fired, and whether what it demands was done since (rule 17)."""
    said = list(case.about("threshold", threshold.key, models))
    done = _done(list(case.about("duty", threshold.key, models)))
    last = max((first_day(one.date) for one in done), default=None)
    fired = [one for one in said if _fired(rule, one) is True]
    open_ones = [one for one in fired if last is None or last_day(one.date) > last]
    if open_ones:
        return _held("undetermined", 17, f"it fired, and this is due: {rule.demands}", open_ones)
    if rule.quantity == "time":
        return _since_assessed(case, rule, done)
    unknown = [one for one in said if _fired(rule, one) is None]
    if unknown or not said:
        why = "nobody says whether it fired"
        if unknown:
            why = f"{_who(unknown)} gave no quantity in {rule.unit}"
        return _held("undetermined", 17, why, unknown)
    # Whoever said that it fired does not stand behind its being kept.
    if fired:
        return _held("kept", 17, "what it demands was done since it fired", done)
    return _held("kept", 17, "it did not fire", said)


def _since_assessed(case: Case, rule: Trigger, done: Sequence[Determination]) -> Held:
    months = min((age for one in done if (age := case.age(one.date)) is not None), default=None)
    if months is None:
        return Held("undetermined", 17, f"no assessment is known: {rule.demands}")
    told = f"the last assessment is {months:.1f} months old"
    if months >= rule.at_least:
        due = f"{told}, and due from {rule.at_least:.4g} on"
        return _held("undetermined", 17, due, done)
    return _held("kept", 17, told, done)


def _done(said: Sequence[Determination]) -> list[Determination]:
    """Return the judgements that what is due was done, after the last that does not say so."""
    denied = max((last_day(one.date) for one in said if one.conclusion != "yes"), default=None)
    return [
        one
        for one in said
        if one.conclusion == "yes" and (denied is None or first_day(one.date) > denied)
    ]


def _fired(rule: Trigger, one: Determination) -> Reached:
    if one.quantity is not None:
        if one.unit != rule.unit:
            return True if one.conclusion == "yes" else None
        if one.quantity >= rule.at_least:
            return True
    return {"yes": True, "no": False, "unclear": None}[one.conclusion]


def _reached(
    rule: CapabilityLevel | OutcomeThreshold | ScoreTier | Uplift, one: Determination
) -> Reached:
    """Return whether a determination says *reached*, the worst of its word and its level."""
    word: Reached = {"yes": True, "no": False, "unclear": None}[one.conclusion]
    level = _levels(rule, one)
    if True in (word, level):
        return True
    return None if word is None else level


def says_reached(rule: object, one: Determination) -> bool:
    """Tell whether a determination says that a threshold is crossed."""
    if isinstance(rule, SecurityLevel):
        place = _place(rule.scale, one.level)
        return place is not None and place < rule.scale.index(rule.level)
    kinds = CapabilityLevel | OutcomeThreshold | ScoreTier | Uplift
    return isinstance(rule, kinds) and _reached(rule, one) is True


def _levels(
    rule: CapabilityLevel | OutcomeThreshold | ScoreTier | Uplift, one: Determination
) -> Reached:
    match rule:
        case CapabilityLevel(scale=scale, level=level) | ScoreTier(scale=scale, tier=level):
            if one.level is None:
                return False
            place = _place(scale, one.level)
            return None if place is None else place >= scale.index(level)
        case Uplift():
            if one.quantity is None:
                return False
            return one.quantity >= rule.ratio if one.unit == "times" else None
        case OutcomeThreshold():
            return False


def _place(scale: tuple[str, ...], level: str | None) -> int | None:
    return scale.index(level) if level in scale else None


def _held(state: HeldState, rule: int, reason: str, used: Sequence[Determination]) -> Held:
    return Held(
        state,
        rule,
        reason,
        institutes=frozenset(one.determined_by for one in used),
        evidence=tuple(sorted({one.digest for one in used})),
    )


def _who(used: Sequence[Determination]) -> str:
    return " and ".join(sorted({one.determined_by for one in used}))
