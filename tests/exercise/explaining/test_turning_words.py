# SPDX-License-Identifier: Apache-2.0
from turning_cells import FINDING, PLAIN, turned, with_figure

from countermark.exercise.explaining.turning_words import choice_words, would_change
from countermark.exercise.explaining.wording import percent, points


def test_what_turns_is_named_with_the_lab_and_how_far() -> None:
    lead = turned(PLAIN).leading
    cell = with_figure(PLAIN, value=0.0, lower=0.0)
    lab = next(one.without_lab for one in cell.figures if one.without_lab)
    text = " ".join(would_change(cell))
    assert f"without {lab}" in text
    assert percent(0.0) in text
    assert f"{points(lead.value)} less" in text
    assert "move the rate out of its interval" in text


def test_where_nothing_turns_it_says_so_and_how_many_choices_there_were() -> None:
    found = turned(PLAIN)
    lead = found.leading
    same = {"value": lead.value, "lower": lead.lower, "upper": lead.upper}
    figures = tuple(one.model_copy(update=same) for one in PLAIN.figures)
    cell = PLAIN.model_copy(update={"figures": figures, "methods": ()})
    text = " ".join(would_change(cell))
    assert f"None of the {len(figures) - 1} other choices" in text


def test_a_choice_is_named_only_as_far_as_it_differs() -> None:
    found = turned(PLAIN)
    for choice in found.choices:
        words = choice_words(choice, found)
        assert words
        assert ("without" in words) is (choice.without_lab is not None)
        assert ("on these items alone" in words) is (choice.estimand == "benchmark")


def test_a_cell_without_a_rate_says_what_would_give_one() -> None:
    cell = next(one for one in FINDING.cells if one.status == "judge-not-validated")
    assert list(would_change(cell)) == [
        "What would give a result here: answers in this language that people have labelled."
    ]
