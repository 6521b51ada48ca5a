# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy import stats

from countermark.statistics import (
    Consensus,
    Crossing,
    Estimate,
    LabMeans,
    NotComputable,
    StatisticsError,
    consensus,
    crossed,
    lab_means,
)


def pooled(*arguments: object, **options: object) -> Consensus:
    result = consensus(*arguments, **options)  # type: ignore[arg-type]
    assert isinstance(result, Consensus)
    return result


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
