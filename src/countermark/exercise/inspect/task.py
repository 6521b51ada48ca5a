# SPDX-License-Identifier: Apache-2.0
"""One task of a protocol in one language, for ``inspect eval countermark/exercise``.

The task's metadata says under the name ``countermark`` what the log must match when an institute
imports it: protocol, task, language, lab, settings, and the seed that the secrets are drawn from.
"""

import secrets as entropy
from collections import Counter
from collections.abc import Mapping
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
from inspect_ai.util import LimitExceededError

from countermark.exercise.cells import CellRun
from countermark.exercise.inspect.agent import sandbox_files, scaffold
from countermark.exercise.inspect.judging import scorers
from countermark.exercise.private.content import open_private, prompt_of
from countermark.exercise.private.files import given_part
from countermark.exercise.prompting import messages, temperature
from countermark.exercise.secrets import SEED_BYTES, secret_for, seed_for
from countermark.exercise.stages.running import SampleDone, Told, nobody
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
    arm: str = "",
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
    arm
        The lab's swap to run, such as ``temperature.t03``; the reference arm when none is given.
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
        arm=arm or None,
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


def inspect_task(
    run: CellRun, told: Told = nobody, failed: Mapping[tuple[str, int], str] | None = None
) -> Task:
    """Return the Inspect task that runs a cell.

    Parameters
    ----------
    run
        Which cell.
    told
        Told of each sample that is done.
    failed
        Samples, by item and epoch, that ended in an error before the run was interrupted, and which
        error: they are not tried again.
    """
    definition = run.definition
    agent = definition.agent
    dataset = MemoryDataset(
        [
            Sample(
                id=item.key,
                input=prompt_of(text, item.key),
                target=text.expected or "",
                files=sandbox_files(definition, item) or None,
            )
            for item in definition.items
            if (text := item.text(run.language)) is not None
        ],
        name=f"{run.protocol.name}/{definition.key}/{run.language}",
    )
    generation = run.protocol.generation
    return Task(
        name="_".join(part for part in (definition.key, run.language, run.arm) if part),
        dataset=dataset,
        solver=_solver(run, told, failed or {}),
        scorer=scorers(run),
        epochs=Epochs(run.protocol.epochs, "mean"),
        config=GenerateConfig(
            max_tokens=generation.max_tokens,
            top_p=generation.top_p,
            temperature=temperature(run.protocol, definition, run.full_settings),
        ),
        metadata={METADATA_KEY: run.metadata()},
        sandbox=agent.sandbox if agent else None,
        message_limit=agent.message_limit if agent else None,
        token_limit=agent.token_limit if agent else None,
        time_limit=agent.time_limit if agent else None,
    )


def _solver(run: CellRun, told: Told, failed: Mapping[tuple[str, int], str]) -> Solver:
    # Inspect logs a solver's arguments; this one closes over them so that the log, which travels,
    # does not carry the whole protocol once more.
    agent = run.definition.agent
    tries: Counter[tuple[str, int]] = Counter()
    last_try = 1 + (run.protocol.generation.retries or 0)

    @solver
    def converse() -> Solver:
        act = scaffold(run.definition, agent) if agent else None

        async def solve(state: TaskState, generate: Generate) -> TaskState:
            item = run.item(str(state.sample_id))
            sample = (item.key, state.epoch)
            if sample in failed:
                raise RuntimeError(failed[sample])
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
            tries[sample] += 1
            ended = "failed"
            try:
                if act is None:
                    state = await generate(state, seed=seed_for(run.seed, *place))
                else:
                    state = await act(state, generate)
                ended = "answered"
            except LimitExceededError:
                ended = "answered"  # Inspect ends the sample there, and scores what there is
                raise
            finally:
                if ended == "answered" or tries[sample] == last_try:
                    told(run, SampleDone(state.token_usage, failed=ended == "failed"))
            return state

        return solve

    return converse()


def _chat_message(role: str, content: str) -> ChatMessage:
    if role == "system":
        return ChatMessageSystem(content=content)
    return ChatMessageUser(content=content)
