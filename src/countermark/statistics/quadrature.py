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
3. The search is Newton's, with the exact second derivatives below, until a step gains less than
   1e-17: two machines then find the same to rounding. Where the likelihood does not bend down, a
   multiple of the identity is added (Nocedal and Wright 2006, section 3.4).

With ``s[k] = y[k, i] - n[k, i] * p[k]`` and moments under the item's weights, an item adds
``E s[k]`` to the gradient by ``a[k]`` and ``cov(s[k], s[l]) - (k == l) * n[k, i] * E(p[k] * (1 -
p[k]))`` to the second derivatives; by ``log sd`` the same of ``sd * z * sum over k of s[k]``.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from countermark.statistics.estimate import NotComputable

Array = NDArray[np.float64]

_END = 6.0  # of the integral; what is beyond weighs 2e-9
_WIDER = 1.5  # the standard deviation of items may turn out that much larger than by Laplace
_SEARCHES = 6
_GAIN = 1e-17  # predicted gain of log-likelihood at which the search ends
_STEPS = 60
_LONGEST = 1.0  # of a step, in log-odds and in the logarithm of the deviation
_RIDGE = 1e-3
_BLOCK = 1 << 17  # values of (lab, item, point) at a time
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

    def value(self, parameters: Array) -> float:
        """Return the log-likelihood."""
        return self._weigh(parameters)[0]

    def weights(self, parameters: Array) -> Array:
        """Return the ``(I, Q)`` probabilities of each z given the item's answers."""
        return self._weigh(parameters)[1]

    def slopes(self, parameters: Array) -> tuple[float, Array, Array]:
        """Return the log-likelihood, its gradient, and minus its second derivatives."""
        value, weight, log_p = self._weigh(parameters)
        sd, p = math.exp(parameters[-1]), np.exp(log_p)
        size, spread = len(parameters), self.count @ weight
        gradient, bend = np.zeros(size), np.zeros((size, size))
        rows = max(1, _BLOCK // p.size)
        for start in range(0, len(weight), rows):
            some = slice(start, start + rows)
            w = weight[some]
            s = self.total[:, some, None] - self.count[:, some, None] * p[:, None, :]
            both = np.concatenate([s, (sd * self.z * s.sum(axis=0))[None]])
            weighted = both * w
            mean = weighted.sum(axis=2)
            gradient += mean.sum(axis=1)
            flat = both.reshape(size, -1)
            bend += mean @ mean.T - weighted.reshape(size, -1) @ flat.T
        curve = spread * p * (1 - p)  # (K, Q), summed over items
        across = sd * (curve @ self.z)
        bend[np.diag_indices(size - 1)] += curve.sum(axis=1)
        bend[:-1, -1] += across
        bend[-1, :-1] += across
        bend[-1, -1] += sd**2 * float((curve @ self.z**2).sum()) - gradient[-1]
        return value, gradient, bend

    def _weigh(self, parameters: Array) -> tuple[float, Array, Array]:
        labs, sd = parameters[:-1], math.exp(parameters[-1])
        eta = labs[:, None] + sd * self.z
        log_p, log_q = -np.logaddexp(0.0, -eta), -np.logaddexp(0.0, eta)
        each = self.total.T @ log_p + (self.count - self.total).T @ log_q + self.log_weight
        most = each.max(axis=1, keepdims=True)
        weight = np.exp(each - most)
        sums = weight.sum(axis=1, keepdims=True)
        weight /= sums
        return float((np.log(sums) + most).sum()), weight, log_p


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
        parameters = _searched(items, np.append(start, math.log(sd)), math.log(_WIDER * sd))
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
    given = items.weights(parameters).mean(axis=0)
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


def _searched(items: _Items, parameters: Array, widest: float) -> Array:
    """Climb to the maximum (rule 3), or to where items are wider than the points allow for."""
    value, slope, bend = items.slopes(parameters)
    for _ in range(_STEPS):
        step = _ascent(bend, slope)
        if float(slope @ step) < 2 * _GAIN or parameters[-1] > widest:
            break
        step *= min(1.0, _LONGEST / float(np.abs(step).max()))
        rounding = 1e-12 * abs(value)
        while items.value(parameters + step) < value - rounding:
            step /= 2
        parameters = parameters + step
        value, slope, bend = items.slopes(parameters)
    return parameters


def _ascent(bend: Array, slope: Array) -> Array:
    """Newton's step, or a shorter one where the likelihood does not bend down."""
    ridge = 0.0
    while True:
        try:
            root = np.linalg.cholesky(bend + ridge * np.eye(len(bend)))
        except np.linalg.LinAlgError:
            ridge = max(_RIDGE * float(np.abs(np.diag(bend)).max()), 2 * ridge, _RIDGE)
            continue
        return np.asarray(np.linalg.solve(root.T, np.linalg.solve(root, slope)))
