# SPDX-License-Identifier: Apache-2.0
"""Two versions of a framework, threshold by threshold, and whether the developer tells.

A change *weakens* where the newer version asks less of its developer, and *strengthens* where it
asks more. Only what is ordered is ordered: whether other words weaken a promise is for a person to
read, and the change is called *reworded*. Backwards, *weakened* and *strengthened* change places,
and so do *removed* and *added*.

How the parts of two versions are brought together:

1. Parts of the same key belong together.
2. Of the rest, two thresholds do that have the same domain, kind and task, and titles with half of
   their words in common or the same rule; or the same title and the same domain or kind and task;
   or the same rule and half of their titles' words. Other parts do that have half of their words
   in common. Marks of punctuation at a word make no other word of it. The most alike come first;
   of more than 200 by 200 left over, none is taken for another.
3. What only the older version has is *removed*.
4. What only the newer version has is *added*.

How a change is classed:

5. Another key or domain: *moved*.
6. Other words: *reworded*.
7. Of *shall*, *should* and *may*, each weakens the one before.
8. An action that it no longer bears on weakens it; a new one strengthens it.
9. A threshold that is no longer in force is weakened.
10. A maximum, margin, ratio, trigger, capability level or tier that rises weakens; a minimum or a
    security level that rises strengthens. No figure asks least.
11. A smaller guard band, larger chance of a miss, smaller chance of a false alarm, fewer labs,
    languages or estimands weaken.
12. *Not quantified* instead of any other kind weakens.
13. Another kind, task, direction, baseline, quantity, unit or scale cannot be ordered: the old rule
    is *removed* and the new one *added*.
14. Evidence that no longer has to be weighed weakens.
15. A mitigation no longer tied to a threshold, older evidence allowed, and less independent
    evidence weaken.
16. Domains, mitigations, process, governance and disclosure are held to rules 1 to 7; a provision
    that goes from process to governance, and a mitigation of another sort, are *moved*.
17. A duty to trusted actors instead of the public weakens, and so does one due later or with no
    moment.
18. A newer version that is withdrawn weakens the framework.
24. A threshold that is due only once another is reached, and was due always, is weakened; each
    other threshold that no longer makes it due weakens it.

Whether the developer's account tells of a change:

19. Without an account: *no account*.
20. *Announced*, if an entry names it by key and says which way it went. One that names a threshold
    as new says so by that.
21. *Partly*, if an entry names it and says another way, another aspect, or none.
22. *Silent*, if no entry names it, or each that does calls a weakening a strengthening of the same
    aspect or of the whole, or the other way round: that tells nothing of it.
23. Entries that name nothing that was found are listed.

Not compared is what is not the developer's: where it was read, what an encoder assumed or left out.
Two encoders may put the same text otherwise: the diff says when they differ.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from countermark.commitments.aligning import (
    align,
    alike_thresholds,
    alike_words,
    both,
    key_of,
    only,
    said_of,
    same_keys,
)
from countermark.commitments.announcing import Entries, Found, Section, Told, told
from countermark.commitments.comparing import (
    Keyed,
    Step,
    domain_steps,
    duty_steps,
    mitigation_steps,
    provision_steps,
    threshold_steps,
)
from countermark.commitments.wording import asks
from countermark.records.account import Account, Announced, Effect
from countermark.records.errors import InputError
from countermark.records.framework import Framework, Threshold

MATERIAL: frozenset[Effect] = frozenset({"weakened", "removed", "strengthened", "added"})
"""The effects that change what is asked; the others change where or how it is said."""

K = TypeVar("K", bound=Keyed)


@dataclass(frozen=True, slots=True)
class Change:
    """One change between two versions.

    Parameters
    ----------
    section
        Of what it is a change.
    key, new_key
        Its key in the older and in the newer version, where it is there.
    effect
        Which way it went.
    aspect
        What of it changed; the section's own name where all of it came or went.
    before, after
        What was and is there, in words.
    rule
        Number of the rule that classed it.
    told
        Whether the developer's account tells.
    """

    section: Section
    key: str | None
    new_key: str | None
    effect: Effect
    aspect: str
    before: str | None
    after: str | None
    rule: int
    told: Told

    @property
    def material(self) -> bool:
        """Whether it changes what is asked."""
        return self.effect in MATERIAL

    @property
    def words(self) -> str:
        """The change as one line."""
        name = self.key or self.new_key or "framework"
        what = "" if self.aspect == self.section else f", {self.aspect}"
        values = " → ".join(text for text in (self.before, self.after) if text is not None)
        if self.before is None and self.aspect != self.section:
            values = f"now {values}"
        elif self.after is None and self.aspect != self.section:
            values = f"no longer {values}"
        return f"{self.section} {name}{what}: {values}"


@dataclass(frozen=True, slots=True)
class Aligned:
    """A threshold of one version and its counterpart in the other, if it has one."""

    key: str | None
    new_key: str | None
    changes: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions."""

    digest: str
    label: str
    published: str
    recorded_by: str | None


@dataclass(frozen=True, slots=True)
class FrameworkDiff:
    """What changed between two versions of a framework.

    Parameters
    ----------
    developer
        Whose framework it is.
    before, after
        The versions.
    thresholds
        All thresholds, aligned; those of the older version first, by key.
    changes
        All changes, by section and key.
    account
        The developer's own account, if one was given.
    unfound
        What it announces that was not found.
    """

    developer: str
    before: Side
    after: Side
    thresholds: tuple[Aligned, ...]
    changes: tuple[Change, ...]
    account: str | None
    unfound: tuple[Announced, ...]

    @property
    def same_recorder(self) -> bool:
        """Whether one hand wrote down both versions; else a difference may be an encoder's."""
        return self.before.recorded_by == self.after.recorded_by

    def count(self, effect: Effect | None = None, told: Told | None = None) -> int:
        """Return the number of changes of one effect and one status, or of any."""
        return sum(
            effect in {None, change.effect} and told in {None, change.told}
            for change in self.changes
        )

    @property
    def silently_weakened(self) -> tuple[Change, ...]:
        """Changes that ask less, and that the developer's own account does not name."""
        return tuple(
            change
            for change in self.changes
            if change.effect in {"weakened", "removed"} and change.told == "silent"
        )

    def to_value(self) -> dict[str, Any]:
        """Return the diff as a JSON object."""
        counts = Counter(change.effect for change in self.changes)
        told = Counter(change.told for change in self.changes if change.material)
        return {
            "developer": self.developer,
            "before": asdict(self.before),
            "after": asdict(self.after),
            "same_recorder": self.same_recorder,
            "account": self.account,
            "counts": dict(sorted(counts.items())),
            "material_told": dict(sorted(told.items())),
            "thresholds": [asdict(one) for one in self.thresholds],
            "changes": [asdict(one) for one in self.changes],
            "announced_and_not_found": [one.model_dump(exclude_none=True) for one in self.unfound],
        }


def diff(
    before: Framework,
    after: Framework,
    account: Account | None = None,
    *,
    digests: tuple[str, str] | None = None,
) -> FrameworkDiff:
    """Return what changed between two versions of one developer's framework.

    Parameters
    ----------
    before, after
        The older and the newer version.
    account
        The developer's own account of the change, if there is one.
    digests
        Content addresses of the two versions, where they were computed already.

    Raises
    ------
    InputError
        If the two are of different developers, or the account is of other versions.
    """
    old, new = digests or (before.digest, after.digest)
    _refuse_unrelated(before, after, account, (old, new))
    thresholds, found = _compared(before, after)
    entries = Entries(account.changes if account else ())
    changes = tuple(
        Change(
            one.section,
            one.key,
            one.new_key,
            one.step.effect,
            one.step.aspect,
            one.step.before,
            one.step.after,
            one.step.rule,
            told(one, entries) if account else "no account",
        )
        for one in sorted(found, key=_place)
    )
    return FrameworkDiff(
        before.developer,
        _side(before, old),
        _side(after, new),
        thresholds,
        changes,
        account.digest if account else None,
        entries.without(found),
    )


def _refuse_unrelated(
    before: Framework, after: Framework, account: Account | None, digests: tuple[str, str]
) -> None:
    if before.developer != after.developer:
        raise InputError(
            f"is a framework of {after.developer}, and the other is one of {before.developer}",
            where=f"{after.title}, {after.label}",
            next_step="Give two versions of one developer's framework.",
        )
    if account is None:
        return
    spoken_of = (account.developer, account.before, account.after)
    if spoken_of != (before.developer, *digests):
        raise InputError(
            "is an account of other versions",
            where=f"account by {account.developer} of {account.date}",
            next_step="Give the account whose before is {} and whose after is {}.".format(*digests),
        )


def _compared(before: Framework, after: Framework) -> tuple[tuple[Aligned, ...], tuple[Found, ...]]:
    domains = align(before.domains or (), after.domains or (), alike_words)
    measures = align(before.mitigations or (), after.mitigations or (), alike_words)
    domain_keys, measure_keys = same_keys(domains), same_keys(measures)

    def alike(was: Threshold, now: Threshold) -> float | None:
        return alike_thresholds(was, now, domain_keys)

    pairs = align(before.thresholds, after.thresholds, alike)
    keys = domain_keys, measure_keys, same_keys(pairs)
    found = list(_steps("threshold", pairs, lambda was, now: threshold_steps(was, now, *keys)))
    counts = Counter((one.key, one.new_key) for one in found)
    aligned = (
        Aligned(key_of(was), key_of(now), counts[key_of(was), key_of(now)]) for was, now in pairs
    )
    found += _steps("domain", domains, domain_steps)
    found += _steps("mitigation", measures, mitigation_steps)
    found += _provided(before, after)
    found += _steps(
        "disclosure",
        align(before.disclosure or (), after.disclosure or (), alike_words),
        duty_steps,
    )
    if (before.status == "withdrawn") != (after.status == "withdrawn"):
        effect: Effect = "weakened" if after.status == "withdrawn" else "strengthened"
        step = Step(18, effect, "status", before.status, after.status)
        found.append(Found("framework", None, None, step))
    return tuple(sorted(aligned, key=lambda one: (one.key or "~", one.new_key or ""))), tuple(found)


def _provided(before: Framework, after: Framework) -> Iterator[Found]:
    """Yield the changes of process and governance, which provisions move between (rule 16)."""
    within = align(before.process or (), after.process or (), alike_words)
    beside = align(before.governance or (), after.governance or (), alike_words)
    yield from _steps("process", both(within), provision_steps)
    yield from _steps("governance", both(beside), provision_steps)
    out = align(only(within, 0), only(beside, 1), alike_words)
    back = align(only(beside, 0), only(within, 1), alike_words)
    for pairs, home, goal in ((out, "process", "governance"), (back, "governance", "process")):
        for was, now in pairs:
            if was and now:
                step = Step(16, "moved", "section", home, goal)
                yield Found("process", was.key, now.key, step)
                yield from _steps("process", [(was, now)], provision_steps)
            else:
                place: Section = "process" if (home == "process") == bool(was) else "governance"
                yield from _steps(place, [(was, now)], provision_steps)


def _steps(
    section: Section,
    pairs: list[tuple[K | None, K | None]],
    steps: Callable[[K, K], Iterator[Step]],
) -> Iterator[Found]:
    for was, now in pairs:
        if was == now:
            continue
        if was and now:
            found = tuple(steps(was, now))
        elif was:
            found = (Step(3, "removed", section, _whole(was), None),)
        elif now:
            found = (Step(4, "added", section, None, _whole(now)),)
        for step in found:
            yield Found(section, key_of(was), key_of(now), step)


def _whole(one: Keyed) -> str:
    return (
        f"{one.title.rstrip('.')}: {asks(one.rule)}" if isinstance(one, Threshold) else said_of(one)
    )


def _side(framework: Framework, digest: str) -> Side:
    return Side(digest, framework.label, framework.published, framework.recorded_by)


_ORDER: tuple[Section, ...] = (
    *("framework", "threshold", "domain", "mitigation"),
    *("process", "governance", "disclosure"),
)


def _place(one: Found) -> tuple[object, ...]:
    step = one.step
    return (
        _ORDER.index(one.section),
        one.key or one.new_key or "",
        one.new_key or "",
        *(step.rule, step.aspect, step.effect, step.before or "", step.after or ""),
    )
