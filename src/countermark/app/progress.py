# SPDX-License-Identifier: Apache-2.0
"""How far a run is: which lab, which task, which language, and what is left. Talk: stderr only."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from countermark.exercise.cells import CellRun
from countermark.taxonomy.languages import language


class RunProgress:
    """A progress bar on a terminal; a line a cell where there is none.

    Parameters
    ----------
    total
        How many answers are wanted.
    """

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True)
        self._begun: set[str] = set()
        self._done = 0
        self._total = total
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("answers"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=self._total)

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

    def answered(self, run: CellRun) -> None:
        """Count one answer of a cell."""
        place = f"{run.lab}  {run.definition.title}  {language(run.language).english}"
        if place not in self._begun and not self._console.is_terminal:
            self._console.print(
                f"{place}: {self._total - self._done} of {self._total} answers left",
                highlight=False,
                soft_wrap=True,
            )
        self._begun.add(place)
        self._bar.update(self._task, description=place)
        self._done += 1
        self._bar.advance(self._task)
