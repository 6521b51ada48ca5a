# SPDX-License-Identifier: Apache-2.0
"""The search for the standard deviations (and, unless integrated, the fixed effects).

Rules
-----
1. A standard deviation may pass through 0: the likelihood does not know its sign, so a maximum at
   0 is an ordinary maximum there, not an edge. What ends at 0 is set to exactly 0.
2. The search ends with Newton steps, with second derivatives from differences of exact gradients,
   until the gain that they predict is below 1e-17: two machines then agree to 8 digits.
3. A search that does not end there has no result.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countermark.statistics.laplace import Laplace, Mode, NoModeError, Problem

Array = NDArray[np.float64]

_GUESS = 1e-3  # predicted gain of log-likelihood at which a first guess is good enough
_NEAR = 1e-9  # at which second derivatives are taken
_GAIN = 1e-17  # at which the search ends
_POLISH = 8
_ROUNDING = 1e-12  # the log-likelihood is known to this relative precision
_STEPS = 200
_WIDEN = 2.0  # at most this factor on a standard deviation in one step
_DIFFERENCE = 1e-3  # of a standard error, for the second derivatives
_NOTHING = 1e-6  # known effects of a factor: at this, its share of the variance is no more either
_RATIO = 0.3  # first guess of a group-level standard deviation, relative to that of the items


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """Where the search ended.

    Parameters
    ----------
    mode
        The approximation there.
    covariance
        ``(outer, outer)``: inverse of minus the second derivatives; rows and columns of what is
        fixed (a standard deviation of 0) are 0.
    free
        ``(outer,)``: what was not fixed.
    """

    mode: Mode
    covariance: Array
    free: NDArray[np.bool_]


def start(laplace: Laplace) -> Mode:
    """Guess the parameters; unless restricted, from a short search of the restricted kind."""
    problem = laplace.problem
    if problem.restricted:
        extra = problem.response.start()
        unit = math.exp(extra[0]) if problem.response.link == "identity" else 1.0
        return laplace.evaluate(np.array([unit, *(_RATIO * unit for _ in problem.codes), *extra]))
    joint = Laplace(Problem(problem.response, problem.fixed, problem.codes, problem.levels, True))
    mode = start(joint)
    mode = maximise(joint, mode, units(joint, mode), _GUESS)
    laplace.evaluations += joint.evaluations
    beta, effects = np.split(mode.corner, [problem.fixed.shape[1]])
    return laplace.evaluate_from(np.concatenate([beta, mode.parameters]), effects, mode.items)


def units(laplace: Laplace, mode: Mode) -> Array:
    """``(outer, outer)`` steps of about one standard error each, independent to first order."""
    problem = laplace.problem
    beta, sds, extra = problem.split(mode.parameters)
    scores = max(float(problem.response.observed.sum()), 1.0)
    alone = np.concatenate(
        [
            np.ones(len(beta)),
            np.abs(sds) / np.sqrt(2 * np.maximum(mode.known, 0.5)),
            np.full(len(extra), 1 / math.sqrt(scores)),
        ]
    )
    steps = np.diag(alone)
    if len(beta):
        root = np.linalg.cholesky(mode.fixed_information)
        steps[: len(beta), : len(beta)] = np.linalg.inv(root).T
    return steps


def maximise(laplace: Laplace, begin: Mode, steps: Array, gain: float) -> Mode:
    """Climb by BFGS (Nocedal and Wright 2006, algorithm 6.1) along the columns of ``steps``.

    Raises
    ------
    NoModeError
        If the search does not end.
    """
    mode, inverse = begin, np.eye(steps.shape[1])
    slope = steps.T @ mode.gradient
    for _ in range(_STEPS):
        direction = inverse @ slope
        rise = float(slope @ direction)
        if rise < 2 * gain:
            return mode
        found = _along(laplace, mode, steps @ direction, rise)
        reached = steps.T @ found.gradient
        move = np.linalg.lstsq(steps, found.parameters - mode.parameters, rcond=None)[0]
        bend = slope - reached
        product = float(move @ bend)
        if product > 1e-12 * float(move @ move):
            left = np.eye(len(move)) - np.outer(move, bend) / product
            inverse = left @ inverse @ left.T + np.outer(move, move) / product
        mode, slope = found, reached
    raise NoModeError


def _along(laplace: Laplace, mode: Mode, step: Array, rise: float) -> Mode:
    """Find a point along a step that is higher."""
    length = _bounded(laplace.problem, mode.parameters, step)
    while length > 1e-10:
        try:
            found = laplace.evaluate(mode.parameters + length * step, mode, exact=False)
        except NoModeError:
            found = None
        allowed = 1e-4 * length * rise - _ROUNDING * abs(mode.loglik)
        if found is not None and found.loglik >= mode.loglik + allowed:
            return found
        length /= 2
    raise NoModeError


def _bounded(problem: Problem, parameters: Array, step: Array) -> float:
    """Shorten a first step so that no standard deviation grows too much at once."""
    _, sds, _ = problem.split(parameters)
    _, moves, _ = problem.split(step)
    room = _WIDEN * np.maximum(np.abs(sds), 1e-3 * np.abs(sds).max(initial=1.0))
    excess = float((np.abs(moves) / room).max(initial=0.0))
    return 1.0 / max(1.0, excess)


def second_derivatives(laplace: Laplace, mode: Mode, steps: Array) -> Array:
    """Matrix of second derivatives along the columns of ``steps``, by central differences."""
    columns = []
    for step in _DIFFERENCE * steps.T:
        ahead = laplace.gradient_near(mode.parameters + step, mode)
        behind = laplace.gradient_near(mode.parameters - step, mode)
        columns.append(steps.T @ (ahead - behind) / (2 * _DIFFERENCE))
    found = np.array(columns)
    return np.asarray((found + found.T) / 2)


def polish(laplace: Laplace, mode: Mode, covariance: Array) -> Mode:
    """End the search by Newton steps (rule 2)."""
    last = math.inf
    for _ in range(_POLISH):
        mode = laplace.evaluate(mode.parameters + covariance @ mode.gradient, mode)
        gain = float(mode.gradient @ covariance @ mode.gradient) / 2
        if gain < _GAIN or (gain < _NEAR and gain > last / 4):  # the latter: only rounding is left
            return mode
        last = gain
    raise NoModeError


def search(laplace: Laplace) -> Maximum:
    """Find the maximum.

    Raises
    ------
    NoModeError
        If there is none that the search reaches.
    """
    free = np.ones(laplace.problem.outer, dtype=bool)
    mode = start(laplace)
    steps = units(laplace, mode)
    while True:
        mode = maximise(laplace, mode, steps, _NEAR)
        gone = free & _nothing_known(laplace.problem, mode)
        if not gone.any():
            break
        free &= ~gone
        mode = laplace.evaluate(np.where(gone, 0.0, mode.parameters), mode)
        steps = units(laplace, mode)[:, free]
    steps = units(laplace, mode)[:, free]
    curvature = -second_derivatives(laplace, mode, steps)
    try:
        root = np.linalg.cholesky(curvature)
    except np.linalg.LinAlgError:
        raise NoModeError from None
    half = np.linalg.solve(root, steps.T)
    covariance = half.T @ half
    return Maximum(polish(laplace, mode, covariance), covariance, free)


def _nothing_known(problem: Problem, mode: Mode) -> NDArray[np.bool_]:
    """Say which standard deviations are 0 but for rounding."""
    beta, sds, _ = problem.split(mode.parameters)
    gone = np.zeros(problem.outer, dtype=bool)
    gone[len(beta) : len(beta) + len(sds)] = mode.known < _NOTHING
    return gone
