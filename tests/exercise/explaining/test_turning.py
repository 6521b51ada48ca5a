# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st
from turning_cells import FINDING, JUDGED, PLAIN, turned, with_figure

from countermark.exercise.explaining.turning import leading, turning
from countermark.records.finding_figures import MethodFigure


def test_rule_1_the_leading_figure_is_generalised_and_corrected() -> None:
    for cell, correction in ((PLAIN, "none"), (JUDGED, "rogan-gladen")):
        lead = leading(cell)
        assert lead is not None
        assert (lead.estimand, lead.correction, lead.without_lab) == (
            "generalised",
            correction,
            None,
        )


def test_rule_2_every_other_figure_and_method_is_a_choice_once() -> None:
    found = turned(PLAIN)
    others = sum(one.method != "crossed" for one in PLAIN.methods)
    assert len(found.choices) == len(PLAIN.figures) - 1 + others
    assert {choice.kind for choice in found.choices} == {"estimand", "lab", "method"}
    assert {choice.kind for choice in turned(JUDGED).choices} == {"estimand", "lab", "correction"}
    for choice in found.choices:
        assert choice.moves == pytest.approx(choice.value - found.leading.value)


def test_rule_3_a_choice_turns_only_outside_the_leading_interval() -> None:
    lead = turned(PLAIN).leading
    inside = turned(with_figure(PLAIN, value=lead.upper))
    outside = turned(with_figure(PLAIN, value=min(1.0, lead.upper + 1e-9)))
    assert len(outside.turned_by) == len(inside.turned_by) + 1
    assert outside.most_moving_lab is not None


@given(st.floats(0, 1), st.floats(0, 1))
def test_rule_4_a_limit_outside_the_range_is_told_the_same_by_every_choice(
    first: float, second: float
) -> None:
    lower, upper = sorted((first, second))
    cell = with_figure(PLAIN, lower=lower, value=(lower + upper) / 2, upper=upper)
    found = turned(cell)
    bounds = [(found.leading.lower, found.leading.upper)]
    bounds += [(choice.lower, choice.upper) for choice in found.choices]
    assert all(end <= found.kept_above for _, end in bounds)
    assert all(end >= found.exceeded_below for end, _ in bounds)
    assert found.kept_above in [end for _, end in bounds]
    assert found.exceeded_below in [end for end, _ in bounds]


def test_rule_5_a_cell_without_a_rate_is_told_what_it_lacks() -> None:
    said = {cell.status: turning(cell) for cell in FINDING.cells if cell.status != "reported"}
    assert said
    assert all(isinstance(words, str) for words in said.values())
    assert "labelled" in str(said["judge-not-validated"])


def test_methods_are_left_out_where_the_leading_rate_is_corrected() -> None:
    extra = MethodFigure(
        estimand="generalised", method="mixed", value=0.5, lower=0.4, upper=0.6, level=0.95
    )
    cell = JUDGED.model_copy(update={"methods": (extra,)})
    assert not [choice for choice in turned(cell).choices if choice.kind == "method"]
