# SPDX-License-Identifier: Apache-2.0
"""The public record that is read here."""

from pathlib import Path

import pytest
from exercise_finished import FinishedExercise
from published import publish


@pytest.fixture(scope="session")
def record(finished_exercise: FinishedExercise, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the public record of the finished exercise; change only copies of it."""
    return publish(finished_exercise, tmp_path_factory.mktemp("published"))
