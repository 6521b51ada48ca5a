# SPDX-License-Identifier: Apache-2.0
"""Inspect in other processes, with a home of the test and without display."""

import contextlib
import gc
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parent
COUNTERMARK = "from countermark.app.cli.main import main; main()"
RECORDED = f"import sys; sys.path.insert(0, {str(SUPPORT)!r}); import recorded_model; "


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Let Inspect keep its traces and caches in a folder of the test."""
    folder = str(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, folder)
        patch.setenv("INSPECT_DISPLAY", "none")
        yield dict(os.environ)


@contextlib.contextmanager
def inspects_own_warnings() -> Iterator[None]:
    """Pass over what Inspect 0.3.285 itself warns of; all other warnings stay errors."""
    with warnings.catch_warnings():
        # It calls tenacity by an old name, and leaves streams of anyio to the garbage collector.
        warnings.filterwarnings("ignore", "The 'initial' parameter", DeprecationWarning)
        warnings.filterwarnings("ignore", "Unclosed <MemoryObject", ResourceWarning)
        yield
        gc.collect()


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which Inspect keeps its traces and buffers below ``home``."""
    folders = {
        name: str(home) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
    }
    return {**os.environ, **folders, "INSPECT_DISPLAY": "none", **more}


def python(
    code: str,
    words: Sequence[object],
    env: Mapping[str, str],
    executable: str = sys.executable,
) -> subprocess.CompletedProcess[str]:
    """Run Python code in another process, and see that it went well."""
    ran = subprocess.run(
        [executable, "-c", code, *map(str, words)],
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran
