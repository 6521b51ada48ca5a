# SPDX-License-Identifier: Apache-2.0
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from countermark.statistics import (
    Crossing,
    Estimate,
    Labelled,
    NotComputable,
    Rectification,
    StatisticsError,
    bound,
    crossed,
    rectify,
)

BOTH = ("benchmark", "generalised")


class Exercise:
    """True answers and verdicts ``(K, I, E)``, the crossing of the verdicts, and labels."""

    def __init__(
        self,
        labs: int = 4,
        items: int = 100,
        epochs: int = 2,
        rate: float = 0.2,
        s_lab: float = 0.2,
        seed: int = 1,
        errors: tuple[float, float] = (0.85, 0.93),
    ) -> None:
        self.rng = np.random.default_rng(seed)
        logit = special.logit(rate) + s_lab * self.rng.normal(size=(labs, 1, 1))
        logit = logit + self.rng.normal(size=(1, items, 1))
        self.true = self.rng.random((labs, items, epochs)) < special.expit(logit)
        at = self.rng.random(self.true.shape)
        self.judge = np.where(self.true, at < errors[0], at > errors[1]).astype(float)
        self.labs = tuple(f"lab{k}" for k in range(labs))
        self.items = tuple(f"item{i:04}" for i in range(items))
        self.versions = dict.fromkeys(self.labs, "v1")

    def crossing(self, scores: np.ndarray) -> Crossing:
        return Crossing(
            self.labs,
            self.items,
            np.full(scores.shape[:2], scores.shape[2]),
            scores.sum(axis=2),
            (scores.astype(float) ** 2).sum(axis=2),
        )

    def labels(self, number: int, at: np.ndarray | None = None) -> Labelled:
        if at is None:
            at = self.rng.choice(self.true.size, number, replace=False)
        lab, item, _ = np.unravel_index(at, self.true.shape)
        return Labelled(
            [self.labs[k] for k in lab],
            [self.items[i] for i in item],
            self.judge.ravel()[at],
            self.true.ravel()[at].astype(float),
            "sw",
            "random-same-cell",
        )

    def rectify(self, labelled: Labelled, language: str = "sw") -> Rectification:
        return rectify(self.crossing(self.judge), self.versions, labelled, language)


def estimate(result: Estimate | NotComputable) -> Estimate:
    assert isinstance(result, Estimate)
    return result


def reason(result: Estimate | NotComputable) -> str:
    assert isinstance(result, NotComputable)
    return result.reason


def test_the_value_is_that_of_ppi_plus_plus() -> None:
    """By the formula of Angelopoulos, Duchi and Zrnic: labelled and other answers are separate."""
    exercise = Exercise()
    at = exercise.rng.choice(exercise.true.size, 150, replace=False)
    result = exercise.rectify(exercise.labels(150, at))
    judge, human = exercise.judge.ravel()[at], exercise.true.ravel()[at]
    others = np.delete(exercise.judge.ravel(), at)
    slope = np.cov(human, judge)[0, 1] / judge.var(ddof=1)
    tuned = slope / (1 + len(at) / len(others))
    expected = tuned * others.mean() + (human - tuned * judge).mean()
    (rectifier,) = result.rectifiers
    assert rectifier.weight == pytest.approx(slope)
    assert (rectifier.labelled, rectifier.answers) == (150, 800)
    assert rectifier.shift == pytest.approx((human - judge).mean())
    for estimand in BOTH:
        assert estimate(getattr(result, estimand)).value == pytest.approx(expected)


def test_labels_of_every_answer_give_what_crossed_gives_for_people() -> None:
    exercise = Exercise()
    result = exercise.rectify(exercise.labels(0, np.arange(exercise.true.size)))
    assert result.label_se == 0
    for estimand in BOTH:
        plain = estimate(crossed(exercise.crossing(exercise.true), estimand))  # type: ignore[arg-type]
        rectified = estimate(getattr(result, estimand))
        for name in ("value", "se", "df", "lower", "upper"):
            assert getattr(rectified, name) == pytest.approx(getattr(plain, name)), name


def test_the_standard_error_is_the_spread_over_exercises() -> None:
    """Shared items and labels of the same items: all covariances are in it."""
    found = []
    for seed in range(400):
        exercise = Exercise(labs=4, items=60, epochs=1, rate=0.4, s_lab=0.2, seed=seed)
        found.append(estimate(exercise.rectify(exercise.labels(120)).generalised))
    values = np.array([one.value for one in found])
    errors = np.array([one.se for one in found], dtype=float)
    assert math.sqrt(np.mean(errors**2)) == pytest.approx(values.std(ddof=1), rel=0.12)


def test_any_bound_can_be_taken_from_the_figures() -> None:
    exercise = Exercise()
    result = estimate(exercise.rectify(exercise.labels(200)).generalised)
    assert (result.method, result.shape) == ("prediction-powered", "effective")
    assert bound(result, 0.99, "upper") > result.upper > bound(result, 0.9, "upper")


def test_rule_1_labels_from_elsewhere_rectify_nothing() -> None:
    exercise = Exercise()
    label = exercise.labels(100)
    away = exercise.rectify(replace(label, sampling="elsewhere"))
    assert "not drawn from these" in reason(away.generalised)
    unknown = exercise.rectify(replace(label, sampling="unknown"))
    assert estimate(unknown.generalised) == estimate(exercise.rectify(label).generalised)
    assert unknown.sampling == "unknown"


def test_rule_2_labels_of_another_language_rectify_nothing() -> None:
    exercise = Exercise()
    result = exercise.rectify(exercise.labels(100), language="fr")
    for estimand in BOTH:
        assert "are in sw, and these scores are in fr" in reason(getattr(result, estimand))


def test_rule_3_a_label_of_no_answer_is_refused() -> None:
    exercise = Exercise(labs=2, items=30)
    label = exercise.labels(30)
    for wrong in (
        replace(label, lab=["other", *label.lab[1:]]),
        replace(label, item=["other", *label.item[1:]]),
    ):
        with pytest.raises(StatisticsError, match="not in the crossing"):
            exercise.rectify(wrong)
    with pytest.raises(StatisticsError, match="each label once"):
        exercise.rectify(
            Labelled(["lab0"] * 3, ["item0000"] * 3, [0, 0, 0], [0, 0, 0], "sw", "unknown")  # type: ignore[arg-type]
        )
    with pytest.raises(StatisticsError, match="other scores by the judge"):
        exercise.rectify(replace(label, judge=1 - label.judge))


def test_rule_3_labels_of_items_that_not_all_labs_scored_are_left_out() -> None:
    exercise = Exercise(labs=3, items=50)
    whole = exercise.crossing(exercise.judge)
    count, total = whole.count.copy(), whole.total.copy()
    count[0, :5], total[0, :5] = 0, 0
    partial = Crossing(whole.labs, whole.items, count, total, total)
    at = np.arange(12, 300)  # not lab0's first five items
    result = rectify(partial, exercise.versions, exercise.labels(0, at), "sw")
    assert result.dropped == 2 * 5 * 2
    assert estimate(result.generalised).items_dropped == 5


def test_rule_4_each_version_is_rectified_with_its_own_labels() -> None:
    exercise = Exercise(labs=4, items=100)
    exercise.judge[2:] = 1 - exercise.judge[2:]  # the other version says the contrary
    exercise.versions = {"lab0": "v1", "lab1": "v1", "lab2": "v2", "lab3": "v2"}
    label = exercise.labels(300)
    result = exercise.rectify(label)
    first, second = result.rectifiers
    assert first.weight > 0.4
    assert second.weight == 0
    assert first.labelled + second.labelled == 300
    own = np.array([lab in ("lab2", "lab3") for lab in label.lab])
    start = label.human[~own].mean() - first.weight * label.judge[~own].mean()
    halves = [start + first.weight * exercise.judge[:2].mean(), label.human[own].mean()]
    assert estimate(result.generalised).value == pytest.approx(np.mean(halves))
    assert result.label_se == pytest.approx(math.hypot(first.label_se, second.label_se) / 2)
    few = exercise.labels(0, np.arange(20))
    assert "version 'v2' scored, 0 are labelled" in reason(exercise.rectify(few).generalised)
    exercise.versions.pop("lab3")
    with pytest.raises(StatisticsError, match="lab 'lab3'"):
        exercise.rectify(label)


def test_rule_4_nine_labels_are_too_few_and_ten_are_not() -> None:
    exercise = Exercise(rate=0.5)
    label = exercise.labels(10)
    assert estimate(exercise.rectify(label).generalised).value > 0
    nine = Labelled(
        label.lab[:9], label.item[:9], label.judge[:9], label.human[:9], "sw", label.sampling
    )
    assert "at least 10" in reason(exercise.rectify(nine).generalised)


def test_rule_5_the_weight_makes_the_interval_short_and_a_bad_judge_costs_little() -> None:
    good, coin = Exercise(errors=(0.95, 0.98)), Exercise(errors=(0.5, 0.5))
    known, useless = (one.rectify(one.labels(300)) for one in (good, coin))
    assert known.rectifiers[0].weight > 0.8
    assert useless.rectifiers[0].weight < 0.2
    human = good.labels(300).human
    alone = math.sqrt(human.mean() * (1 - human.mean()) / 300 * (1 - 300 / 800))
    assert known.label_se < 0.6 * alone
    assert useless.label_se == pytest.approx(alone, rel=0.1)


def test_rule_6_a_label_from_a_cell_with_many_epochs_counts_less() -> None:
    rng = np.random.default_rng(6)
    epochs = np.where(rng.random((3, 40)) < 0.5, 1, 6)
    true = rng.binomial(epochs, np.where(epochs == 6, 0.8, 0.2)).astype(float)
    labs, items = ("a", "b", "c"), tuple(f"{i:02}" for i in range(40))
    crossing = Crossing(labs, items, epochs, true, true)  # the judge is right
    lab, item, score = [], [], []
    for k, i in np.ndindex(3, 40):
        lab += [labs[k]] * epochs[k, i]
        item += [items[i]] * epochs[k, i]
        score += [1.0] * int(true[k, i]) + [0.0] * int(epochs[k, i] - true[k, i])
    scores = np.array(score)
    whole = Labelled(lab, item, scores, scores, "sw", "random-same-cell")
    result = rectify(crossing, dict.fromkeys(labs, "v1"), whole, "sw")
    cells = float((true / epochs).mean())
    assert estimate(result.generalised).value == pytest.approx(cells)
    # A judge that is wrong throughout has weight 0: only the weights of labels are left.
    wrong = Crossing(labs, items, epochs, epochs - true, epochs - true)
    turned = replace(whole, judge=1 - scores)
    result = rectify(wrong, dict.fromkeys(labs, "v1"), turned, "sw")
    assert estimate(result.generalised).value == pytest.approx(cells)
    assert scores.mean() > cells + 0.05


def test_rule_7_graded_scores_are_rectified() -> None:
    exercise = Exercise(labs=3, items=80)
    graded = np.round(exercise.rng.beta(2, 3, exercise.true.shape), 3)
    exercise.judge = np.clip(graded + 0.1, 0, 1)
    at = exercise.rng.choice(graded.size, 100, replace=False)
    label = replace(exercise.labels(100, at), human=graded.ravel()[at])
    result = exercise.rectify(label)
    found = estimate(result.generalised)
    assert found.lower < graded.mean() < found.upper
    assert result.rectifiers[0].shift == pytest.approx(-0.1, abs=0.01)
    assert found.value == pytest.approx(graded.mean(), abs=0.005)


@pytest.mark.parametrize(("score", "says"), [(0.0, "at most"), (1.0, "at least")])
def test_rule_7_labels_that_are_all_alike_bound_the_rate_alone(score: float, says: str) -> None:
    exercise = Exercise()
    label = exercise.labels(60)
    result = exercise.rectify(replace(label, human=np.full(60, score)))
    items = len(set(label.item))
    limit = 1 - 0.05 ** (1 / items)
    text = reason(result.generalised)
    assert f"{says} {limit if score == 0 else 1 - limit:.3g} ({items} items)" in text


def test_rule_8_one_lab_has_the_generalised_rate_only() -> None:
    exercise = Exercise(labs=1, items=200)
    result = exercise.rectify(exercise.labels(150))
    assert "A second lab would" in reason(result.benchmark)
    assert estimate(result.generalised).labs == 1


def test_what_cannot_be_crossed_cannot_be_rectified() -> None:
    apart = Crossing.from_rows(["a", "b"], ["1", "2"], [1.0, 0.0])
    label = Labelled(["a"], ["1"], np.ones(1), np.ones(1), "sw", "unknown")
    assert "share nothing" in reason(rectify(apart, {"a": "v", "b": "v"}, label, "sw").benchmark)
    one_item = Exercise(labs=3, items=1, epochs=20)
    assert "One item" in reason(one_item.rectify(one_item.labels(40)).generalised)


def test_bad_labels_are_refused() -> None:
    one = np.ones(1)
    with pytest.raises(StatisticsError, match="numbers from 0 to 1"):
        Labelled(["a"], ["1"], one, np.array([math.nan]), "sw", "unknown")
    with pytest.raises(StatisticsError, match="one of each"):
        Labelled(["a", "b"], ["1"], one, one, "sw", "unknown")
    with pytest.raises(StatisticsError, match="no way of sampling"):
        Labelled(["a"], ["1"], one, one, "sw", "handy")  # type: ignore[arg-type]
