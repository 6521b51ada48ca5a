# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from countermark.statistics import (
    JudgeRepeatability,
    NotComputable,
    StatisticsError,
    clopper_pearson,
    judge_repeatability,
)

NAN: float = float("nan")


def computed(result: JudgeRepeatability | NotComputable) -> JudgeRepeatability:
    assert isinstance(result, JudgeRepeatability)
    return result


def drawn(rng: np.random.Generator, answers: int, sessions: int, shift: float = 0.0) -> np.ndarray:
    """Half of the answers are clear; the others come out as events with chance 0.3."""
    chance = np.where(rng.random(answers) < 0.5, 0.3, 0.0)[:, None]
    chance = np.clip(chance + shift * rng.normal(size=sessions), 0, 1)
    return (rng.random((answers, sessions)) < chance).astype(float)


def test_figures_by_hand() -> None:
    found = computed(judge_repeatability([[0, 0], [1, 1], [0, 1], [1, 0]]))
    assert found.flips == 0.5
    assert found.flip_interval == clopper_pearson(2, 4)
    assert found.differ == 0.5
    # Two answers have a variance of 1/2 between verdicts; one degree of freedom goes to sessions.
    assert found.s2_chance == pytest.approx(1 / 3)
    assert found.s2_session == 0
    assert found.adds(100) == pytest.approx(1 / 300)
    assert found.adds(100, 4) == pytest.approx(1 / 1200)


def test_rule_1_answers_with_an_unread_verdict_are_left_out_and_counted() -> None:
    table: list[list[float]] = [[0, 0], [1, 1], [0, 1], [1, NAN], [NAN, NAN]]
    found = computed(judge_repeatability(table))
    assert (found.answers, found.sessions, found.unread) == (3, 2, 2)
    short: list[list[list[float]]] = [[[0, 1]], [[0], [1], [1]], [[0, NAN], [1, NAN], [1, 1]]]
    for few in short:
        assert isinstance(judge_repeatability(few), NotComputable)


def test_rule_2_flips_grow_with_sessions_and_unlike_pairs_do_not() -> None:
    rng = np.random.default_rng(1)
    two, six = (computed(judge_repeatability(drawn(rng, 4000, r))) for r in (2, 6))
    assert six.flips > 1.5 * two.flips
    assert two.differ == pytest.approx(0.21, abs=0.03)
    assert six.differ == pytest.approx(0.21, abs=0.02)


def test_rule_3_the_interval_holds_the_variance() -> None:
    """Half of the answers vary with 0.3 * 0.7, so the mean variance is 0.105."""
    rng, hits = np.random.default_rng(2), []
    for _ in range(600):
        found = computed(judge_repeatability(drawn(rng, 100, 3))).s2_chance_interval
        hits.append(found.lower <= 0.105 <= found.upper)
    assert 0.92 < np.mean(hits) < 0.985


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_rule_3_what_it_adds_is_the_variance_of_the_mean(shift: float) -> None:
    """Between two sessions on the same answers, the mean differs with twice that variance."""
    rng = np.random.default_rng(3)
    tables = [drawn(rng, 60, 4, shift) for _ in range(800)]
    found = [computed(judge_repeatability(table)) for table in tables]
    # Without a shift, s2_session is chance that was not cut off at 0.
    added = np.mean([one.adds(60) if shift else one.s2_chance / 60 for one in found])
    apart = np.array([table[:, 0].mean() - table[:, 1].mean() for table in tables])
    assert added == pytest.approx(np.mean(apart**2) / 2, rel=0.15)


def test_rule_4_no_flip_is_bounded_exactly() -> None:
    found = computed(judge_repeatability([[0, 0, 0], [1, 1, 1]] * 25))
    assert (found.flips, found.s2_chance, found.share) == (0, 0, 0)
    assert found.s2_chance_interval.lower == 0
    assert found.s2_chance_interval.upper == pytest.approx(clopper_pearson(0, 50).upper / 2)


def test_rule_5_a_shifted_session_is_told_from_chance() -> None:
    rng = np.random.default_rng(4)
    steady = computed(judge_repeatability(drawn(rng, 3000, 8)))
    shifted = computed(judge_repeatability(drawn(rng, 3000, 8, shift=0.1)))
    assert steady.s2_session < 2e-4
    assert shifted.s2_session > 10 * steady.s2_session
    assert shifted.adds(10**9) == pytest.approx(shifted.s2_session, rel=1e-3)


def test_graded_verdicts_are_compared_too() -> None:
    found = computed(judge_repeatability([[0.2, 0.3], [0.9, 0.7], [0.5, 0.5], [0.1, 0.2]]))
    assert 0 < found.share < 0.2
    assert 0 < found.s2_chance_interval.lower < found.s2_chance < found.s2_chance_interval.upper


@pytest.mark.parametrize("table", [[[0, 2]], [[0, -1]], [0, 1]])
def test_bad_verdicts_are_refused(table: list[object]) -> None:
    with pytest.raises(StatisticsError, match="scores from 0 to 1"):
        judge_repeatability(table)  # type: ignore[arg-type]


def test_no_answer_has_no_mean() -> None:
    found = computed(judge_repeatability([[0, 0], [1, 1]]))
    with pytest.raises(StatisticsError, match="have no mean"):
        found.adds(0)
