# SPDX-License-Identifier: Apache-2.0
"""What the demonstration measures of itself: where the time went, and what Inspect adds.

Some of the requests that went through Inspect are sent again straight to the model's instances, in
the same process and by as many threads as there are instances. That gives the rate without Inspect,
and shows whether the same seed gave the same text.
"""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from countermark.exercise.logged import own_plan
from countermark.exercise.prompting import temperature
from countermark.exercise.secrets import seed_for
from countermark.exercise.stages.sealing import lab_samples
from countermark.exercise.stages.workspace import own_workspace
from countermark.node.node import Node
from countermark.records.protocol import Protocol

if TYPE_CHECKING:
    from countermark.exercise.inspect.embedded import Instances, Request

REPLAYED = 44


@dataclass(frozen=True, slots=True)
class Replay:
    """Requests sent again without Inspect.

    Parameters
    ----------
    requests, seconds
        How many, and how long all of them took.
    busy_seconds
        Time the instances spent on them, summed.
    same_text
        How many gave the very text that the run had given.
    """

    requests: int
    seconds: float
    busy_seconds: float
    same_text: int


@dataclass
class Timings:
    """Seconds by stage, and how fast the model answered."""

    stages: dict[str, float] = field(default_factory=dict)
    answers: int = 0
    run_seconds: float = 0.0
    busy_seconds: float = 0.0
    instances: int = 0
    replay: Replay | None = None

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage."""
        began = time.perf_counter()
        yield
        self.stages[name] = time.perf_counter() - began

    @contextlib.contextmanager
    def generation(self, model: "Instances") -> Iterator[None]:
        """Measure one lab's run."""
        began, answered, busy = time.perf_counter(), model.answered, model.busy_seconds
        yield
        self.run_seconds += time.perf_counter() - began
        self.answers += model.answered - answered
        self.busy_seconds += model.busy_seconds - busy
        self.instances = model.count

    def value(self) -> dict[str, object]:
        """Return the figures for ``timings.json``."""
        result: dict[str, object] = {"stages_seconds": self.stages}
        if self.answers:
            result["answers"] = self.answers
            result["answers_per_second"] = self.answers / self.run_seconds
            result["share_of_time_outside_the_model"] = 1 - self.busy_seconds / (
                self.run_seconds * self.instances
            )
        if self.replay is not None:
            direct = self.replay.requests / self.replay.seconds
            result["direct"] = {**asdict(self.replay), "answers_per_second": direct}
            result["ratio_to_direct"] = self.answers / self.run_seconds / direct
        return result


def replay(node: Node, protocol: Protocol, model: "Instances") -> Replay:
    """Send an even choice of a lab's requests again, straight to the model."""
    pairs = list(_requests(node, protocol))
    chosen = pairs[:: max(1, len(pairs) // REPLAYED)]
    began, busy = time.perf_counter(), model.busy_seconds
    with ThreadPoolExecutor(model.count) as pool:
        answers = list(pool.map(model.complete, [request for request, _ in chosen]))
    seconds = time.perf_counter() - began
    same = sum(answer.text == text for answer, (_, text) in zip(answers, chosen, strict=True))
    return Replay(len(chosen), seconds, model.busy_seconds - busy, same)


def _requests(node: Node, protocol: Protocol) -> Iterator[tuple["Request", str]]:
    from countermark.exercise.inspect.embedded import Request  # noqa: PLC0415

    workspace = own_workspace(node, protocol)
    plan = own_plan(node, protocol)
    samples, _ = lab_samples(node, protocol, workspace.logs())
    for sample in samples:
        key, said = sample.transcript.key, sample.transcript.messages
        task = protocol.task(key.task)
        if task is None or not said or said[-1].role != "assistant":
            continue
        request = Request(
            messages=[{"role": message.role, "content": message.content} for message in said[:-1]],
            seed=seed_for(workspace.seed, key.task, key.item, key.language, key.epoch),
            max_tokens=protocol.generation.max_tokens,
            temperature=temperature(protocol, task, plan.settings),
            top_p=protocol.generation.top_p,
        )
        yield request, said[-1].content
