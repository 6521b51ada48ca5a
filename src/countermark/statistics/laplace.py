# SPDX-License-Identifier: Apache-2.0
"""Laplace approximation of a mixed model with crossed items and group-level factors.

The linear predictor of item ``i`` in group ``g`` is::

    eta[g, i] = fixed[g] @ beta + sum_f sd[f] * b[f, code[f, g]] + sd[item] * u[i]

with ``b`` and ``u`` independent standard normal (the *whitened* effects, all called ``z`` here).
``h(z)`` is the log-likelihood minus ``z @ z / 2``, and ``H`` minus its matrix of second
derivatives. The approximation (Breslow and Clayton 1993, equation 4; Bates et al. 2015 and the
``nAGQ = 1`` of lme4 are the same) is::

    loglik(beta, sd) = h(z*) - log|H(z*)| / 2,      z* the maximum of h

With ``restricted``, ``beta`` is among the variables that are integrated, under a flat prior
(Laird and Ware 1982; exact for normal scores), and ``log(2 pi) / 2`` is added for each.

Gradient by the adjoint method: since ``z*`` moves with the parameters, with ``t = d log|H| / dz``
at fixed parameters and ``a = H^-1 t``::

    d loglik / d log sd[f] = |z_f|^2 - (n_f - tr_f(H^-1)) - a_f @ z_f

over the part of ``z`` that belongs to factor ``f`` with ``n_f`` levels. This follows from
``dH / d log sd[f] = E (H - P) + (H - P) E``, ``P`` the prior's identity and ``E`` the selector of
the factor. For ``beta``, with ``r`` the derivative of the log-likelihood by eta and ``W`` minus
the second one::

    d loglik / d beta = fixed.T @ (sum_i r - (sum_i t_eta - W J a) / 2)

where ``J a`` is the move of eta that ``a`` makes and ``t_eta`` is ``d log|H| / d eta``.

All passes go over blocks of groups, so that memory beside the table itself does not grow with it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from countermark.statistics.arrowhead import Arrowhead
from countermark.statistics.response import Response

Array = NDArray[np.float64]

_BLOCK = 1 << 16  # cells at a time: the temporary arrays of a block stay in the cache
_DECREMENT = 1e-18  # of the mode's Newton step; the mode is then exact to 1e-9 standard deviations
_STEPS = 60
_FLOOR = 1e-12  # rounding keeps a Newton decrement above this share of the log-likelihood's own


class NoModeError(ArithmeticError):
    """The likelihood has no maximum that Newton's method reaches."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A table and its design, made ready.

    Parameters
    ----------
    response
        The table.
    fixed
        ``(G, P)``.
    codes
        One ``(G,)`` integer array for each group-level random factor, from 0 up.
    levels
        How many levels each has.
    restricted
        Whether ``beta`` is integrated.
    """

    response: Response
    fixed: Array
    codes: tuple[NDArray[np.intp], ...]
    levels: tuple[int, ...]
    restricted: bool

    @property
    def outer(self) -> int:
        """How many parameters the outer search has."""
        fixed = 0 if self.restricted else self.fixed.shape[1]
        return fixed + 1 + len(self.codes) + len(self.response.start())

    def split(self, parameters: Array) -> tuple[Array, Array, Array]:
        """Take apart: ``beta`` (empty if restricted), sds (items first), extra parameters."""
        fixed = 0 if self.restricted else self.fixed.shape[1]
        sds = fixed + 1 + len(self.codes)
        return parameters[:fixed], parameters[fixed:sds], parameters[sds:]


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """Where the integrand is highest, and the approximation there.

    Parameters
    ----------
    parameters
        The outer parameters: ``beta`` unless restricted, standard deviations (items first, a
        negative one means the same as its absolute value), extra parameters.
    corner, items
        ``(q,)`` the integrated fixed and group-level effects, ``(I,)`` item effects; whitened.
    loglik, gradient
        The approximation and its derivatives by the outer parameters.
    hessian
        ``H``, factored.
    known
        For each standard deviation, ``n_f - tr_f(H^-1)``: of how many effects the data speak.
    moves
        ``(q + I, outer)``: how the mode moves with the outer parameters.
    fixed_information
        ``(P, P)``: information on ``beta`` given the standard deviations, first order.
    """

    parameters: Array
    corner: Array
    items: Array
    loglik: float
    gradient: Array
    hessian: Arrowhead
    known: Array
    moves: Array
    fixed_information: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Slope:
    """The gradient of ``-h`` and its Hessian, with the rows of beta that are not integrated."""

    corner: Array
    items: Array
    full_corner: Array
    full_edge: Array
    hessian: Arrowhead
    slope_groups: Array


class Laplace:
    """The approximation of one problem, at any parameters."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        groups, items = problem.response.shape
        self._fixed = problem.fixed.shape[1]
        indicators = [
            np.equal.outer(codes, np.arange(levels)).astype(np.float64)
            for codes, levels in zip(problem.codes, problem.levels, strict=True)
        ]
        self._design = np.hstack([problem.fixed, *indicators])
        self._factor = np.repeat(np.arange(len(problem.levels)), problem.levels)
        self._first = 0 if problem.restricted else self._fixed
        rows = max(1, _BLOCK // items)
        self._blocks = [slice(a, min(a + rows, groups)) for a in range(0, groups, rows)]
        self._across = [sparse.csr_array(self._design[b]) for b in self._blocks]
        self._down = [sparse.csr_array(self._design[b].T) for b in self._blocks]
        self._prior = np.concatenate([np.zeros(self._fixed), np.ones(len(self._factor))])
        self.evaluations = 0

    @property
    def design(self) -> Array:
        """``(G, P + sum of levels)``: fixed effects and indicators of the factors' levels."""
        return self._design

    def scale(self, sds: Array) -> Array:
        """What each column of the design is multiplied by: 1 or a standard deviation."""
        return np.concatenate([np.ones(self._fixed), sds[1:][self._factor]])

    def centre(self) -> tuple[Array, Array]:
        """Effects of zero, where a search for the mode may begin."""
        return np.zeros(self._design.shape[1] - self._first), np.zeros(
            self.problem.response.shape[1]
        )

    def _etas(
        self, parameters: Array, corner: Array, items: Array
    ) -> Iterator[tuple[int, slice, Array]]:
        beta, sds, _ = self.problem.split(parameters)
        effects = np.concatenate([beta, corner]) * self.scale(sds)
        groups, moved = self._design @ effects, sds[0] * items
        for number, rows in enumerate(self._blocks):
            yield number, rows, groups[rows, None] + moved

    def _slope(self, parameters: Array, corner: Array, items: Array) -> _Slope:
        """First pass: gradient of ``-h`` and its Hessian at any effects."""
        _, sds, extra = self.problem.split(parameters)
        first, scale = self._first, self.scale(sds)
        groups, size = self._design.shape[0], len(items)
        slope_items, weight_items = np.zeros(size), np.zeros(size)
        slope_groups, weight_groups = np.empty(groups), np.empty(groups)
        edge = np.zeros((self._design.shape[1], size))
        for number, rows, eta in self._etas(parameters, corner, items):
            slope, weight = self.problem.response.slopes(rows, eta, extra.tolist())
            slope_items += slope.sum(axis=0)
            weight_items += weight.sum(axis=0)
            slope_groups[rows] = slope.sum(axis=1)
            weight_groups[rows] = weight.sum(axis=1)
            edge += self._down[number] @ weight
        edge *= sds[0] * scale[:, None]
        scaled = self._design * scale
        full = (scaled.T * weight_groups) @ scaled
        full[np.diag_indices_from(full)] += self._prior
        hessian = Arrowhead.factor(
            full[first:, first:], edge[first:], 1.0 + sds[0] ** 2 * weight_items
        )
        return _Slope(
            self._prior[first:] * corner - (scaled.T @ slope_groups)[first:],
            items - sds[0] * slope_items,
            full,
            edge,
            hessian,
            slope_groups,
        )

    def _climb(
        self, parameters: Array, corner: Array, items: Array
    ) -> tuple[Array, Array, _Slope]:
        """Newton's method for the mode.

        ``-h`` is convex, so a step is good if the slope along it, at its end, does not point
        back by more than half of what it was; else it is halved.
        """
        at = self._slope(parameters, corner, items)
        last = math.inf
        for _ in range(_STEPS):
            step, step_items = at.hessian.solve(-at.corner, -at.items)
            decrement = -float(at.corner @ step + at.items @ step_items)
            done = decrement < _DECREMENT or (decrement < _FLOOR and decrement > last / 4)
            if not math.isfinite(decrement):
                break
            if done:
                return corner, items, at
            last, length = decrement, 1.0
            while True:
                there = (corner + length * step, items + length * step_items)
                at = self._slope(parameters, *there)
                if float(at.corner @ step + at.items @ step_items) <= decrement / 2:
                    break
                length /= 2
                if length < 1e-6:
                    raise NoModeError
            corner, items = there
        raise NoModeError

    def evaluate(self, parameters: Array, near: Mode | None = None) -> Mode:
        """Compute the approximation and its gradient.

        Parameters
        ----------
        parameters
            Outer parameters, see :class:`Mode`.
        near
            A mode found before; its first-order move is where the search begins.

        Raises
        ------
        NoModeError
            If the mode is not found.
        """
        self.evaluations += 1
        corner, items = self.centre()
        if near is not None:
            moved = near.moves @ (parameters - near.parameters)
            corner, items = near.corner + moved[: len(corner)], near.items + moved[len(corner) :]
        try:
            corner, items, at = self._climb(parameters, corner, items)
        except np.linalg.LinAlgError:
            raise NoModeError from None
        return self._finish(parameters, corner, items, at)

    def _finish(self, parameters: Array, corner: Array, items: Array, at: _Slope) -> Mode:
        """Second pass: the likelihood, the gradient by the adjoint, the moves of the mode."""
        problem, first, hessian = self.problem, self._first, at.hessian
        beta, sds, extra = problem.split(parameters)
        scale = self.scale(sds)
        scaled = self._design[:, first:] * scale[first:]
        by_group = np.einsum("gq,gq->g", scaled @ hessian.inverse, scaled)
        variances = hessian.item_variances()
        reach = np.zeros((len(scale), len(items)))
        reach[first:] = (-2 * sds[0] * scale[first:])[:, None] * hessian.reach
        likelihood = problem.response.constant
        turn_groups, turn_items = np.empty(len(by_group)), np.zeros(len(items))
        pushes = [(np.empty(len(by_group)), np.zeros(len(items)), [0.0, 0.0]) for _ in extra]
        for number, rows, eta in self._etas(parameters, corner, items):
            variance = self._across[number] @ reach
            variance += by_group[rows, None] + sds[0] ** 2 * variances
            found = problem.response.curvature(rows, eta, extra.tolist(), variance)
            likelihood += found.likelihood
            turn_groups[rows] = found.third.sum(axis=1)
            turn_items += found.third.sum(axis=0)
            for push, by in zip(pushes, found.extras, strict=True):
                push[0][rows] = by.slope.sum(axis=1)
                push[1][:] += by.slope.sum(axis=0)
                push[2][0] += by.likelihood
                push[2][1] += by.weight
        turn, turn_item = scaled.T @ turn_groups, sds[0] * turn_items
        a, a_items = hessian.solve(turn, turn_item)
        gradient_beta = (
            self._design[:, :first].T @ (at.slope_groups - turn_groups / 2)
            + (at.full_corner[:first, first:] @ a + at.full_edge[:first] @ a_items) / 2
        )
        gradient_sd, moves_sd, known = self._by_sd(sds, corner, items, hessian, a, a_items)
        gradient_extra, moves = [], [*self._by_beta(at), *moves_sd]
        for groups, columns, (slope, weight) in pushes:
            pushed, pushed_items = scaled.T @ groups, sds[0] * columns
            gradient_extra.append(slope - (weight + a @ pushed + a_items @ pushed_items) / 2)
            moves.append(np.concatenate(hessian.solve(pushed, pushed_items)))
        value = likelihood - float(corner @ (self._prior[first:] * corner) + items @ items) / 2
        value -= hessian.log_determinant / 2
        if problem.restricted:
            value += self._fixed * math.log(2 * math.pi) / 2
        return Mode(
            parameters=parameters,
            corner=corner,
            items=items,
            loglik=value,
            gradient=np.concatenate([gradient_beta, gradient_sd, gradient_extra]),
            hessian=hessian,
            known=np.array(known),
            moves=np.stack(moves, axis=1),
            fixed_information=self._information(at),
        )

    def _by_beta(self, at: _Slope) -> list[Array]:
        first = self._first
        if not first:
            return []
        top, below = at.hessian.solve(-at.full_corner[first:, :first], -at.full_edge[:first].T)
        return list(np.vstack([top, below]).T)

    def _by_sd(
        self,
        sds: Array,
        corner: Array,
        items: Array,
        hessian: Arrowhead,
        a: Array,
        a_items: Array,
    ) -> tuple[list[float], list[Array], list[float]]:
        """Derivatives by each standard deviation; 0 at 0, since its sign means nothing."""
        factor = np.concatenate([np.full(self._fixed - self._first, -1), self._factor])
        spread = np.diag(hessian.inverse)
        gradient, moves, known = [], [], []
        for number, sd in enumerate(sds):
            inside = factor == number - 1 if number else np.zeros(len(factor), dtype=bool)
            mine = np.where(inside, corner, 0.0)
            mine_items = items if number == 0 else np.zeros_like(items)
            left = spread[inside] if number else hessian.item_variances()
            known.append(float((1 - left).sum()))
            by_log = float(mine @ mine + mine_items @ mine_items - a @ mine - a_items @ mine_items)
            gradient.append((by_log - known[-1]) / sd if sd else 0.0)
            top, below = hessian.solve(mine, mine_items)
            move = np.concatenate([2 * top - mine, 2 * below - mine_items])
            moves.append(move / sd if sd else 0.0 * move)
        return gradient, moves, known

    def _information(self, at: _Slope) -> Array:
        """Schur complement of all random effects: information on beta."""
        fixed, first = self._fixed, self._first
        if not first:
            covariance = at.hessian.inverse[:fixed, :fixed]
            return np.asarray(np.linalg.inv(covariance))
        top, below = at.hessian.solve(at.full_corner[first:, :first], at.full_edge[:first].T)
        across = at.full_corner[:first, first:] @ top + at.full_edge[:first] @ below
        return np.asarray(at.full_corner[:first, :first] - across)
