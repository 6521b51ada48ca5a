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
3. ``normalised`` is ``difference / expanded``, E_n of ISO 13528. Beyond 1 in magnitude, the lab
   differs by more than repetition explains; one lab in twenty does so by chance.
4. If the paired differences do not vary at all, one item is counted as if it had gone the other
   way, so the uncertainty is never zero.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from countermark.statistics.crossed import crossed, design
from countermark.statistics.crossing import Crossing
from countermark.statistics.estimate import Estimate, NotComputable

_COVERAGE = 0.95
_NIL = 1e-18  # a variance of scores in [0, 1] below this is rounding


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Degree of equivalence of one lab; see the module for the terms."""

    lab: str
    difference: float
    expanded: float
    normalised: float
    df: int


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
            expanded=factor * float(error),
            normalised=float(difference) / (factor * float(error)),
            df=df,
        )
        for lab, difference, error in zip(crossing.labs, paired.mean(axis=1), errors, strict=True)
    )


def leave_one_out(crossing: Crossing, level: float = 0.95) -> tuple[LeftOut, ...] | NotComputable:
    """Estimate the joint rate without each lab in turn, in the order of ``crossing.labs``.

    Items that only the absent lab had not scored take part, as they would without that lab.
    """
    if len(crossing.labs) < 2:
        return NotComputable("With one lab there is none to leave out.")
    left = ((lab, crossing.without_lab(lab)) for lab in crossing.labs)
    return tuple(
        LeftOut(lab, crossed(rest, "benchmark", level), crossed(rest, "generalised", level))
        for lab, rest in left
    )
