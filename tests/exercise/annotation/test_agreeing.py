# SPDX-License-Identifier: Apache-2.0
import pytest

from countermark.exercise.annotation.agreeing import live_agreement

TWO = ("rater-1", "rater-2")


def pairs(*counts: tuple[str, str, int]) -> list[dict[str, str]]:
    return [dict(zip(TWO, (one, two), strict=True)) for one, two, n in counts for _ in range(n)]


def test_the_coefficients_are_those_of_a_table_worked_by_hand() -> None:
    # 45 of 50 agree; each rater says yes of half: chance is one half for kappa.
    counts = (("yes", "yes", 22), ("no", "no", 23), ("yes", "no", 3), ("no", "yes", 2))
    found = live_agreement(pairs(*counts), TWO)
    by_name = {figure.name: figure for figure in found.figures}
    assert found.answers == 50
    assert by_name["Share of pairs that agree"].value == pytest.approx(0.9)
    assert by_name["Cohen’s kappa"].value == pytest.approx(0.8, abs=0.001)
    for figure in found.figures:
        assert figure.lower is not None
        assert figure.upper is not None
        assert figure.value is not None
        assert figure.lower < figure.value < figure.upper
        assert figure.text == f"{figure.value:.2f} ({figure.lower:.2f} to {figure.upper:.2f})"


def test_without_a_pair_it_says_why_there_is_nothing() -> None:
    for labels in ([], [{"rater-1": "yes"}], pairs(("yes", "unsure", 3))):
        found = live_agreement(labels, TWO)
        assert found.answers == 0
        assert {one.value for one in found.figures} == {None}
        assert all(one.text.startswith("not computable because") for one in found.figures)
    assert live_agreement([], ()).answers == 0


def test_one_level_alone_gives_the_share_and_no_coefficient() -> None:
    found = live_agreement(pairs(("no", "no", 5)), TWO)
    share, *others = found.figures
    assert share.value == 1
    assert share.lower is not None
    assert all("Only one level occurs" in figure.text for figure in others)


def test_unsure_is_no_rating_and_cohen_is_for_two() -> None:
    found = live_agreement([{"a": "yes", "b": "yes", "c": "unsure"}, {"a": "no", "c": "no"}], "abc")
    assert found.answers == 2
    assert "Cohen’s kappa" not in {figure.name for figure in found.figures}
