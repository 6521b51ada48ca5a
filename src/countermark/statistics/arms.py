# SPDX-License-Identifier: Apache-2.0
"""What changing one setting does: the designed arm of a joint test.

Every lab of an arm runs the reference configuration and the same with one factor swapped, on the
same items. Labs and items are then their own controls, so the contrast needs no model of why labs
differ, and no alias set stands in its way.

Rules
-----
1. A contrast is swapped minus reference, paired by item within each lab
   (:func:`~countermark.statistics.paired.difference`), in score units.
2. Labs are fixed: the joint contrast is the mean over the labs that ran the arm, its error comes
   from items, and it is for these labs. Its ``labs_differ`` tests whether the labs agree on it.
3. p values of the joint contrasts are Holm-adjusted over the arms; an arm that cannot be computed
   stays in the family with p = 1.
4. A factor has one arm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.multiplicity import holm
from countermark.statistics.paired import Difference, difference


@dataclass(frozen=True, slots=True)
class Arm:
    """One swap: the factor, the runs of the reference and those with the factor swapped."""

    factor: str
    reference: Crossing
    swapped: Crossing


@dataclass(frozen=True, slots=True)
class LabContrast:
    """The contrast at one lab, over the items that this lab ran both ways."""

    lab: str
    difference: Difference | NotComputable


@dataclass(frozen=True, slots=True)
class ArmContrast:
    """What swapping one factor did.

    ``joint`` is over the items that all labs of the arm ran both ways; ``adjusted`` is its p value
    after Holm; ``labs`` are in ascending order.
    """

    factor: str
    joint: Difference | NotComputable
    adjusted: float
    labs: tuple[LabContrast, ...]


def designed_arms(arms: Sequence[Arm], level: float = 0.95) -> tuple[ArmContrast, ...]:
    """Estimate the effect of each swapped factor, in ascending order of factors.

    Parameters
    ----------
    arms
        One for each factor, with crossings of one model, task, language and scorer.
    level
        Two-sided confidence.

    Returns
    -------
    tuple of ArmContrast
        Assumes that items are independent of one another, given the lab.

    Raises
    ------
    StatisticsError
        If a factor has two arms, or the level is none.
    """
    ordered = sorted(arms, key=lambda arm: arm.factor)
    for one, two in pairwise(ordered):
        if one.factor == two.factor:
            raise StatisticsError(
                f"The factor {one.factor!r} has two arms. Give the second value of a factor a name "
                f"of its own, such as {one.factor + ' = value'!r}."
            )
    joints = [
        difference(arm.swapped, arm.reference, "generalised", level, "fixed") for arm in ordered
    ]
    adjusted = holm([1.0 if isinstance(each, NotComputable) else each.p for each in joints])
    return tuple(
        ArmContrast(arm.factor, joint, float(p), _by_lab(arm, level))
        for arm, joint, p in zip(ordered, joints, adjusted, strict=True)
    )


def _by_lab(arm: Arm, level: float) -> tuple[LabContrast, ...]:
    labs = sorted(set(arm.reference.labs) & set(arm.swapped.labs))
    return tuple(
        LabContrast(
            lab,
            difference(
                arm.swapped.select([lab]), arm.reference.select([lab]), "generalised", level
            ),
        )
        for lab in labs
    )
