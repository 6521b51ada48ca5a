# SPDX-License-Identifier: Apache-2.0
"""What changed between two forms of one threshold, measure, provision or duty.

The numbers of the rules are those of :mod:`countermark.commitments.framework_diff`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

from countermark.commitments.wording import asks
from countermark.records.account import Effect
from countermark.records.framework import (
    Domain,
    Duty,
    Mitigation,
    Provision,
    Standing,
    Threshold,
)
from countermark.records.threshold_rules import MetricBound, ThresholdRule

ALIKE = 0.5
"""From which share of common words two texts are taken for two wordings of one."""

_MARKS = ".,:;!?()[]\"'‘’“”"

MOST_COMPARED = 40_000
"""How many pairs of texts are held against each other; with more, none is taken for another."""

OPPOSITE: dict[Effect, Effect] = {
    "weakened": "strengthened",
    "strengthened": "weakened",
    "removed": "added",
    "added": "removed",
    "reworded": "reworded",
    "moved": "moved",
}
"""What a change is called when it is read backwards."""

_FORCES = ("may", "should", "shall")
_STANDINGS = get_args(Standing)  # the least independent first
_MOMENTS = (None, "deploy", "develop")  # what is due before development is due earlier
_AUDIENCES = ("trusted-actors", "public")

# Where one of these differs, the rest says nothing about which of the two asks more (rule 13).
_SUBJECT = {
    "metric-bound": ("task", "direction"),
    "regression": ("task", "baseline", "worse"),
    "uplift": ("measure", "task", "baseline_task"),
    "trigger": ("quantity", "unit", "benchmark"),
}
# By what a larger value does to what is asked (rules 10 and 11); a limit goes by its direction.
_LARGER: dict[str, tuple[Effect, int]] = {
    "margin": ("weakened", 10),
    "ratio": ("weakened", 10),
    "at_least": ("weakened", 10),
    "guard": ("strengthened", 11),
    "alpha_miss": ("weakened", 11),
    "alpha_false": ("strengthened", 11),
    "minimum_labs": ("strengthened", 11),
}
_LEVELS: dict[str, tuple[str, Effect]] = {
    "capability-level": ("level", "weakened"),
    "score-tier": ("tier", "weakened"),
    "security-level": ("level", "strengthened"),
}
_WORDS = ("baseline", "demands", "needs", "outcome")

Keyed: TypeAlias = Threshold | Domain | Mitigation | Provision | Duty


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one aspect, before it is known what it is a change of."""

    rule: int
    effect: Effect
    aspect: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """Which keys of two versions name the same thing: those paired, and equal ones in no pair."""

    pairs: frozenset[tuple[str, str]]
    paired: tuple[frozenset[str], frozenset[str]]

    def same(self, before: str | None, after: str | None) -> bool:
        """Tell whether two keys name the same thing."""
        if (before, after) in self.pairs:
            return True
        return before == after and before not in self.paired[0] and after not in self.paired[1]


def likeness(one: str, other: str) -> float:
    """Return the share of common words of two texts, from 0 to 1."""
    ours, theirs = _words(one), _words(other)
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0


def _words(text: str) -> set[str]:
    # A comma after it makes no other word of it.
    return {word.strip(_MARKS) or word for word in text.casefold().split()}


def same_subject(before: ThresholdRule, after: ThresholdRule) -> bool:
    """Tell whether two rules limit the same quantity, so that they can be ordered (rule 13)."""
    return before.kind == after.kind and all(
        getattr(before, name) == getattr(after, name) for name in _SUBJECT.get(before.kind, ())
    )


def threshold_steps(
    before: Threshold, after: Threshold, domains: Keys, measures: Keys, thresholds: Keys
) -> Iterator[Step]:
    """Yield what changed between two forms of one threshold.

    Parameters
    ----------
    before, after
        The two forms.
    domains, measures, thresholds
        Which keys of domains, mitigations and thresholds name the same.
    """
    yield from _renamed(before.key, after.key)
    if not domains.same(before.domain, after.domain):
        yield Step(5, "moved", "domain", before.domain, after.domain)
    yield from _reworded("title", before.title, after.title)
    yield from _ranked(7, "force", before.force, after.force, _FORCES)
    yield from _members(8, "actions", before.actions, after.actions)
    yield from _in_force(before.status, after.status)
    yield from rule_steps(before.rule, after.rule)
    old, new = before.mitigations or (), after.mitigations or ()
    lost = [key for key in old if not any(measures.same(key, other) for other in new)]
    gained = [key for key in new if not any(measures.same(other, key) for other in old)]
    yield from _members(15, "mitigations", lost, gained)
    yield from _amount(
        15, "maximum-age", before.maximum_age_months, after.maximum_age_months, "weakened"
    )
    # The developer's word is what is enough where nothing is said.
    was, now = before.standing or "developer-alone", after.standing or "developer-alone"
    yield from _ranked(15, "standing", was, now, _STANDINGS)
    yield from _due(before.due_once or None, after.due_once or None, thresholds)


def domain_steps(before: Domain, after: Domain) -> Iterator[Step]:
    """Yield what changed between two forms of one domain (rule 16)."""
    yield from _renamed(before.key, after.key)
    yield from _reworded("title", before.title, after.title)
    yield from _reworded("risk", before.risk, after.risk)


def mitigation_steps(before: Mitigation, after: Mitigation) -> Iterator[Step]:
    """Yield what changed between two forms of one measure (rule 16)."""
    yield from _renamed(before.key, after.key)
    yield from _reworded("title", before.title, after.title)
    if before.sort != after.sort:
        yield Step(16, "moved", "sort", before.sort, after.sort)


def provision_steps(before: Provision, after: Provision) -> Iterator[Step]:
    """Yield what changed between two forms of one provision (rules 6 and 7)."""
    yield from _renamed(before.key, after.key)
    yield from _reworded("words", before.words, after.words)
    # A force that is not known is no weaker force.
    if before.force is None or after.force is None:
        yield from _reworded("force", before.force, after.force)
    else:
        yield from _ranked(7, "force", before.force, after.force, _FORCES)


def duty_steps(before: Duty, after: Duty) -> Iterator[Step]:
    """Yield what changed between two forms of one duty to disclose (rule 17)."""
    yield from _renamed(before.key, after.key)
    yield from _reworded("words", before.words, after.words)
    yield from _ranked(7, "force", before.force, after.force, _FORCES)
    yield from _ranked(17, "to", before.to, after.to, _AUDIENCES)
    yield from _ranked(17, "before", before.before, after.before, _MOMENTS)


def rule_steps(before: ThresholdRule, after: ThresholdRule) -> Iterator[Step]:
    """Yield what changed between two forms of what a threshold asks (rules 10 to 14)."""
    if before.kind != after.kind and "not-quantified" in {before.kind, after.kind}:
        effect: Effect = "weakened" if after.kind == "not-quantified" else "strengthened"
        yield Step(12, effect, "rule", asks(before), asks(after))
    elif not same_subject(before, after):
        yield from _replaced(before, after)
    elif before.kind in _LEVELS:
        yield from _level(before, after, *_LEVELS[before.kind])
        yield from _rest(before, after)
    else:
        yield from _rest(before, after)


def _replaced(before: ThresholdRule, after: ThresholdRule) -> Iterator[Step]:
    yield Step(13, "removed", "rule", asks(before), None)
    yield Step(13, "added", "rule", None, asks(after))


def _level(
    before: ThresholdRule, after: ThresholdRule, field: str, higher: Effect
) -> Iterator[Step]:
    old: tuple[str, ...] = getattr(before, "scale", ())
    new: tuple[str, ...] = getattr(after, "scale", ())
    was, now = str(getattr(before, field)), str(getattr(after, field))
    asked, asked_now = _from(old, was) & set(new), _from(new, now) & set(old)
    if was == now and asked != asked_now:
        yield from _replaced(before, after)
        return
    if was != now:
        known = {was, now} <= set(old) & set(new)
        rises = old.index(was) < old.index(now) if known else None
        nested = asked_now <= asked if rises else asked <= asked_now
        if rises is None or rises != (new.index(was) < new.index(now)) or not nested:
            yield from _replaced(before, after)
            return
        yield Step(10, higher if rises else OPPOSITE[higher], field, was, now)
    if old != new:
        yield Step(6, "reworded", "scale", ", ".join(old), ", ".join(new))


def _from(scale: tuple[str, ...], step: str) -> set[str]:
    """Return a step of a scale, and all above it."""
    return set(scale[scale.index(step) :]) if step in scale else set()


def _rest(before: ThresholdRule, after: ThresholdRule) -> Iterator[Step]:
    """Yield the changes of all fields of two rules about the same subject but their level."""
    if isinstance(before, MetricBound) and isinstance(after, MetricBound):
        larger: Effect = "weakened" if before.direction == "at-most" else "strengthened"
        yield from _amount(10, "limit", before.limit, after.limit, larger)
    for name in type(before).model_fields:
        was: Any = getattr(before, name)
        now: Any = getattr(after, name)
        aspect = name.replace("_", "-")
        if name in _LARGER:
            effect, rule = _LARGER[name]
            yield from _amount(rule, aspect, was, now, effect)
        elif name in {"languages", "estimands"}:
            yield from _members(11, aspect, was or (), now or ())
        elif name == "evidence":
            yield from _texts(was, now)
        elif name in _WORDS:
            yield from _reworded(aspect, was, now)


def _due(
    before: tuple[str, ...] | None, after: tuple[str, ...] | None, thresholds: Keys
) -> Iterator[Step]:
    """Compare what must be reached before a threshold is due; nothing asks most (rule 24)."""
    if before is None or after is None:
        if before != after:
            effect: Effect = "weakened" if before is None else "strengthened"
            yield Step(24, effect, "due-once", _listed(before), _listed(after))
        return
    lost = [key for key in before if not any(thresholds.same(key, other) for other in after)]
    gained = [key for key in after if not any(thresholds.same(other, key) for other in before)]
    yield from _members(24, "due-once", lost, gained)


def _listed(keys: tuple[str, ...] | None) -> str | None:
    return None if keys is None else ", ".join(keys)


def _renamed(before: str, after: str) -> Iterator[Step]:
    if before != after:
        yield Step(5, "moved", "key", before, after)


def _reworded(aspect: str, before: str | None, after: str | None) -> Iterator[Step]:
    if before != after:
        yield Step(6, "reworded", aspect, before, after)


def _amount(
    rule: int, aspect: str, before: float | None, after: float | None, larger: Effect
) -> Iterator[Step]:
    """Compare two numbers; none at all asks least."""
    if before == after:
        return
    if before is None or after is None:
        effect: Effect = "strengthened" if before is None else "weakened"
    else:
        effect = larger if after > before else OPPOSITE[larger]
    yield Step(rule, effect, aspect, _number(before), _number(after))


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.15g}"


def _ranked(
    rule: int,
    aspect: str,
    before: str | None,
    after: str | None,
    weakest_first: tuple[str | None, ...],
) -> Iterator[Step]:
    was, now = weakest_first.index(before), weakest_first.index(after)
    if was != now:
        yield Step(rule, "strengthened" if now > was else "weakened", aspect, before, after)


def _in_force(before: str | None, after: str | None) -> Iterator[Step]:
    was, now = (status in {None, "in-force"} for status in (before, after))
    if was != now:
        yield Step(9, "strengthened" if now else "weakened", "status", before, after)
    elif before != after:
        yield Step(6, "reworded", "status", before, after)


def _members(rule: int, aspect: str, before: Iterable[str], after: Iterable[str]) -> Iterator[Step]:
    lost, gained = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    if lost:
        yield Step(rule, "weakened", aspect, ", ".join(lost), None)
    if gained:
        yield Step(rule, "strengthened", aspect, None, ", ".join(gained))


def _texts(before: Iterable[str], after: Iterable[str]) -> Iterator[Step]:
    """Compare two lists of what has to be weighed (rule 14)."""
    lost, gained = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    alike = sorted(
        (-share, min(was, now), max(was, now), was, now)
        for was in (lost if len(lost) * len(gained) <= MOST_COMPARED else ())
        for now in gained
        if (share := likeness(was, now)) >= ALIKE
    )
    for *_, was, now in alike:
        if was in lost and now in gained:
            lost.remove(was)
            gained.remove(now)
            yield Step(6, "reworded", "evidence", was, now)
    yield from (Step(14, "weakened", "evidence", was, None) for was in lost)
    yield from (Step(14, "strengthened", "evidence", None, now) for now in gained)
