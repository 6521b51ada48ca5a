# SPDX-License-Identifier: Apache-2.0
"""How far each lab is from the others, and what the joint rate is without it.

The degree of equivalence compares a lab with the mean of the *other* labs on the same items, so a
lab is not compared with itself, and what makes items hard cancels item by item.

Rules
-----
1. ``difference`` is the lab's mean minus the mean of the other labs, over the items scored at all.
2. ``expanded`` is the 95 % expanded uncertainty of that difference, from the spread of the paired
   differences over items. It covers epochs and lab x item, not a spread between labs: a lab with
   a systematic difference is meant to be seen.
3. ``normalised`` is ``difference / expanded``, E_n of ISO 13528:2022, 9.7. Beyond 1 in magnitude,
   the lab differs by more than repetition explains; one lab in twenty does so by chance.
4. If the paired differences do not vary at all, one item is counted as if it had gone the other
   way, so the uncertainty is never zero.
5. ``zeta`` is ``difference / standard``, the same with the standard uncertainty (ISO 13528:2022,
   9.6). The lab's and the others' uncertainty are taken together, from the paired differences,
   because what the labs share cancels in them.
6. ``signal`` is the standard's reading of such a score (9.4.2): *acceptable* up to 2 in magnitude,
   *action* from 3, *warning* between. With few items E_n is the stricter reading: it knows the
   degrees of freedom.
7. The robust alternative compares each lab's mean with Algorithm A's mean of all labs by
   ``z' = (x - m) / sqrt(s**2 + u**2)``, where ``m``, ``s`` and ``u`` are that mean, the robust
   standard deviation of the labs and the uncertainty of ``m`` (ISO 13528:2022, 9.5). It answers
   another question: not whether a lab differs at all, but whether it stands out among labs that do.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from countermark.statistics.crossed import crossed, design
from countermark.statistics.crossing import Crossing
from countermark.statistics.estimate import Estimate, NotComputable
from countermark.statistics.robust import RobustMean, algorithm_a

Signal = Literal["acceptable", "warning", "action"]

_COVERAGE = 0.95
_NIL = 1e-18  # a variance of scores in [0, 1] below this is rounding
_WARNING, _ACTION = 2.0, 3.0


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Degree of equivalence of one lab; see the module for the terms."""

    lab: str
    difference: float
    standard: float
    expanded: float
    normalised: float
    zeta: float
    signal: Signal
    df: int

    @property
    def words(self) -> str:
        """The decision in a sentence."""
        if abs(self.normalised) > 1:
            verdict = "more than repetition explains"
        else:
            verdict = "no more than repetition explains"
        return (
            f"{self.lab} is {_apart(self.difference)} the other labs on the same items, "
            f"{verdict} (E_n {self.normalised:.2f}; zeta {self.zeta:.2f}: {self.signal})."
        )


@dataclass(frozen=True, slots=True)
class RobustStanding:
    """How one lab stands to the robust mean of all labs (rule 7)."""

    lab: str
    difference: float
    z_prime: float
    signal: Signal

    @property
    def words(self) -> str:
        """The decision in a sentence."""
        verdict = {
            "acceptable": "does not stand out",
            "warning": "may stand out",
            "action": "stands out",
        }[self.signal]
        return (
            f"{self.lab} is {_apart(self.difference)} the robust mean of all labs and {verdict} "
            f"among them (z' {self.z_prime:.2f}: {self.signal})."
        )


@dataclass(frozen=True, slots=True)
class RobustEquivalence:
    """Algorithm A's consensus of the labs' means, and each lab's standing, in their order."""

    consensus: RobustMean
    labs: tuple[RobustStanding, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The joint rate without one lab, for both estimands."""

    lab: str
    benchmark: Estimate | NotComputable
    generalised: Estimate | NotComputable


def equivalence(crossing: Crossing) -> tuple[Equivalence, ...] | NotComputable:
    """Compute the degree of equivalence of each lab, in the order of ``crossing.labs``."""
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    if plan.labs < 2 or plan.items < 2:
        return NotComputable("Comparing labs needs two labs that scored two items in common.")
    others = (plan.cells.sum(axis=0) - plan.cells) / (plan.labs - 1)
    paired = plan.cells - others
    df = plan.items - 1
    variances = paired.var(axis=1, ddof=1)
    errors = np.where(variances > _NIL, np.sqrt(variances / plan.items), 1 / plan.items)
    factor = float(special.stdtrit(df, (1 + _COVERAGE) / 2))
    return tuple(
        Equivalence(
            lab=lab,
            difference=float(difference),
            standard=float(error),
            expanded=factor * float(error),
            normalised=float(difference) / (factor * float(error)),
            zeta=float(difference) / float(error),
            signal=_signal(float(difference) / float(error)),
            df=df,
        )
        for lab, difference, error in zip(crossing.labs, paired.mean(axis=1), errors, strict=True)
    )


def robust_equivalence(crossing: Crossing) -> RobustEquivalence | NotComputable:
    """Compare each lab with the robust consensus of all (rule 7).

    Parameters
    ----------
    crossing
        One model, task and language.

    Returns
    -------
    RobustEquivalence or NotComputable
        The latter with fewer than three labs, with nothing in common, or where more than half of
        the labs have the same mean.
    """
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    means = plan.cells.mean(axis=1)
    consensus = algorithm_a(means)
    if isinstance(consensus, NotComputable):
        return consensus
    unit = float(np.hypot(consensus.deviation, consensus.se))
    return RobustEquivalence(
        consensus,
        tuple(
            RobustStanding(
                lab=lab,
                difference=float(mean) - consensus.value,
                z_prime=(float(mean) - consensus.value) / unit,
                signal=_signal((float(mean) - consensus.value) / unit),
            )
            for lab, mean in zip(crossing.labs, means, strict=True)
        ),
    )


def _signal(score: float) -> Signal:
    if abs(score) >= _ACTION:
        return "action"
    return "warning" if abs(score) > _WARNING else "acceptable"


def _apart(difference: float) -> str:
    if difference == 0:
        return "level with"
    return f"{abs(difference):.3g} {'above' if difference > 0 else 'below'}"


def leave_one_out(crossing: Crossing, level: float = 0.95) -> tuple[LeftOut, ...] | NotComputable:
    """Estimate the joint rate without each lab in turn, in the order of ``crossing.labs``.

    Items that only the absent lab had not scored take part, as they would without that lab.

    Parameters
    ----------
    crossing
        One model, task and language.
    level
        Two-sided confidence.
    """
    if len(crossing.labs) < 2:
        return NotComputable("With one lab there is none to leave out.")
    left = ((lab, crossing.without_lab(lab)) for lab in crossing.labs)
    return tuple(
        LeftOut(lab, crossed(rest, "benchmark", level), crossed(rest, "generalised", level))
        for lab, rest in left
    )
