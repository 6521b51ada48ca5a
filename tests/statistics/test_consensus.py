# SPDX-License-Identifier: Apache-2.0
"""Golden values: metafor on dat.bcg, and its rma.mv on correlated errors."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from countermark.statistics import (
    Consensus,
    Crossing,
    Estimate,
    HeterogeneityMethod,
    LabMeans,
    MetaRegression,
    NotComputable,
    StatisticsError,
    consensus,
    crossed,
    lab_means,
    meta_regression,
)
from countermark.statistics.heterogeneity import between_variance, contrasts

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


def test_the_highest_of_several_tops_is_taken() -> None:
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


@pytest.mark.parametrize("method", METHODS)
def test_labs_that_agree_have_no_variance_between_them(method: HeterogeneityMethod) -> None:
    same = pooled([0.3, 0.3, 0.3], np.diag([0.1, 0.2, 0.3]), method)
    assert same.heterogeneity.tau2 == 0
    assert same.heterogeneity.i2 == 0
    assert same.heterogeneity.tau2_upper is None  # agreement closer than any tau2 allows
    assert same.heterogeneity.p == 1


def test_rule_1_a_known_difference_is_not_computable() -> None:
    exact = consensus([0.1, 0.2], np.diag([0.0, 0.1]))
    assert isinstance(exact, NotComputable)
    assert "Value 1 of 2" in exact.reason
    singular = consensus([0.1, 0.2, 0.3], np.ones((3, 3)))
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


def test_hunter_and_schmidt_need_independent_errors() -> None:
    assert isinstance(consensus(Y, CORRELATED, "hs"), NotComputable)
    assert isinstance(meta_regression(Y, CORRELATED, FIGURES["ablat"], "hs"), NotComputable)


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


def scored(labs: int, items: int, s_lab: float, rng: np.random.Generator) -> Crossing:
    logit = -0.8 + s_lab * rng.normal(size=(labs, 1)) + 1.2 * rng.normal(size=(1, items))
    rate = 1 / (1 + np.exp(-logit - 0.3 * rng.normal(size=(labs, items))))
    total = rng.binomial(2, rate).astype(float)
    keys = tuple(f"l{k:02}" for k in range(labs)), tuple(f"i{i:04}" for i in range(items))
    return Crossing(*keys, np.full(total.shape, 2), total, total)


def means(crossing: Crossing, estimand: object = "generalised") -> LabMeans:
    result = lab_means(crossing, estimand)  # type: ignore[arg-type]
    assert isinstance(result, LabMeans)
    return result


@pytest.mark.parametrize("estimand", ["benchmark", "generalised"])
def test_consensus_of_lab_means_has_the_variance_of_the_crossed_estimate(estimand: str) -> None:
    crossing = scored(6, 200, 0.6, np.random.default_rng(5))
    joint = crossed(crossing, estimand)  # type: ignore[arg-type]
    assert isinstance(joint, Estimate)
    assert joint.components is not None
    assert joint.components.s2_lab > 0
    assert joint.se is not None
    labs = means(crossing, estimand)
    result = pooled(labs.values, labs.covariance, "dl", interval="normal")
    assert labs.labs == crossing.labs
    assert result.mu == pytest.approx(joint.value)
    assert result.se == pytest.approx(joint.se, rel=1e-10)
    assert result.heterogeneity.tau2 == pytest.approx(joint.components.s2_lab)


def test_q_of_lab_means_is_the_f_test() -> None:
    crossing = scored(5, 100, 0.3, np.random.default_rng(6))
    joint = crossed(crossing, "benchmark")
    assert isinstance(joint, Estimate)
    assert joint.components is not None
    labs = means(crossing)
    f = joint.components.ms_lab / joint.components.ms_lab_item
    h = pooled(labs.values, labs.covariance).heterogeneity
    assert h.q / h.df_q == pytest.approx(f)
    assert h.p == pytest.approx(stats.chi2.sf(h.q, h.df_q))


def test_without_the_shared_items_the_interval_is_too_short() -> None:
    """At ten labs most of the error is the items', which the diagonal does not count ten times."""
    rng = np.random.default_rng(7)
    held = {"full": 0, "diagonal": 0, "crossed": 0}
    rate = np.mean([scored(1, 4000, 0.1, rng).total.mean() / 2 for _ in range(60)])
    repetitions = 300
    for _ in range(repetitions):
        crossing = scored(10, 100, 0.1, rng)
        labs = means(crossing)
        clustered = np.diag(np.var(crossing.total / 2, axis=1, ddof=1) / 100)
        full = pooled(labs.values, labs.covariance, "dl", interval="normal")
        diagonal = pooled(labs.values, clustered, "dl", interval="normal")
        joint = crossed(crossing, "generalised")
        assert isinstance(joint, Estimate)
        held["full"] += full.lower <= rate <= full.upper
        held["diagonal"] += diagonal.lower <= rate <= diagonal.upper
        held["crossed"] += joint.lower <= rate <= joint.upper
    share = {name: hits / repetitions for name, hits in held.items()}
    assert share["full"] > 0.90
    assert share["crossed"] > 0.92
    assert share["diagonal"] < 0.80


def test_lab_means_that_cannot_be_made() -> None:
    rng = np.random.default_rng(8)
    assert isinstance(lab_means(scored(1, 9, 0, rng), "benchmark"), NotComputable)
    assert isinstance(lab_means(scored(3, 1, 0, rng), "benchmark"), NotComputable)
    apart = Crossing.from_rows(["a", "b"], ["1", "2"], [1.0, 0.0])
    assert isinstance(lab_means(apart, "benchmark"), NotComputable)
    same = Crossing.from_rows(["a", "a", "b", "b"], ["1", "2", "1", "2"], [0, 1, 0, 1])
    assert isinstance(lab_means(same, "generalised"), NotComputable)
    empty = Crossing(
        ("a", "b"), ("1", "2"), np.array([[1, 1], [0, 0]]), np.zeros((2, 2)), np.zeros((2, 2))
    )
    assert isinstance(lab_means(empty, "benchmark"), NotComputable)
    many = scored(2001, 2, 0, rng)
    assert isinstance(lab_means(many, "benchmark"), NotComputable)
    with pytest.raises(StatisticsError, match="estimand"):
        lab_means(same, "both")  # type: ignore[arg-type]


def test_contrasts_are_those_of_the_residuals() -> None:
    data = contrasts(Y, CORRELATED, np.ones((len(Y), 1)))
    assert data.df == len(Y) - 1
    assert data.squares.sum() == pytest.approx(((Y - Y.mean()) ** 2).sum())
    assert between_variance(data, "sj") == pytest.approx(data.start * data.q(data.start) / 12)
