# SPDX-License-Identifier: Apache-2.0
"""Bootstrap of statistics that are functions of sums over units.

A replicate draws as many units as there are, with replacement. Where many units share a pattern
the counts of the patterns are drawn instead (multinomial), which is the same distribution.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.intervals import Interval, check_level

Array = NDArray[np.float64]

_CHUNK = 4_000_000  # weights held at once
_SHARED = 4  # units a pattern from which on drawing counts is cheaper than drawing units


@dataclass(frozen=True, slots=True)
class Resampling:
    """How a bootstrap is made: ``replicates`` at least 100, any integer ``seed`` from 0 up."""

    seed: int
    replicates: int = 2000

    def __post_init__(self) -> None:
        if self.seed < 0 or self.replicates < 100:
            raise StatisticsError(
                f"{self.replicates} replicates with seed {self.seed} make no bootstrap. Give at "
                "least 100 replicates and a seed from 0 up."
            )


def resample_sums(count: NDArray[np.int64], features: Array, how: Resampling) -> Array:
    """Draw the sums of features over resampled units.

    Parameters
    ----------
    count
        ``(P,)``: units of each pattern.
    features
        ``(P, F)``: what one unit of the pattern adds to each sum.

    Returns
    -------
    ``(replicates, F)``. The same seed gives the same draws.
    """
    rng = np.random.Generator(np.random.PCG64(how.seed))
    units, patterns = int(count.sum()), len(count)
    owner = np.repeat(np.arange(patterns), count) if units < _SHARED * patterns else None
    sums = np.empty((how.replicates, features.shape[1]))
    size = max(1, _CHUNK // patterns)
    for start in range(0, how.replicates, size):
        rows = min(size, how.replicates - start)
        if owner is None:
            drawn = rng.multinomial(units, count / units, size=rows).astype(np.float64)
        else:
            drawn = np.empty((rows, patterns))
            for row in drawn:
                row[:] = np.bincount(owner[rng.integers(0, units, units)], minlength=patterns)
        sums[start : start + rows] = drawn @ features
    return sums


def percentile_interval(values: Array, level: float) -> Interval | NotComputable:
    """Take the percentile interval of a bootstrap (Efron 1979).

    Parameters
    ----------
    values
        Replicates of a statistic; NaN where a replicate gave none.

    Returns
    -------
    Interval or NotComputable
        The latter if so many replicates gave nothing that they could be one whole tail of the
        interval, or if all are alike: then resampling does not show how far the statistic varies.
    """
    check_level(level)
    tail = (1 - level) / 2
    known = values[~np.isnan(values)]
    lost = 1 - len(known) / len(values)
    if lost > tail:
        return NotComputable(
            f"In {lost:.1%} of the resampled tables it could not be computed, so its interval is "
            "not known. Rate more units."
        )
    if np.ptp(known) <= 1e-12:
        return NotComputable(
            "Every resampled table gives the same value, so nothing shows how far it varies. Rate "
            "more units."
        )
    lower, upper = np.quantile(known, [tail, 1 - tail])
    return Interval(float(lower), float(upper), level)
