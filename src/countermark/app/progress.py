# SPDX-License-Identifier: Apache-2.0
"""How far a run is, cell by cell: answers, errors, tokens and time left. Talk: stderr only.

On a terminal each cell that is under way has a line of its own; elsewhere a plain line is written
when a cell begins, now and then, and when it is done.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from countermark.exercise.cells import CellRun
from countermark.exercise.stages.running import SampleDone
from countermark.taxonomy.languages import language

SECONDS_BETWEEN_LINES = 30.0
_STARTING = "starting"


@dataclass
class _Cell:
    place: str
    total: int
    bar: TaskID
    begun: float
    said: float
    done: int = 0
    kept: int = 0
    errors: int = 0
    tokens: int = 0

    def counts(self) -> str:
        words = [f"{self.errors} errors"] if self.errors else []
        return ", ".join([*words, f"{self.tokens:,} tokens"])

    def left(self, now: float) -> str:
        asked = self.done - self.kept
        if not asked or self.done >= self.total:
            return ""
        seconds = (now - self.begun) / asked * (self.total - self.done)
        return (
            f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", {seconds:.0f} s left"
        )


class RunProgress:
    """A line for each cell of a run, and one for all of it.

    Parameters
    ----------
    total
        How many answers are wanted.
    clock
        Seconds since any moment.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = Console(stderr=True)
        self._cells: dict[tuple[str, str, str, str | None], _Cell] = {}
        self._clock = clock
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._all = self._bar.add_task(_STARTING, total=total, counts="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def told(self, run: CellRun, done: SampleDone) -> None:
        """Count one sample of a cell."""
        cell = self._cell(run)
        cell.done += 1
        cell.kept += done.kept
        cell.errors += done.failed
        cell.tokens += done.tokens
        self._bar.update(self._all, description="all cells", advance=1)
        self._bar.update(cell.bar, advance=1, counts=cell.counts())
        if cell.done == cell.total:
            self._bar.remove_task(cell.bar)
            self._say(cell)
        elif self._clock() - cell.said >= SECONDS_BETWEEN_LINES:
            self._say(cell)

    def _cell(self, run: CellRun) -> _Cell:
        key = (run.lab, run.task, run.language, run.arm)
        known = self._cells.get(key)
        if known is None or known.done == known.total:  # the cell of another model
            place = f"{run.lab}  {run.definition.title}  {language(run.language).english}"
            place += f"  {run.arm}" if run.arm else ""
            now = self._clock()
            bar = self._bar.add_task(place, total=run.samples, counts="")
            known = self._cells[key] = _Cell(place, run.samples, bar, begun=now, said=now)
            self._say(known)
        return known

    def _say(self, cell: _Cell) -> None:
        if self._console.is_terminal and cell.done < cell.total:
            return  # its bar says it
        cell.said = self._clock()
        self._console.print(
            f"{cell.place}: {cell.done} of {cell.total} done, {cell.counts()}"
            f"{cell.left(cell.said)}",
            highlight=False,
            soft_wrap=True,
        )
