# SPDX-License-Identifier: Apache-2.0
"""Golden values: metafor on dat.bcg, and its rma.mv on correlated errors."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.statistics import (
    Consensus,
    HeterogeneityMethod,
    MetaRegression,
    NotComputable,
    StatisticsError,
    consensus,
    meta_regression,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "oracles" / "consensus.json").read_text("utf-8"))
FIGURES, DEFAULT, TOLERANCE = GOLDEN["figures"], GOLDEN["default"], GOLDEN["tolerance"]
METHODS: tuple[HeterogeneityMethod, ...] = ("dl", "reml", "ml", "he", "pm", "sj", "hs")
ANY_COVARIANCE = METHODS[:-1]
Y, V = np.array(FIGURES["values"]), np.diag(FIGURES["variances"])
CORRELATED = np.array(FIGURES["covariance"]).reshape(len(Y), len(Y))


def pooled(*arguments: object, **options: object) -> Consensus:
    result = consensus(*arguments, **options)  # type: ignore[arg-type]
    assert isinstance(result, Consensus)
    return result


def regressed(*arguments: object, **options: object) -> MetaRegression:
    result = meta_regression(*arguments, **options)  # type: ignore[arg-type]
    assert isinstance(result, MetaRegression)
    return result


def figures(result: Consensus) -> list[float]:
    h = result.heterogeneity
    return [
        *(result.mu, result.se, result.lower, result.upper, result.pi_lower, result.pi_upper),
        *(h.tau2, h.i2, h.h2, h.q, h.p),
    ]


@pytest.mark.parametrize("method", METHODS)
def test_rule_2_and_4_golden_values_of_every_method(method: HeterogeneityMethod) -> None:
    exact = {"rel": TOLERANCE["closed form or tightened"]}
    normal = pooled(Y, V, method, interval="normal")
    assert figures(normal) == pytest.approx(FIGURES[f"{method} z"], **exact)
    assert normal.df is None
    adjusted = pooled(Y, V, method)
    assert figures(adjusted) == pytest.approx(FIGURES[f"{method} knha"], **exact)
    assert adjusted.df == 12


@pytest.mark.parametrize("method", METHODS)
def test_golden_values_of_the_default_iteration(method: HeterogeneityMethod) -> None:
    result = pooled(Y, V, method, interval="normal")
    for name, value in DEFAULT[method].items():
        found = getattr(result if name in {"mu", "se"} else result.heterogeneity, name)
        assert found == pytest.approx(value, rel=TOLERANCE["default iteration"]), name


def test_rule_5_golden_q_profile() -> None:
    h = pooled(Y, V).heterogeneity
    found = [h.tau2_lower, h.tau2_upper, h.i2_lower, h.i2_upper]
    assert found == pytest.approx(FIGURES["q_profile"], rel=TOLERANCE["closed form or tightened"])


@pytest.mark.parametrize(("interval", "test"), [("normal", "z"), ("knapp-hartung", "knha")])
def test_golden_meta_regression(interval: str, test: str) -> None:
    result = regressed(Y, V, FIGURES["ablat"], interval=interval)
    found = [
        *(one.value for one in result.coefficients),
        *(one.se for one in result.coefficients),
        *(one.p for one in result.coefficients),
        *(result.heterogeneity.tau2, result.r2, result.heterogeneity.q),
        *(result.heterogeneity.p, result.heterogeneity.i2),
    ]
    wanted = FIGURES[f"ablat {test}"]
    assert found == pytest.approx(wanted, rel=TOLERANCE["closed form or tightened"])
    assert found[0] == pytest.approx(DEFAULT["ablat"]["intercept"], rel=1e-4)
    assert result.r2 == pytest.approx(DEFAULT["ablat"]["r2"], rel=TOLERANCE["default iteration"])
    spread = np.array(result.covariance)
    assert np.sqrt(np.diag(spread)) == pytest.approx([one.se for one in result.coefficients])


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_golden_values_with_correlated_errors(method: HeterogeneityMethod) -> None:
    result = pooled(Y, CORRELATED, method, interval="normal")
    h = result.heterogeneity
    found = [result.mu, result.se, h.tau2, h.q, h.p]
    assert found == pytest.approx(FIGURES[f"correlated {method}"], rel=TOLERANCE["rma.mv"])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 4)), min_size=2, max_size=8),
    st.sampled_from(ANY_COVARIANCE),
)
def test_an_error_that_all_labs_share_is_added_to_the_variance_and_changes_no_tau2(
    labs: list[tuple[float, float]], method: HeterogeneityMethod
) -> None:
    y, v = np.array(labs).T
    alone = pooled(y, np.diag(v), method, interval="normal")
    shared = pooled(y, np.diag(v) + 3.0, method, interval="normal")
    if method != "ml":
        assert shared.heterogeneity.tau2 == pytest.approx(alone.heterogeneity.tau2, abs=1e-6)
        assert shared.mu == pytest.approx(alone.mu, abs=1e-6)
        assert shared.se**2 == pytest.approx(alone.se**2 + 3, rel=1e-6)
    assert shared.heterogeneity.q == pytest.approx(alone.heterogeneity.q, rel=1e-7, abs=1e-9)
    assert sum(shared.weights) == pytest.approx(1)


@settings(max_examples=40)
@given(st.permutations(range(len(Y))), st.sampled_from(ANY_COVARIANCE))
def test_order_of_the_labs_does_not_matter(order: list[int], method: HeterogeneityMethod) -> None:
    one = pooled(Y, CORRELATED, method)
    other = pooled(Y[order], CORRELATED[np.ix_(order, order)], method)
    assert figures(other) == pytest.approx(figures(one), rel=1e-10)


def test_rule_1_a_known_difference_is_not_computable() -> None:
    exact = consensus([0.1, 0.2], np.diag([0.0, 0.1]))
    assert isinstance(exact, NotComputable)
    assert "Value 1 of 2" in exact.reason
    nearly = np.array([[1.0, 1 - 1e-13], [1 - 1e-13, 1.0]])
    for covariance in (np.ones((3, 3)), nearly):
        singular = consensus(np.arange(len(covariance)), covariance)
        assert isinstance(singular, NotComputable)
        assert "singular" in singular.reason


def test_rule_3_agreement_does_not_shrink_a_shared_error() -> None:
    y = [0.30, 0.31, 0.29, 0.30]
    covariance = np.eye(4) * 0.01
    alone = pooled(y, covariance)
    assert alone.se < pooled(y, covariance, interval="normal").se
    shared = pooled(y, covariance + 0.02)
    assert shared.se == pytest.approx(pooled(y, covariance + 0.02, interval="normal").se)


def test_rule_6_too_few_labs_and_aliased_moderators() -> None:
    assert isinstance(consensus([0.1], [[0.1]]), NotComputable)
    assert isinstance(consensus([], np.zeros((0, 0))), NotComputable)
    assert isinstance(meta_regression([0.1, 0.2], np.eye(2), [1, 2]), NotComputable)
    for column in (np.ones(13), np.c_[Y, 2 * Y]):
        result = meta_regression(Y, V, column)
        assert isinstance(result, NotComputable)
        assert "aliased" in result.reason


@pytest.mark.parametrize(
    ("values", "covariance", "message"),
    [
        ([0.1, float("nan")], np.eye(2), "finite"),
        ([0.1, 0.2], np.diag([0.1, float("inf")]), "finite"),
        ([0.1, 0.2], np.eye(3), "shape"),
        ([0.1, 0.2], [0.1, 0.2], "shape"),
        ([0.1, 0.2], [[1.0, 0.5], [0.0, 1.0]], "symmetric"),
        ([0.1, 0.2], np.diag([-1.0, 1.0]), "negative variance"),
        ([0.1, 0.2], [[1.0, 2.0], [2.0, 1.0]], "negative eigenvalue"),
    ],
)
def test_bad_input(values: object, covariance: object, message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        consensus(values, covariance)  # type: ignore[arg-type]


def test_bad_settings() -> None:
    for options in ({"method": "eb"}, {"interval": "t"}, {"level": 1.0}):
        with pytest.raises(StatisticsError):
            consensus(Y, V, **options)
    with pytest.raises(StatisticsError, match="one row"):
        meta_regression(Y, V, [1.0, 2.0])
    with pytest.raises(StatisticsError, match="finite"):
        meta_regression(Y, V, np.full(13, np.nan))
