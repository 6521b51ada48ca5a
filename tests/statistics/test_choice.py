# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from countermark.statistics import (
    Choice,
    Correction,
    Crossing,
    Estimate,
    Labelled,
    Rectification,
    Sampling,
    StatisticsError,
    Validity,
    choose,
    correct,
    rectify,
)

GOOD = Validity(170, 200, 186, 200, "sw")
COIN = Validity(55, 100, 55, 100, "sw")
LABS = ("a", "b", "c")
VERSIONS = dict.fromkeys(LABS, "v1")


def drawn(rate: float = 0.3) -> tuple[np.ndarray, np.ndarray, Crossing]:
    rng = np.random.default_rng(4)
    true = rng.random((3, 200)) < np.clip(rng.normal(rate, 0.1, (1, 200)), 0, 1)
    at = rng.random(true.shape)
    judge = np.where(true, at < 0.85, at > 0.93).astype(float)
    items = tuple(f"{i:03}" for i in range(200))
    return true, judge, Crossing(LABS, items, np.ones((3, 200), dtype=int), judge, judge)


def rectified(
    sampling: Sampling = "random-same-cell", labels: int = 300, only: int | None = None
) -> Rectification:
    true, judge, crossing = drawn()
    weight = np.ones(600) if only is None else (true.ravel() == only).astype(float) + 0.05
    at = np.random.default_rng(5).choice(600, labels, replace=False, p=weight / weight.sum())
    lab, item = np.divmod(at, 200)
    label = Labelled(
        [LABS[k] for k in lab],
        [crossing.items[i] for i in item],
        judge.ravel()[at],
        true.ravel()[at].astype(float),
        "sw",
        sampling,
    )
    return rectify(crossing, VERSIONS, label, "sw")


def corrected(validity: Validity = GOOD) -> Correction:
    return correct(drawn()[2], VERSIONS, {"v1": validity}, "sw")


def both(found: Choice) -> tuple[Estimate, Estimate]:
    assert isinstance(found.prediction_powered, Estimate)
    assert isinstance(found.rogan_gladen, Estimate)
    return found.prediction_powered, found.rogan_gladen


def test_rule_1_a_recorded_random_sample_lets_the_rectified_rate_lead() -> None:
    found = choose(rectified(), corrected(), "generalised")
    first, second = both(found)
    assert found.headline == "prediction-powered"
    assert found.leading is found.prediction_powered
    assert "recorded random sample" in found.reason
    assert found.difference == first.value - second.value
    assert not found.disagree


def test_rule_2_without_that_record_rogan_gladen_leads() -> None:
    unknown = choose(rectified("unknown"), corrected(), "benchmark")
    both(unknown)
    assert (unknown.headline, unknown.leading) == ("rogan-gladen", unknown.rogan_gladen)
    assert "not on record" in unknown.reason
    away = choose(rectified("elsewhere"), corrected(), "benchmark")
    assert away.headline == "rogan-gladen"
    assert away.difference is None
    assert "not of these answers" in away.reason


def test_rule_3_the_other_leads_where_its_assumption_is_not_known_to_fail() -> None:
    few = choose(rectified(labels=5), corrected(), "generalised")
    assert few.headline == "rogan-gladen"
    assert "at least 10" in few.reason
    for sampling in ("unknown", "elsewhere"):
        found = choose(rectified(sampling), corrected(COIN), "generalised")
        assert found.headline is None
        assert found.leading is None


def test_rule_4_if_neither_may_lead_both_reasons_are_given() -> None:
    for sampling in ("random-same-cell", "elsewhere"):
        found = choose(rectified(sampling, labels=5), corrected(COIN), "generalised")
        assert found.headline is None
        assert "not shown to tell" in found.reason
        assert ("at least 10" if sampling == "random-same-cell" else "drawn from") in found.reason


def test_rule_5_a_sample_that_is_not_random_shows_as_disagreement() -> None:
    rectification, correction = rectified(only=1), corrected()
    found = choose(rectification, correction, "generalised")
    _, second = both(found)
    assert second.judged is not None
    assert found.difference_se == math.hypot(rectification.label_se, second.judged.judge_se)
    assert found.disagree
    assert found.headline == "prediction-powered"
    assert f"differ by {found.difference:+.3f}" in found.reason


def test_rates_of_different_crossings_are_not_put_together() -> None:
    other = correct(drawn()[2].without_lab("c"), VERSIONS, {"v1": GOOD}, "sw")
    with pytest.raises(StatisticsError, match="same crossing"):
        choose(rectified(), other, "generalised")
    with pytest.raises(StatisticsError, match="not an estimand"):
        choose(rectified(), corrected(), "mean")  # type: ignore[arg-type]
