# SPDX-License-Identifier: Apache-2.0
"""One task of a protocol in one language, for ``inspect eval countermark/exercise``.

The task's metadata says under the name ``countermark`` what the log must match when an institute
imports it: protocol, task, language, lab, settings, and the seed that the secrets are drawn from.
"""

import secrets as entropy
from collections.abc import Callable
from pathlib import Path

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver

from countermark.exercise.cells import CellRun
from countermark.exercise.inspect.judging import scorers
from countermark.exercise.private import open_private, prompt_of
from countermark.exercise.private_files import given_part
from countermark.exercise.prompting import messages, temperature
from countermark.exercise.secrets import SEED_BYTES, secret_for, seed_for
from countermark.node.files import read_file
from countermark.records import protocol as records
from countermark.records.errors import InputError

METADATA_KEY = "countermark"


@task
def exercise(
    protocol: str,
    task: str,
    language: str,
    lab: str = "XX-local",
    settings: str | list[str] = "",
    seed: str = "",
    private: str = "",
) -> Task:
    """Run one task of a frozen protocol in one language.

    Parameters
    ----------
    protocol
        File of the frozen protocol.
    task, language
        Keys of the protocol.
    lab
        Who runs it, such as KE-nairobi.
    settings
        Declared factors, such as ``temperature=t07,system-prompt=strict``; those not named have
        the protocol's reference value.
    seed
        The lab's secret seed, 64 hex digits; a fresh one is drawn when none is given.
    private
        File of the private part, where something in the protocol is private.
    """
    data = read_file(Path(protocol))
    if data is None:
        raise InputError(
            "is no file",
            where=f"-T protocol={protocol}",
            next_step="Give the path of the frozen protocol.",
        )
    frozen = records.Protocol.from_bytes(data, where=protocol)
    run = CellRun(
        protocol=open_private(frozen, given_part(Path(private))) if private else frozen,
        task=task,
        language=language,
        lab=lab,
        settings=parse_settings(settings),
        seed=_seed(seed) if seed else entropy.token_bytes(SEED_BYTES),
    )
    return inspect_task(run)


def parse_settings(settings: str | list[str]) -> tuple[records.FactorSetting, ...]:
    """Read ``factor=value`` pairs from the command line.

    Raises
    ------
    InputError
        If a pair has no equals sign.
    """
    pairs = settings.split(",") if isinstance(settings, str) else settings
    parsed = []
    for pair in filter(None, pairs):
        factor, equals, value = pair.partition("=")
        if not equals:
            raise InputError(
                f"{pair!r} is no factor=value",
                where="-T settings",
                next_step="Write, for example: -T settings=temperature=t07,system-prompt=strict.",
            )
        parsed.append(records.FactorSetting(factor=factor.strip(), value=value.strip()))
    return tuple(parsed)


def _seed(text: str) -> bytes:
    try:
        seed = bytes.fromhex(text)
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise InputError(
            f"is not {2 * SEED_BYTES} hex digits",
            where="-T seed",
            next_step="Give the lab's secret seed, or none to have one drawn.",
        )
    return seed


def inspect_task(run: CellRun, on_answer: Callable[[], None] = lambda: None) -> Task:
    """Return the Inspect task that runs ``run``; ``on_answer`` is called after each answer."""
    definition = run.definition
    dataset = MemoryDataset(
        [
            Sample(id=item.key, input=prompt_of(text, item.key), target=text.expected or "")
            for item in definition.items
            if (text := item.text(run.language)) is not None
        ],
        name=f"{run.protocol.name}/{definition.key}/{run.language}",
    )
    generation = run.protocol.generation
    return Task(
        name=f"{definition.key}_{run.language}",
        dataset=dataset,
        solver=_solver(run, on_answer),
        scorer=scorers(run),
        epochs=Epochs(run.protocol.epochs, "mean"),
        config=GenerateConfig(
            max_tokens=generation.max_tokens,
            top_p=generation.top_p,
            temperature=temperature(run.protocol, definition, run.full_settings),
        ),
        metadata={METADATA_KEY: run.metadata()},
    )


def _solver(run: CellRun, on_answer: Callable[[], None]) -> Solver:
    # Inspect logs a solver's arguments; this one closes over them so that the log, which travels,
    # does not carry the whole protocol once more.
    @solver
    def converse() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            item = run.item(str(state.sample_id))
            place = (run.task, item.key, run.language, state.epoch)
            conversation = messages(
                run.protocol,
                run.definition,
                item,
                run.language,
                run.full_settings,
                secret_for(run.seed, *place),
            )
            state.messages = [_chat_message(said.role, said.content) for said in conversation]
            state = await generate(state, seed=seed_for(run.seed, *place))
            on_answer()
            return state

        return solve

    return converse()


def _chat_message(role: str, content: str) -> ChatMessage:
    if role == "system":
        return ChatMessageSystem(content=content)
    return ChatMessageUser(content=content)
