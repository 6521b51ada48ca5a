# SPDX-License-Identifier: Apache-2.0
"""The verdicts on languages follow their rules, and their tests have the size they claim.

The simulation is that of ``benchmarks/paired.py``, with fixed seeds.
"""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from countermark.statistics import (
    Crossing,
    Difference,
    Estimand,
    LanguageComparison,
    LanguageResult,
    NotComputable,
    StatisticsError,
    Verdict,
    benjamini_hochberg,
    compare_languages,
    difference,
    holm,
)
from countermark.statistics.layout import clipped_variance, degrees_of_freedom, mean_squares


def load_benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "paired.py"
    spec = importlib.util.spec_from_file_location("paired_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


study = load_benchmark()
BASE = np.random.default_rng(6).uniform(0.3, 0.6, (4, 200))


def crossing(scores: np.ndarray, first_item: int = 0) -> Crossing:
    labs, items = scores.shape
    names = tuple(f"lab{k}" for k in range(labs))
    keys = tuple(f"q{i + first_item:03}" for i in range(items))
    return Crossing(names, keys, np.ones((labs, items), dtype=int), scores, scores**2)


def moved(shift: float, noise: float = 0.01, seed: int = 1) -> Crossing:
    rest = np.random.default_rng(seed).normal(0, noise, BASE.shape)
    return crossing(np.clip(BASE + shift + rest, 0, 1))


def compared(worse: str = "higher", **crossings: Crossing) -> LanguageComparison:
    return compare_languages(
        "en",
        {"en": crossing(BASE), **crossings},
        margin=0.05,
        worse=worse,  # type: ignore[arg-type]
    )


def only(result: LanguageComparison) -> LanguageResult:
    (language,) = result.languages
    return language


@pytest.mark.parametrize(
    ("shift", "worse", "verdict"),
    [
        (0.0, "higher", "non-inferior"),
        (0.02, "higher", "non-inferior"),  # a loss is shown too, but it is within the margin
        (0.2, "higher", "different"),
        (-0.2, "higher", "non-inferior"),
        (0.2, "lower", "non-inferior"),
        (-0.2, "lower", "different"),
    ],
)
def test_rules_1_and_2_the_verdict_depends_on_what_is_worse(
    shift: float, worse: str, verdict: Verdict
) -> None:
    language = only(compared(worse, fr=moved(shift)))
    assert language.verdict == verdict
    assert isinstance(language.difference, Difference)
    assert language.difference.value == pytest.approx(shift, abs=0.01)
    assert language.loss == pytest.approx(shift if worse == "higher" else -shift, abs=0.01)
    assert language.different.shown == (shift != 0)
    assert language.equivalent.shown == (abs(shift) < 0.05)
    assert language.beyond.shown == (verdict == "different")


def test_rule_1_the_margin_decides_and_not_only_the_sign() -> None:
    language = only(compared(fr=moved(0.02)))
    assert language.different.shown
    assert language.verdict == "non-inferior"


def test_rule_2_different_need_not_be_beyond_the_margin() -> None:
    language = only(compared(fr=moved(0.05, noise=0.1)))
    assert language.verdict == "different"
    assert not language.beyond.shown
    assert not language.non_inferior.shown


def test_rule_3_what_is_not_shown_is_undetermined() -> None:
    rng = np.random.default_rng(8)
    few = np.array(rng.uniform(size=(3, 12)) < 0.4, dtype=float)
    more = np.roll(few, 1, axis=1)
    result = compare_languages(
        "en", {"en": crossing(few), "fr": crossing(more)}, margin=0.05, worse="higher"
    )
    assert only(result).verdict == "undetermined"
    assert not only(result).equivalent.shown


def test_the_p_values_are_those_of_the_difference() -> None:
    other, reference = moved(0.05, noise=0.1), crossing(BASE)
    found = difference(other, reference, "generalised")
    assert isinstance(found, Difference)
    harm, success = only(compared(fr=other)), only(compared("lower", fr=other))
    assert harm.difference == success.difference == found
    assert harm.non_inferior.p == found.p_at_least(0.05)
    assert harm.beyond.p == found.p_at_most(0.05)
    assert success.non_inferior.p == found.p_at_most(-0.05)
    assert success.beyond.p == found.p_at_least(-0.05)
    assert harm.equivalent.p == max(found.p_at_least(0.05), found.p_at_most(-0.05))
    assert harm.equivalent.p == success.equivalent.p


def test_rule_4_each_test_is_adjusted_over_the_languages() -> None:
    crossings = {
        "en": crossing(BASE),
        **{f"l{j}": moved(0.01 * j, noise=0.25, seed=j) for j in range(6)},
    }
    for family, adjust in (("confirmatory", holm), ("screening", benjamini_hochberg)):
        result = compare_languages(
            "en",
            crossings,
            margin=0.05,
            worse="higher",
            family=family,  # type: ignore[arg-type]
        )
        assert [each.language for each in result.languages] == [f"l{j}" for j in range(6)]
        for name in ("non_inferior", "equivalent", "different", "beyond"):
            tests = [getattr(each, name) for each in result.languages]
            assert [test.adjusted for test in tests] == list(adjust([test.p for test in tests]))
            assert [test.shown for test in tests] == [test.adjusted < 0.05 for test in tests]


def test_rule_4_more_languages_ask_for_more_evidence() -> None:
    borderline = moved(0.04, noise=0.16, seed=3)
    alone = only(compared(fr=borderline)).non_inferior
    noisy = {f"l{j}": moved(0.05, noise=0.3, seed=j) for j in range(9)}
    crossings = {"en": crossing(BASE), "fr": borderline, **noisy}
    family = compare_languages("en", crossings, margin=0.05, worse="higher")
    crowd = family.languages[0].non_inferior
    assert crowd.p == alone.p
    assert crowd.adjusted == pytest.approx(min(1, 10 * alone.p))


def test_rule_5_a_language_that_cannot_be_compared_stays_in_the_family() -> None:
    apart = crossing(BASE, first_item=500)
    result = compared(aa=apart, fr=moved(0.0))
    missing, french = result.languages
    assert isinstance(missing.difference, NotComputable)
    assert missing.verdict == "undetermined"
    assert missing.loss is None
    assert missing.different.p == 1
    assert french.non_inferior.adjusted == 2 * french.non_inferior.p


@pytest.mark.parametrize("margin", [0.0, 1.0, -0.1, float("nan")])
def test_rule_6_a_margin_that_makes_no_sense_is_refused(margin: float) -> None:
    both = {"en": crossing(BASE), "fr": moved(0.0)}
    with pytest.raises(StatisticsError, match="above 0 and below 1"):
        compare_languages("en", both, margin=margin, worse="higher")


def test_other_settings_that_make_no_sense_are_refused() -> None:
    both = {"en": crossing(BASE), "fr": moved(0.0)}
    with pytest.raises(StatisticsError, match="nothing to compare"):
        compare_languages("de", both, margin=0.1, worse="higher")
    with pytest.raises(StatisticsError, match="nothing to compare"):
        compare_languages("en", {"en": both["en"]}, margin=0.1, worse="higher")
    with pytest.raises(StatisticsError, match="error budget"):
        compare_languages("en", both, margin=0.1, worse="higher", alpha=0.6)
    with pytest.raises(StatisticsError, match="higher or lower"):
        compare_languages("en", both, margin=0.1, worse="more")  # type: ignore[arg-type]


# --- the size of the tests ---------------------------------------------------

REPS = 1000
NOISE = 2 * float(np.sqrt(0.06 * 0.94 / REPS))  # a true size of 0.06 may be seen this far above
# Labs, items, rate in the reference, true loss, lab x language.
SETTINGS = (
    (3, 100, 0.02, 0.05, 0.2),
    (3, 200, 0.1, 0.05, 0.3),
    (3, 100, 0.5, 0.0, 0.5),
    (4, 30, 0.02, 0.05, 0.0),
    (4, 200, 0.1, 0.0, 0.3),
    (6, 100, 0.3, 0.1, 0.2),
    (10, 30, 0.02, 0.05, 0.0),
    (10, 50, 0.5, 0.1, 0.5),
)
BOTH: tuple[Estimand, ...] = ("benchmark", "generalised")


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_tests_reject_true_hypotheses_as_rarely_as_they_say(
    setting: tuple[int, int, float, float, float],
) -> None:
    labs, items, rate, loss, s = setting
    seed = np.random.Generator(np.random.PCG64([labs, items, round(100 * rate)]))
    drawn = study.simulate(study.Setting(labs, items, rate, loss, s), REPS, seed)
    for estimand in BOTH:
        found = study.sizes(drawn, estimand)
        assert max(found.loss, found.gain, found.equal) < 0.06 + NOISE, estimand


def test_the_symmetric_interval_would_fail_where_events_are_rare() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    drawn = study.simulate(study.Setting(10, 30, 0.02, 0.05, 0.0), 3000, rng)
    found = study.sizes(drawn, "generalised")
    assert found.t_loss > 0.06 > found.loss


def test_three_labs_need_the_caution_about_degrees_of_freedom() -> None:
    """Labs that react to the language differently: the rates' degrees of freedom are many."""
    rng = np.random.Generator(np.random.PCG64(6))
    drawn = study.simulate(study.Setting(3, 100, 0.5, 0.0, 0.3), 6000, rng)
    found = study.tests(drawn.cells, "generalised")
    error = clipped_variance(mean_squares(drawn.cells))
    bold = replace(found, df=degrees_of_freedom(error))
    size = [
        (2 * np.minimum(each.p_at_least(0.0), each.p_at_most(0.0)) < 0.05).mean()
        for each in (found, bold)
    ]
    assert size[0] < 0.06 < size[1]


@pytest.mark.parametrize("estimand", BOTH)
def test_many_repetitions_at_once_are_what_difference_computes(estimand: Estimand) -> None:
    rng = np.random.Generator(np.random.PCG64(2))
    cells = study.simulate(study.Setting(3, 12, 0.1, 0.05, 0.3), 30, rng).cells
    cells[0] = 0.0
    found = study.tests(cells, estimand)
    nulls = found.p_at_least(0.1)
    for j, each in enumerate(cells):
        first = crossing(np.maximum(each, 0.0))
        result = difference(first, crossing(np.maximum(-each, 0.0)), estimand)
        assert isinstance(result, Difference)
        assert result.p_at_least(0.1) == pytest.approx(nulls[j])
        assert result.upper == pytest.approx(float(found.upper(0.025)[j]))
