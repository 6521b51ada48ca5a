# SPDX-License-Identifier: Apache-2.0
import pytest
from turning_cells import FINDING, PLAIN

from countermark.exercise.explaining.error_shares import error_shares
from countermark.records.finding import FindingCell
from countermark.records.finding_figures import Components

PARTS = Components(
    s2_lab=0.02, s2_item=0.1, s2_lab_item=0.01, s2_epoch=0.08, ms_lab=3.0, ms_item=2.0,
    ms_lab_item=0.3, epochs=2.0,
)  # fmt: skip


def with_components(components: Components | None) -> FindingCell:
    figures = tuple(
        one.model_copy(update={"components": components, "labs": 5, "items": 40})
        for one in PLAIN.figures
    )
    return PLAIN.model_copy(update={"figures": figures})


def test_rule_1_parts_are_those_of_the_formula() -> None:
    found = error_shares(with_components(PARTS))
    wanted = [0.02 / 5, 0.1 / 40, 0.01 / 200, 0.08 / 400]
    assert [one.variance for one in found] == pytest.approx(wanted)
    assert sum(one.share for one in found) == pytest.approx(1)


def test_rule_2_one_epoch_leaves_three_parts() -> None:
    once = PARTS.model_copy(update={"s2_lab_item": None, "s2_epoch": None})
    found = error_shares(with_components(once))
    assert len(found) == 3
    assert found[2].variance == pytest.approx(0.3 / 200)


def test_rule_3_a_variance_below_nothing_is_nothing() -> None:
    found = error_shares(with_components(PARTS.model_copy(update={"s2_lab": -0.01})))
    assert found[0].share == 0


def test_a_cell_without_components_has_no_shares() -> None:
    assert error_shares(with_components(None)) == ()
    assert all(not error_shares(cell) for cell in FINDING.cells if not cell.figures)
