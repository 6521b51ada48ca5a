# SPDX-License-Identifier: Apache-2.0
"""Fixtures that take seconds to build and are shared by the whole session."""

from pathlib import Path

import pytest
from exercise_finished import FinishedExercise, finish, finished
from exercise_small import Snapshots, take_snapshots
from exercise_steps import At
from hypothesis import settings
from shared import shared
from softhsm import soft_token

__all__ = ["soft_token"]

# Speed is a benchmark's business: a busy machine must not fail a property.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def finished_exercise(tmp_path_factory: pytest.TempPathFactory) -> FinishedExercise:
    """Return the demonstration's exercise with scripted answers; change only copies of it."""
    return finished(shared(tmp_path_factory, "finished", finish))


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """Return a small exercise as it stood after each of its stages."""
    return Snapshots(shared(tmp_path_factory, "small", take_snapshots))


@pytest.fixture
def at(snapshots: Snapshots, tmp_path: Path) -> At:
    """Return a function that opens a copy of the small exercise as it stood after a stage."""
    return lambda stage: snapshots.at(stage, tmp_path / "exercise")
