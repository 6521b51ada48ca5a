# SPDX-License-Identifier: Apache-2.0
"""What the model is shown: one item in one language under one lab's settings.

1. The user message is the item's text in that language, unchanged.
2. The system message is the wording that the lab's value of the factor ``system-prompt`` stands
   for, where that factor applies to the task; other tasks have no system message.
3. ``{secret}`` in the system message becomes the secret; nothing else is replaced.
4. A lab that declares no value for a factor has the factor's reference value.
"""

from collections.abc import Sequence

from countermark.exercise.private.content import prompt_of
from countermark.records.errors import InputError
from countermark.records.protocol import Factor, FactorLevel, FactorSetting, Item, Protocol, Task
from countermark.records.sample import Message

SYSTEM_PROMPT = "system-prompt"
TEMPERATURE = "temperature"
JUDGE_VERSION = "judge-version"
SECRET = "{secret}"  # noqa: S105  a placeholder


def messages(
    protocol: Protocol,
    task: Task,
    item: Item,
    language: str,
    settings: Sequence[FactorSetting],
    secret: str | None = None,
) -> tuple[Message, ...]:
    """Return the messages that one sample sends to the model.

    Parameters
    ----------
    protocol, task, item, language
        Which test case it is, and in which language.
    settings
        The lab's declared values of the protocol's factors.
    secret
        What stands for ``{secret}``; only tasks whose system message has it need one.

    Raises
    ------
    InputError
        If the item or the wording has no text in ``language``, if a setting names a value that the
        protocol does not have, or if a secret is needed and not given.
    """
    text = item.text(language)
    if text is None:
        raise InputError(
            f"has no text in {language!r}",
            where=f"{task.key}/{item.key}",
            next_step="Run a language of the protocol, or freeze a protocol that has this one.",
        )
    user = Message(role="user", content=prompt_of(text, f"{task.key}/{item.key}"))
    system = _system_message(protocol, task, language, settings, secret)
    return (user,) if system is None else (system, user)


def level_for(
    protocol: Protocol, task: Task, key: str, settings: Sequence[FactorSetting]
) -> FactorLevel | None:
    """Return the level of factor ``key`` that ``settings`` choose for ``task``.

    Nothing is returned where the protocol has no such factor, or has it for another task.

    Raises
    ------
    InputError
        If the settings name a value that the factor does not have.
    """
    factor = _factor(protocol, task, key)
    if factor is None:
        return None
    value = next((s.value for s in settings if s.factor == key), factor.reference)
    level = factor.level(value)
    if level is None:
        raise InputError(
            f"has no value {value!r}",
            where=f"factor {key}",
            next_step="Use one of: " + ", ".join(level.value for level in factor.levels) + ".",
        )
    return level


def temperature(protocol: Protocol, task: Task, settings: Sequence[FactorSetting]) -> float:
    """Return the sampling temperature that ``settings`` choose for ``task``.

    Raises
    ------
    InputError
        If the protocol declares no temperature for this task.
    """
    level = level_for(protocol, task, TEMPERATURE, settings)
    if level is None or level.number is None:
        raise InputError(
            "declares no temperature as a number",
            where=f"{protocol.name}/{task.key}",
            next_step=f"Give the protocol a factor {TEMPERATURE!r} whose levels have numbers.",
        )
    return level.number


def _factor(protocol: Protocol, task: Task, key: str) -> Factor | None:
    return next((f for f in protocol.factors if f.key == key and f.task in (None, task.key)), None)


def _system_message(
    protocol: Protocol,
    task: Task,
    language: str,
    settings: Sequence[FactorSetting],
    secret: str | None,
) -> Message | None:
    level = level_for(protocol, task, SYSTEM_PROMPT, settings)
    if level is None:
        return None
    wording = level.text(language)
    if wording is None:
        raise InputError(
            f"has no wording in {language!r}",
            where=f"factor {SYSTEM_PROMPT}, value {level.value}",
            next_step="Add the wording to the protocol and freeze it again.",
        )
    if SECRET in wording and secret is None:
        raise InputError(
            "has a place for a secret, and none was drawn",
            where=f"factor {SYSTEM_PROMPT}, value {level.value}",
            next_step="Draw one with exercise.secrets.secret_for.",
        )
    return Message(role="system", content=wording.replace(SECRET, secret or ""))
