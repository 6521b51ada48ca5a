# SPDX-License-Identifier: Apache-2.0
"""Taking the stages of the small exercise, and checking what a refused one leaves behind."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from exercise_small import SEED, Snapshots, cell_run, scripted_log

from countermark.app.demo.cast import Cast
from countermark.exercise.cells import CellRun
from countermark.exercise.stages.planning import cell_runs
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records import Record
from countermark.records.errors import CountermarkError, StateError

At = Callable[[str], Cast]
"""Opens the small exercise as it stood after a stage."""
Files = Mapping[str, bytes]


def files(node: Node) -> Files:
    """Return all that a node holds, but for its rebuildable index."""
    root = node.folder.root
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "index.db" not in path.name
    }


def refused(
    node: Node, text: str, step: Callable[[], object], kind: type[CountermarkError] = StateError
) -> CountermarkError:
    """Return why a step is refused; nothing may have been written."""
    before = files(node)
    with pytest.raises(kind, match=text) as caught:
        step()
    assert files(node) == before
    assert caught.value.next_step
    return caught.value


def said(node: Node, kind: type[Record]) -> list[Any]:
    """Return what a node itself has said of one kind."""
    return [record for entry, record in book(node).of_kind(kind) if entry.author == node.code]


def run_of(node: Node, snapshots: Snapshots, seed: bytes = SEED, **cell: Any) -> CellRun:
    """Return a cell of the small exercise at a node's lab."""
    return cell_run(snapshots.protocol, lab=node.config.lab or "", seed=seed, **cell)


def planned_log(node: Node, snapshots: Snapshots, path: Path, task: str, language: str) -> Path:
    """Write a log of a cell as this lab planned it."""
    runs = cell_runs(node, snapshots.protocol)
    run = next(one for one in runs if (one.task, one.language) == (task, language))
    return scripted_log(path / f"{task}-{language}.eval", run)
