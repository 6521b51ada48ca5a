# SPDX-License-Identifier: Apache-2.0
"""What a binomial mixed model says of rates, with the items integrated numerically.

Laplace's approximation puts a normal curve in the place of each item's likelihood. With few answers
an item that curve is wrong, and rates come out too near to one half (Breslow and Lin 1995,
Biometrika 82, 81-91); ``benchmarks/coverage.py`` shows by how much. Labs have many answers each, so
their part of the approximation is sound. Here each lab has its own intercept ``a[k]``, and the
likelihood of an item is integrated over its effect, standard normal ``z`` times ``sd``::

    L[i] = integral of phi(z) * prod over k of p[k]**y[k, i] * (1 - p[k])**(n[k, i] - y[k, i])
    p[k] = expit(a[k] + sd * z)

which is maximised over ``a`` and ``sd``. The joint rates then are::

    generalised  E expit(mean(a) + sqrt(sd**2 + sd_lab**2) * Z)
    benchmark    mean over items of E expit(mean(a) + sd * z + sd_lab * Z),  z given its answers

with ``sd_lab`` from the mixed model.

Rules
-----
1. The integral is a sum over equidistant ``z`` from -6 to 6, at most as far apart as the narrowest
   that an item's curve can be, ``1 / sqrt(1 + sd**2 * n / 4)`` with ``n`` answers. The trapezoid
   rule then errs by about ``exp(-2 * pi**2)`` (Trefethen and Weideman 2014, section 5). When items
   turn out wider than the points allow for, they are set closer and the search begins again.
2. A lab without an event, or with nothing else, has no finite intercept: ``NotComputable``.
3. The search ends with Newton steps, so that two machines find the same to rounding.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from countermark.statistics.estimate import NotComputable

Array = NDArray[np.float64]

_END = 6.0  # of the integral; what is beyond weighs 2e-9
_WIDER = 1.5  # the standard deviation of items may turn out that much larger than by Laplace
_SEARCHES = 6
_STEP = 1e-5  # for differences of the gradient
_NEWTON = 2
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
_SHARES = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True, eq=False)
class Integrated:
    """The maximum: ``(K,)`` labs' intercepts, the items' deviation, and the rates it implies."""

    labs: Array
    item_sd: float
    benchmark: float
    generalised: float


@dataclass(frozen=True, slots=True, eq=False)
class _Items:
    total: Array  # (K, I)
    count: Array
    z: Array  # (Q,)
    log_weight: Array

    def at(self, parameters: Array) -> tuple[float, Array, Array]:
        """Return minus the log-likelihood, its gradient, and ``(I, Q)`` weights of each z."""
        labs, sd = parameters[:-1], math.exp(parameters[-1])
        eta = labs[:, None] + sd * self.z
        log_p, log_q = -np.logaddexp(0.0, -eta), -np.logaddexp(0.0, eta)
        each = self.total.T @ log_p + (self.count - self.total).T @ log_q + self.log_weight
        most = each.max(axis=1, keepdims=True)
        weight = np.exp(each - most)
        sums = weight.sum(axis=1, keepdims=True)
        weight /= sums
        slope = self.total @ weight - (self.count @ weight) * np.exp(log_p)
        gradient = np.append(slope.sum(axis=1), sd * float((slope @ self.z).sum()))
        return -float((np.log(sums) + most).sum()), -gradient, weight


def integrate(
    total: Array, count: Array, start: Array, item_sd: float, lab_sd: float
) -> Integrated | NotComputable:
    """Maximise the likelihood with the items integrated; read the rates off it.

    Parameters
    ----------
    total, count
        ``(K, I)`` events and answers of labs and items, 0 of 0 where nothing was scored.
    start
        ``(K,)`` the labs' intercepts by the mixed model, in log-odds.
    item_sd, lab_sd
        Its standard deviations; the second is kept.
    """
    events, answers = total.sum(axis=1), count.sum(axis=1)
    if (events == 0).any() or (events == answers).any():
        return NotComputable(
            "At one lab all answers are the same, so its intercept has no finite estimate."
        )
    sd = max(item_sd, 0.05)
    for _ in range(_SEARCHES):
        items = _items(total, count, sd)
        parameters = _polished(items, _searched(items, np.append(start, math.log(sd))))
        if math.exp(parameters[-1]) <= _WIDER * sd:
            break
        sd *= 2
    else:
        return NotComputable(
            "Items differ so much that nearly all say the same at every answer; their standard "
            "deviation has no finite estimate."
        )
    labs, sd = parameters[:-1], math.exp(parameters[-1])
    z = items.z
    centre = float(labs.mean())
    given = items.at(parameters)[2].mean(axis=0)
    by_z = special.expit(centre + sd * z[:, None] + lab_sd * _NODES) @ _SHARES
    wide = math.hypot(sd, lab_sd)
    return Integrated(
        labs=labs,
        item_sd=sd,
        benchmark=float(given @ by_z),
        generalised=float(special.expit(centre + wide * _NODES) @ _SHARES),
    )


def _items(total: Array, count: Array, sd: float) -> _Items:
    """Return the integral's points, for a deviation up to ``_WIDER * sd`` (rule 1)."""
    most = float(count.sum(axis=0).max())
    apart = 1 / math.sqrt(1 + (_WIDER * sd) ** 2 * most / 4)
    z = np.linspace(-_END, _END, 1 + 2 * math.ceil(_END / apart))
    log_weight = -(z**2) / 2
    return _Items(total, count, z, log_weight - special.logsumexp(log_weight))


def _searched(items: _Items, start: Array) -> Array:
    found: Array = optimize.minimize(
        lambda at: items.at(at)[:2], start, jac=True, method="BFGS", options={"gtol": 1e-5}
    ).x
    return found


def _polished(items: _Items, parameters: Array) -> Array:
    """Take Newton steps from where the search ended (rule 3)."""
    for _ in range(_NEWTON):
        gradient = items.at(parameters)[1]
        size = len(parameters)
        curvature = np.empty((size, size))
        for j in range(size):
            step = np.zeros(size)
            step[j] = _STEP
            curvature[j] = (items.at(parameters + step)[1] - gradient) / _STEP
        # Least squares: where the likelihood is flat there is nowhere to go.
        move = np.linalg.lstsq((curvature + curvature.T) / 2, gradient, rcond=None)[0]
        if not np.isfinite(move).all() or np.abs(move).max() > 1:
            break  # at the edge, where the likelihood is flat; the search's end stands
        parameters = parameters - move
    return parameters
