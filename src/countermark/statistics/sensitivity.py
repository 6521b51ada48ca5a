# SPDX-License-Identifier: Apache-2.0
"""Whether a threshold decision stands whatever is chosen in the analysis.

The same exercise gives several estimates: of two estimands, without and with a correction of the
judge's errors, with all labs and without each lab in turn. Each is held against the limit with the
same two error budgets, and the worst case decides. The gate of a developer's framework decides by
the same rules.

Rules
-----
1. Each case is decided by itself by :func:`~countermark.statistics.threshold.decide`.
2. The worst outcome decides. For *at most* limits ``exceeds`` is worse than ``undetermined``, which
   is worse than ``below``; for *at least* limits the order is reversed.
3. Leaving out a lab may weaken a kept limit to ``undetermined``. It may also show a limit to be
   broken by itself: a safe rate that rests on one lab's answers is not shown to be safe.
   ``alone`` then says that no case with all labs shows it, and the report must say so too.
4. Of two labs none is left out, because one lab's figure says nothing of others: such cases are
   ``set_aside``.
5. A case that could not be computed is ``undetermined``: a figure that is missing must not fare
   better than one that is unclear.
6. Of equally bad cases the one whose bound goes farthest towards or past the limit decides (for
   *at most*, the greatest upper bound), then the one that stands first.
7. ``flips`` names each single choice that changes an outcome: two cases that differ in the
   estimand, in the correction, or in one lab left out, and in nothing else.
8. Kept needs all cases kept, so the chance of calling a broken limit kept is at most
   ``alpha_miss``, with no correction for their number (intersection-union test, Berger 1982).
   Broken needs one case only, so the chance of calling a kept limit broken is bounded by
   ``false_alarm_most``, the number of cases times ``alpha_false`` (Boole). The cases share their
   rows, so the true chance is nearer to ``alpha_false``. To keep it below a total, divide the
   total by the number of cases.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from countermark.statistics.correction import Validity, correct
from countermark.statistics.crossed import crossed
from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, Estimate, NotComputable
from countermark.statistics.threshold import Decision, Direction, Guard, Outcome, decide

Choice = Literal["estimand", "correction", "lab"]

_ESTIMANDS: tuple[Estimand, ...] = ("benchmark", "generalised")


@dataclass(frozen=True, slots=True)
class NamedEstimate:
    """An estimate and the choices that led to it.

    ``correction`` names the correction of the judge's errors, ``none`` if there was none;
    ``without_lab`` names the lab left out, ``None`` if all take part.
    """

    estimand: Estimand
    correction: str
    without_lab: str | None
    estimate: Estimate | NotComputable


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled estimate and what it shows."""

    labelled: NamedEstimate
    decision: Decision


@dataclass(frozen=True, slots=True)
class Flip:
    """Two cases with different outcomes that differ in one ``choice`` only."""

    choice: Choice
    one: Case
    other: Case


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The decisions of all cases, and the worst of them.

    Parameters
    ----------
    outcomes
        Each case, in the order given.
    worst, decided_by
        The decision: the worst outcome, and the case that it rests on (rules 2 and 6).
    flips
        Single choices that change an outcome (rule 7).
    alone
        Whether the limit is shown to be broken only with some lab left out (rule 3).
    false_alarm_most
        Upper bound of the chance of calling a kept limit broken (rule 8).
    set_aside
        Cases that took no part (rule 4).
    """

    outcomes: tuple[Case, ...]
    worst: Outcome
    decided_by: Case
    flips: tuple[Flip, ...]
    alone: bool
    false_alarm_most: float
    set_aside: tuple[NamedEstimate, ...]

    @property
    def kept(self) -> bool | None:
        """Whether the limit is shown to be kept; ``None`` if neither is shown."""
        return self.decided_by.decision.kept


def sensitivity(
    estimates: Sequence[NamedEstimate],
    limit: float,
    direction: Direction,
    alpha_miss: float,
    alpha_false: float,
    *,
    guard: float | Guard = 0.0,
) -> Sensitivity:
    """Decide a threshold in every case; the worst case decides.

    Parameters
    ----------
    estimates
        One for each combination of choices; :func:`cases` makes them from a crossing.
    limit, direction, alpha_miss, alpha_false, guard
        As :func:`~countermark.statistics.threshold.decide` takes them, the same for all cases.

    Raises
    ------
    StatisticsError
        If there is no case with all labs, if two cases have the same choices, or if a setting is
        outside its range.
    """
    used, set_aside = _used(estimates)
    outcomes = tuple(
        Case(one, decide(one.estimate, limit, direction, alpha_miss, alpha_false, guard=guard))
        for one in used
    )
    worst = max(outcomes, key=_severity)
    broken = [case for case in outcomes if case.decision.kept is False]
    return Sensitivity(
        outcomes=outcomes,
        worst=worst.decision.outcome,
        decided_by=worst,
        flips=_flips(outcomes),
        alone=bool(broken) and all(case.labelled.without_lab is not None for case in broken),
        false_alarm_most=min(1.0, alpha_false * len(outcomes)),
        set_aside=set_aside,
    )


def cases(
    crossing: Crossing,
    *,
    versions: Mapping[str, str] | None = None,
    validity: Mapping[str, Validity] | None = None,
    language: str = "",
    level: float = 0.95,
) -> tuple[NamedEstimate, ...]:
    """Estimate the rate of both estimands with all labs and without each, from a crossing.

    With ``versions`` and ``validity`` of the judges and the ``language`` of the crossing (as
    :func:`~countermark.statistics.correction.correct` takes them) also corrected, labelled
    ``rogan-gladen``.

    Parameters
    ----------
    crossing
        One model, task and language.
    versions, validity, language
        Of the judges, if the rates are to be corrected too.
    level
        Two-sided confidence of each estimate.
    """
    labs = crossing.labs if len(crossing.labs) > 1 else ()
    parts = [(None, crossing), *((lab, crossing.without_lab(lab)) for lab in labs)]
    found = [
        NamedEstimate(estimand, "none", lab, crossed(part, estimand, level))
        for lab, part in parts
        for estimand in _ESTIMANDS
    ]
    if versions is not None and validity is not None:
        for lab, part in parts:
            used = {own: versions[own] for own in part.labs}
            corrected = correct(part, used, validity, language, level)
            found.append(NamedEstimate("benchmark", "rogan-gladen", lab, corrected.benchmark))
            found.append(NamedEstimate("generalised", "rogan-gladen", lab, corrected.generalised))
    return tuple(found)


def _used(
    estimates: Sequence[NamedEstimate],
) -> tuple[tuple[NamedEstimate, ...], tuple[NamedEstimate, ...]]:
    keys = [(one.estimand, one.correction, one.without_lab) for one in estimates]
    if len(set(keys)) != len(keys):
        raise StatisticsError(
            "Two cases have the same estimand, correction and lab left out. Give each once."
        )
    if all(one.without_lab is not None for one in estimates):
        raise StatisticsError(
            "No case has all labs. Give at least one estimate with no lab left out."
        )
    labs = max(
        (one.estimate.labs for one in estimates if isinstance(one.estimate, Estimate)), default=0
    )
    out = tuple(one for one in estimates if one.without_lab is not None and labs <= 2)
    return tuple(one for one in estimates if one not in out), out


def _severity(case: Case) -> tuple[int, float]:
    decision = case.decision
    rank = (True, None, False).index(decision.kept)
    bound = decision.upper if decision.direction == "at most" else decision.lower
    if bound is None:
        return rank, -math.inf
    return rank, bound if decision.direction == "at most" else -bound


def _flips(outcomes: Sequence[Case]) -> tuple[Flip, ...]:
    found = []
    for place, one in enumerate(outcomes):
        for other in outcomes[place + 1 :]:
            choice = _single_choice(one.labelled, other.labelled)
            if choice is not None and one.decision.outcome != other.decision.outcome:
                found.append(Flip(choice, one, other))
    return tuple(found)


def _single_choice(one: NamedEstimate, other: NamedEstimate) -> Choice | None:
    """Return the only choice in which two cases differ; two labs left out are two choices."""
    differ: list[Choice] = []
    if one.estimand != other.estimand:
        differ.append("estimand")
    if one.correction != other.correction:
        differ.append("correction")
    if one.without_lab != other.without_lab:
        if one.without_lab is not None and other.without_lab is not None:
            return None
        differ.append("lab")
    return differ[0] if len(differ) == 1 else None
