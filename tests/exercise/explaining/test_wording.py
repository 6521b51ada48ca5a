# SPDX-License-Identifier: Apache-2.0
from countermark.exercise.explaining.wording import SPACE, counted, ended, percent, points, signed


def test_figures_never_break_between_number_and_unit() -> None:
    assert percent(0.123) == f"12.3{SPACE}%"
    assert percent(0.95, 0) == f"95{SPACE}%"
    assert points(-0.031) == f"3.1{SPACE}points"
    assert signed(-0.031) == f"-3.1{SPACE}points"
    assert signed(0.002) == f"+0.2{SPACE}points"


def test_counts_and_sentences() -> None:
    assert (counted(1, "lab"), counted(3, "item")) == ("1 lab", "3 items")
    assert ended("no labels.") == ended("no labels") == "No labels."
