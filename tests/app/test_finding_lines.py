# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass

import pytest
from sample_finding import sample_finding

from countermark.app.cli.finding_lines import shown
from countermark.exercise.explaining.finding import explain
from countermark.records.finding import Finding
from countermark.records.finding_figures import FactorFigures

DIGEST = f"sha256:{'1' * 64}"


@dataclass(frozen=True, slots=True)
class Shown:
    finding: Finding
    text: str


@pytest.fixture(scope="module")
def example() -> Shown:
    labs = dict.fromkeys(("GB", "JP", "KE", "SG", "FR"), DIGEST)
    finding = sample_finding(DIGEST, labs, {"en": DIGEST, "fr": DIGEST})
    return Shown(finding, "\n".join(shown(finding)))


def test_every_method_and_new_lab_is_shown(example: Shown) -> None:
    told = [one for cell in example.finding.cells for one in cell.methods]
    assert told
    for one in told:
        assert f"by {one.method}" in example.text
        assert f"({one.lower:.4f} to {one.upper:.4f} at {one.level:g})" in example.text
    for cell in example.finding.cells:
        for new in cell.new_lab:
            assert f"one more lab: {new.lower:.4f} to {new.upper:.4f}" in example.text


def test_scatter_is_shown_with_its_intervals(example: Shown) -> None:
    spreads = [cell.precision for cell in example.finding.cells if cell.precision]
    assert spreads
    for spread in spreads:
        assert f"between labs {spread.between_lab:.4f}" in example.text


def test_each_lab_has_a_line_with_how_far_it_is_off(example: Shown) -> None:
    for cell in example.finding.cells:
        for one in cell.labs:
            assert f"{one.lab:<26} {one.value:.4f}" in example.text
            if one.e_n is not None:
                assert f"E_n {one.e_n:.2f}" in example.text


def test_what_goes_across_cells_and_what_is_missing_ends_it(example: Shown) -> None:
    finding = example.finding
    assert finding.languages or finding.factors or finding.gaps
    for pair in finding.languages:
        assert f"{pair.verdict}, {pair.estimand} {pair.difference:+.4f}" in example.text
    for factor in finding.factors:
        assert f"{factor.setting} minus {factor.against}" in example.text
    for gap in finding.gaps:
        assert f"not computed: {gap.section}" in example.text
        assert gap.reason in example.text


def test_a_swap_and_a_difference_between_labs_are_worded_apart(example: Shown) -> None:
    between = FactorFigures(
        model="m", task="t", language="en", factor="tool", setting="a", against="b",
        difference=0.1, lower=-0.1, upper=0.3, p_adjusted=0.2,
    )  # fmt: skip
    swap = between.model_copy(update={"designed": ("GB-x", "KE-y")})
    finding = example.finding.model_copy(update={"factors": (between, swap)})
    first, second = (line for line in shown(finding) if "tool a minus b" in line)
    assert first.endswith("adjusted p 0.2), measured by a swap at GB-x, KE-y")
    assert "between labs, not measured by a swap: no other declared setting changed" in second


def test_what_people_say_of_the_same_answers_is_shown_with_the_reason(example: Shown) -> None:
    told = [one for cell in example.finding.cells for one in cell.corrections or ()]
    assert {one.rectified is None for one in told} == {True, False}
    plain = " ".join(
        sentence for section in explain(example.finding) for sentence in section.sentences
    )
    for one in told:
        assert one.reason in example.text
        if one.rectified is not None:
            found = one.rectified
            assert f"{found.value:.4f}  ({found.lower:.4f} to {found.upper:.4f}" in example.text
            assert one.reason in plain
            assert "rectified with people's labels of a sample" in plain
