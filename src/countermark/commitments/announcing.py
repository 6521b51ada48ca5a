# SPDX-License-Identifier: Apache-2.0
"""Whether a developer's account tells of a change.

The numbers of the rules are those of :mod:`countermark.commitments.framework_diff`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from countermark.commitments.comparing import Step
from countermark.records.account import Announced

Told: TypeAlias = Literal["announced", "partly", "silent", "no account"]
Section: TypeAlias = Literal[
    "threshold", "domain", "mitigation", "process", "governance", "disclosure", "framework"
]


@dataclass(frozen=True, slots=True)
class Found:
    """A change of one part of a framework, before it is known whether it was announced."""

    section: Section
    key: str | None
    new_key: str | None
    step: Step


class Entries:
    """What an account announces, by the keys that it names."""

    def __init__(self, changes: tuple[Announced, ...]) -> None:
        self._changes = changes
        self._by_name: dict[tuple[str, str], list[Announced]] = {}
        for entry in changes:
            for name in _names_of(entry):
                self._by_name.setdefault(name, []).append(entry)

    def naming(self, one: Found) -> list[Announced]:
        """Return the entries that name what changed."""
        return [entry for name in _names(one) for entry in self._by_name.get(name, ())]

    def without(self, found: Iterable[Found]) -> tuple[Announced, ...]:
        """Return the entries that name nothing that was found (rule 23)."""
        names = {name for one in found for name in _names(one)}
        return tuple(entry for entry in self._changes if not names & _names_of(entry))


def told(one: Found, entries: Entries) -> Told:
    """Return whether an account tells of a change (rules 20 to 22)."""
    naming = [entry for entry in entries.naming(one) if not _denies(entry, one)]
    if any(_says(entry, one) for entry in naming):
        return "announced"
    return "partly" if naming else "silent"


def _names(one: Found) -> set[tuple[str, str]]:
    """Return by which field and key an entry would name what changed."""
    if one.section == "threshold":
        ends = (("threshold", one.key), ("added", one.new_key))
    else:
        ends = (("provision", one.key), ("provision", one.new_key))
    return {(field, key) for field, key in ends if key is not None}


def _names_of(entry: Announced) -> set[tuple[str, str]]:
    ends = (
        ("threshold", entry.threshold),
        ("added", entry.added),
        ("provision", entry.provision),
    )
    return {(field, key) for field, key in ends if key is not None}


def _denies(entry: Announced, one: Found) -> bool:
    """Tell whether an entry says that what weakened was strengthened, or the other way round."""
    less, more = {"weakened", "removed"}, {"strengthened", "added"}
    opposite = (entry.effect in less and one.step.effect in more) or (
        entry.effect in more and one.step.effect in less
    )
    return opposite and entry.aspect in {None, one.step.aspect}


def _says(entry: Announced, one: Found) -> bool:
    if one.section == "threshold" and one.key is None and entry.added == one.new_key:
        return True
    return entry.effect == one.step.effect and entry.aspect in {None, one.step.aspect}
