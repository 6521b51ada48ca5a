# SPDX-License-Identifier: Apache-2.0
"""Inspect in other processes, with a home of the test and without display."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SUPPORT = Path(__file__).parent
COUNTERMARK = "from countermark.app.cli.main import main; main()"
RECORDED = f"import sys; sys.path.insert(0, {str(SUPPORT)!r}); import recorded_model; "


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
