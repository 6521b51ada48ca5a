# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace

import pytest
from exercise_joint import Scored, Values, control_passed, finding_of
from exercise_small import small_protocol
from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.joint.recheck import Comparison, compare
from countermark.records.finding import Finding, FindingCell
from countermark.records.finding_figures import Figure
from countermark.records.sample import SampleKey

LABS = ("GB-simulated", "JP-simulated", "SG-simulated")


def varied(shift: int) -> Values:
    def value(key: SampleKey) -> Scored:
        if control_passed(key):
            return 1.0
        return float((sum(key.item.encode()) + shift + key.epoch) % 3 == 0)

    return value


OWN = finding_of(small_protocol(), {lab: varied(number) for number, lab in enumerate(LABS)})
FIRST = "cells[0].figures[0].value"


def with_cell(change: Callable[[FindingCell], FindingCell], finding: Finding = OWN) -> Finding:
    """Return a finding whose first cell was changed."""
    cells = (change(finding.cells[0]), *finding.cells[1:])
    return finding.model_copy(update={"cells": cells})


def with_figure(change: Callable[[Figure], Figure], finding: Finding = OWN) -> Finding:
    """Return a finding whose first figure was changed."""

    def first(cell: FindingCell) -> FindingCell:
        return cell.model_copy(update={"figures": (change(cell.figures[0]), *cell.figures[1:])})

    return with_cell(first, finding)


def scaled(factor: float) -> Finding:
    return with_figure(lambda one: one.model_copy(update={"value": one.value * factor}))


def places(found: Comparison) -> list[str]:
    assert found.agrees == (not found.disagreements)
    return [one.where for one in found.disagreements]


def numbers(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(numbers, value.values()))
    if isinstance(value, list):
        return sum(map(numbers, value))
    return int(isinstance(value, float))


def test_a_finding_agrees_with_itself_and_with_its_own_file() -> None:
    read = Finding.from_bytes(OWN.to_bytes(), where="file")
    for published in (OWN, read):
        found = compare(published, OWN)
        assert found.agrees
        assert found.largest_difference == 0
        assert found.figures == numbers(OWN.to_value()) > 100


def test_rule_1_a_difference_within_the_relative_tolerance_agrees() -> None:
    found = compare(scaled(1 + 5e-7), OWN)
    assert found.agrees
    assert found.largest_difference == pytest.approx(5e-7, rel=1e-4)


@pytest.mark.parametrize("factor", [1 + 5e-6, 1 - 5e-6, 0.5])
def test_rule_1_a_difference_beyond_it_is_found_with_its_path(factor: float) -> None:
    published = scaled(factor)
    found = compare(published, OWN)
    assert places(found) == [FIRST]
    assert found.disagreements[0].published == published.cells[0].figures[0].value
    assert found.disagreements[0].own == OWN.cells[0].figures[0].value


@given(st.floats(min_value=-1e-5, max_value=1e-5).filter(lambda d: abs(abs(d) - 1e-6) > 1e-9))
def test_rule_1_the_tolerance_is_of_the_larger(difference: float) -> None:
    value = OWN.cells[0].figures[0].value
    gap = abs(value * (1 + difference) - value)
    agrees = gap <= max(1e-6 * max(value, value * (1 + difference)), 1e-9)
    assert compare(scaled(1 + difference), OWN).agrees == agrees


def test_rule_1_tiny_figures_agree_by_the_absolute_tolerance() -> None:
    def bent(se: float) -> Finding:
        return with_figure(lambda one: one.model_copy(update={"se": se}))

    assert compare(bent(2e-10), bent(9e-10)).agrees
    assert places(compare(bent(2e-10), bent(2e-9))) == ["cells[0].figures[0].se"]


@pytest.mark.parametrize("wide", [{"relative_tolerance": 5.0}, {"absolute_tolerance": 1.0}])
def test_rule_1_a_published_finding_cannot_widen_the_tolerance(wide: dict[str, float]) -> None:
    dishonest = scaled(0.5).model_copy(update=wide)
    found = compare(dishonest, OWN)
    assert set(places(found)) == {FIRST, *wide}


@pytest.mark.parametrize(
    ("field", "value"),
    [("protocol", "sha256:" + "9" * 64), ("demonstration", False), ("significant_digits", 9)],
)
def test_rule_2_everything_else_is_the_same(field: str, value: object) -> None:
    assert places(compare(OWN.model_copy(update={field: value}), OWN)) == [field]


def test_rule_2_a_status_or_a_reason_that_differs() -> None:
    changed = with_cell(lambda one: one.model_copy(update={"status": "not-informative"}))
    found = compare(changed, OWN)
    assert places(found) == ["cells[0].status"]
    assert (found.disagreements[0].published, found.disagreements[0].own) == (None, None)


def test_rule_2_a_count_is_whole_and_exact() -> None:
    def counted(cell: FindingCell) -> FindingCell:
        counts = cell.counts.model_copy(update={"answered": cell.counts.answered + 1})
        return cell.model_copy(update={"counts": counts})

    found = compare(with_cell(counted), OWN)
    assert places(found) == ["cells[0].counts.answered"]
    assert found.disagreements[0].published == OWN.cells[0].counts.answered + 1


def test_rule_2_true_is_not_1() -> None:
    one, true = (
        Finding.from_value({**OWN.to_value(), "extra": extra}, where="x") for extra in (1, True)
    )
    assert places(compare(one, true)) == ["extra"]
    assert compare(true, true).agrees


def test_rule_3_a_missing_cell_is_found() -> None:
    fewer = OWN.model_copy(update={"cells": OWN.cells[:-1]})
    last = f"cells[{len(OWN.cells) - 1}]"
    assert places(compare(fewer, OWN)) == [last]
    assert places(compare(OWN, fewer)) == [last]


def test_rule_3_a_missing_figure_is_found() -> None:
    def fewer(cell: FindingCell) -> FindingCell:
        return cell.model_copy(update={"figures": cell.figures[:-1]})

    count = len(OWN.cells[0].figures)
    assert places(compare(with_cell(fewer), OWN)) == [f"cells[0].figures[{count - 1}]"]


def test_rule_3_a_field_that_one_lacks_is_found() -> None:
    bare = with_figure(lambda one: one.model_copy(update={"se": None}))
    for pair in ((bare, OWN), (OWN, bare)):
        found = compare(*pair)
        assert places(found) == ["cells[0].figures[0].se"]
        said = found.disagreements[0]
        assert {said.published, said.own} == {None, OWN.cells[0].figures[0].se}


def test_the_largest_difference_is_among_those_that_agree() -> None:
    small = with_figure(lambda one: one.model_copy(update={"se": (one.se or 0) * (1 + 3e-7)}))
    both = with_figure(lambda one: one.model_copy(update={"value": 0.0}), small)
    found = compare(both, OWN)
    assert places(found) == [FIRST]
    assert found.largest_difference == pytest.approx(3e-7, rel=1e-4)
    assert replace(found, disagreements=()).agrees
