# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from itertools import starmap

from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.reading.found import FoundRun, FoundSample, FoundScore, Trajectory
from countermark.exercise.reading.summary import RunSummary, summarise

SCORED = FoundScore("a", "scored", 1.0)
UNPARSED = FoundScore("a", "unparsed")
ABSENT = FoundScore("a", "not-attempted")


def summary_of(samples: Sequence[FoundSample], submitted: int | None = None) -> RunSummary:
    return summarise(
        FoundRun("f", "inspect", None, "m", "t", lambda: iter(samples), submitted=submitted)
    )


def test_rule_1_submitted_is_what_is_told_or_known() -> None:
    two = [FoundSample("x", 1, "answered"), FoundSample("y", 1, "missing")]
    assert summary_of(two).submitted == 2
    assert summary_of(two, 5).submitted == 5
    assert summary_of(two, 1).submitted == 2


def test_rule_2_what_is_not_in_the_log_is_missing() -> None:
    found = summary_of([FoundSample("x", 1, "answered"), FoundSample("y", 1, "missing")], 5)
    assert found.outcomes == {"answered": 1, "refused": 0, "errored": 0, "missing": 4}
    assert (found.samples, found.items, found.epochs) == (1, 1, 1)


def test_rule_3_a_score_that_few_samples_have_was_not_attempted_in_the_others() -> None:
    found = summary_of([FoundSample("x", 1, "answered", (SCORED,)), FoundSample("y", 1, "errored")])
    assert found.scores["a"].not_attempted == 1


def test_rule_4_a_mean_is_of_the_scored() -> None:
    half = FoundScore("a", "scored", 0.5)
    samples = [FoundSample("x", 1, "answered", (one,)) for one in (SCORED, half, UNPARSED, ABSENT)]
    assert summary_of(samples).scores["a"].mean == 0.75
    assert summary_of(samples[2:]).scores["a"].mean is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["answered", "refused", "errored", "missing"]),
            st.lists(st.sampled_from([SCORED, UNPARSED, ABSENT]), max_size=1),
        ),
        max_size=12,
    ),
    st.none() | st.integers(0, 20),
)
def test_rules_2_and_3_each_axis_sums_to_what_was_submitted(
    drawn: list[tuple[str, list[FoundScore]]], submitted: int | None
) -> None:
    def sample(outcome: str, scores: list[FoundScore]) -> FoundSample:
        return FoundSample("x", 1, outcome, tuple(scores))  # type: ignore[arg-type]

    found = summary_of(list(starmap(sample, drawn)), submitted)
    assert sum(found.outcomes.values()) == found.submitted
    for score in found.scores.values():
        assert score.scored + score.unparsed + score.not_attempted == found.submitted
        assert score.not_attempted >= 0


def test_trajectories_and_notes() -> None:
    edited = FoundScore("a", "scored", 1.0, history=(0,))
    one = FoundSample(
        "x", 1, "answered", (edited,), trajectory=Trajectory(3, 1, 1, "token"), retries=2
    )
    found = summary_of([one, one])
    assert found.trajectory is not None
    assert (found.trajectory.tool_calls, found.trajectory.limits) == (6, {"token": 2})
    assert [note.partition(" samples ")[0] for note in found.notes] == ["2", "2"]
