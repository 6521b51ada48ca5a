# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy import special

from countermark.statistics import (
    BINARY,
    Binomial,
    Grid,
    LabModel,
    MixedFit,
    NotComputable,
    RandomFactor,
    Reading,
    Scale,
    lab_model,
    marginal_rate,
    mixed,
    modelled,
)

LABS, ITEMS, EPOCHS = 4, 40, 2


def grid_of(scores: np.ndarray, scale: Scale) -> Grid:
    """Make a grid of ``(K, I, E)`` scores; NaN means not scored."""
    lab, item, epoch = np.nonzero(np.isfinite(scores))
    return Grid.from_rows(
        lab=[f"lab{k}" for k in lab],
        model="m",
        language="en",
        task="t",
        item=[f"i{i:03}" for i in item],
        epoch=epoch,
        scorer="s",
        score=scores[np.isfinite(scores)],
        scale=scale,
    )


def answers(seed: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rate = 1 / (1 + np.exp(0.5 - rng.normal(0, 0.5, (LABS, 1, 1)) - rng.normal(0, 1, (ITEMS, 1))))
    return (rng.random((LABS, ITEMS, EPOCHS)) < rate).astype(float)


def read(grid: Grid) -> Reading:
    model = lab_model(grid)
    assert isinstance(model, LabModel)
    found = modelled(model, "generalised", 0.95)
    assert isinstance(found, Reading)
    return found


def test_rule_1_0_and_1_are_binomial() -> None:
    scores = answers()
    response = Binomial(scores.sum(axis=2), np.full((LABS, ITEMS), float(EPOCHS)))
    fit = mixed(response, np.ones((LABS, 1)), (RandomFactor("lab", np.arange(LABS)),))
    assert isinstance(fit, MixedFit)
    known = marginal_rate(fit, np.ones(1), "generalised")
    assert not isinstance(known, NotComputable)
    found = read(grid_of(scores, BINARY))
    # The relative error of the odds is that of the fit; the rate is moved (rule 4).
    width = special.logit(known.upper) - special.logit(known.lower)
    assert special.logit(found.upper) - special.logit(found.lower) == pytest.approx(width)
    assert found.df == known.df
    assert found.method == "mixed"


def test_rule_1_two_levels_of_odds_are_the_binomial_model() -> None:
    scores = answers()
    ordinal = lab_model(grid_of(scores, Scale.ordinal(0.0, 1.0)))
    binary = lab_model(grid_of(scores, BINARY))
    assert isinstance(ordinal, LabModel)
    assert isinstance(binary, LabModel)
    assert ordinal.fit.loglik - ordinal.fit.constant == pytest.approx(
        binary.fit.loglik - binary.fit.constant, rel=1e-9
    )
    assert ordinal.integrated is None


def test_rule_4_the_rate_of_a_rare_event_is_not_too_high() -> None:
    """Laplace's own rate is above the truth where an item has few answers; ours is not."""
    laplace, ours, truth = [], [], 0.1489  # of expit(-2.3 + 1.39 Z)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        eta = -2.3 + rng.normal(0, 0.4, (6, 1, 1)) + rng.normal(0, 1.33, (100, 1))
        scores = (rng.random((6, 100, 2)) < 1 / (1 + np.exp(-eta))).astype(float)
        model = lab_model(grid_of(scores, BINARY))
        assert isinstance(model, LabModel)
        known = marginal_rate(model.fit, np.ones(1), "generalised")
        found = modelled(model, "generalised", 0.95)
        assert isinstance(found, Reading)
        assert not isinstance(known, NotComputable)
        laplace.append(known.value - truth)
        ours.append(found.value - truth)
    noise = 2 * float(np.std(ours)) / np.sqrt(len(ours))
    assert np.mean(laplace) > 0.015
    assert abs(np.mean(ours)) < noise


def test_rule_1_scores_in_a_range_are_normal_and_on_the_scale_from_0_to_1() -> None:
    rng = np.random.default_rng(1)
    shape = (LABS, ITEMS, EPOCHS)
    spread = rng.normal(0, 1, (LABS, 1, 1)) + rng.normal(0, 2, (1, ITEMS, 1))
    scores = np.clip(5 + spread + rng.normal(0, 1, shape), 0, 10)
    found = read(grid_of(scores, Scale.continuous(0, 10)))
    assert found.value == pytest.approx(scores.mean() / 10, abs=1e-9), "balanced: the plain mean"
    assert found.lower < found.value < found.upper


def test_rule_2_items_that_a_lab_did_not_score_count() -> None:
    scores = answers()
    gaps = scores.copy()
    gaps[0, :5] = np.nan
    kept = read(grid_of(gaps, BINARY))
    dropped = read(grid_of(gaps[:, 5:], BINARY))
    assert kept.value != dropped.value


def test_rule_3_levels_that_nobody_was_given_change_nothing() -> None:
    scores = answers() * 3.0
    scores[:, ::3] = np.minimum(scores[:, ::3], 1.0)  # 0, 1 and 3 occur; 2 does not
    used = read(grid_of(scores, Scale.ordinal(0.0, 1.0, 3.0)))
    more = read(grid_of(scores, Scale.ordinal(0.0, 1.0, 2.0, 3.0)))
    assert used.value == more.value


@pytest.mark.parametrize("level", [0.0, 2.0])
def test_rule_3_one_level_only_has_no_fit(level: float) -> None:
    scores = np.full((LABS, ITEMS, EPOCHS), level)
    assert isinstance(lab_model(grid_of(scores, Scale.ordinal(0.0, 1.0, 2.0))), NotComputable)


def test_rule_5_an_interval_ends_with_the_scale() -> None:
    rng = np.random.default_rng(2)
    scores = np.clip(rng.normal(0, 1, (3, 1, 1)) * 3 + rng.random((3, 12, 2)), 0, 10)
    found = read(grid_of(scores, Scale.continuous(0, 10)))
    assert found.lower == 0.0


def test_one_lab_has_no_fit() -> None:
    assert isinstance(lab_model(grid_of(answers()[:1], BINARY)), NotComputable)
