# SPDX-License-Identifier: Apache-2.0
"""All scores of a joint exercise, reduced to what its analysis needs.

A *group* is one lab, model, language, task and scorer. For every group and item that has scores,
the grid holds their number, sum and sum of squares, mapped to 0 to 1, and on an ordinal scale how
often each level came. It needs memory for the cells that exist, not for every group x item.

Rules
-----
1. Every score is on the scale (:mod:`countermark.statistics.scale`).
2. A group, item and epoch has one row. A second one is a copy, and is refused.
3. The order of rows, and of grids that are merged, changes no figure beyond rounding; of scores
   0 and 1 it does not change the last bit. Groups and items are kept in ascending order.
4. The weight of a row is a whole number: how many equal samples it stands for. A row with weight 0
   counts as not there.
5. Merging adds up. Whoever merges the same log twice counts it twice: that two equal sums are
   copies cannot be seen in them.
6. A table of groups x items is made only if it has at most :data:`LARGEST_TABLE` cells.
"""

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import ArrayLike

from countermark.statistics.columns import Floats, Ints, Labels, code, finite, whole
from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.scale import BINARY, Scale

LARGEST_TABLE = 50_000_000

_FACTORS = ("lab", "model", "language", "task", "scorer")
_SLACK = 1e-9  # sums made elsewhere may carry rounding of this relative size


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """What the scores of a group have in common."""

    lab: str
    model: str
    language: str
    task: str
    scorer: str


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A grid as a table, zeros where nothing was scored.

    ``count`` and ``total`` are ``(G, I)``; ``by_level`` is ``(G, I, M)`` on an ordinal scale,
    else ``None``.
    """

    count: Ints
    total: Floats
    square: Floats
    by_level: Ints | None


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The scores of a joint exercise.

    Made by :meth:`from_rows`, :meth:`from_cells` or :meth:`merge`.

    Parameters
    ----------
    scale
        What a score can be.
    groups, items
        Ascending, without doubles, each with at least one score.
    group, item
        ``(C,)``: which group and item each cell is of; sorted by both.
    count, total, square
        ``(C,)``: number, sum and sum of squares of the scores, mapped to 0 to 1.
    by_level
        ``(C, M)``: how often each level came, on an ordinal scale; else ``None``.
    """

    scale: Scale
    groups: tuple[Group, ...]
    items: tuple[str, ...]
    group: Ints
    item: Ints
    count: Ints
    total: Floats
    square: Floats
    by_level: Ints | None

    @classmethod
    def from_rows(
        cls,
        *,
        lab: Labels,
        model: Labels,
        language: Labels,
        task: Labels,
        item: Sequence[str],
        epoch: Sequence[int] | Ints,
        scorer: Labels,
        score: ArrayLike,
        weight: ArrayLike | None = None,
        scale: Scale = BINARY,
    ) -> "Grid":
        """Add up scored samples.

        Parameters
        ----------
        lab, model, language, task, scorer
            One name a row, or one for all rows.
        item, epoch, score
            One a row. Samples that were not scored have no row.
        weight
            How many equal samples the row stands for; else 1.
        scale
            What a score can be.

        Raises
        ------
        StatisticsError
            If a rule of this module is broken, or the columns are not equally long.
        """
        scores = scale.check(score)
        rows = len(scores)
        groups, group = _groups((lab, model, language, task, scorer), rows)
        items, column = code("item", item, rows)
        times = _weights(weight, rows)
        cell = group * len(items) + column
        order = _by_epoch(cell, _epochs(epoch, rows), groups, items)
        cell, scores, times = cell[order], scores[order], times[order]
        kept = times > 0
        if not kept.all():
            cell, scores, times = cell[kept], scores[kept], times[kept]
        if not cell.size:
            raise StatisticsError("There is not one scored sample. Score some answers first.")
        mapped = scale.map(scores)
        levels = None
        if scale.kind == "ordinal":
            levels = np.zeros((cell.size, len(scale.levels)), dtype=np.int64)
            levels[np.arange(cell.size), scale.level_of(scores)] = times
        return cls._added(
            scale, groups, items, cell, times, mapped * times, mapped**2 * times, levels
        )

    @classmethod
    def from_cells(
        cls,
        *,
        lab: Labels,
        model: Labels,
        language: Labels,
        task: Labels,
        item: Sequence[str],
        scorer: Labels,
        count: ArrayLike,
        total: ArrayLike,
        square: ArrayLike | None = None,
        by_level: ArrayLike | None = None,
        scale: Scale = BINARY,
    ) -> "Grid":
        """Take sums that were made elsewhere, one row a group and item.

        Parameters
        ----------
        count, total, square
            ``(n,)``: number, sum and sum of squares of the scores, in scores, not mapped.
            ``square`` may be left out on a binary scale; on an ordinal one, ``by_level`` replaces
            both sums.
        by_level
            ``(n, M)``: how often each level came; on an ordinal scale only, and needed there.

        Raises
        ------
        StatisticsError
            If a group and item has two rows, or no scores can have such sums.
        """
        counts = whole("count", count)
        rows = len(counts)
        groups, group = _groups((lab, model, language, task, scorer), rows)
        items, column = code("item", item, rows)
        cell = group * len(items) + column
        order = np.argsort(cell, kind="stable")
        _refuse_copies(cell[order], groups, items, "cell")
        levels = _levels(by_level, counts, scale)
        if levels is not None:
            mapped = scale.map(np.asarray(scale.levels))
            sums, squares = levels @ mapped, levels @ mapped**2
        else:
            sums = finite("total", total, rows)
            if square is None and scale.kind != "binary":
                raise StatisticsError("On this scale the sums of squares are needed too.")
            squares = sums if square is None else finite("square", square, rows)
            squares = (squares - 2 * scale.lower * sums + counts * scale.lower**2) / scale.width**2
            sums = (sums - counts * scale.lower) / scale.width
        _refuse_impossible(counts, sums, squares)
        kept = order[counts[order] > 0]
        if not kept.size:
            raise StatisticsError("There is not one scored sample. Score some answers first.")
        by = None if levels is None else levels[kept]
        return cls._added(
            scale, groups, items, cell[kept], counts[kept], sums[kept], squares[kept], by
        )

    @classmethod
    def _added(
        cls,
        scale: Scale,
        groups: Sequence[Group],
        items: Sequence[str],
        cell: Ints,
        count: Ints,
        total: Floats,
        square: Floats,
        by_level: Ints | None,
    ) -> "Grid":
        """Add up what falls into one cell, ``cell`` ascending; forget unused names."""
        starts = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]])
        group, item = np.divmod(cell[starts], len(items))
        used_groups, group = np.unique(group, return_inverse=True)
        used_items, item = np.unique(item, return_inverse=True)
        made = cls(
            scale=scale,
            groups=tuple(groups[int(place)] for place in used_groups),
            items=tuple(items[int(place)] for place in used_items),
            group=group.astype(np.int64),
            item=item.astype(np.int64),
            count=np.add.reduceat(count, starts),
            total=np.add.reduceat(total, starts),
            square=np.add.reduceat(square, starts),
            by_level=None if by_level is None else np.add.reduceat(by_level, starts, axis=0),
        )
        for array in (made.group, made.item, made.count, made.total, made.square):
            array.setflags(write=False)
        return made

    def merge(self, *others: "Grid") -> "Grid":
        """Add up this grid and others, such as one a log (rules 3 and 5).

        Raises
        ------
        StatisticsError
            If their scales differ.
        """
        every = (self, *others)
        odd = next((grid.scale for grid in others if grid.scale != self.scale), None)
        if odd is not None:
            raise StatisticsError(
                f"Scores that are {self.scale.words} cannot be added to scores that are "
                f"{odd.words}. Merge grids of one scale."
            )
        groups = sorted({group for grid in every for group in grid.groups})
        items = sorted({item for grid in every for item in grid.items})
        rows = {group: place for place, group in enumerate(groups)}
        columns = {item: place for place, item in enumerate(items)}
        cell = np.concatenate([_recoded(grid, rows, columns) for grid in every])
        order = np.argsort(cell, kind="stable")
        levels = [grid.by_level for grid in every if grid.by_level is not None]
        return self._added(
            self.scale,
            groups,
            items,
            cell[order],
            np.concatenate([grid.count for grid in every])[order],
            np.concatenate([grid.total for grid in every])[order],
            np.concatenate([grid.square for grid in every])[order],
            np.concatenate(levels)[order] if levels else None,
        )

    @property
    def labs(self) -> tuple[str, ...]:
        """The labs, ascending."""
        return tuple(sorted({group.lab for group in self.groups}))

    @property
    def models(self) -> tuple[str, ...]:
        """The models, ascending."""
        return tuple(sorted({group.model for group in self.groups}))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, ascending."""
        return tuple(sorted({group.language for group in self.groups}))

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks, ascending."""
        return tuple(sorted({group.task for group in self.groups}))

    @property
    def scorers(self) -> tuple[str, ...]:
        """The scorers, ascending."""
        return tuple(sorted({group.scorer for group in self.groups}))

    def pick(
        self,
        *,
        lab: str | Collection[str] | None = None,
        model: str | Collection[str] | None = None,
        language: str | Collection[str] | None = None,
        task: str | Collection[str] | None = None,
        scorer: str | Collection[str] | None = None,
    ) -> "Grid":
        """Keep the groups that have these names; what is not given may be anything.

        Raises
        ------
        StatisticsError
            If no group has them.
        """
        asked = (lab, model, language, task, scorer)
        wanted = [{one} if isinstance(one, str) else one and set(one) for one in asked]
        fits = np.array(
            [
                all(
                    names is None or name in names
                    for name, names in zip(astuple(group), wanted, strict=True)
                )
                for group in self.groups
            ]
        )
        if not fits.any():
            named = zip(_FACTORS, asked, strict=True)
            text = ", ".join(f"{factor} {name!r}" for factor, name in named if name is not None)
            raise StatisticsError(f"The grid has nothing of {text}. Ask for what it has.")
        kept = fits[self.group]
        return self._added(
            self.scale,
            self.groups,
            self.items,
            (self.group * len(self.items) + self.item)[kept],
            self.count[kept],
            self.total[kept],
            self.square[kept],
            None if self.by_level is None else self.by_level[kept],
        )

    def crossing(
        self,
        *,
        model: str | None = None,
        language: str | None = None,
        task: str | None = None,
        scorer: str | None = None,
    ) -> Crossing:
        """Return the labs x items of one model, language, task and scorer.

        What the grid has only one of need not be named.

        Raises
        ------
        StatisticsError
            If the grid has nothing of it, or what is not named has several values.
        """
        asked = (model, language, task, scorer)
        picked = (
            self
            if all(name is None for name in asked)
            else self.pick(model=model, language=language, task=task, scorer=scorer)
        )
        table = picked.dense()
        if len(picked.labs) != len(picked.groups):
            several = next(
                f"{factor}s {', '.join(names)}"
                for factor, names in (
                    ("model", picked.models),
                    ("language", picked.languages),
                    ("task", picked.tasks),
                    ("scorer", picked.scorers),
                )
                if len(names) > 1
            )
            raise StatisticsError(f"A crossing is of one of the {several}. Name it.")
        return Crossing(picked.labs, picked.items, table.count, table.total, table.square)

    def dense(self) -> Dense:
        """Return the table of groups x items (rule 6).

        Raises
        ------
        StatisticsError
            If it would be too large.
        """
        shape = (len(self.groups), len(self.items))
        if shape[0] * shape[1] > LARGEST_TABLE:
            raise StatisticsError(
                f"A table of {shape[0]} groups and {shape[1]} items is larger than "
                f"{LARGEST_TABLE} cells. Pick fewer models, languages or tasks."
            )
        count = np.zeros(shape, dtype=np.int64)
        total, square = np.zeros(shape), np.zeros(shape)
        count[self.group, self.item] = self.count
        total[self.group, self.item] = self.total
        square[self.group, self.item] = self.square
        levels = None
        if self.by_level is not None:
            levels = np.zeros((*shape, self.by_level.shape[1]), dtype=np.int64)
            levels[self.group, self.item] = self.by_level
        return Dense(count, total, square, levels)


def _groups(columns: Sequence[Labels], rows: int) -> tuple[list[Group], Ints]:
    """Return the groups that occur, ascending, and which of them each row is of."""
    names: list[tuple[str, ...]] = []
    key = np.zeros(rows, dtype=np.int64)
    for factor, column in zip(_FACTORS, columns, strict=True):
        found, codes = code(factor, column, rows)
        # Number the combinations anew at each step: their product could outgrow an integer.
        key = key * len(found) + codes
        used, key = np.unique(key, return_inverse=True)
        before, own = np.divmod(used, len(found))
        names = [
            (*(names[int(b)] if names else ()), found[int(o)])
            for b, o in zip(before, own, strict=True)
        ]
    return [Group(*name) for name in names], key.astype(np.int64)


def _epochs(epoch: Sequence[int] | Ints, rows: int) -> Ints:
    epochs = whole("epoch", epoch)
    if len(epochs) != rows:
        raise StatisticsError(f"There are {len(epochs)} epochs and {rows} rows. Give one a row.")
    return epochs


def _weights(weight: ArrayLike | None, rows: int) -> Ints:
    if weight is None:
        return np.ones(rows, dtype=np.int64)
    weights = whole("weight", weight)
    if len(weights) != rows:
        raise StatisticsError(f"There are {len(weights)} weights and {rows} rows. Give one a row.")
    return weights


def _levels(by_level: ArrayLike | None, counts: Ints, scale: Scale) -> Ints | None:
    if (by_level is not None) != (scale.kind == "ordinal"):
        raise StatisticsError("Counts by level are needed on an ordinal scale, and only there.")
    if by_level is None:
        return None
    given = np.asarray(by_level)
    shape = (len(counts), len(scale.levels))
    if given.shape != shape:
        raise StatisticsError(f"Counts by level of shape {given.shape} should have {shape}.")
    levels = whole("by_level", given.ravel()).reshape(shape)
    if (levels.sum(axis=1) != counts).any():
        raise StatisticsError("Counts by level do not add up to the count. Count again.")
    return levels


def _by_epoch(cell: Ints, epoch: Ints, groups: Sequence[Group], items: Sequence[str]) -> Ints:
    """Return the order by cell and epoch, after looking for copies (rule 2)."""
    width = int(epoch.max(initial=0)) + 1
    if len(groups) * len(items) * width < 2**62:
        key = cell * width + epoch
        order = np.argsort(key, kind="stable")
        _refuse_copies(key[order], groups, items, "epoch", width)
        return order
    order = np.lexsort((epoch, cell))
    same = (cell[order][1:] == cell[order][:-1]) & (epoch[order][1:] == epoch[order][:-1])
    if same.any():
        _copy(int(cell[order][1:][same][0]), groups, items, "epoch")
    return order


def _refuse_copies(
    ordered: Ints, groups: Sequence[Group], items: Sequence[str], what: str, width: int = 1
) -> None:
    same = ordered[1:] == ordered[:-1]
    if same.any():
        _copy(int(ordered[1:][same][0]) // width, groups, items, what)


def _copy(cell: int, groups: Sequence[Group], items: Sequence[str], what: str) -> None:
    group = groups[cell // len(items)]
    raise StatisticsError(
        f"Two rows are of the same {what}: item {items[cell % len(items)]!r} of model "
        f"{group.model!r}, task {group.task!r}, language {group.language!r}, scorer "
        f"{group.scorer!r} at lab {group.lab!r}. Leave the copy out, or number the epochs."
    )


def _refuse_impossible(counts: Ints, sums: Floats, squares: Floats) -> None:
    slack = _SLACK * np.maximum(counts, 1)
    possible = (squares >= -slack) & (squares <= sums + slack) & (sums <= counts + slack)
    possible &= sums**2 <= counts * (squares + slack)
    if not possible.all():
        row = int(np.argmin(possible))
        raise StatisticsError(
            f"No scores of this scale have the sums of row {row}. Add up the scores again."
        )


def _recoded(grid: Grid, rows: dict[Group, int], columns: dict[str, int]) -> Ints:
    group = np.array([rows[one] for one in grid.groups], dtype=np.int64)
    item = np.array([columns[one] for one in grid.items], dtype=np.int64)
    return group[grid.group] * len(columns) + item[grid.item]
