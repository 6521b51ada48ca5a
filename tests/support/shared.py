# SPDX-License-Identifier: Apache-2.0
"""What takes long to make is made once for all workers of one run of the tests."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a copy of a folder that the first worker to ask for it makes.

    Parameters
    ----------
    factory
        Gives the folders of this run.
    name
        What the folder is called.
    make
        Fills a folder that it makes itself.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each worker has a folder of its own in the run's
    made = base / f"shared-{name}"
    with (base / f"shared-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            making = base / f"making-{name}"
            make(making)
            making.rename(made)
    # Nodes write into their folders even when they are only read.
    own = factory.mktemp(name) / "copy"
    shutil.copytree(made, own)
    return own
