# SPDX-License-Identifier: Apache-2.0
"""What the gate is given: a framework, a question, and all evidence that there is.

1. Evidence that is given twice counts once, and its order does not matter. Of a finding that is
   given twice, all that is known of its snapshots counts, and the first day of those known.
2. Evidence of another snapshot of the model, of another version of the framework, from after the
   day of the decision, or determined by somebody who is neither the developer nor a member of the
   network counts for nothing; each piece says why it was left out. What pins the model does not
   pin the system with mitigations, which has a snapshot of its own.
3. A date that is known to the month or the year only is taken for its first day, so evidence is
   never younger than it may be.
4. The system *with mitigations* is tested as a model of its own. Which mitigations it has is what
   determinations say that are about that model; one that says *no* outweighs those that say *yes*.
   One that names another system as that without mitigations counts for nothing.
5. A framework is in force if it says so, and if the day of the decision is not certainly before the
   day from which it is; where that is not said, before it was published.
6. Who judged one thing of one system, mitigations and snapshot again on a later day has corrected
   itself: the earlier judgement counts for nothing. Those about a trigger are a history, and stay.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from countermark.records.decision import EvidenceUsed
from countermark.records.determination import Determination
from countermark.records.finding import Finding, FindingCell
from countermark.records.forms import MEMBER
from countermark.records.framework import Action, Framework
from countermark.records.threshold_rules import Trigger

_DAYS_A_MONTH = 365.2425 / 12


@dataclass(frozen=True)
class DatedFinding:
    """A joint finding as evidence.

    Parameters
    ----------
    finding
        The finding.
    on
        When it was made (ISO 8601, to the day, month or year), if that is known.
    identities
        Digest of the snapshot of each model of its protocol, by the model's key.
    """

    finding: Finding
    on: str | None = None
    identities: tuple[tuple[str, str], ...] = ()

    @cached_property
    def digest(self) -> str:
        """The finding's content address; of a long finding it takes time."""
        return self.finding.digest

    @cached_property
    def _cells(self) -> dict[tuple[str, str, str], FindingCell]:
        # A framework asks for a hundred cells of a finding that may have ten thousand.
        return {(one.model, one.task, one.language): one for one in self.finding.cells}

    @cached_property
    def results(self) -> frozenset[tuple[str, str]]:
        """Which model it has results for, and in which task."""
        return frozenset((model, task) for model, task, _ in self._cells)

    def cell(self, model: str, task: str, language: str) -> FindingCell | None:
        """Return one cell of the finding, or nothing where it has none."""
        return self._cells.get((model, task, language))


@dataclass(frozen=True)
class Case:
    """One question to the gate.

    Parameters
    ----------
    framework
        The version whose thresholds are held.
    model
        Key of the model under test.
    action
        What is asked for.
    at
        The day of the decision; nothing where evidence may be of any age.
    identity
        Digest that pins the model's snapshot, if it is known.
    tested, determinations
        The evidence.
    mitigated
        Keys under which findings have the same system with mitigations in place.
    earlier
        Earlier versions of the framework, of which the decision warns where they asked more.
    later
        Later versions, of which it warns that they are not what was decided by.
    """

    framework: Framework
    model: str
    action: Action
    at: date | None = None
    identity: str | None = None
    tested: tuple[DatedFinding, ...] = ()
    determinations: tuple[Determination, ...] = ()
    mitigated: tuple[str, ...] = ()
    earlier: tuple[Framework, ...] = ()
    later: tuple[Framework, ...] = ()

    @cached_property
    def findings(self) -> tuple[DatedFinding, ...]:
        """The findings that count, each once, by their digests (rules 1 and 2)."""
        return tuple(one for one in self._given if self._against_finding(one) is None)

    @cached_property
    def _given(self) -> tuple[DatedFinding, ...]:
        """Every finding once, by their digests, with all that is known of it (rule 1)."""
        known: dict[str, list[DatedFinding]] = {}
        for one in self.tested:
            known.setdefault(one.digest, []).append(one)
        return tuple(
            same[0] if len(same) == 1 else _together(same) for _, same in sorted(known.items())
        )

    @cached_property
    def framework_digest(self) -> str:
        """The framework's content address; of a long framework it takes time."""
        return self.framework.digest

    @cached_property
    def judgements(self) -> dict[str, Determination]:
        """Every determination that was given, once, by its digest and in that order (rule 1)."""
        return dict(sorted((one.digest, one) for one in self.determinations))

    @cached_property
    def determined(self) -> tuple[Determination, ...]:
        """The determinations that count, by their digests (rules 2 and 6)."""
        against = self._against
        return tuple(one for digest, one in self.judgements.items() if against[digest] is None)

    def about(self, subject: str, key: str, models: Iterable[str]) -> Iterator[Determination]:
        """Yield the determinations that count about one provision and any of some models."""
        wanted = set(models)
        for digest, one in self._by_part.get((subject, key), ()):
            if self._against[digest] is None and one.model in wanted:
                yield one

    def left_out(self, subject: str, key: str) -> tuple[str, ...]:
        """Return why determinations about one provision do not count, each reason once."""
        said = self._by_part.get((subject, key), ())
        return tuple(sorted({why for digest, _ in said if (why := self._against[digest])}))

    @cached_property
    def _by_part(self) -> dict[tuple[str, str], list[tuple[str, Determination]]]:
        # A framework asks for a hundred thresholds what was determined of each.
        found: dict[tuple[str, str], list[tuple[str, Determination]]] = {}
        for digest, one in self.judgements.items():
            found.setdefault((one.subject, one.key), []).append((digest, one))
        return found

    def in_place(self, model: str) -> frozenset[str]:
        """Return the mitigations that a model has (rule 4)."""
        said = [one for one in self.determined if (one.subject, one.model) == ("mitigation", model)]
        return frozenset(one.key for one in said if one.conclusion == "yes") - frozenset(
            one.key for one in said if one.conclusion != "yes"
        )

    @property
    def not_in_force(self) -> str | None:
        """Why the framework is not in force on the day of the decision (rule 5), or nothing."""
        framework = self.framework
        if framework.status != "in-force":
            return f"the framework is {framework.status}, not in force"
        since = framework.effective or framework.published
        if self.at is not None and first_day(since) > self.at:
            return f"the framework is in force from {since} on, and was not on {self.at}"
        return None

    def age(self, said: str | None) -> float | None:
        """Return the age of evidence in months (rule 3); nothing if a date is not known."""
        if said is None or self.at is None:
            return None
        return (self.at - first_day(said)).days / _DAYS_A_MONTH

    def account(self) -> tuple[EvidenceUsed, ...]:
        """Return every piece of evidence that was given, and why it was left out if it was."""
        return (
            *(
                EvidenceUsed(
                    statement=one.digest,
                    sort="finding",
                    by=tuple(sorted({lab.institute for lab in one.finding.labs})),
                    date=one.on,
                    left_out=self._against_finding(one),
                )
                for one in self._given
            ),
            *(
                EvidenceUsed(
                    statement=digest,
                    sort="determination",
                    by=(one.determined_by,),
                    date=one.date,
                    mitigations=one.mitigations,
                    left_out=self._against[digest],
                )
                for digest, one in self.judgements.items()
            ),
        )

    def _against_finding(self, one: DatedFinding) -> str | None:
        for model, identity in one.identities if self.identity is not None else ():
            if model == self.model and identity != self.identity:
                return f"it tested another snapshot of {model}: {identity}"
        return self._too_new(one.on)

    @cached_property
    def _against(self) -> dict[str, str | None]:
        """Why each determination does not count, if it does not, by its digest (rules 2 and 6)."""
        alone = {digest: self._against_alone(one) for digest, one in self.judgements.items()}
        return alone | self._corrected([digest for digest, why in alone.items() if why is None])

    def _corrected(self, digests: Iterable[str]) -> dict[str, str]:
        """Return which determinations do not count because their author judged again (rule 6)."""
        triggers = {one.key for one in self.framework.thresholds if isinstance(one.rule, Trigger)}
        same: dict[tuple[object, ...], list[str]] = {}
        for digest in digests:
            one = self.judgements[digest]
            if one.subject not in ("threshold", "duty") or one.key not in triggers:
                what = one.determined_by, one.subject, one.key, one.model, one.identity
                same.setdefault((*what, frozenset(one.mitigations or ())), []).append(digest)
        found = {}
        for group in same.values():
            later = max((self.judgements[digest].date for digest in group), key=first_day)
            for digest in group:
                one = self.judgements[digest]
                if first_day(later) > last_day(one.date):
                    found[digest] = f"{one.determined_by} judged again on {later}"
        return found

    def _against_alone(self, one: Determination) -> str | None:
        if one.framework != self.framework_digest:
            return "it is about another version of the framework"
        if one.model not in (self.model, *self.mitigated):
            return f"it is about the model {one.model}"
        if one.model != self.model and one.base_model not in (None, self.model):
            return f"it is about {one.base_model} with mitigations in place"
        if not (is_institute(one.determined_by) or one.determined_by == self.framework.developer):
            return f"it is by {one.determined_by}, who is neither the developer nor a member"
        pinned = self.identity if one.model == self.model else None
        if None not in (one.identity, pinned) and one.identity != pinned:
            return f"it is about another snapshot of {one.model}: {one.identity}"
        return self._too_new(one.date)

    def _too_new(self, said: str | None) -> str | None:
        if said is None or self.at is None or first_day(said) <= self.at:
            return None
        return f"it is of {said}, after the day of the decision"


def _together(same: list[DatedFinding]) -> DatedFinding:
    """Return one finding with all that is known of it from several places (rule 1)."""
    days = [one.on for one in same if one.on]
    return DatedFinding(
        same[0].finding,
        min(days, key=lambda said: (first_day(said), said), default=None),
        tuple(sorted({pinned for one in same for pinned in one.identities})),
    )


def is_institute(code: str) -> bool:
    """Tell whether a code is that of a member of the network, which is no developer."""
    return re.fullmatch(MEMBER, code) is not None


def last_day(said: str) -> date:
    """Return the last day of a date to the day, the month or the year."""
    if len(said) == len("2026-02-28"):
        return first_day(said)
    first = date.fromisoformat(f"{said}-12"[:7] + "-01")
    return first.replace(day=monthrange(first.year, first.month)[1])


def first_day(said: str) -> date:
    """Return the first day of a date to the day, the month or the year."""
    return date.fromisoformat(f"{said}-01-01"[:10])
