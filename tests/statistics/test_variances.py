# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy import special

from countermark.statistics import (
    Assumed,
    Crossing,
    Estimate,
    NotComputable,
    StatisticsError,
    Variances,
    crossed,
)


def crossing_of(scores: np.ndarray) -> Crossing:
    """Make a crossing of ``(K, I, E)`` answers of 0 or 1."""
    labs, items, epochs = scores.shape
    keys = (tuple(f"{k:03}" for k in range(labs)), tuple(f"{i:05}" for i in range(items)))
    total = scores.sum(axis=2).astype(float)
    return Crossing(*keys, np.full((labs, items), epochs), total, total)


def answers(labs: int, items: int, epochs: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    rate = special.expit(-1 + 0.4 * rng.normal(size=(labs, 1, 1)) + rng.normal(size=(1, items, 1)))
    return np.asarray(rng.random((labs, items, epochs)) < rate)


def test_rules_1_and_2_an_estimate_gives_its_components() -> None:
    estimate = crossed(crossing_of(answers(4, 60, 2)), "generalised")
    assert isinstance(estimate, Estimate)
    parts = estimate.components
    assert parts is not None
    assert Variances.of(estimate) == Variances(
        estimate.value, parts.s2_lab, parts.s2_item, parts.s2_lab_item, parts.s2_epoch  # type: ignore[arg-type]
    )  # fmt: skip


def test_rule_2_with_one_epoch_what_cannot_be_told_apart_stays_together() -> None:
    estimate = crossed(crossing_of(answers(4, 60, 1)), "generalised")
    assert isinstance(estimate, Estimate)
    found = Variances.of(estimate)
    assert isinstance(found, Variances)
    assert estimate.components is not None
    assert found.lab_item == estimate.components.ms_lab_item
    assert (found.epoch, found.separable) == (0.0, False)


def test_rule_2_no_variation_gives_no_variances() -> None:
    alike = crossed(crossing_of(np.zeros((3, 20, 1))), "generalised")
    assert isinstance(Variances.of(alike), NotComputable)
    lost = NotComputable("one item")
    assert Variances.of(lost) is lost


@pytest.mark.parametrize(
    "assumed", [Assumed(0.3, 0.3, 1.2, 0.3), Assumed(0.05, 0.5, 2.0), Assumed(0.9, 0.0, 1.0, 1.0)]
)
def test_rule_3_assumed_log_odds_give_the_variances_of_a_huge_sample(assumed: Assumed) -> None:
    """By simulation, from the rates themselves: mean squares of 400 labs and 4,000 items."""
    rng = np.random.default_rng(11)
    labs, items = 400, 4000
    logit = (
        assumed.centre
        + assumed.lab * rng.normal(size=(labs, 1))
        + assumed.item * rng.normal(size=(1, items))
        + assumed.lab_item * rng.normal(size=(labs, items))
    )
    rates = special.expit(logit)
    found = assumed.variances
    assert found.rate == pytest.approx(rates.mean(), abs=0.01)
    assert found.lab == pytest.approx(rates.mean(axis=1).var(), rel=0.2, abs=1e-5)
    assert found.item == pytest.approx(rates.mean(axis=0).var(), rel=0.1)
    whole = found.lab + found.item + found.lab_item
    assert whole == pytest.approx(rates.var(), rel=0.05)
    assert found.epoch == pytest.approx((rates * (1 - rates)).mean(), rel=0.05)


def test_rule_3_all_parts_sum_to_the_variance_of_one_answer() -> None:
    found = Assumed(0.2, 0.4, 1.5, 0.2).variances
    parts = found.lab + found.item + found.lab_item + found.epoch
    assert parts == pytest.approx(0.2 * 0.8, rel=1e-12)
    nothing = Assumed(0.2, 0.0, 0.0).variances
    assert (nothing.lab, nothing.item) == pytest.approx((0, 0), abs=1e-20)
    assert nothing.epoch == pytest.approx(0.16)


def test_rule_4_the_cautious_choice_is_a_binomial() -> None:
    assert Variances.cautious(0.2) == Variances(0.2, 0.0, 0.2 * 0.8, 0.0, 0.0)


@pytest.mark.parametrize("wrong", [(0.0, 1, 1, 1, 1), (0.5, -1, 1, 1, 1), (0.5, 0, 0, 0, 0)])
def test_variances_that_make_no_sense_are_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(StatisticsError):
        Variances(*wrong)  # type: ignore[arg-type]
    for assumed in ((1.0, 0.1, 1.0), (0.5, -0.1, 1.0), (0.5, 0.1, 9.0), (0.5, float("nan"), 1.0)):
        with pytest.raises(StatisticsError):
            Assumed(*assumed)
