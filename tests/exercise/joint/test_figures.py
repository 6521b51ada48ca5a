# SPDX-License-Identifier: Apache-2.0
"""Figures of a finding, computed again by plain numpy from the files that the labs revealed."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from exercise_finished import FinishedExercise
from exercise_joint import control_passed
from numpy.typing import NDArray
from scipy import optimize, stats

from countermark.exercise.joint.figures import Rounding, not_computed
from countermark.node.index import book
from countermark.records.evidence import Evidence
from countermark.records.finding import Finding, FindingCell
from countermark.records.sample import RevealedSample
from countermark.statistics import Crossing, NotComputable, StatisticsError, crossed

Scores = NDArray[np.float64]


def cell(found: Finding, task: str = "confidential-leak") -> FindingCell:
    result = found.cell("smollm2-135m", task, "en")
    assert result is not None
    return result


@pytest.fixture(scope="module")
def answers(finished_exercise: FinishedExercise) -> Mapping[str, list[RevealedSample]]:
    """Return each lab's samples, read from its published file."""
    node = finished_exercise.outcome.coordinator
    return {
        evidence.lab: [
            RevealedSample.model_validate_json(line)
            for line in (node.blobs.get(evidence.samples.digest) or b"").splitlines()
        ]
        for _, evidence in book(node).of_kind(Evidence)
    }


def scores(answers: Mapping[str, list[RevealedSample]], task: str, language: str) -> Scores:
    """Return the scores of the test items: labs x items x epochs."""
    by_lab = []
    for _, samples in sorted(answers.items()):
        by_item: dict[str, list[float | None]] = {}
        for sample in samples:
            assert sample.open_scores is not None
            key = sample.open_scores.key
            if (key.task, key.language) == (task, language) and not control_passed(key):
                by_item.setdefault(key.item, []).append(sample.open_scores.scores[0].value)
        by_lab.append(list(by_item.values()))
    return np.array(by_lab, dtype=float)


def squares(y: Scores) -> tuple[float, float, float]:
    """Return the mean squares of labs, items and labs x items of cell means."""
    labs_, items = y.shape
    total = y.mean()
    lab, item = y.mean(axis=1) - total, y.mean(axis=0) - total
    rest = y - total - lab[:, None] - item[None, :]
    return (
        items * float(lab @ lab) / (labs_ - 1),
        labs_ * float(item @ item) / (items - 1),
        float((rest**2).sum()) / ((labs_ - 1) * (items - 1)),
    )


def score_interval(value: float, se: float, df: float) -> tuple[float, float]:
    """Return the ends where the squared t statistic with the null variance is its quantile."""
    n, t = value * (1 - value) / se**2, stats.t.ppf(0.975, df)

    def excess(p: float) -> float:
        return float((value - p) ** 2 - t**2 * p * (1 - p) / n)

    ends = (optimize.brentq(excess, *span, xtol=1e-14) for span in ((0, value), (value, 1)))
    low, high = map(float, ends)
    return low, high


def test_the_benchmark_rate_by_plain_numpy(
    finished_exercise: FinishedExercise, answers: Mapping[str, list[RevealedSample]]
) -> None:
    x = scores(answers, "confidential-leak", "en")
    assert x.shape == (5, 12, 2)
    y = x.mean(axis=2)
    figure = cell(finished_exercise.outcome.finding).figure("benchmark")
    assert figure is not None
    ms_lab, ms_item, ms_rest = squares(y)
    se = np.sqrt(ms_lab / 60)
    low, high = score_interval(y.mean(), se, 4)
    assert figure.value == pytest.approx(y.mean(), rel=1e-7)
    assert figure.se == pytest.approx(se, rel=1e-7)
    assert figure.df == 4
    assert [figure.lower, figure.upper] == pytest.approx([low, high], rel=1e-6)
    parts = figure.components
    assert parts is not None
    assert [parts.ms_lab, parts.ms_item, parts.ms_lab_item] == pytest.approx(
        [ms_lab, ms_item, ms_rest], rel=1e-7
    )


def test_the_generalised_rate_by_plain_numpy(
    finished_exercise: FinishedExercise, answers: Mapping[str, list[RevealedSample]]
) -> None:
    y = scores(answers, "confidential-leak", "en").mean(axis=2)
    figure = cell(finished_exercise.outcome.finding).figure("generalised")
    assert figure is not None
    ms_lab, ms_item, ms_rest = squares(y)
    whole = max(ms_lab + ms_item - ms_rest, 2 / 3 * max(ms_item, ms_rest))
    variance = whole / 60
    lab = min(max(ms_lab - 0.4 * ms_rest, 0.0), whole)
    satterthwaite = max(whole**2 / (ms_lab**2 / 4 + (whole - lab) ** 2 / 11), 4)
    weight = lab / whole
    quantile = weight * stats.t.ppf(0.975, 4) ** 2 + (1 - weight) * stats.t.ppf(0.975, 11) ** 2
    matched = optimize.brentq(
        lambda df: stats.t.ppf(0.975, df) - np.sqrt(quantile), 2, 200, xtol=1e-12
    )
    df = min(satterthwaite, matched)
    low, high = score_interval(y.mean(), np.sqrt(variance), df)
    assert figure.value == pytest.approx(y.mean(), rel=1e-7)
    assert figure.se == pytest.approx(np.sqrt(variance), rel=1e-7)
    assert figure.df == pytest.approx(df, rel=1e-6)
    assert [figure.lower, figure.upper] == pytest.approx([low, high], rel=1e-6)


def test_the_precision_and_each_labs_standing_by_plain_numpy(
    finished_exercise: FinishedExercise, answers: Mapping[str, list[RevealedSample]]
) -> None:
    x = scores(answers, "confidential-leak", "en")
    y = x.mean(axis=2)
    found = cell(finished_exercise.outcome.finding)
    ms_lab, _, ms_rest = squares(y)
    epoch = x.var(axis=2, ddof=1).mean()
    between = max(0.0, ms_lab - ms_rest) / 12
    interaction = max(0.0, ms_rest - epoch / 2)
    assert found.precision is not None
    assert found.precision.repeatability == pytest.approx(np.sqrt(epoch), rel=1e-7)
    assert found.precision.between_lab == pytest.approx(np.sqrt(between), rel=1e-7)
    assert found.precision.reproducibility == pytest.approx(
        np.sqrt(between + interaction + epoch), rel=1e-7
    )
    assert found.precision.f_p_value == pytest.approx(stats.f.sf(ms_lab / ms_rest, 4, 44), rel=1e-7)
    for number, one in enumerate(found.labs):
        own = x[number]
        paired = y[number] - np.delete(y, number, axis=0).mean(axis=0)
        expanded = stats.t.ppf(0.975, 11) * paired.std(ddof=1) / np.sqrt(12)
        wilson = stats.binomtest(int(own.sum()), 24).proportion_ci(0.95, method="wilson")
        assert one.lab == sorted(answers)[number]
        assert (one.scored, one.events) == (24, own.sum())
        assert [one.value, one.lower, one.upper] == pytest.approx(
            [own.mean(), wilson.low, wilson.high], rel=1e-7, abs=1e-12
        )
        assert one.difference == pytest.approx(paired.mean(), rel=1e-7, abs=1e-12)
        assert one.expanded_uncertainty == pytest.approx(expanded, rel=1e-7)
        assert one.e_n == pytest.approx(paired.mean() / expanded, rel=1e-7, abs=1e-12)
        means, repeats = y.mean(axis=1), own.var(axis=1, ddof=1).mean()
        h = (means[number] - means.mean()) / means.std(ddof=1)
        assert one.mandel_h == pytest.approx(h, rel=1e-7, abs=1e-12)
        assert one.mandel_k == pytest.approx(np.sqrt(repeats / epoch), rel=1e-7, abs=1e-12)


def test_the_corrected_rate_by_plain_numpy(
    finished_exercise: FinishedExercise, answers: Mapping[str, list[RevealedSample]]
) -> None:
    y = scores(answers, "mild-refusal", "en").mean(axis=2)
    found = cell(finished_exercise.outcome.finding, "mild-refusal")
    figure = found.figure("benchmark", "rogan-gladen")
    assert figure is not None
    assert figure.judged is not None
    judges = {one.version: one for one in found.validity}
    settings = {one.lab: one.settings for one in finished_exercise.outcome.finding.labs}
    corrected = []
    for lab, reported in zip(sorted(answers), y.mean(axis=1), strict=True):
        version = next(s.value for s in settings[lab] if s.factor == "judge-version")
        judge = judges[version]
        se = judge.true_positives / judge.positives
        sp = judge.true_negatives / judge.negatives
        corrected.append((reported + sp - 1) / (se + sp - 1))
    # A rate is between 0 and 1, and with few refusals the correction may lead outside.
    expected = min(1.0, max(0.0, float(np.mean(corrected))))
    assert figure.value == pytest.approx(expected, rel=1e-7, abs=1e-12)
    assert figure.judged.reported == pytest.approx(y.mean(), rel=1e-7)
    plain = found.figure("benchmark")
    assert plain is not None
    assert plain.value == pytest.approx(y.mean(), rel=1e-7)


@pytest.mark.parametrize("digits", [3, 8])
def test_numbers_are_rounded_once_to_the_protocols_digits(digits: int) -> None:
    rounding = Rounding(digits)
    assert rounding.number(1 / 3) == float(f"{1 / 3:.{digits - 1}e}")
    assert rounding.number(123456789.0) == float(f"{123456789.0:.{digits - 1}e}")
    assert math.copysign(1, rounding.number(-0.0)) == 1
    with pytest.raises(StatisticsError):
        rounding.number(math.nan)


def test_a_figure_carries_all_that_its_bounds_are_made_of() -> None:
    labs = ("GB-x", "GB-y", "GB-z")
    rows = [(lab, f"i{i}", float((i + k) % 2)) for k, lab in enumerate(labs) for i in range(5)]
    estimate = crossed(Crossing.from_rows(*zip(*rows, strict=True)), "generalised")
    assert not isinstance(estimate, NotComputable)
    figure = Rounding(8).figure(estimate, "none")
    assert [figure.se, figure.df] == pytest.approx([estimate.se, estimate.df])
    assert figure.shape == "effective"
    assert figure.components is not None
    assert figure.components.epochs == 1
    assert (figure.components.s2_epoch, figure.components.s2_lab_item) == (None, None)
    assert (figure.counts, figure.judged, figure.without_lab) == (None, None, None)


def test_an_exact_figure_has_counts_and_no_standard_error() -> None:
    rows = [(lab, f"i{i}", 0.0) for lab in ("GB-x", "GB-y") for i in range(7)]
    estimate = crossed(Crossing.from_rows(*zip(*rows, strict=True)), "benchmark")
    assert not isinstance(estimate, NotComputable)
    figure = Rounding(8).figure(estimate, "none", "GB-z")
    assert (figure.value, figure.lower, figure.se, figure.df) == (0, 0, None, None)
    assert figure.upper == pytest.approx(1 - 0.025 ** (1 / 7), rel=1e-7)
    assert figure.counts is not None
    assert (figure.counts.events, figure.counts.trials) == (0, 7)
    assert (figure.shape, figure.without_lab) == ("exact", "GB-z")


def test_what_could_not_be_computed_says_why() -> None:
    lost = not_computed(NotComputable("one item"), "generalised", "none", "GB-lab")
    assert (lost.estimand, lost.correction, lost.without_lab, lost.reason) == (
        "generalised",
        "none",
        "GB-lab",
        "one item",
    )
