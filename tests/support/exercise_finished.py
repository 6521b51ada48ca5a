# SPDX-License-Identifier: Apache-2.0
"""The demonstration's whole exercise with scripted answers, finished."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from exercise_small import open_cast
from scripted import run_scripted

from countermark.app.demo.cast import Cast
from countermark.app.demo.conduct import Outcome, conduct
from countermark.app.demo.measure import Timings
from countermark.exercise.demonstration import demonstration
from countermark.node.index import book
from countermark.records.decision import Decision
from countermark.records.finding import Dissent, Finding


@dataclass(frozen=True, slots=True)
class FinishedExercise:
    """A finished exercise; tests that change it work on a copy.

    Parameters
    ----------
    root
        Its folder.
    outcome
        What came of it.
    """

    root: Path
    outcome: Outcome

    def cast(self) -> Cast:
        """Open its nodes, for reading only."""
        return open_cast(self.root, self.outcome.protocol)

    def copy(self, target: Path) -> Cast:
        """Copy it to ``target`` and open the copy's nodes."""
        shutil.copytree(self.root, target, dirs_exist_ok=True)
        return open_cast(target, self.outcome.protocol)


def finish(root: Path) -> None:
    """Run the whole exercise below ``root``."""
    conduct(root, Timings(), lambda _: None, run_scripted)


def finished(root: Path) -> FinishedExercise:
    """Open an exercise that was run below ``root``."""
    protocol, _ = demonstration()
    coordinator = open_cast(root, protocol).institutes[protocol.coordinator]
    known = book(coordinator)
    ((_, finding),) = known.of_kind(Finding)
    decisions = tuple(record for _, record in known.of_kind(Decision))
    dissents = len(known.of_kind(Dissent))
    return FinishedExercise(root, Outcome(coordinator, protocol, finding, decisions, dissents))
