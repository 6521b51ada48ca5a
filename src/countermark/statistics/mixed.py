# SPDX-License-Identifier: Apache-2.0
"""Mixed models of a joint test: groups x items, with items and labs as crossed random effects.

A *group* is what one lab did with one model in one language. The linear predictor of an item in a
group is a fixed part, the same for all items, plus a random effect of the item and one of each
level that the group has of each group-level factor (its lab, its lab-and-language, ...). All
random effects are independent and normal. What is observed is binomial, ordinal or normal
(:mod:`countermark.statistics.response`).

The likelihood is the Laplace approximation that lme4 (``nAGQ = 1``) and glmmTMB maximise; for
normal scores it is exact. See :mod:`countermark.statistics.laplace`.

Rules
-----
1. ``restricted`` (the default) integrates the fixed effects too, so that standard deviations are
   not too small with few labs, as maximum likelihood makes them. Without it the fit is that of
   lme4 and glmmTMB (``REML = FALSE``).
2. A design that cannot tell two effects apart, and data without a finite maximum (a whole lab or
   language all 0 or all 1), have no fit.
3. A standard deviation whose maximum is at 0 is 0, and said to be ``at_zero``.
4. The covariance of the fixed effects has the uncertainty of the standard deviations in it, to
   first order; where a standard deviation is 0 it is taken as known.
5. The order of groups and of items changes nothing but rounding.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.laplace import Laplace, Mode, NoModeError, Problem
from countermark.statistics.response import Binomial, Gaussian, Ordinal
from countermark.statistics.search import Maximum, search

Array = NDArray[np.float64]

_MOST_EFFECTS = 5000
_RANK = 1e-9  # singular values below this share of the largest are 0


@dataclass(frozen=True, slots=True, eq=False)
class RandomFactor:
    """A grouping of the groups whose levels are a sample.

    Parameters
    ----------
    name
        As it is called in results; ``item`` is taken.
    codes
        ``(G,)``: the level of each group, as whole numbers of any values.
    """

    name: str
    codes: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Deviation:
    """The standard deviation of a random factor, on the scale of the linear predictor.

    ``levels`` is how many the table has; ``at_zero`` says that the likelihood is highest at 0.
    """

    name: str
    value: float
    levels: int
    at_zero: bool


@dataclass(frozen=True, slots=True, eq=False)
class MixedFit:
    """A fitted mixed model.

    Parameters
    ----------
    beta, covariance
        ``(P,)`` fixed effects and ``(P, P)`` their covariance. Restricted:
        ``(H^-1)_bb + J V J.T`` with ``V`` the covariance of standard deviations (and of residual
        or steps) and ``J`` how ``beta`` moves with them (Kass and Steffey 1989, equation 3.2;
        glmmTMB's REML). Not restricted: inverse of the full second derivatives, as in lme4.
    deviations
        ``item`` first, then the factors as they were given.
    residual
        Standard deviation of single scores; of a normal response only.
    cuts
        ``(M - 1,)`` of an ordinal response, the first 0: ``P(level > m) = expit(eta - cuts[m])``.
    items
        ``(I,)`` conditional modes of the item effects, on the scale of the linear predictor.
    effects
        The same for each factor, in the order of its levels.
    loglik, constant
        Maximum of the (restricted) log-likelihood, and the part of it that depends on no parameter:
        one row an epoch instead of one cell an item changes the latter only.
    restricted
        Which of the two it is.
    evaluations
        How often the approximation was evaluated.
    maximum, laplace
        For the functions that start from a fit.
    """

    beta: Array
    covariance: Array
    deviations: tuple[Deviation, ...]
    residual: float | None
    cuts: Array | None
    items: Array
    effects: tuple[Array, ...]
    loglik: float
    constant: float
    restricted: bool
    evaluations: int
    maximum: Maximum = field(repr=False)
    laplace: Laplace = field(repr=False)
    _nudged: dict[tuple[int, float], Mode] = field(default_factory=dict, init=False, repr=False)

    def nudged(self, number: int, by: float) -> Mode:
        """Return the mode with one outer parameter ``1 + by`` times as large; found once.

        Only what the mode is at, and its curvature, are those of the changed parameter.
        """
        key = (number, by)
        if key not in self._nudged:
            mode = self.maximum.mode
            parameters = mode.parameters.copy()
            parameters[number] *= 1 + by
            self._nudged[key] = self.laplace.moved(parameters, mode)
        return self._nudged[key]

    def sd(self, name: str) -> float:
        """Return the standard deviation of a factor."""
        for deviation in self.deviations:
            if deviation.name == name:
                return deviation.value
        raise StatisticsError(
            f"There is no factor {name!r}. Ask for one of "
            f"{', '.join(repr(known.name) for known in self.deviations)}."
        )


def mixed(
    response: Binomial | Gaussian | Ordinal,
    fixed: ArrayLike,
    random: Sequence[RandomFactor] = (),
    *,
    restricted: bool = True,
) -> MixedFit | NotComputable:
    """Fit a mixed model with crossed items.

    Parameters
    ----------
    response
        ``(G, I)`` table of what was observed. Cells may be missing; whole groups or items not.
    fixed
        ``(G, P)`` design of the fixed effects, with the column of ones if there is to be an
        intercept (an ordinal response needs one: its first cut is 0).
    random
        Group-level factors; items are always random.
    restricted
        Whether to integrate the fixed effects (rule 1).

    Raises
    ------
    StatisticsError
        If shapes disagree, a design is not finite, or a group or item was never scored.
    """
    design = np.ascontiguousarray(fixed, dtype=np.float64)
    _check(response, design, random)
    coded = [np.unique(factor.codes, return_inverse=True) for factor in random]
    codes = tuple(np.asarray(inverse, dtype=np.intp).reshape(-1) for _, inverse in coded)
    levels = tuple(len(values) for values, _ in coded)
    why = _hopeless(response, design, random, codes, levels)
    if why is not None:
        return NotComputable(why)
    laplace = Laplace(Problem(response, design, codes, levels, restricted))
    try:
        found = search(laplace)
    except NoModeError:
        return NotComputable(
            "The likelihood of the mixed model has no maximum that the search reaches. "
            "The data say too little for this many effects; leave out a factor."
        )
    return _fit(laplace, found, ("item", *(factor.name for factor in random)))


def _fit(laplace: Laplace, found: Maximum, names: Sequence[str]) -> MixedFit:
    problem, mode = laplace.problem, found.mode
    outer_beta, sds, extra = problem.split(mode.parameters)
    size = problem.fixed.shape[1]
    if problem.restricted:
        beta, effects = mode.corner[:size], mode.corner[size:]
        moves = mode.moves[:size]
        covariance = mode.hessian.inverse[:size, :size] + moves @ found.covariance @ moves.T
    else:
        beta, effects = outer_beta, mode.corner
        covariance = found.covariance[:size, :size]
    levels = (len(mode.items), *problem.levels)
    ends = np.cumsum(problem.levels)[:-1]
    parts = np.split(effects, ends) if problem.levels else []
    gaussian = isinstance(problem.response, Gaussian)
    ordinal = isinstance(problem.response, Ordinal)
    return MixedFit(
        beta=beta,
        covariance=covariance,
        deviations=tuple(
            Deviation(name, abs(float(sd)), count, bool(sd == 0))
            for name, sd, count in zip(names, sds, levels, strict=True)
        ),
        residual=math.exp(extra[0]) if gaussian else None,
        cuts=Ordinal.cuts(extra.tolist()) if ordinal else None,
        items=sds[0] * mode.items,
        effects=tuple(sd * part for sd, part in zip(sds[1:], parts, strict=True)),
        loglik=mode.loglik,
        constant=problem.response.constant,
        restricted=problem.restricted,
        evaluations=laplace.evaluations,
        maximum=found,
        laplace=laplace,
    )


def _check(
    response: Binomial | Gaussian | Ordinal, fixed: Array, random: Sequence[RandomFactor]
) -> None:
    groups, _ = response.shape
    if fixed.ndim != 2 or len(fixed) != groups or not fixed.shape[1]:
        raise StatisticsError(
            f"The fixed design has shape {fixed.shape}, the table {groups} groups. "
            "Give one row a group and one column an effect."
        )
    if not np.isfinite(fixed).all():
        raise StatisticsError("The fixed design holds a value that is no number. Fill it in.")
    names = ["item", *(factor.name for factor in random)]
    if len(set(names)) != len(names):
        raise StatisticsError(
            f"Two of the factors {', '.join(map(repr, names))} have the same name. Rename one."
        )
    for factor in random:
        codes = np.asarray(factor.codes)
        if codes.shape != (groups,) or not np.issubdtype(codes.dtype, np.integer):
            raise StatisticsError(
                f"The factor {factor.name!r} needs one whole number for each of {groups} groups."
            )
    effects = fixed.shape[1] + sum(len(np.unique(factor.codes)) for factor in random)
    if effects > _MOST_EFFECTS:
        raise StatisticsError(
            f"The model has {effects} effects beside its items; all pairs of them are held in "
            f"memory, so at most {_MOST_EFFECTS} are taken. Leave out a factor, or some labs."
        )
    observed = response.observed
    if not (observed.any(axis=0).all() and observed.any(axis=1).all()):
        raise StatisticsError("A group or an item was never scored. Leave it out of the table.")


def _hopeless(
    response: Binomial | Gaussian | Ordinal,
    fixed: Array,
    random: Sequence[RandomFactor],
    codes: Sequence[NDArray[np.intp]],
    levels: Sequence[int],
) -> str | None:
    """Say why there can be no fit, or nothing (rule 2)."""
    _, items = response.shape
    if items < 2:
        return "One item says nothing of how items vary. The mixed model needs two."
    rank = _rank(fixed)
    if rank < fixed.shape[1]:
        return (
            f"The {fixed.shape[1]} columns of the fixed design say only {rank} different things, "
            "so their effects cannot be told apart. Leave out the columns that others make up."
        )
    for n, factor in enumerate(random):
        if levels[n] < 2:
            return (
                f"The factor {factor.name!r} has one level only, "
                "so nothing shows how its levels vary."
            )
        indicators = np.equal.outer(codes[n], np.arange(levels[n])).astype(np.float64)
        if _rank(np.hstack([fixed, indicators])) == rank:
            return (
                f"The fixed effects already have a value for each level of {factor.name!r}, "
                "so nothing is left to show how its levels vary."
            )
        for m in range(n):
            pairs = len(set(zip(codes[m].tolist(), codes[n].tolist(), strict=True)))
            if pairs == levels[m] == levels[n]:
                return (
                    f"The factors {random[m].name!r} and {factor.name!r} group the data in the "
                    "same way, so their variances cannot be told apart."
                )
    return _unrepeated(response) or _separated(response, fixed)


def _rank(matrix: Array) -> int:
    values = np.linalg.svd(matrix, compute_uv=False)
    return int((values > _RANK * values[0]).sum())


def _unrepeated(response: Binomial | Gaussian | Ordinal) -> str | None:
    counts = response.levels.sum(axis=2) if isinstance(response, Ordinal) else response.count
    if (counts.sum(axis=0) <= 1).all():
        return (
            "Every item was scored once, so what is peculiar to an item cannot be told from noise."
        )
    if isinstance(response, Gaussian) and response.variance <= 0:
        return "All scores are the same, so nothing shows how they vary."
    return None


def _separated(response: Binomial | Gaussian | Ordinal, fixed: Array) -> str | None:
    """Look for a direction of beta that the data push to infinity (Albert and Anderson 1984).

    Item and lab effects are held back by their distribution, so only whole groups matter: the
    direction must raise no group but those that are all at the top, lower none but those all at
    the bottom, and leave the others.
    """
    if isinstance(response, Gaussian):
        return None
    if isinstance(response, Ordinal):
        counts = response.levels.sum(axis=(1, 2))
        top = response.levels[:, :, -1].sum(axis=1) == counts
        bottom = response.levels[:, :, 0].sum(axis=1) == counts
    else:
        counts = response.count.sum(axis=1)
        top = response.total.sum(axis=1) == counts
        bottom = response.total.sum(axis=1) == 0
    if top.all() or bottom.all():
        return (
            f"All scores are at the {'top' if top.all() else 'bottom'} of the scale, so the "
            "likelihood has no maximum. Exact limits on the number of items still hold."
        )
    mixed_rows = ~(top | bottom)
    if mixed_rows.any() and _rank(fixed[mixed_rows]) == fixed.shape[1]:
        return None
    gains = np.vstack([fixed[top], -fixed[bottom]])
    found = optimize.linprog(
        -gains.sum(axis=0),
        A_ub=-gains,
        b_ub=np.zeros(len(gains)),
        A_eq=fixed[mixed_rows] if mixed_rows.any() else None,
        b_eq=np.zeros(int(mixed_rows.sum())) if mixed_rows.any() else None,
        bounds=(-1, 1),
        method="highs",
    )
    if found.status == 0 and -found.fun < 1e-9:
        return None
    return (
        "A fixed effect separates groups that are all at the top or bottom of the scale from the "
        "others, so it has no finite estimate. Report those groups with exact limits instead."
    )
