# SPDX-License-Identifier: Apache-2.0
"""Tasks with tools: Inspect's own agents, tools and sandboxes, set up as the protocol says.

1. A scaffold adds no message of its own before the model's first: what the model is told at the
   start is what the protocol says, at every lab.
2. The whole conversation stays in the log, with the calls of ``submit``.
3. Files of an item lie at relative paths inside the sandbox, and nowhere else; their contents are
   given as data, so that no text of a protocol can name a file of this machine.
"""

import base64
import inspect
import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from inspect_ai.agent import Agent, AgentAttempts, AgentSubmit, react
from inspect_ai.agent import as_solver as agent_solver
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageTool
from inspect_ai.solver import Solver, TaskState, basic_agent, chain
from inspect_ai.tool import Tool, bash, python, tool
from inspect_ai.util import sandbox

from countermark.exercise.cells import CellRun
from countermark.exercise.trajectories import handed_in
from countermark.records.errors import InputError, StateError
from countermark.records.protocol import Item, Task
from countermark.records.protocol_parts import AgentSettings
from countermark.records.sample import Message, ToolCall

TOOL_SECONDS = 60
_LOOKUP_LINES = 50


@tool
def text_lookup() -> Tool:
    """Find lines in the files of the task."""

    async def execute(text: str) -> str:
        """Find the lines of the task's files that hold a text: file, line number and line.

        Args:
            text: What to look for, in upper or lower case.
        """
        # grep reads on the far side of the sandbox, so that it sees what the other tools see.
        command = f"grep -rniF -m {_LOOKUP_LINES} -e {shlex.quote(text)} . | head -{_LOOKUP_LINES}"
        found = await sandbox().exec(["sh", "-c", command], timeout=TOOL_SECONDS)
        return found.stdout or "Nothing found."

    return execute


TOOLS: Mapping[str, Callable[[], Tool]] = {
    "bash": lambda: bash(timeout=TOOL_SECONDS),
    "python": lambda: python(timeout=TOOL_SECONDS),
    "text-lookup": text_lookup,
}


def scaffold(task: Task, settings: AgentSettings) -> Solver:
    """Return the solver that runs a task's agent.

    Raises
    ------
    InputError
        If the protocol names a scaffold or a tool that this software does not have, or tools
        without a sandbox.
    StateError
        If the installed Inspect is too old for the scaffold.
    """
    unknown = [name for name in settings.tools if name not in TOOLS]
    if unknown:
        raise _unknown(task, f"tool {unknown[0]!r}", tuple(TOOLS))
    if settings.sandbox is None:
        raise InputError(
            "has tools and no sandbox for them to run in",
            where=task.key,
            next_step="Say sandbox: docker (or local, which does not confine them).",
        )
    tools = [TOOLS[name]() for name in settings.tools]
    match settings.scaffold:
        case "react":
            return agent_solver(_react(task, tools, settings.attempts))
        case "basic":
            return basic_agent(
                init=chain([]),
                tools=tools,
                max_attempts=settings.attempts,
                message_limit=settings.message_limit,
            )
        case other:
            raise _unknown(task, f"scaffold {other!r}", ("react", "basic"))


def sandbox_files(task: Task, item: Item) -> dict[str, str]:
    """Return an item's files as Inspect takes them (rule 3).

    Raises
    ------
    InputError
        If a path leads out of the sandbox.
    """
    found = {}
    for file in item.files or ():
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or set(file.path) & set(":\\\0"):
            raise InputError(
                f"has a file {file.path!r}, which is no relative path inside the sandbox",
                where=f"{task.key}/{item.key}",
                next_step="Give a path such as data/notes.txt.",
            )
        contents = base64.b64encode(file.text.encode()).decode()
        found[file.path] = f"data:text/plain;base64,{contents}"
    return found


def _react(task: Task, tools: list[Tool], attempts: int) -> Agent:
    if "keep_in_messages" not in inspect.signature(AgentSubmit).parameters:
        raise StateError(
            "has the scaffold react, whose conversations this old Inspect does not keep whole",
            where=task.key,
            next_step="Install a newer inspect-ai, or freeze the protocol with the scaffold basic.",
        )
    return react(
        prompt=None,
        tools=tools,
        attempts=AgentAttempts(attempts=attempts),
        submit=AgentSubmit(answer_only=True, keep_in_messages=True),
    )


def _unknown(task: Task, what: str, known: tuple[str, ...]) -> InputError:
    return InputError(
        f"names the {what}, which this software does not have",
        where=task.key,
        next_step=f"Use one of: {', '.join(known)}.",
    )


def answer_of(run: CellRun, state: TaskState) -> str:
    """Return what a sample is scored by: the model's words, or what it handed in with tools."""
    if run.definition.agent is None:
        return state.output.completion
    return handed_in([_message(said) for said in state.messages]) or ""


def _message(said: ChatMessage) -> Message:
    calls = said.tool_calls if isinstance(said, ChatMessageAssistant) else None
    return Message(
        role=said.role,
        content="",
        calls=tuple(
            ToolCall(tool=call.function, arguments=json.dumps(call.arguments))
            for call in calls or ()
        )
        or None,
        failed=True if isinstance(said, ChatMessageTool) and said.error else None,
    )
