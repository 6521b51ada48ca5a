# SPDX-License-Identifier: Apache-2.0
"""No peer's plaintext before your own seal. One pure function, which every reader calls.

A lab that could read another's answers before it had committed to its own might adapt to them.

1. A lab reads its own samples at any time.
2. Nobody reads a lab's samples before that exercise's own coordinator has closed it.
3. A participant with a run plan and no seal reads nothing until the closing names it as not sealed.
4. Everybody else reads what was revealed: sealed participants, and the public.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from countermark.node.book import Entry
from countermark.records.evidence import Evidence, ExerciseClosing, SealedResult
from countermark.records.protocol import Protocol, RunPlan


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether samples may be read, by which rule, and why."""

    allowed: bool
    rule: int
    reason: str


def may_read_samples(reader: str, evidence: Evidence, entries: Iterable[Entry]) -> Permission:
    """Say whether ``reader`` may read the samples that ``evidence`` reveals.

    Parameters
    ----------
    reader
        Roster code of the node that wants to read.
    evidence
        Whose samples they are.
    entries
        All statements that the reader holds.
    """
    if evidence.institute == reader:
        return Permission(allowed=True, rule=1, reason="these are your own samples")
    held = {entry.digest: entry.record for entry in entries}
    closing, protocol = held.get(evidence.closing), held.get(evidence.protocol)
    records = tuple(held.values())
    if not (
        isinstance(closing, ExerciseClosing)
        and isinstance(protocol, Protocol)
        and closing.protocol == evidence.protocol
        and closing.coordinator == protocol.coordinator
    ):
        return Permission(allowed=False, rule=2, reason="the exercise is not closed yet")
    planned = {
        record.lab
        for record in records
        if isinstance(record, RunPlan)
        and (record.protocol, record.institute) == (evidence.protocol, reader)
    }
    sealed = {
        record.lab
        for record in records
        if isinstance(record, SealedResult)
        and (record.protocol, record.institute) == (evidence.protocol, reader)
    }
    waiting = planned - sealed - set(closing.not_sealed)
    if waiting:
        names = ", ".join(sorted(waiting))
        return Permission(allowed=False, rule=3, reason=f"{names} has a run plan and no seal yet")
    return Permission(allowed=True, rule=4, reason="the exercise is closed and this was revealed")
