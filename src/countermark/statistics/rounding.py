# SPDX-License-Identifier: Apache-2.0
"""Figures that two machines can compare.

Processors differ in the last bits of a result, so a signed figure is rounded, and a figure
computed again is compared with a stated tolerance, never by its bytes.
"""

import math

from countermark.statistics.errors import StatisticsError


def significant(x: float, digits: int = 8) -> float:
    """Round to significant digits.

    Raises
    ------
    StatisticsError
        If ``x`` is not finite or ``digits`` is not from 1 to 17.
    """
    if not math.isfinite(x):
        raise StatisticsError(f"{x} cannot be published as a figure. Say why it is missing.")
    if not 1 <= digits <= 17:
        raise StatisticsError(f"{digits} significant digits make no sense. Give 1 to 17.")
    return float(f"{x:.{digits - 1}e}") + 0.0  # no negative zero


def agree(a: float, b: float, relative: float, absolute: float) -> bool:
    """Say whether two institutes' figures agree.

    True if ``|a - b|`` is at most ``relative`` times the larger magnitude, or at most
    ``absolute``.

    Raises
    ------
    StatisticsError
        If a figure is not finite or a tolerance is negative or not finite.
    """
    if not (math.isfinite(a) and math.isfinite(b)):
        raise StatisticsError(f"{a} and {b} cannot be compared. Give two finite figures.")
    if not (0 <= relative < math.inf and 0 <= absolute < math.inf):
        raise StatisticsError(
            f"The tolerances {relative} and {absolute} make no sense. Give two from 0 up."
        )
    return math.isclose(a, b, rel_tol=relative, abs_tol=absolute)
