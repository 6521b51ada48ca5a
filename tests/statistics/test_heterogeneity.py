# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from countermark.statistics import (
    Consensus,
    HeterogeneityMethod,
    NotComputable,
    consensus,
    meta_regression,
)
from countermark.statistics.heterogeneity import between_variance, contrasts, q_profile

GOLDEN = json.loads((Path(__file__).parents[1] / "oracles" / "consensus.json").read_text("utf-8"))
FIGURES = GOLDEN["figures"]
METHODS: tuple[HeterogeneityMethod, ...] = ("dl", "reml", "ml", "he", "pm", "sj", "hs")
Y, V = np.array(FIGURES["values"]), np.diag(FIGURES["variances"])
CORRELATED = np.array(FIGURES["covariance"]).reshape(len(Y), len(Y))


def pooled(*arguments: object, **options: object) -> Consensus:
    result = consensus(*arguments, **options)  # type: ignore[arg-type]
    assert isinstance(result, Consensus)
    return result


def test_moments_with_correlated_errors_by_their_definition() -> None:
    """E[y'Py] = df + tau2 tr(P) and E[y'My] = tr(MV) + tau2 df, solved for tau2."""
    inverse = np.linalg.inv(CORRELATED)
    ones = np.ones((len(Y), 1))
    p = inverse - inverse @ ones @ ones.T @ inverse / inverse.sum()
    m = np.eye(len(Y)) - 1 / len(Y)
    df = len(Y) - 1
    dl = (Y @ p @ Y - df) / np.trace(p)
    he = (Y @ m @ Y - np.trace(m @ CORRELATED)) / df
    assert pooled(Y, CORRELATED, "dl").heterogeneity.tau2 == pytest.approx(dl)
    assert pooled(Y, CORRELATED, "he").heterogeneity.tau2 == pytest.approx(he)
    typical = df / np.trace(p)
    assert pooled(Y, CORRELATED, "dl").heterogeneity.i2 == pytest.approx(dl / (dl + typical))


@pytest.mark.parametrize("method", ["pm", "reml", "ml"])
@pytest.mark.parametrize("covariance", [V, CORRELATED])
def test_iterated_methods_solve_their_equations(
    method: HeterogeneityMethod, covariance: np.ndarray
) -> None:
    tau2 = pooled(Y, covariance, method).heterogeneity.tau2
    total = covariance + tau2 * np.eye(len(Y))
    inverse = np.linalg.inv(total)
    ones = np.ones((len(Y), 1))
    p = inverse - inverse @ ones @ ones.T @ inverse / inverse.sum()
    if method == "pm":
        assert Y @ p @ Y == pytest.approx(len(Y) - 1)
    else:
        trace = np.trace(p if method == "reml" else inverse)
        assert Y @ p @ p @ Y == pytest.approx(trace, rel=1e-9)


def test_rule_2_the_highest_of_several_tops_is_taken() -> None:
    """Two labs with large errors and two with small ones: compare with a fine grid."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        v = 10 ** rng.uniform(-4, 0, 5)
        y = rng.normal(0, 0.3, 5)
        found = pooled(y, np.diag(v), "reml").heterogeneity.tau2

        def height(t: float, y: np.ndarray = y, v: np.ndarray = v) -> float:
            w = 1 / (v + t)
            mean = (w * y).sum() / w.sum()
            rest = (w * (y - mean) ** 2).sum()
            return float(np.log(w).sum() / 2 - np.log(w.sum()) / 2 - rest / 2)

        grid = np.concatenate([[0], np.geomspace(1e-7, 2, 4000)])
        assert height(found) >= max(height(t) for t in grid) - 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_rule_1_and_3_labs_that_agree_have_no_variance_between_them_and_no_interval(
    method: HeterogeneityMethod,
) -> None:
    same = pooled([0.3, 0.3, 0.3], np.diag([0.1, 0.2, 0.3]), method)
    assert same.heterogeneity.tau2 == 0
    assert same.heterogeneity.i2 == 0
    assert same.heterogeneity.tau2_upper is None  # agreement closer than any tau2 allows
    assert same.heterogeneity.p == 1


def test_hunter_and_schmidt_need_independent_errors() -> None:
    assert isinstance(consensus(Y, CORRELATED, "hs"), NotComputable)
    assert isinstance(meta_regression(Y, CORRELATED, FIGURES["ablat"], "hs"), NotComputable)


def test_contrasts_are_those_of_the_residuals() -> None:
    data = contrasts(Y, CORRELATED, np.ones((len(Y), 1)))
    assert data.df == len(Y) - 1
    assert data.squares.sum() == pytest.approx(((Y - Y.mean()) ** 2).sum())
    assert between_variance(data, "sj") == pytest.approx(data.start * data.q(data.start) / 12)


def test_rule_1_a_negative_estimate_is_0() -> None:
    data = contrasts(np.array([0.30, 0.31, 0.32]), np.diag([0.1, 0.2, 0.3]), np.ones((3, 1)))
    for method in METHODS:
        found = between_variance(data, method)
        if method == "sj":  # a product of positive figures
            assert not isinstance(found, NotComputable)
            assert 0 < found < 1e-3
        else:
            assert found == 0


@pytest.mark.parametrize("covariance", [V, CORRELATED])
def test_rule_3_ends_of_the_profile_are_quantiles(covariance: np.ndarray) -> None:
    data = contrasts(Y, covariance, np.ones((len(Y), 1)))
    ends = q_profile(data, 0.9)
    assert ends is not None
    q = [data.q(ends.lower), data.q(ends.upper)]
    assert q == pytest.approx(stats.chi2.ppf([0.95, 0.05], data.df))
