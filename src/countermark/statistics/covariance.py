# SPDX-License-Identifier: Apache-2.0
"""Labs' mean scores with the covariance that their common items give them.

For :func:`~countermark.statistics.consensus.consensus`, which needs that covariance whole: with its
diagonal alone, labs that ran the same items count as if each had drawn its own.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from countermark.statistics.crossed import design
from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, NotComputable
from countermark.statistics.layout import Array, mean_squares

_MOST_LABS = 2000  # the covariance of more would not fit where a joint test is analysed


@dataclass(frozen=True, slots=True, eq=False)
class LabMeans:
    """Labs' mean scores with the covariance of their errors.

    Parameters
    ----------
    labs
        Keys, ascending.
    values
        ``(K,)`` mean scores over the items that all labs scored.
    covariance
        ``(K, K)``, without any variance between labs.
    """

    labs: tuple[str, ...]
    values: Array
    covariance: Array


def lab_means(crossing: Crossing, estimand: Estimand) -> LabMeans | NotComputable:
    """Make the labs' means and the covariance of their errors from what they scored.

    Parameters
    ----------
    crossing
        One model, task and language. Only items scored at every lab count.
    estimand
        ``benchmark``: the error is that of the epochs and of items at a lab, so ``V`` is
        ``MS_lab_item / I`` times the identity. ``generalised``: the items are a sample too, the
        same one for all labs, which adds ``max(MS_item - MS_lab_item, 0) / (K * I)`` to each cell.

    Returns
    -------
    LabMeans or NotComputable
        The latter with one lab or one item, with more than 2,000 labs, or if the labs differ by
        the same at every item.

    Raises
    ------
    StatisticsError
        If there is no such estimand.

    Notes
    -----
    Every lab is given the same error variance; the mean squares are those of
    :mod:`countermark.statistics.layout`. So the consensus is the plain mean. Its standard error by
    ``method="dl"``, ``interval="normal"`` is that of ``crossed`` for ``generalised``, and for
    ``benchmark`` where ``tau2`` is above 0.
    """
    if estimand not in get_args(Estimand):
        raise StatisticsError(
            f"{estimand!r} is not an estimand. Choose {' or '.join(get_args(Estimand))}."
        )
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    if plan.labs < 2 or plan.items < 2:
        return NotComputable("A consensus of labs needs two labs that scored two items in common.")
    if plan.labs > _MOST_LABS:
        return NotComputable(
            f"The covariance of {plan.labs} labs is too large to write out. "
            "The crossed estimate of the joint rate does not need it."
        )
    ms = mean_squares(plan.cells)
    noise = float(ms.lab_item)
    if noise == 0:
        return NotComputable(
            "The labs differ by the same at every item, so their errors cannot be estimated."
        )
    shared = 0.0
    if estimand == "generalised":
        shared = max(float(ms.item) - noise, 0.0) / (plan.labs * plan.items)
    return LabMeans(
        labs=crossing.labs,
        values=plan.cells.mean(axis=1),
        covariance=noise / plan.items * np.eye(plan.labs) + shared,
    )
