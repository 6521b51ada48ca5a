# SPDX-License-Identifier: Apache-2.0
"""How far raters agree so far, live: percent, kappa, AC1 and alpha with their intervals.

*Unsure* is no rating. What cannot be computed comes with the reason. The interval is drawn with a
fixed seed, so that the figure changes only when labels do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from countermark.statistics import NotComputable, Ratings, Resampling, agreement
from countermark.statistics.agreement import Coefficient

COEFFICIENTS: Mapping[Coefficient, str] = {
    "percent": "Share of pairs that agree",
    "fleiss": "Fleiss’ kappa",
    "ac1": "Gwet’s AC1",
    "alpha-nominal": "Krippendorff’s alpha",
}
TWO_RATERS: Mapping[Coefficient, str] = {**COEFFICIENTS, "cohen": "Cohen’s kappa"}
_RESAMPLING = Resampling(seed=20251129, replicates=999)
_VALUES = {"yes": 1.0, "no": 0.0}


@dataclass(frozen=True, slots=True)
class Figure:
    """One coefficient, or why there is none.

    Parameters
    ----------
    name
        What it is, for people.
    value
        The coefficient; absent with a reason.
    lower, upper
        Its interval at 95 %; absent with a reason.
    reason
        Why something is absent.
    """

    name: str
    value: float | None
    lower: float | None
    upper: float | None
    reason: str | None

    @property
    def text(self) -> str:
        """The figure in words."""
        if self.value is None:
            return self.reason or ""
        if self.lower is None or self.upper is None:
            return f"{self.value:.2f} ({self.reason})"
        figures = f"{self.value:.2f} ({self.lower:.2f} to {self.upper:.2f})"
        return figures.replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True, slots=True)
class LiveAgreement:
    """All coefficients over the answers that two or more have labelled."""

    answers: int
    figures: tuple[Figure, ...]


def live_agreement(labels: Sequence[Mapping[str, str]], raters: Sequence[str]) -> LiveAgreement:
    """Compute agreement over what was said so far.

    Parameters
    ----------
    labels
        For each answer, what each rater said.
    raters
        Who rates.
    """
    table = np.array(
        [[_VALUES.get(one.get(rater, ""), np.nan) for rater in raters] for one in labels],
        dtype=np.float64,
    ).reshape(len(labels), len(raters))
    both = int((np.isfinite(table).sum(axis=1) >= 2).sum())
    if not both:
        reason = "not computable because no answer has two labels yet"
        names = (TWO_RATERS if len(raters) == 2 else COEFFICIENTS).values()
        return LiveAgreement(0, tuple(Figure(name, None, None, None, reason) for name in names))
    ratings = Ratings.from_table(table, (0.0, 1.0))
    wanted = TWO_RATERS if len(raters) == 2 else COEFFICIENTS
    return LiveAgreement(
        both, tuple(_figure(name, ratings, coefficient) for coefficient, name in wanted.items())
    )


def _figure(name: str, ratings: Ratings, coefficient: Coefficient) -> Figure:
    found = agreement(ratings, coefficient, _RESAMPLING)
    if isinstance(found, NotComputable):
        return Figure(name, None, None, None, f"not computable because: {found.reason}")
    if isinstance(found.interval, NotComputable):
        return Figure(
            name, found.value, None, None, f"no interval because: {found.interval.reason}"
        )
    return Figure(name, found.value, found.interval.lower, found.interval.upper, None)
