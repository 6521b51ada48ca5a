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


def finish(root: Path) -> FinishedExercise:
    """Run the whole exercise below ``root``."""
    return FinishedExercise(root, conduct(root, Timings(), lambda _: None, run_scripted))
