# SPDX-License-Identifier: Apache-2.0
"""The public record of the finished exercise, written by the command line."""

from pathlib import Path

from command_line import done
from exercise_finished import FinishedExercise


def publish(finished: FinishedExercise, root: Path) -> Path:
    """Write the coordinator's record below ``root``, and return its folder."""
    finished.copy(root)
    done("site", "build", "--node", root / "nodes" / "GB", "--out", root / "record")
    return root / "record"
