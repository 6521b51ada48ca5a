# SPDX-License-Identifier: Apache-2.0
"""A hook that takes each finished log of Inspect into a node, as ``exercise import`` would.

It is on where the environment variable ``COUNTERMARK_NODE`` names a node's folder.

1. Only finished logs of a protocol that the node knows and its lab has planned are taken. Planning
   needs the node's keys, which no hook asks for.
2. A log that differs from the protocol is not taken: a person declares deviations.
3. What happened is said on standard error. No error of ours breaks Inspect's run.
4. Logs of ``exercise run`` are passed over: it keeps them itself.
"""

import os
import sys
from pathlib import Path

import anyio.to_thread
from inspect_ai.hooks import Hooks, TaskEnd, hooks
from inspect_ai.log import EvalLog

from countermark.exercise import steps
from countermark.exercise.matching import METADATA_KEY
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records.errors import CountermarkError
from countermark.records.protocol import Protocol

NODE = "COUNTERMARK_NODE"


@hooks(name="import_finished", description="Takes finished logs into the node of COUNTERMARK_NODE.")
class ImportFinished(Hooks):
    """Imports each finished log of this lab."""

    def enabled(self) -> bool:
        """Tell whether a node is named."""
        return bool(os.environ.get(NODE))

    async def on_task_end(self, data: TaskEnd) -> None:
        """Take the log of a task, if it is one."""
        said = await anyio.to_thread.run_sync(_taken, Path(os.environ[NODE]), data.log)
        if said is not None:
            sys.stderr.write(f"countermark: {said}\n")


def _taken(folder: Path, log: EvalLog) -> str | None:
    said = (log.eval.metadata or {}).get(METADATA_KEY)
    path = Path(log.location.removeprefix("file://"))
    if log.status != "success" or not isinstance(said, dict):
        return None
    try:
        return _import(folder, said, path)
    except (CountermarkError, OSError) as error:
        return f"{path.name} was not taken: {error}"


def _import(folder: Path, said: dict[str, object], path: Path) -> str | None:
    node = Node.open(folder)
    protocol = next(
        (one for _, one in book(node).of_kind(Protocol) if one.digest == said.get("protocol")), None
    )
    workspace = steps.planned_workspace(node, protocol) if protocol is not None else None
    if protocol is None or workspace is None:
        return f"{path.name} was not taken: this node has not planned its protocol"
    if path.resolve().parent == workspace.run_folder.resolve():
        return None
    imported = steps.import_log(node, protocol, path, str(said.get("lab")), None)
    if imported.kept is not None:
        return f"{path.name} is kept as {imported.kept.name}. Next: countermark exercise seal"
    reasons = "; ".join(found.text for found in imported.differences)
    return f"{path.name} was not taken: {reasons}"
