# SPDX-License-Identifier: Apache-2.0
"""How well a fit knows its standard deviations: profile-likelihood intervals.

With few labs, the likelihood of a standard deviation is far from symmetric, so a standard error
says little. The interval holds the values ``s`` at which the likelihood, maximised over all else,
is not too far below its maximum (Venzon and Moolgavkar 1988; lme4's ``confint`` does the same)::

    2 * (loglik - max loglik given sd = s) <= z**2,    z the normal quantile of the level

Rules
-----
1. The lower end is 0 where the likelihood at 0 is not too far below.
2. A deviation at 0 has the same upper end as any other; on this border it is cautious (Self and
   Liang 1987).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from countermark.statistics.estimate import NotComputable
from countermark.statistics.intervals import check_level
from countermark.statistics.laplace import Laplace, Mode, NoModeError
from countermark.statistics.mixed import MixedFit
from countermark.statistics.search import Maximum, maximise

Array = NDArray[np.float64]

_GAIN = 1e-11  # predicted gain at which the rest is at its maximum
_RELATIVE = 1e-10  # of an end of the interval
_WIDEST = 40  # doublings of a first guess


@dataclass(frozen=True, slots=True)
class DeviationInterval:
    """A standard deviation with its two-sided interval."""

    name: str
    value: float
    lower: float
    upper: float
    level: float


def deviation_intervals(
    fit: MixedFit, level: float = 0.95
) -> tuple[DeviationInterval, ...] | NotComputable:
    """Compute the interval of each standard deviation of a fit.

    Parameters
    ----------
    fit
        Of :func:`~countermark.statistics.mixed.mixed`. Its kind of likelihood is profiled.
    level
        Two-sided confidence.

    Returns
    -------
    tuple of DeviationInterval, or NotComputable
        In the order of ``fit.deviations``; the latter if the likelihood has no maximum at a value
        that has to be looked at, or an end is not found.

    Raises
    ------
    StatisticsError
        If the level is none.
    """
    deviate = float(special.ndtri((1 + check_level(level)) / 2))
    first = 0 if fit.restricted else len(fit.beta)
    found = []
    for number, deviation in enumerate(fit.deviations):
        drop = _drop_at(fit.laplace, fit.maximum, first + number)
        try:
            lower, upper = _ends(fit, first + number, drop, deviate)
        except NoModeError:
            return NotComputable(
                f"The likelihood does not bound the standard deviation of {deviation.name!r}: "
                "the table has too few levels of it."
            )
        found.append(DeviationInterval(deviation.name, deviation.value, lower, upper, level))
    return tuple(found)


def _ends(
    fit: MixedFit, place: int, drop: Callable[[float], float], deviate: float
) -> tuple[float, float]:
    value = abs(float(fit.maximum.mode.parameters[place]))
    error = math.sqrt(float(fit.maximum.covariance[place, place]))
    reach = deviate * error if value else 0.1 * max(known.value for known in fit.deviations)

    def over(s: float) -> float:
        return drop(s) - deviate**2

    far = value + reach
    for _ in range(_WIDEST):
        if over(far) > 0:
            break
        far = value + 2 * (far - value)
    else:
        raise NoModeError
    upper = float(optimize.brentq(over, value, far, xtol=_RELATIVE * far, rtol=_RELATIVE))
    if value == 0 or over(0.0) <= 0:
        return 0.0, upper
    return float(optimize.brentq(over, 0.0, value, xtol=_RELATIVE * value, rtol=_RELATIVE)), upper


def _drop_at(laplace: Laplace, top: Maximum, place: int) -> Callable[[float], float]:
    """Make the function that says how far the profile is below the maximum, times two.

    Deviations that were 0 at the maximum may rise when another is held down, so they start a
    little above 0; steps are those of the others given this one.
    """
    size = len(top.free)
    best, covariance = top.mode.parameters, top.covariance.copy()
    _, sds, _ = laplace.problem.split(best)
    little = 0.1 * float(np.abs(sds).max())
    along = np.zeros(size)
    if top.free[place]:
        along = covariance[place] / covariance[place, place]
        covariance -= np.outer(covariance[place], along)
    still = ~top.free
    still[place] = False
    covariance[still, still] = little**2
    keep = np.arange(size) != place
    steps = np.zeros((size, size - 1))
    steps[keep] = np.linalg.cholesky(covariance[np.ix_(keep, keep)]) if size > 1 else steps[keep]
    sign = -1.0 if best[place] < 0 else 1.0

    def drop(s: float) -> float:
        guess = best + along * (sign * s - best[place]) + np.where(still, little, 0.0)
        guess[place] = sign * s
        mode: Mode = laplace.evaluate(guess, top.mode)
        if size > 1:
            mode = maximise(laplace, mode, steps, _GAIN)
        return 2 * (top.mode.loglik - mode.loglik)

    return drop
