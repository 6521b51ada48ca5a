# SPDX-License-Identifier: Apache-2.0
"""Running a judge over answers that exist already: the judge is the only model that is asked."""

from pathlib import Path

from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, GenerateConfig, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from countermark.exercise.inspect.finished import check_finished
from countermark.exercise.judging.asking import judge_prompt
from countermark.exercise.judging.repeats import judge_seed
from countermark.exercise.rejudging.batches import Batch
from countermark.records.errors import InputError


def run_judge(batch: Batch, protocol: str, lab: str, folder: Path) -> Path:
    """Let the judge look at each answer of a batch and return the log of it.

    Parameters
    ----------
    batch
        Which answers, and which judge.
    protocol, lab
        The protocol's digest and the judging lab, from which the seeds come.
    folder
        Where the log is written; made if need be.

    Raises
    ------
    InputError
        If the batch's scorer is no model.
    StateError
        If the run did not finish.
    KeyboardInterrupt
        If it was stopped.
    """
    judge = batch.pinned.judge
    if judge is None:
        raise InputError(
            "is no model, so nobody needs to ask it again",
            where=f"{batch.scorer} {batch.pinned.version}",
            next_step="Name a judge that the protocol pins with a model.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    logs = inspect_eval(
        Task(
            name=f"rejudge_{batch.task}_{batch.language}",
            dataset=MemoryDataset(
                [
                    Sample(
                        # Its place: a name from another lab shall name no member of the log.
                        id=str(place),
                        input=[
                            ChatMessageUser(content=judge_prompt(judge, one.prompt, one.answer))
                        ],
                        metadata={"answer": one.name},
                    )
                    for place, one in enumerate(batch.answers)
                ]
            ),
            solver=_asking(batch, protocol, lab),
            config=GenerateConfig(temperature=judge.temperature, max_tokens=judge.max_tokens),
        ),
        model=get_model(judge.provider),
        log_dir=str(folder),
        log_format="eval",
        display="none",
        fail_on_error=False,
    )
    check_finished(logs, 1, f"{lab} {batch.scorer} {batch.pinned.version}")
    (log,) = logs
    return Path(log.location.removeprefix("file://"))


def _asking(batch: Batch, protocol: str, lab: str) -> Solver:
    @solver
    def ask() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            name = batch.answers[int(state.sample_id)].name
            version = batch.pinned.version
            return await generate(
                state, seed=judge_seed(protocol, batch.scorer, version, name, lab, None)
            )

        return solve

    return ask()
