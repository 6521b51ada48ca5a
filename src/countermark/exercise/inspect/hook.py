# SPDX-License-Identifier: Apache-2.0
"""A hook that takes each finished log of Inspect into a node, and seals when the last one is in.

It does what ``exercise import`` and ``exercise seal`` would. It is on where the environment
variable ``COUNTERMARK_NODE`` names a node's folder.

1. Only finished logs of a protocol that the node knows and its lab has planned are taken. Planning
   needs the node's keys, which no hook asks for.
2. A log that differs from the protocol is not taken: a person declares deviations.
3. What happened is said on standard error. No error of ours breaks Inspect's run.
4. Logs of ``exercise run`` are passed over: it keeps them itself.
5. Once the node has a log of every cell that its lab planned, the result is sealed, if the keys
   open: they are not encrypted, or ``COUNTERMARK_PASSPHRASE_FILE`` names the file whose first line
   is their passphrase. Nothing is declared in a person's name, so what a seal would have to explain
   is left to ``exercise seal``.
"""

import os
import sys
from pathlib import Path

import anyio.to_thread
from inspect_ai.hooks import Hooks, TaskEnd, hooks
from inspect_ai.log import EvalLog

from countermark.exercise.matching import METADATA_KEY
from countermark.exercise.stages.importing import import_log
from countermark.exercise.stages.sealing import lab_samples, seal_samples
from countermark.exercise.stages.workspace import own_workspace, planned_workspace
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records.errors import CountermarkError
from countermark.records.protocol import Protocol

NODE, PASSPHRASE = "COUNTERMARK_NODE", "COUNTERMARK_PASSPHRASE_FILE"


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
    node = Node.open(folder, _passphrase())
    protocol = next(
        (one for _, one in book(node).of_kind(Protocol) if one.digest == said.get("protocol")), None
    )
    workspace = planned_workspace(node, protocol) if protocol is not None else None
    if protocol is None or workspace is None:
        return f"{path.name} was not taken: this node has not planned its protocol"
    if path.resolve().parent == workspace.run_folder.resolve():
        return None
    imported = import_log(node, protocol, path, str(said.get("lab")), None)
    if imported.kept is not None:
        return f"{path.name} is kept as {imported.kept.name}. {_sealed(node, protocol)}"
    reasons = "; ".join(found.text for found in imported.differences)
    return f"{path.name} was not taken: {reasons}"


def _passphrase() -> str | None:
    name = os.environ.get(PASSPHRASE)
    return Path(name).read_text("utf-8", "replace").partition("\n")[0] if name else None


def _sealed(node: Node, protocol: Protocol) -> str:
    """Seal by rule 5, and say what was done or what is next."""
    workspace = own_workspace(node, protocol)
    _, lacking = lab_samples(node, protocol, workspace.logs())
    if lacking:
        return f"Cells without a log: {len(lacking)}"
    if node.keys_are_encrypted() and node.passphrase is None:
        return "It was the last. Next: countermark exercise seal"
    try:
        seal_samples(node, protocol)
    except CountermarkError as error:
        return f"It was the last, but the seal waits: {error}"
    return "It was the last: the result is sealed"
