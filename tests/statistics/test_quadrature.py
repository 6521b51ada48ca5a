# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy import integrate as scipy_integrate
from scipy import optimize, special, stats

from countermark.statistics import Integrated, NotComputable, integrate


def drawn(labs: int = 3, items: int = 25, epochs: int = 2, seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    eta = -1 + rng.normal(0, 0.4, (labs, 1)) + rng.normal(0, 1.2, items)
    count = np.full(eta.shape, float(epochs))
    count[0, :3] = 0
    return rng.binomial(count.astype(int), special.expit(eta)).astype(float), count


def found(total: np.ndarray, count: np.ndarray, lab_sd: float = 0.4) -> Integrated:
    start = special.logit((total.sum(axis=1) + 0.5) / (count.sum(axis=1) + 1))
    result = integrate(total, count, start, 1.0, lab_sd)
    assert isinstance(result, Integrated)
    return result


def loglik(total: np.ndarray, count: np.ndarray, labs: np.ndarray, sd: float) -> float:
    """Each item's integral by adaptive quadrature."""

    def one(i: int) -> float:
        def at(z: float) -> float:
            p = special.expit(labs + sd * z)
            y, n = total[:, i], count[:, i]
            return float(stats.norm.pdf(z) * np.prod(p**y * (1 - p) ** (n - y)))

        return float(scipy_integrate.quad(at, -8, 8, epsabs=0, epsrel=1e-10)[0])

    return sum(float(np.log(one(i))) for i in range(total.shape[1]))


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("item_sd", [0.3, 1.0, 4.0])
def test_rule_1_the_points_are_close_enough_wherever_the_search_begins(
    seed: int, item_sd: float
) -> None:
    total, count = drawn(labs=2, items=8, epochs=4, seed=seed)
    start = special.logit((total.sum(axis=1) + 0.5) / (count.sum(axis=1) + 1))
    ours, known = integrate(total, count, start, item_sd, 0.4), found(total, count)
    assert isinstance(ours, Integrated)
    assert ours.item_sd == pytest.approx(known.item_sd, rel=1e-7)
    assert ours.benchmark == pytest.approx(known.benchmark, rel=1e-7)


def test_items_that_never_waver_have_no_finite_deviation() -> None:
    count = np.full((2, 30), 20.0)
    total = np.zeros((2, 30))
    total[:, :12] = 20.0
    found = integrate(total, count, np.zeros(2), 1.0, 0.0)
    assert isinstance(found, NotComputable)
    assert "no finite" in found.reason


@pytest.mark.parametrize("seed", [3, 4])
def test_rule_1_it_is_the_maximum_by_adaptive_quadrature(seed: int) -> None:
    total, count = drawn(labs=2, items=8, epochs=4, seed=seed)
    ours = found(total, count)
    best = optimize.minimize(
        lambda at: -loglik(total, count, at[:-1], float(np.exp(at[-1]))),
        np.append(ours.labs + 0.1, np.log(ours.item_sd) - 0.1),
        method="BFGS",
    )
    assert ours.labs == pytest.approx(best.x[:-1], abs=1e-4)
    assert ours.item_sd == pytest.approx(np.exp(best.x[-1]), rel=1e-4)


@pytest.mark.parametrize("epochs", [2, 60])
def test_rule_1_many_answers_an_item_are_integrated_as_well(epochs: int) -> None:
    total, count = drawn(epochs=epochs)
    ours = found(total, count)
    top = loglik(total, count, ours.labs, ours.item_sd)
    for shift in (0.01, -0.01):
        assert loglik(total, count, ours.labs + shift, ours.item_sd) < top
        assert loglik(total, count, ours.labs, ours.item_sd + shift) < top


def test_the_rates_follow_from_it() -> None:
    total, count = drawn()
    ours = found(total, count, lab_sd=0.3)
    wide = np.hypot(ours.item_sd, 0.3)
    rate = scipy_integrate.quad(
        lambda z: stats.norm.pdf(z) * special.expit(ours.labs.mean() + wide * z), -9, 9
    )[0]
    assert ours.generalised == pytest.approx(rate, rel=1e-7)
    even = found(total, count, lab_sd=0.0)
    # With labs alike the rate on these items is near the share of events.
    complete = count.all(axis=0)
    share = total[:, complete].sum() / count[:, complete].sum()
    assert even.benchmark == pytest.approx(share, abs=0.02)


def test_items_all_alike_have_next_to_no_deviation() -> None:
    """The maximum is then at zero, where its logarithm has none: the search ends on the flat."""
    total, count = drawn(labs=2, items=8, epochs=4, seed=1)
    ours = found(total, count)
    assert ours.item_sd < 1e-2
    shares = total.sum(axis=1) / count.sum(axis=1)
    assert ours.labs == pytest.approx(special.logit(shares), abs=1e-4)


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_rule_2_a_lab_with_one_answer_only_has_no_intercept(value: float) -> None:
    total, count = drawn()
    total[1] = value
    assert isinstance(integrate(total, count, np.zeros(3), 1.0, 0.3), NotComputable)


def test_rule_3_other_starts_find_the_same_to_rounding() -> None:
    total, count = drawn()
    ours = found(total, count)
    other = integrate(total, count, ours.labs + 0.7, 1.0, 0.4)
    assert isinstance(other, Integrated)
    assert other.generalised == pytest.approx(ours.generalised, rel=1e-9)
    assert other.item_sd == pytest.approx(ours.item_sd, rel=1e-8)
