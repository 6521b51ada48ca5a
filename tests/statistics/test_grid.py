# SPDX-License-Identifier: Apache-2.0
"""Scores of a whole exercise, reduced."""

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.statistics import BINARY, Grid, Group, Scale, StatisticsError
from countermark.statistics import grid as module


@dataclass
class Rows:
    """Columns of a table."""

    lab: list[str] = field(default_factory=list)
    model: list[str] = field(default_factory=list)
    language: list[str] = field(default_factory=list)
    task: list[str] = field(default_factory=list)
    item: list[str] = field(default_factory=list)
    epoch: list[int] = field(default_factory=list)
    scorer: list[str] = field(default_factory=list)
    score: list[float] = field(default_factory=list)

    def add(self, lab: str, model: str, language: str, item: str, epoch: int, score: float) -> None:
        for name, value in (
            ("lab", lab),
            ("model", model),
            ("language", language),
            ("task", "leak"),
            ("item", item),
            ("epoch", epoch),
            ("scorer", "rule"),
            ("score", score),
        ):
            getattr(self, name).append(value)

    def columns(self, order: Any = None) -> dict[str, Any]:
        rows = range(len(self.lab)) if order is None else order
        return {one.name: [getattr(self, one.name)[j] for j in rows] for one in fields(self)}


def drawn(seed: int = 1, scale: Scale = BINARY) -> Rows:
    rng = np.random.default_rng(seed)
    rows = Rows()
    for lab in ("gb", "jp", "sg"):
        for language in ("en", "sw"):
            for number in range(6):
                for epoch in range(2):
                    if rng.random() < 0.9:
                        score = (
                            rng.choice(scale.levels)
                            if scale.levels
                            else rng.uniform(scale.lower, scale.upper)
                        )
                        rows.add(lab, "m1", language, f"q{number}", epoch, float(score))
    return rows


def whole(grid: Grid) -> tuple[Any, ...]:
    levels = None if grid.by_level is None else grid.by_level.tolist()
    arrays = (grid.group, grid.item, grid.count, grid.total, grid.square)
    return (grid.scale, grid.groups, grid.items, levels, *(array.tolist() for array in arrays))


SCALES = (BINARY, Scale.ordinal(0, 1, 3), Scale.continuous(-2, 2))


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.kind)
def test_rule_1_scores_are_added_up_on_their_scale(scale: Scale) -> None:
    rows = drawn(scale=scale)
    grid = Grid.from_rows(**rows.columns(), scale=scale)
    group = Group("jp", "m1", "sw", "leak", "rule")
    mine = (grid.group == grid.groups.index(group)) & (grid.item == grid.items.index("q3"))
    scores = [
        (score - scale.lower) / scale.width
        for lab, language, item, score in zip(
            rows.lab, rows.language, rows.item, rows.score, strict=True
        )
        if (lab, language, item) == ("jp", "sw", "q3")
    ]
    assert scores
    assert grid.count[mine].tolist() == [len(scores)]
    assert grid.total[mine] == pytest.approx(sum(scores))
    assert grid.square[mine] == pytest.approx(sum(score**2 for score in scores))


def test_rule_1_a_score_off_the_scale_is_refused() -> None:
    columns = drawn().columns()
    for wrong in (0.5, math.nan, -1, 2):
        with pytest.raises(StatisticsError, match="row 0"):
            Grid.from_rows(**{**columns, "score": [wrong, *columns["score"][1:]]})


def test_rule_2_a_copy_of_a_row_is_refused() -> None:
    rows = drawn()
    rows.add("sg", "m1", "sw", "q5", 7, 1)
    rows.add("sg", "m1", "sw", "q5", 7, 0)
    with pytest.raises(StatisticsError, match=r"same epoch: item 'q5' of model 'm1'.*at lab 'sg'"):
        Grid.from_rows(**rows.columns())
    # Epochs that are far apart take another way through the code.
    far = [epoch + 2**52 if epoch == 7 else epoch for epoch in rows.epoch]
    with pytest.raises(StatisticsError, match="same epoch: item 'q5'"):
        Grid.from_rows(**{**rows.columns(), "epoch": far})
    far[-1] += 1
    assert Grid.from_rows(**{**rows.columns(), "epoch": far}).count.sum() == len(far)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_rule_3_the_order_of_rows_changes_nothing(data: st.DataObject) -> None:
    scale = data.draw(st.sampled_from(SCALES))
    rows = drawn(data.draw(st.integers(0, 50)), scale)
    order = data.draw(st.permutations(range(len(rows.lab))))
    there = Grid.from_rows(**rows.columns(), scale=scale)
    assert whole(Grid.from_rows(**rows.columns(order), scale=scale)) == whole(there)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_rule_3_merging_parts_gives_the_whole(data: st.DataObject) -> None:
    """However rows are dealt to logs, whatever their order."""
    scale = data.draw(st.sampled_from(SCALES[:2]))
    rows = drawn(data.draw(st.integers(0, 50)), scale)
    dealt = data.draw(st.lists(st.integers(0, 2), min_size=len(rows.lab), max_size=len(rows.lab)))
    parts = []
    for number in range(3):
        order = [j for j, part in enumerate(dealt) if part == number]
        if order:
            parts.append(Grid.from_rows(**rows.columns(order), scale=scale))
    first, *others = data.draw(st.permutations(parts))
    merged, straight = first.merge(*others), Grid.from_rows(**rows.columns(), scale=scale)
    if scale.kind == "binary":
        assert whole(merged) == whole(straight)
    assert merged.groups == straight.groups
    assert merged.items == straight.items
    np.testing.assert_array_equal(merged.count, straight.count)
    np.testing.assert_allclose(merged.total, straight.total, rtol=1e-14)
    np.testing.assert_allclose(merged.square, straight.square, rtol=1e-14)


def test_rule_4_a_weight_is_how_many_equal_samples_a_row_stands_for() -> None:
    columns = drawn().columns()
    rows = len(columns["lab"])
    twice = Grid.from_rows(**columns, weight=[2] * rows)
    once = Grid.from_rows(**columns)
    assert twice.count.tolist() == (2 * once.count).tolist()
    assert twice.total.tolist() == (2 * once.total).tolist()
    first = Grid.from_rows(**columns, weight=[1] + [0] * (rows - 1))
    assert (len(first.groups), len(first.items), first.count.tolist()) == (1, 1, [1])
    for wrong in (-1, 0.5, math.nan, math.inf):
        with pytest.raises(StatisticsError, match=r"weight .* in row 0 is not a whole number"):
            Grid.from_rows(**columns, weight=[wrong] + [1] * (rows - 1))
    with pytest.raises(StatisticsError, match="not one scored sample"):
        Grid.from_rows(**columns, weight=[0] * rows)


def test_rule_5_merging_a_grid_with_itself_counts_twice() -> None:
    grid = Grid.from_rows(**drawn().columns())
    assert grid.merge(grid).count.tolist() == (2 * grid.count).tolist()


def test_rule_5_scales_do_not_mix() -> None:
    grid = Grid.from_rows(**drawn().columns())
    other = Grid.from_rows(**drawn(scale=SCALES[1]).columns(), scale=SCALES[1])
    with pytest.raises(StatisticsError, match="Merge grids of one scale"):
        grid.merge(other)


def test_rule_6_a_million_labs_are_held_but_no_table_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LARGEST_TABLE", 99)
    grid = Grid.from_rows(
        lab=[f"lab{j}" for j in range(10)],
        model="m",
        language="en",
        task="t",
        item=[f"q{j}" for j in range(10)],
        epoch=[0] * 10,
        scorer="s",
        score=[1] * 10,
    )
    assert len(grid.count) == 10
    with pytest.raises(StatisticsError, match="larger than 99 cells"):
        grid.dense()


def test_sums_made_elsewhere_give_the_same_grid() -> None:
    for scale in SCALES:
        straight = Grid.from_rows(**drawn(scale=scale).columns(), scale=scale)
        raw = straight.total * scale.width + straight.count * scale.lower
        square = (
            straight.square * scale.width**2
            + 2 * scale.lower * straight.total * scale.width
            + straight.count * scale.lower**2
        )
        taken = Grid.from_cells(
            lab=[straight.groups[g].lab for g in straight.group],
            model="m1",
            language=[straight.groups[g].language for g in straight.group],
            task="leak",
            scorer="rule",
            item=[straight.items[i] for i in straight.item],
            count=straight.count,
            total=raw,
            square=None if scale.kind == "binary" else square,
            by_level=straight.by_level,
            scale=scale,
        )
        assert taken.groups == straight.groups
        np.testing.assert_allclose(taken.total, straight.total, atol=1e-12)
        np.testing.assert_allclose(taken.square, straight.square, atol=1e-12)


CELL: dict[str, Any] = {
    "lab": "gb",
    "model": "m",
    "language": "en",
    "task": "t",
    "scorer": "s",
    "item": ["q1", "q2"],
    "count": [2, 2],
    "total": [1, 2],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"item": ["q1", "q1"]}, "same cell: item 'q1'"),
        ({"total": [1, 3]}, "No scores of this scale have the sums of row 1"),
        ({"total": [1, math.nan]}, "not 2 finite numbers"),
        ({"count": [2, -1]}, "count -1 in row 1"),
        ({"count": [0, 0], "total": [0, 0]}, "not one scored sample"),
        ({"item": ["q1"]}, "1 entries in the column 'item' and 2 rows"),
        ({"item": ["q1", ""]}, "empty or no text"),
        ({"by_level": [[1, 1], [0, 2]]}, "only there"),
        ({"scale": Scale.continuous(0, 1)}, "sums of squares"),
        ({"scale": Scale.ordinal(0, 1, 2)}, "Counts by level are needed"),
        (
            {"scale": Scale.ordinal(0, 1, 2), "by_level": [[1, 1, 0], [1, 0, 0]]},
            "do not add up",
        ),
        ({"scale": Scale.ordinal(0, 1, 2), "by_level": [[1, 1], [1, 1]]}, "shape"),
    ],
)
def test_impossible_sums_are_refused(change: dict[str, Any], message: str) -> None:
    assert Grid.from_cells(**CELL).count.tolist() == [2, 2]
    with pytest.raises(StatisticsError, match=message):
        Grid.from_cells(**{**CELL, **change})


def test_columns_are_equally_long_and_numbers_are_numbers() -> None:
    columns = drawn().columns()
    for name in ("lab", "item", "epoch"):
        with pytest.raises(StatisticsError, match=r"Give one a row\."):
            Grid.from_rows(**{**columns, name: columns[name][1:]})
    with pytest.raises(StatisticsError, match="something else than numbers"):
        Grid.from_rows(**{**columns, "epoch": ["one"] * len(columns["lab"])})
    with pytest.raises(StatisticsError, match="Give one a row"):
        Grid.from_rows(**columns, weight=[1])


def test_a_crossing_is_one_cell_of_every_lab() -> None:
    rows = drawn()
    grid = Grid.from_rows(**rows.columns())
    crossing = grid.crossing(language="sw")
    assert crossing.labs == ("gb", "jp", "sg")
    scored = sum(language == "sw" for language in rows.language)
    assert crossing.count.sum() == scored
    with pytest.raises(StatisticsError, match="one of the languages en, sw"):
        grid.crossing()
    with pytest.raises(StatisticsError, match="nothing of language 'fr'"):
        grid.crossing(language="fr")


def test_what_is_picked_keeps_its_scores() -> None:
    grid = Grid.from_rows(**drawn().columns())
    assert grid.languages == ("en", "sw")
    assert (grid.models, grid.tasks, grid.scorers) == (("m1",), ("leak",), ("rule",))
    part = grid.pick(lab=("gb", "sg"), language="en")
    assert part.labs == ("gb", "sg")
    assert part.languages == ("en",)
    rest = grid.pick(lab="jp").merge(grid.pick(lab=("gb", "sg"), language="sw"), part)
    assert whole(rest) == whole(grid)


def test_a_dense_table_has_zeros_where_nothing_was_scored() -> None:
    grid = Grid.from_rows(**drawn(scale=SCALES[1]).columns(), scale=SCALES[1])
    table = grid.dense()
    assert table.count.sum() == grid.count.sum()
    assert table.by_level is not None
    np.testing.assert_array_equal(table.by_level.sum(axis=2), table.count)
    assert (table.total[table.count == 0] == 0).all()
    assert not grid.total.flags.writeable
