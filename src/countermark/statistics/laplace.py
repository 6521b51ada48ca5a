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
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from countermark.statistics.arrowhead import Arrowhead
from countermark.statistics.response import Response

Array = NDArray[np.float64]

_BLOCK = 1 << 16  # cells at a time: the temporary arrays of a block stay in the cache
_DECREMENT = 1e-18  # of the mode's Newton step; the mode is then exact to 1e-9 standard deviations
_ROUGH = 1e-10
_STEPS = 60
_FEW = 400  # groups x effects
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

    def at(self, parameters: Array) -> tuple[Array, Array]:
        """Where the mode moves to, to first order."""
        moved = self.moves @ (parameters - self.parameters)
        return self.corner + moved[: len(self.corner)], self.items + moved[len(self.corner) :]


@dataclass(frozen=True, slots=True, eq=False)
class _Slope:
    """The gradient of ``-h`` and its Hessian, with the rows of beta that are not integrated."""

    corner: Array
    items: Array
    full_corner: Array
    full_edge: Array
    hessian: Arrowhead
    slope_groups: Array
    memo: list[tuple[Array, ...]]


@dataclass(slots=True, eq=False)
class _Push:
    """What one extra parameter does: to the slopes by group and item, and in all."""

    groups: Array
    items: Array
    likelihood: float = 0.0
    weight: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """``d log|H| / d eta`` over items; the adjoint ``H^-1 t`` in two parts; extra parameters."""

    groups: Array
    hidden: Array
    hidden_items: Array
    pushes: list[_Push]


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
        # Of few groups, the full matrix multiplies faster than a sparse one is looked through.
        form = np.asarray if self._design.size <= _FEW else sparse.csr_array
        self._across = [form(self._design[b]) for b in self._blocks]
        self._down = [form(self._design[b].T) for b in self._blocks]
        self._prior = np.concatenate([np.zeros(self._fixed), np.ones(len(self._factor))])
        # 0 for beta, 1 for none, n + 2 for factor n: the columns that a standard deviation owns
        none = np.zeros(self._fixed - self._first, dtype=np.intp)
        self._owner = np.concatenate([none, self._factor + 2])
        self._constant = problem.response.constant
        self.evaluations = 0

    @property
    def design(self) -> Array:
        """``(G, P + sum of levels)``: fixed effects and indicators of the factors' levels."""
        return self._design

    def scale(self, sds: Array) -> Array:
        """Return what each column of the design is multiplied by: 1 or a standard deviation."""
        return np.concatenate([np.ones(self._fixed), sds[1:][self._factor]])

    def centre(self) -> tuple[Array, Array]:
        """Effects of zero, where a search for the mode may begin."""
        return np.zeros(self._design.shape[1] - self._first), np.zeros(
            self.problem.response.shape[1]
        )

    def _eta(self, parameters: Array, corner: Array, items: Array) -> tuple[Array, Array]:
        """Return the groups' and the items' part of the linear predictor."""
        beta, sds, _ = self.problem.split(parameters)
        effects = np.concatenate([beta, corner]) * self.scale(sds)
        return self._design @ effects, sds[0] * items

    def _slope(self, parameters: Array, corner: Array, items: Array) -> _Slope:
        """First pass: gradient of ``-h`` and its Hessian at any effects."""
        _, sds, extra = self.problem.split(parameters)
        first, scale = self._first, self.scale(sds)
        size = len(items)
        slope_items, weight_items = np.zeros(size), np.zeros(size)
        slope_groups, weight_groups = np.empty((2, len(self._design)))
        edge = np.zeros((self._design.shape[1], size))
        eta, moved = self._eta(parameters, corner, items)
        memo = []
        for rows, down in zip(self._blocks, self._down, strict=True):
            found = self.problem.response.slopes(rows, eta[rows], moved, extra.tolist())
            slope_items += found.items
            slope_groups[rows] = found.groups
            weight_items += found.weight.sum(axis=0)
            weight_groups[rows] = found.weight.sum(axis=1)
            edge += down @ found.weight
            memo.append(found.memo)
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
            memo,
        )

    def _climb(
        self, parameters: Array, corner: Array, items: Array, enough: float
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
            done = decrement < enough or (decrement < _FLOOR and decrement > last / 4)
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

    def evaluate(self, parameters: Array, near: Mode | None = None, *, exact: bool = True) -> Mode:
        """Compute the approximation and its gradient.

        Parameters
        ----------
        parameters
            Outer parameters, see :class:`Mode`.
        near
            A mode found before; its first-order move is where the search begins.
        exact
            Whether to find the mode to rounding, or well enough for a search under way.

        Raises
        ------
        NoModeError
            If the mode is not found.
        """
        begin = self.centre() if near is None else near.at(parameters)
        return self.evaluate_from(parameters, *begin, _DECREMENT if exact else _ROUGH)

    def evaluate_from(
        self, parameters: Array, corner: Array, items: Array, decrement: float = _DECREMENT
    ) -> Mode:
        """Do as :meth:`evaluate`, but begin at these effects."""
        self.evaluations += 1
        try:
            corner, items, at = self._climb(parameters, corner, items, decrement)
        except np.linalg.LinAlgError:
            raise NoModeError from None
        return self._finish(parameters, corner, items, at)

    def moved(self, parameters: Array, near: Mode) -> Mode:
        """Find the mode at other parameters; the rest of what is returned is that of ``near``.

        Raises
        ------
        NoModeError
            If the mode is not found.
        """
        self.evaluations += 1
        corner, items, at = self._climb(parameters, *near.at(parameters), _DECREMENT)
        return replace(near, parameters=parameters, corner=corner, items=items, hessian=at.hessian)

    def gradient_near(self, parameters: Array, near: Mode) -> Array:
        """Compute the gradient with the first-order move of a mode taken for the mode itself.

        Its error is of the second order and even in the step, so that it cancels in a central
        difference.
        """
        self.evaluations += 1
        corner, items = near.at(parameters)
        at = self._slope(parameters, corner, items)
        return self._gradient(parameters, corner, items, at, self._turn(parameters, items, at))

    def _turn(self, parameters: Array, items: Array, at: _Slope) -> _Turn:
        """Second pass: how the curvature turns with eta, and what extra parameters do."""
        first, hessian = self._first, at.hessian
        _, sds, extra = self.problem.split(parameters)
        scale = self.scale(sds)
        scaled = self._design[:, first:] * scale[first:]
        by_group = ((scaled @ hessian.inverse) * scaled).sum(axis=1)
        by_item = sds[0] ** 2 * hessian.item_variances
        reach = np.zeros((len(scale), len(items)))
        reach[first:] = (-2 * sds[0] * scale[first:])[:, None] * hessian.reach
        turn_groups, turn_items = np.empty(len(scaled)), np.zeros(len(items))
        pushes = [_Push(np.empty(len(scaled)), np.zeros(len(items))) for _ in extra]
        for rows, across, memo in zip(self._blocks, self._across, at.memo, strict=True):
            variance = across @ reach
            variance += by_group[rows, None]
            variance += by_item
            found = self.problem.response.curvature(rows, extra.tolist(), memo, variance)
            turn_groups[rows] = found.third.sum(axis=1)
            turn_items += found.third.sum(axis=0)
            for push, by in zip(pushes, found.extras, strict=True):
                push.groups[rows] = by.slope.sum(axis=1)
                push.items += by.slope.sum(axis=0)
                push.likelihood += by.likelihood
                push.weight += by.weight
        hidden, hidden_items = hessian.solve(scaled.T @ turn_groups, sds[0] * turn_items)
        return _Turn(turn_groups, hidden, hidden_items, pushes)

    def _gradient(
        self, parameters: Array, corner: Array, items: Array, at: _Slope, turn: _Turn
    ) -> Array:
        """Return the gradient by the adjoint method, see the module."""
        first, a, a_items = self._first, turn.hidden, turn.hidden_items
        _, sds, _ = self.problem.split(parameters)
        scaled = self._design[:, first:] * self.scale(sds)[first:]
        by_beta = (
            self._design[:, :first].T @ (at.slope_groups - turn.groups / 2)
            + (at.full_corner[:first, first:] @ a + at.full_edge[:first] @ a_items) / 2
        )
        products, size = (corner - a) * corner, len(self.problem.levels)
        own = np.bincount(self._owner, weights=products, minlength=size + 2)[2:]
        by_log = np.concatenate([[(items - a_items) @ items], own]) - self._known(at.hessian)
        by_extra = [
            push.likelihood
            - (push.weight + a @ (scaled.T @ push.groups) + sds[0] * (a_items @ push.items)) / 2
            for push in turn.pushes
        ]
        return np.concatenate([by_beta, by_log * _inverse(sds), by_extra])

    def _finish(self, parameters: Array, corner: Array, items: Array, at: _Slope) -> Mode:
        """Everything there is to know at a mode."""
        problem, first, hessian = self.problem, self._first, at.hessian
        _, sds, extra = problem.split(parameters)
        eta, moved = self._eta(parameters, corner, items)
        squares = float(corner @ (self._prior[first:] * corner) + items @ items)
        value = self._constant - (squares + hessian.log_determinant) / 2
        for rows, memo in zip(self._blocks, at.memo, strict=True):
            value += problem.response.likelihood(rows, eta[rows], moved, extra.tolist(), memo)
        if problem.restricted:
            value += self._fixed * math.log(2 * math.pi) / 2
        turn = self._turn(parameters, items, at)
        moves = self._moves(sds, corner, items, at, turn.pushes)
        return Mode(
            parameters=parameters,
            corner=corner,
            items=items,
            loglik=value,
            gradient=self._gradient(parameters, corner, items, at, turn),
            hessian=hessian,
            known=self._known(hessian),
            moves=moves,
            fixed_information=self._information(at, moves),
        )

    def _moves(
        self, sds: Array, corner: Array, items: Array, at: _Slope, pushes: Sequence[_Push]
    ) -> Array:
        """How the mode moves: ``-H^-1 dg`` by each outer parameter, ``g`` the gradient of ``-h``.

        By ``log sd[f]`` that is ``2 H^-1 z_f - z_f``, with ``z_f`` the factor's own effects.
        """
        first = self._first
        scaled = self._design[:, first:] * self.scale(sds)[first:]
        own = np.where(self._owner[:, None] == np.arange(1, len(sds) + 1), corner[:, None], 0.0)
        own_items = np.zeros((len(items), len(sds)))
        own_items[:, 0] = items
        pushed = np.array([scaled.T @ push.groups for push in pushes]).reshape(
            len(pushes), len(corner)
        )
        pushed_items = np.array([sds[0] * push.items for push in pushes]).reshape(
            len(pushes), len(items)
        )
        top, below = at.hessian.solve(
            np.hstack([-at.full_corner[first:, :first], own, pushed.T]),
            np.hstack([-at.full_edge[:first].T, own_items, pushed_items.T]),
        )
        moves, middle = np.vstack([top, below]), slice(first, first + len(sds))
        moves[:, middle] = (2 * moves[:, middle] - np.vstack([own, own_items])) * _inverse(sds)
        return moves

    def _known(self, hessian: Arrowhead) -> Array:
        left = 1.0 - np.diag(hessian.inverse)
        factors = [left[self._owner == n + 2].sum() for n in range(len(self.problem.levels))]
        return np.array([(1.0 - hessian.item_variances).sum(), *factors])

    def _information(self, at: _Slope, moves: Array) -> Array:
        """Schur complement of all random effects: information on beta."""
        fixed, first = self._fixed, self._first
        if not first:
            return np.asarray(np.linalg.inv(at.hessian.inverse[:fixed, :fixed]))
        by_beta = moves[:, :first]
        cut = len(at.hessian.inverse)
        across = (
            at.full_corner[:first, first:] @ by_beta[:cut] + at.full_edge[:first] @ by_beta[cut:]
        )
        return np.asarray(at.full_corner[:first, :first] + across)


def _inverse(sds: Array) -> Array:
    """One over each, but 0 at 0: the sign of a standard deviation means nothing to any figure."""
    return np.asarray(np.divide(1.0, sds, out=np.zeros_like(sds), where=sds != 0))
