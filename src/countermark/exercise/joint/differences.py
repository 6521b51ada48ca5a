# SPDX-License-Identifier: Apache-2.0
"""Which declared factors differ between labs, and what each cannot be told apart from.

1. A factor differs when two labs declared different values of it.
2. Two factors that split the labs into the same groups are aliases: what one does cannot be told
   from what the other does.
3. A factor whose value is different at every lab is an alias of *lab*: whatever else is peculiar to
   a lab explains the same differences.
"""

from collections.abc import Sequence

from countermark.records.finding import Difference
from countermark.records.protocol import RunPlan

LAB = "lab"


def differences(plans: Sequence[RunPlan]) -> tuple[Difference, ...]:
    """Return the factors that differ between labs, in order of their keys.

    Parameters
    ----------
    plans
        One run plan per lab; each names a value for every factor.
    """
    factors = sorted({entry.factor for plan in plans for entry in plan.settings})
    groups = {factor: _groups([plan.setting(factor) or "" for plan in plans]) for factor in factors}
    differing = [factor for factor in factors if len(set(groups[factor])) > 1]
    every_lab = _groups([plan.lab for plan in plans])
    return tuple(
        Difference(
            factor=factor,
            aliases=tuple(
                other for other in differing if other != factor and groups[other] == groups[factor]
            )
            + ((LAB,) if groups[factor] == every_lab else ()),
        )
        for factor in differing
    )


def _groups(values: list[str]) -> tuple[int, ...]:
    first: dict[str, int] = {}
    return tuple(first.setdefault(value, len(first)) for value in values)
