# SPDX-License-Identifier: Apache-2.0
"""What one lab runs: a task of the protocol in one language, under declared settings.

1. Without swaps, a lab runs each cell once, with the values of the factors that it declares.
2. With swaps, every lab's first arm is the reference: it declares no other value of any factor.
3. A swap is run by its lab alone, beside its reference arm: the same items with one factor changed.
   Secrets and generation seeds are those of the reference arm, so that nothing else differs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError
from countermark.records.protocol import FactorSetting, Item, Protocol, Task
from countermark.records.protocol_parts import Swap
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
    arm
        Which of the lab's swaps it is of; nothing for the reference arm.
    known_digest
        The protocol's digest, where it was computed already: that takes long for a large one.

    Raises
    ------
    InputError
        If the protocol has no such task, language, factor, value or arm.
    """

    protocol: Protocol
    task: str
    language: str
    lab: str
    settings: tuple[FactorSetting, ...]
    seed: bytes
    arm: str | None = None
    known_digest: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        known_tasks = [task.key for task in self.protocol.tasks]
        _require(self.task in known_tasks, f"no task {self.task!r}", known_tasks)
        languages = self.protocol.languages
        _require(self.language in languages, f"no language {self.language!r}", languages)
        check_arm(self.protocol, self.settings)
        known_arms = [swap.arm for swap in swaps_of(self.protocol, self.lab, self.task)]
        if self.arm is not None:
            _require(self.arm in known_arms, f"no arm {self.arm!r} of {self.lab}", known_arms)

    @cached_property
    def definition(self) -> Task:
        """The task as the protocol defines it."""
        return next(task for task in self.protocol.tasks if task.key == self.task)

    @cached_property
    def full_settings(self) -> tuple[FactorSetting, ...]:
        """The value of every factor of the protocol: declared, by reference, or swapped."""
        return arm_settings(self.protocol, self.lab, self.settings, self.arm)

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
        said: dict[str, JsonValue] = {
            "protocol": self.protocol_digest,
            "task": self.task,
            "language": self.language,
            "lab": self.lab,
            "settings": {entry.factor: entry.value for entry in self.full_settings},
            "seed": self.seed.hex(),
        }
        return said if self.arm is None else said | {"arm": self.arm}


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


def check_arm(protocol: Protocol, declared: tuple[FactorSetting, ...]) -> None:
    """Check the settings of a lab's first arm.

    Raises
    ------
    InputError
        If a factor or value is not the protocol's, or the protocol has swaps and a value is not the
        reference (rule 2).
    """
    full = full_settings(protocol, declared)
    other = [one for one in full if one not in full_settings(protocol, ())]
    if protocol.swaps and other:
        raise InputError(
            "has swaps, so every lab's first arm is the reference, and it has "
            + ", ".join(f"{one.factor}={one.value}" for one in other),
            where=protocol.name,
            next_step="Declare no settings; what a lab changes is one of the protocol's swaps.",
        )


def swaps_of(protocol: Protocol, lab: str, task: str | None = None) -> tuple[Swap, ...]:
    """Return the swaps that a lab runs, of all tasks or of one, in the protocol's order."""
    return tuple(
        swap
        for swap in protocol.swaps or ()
        if swap.lab == lab and (task is None or swap.tasks is None or task in swap.tasks)
    )


def arm_settings(
    protocol: Protocol, lab: str, declared: tuple[FactorSetting, ...], arm: str | None
) -> tuple[FactorSetting, ...]:
    """Return the value of every factor in one arm of a lab; raises as :func:`full_settings`."""
    swapped = {swap.factor: swap.value for swap in swaps_of(protocol, lab) if swap.arm == arm}
    return tuple(
        FactorSetting(factor=one.factor, value=swapped.get(one.factor, one.value))
        for one in full_settings(protocol, declared)
    )


def arms_of(protocol: Protocol, lab: str) -> tuple[tuple[str | None, Task], ...]:
    """Return what a lab runs in each language: arms and tasks, the reference arm first."""
    arms = dict.fromkeys(swap.arm for swap in swaps_of(protocol, lab))
    reference: list[tuple[str | None, Task]] = [(None, task) for task in protocol.tasks]
    return (
        *reference,
        *(
            (arm, task)
            for arm in arms
            for task in protocol.tasks
            if arm in [swap.arm for swap in swaps_of(protocol, lab, task.key)]
        ),
    )


def planned_keys(protocol: Protocol, lab: str | None = None) -> Iterator[SampleKey]:
    """Yield every sample that a lab is asked for, in the protocol's order, its swaps last.

    Parameters
    ----------
    protocol
        What is run.
    lab
        Which lab; without one, only what every lab is asked for: the reference arm.
    """
    for model in protocol.models:
        for arm, task in arms_of(protocol, lab or ""):
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
                                arm=arm,
                            )


def _require(condition: bool, what: str, known: list[str] | tuple[str, ...]) -> None:
    if not condition:
        raise InputError(
            f"the protocol has {what}" if what.startswith("no ") else f"has {what}",
            where="protocol settings",
            next_step="Use one of: " + ", ".join(known) + ".",
        )
