# SPDX-License-Identifier: Apache-2.0
"""The command line as a person uses it: words in; exit code, stdout and stderr out."""

import contextlib
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countermark.app.cli.main import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one command."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """What it wrote to stdout, read as JSON."""
        return json.loads(self.out)


def countermark(*words: object) -> Ran:
    """Run ``countermark`` with some words, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(word) for word in words])
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
    return Ran(code, out.getvalue(), err.getvalue())


def done(*words: object) -> Ran:
    """Run ``countermark`` with some words, and see that it went well."""
    ran = countermark(*words)
    assert ran.code == 0, f"{words}: exit {ran.code}\n{ran.out}\n{ran.err}"
    return ran


def tree(folder: Path) -> dict[str, str]:
    """Return every file below a folder with a digest of its contents, and every folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "a folder"
        for path in sorted(folder.rglob("*"))
    }


def statement(record: Path, kind: str, author: str = "*") -> Path:
    """Return the first published statement of a kind."""
    return sorted((record / "statements").glob(f"{kind}-{author}-[0-9]*.json"))[0]
