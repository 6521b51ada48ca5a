# SPDX-License-Identifier: Apache-2.0
"""What a protocol asks of a lab's settings, by the names under which labs are compared.

1. Only what the protocol says is asked; what it does not say is compared between labs.
2. Where a value of a factor decides, it is the value that the lab's run plan has.
3. A system prompt, a judge's prompt and the items are told by digests; in a system prompt
   ``{secret}`` stands for the secret of each sample.
4. Items that are private are not in the digest of the items: their seals are in the protocol.
5. Nothing may change during a run, and no other model may answer.
"""

from collections.abc import Mapping, Sequence

from countermark.exercise import vocabulary as names
from countermark.exercise.comparing.naming import digest
from countermark.exercise.prompting import (
    JUDGE_VERSION,
    SECRET,
    SYSTEM_PROMPT,
    TEMPERATURE,
    level_for,
    messages,
)
from countermark.exercise.scoring import scorer_version
from countermark.records.canonical import JsonValue
from countermark.records.protocol import (
    FactorSetting,
    Item,
    ModelUnderTest,
    Protocol,
    Scorer,
    Task,
)
from countermark.records.protocol_parts import AgentSettings

FACTOR_OF = {names.TEMPERATURE: TEMPERATURE, names.SYSTEM_PROMPT: SYSTEM_PROMPT}
"""Names whose factor is called otherwise; any other name may itself be the key of a factor."""


def asked(
    protocol: Protocol,
    model: str,
    task: str,
    language: str,
    settings: tuple[FactorSetting, ...],
) -> dict[str, str]:
    """Return what one cell is asked to be run with: canonical JSON by name.

    Parameters
    ----------
    protocol
        The protocol.
    model, task, language
        Keys of it.
    settings
        The lab's value of every factor.

    Raises
    ------
    InputError
        If a setting names a value that the protocol does not have.
    """
    protocol = protocol.frozen  # whoever lacks the private part asks for the same
    defined, tested = protocol.task(task), protocol.model(model)
    if defined is None or tested is None:
        return {}
    found: dict[str, JsonValue] = {
        **names.ALWAYS,
        **_model(tested),
        names.TOP_P: protocol.generation.top_p,
        names.MAX_TOKENS: protocol.generation.max_tokens,
        names.EPOCHS: protocol.epochs,
        names.SYSTEM_PROMPT: _system_prompt(protocol, defined, language, settings),
        names.ITEMS: items_digest(asked_items(protocol, defined, language, settings)),
        "error-policy.retries": protocol.generation.retries or 0,
    }
    level = level_for(protocol, defined, TEMPERATURE, settings)
    if level is not None and level.number is not None:
        found[names.TEMPERATURE] = level.number
    for scorer in (defined.scorer, defined.control_scorer, *(defined.further_scorers or ())):
        if scorer is not None:
            found.update(_scorer(protocol, defined, scorer, settings))
    if defined.agent is not None:
        found.update(_agent(defined.agent))
    return {name: names.written(value) for name, value in found.items()}


def factor_of(protocol: Protocol, task: str, name: str) -> str | None:
    """Return the key of the factor that decides a setting of a task, if the protocol has one."""
    wanted = FACTOR_OF.get(name, name)
    if name.startswith("scorer."):
        wanted = JUDGE_VERSION
    return next(
        (one.key for one in protocol.factors if one.key == wanted and one.task in (None, task)),
        None,
    )


def asked_items(
    protocol: Protocol, task: Task, language: str, settings: Sequence[FactorSetting]
) -> dict[str, list[JsonValue]]:
    """Return what each public item tells the model beside the system prompt, by key (rule 4)."""
    return {
        item.key: [
            [one.role, one.content]
            for one in messages(protocol, task, item, language, settings, SECRET)
            if one.role != "system"
        ]
        for item in task.items
        if is_public(item, language)
    }


def is_public(item: Item, language: str) -> bool:
    """Tell whether an item's wording in a language is in the protocol."""
    text = item.text(language)
    return text is not None and text.prompt is not None


def items_digest(told: Mapping[str, list[JsonValue]]) -> JsonValue:
    """Return the digest of what items told the model."""
    return digest([[key, told[key]] for key in sorted(told)])


def _model(tested: ModelUnderTest) -> dict[str, JsonValue]:
    if tested.sealed is not None:
        return {names.MODEL_NAME: tested.key}  # all that evidence may say of it
    return {} if tested.provider is None else {names.MODEL_NAME: tested.provider}


def _system_prompt(
    protocol: Protocol, task: Task, language: str, settings: Sequence[FactorSetting]
) -> JsonValue:
    level = level_for(protocol, task, SYSTEM_PROMPT, settings)
    return digest(level.text(language)) if level is not None else None


def _scorer(
    protocol: Protocol, task: Task, scorer: Scorer, settings: Sequence[FactorSetting]
) -> dict[str, JsonValue]:
    version = scorer_version(protocol, task, scorer, settings)
    pinned = next(one for one in scorer.versions if one.version == version)
    found: dict[str, JsonValue] = {"version": version, "digest": pinned.digest}
    if pinned.judge is not None:
        found["model"] = pinned.judge.provider
        found["snapshot"] = pinned.judge.snapshot
        found["prompt"] = digest(pinned.judge.prompt)
        found["temperature"] = pinned.judge.temperature
        found["max_tokens"] = pinned.judge.max_tokens
    return {f"scorer.{scorer.key}.{name}": value for name, value in found.items()}


def _agent(agent: AgentSettings) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "agent.scaffold": agent.scaffold,
        "agent.tools": [*sorted(agent.tools)],
        "agent.attempts": agent.attempts,
        "limits.messages": agent.message_limit,
    }
    if agent.sandbox is not None:
        found["sandbox"] = agent.sandbox
    if agent.token_limit is not None:
        found["limits.tokens"] = agent.token_limit
    if agent.time_limit is not None:
        found["limits.seconds"] = agent.time_limit
    return found
