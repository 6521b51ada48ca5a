# SPDX-License-Identifier: Apache-2.0
"""What a planner must know, or assume, of how scores vary.

Rules
-----
1. The variances are of single scores on the scale from 0 to 1: between labs, between items, of an
   item at a lab, and between epochs.
2. From an estimate they are its variance components. With one epoch a cell, what is of an item at
   a lab and what is of an epoch cannot be told apart; then only plans with one epoch are possible.
3. From assumed log-odds they are those of ``rate[k, i] = 1 / (1 + exp(-(b + lab + item +
   lab_item)))`` with normal effects, ``b`` being such that the mean rate is as given, and 0/1
   answers. They are computed by Gauss-Hermite quadrature. What labs and items do together beyond
   the sum of their own parts counts as of an item at a lab.
4. The cautious choice for 0/1 scores: every item has its own fixed answer, so that each counts as
   one independent trial however often it is run: ``item = rate * (1 - rate)``, all else 0. Labs
   are then assumed to be alike.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimate, NotComputable

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_WIDEST = 5.0  # standard deviation of log-odds up to which 80 nodes are exact enough


@dataclass(frozen=True, slots=True)
class Variances:
    """A mean score and its variance components.

    Parameters
    ----------
    rate
        Mean score, more than 0 and less than 1.
    lab, item, lab_item, epoch
        Variances of single scores, from 0 up, not all 0. Where ``separable`` is false,
        ``lab_item`` holds both of the last two, and ``epoch`` is 0.
    separable
        Whether ``lab_item`` and ``epoch`` are known apart (rule 2).
    """

    rate: float
    lab: float
    item: float
    lab_item: float
    epoch: float
    separable: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise StatisticsError(f"The rate {self.rate} is not between 0 and 1. Assume one.")
        parts = (self.lab, self.item, self.lab_item, self.epoch)
        if not all(0 <= part < math.inf for part in parts) or not any(parts):
            raise StatisticsError(
                f"The variances {parts} make no sense. Give each from 0 up, and not all 0."
            )

    @classmethod
    def of(cls, estimate: Estimate | NotComputable) -> "Variances | NotComputable":
        """Take the variance components of an estimate (rule 2)."""
        if isinstance(estimate, NotComputable):
            return estimate
        parts = estimate.components
        if parts is None or not 0 < estimate.value < 1:
            return NotComputable(
                "The estimate has no variance components: its labs and items showed no variation, "
                "or there was one lab. Plan with assumed values."
            )
        if parts.s2_epoch is None or parts.s2_lab_item is None:
            if parts.epochs_harmonic > 1:
                return NotComputable("The estimate does not say how epochs vary.")
            return cls(
                estimate.value, parts.s2_lab, parts.s2_item, parts.ms_lab_item, 0.0, separable=False
            )
        return cls(estimate.value, parts.s2_lab, parts.s2_item, parts.s2_lab_item, parts.s2_epoch)

    @classmethod
    def cautious(cls, rate: float = 0.5) -> "Variances":
        """Count each item as one independent 0/1 trial (rule 4)."""
        return cls(rate, 0.0, rate * (1 - rate), 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Assumed:
    """Assumed log-odds of 0/1 answers (rule 3).

    Parameters
    ----------
    rate
        Mean rate over labs and items, more than 0 and less than 1.
    lab, item, lab_item
        Standard deviations of log-odds, from 0 up; together at most 5.
    """

    rate: float
    lab: float
    item: float
    lab_item: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise StatisticsError(f"The rate {self.rate} is not between 0 and 1. Assume one.")
        if not all(part >= 0 for part in (self.lab, self.item, self.lab_item)) or not (
            self.spread <= _WIDEST
        ):
            raise StatisticsError(
                f"The standard deviations {self.lab}, {self.item} and {self.lab_item} of log-odds "
                f"make no sense. Give each from 0 up, together at most {_WIDEST:g}."
            )

    @property
    def spread(self) -> float:
        """Standard deviation of all effects together."""
        return math.hypot(self.lab, self.item, self.lab_item)

    @property
    def centre(self) -> float:
        """The log-odds ``b`` around which labs and items spread."""
        low, high = -40.0, 40.0
        return float(
            optimize.brentq(
                lambda b: float(_mean(np.asarray(b), self.spread)) - self.rate,
                low,
                high,
                xtol=1e-13,
            )
        )

    @property
    def variances(self) -> Variances:
        """Variance components of single answers (rule 3)."""
        b, rate = self.centre, self.rate
        lab = _variance(b, self.lab, math.hypot(self.item, self.lab_item), rate)
        item = _variance(b, self.item, math.hypot(self.lab, self.lab_item), rate)
        cells = _variance(b, self.spread, 0.0, rate)
        return Variances(
            rate, lab, item, max(0.0, cells - lab - item), max(0.0, rate * (1 - rate) - cells)
        )


def _mean(logit: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """Mean rate around log-odds that spread normally."""
    rates = special.expit(logit[..., None] + spread * _NODES)
    return np.asarray((rates * _WEIGHTS).sum(axis=-1) / _WEIGHTS.sum())


def _variance(centre: float, spread: float, rest: float, rate: float) -> float:
    """Variance, over an effect that spreads, of the mean over the rest of the effects."""
    given = _mean(centre + spread * _NODES, rest)
    return float(((given - rate) ** 2 * _WEIGHTS).sum() / _WEIGHTS.sum())
