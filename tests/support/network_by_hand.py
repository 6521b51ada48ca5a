# SPDX-License-Identifier: Apache-2.0
"""A network of institutes that work by the command line alone."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from command_line import Ran, countermark, done
from exercise_small import PARTICIPANTS
from scripted import log_value, write_log

from countermark.exercise.cells import CellRun

WITNESSED = 3  # rounds of pulling: witness; gather the cosignatures; fetch the proofs


@dataclass(frozen=True, slots=True)
class Network:
    """Node folders, and the frozen protocol that they work on."""

    root: Path
    protocol: Path

    def node(self, code: str) -> Path:
        """Return one party's folder."""
        return self.root / "developer" if code == "developer" else self.root / "nodes" / code

    def run(self, code: str, *words: object) -> Ran:
        """Run a command on one party's node."""
        return countermark(*words, "--node", self.node(code))

    def done(self, code: str, *words: object) -> Ran:
        """Run a command on one party's node, and see that it went well."""
        return done(*words, "--node", self.node(code))

    def exercise(self, code: str, verb: str, *words: object) -> Ran:
        """Take one stage of the exercise at one institute, and see that it went well."""
        return self.done(code, "exercise", verb, *words, "--protocol", self.protocol)

    def everyone_pulls(self, rounds: int = 1, *, also: tuple[str, ...] = ()) -> None:
        """Let all institutes pull: once to know, more often until all is witnessed."""
        for _ in range(rounds):
            for code in (*PARTICIPANTS, *also):
                self.done(code, "sync", "pull")


def answer_by_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``exercise run`` leave scripted logs, without Inspect and without a model."""

    def run_cells(runs: Sequence[CellRun], model: str, folder: Path, *_: object) -> None:
        for run in runs:
            write_log(folder / f"{run.task}_{run.language}.eval", *log_value(run, model))

    stand_in = ModuleType("countermark.exercise.inspect.run")
    stand_in.run_cells = run_cells  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
