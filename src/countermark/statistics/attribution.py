# SPDX-License-Identifier: Apache-2.0
"""How much of the spread between labs goes with the labs' settings.

Over the items scored at every lab, the lab means ``y`` are adjusted for items. They are regressed
on the factors of :mod:`countermark.statistics.identifiability`, ``y = X b + lab + noise``. For a
set ``S`` of factors of rank ``r``, with ``K`` labs, ``I`` items and the residual sum of squares
``RSS(S)``::

    s2(S) = RSS(S) / (K - 1 - r) - MS_lab_item / I

estimates the variance between labs that is left when ``S`` is known; ``s2`` of no factor is the
between-lab variance ``s2_L``. The error of an effect is the spread of labs about the regression,
``RSS / (K - 1 - r)``: it has the lab variance left and the noise of a lab mean in it.

Labs were not given their settings by lot. What goes with a setting need not come from it; only a
designed arm (:mod:`countermark.statistics.arms`) shows that.

Rules
-----
1. Only items scored at every lab count; the others are named.
2. Nothing is computed if no setting differs or no lab is left over to show an error.
3. An aliased or constant factor has no effect: ``NotComputable``, with the reason in words.
4. A factor's F test is for adding it last, ``(RSS without it - RSS) / its columns`` over
   ``RSS / (K - 1 - r)``. p values are Holm-adjusted over the factors that vary, an aliased one
   counting with p = 1.
5. Shares are given only if every factor that varies is identifiable; else ``NotComputable`` names
   the alias sets.
6. The observed shares of the factors sum to R squared. The adjusted shares sum to what ``s2``
   falls by; without a between-lab variance above 0 there is nothing to share.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import special

from countermark.statistics.crossed import design
from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.identifiability import Factor, Identifiability, columns, identifiability
from countermark.statistics.intervals import check_level
from countermark.statistics.layout import Array, mean_squares
from countermark.statistics.multiplicity import holm
from countermark.statistics.precision import FTest, f_test

_RANK_TOLERANCE = 1e-9
_NIL = 1e-18  # a variance of scores in [0, 1] below this is rounding
_MOST_FACTORS = 12  # shares need a fit of each of the 2**F sets of factors


@dataclass(frozen=True, slots=True)
class Effect:
    """Mean score with ``value`` minus that with ``against``, other factors held; t interval."""

    value: str
    against: str
    difference: float
    se: float
    df: int
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class FactorEffect:
    """What goes with one factor.

    Parameters
    ----------
    effects
        One for each of its values but the first.
    test, adjusted
        F test of the factor added last, and its Holm-adjusted p value.
    delta_sd
        How much the standard deviation between labs falls when the factor is added last, in
        score units. Below 0 if the factor explains less than a random one would.
    """

    effects: tuple[Effect, ...]
    test: FTest
    adjusted: float
    delta_sd: float


@dataclass(frozen=True, slots=True)
class LabFactor:
    """A factor, and what could be found of it."""

    name: str
    finding: FactorEffect | NotComputable


@dataclass(frozen=True, slots=True)
class FactorShare:
    """A factor's Shapley shares, averaged over all orders in which factors can be added.

    ``observed``: of the sum of squares of the lab means (Lindeman, Merenda and Gold 1980,
    Introduction to Bivariate and Multivariate Analysis, p. 119); never below 0, and above 0 by
    chance alone: a column of random numbers gets ``1 / (K - 1)`` on average. ``adjusted``: of the
    variance between labs, by ``s2``; 0 on average for random numbers, so it can be below 0.
    """

    factor: str
    observed: float
    adjusted: float


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of the factors that vary, and what no factor explains."""

    factors: tuple[FactorShare, ...]
    rest_observed: float
    rest_adjusted: float


@dataclass(frozen=True, slots=True)
class LabExplanation:
    """Why labs differ, as far as their settings say; see the module for the terms.

    ``sd_labs`` is ``s_L``; ``sd_remaining`` is what is left of it with all factors known. A
    variance below 0 is 0. ``df`` is ``K - 1 - r``.
    """

    labs: int
    items: int
    items_dropped: tuple[str, ...]
    df: int
    identifiability: Identifiability
    sd_labs: float
    sd_remaining: float
    factors: tuple[LabFactor, ...]
    shares: Shares | NotComputable

    @property
    def explained(self) -> float | None:
        """Share of the between-lab variance that all factors explain; ``None`` if that is 0."""
        return None if self.sd_labs == 0 else 1 - (self.sd_remaining / self.sd_labs) ** 2


@dataclass(frozen=True, slots=True)
class _Fits:
    means: Array
    blocks: Mapping[str, Array]
    noise: float  # MS_lab_item / I

    def residual(self, names: Sequence[str]) -> tuple[float, int]:
        """Return ``RSS`` and its degrees of freedom with these factors in the model."""
        basis = _basis([self.blocks[name] for name in names], len(self.means))
        rest = self.means - basis @ (basis.T @ self.means)
        return float((rest**2).sum()), len(self.means) - 1 - basis.shape[1]

    def variance(self, names: Sequence[str]) -> float:
        """Return ``s2`` of these factors, which may be below 0."""
        rss, df = self.residual(names)
        return rss / df - self.noise


def explain_labs(
    crossing: Crossing, settings: Mapping[str, Mapping[str, str]], level: float = 0.95
) -> LabExplanation | NotComputable:
    """Set the spread between labs beside the labs' settings.

    Parameters
    ----------
    crossing
        One model, task, language and scorer.
    settings
        By lab, the value of each factor; of labs that are not in the crossing, nothing is used.
    level
        Two-sided confidence of the effects' intervals.

    Returns
    -------
    LabExplanation or NotComputable
        Effects assume that labs' deviations from the regression are independent, of one variance
        and roughly normal; variances and shares assume no distribution. None of them has an
        interval, and with few labs they are rough.

    Raises
    ------
    StatisticsError
        If a lab has no settings or no value for a factor, or the level is none.
    """
    check_level(level)
    absent = [lab for lab in crossing.labs if lab not in settings]
    if absent:
        raise StatisticsError(
            f"There are no settings for {', '.join(map(repr, absent))}. Give every lab its own."
        )
    known = identifiability({lab: settings[lab] for lab in crossing.labs})
    plan = design(crossing)
    if isinstance(plan, NotComputable):
        return plan
    if plan.labs < 2 or plan.items < 2:
        return NotComputable("Why labs differ needs two labs that scored two items in common.")
    if not known.varying or known.residual_df == 0:
        return NotComputable(known.why_not())
    _, dropped = crossing.complete()
    ms = mean_squares(plan.cells)
    blocks = {
        name: columns([settings[lab][name] for lab in crossing.labs]) for name in known.varying
    }
    means = plan.cells.mean(axis=1)
    fits = _Fits(means - means.mean(), blocks, float(ms.lab_item) / plan.items)
    return LabExplanation(
        labs=plan.labs,
        items=plan.items,
        items_dropped=dropped,
        df=known.residual_df,
        identifiability=known,
        sd_labs=_sd(fits.variance(())),
        sd_remaining=_sd(fits.variance(known.varying)),
        factors=_factors(known, fits, level),
        shares=_shares(known, fits),
    )


def _sd(variance: float) -> float:
    return math.sqrt(max(0.0, variance))


def _basis(blocks: Sequence[Array], labs: int) -> Array:
    """Give an orthonormal basis of what the blocks span."""
    if not blocks:
        return np.zeros((labs, 0))
    vectors, singular, _ = np.linalg.svd(np.hstack(blocks), full_matrices=False)
    return np.asarray(vectors[:, singular > _RANK_TOLERANCE])


def _factors(known: Identifiability, fits: _Fits, level: float) -> tuple[LabFactor, ...]:
    found = {each.name: _found(each, known.varying, fits, level) for each in known.factors}
    p_values = []
    for name in known.varying:
        finding = found[name]
        p_values.append(1.0 if isinstance(finding, NotComputable) else finding.test.p)
    adjusted = dict(zip(known.varying, holm(p_values), strict=True))
    return tuple(
        LabFactor(
            name,
            replace(finding, adjusted=float(adjusted[name]))
            if isinstance(finding, FactorEffect)
            else finding,
        )
        for name, finding in found.items()
    )


def _found(
    factor: Factor, varying: Sequence[str], fits: _Fits, level: float
) -> FactorEffect | NotComputable:
    if factor.status in {"aliased", "constant"}:
        return NotComputable(factor.reason)
    others = [name for name in varying if name != factor.name]
    rss, df = fits.residual(varying)
    without, df_without = fits.residual(others)
    width = df_without - df
    residual = rss / df if rss / df > _NIL else 0.0
    test = f_test((without - rss) / width, residual, width, df)
    if test is None:
        return NotComputable("The settings give every lab's mean exactly, so no error is seen.")
    return FactorEffect(
        effects=_effects(factor, fits, others, residual, df, level),
        test=test,
        adjusted=test.p,
        delta_sd=_sd(fits.variance(others)) - _sd(fits.variance(varying)),
    )


def _effects(
    factor: Factor, fits: _Fits, others: Sequence[str], residual: float, df: int, level: float
) -> tuple[Effect, ...]:
    basis = _basis([fits.blocks[name] for name in others], len(fits.means))
    own = fits.blocks[factor.name]
    own = own - basis @ (basis.T @ own)  # what the other factors leave of it
    inverse = np.linalg.inv(own.T @ own)
    differences = inverse @ (own.T @ fits.means)
    errors = np.sqrt(residual * np.diag(inverse))
    t = float(special.stdtrit(df, (1 + level) / 2))
    first, *rest = factor.values
    return tuple(
        Effect(value, first, float(d), float(se), df, float(d - t * se), float(d + t * se))
        for value, d, se in zip(rest, differences, errors, strict=True)
    )


def _shares(known: Identifiability, fits: _Fits) -> Shares | NotComputable:
    if not known.identifiable:
        return NotComputable(f"Shares cannot be told apart. {known.why_not()}")
    names = known.varying
    if len(names) > _MOST_FACTORS:
        return NotComputable(f"Shares of more than {_MOST_FACTORS} factors are not computed.")
    total, _ = fits.residual(())
    variance = fits.variance(())
    if variance <= 0 or total <= _NIL:
        return NotComputable("Labs differ no more than noise does, so there is nothing to share.")
    sets = [group for size in range(len(names) + 1) for group in combinations(names, size)]
    observed = {group: 1 - fits.residual(group)[0] / total for group in sets}
    adjusted = {group: 1 - fits.variance(group) / variance for group in sets}
    shares = tuple(
        FactorShare(name, _shapley(name, names, observed), _shapley(name, names, adjusted))
        for name in names
    )
    return Shares(shares, 1 - observed[names], 1 - adjusted[names])


def _shapley(name: str, names: Sequence[str], worth: Mapping[tuple[str, ...], float]) -> float:
    """Average what ``name`` adds over all orders of ``names`` (Shapley 1953)."""
    others = [other for other in names if other != name]
    count = len(names)
    share = 0.0
    for size in range(count):
        weight = 1 / (count * math.comb(count - 1, size))
        for group in combinations(others, size):
            joined = tuple(each for each in names if each == name or each in group)
            share += weight * (worth[joined] - worth[group])
    return share
