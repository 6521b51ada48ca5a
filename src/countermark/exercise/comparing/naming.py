# SPDX-License-Identifier: Apache-2.0
"""From a tool's own names of its settings to the names under which labs are compared.

1. A setting that has one of our names is put under it; the table of each tool is below.
2. A setting that a log has twice keeps the first: what was effective stands before what was asked.
3. The model's server is told as its kind and its public host (``model.route``); what else is said
   of where and on what it ran is only noted.
4. Stored aggregates, identifiers and names of people are no settings and are passed over.
5. Every value passes :func:`~countermark.exercise.comparing.redaction.redacted` under the tool's
   name and under ours; prompts and templates become digests.
"""

from collections.abc import Iterator, Mapping

from countermark.exercise import vocabulary as names
from countermark.exercise.comparing.redaction import public_host, redacted
from countermark.records.canonical import JsonValue, canonical, content_digest
from countermark.records.errors import InputError

_GENERATION = {
    "temperature": names.TEMPERATURE,
    "top_p": names.TOP_P,
    "max_tokens": names.MAX_TOKENS,
    "max_gen_toks": names.MAX_TOKENS,
    "stop_seqs": "generation.stop",
    "stop_sequences": "generation.stop",
    "until": "generation.stop",
    "system_message": names.SYSTEM_PROMPT,
}
_OPERATION = frozenset(
    {
        "adaptive_connections", "attempt_timeout", "batch", "cache", "cache_prompt",
        "extra_headers", "max_connections", "max_retries", "stream_idle_timeout", "timeout",
    }
)  # fmt: skip
_DEVICE = frozenset(
    {
        "batch_size", "device", "device_map", "gpu_memory_utilization", "max_batch_size",
        "max_model_len", "model_path", "num_gpus", "port", "server_args", "tensor_parallel_size",
        "tokenizer_path", "trust_remote_code",
    }
)  # fmt: skip
_LIMITS = {
    "message_limit": "limits.messages",
    "token_limit": "limits.tokens",
    "time_limit": "limits.seconds",
    "working_limit": "limits.working-seconds",
    "cost_limit": "limits.cost",
    "turn_limit": "limits.turns",
}
_ERRORS = {
    "fail_on_error": "error-policy.fail-on-error",
    "continue_on_fail": "error-policy.continue-on-fail",
    "retry_on_error": "error-policy.retries",
    "score_on_error": "error-policy.score-on-error",
}
_INSPECT = {
    "eval.epochs": names.EPOCHS,
    "eval.epochs_reducer": "scorer.epochs-reducer",
    "solver.name": "agent.solver",
    "sandbox.type": "sandbox",
    "task.version": "task.version",
    "revision.commit": "task.revision",
    "dataset.name": "dataset.name",
    "dataset.shuffled": "dataset.shuffled",
    "dataset.revision": "dataset.revision",
}
_OTHERS = {
    # lm-evaluation-harness
    "task_version": "task.version",
    "task_hash": "dataset.revision",
    "fewshot": "prompt.fewshot",
    "fewshot_as_multiturn": "prompt.fewshot-as-multiturn",
    "system_instruction_sha": names.SYSTEM_PROMPT,
    "chat_template_sha": names.CHAT_TEMPLATE,
    "git_hash": "task.revision",
    "transformers_version": "package.transformers",
    "model.limit": "limits.samples",
    "model.random_seed": names.SEED_POLICY,
    "task.repeats": names.EPOCHS,
    "task.num_fewshot": "prompt.fewshot",
    # HELM
    "adapter.temperature": names.TEMPERATURE,
    "adapter.max_tokens": names.MAX_TOKENS,
    "adapter.stop_sequences": "generation.stop",
    "adapter.instructions": "prompt.instructions",
    "adapter.max_train_instances": "prompt.fewshot",
    "adapter.num_trials": names.EPOCHS,
    "adapter.model_deployment": names.MODEL_ROUTE,
    "adapter.method": "prompt.method",
    # Moonshot
    "prompt_template": "prompt.template",
    "system_prompt": names.SYSTEM_PROMPT,
    "connector.model_endpoint": names.MODEL_ROUTE,
    "connector.system_prompt": names.SYSTEM_PROMPT,
    "connector.params.temperature": names.TEMPERATURE,
    "connector.params.max_tokens": names.MAX_TOKENS,
    "random_seed": names.SEED_POLICY,
    # garak
    "run.generations": names.EPOCHS,
    "run.seed": names.SEED_POLICY,
    "run.deprefix": "scorer.deprefix",
    "threshold": "scorer.threshold",
    # Every Eval Ever
    "generation.generation_args.temperature": names.TEMPERATURE,
    "generation.generation_args.top_p": names.TOP_P,
    "generation.generation_args.max_tokens": names.MAX_TOKENS,
    "model.inference_platform": names.MODEL_ROUTE,
}
_DIGESTED = frozenset(
    {names.SYSTEM_PROMPT, names.CHAT_TEMPLATE, "prompt.template", "prompt.instructions"}
)
MOST_OF_A_VERSION = 80
_PROMPTS = ("template", "instructions", "prompt", "grade_pattern")


def named(tool: str, settings: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a run's settings by our names, redacted.

    Parameters
    ----------
    tool
        The program, as :class:`~countermark.exercise.reading.found.FoundRun` names it.
    settings
        Every effective setting by the tool's dotted name.
    """
    rows = _of_inspect(settings) if tool == "inspect" else _of_others(settings)
    found: dict[str, JsonValue] = {}
    for name, said, value in rows:
        kept = _kept(name, said, value)
        if _is_publishable(kept):
            found.setdefault(name, kept)
    return found


def digest(value: JsonValue) -> JsonValue:
    """Return the digest of a wording; one that is a digest already, or nothing, stays."""
    if value is None or (isinstance(value, str) and _is_digest(value)):
        return value
    text = value if isinstance(value, str) else canonical(value).decode()
    return content_digest(text.encode("utf-8", "replace"))


def route(model: str, base_url: JsonValue) -> JsonValue:
    """Return who serves a model: the kind of server, and its host if that is public (rule 3)."""
    kind = model.partition("/")[0] if "/" in model else model
    if not isinstance(base_url, str):
        return kind
    return f"{kind} at {public_host(base_url) or 'a host of its own'}"


def _of_inspect(settings: Mapping[str, JsonValue]) -> Iterator[tuple[str, str, JsonValue]]:
    for said, value in settings.items():
        group, _, rest = said.partition(".")
        if said in _INSPECT:
            yield _INSPECT[said], said, value
        elif group == "generate":
            yield _generation(rest), said, value
        elif group == "eval" and rest in _LIMITS | _ERRORS:
            yield (_LIMITS | _ERRORS)[rest], said, value
        elif group == "packages":
            yield f"package.{rest}", said, value
        elif group == "model" and rest.startswith("args."):
            yield _argument(rest.removeprefix("args.")), said, value
        elif group == "model" and rest.startswith("roles."):
            yield from _role(rest.removeprefix("roles."), said, value)
        elif group == "scorer":
            yield from _scorer(rest, said, value)
        elif group == "solver" and rest.startswith("args."):
            yield f"agent.{rest}", said, value
        elif said.startswith("task.args.") and "metadata.countermark.protocol" not in settings:
            yield said, said, value
    yield "agent.solvers", "plan", [settings[said] for said in sorted(settings) if _is_step(said)]


def _of_others(settings: Mapping[str, JsonValue]) -> Iterator[tuple[str, str, JsonValue]]:
    for said, value in settings.items():
        if said in _OTHERS:
            yield _OTHERS[said], said, value
            continue
        last = said.rpartition(".")[2]
        generating = any(part in said for part in ("generation_kwargs", "gen_kwargs", "params."))
        if generating and last in _GENERATION:
            yield _GENERATION[last], said, value


def _generation(name: str) -> str:
    if name in _GENERATION:
        return _GENERATION[name]
    if name == "seed":
        return names.SEED_POLICY
    return f"operation.{name}" if name in _OPERATION else f"generation.{name}"


def _argument(name: str) -> str:
    first = name.partition(".")[0]
    if first == "chat_template":
        return names.CHAT_TEMPLATE
    if first in {"base_url", "host", "hostname"}:
        return "model.host"
    return f"model.device.{name}" if first in _DEVICE else f"model.args.{name}"


def _role(rest: str, said: str, value: JsonValue) -> Iterator[tuple[str, str, JsonValue]]:
    role, _, field = rest.partition(".")
    if field in ("model", ""):
        yield f"scorer.{role}.model", said, value
    elif field.startswith("config."):
        yield f"scorer.{role}.{field.removeprefix('config.')}", said, value


def _scorer(rest: str, said: str, value: JsonValue) -> Iterator[tuple[str, str, JsonValue]]:
    key, _, field = rest.partition(".")
    option = field.removeprefix("options.")
    if field == "metrics":
        return
    if option in _PROMPTS:
        yield f"scorer.{key}.prompt.{option}", said, digest(value)
    elif field:
        yield f"scorer.{key}.{option}", said, value


def _kept(name: str, said: str, value: JsonValue) -> JsonValue:
    if name in _DIGESTED:
        return digest(value)
    if name.startswith("package."):  # a version of four numbers is no address
        return str(value)[:MOST_OF_A_VERSION]
    return redacted(name, redacted(said, value))


def _is_step(said: str) -> bool:
    return said.startswith("plan.") and said.endswith(".solver")


def _is_digest(text: str) -> bool:
    bare = text.removeprefix("sha256:")
    return len(bare) == 64 and all(one in "0123456789abcdef" for one in bare)


def _is_publishable(value: JsonValue) -> bool:
    """Tell whether a value has a canonical form: a log may hold NaN, or a lone surrogate."""
    try:
        canonical(value)
    except InputError:
        return False
    return value is not None
