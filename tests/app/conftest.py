# SPDX-License-Identifier: Apache-2.0
"""The public record of the finished exercise, written by the command line."""

from pathlib import Path

import pytest
from command_line import done
from exercise_finished import FinishedExercise


@pytest.fixture(scope="session")
def record(finished_exercise: FinishedExercise, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the public record; change only copies of it."""
    root = tmp_path_factory.mktemp("published")
    finished_exercise.copy(root)
    done("site", "build", "--node", root / "nodes" / "GB", "--out", root / "record")
    return root / "record"
