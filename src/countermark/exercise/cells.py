# SPDX-License-Identifier: Apache-2.0
"""What one lab runs: a task of the protocol in one language, under declared settings."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError
from countermark.records.protocol import FactorSetting, Item, Protocol, Task
from countermark.records.sample import SampleKey


@dataclass(frozen=True)
class CellRun:
    """One cell's run at one lab.

    Parameters
    ----------
    protocol
        The frozen protocol.
    task, language
        Which cell; both must be the protocol's.
    lab
        Who runs it.
    settings
        Declared values of the protocol's factors; the others have the reference value.
    seed
        The lab's secret seed, 32 bytes.
    known_digest
        The protocol's digest, where it was computed already: that takes long for a large one.

    Raises
    ------
    InputError
        If the protocol has no such task, language, factor or value.
    """

    protocol: Protocol
    task: str
    language: str
    lab: str
    settings: tuple[FactorSetting, ...]
    seed: bytes
    known_digest: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        known_tasks = [task.key for task in self.protocol.tasks]
        _require(self.task in known_tasks, f"no task {self.task!r}", known_tasks)
        languages = self.protocol.languages
        _require(self.language in languages, f"no language {self.language!r}", languages)
        full_settings(self.protocol, self.settings)

    @cached_property
    def definition(self) -> Task:
        """The task as the protocol defines it."""
        return next(task for task in self.protocol.tasks if task.key == self.task)

    @cached_property
    def full_settings(self) -> tuple[FactorSetting, ...]:
        """The value of every factor of the protocol, declared or by reference."""
        return full_settings(self.protocol, self.settings)

    @cached_property
    def protocol_digest(self) -> str:
        """The protocol's content address."""
        return self.known_digest or self.protocol.digest

    @property
    def samples(self) -> int:
        """How many answers the run asks for."""
        items = [item for item in self.definition.items if item.text(self.language) is not None]
        return len(items) * self.protocol.epochs

    def item(self, key: str) -> Item:
        """Return one of the task's items.

        Raises
        ------
        InputError
            If the task has no such item.
        """
        found = next((item for item in self.definition.items if item.key == key), None)
        if found is None:
            raise InputError(
                f"the task {self.task} has no item {key!r}",
                where=self.protocol.name,
                next_step="Use the items of the frozen protocol.",
            )
        return found

    def metadata(self) -> dict[str, JsonValue]:
        """Return what a log must say so that it can be matched with the protocol."""
        return {
            "protocol": self.protocol_digest,
            "task": self.task,
            "language": self.language,
            "lab": self.lab,
            "settings": {entry.factor: entry.value for entry in self.full_settings},
            "seed": self.seed.hex(),
        }


def full_settings(
    protocol: Protocol, declared: tuple[FactorSetting, ...]
) -> tuple[FactorSetting, ...]:
    """Return the value of every factor, in the protocol's order.

    Raises
    ------
    InputError
        If a factor or value is not the protocol's, or a factor is declared twice.
    """
    factors = [factor.key for factor in protocol.factors]
    values = {entry.factor: entry.value for entry in declared}
    _require(len(values) == len(declared), "the same factor declared twice", factors)
    for entry in declared:
        _require(entry.factor in factors, f"no factor {entry.factor!r}", factors)
    result = []
    for factor in protocol.factors:
        value = values.get(factor.key, factor.reference)
        levels = [level.value for level in factor.levels]
        _require(value in levels, f"no value {value!r} of the factor {factor.key}", levels)
        result.append(FactorSetting(factor=factor.key, value=value))
    return tuple(result)


def planned_keys(protocol: Protocol) -> Iterator[SampleKey]:
    """Yield every sample that a lab is asked for, in the protocol's order."""
    for model in protocol.models:
        for task in protocol.tasks:
            for language in protocol.languages:
                for item in task.items:
                    for epoch in range(1, protocol.epochs + 1):
                        if item.text(language) is not None:
                            yield SampleKey(
                                model=model.key,
                                task=task.key,
                                language=language,
                                item=item.key,
                                epoch=epoch,
                            )


def _require(condition: bool, what: str, known: list[str] | tuple[str, ...]) -> None:
    if not condition:
        raise InputError(
            f"the protocol has {what}" if what.startswith("no ") else f"has {what}",
            where="protocol settings",
            next_step="Use one of: " + ", ".join(known) + ".",
        )
