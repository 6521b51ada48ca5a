# SPDX-License-Identifier: Apache-2.0
"""Which labs' answers are pooled in which cell, by what their settings show. Pure.

1. A lab's cell with an undeclared difference is left out, with the names of the settings.
2. A lab of which every cell is left out is left out of the exercise's figures.
3. Labs that tell no settings are pooled, and the finding says that nobody could compare them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from countermark.exercise.comparing.accounts import lab_account
from countermark.exercise.comparing.comparability import Cell, LabAccount, compare_labs
from countermark.exercise.revealing.checking import Revealed
from countermark.records.compared import ComparedSetting
from countermark.records.errors import StateError
from countermark.records.finding import CellLeftOut, Gap, LeftOut
from countermark.records.protocol import Protocol

SECTION = "comparability"
MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Pool:
    """Who is pooled.

    Parameters
    ----------
    labs
        Labs with at least one cell that is pooled, in order of their keys.
    left_out
        Labs without one.
    table
        How all of them compare; nothing if none tells its settings.
    gaps
        Labs that could not be compared.
    blocked
        Settings that keep a lab's cell out.
    """

    labs: tuple[Revealed, ...]
    left_out: tuple[LeftOut, ...]
    table: tuple[ComparedSetting, ...] | None
    gaps: tuple[Gap, ...]
    blocked: Mapping[tuple[str, Cell], tuple[str, ...]]

    def of_cell(self, model: str, task: str, language: str) -> tuple[Revealed, ...]:
        """Return the labs whose answers are pooled in a cell."""
        cell = Cell(model, task, language)
        return tuple(one for one in self.labs if (one.evidence.lab, cell) not in self.blocked)

    def left_out_of(self, model: str, task: str, language: str) -> tuple[CellLeftOut, ...] | None:
        """Return the pooled labs whose answers are not in one cell; nothing if there are none."""
        cell = Cell(model, task, language)
        found = tuple(
            CellLeftOut(lab=one.evidence.lab, settings=self.blocked[one.evidence.lab, cell])
            for one in self.labs
            if (one.evidence.lab, cell) in self.blocked
        )
        return found or None


def pooled(protocol: Protocol, revealed: Sequence[Revealed]) -> Pool:
    """Decide whose answers are pooled.

    Parameters
    ----------
    protocol
        What was run.
    revealed
        The checked evidence of each lab.

    Raises
    ------
    StateError
        If nobody's is: the labs differ, and no value is common to most of them.
    """
    ordered = sorted(revealed, key=lambda one: one.evidence.lab)
    accounts = {one.evidence.lab: account_of(one, protocol) for one in ordered}
    found = compare_labs(accounts.values())
    out = {
        lab: names
        for lab, account in accounts.items()
        if (names := _in_every_cell(account, found.blocked))
    }
    labs = tuple(one for one in ordered if one.evidence.lab not in out)
    if not labs:
        raise StateError(
            "has no labs whose runs can be pooled: "
            + "; ".join(f"{lab} ran with another {_listed(out[lab])}" for lab in sorted(out)),
            where=protocol.name,
            next_step="Leave out those who did not run what was agreed: "
            "countermark finding compute --without LAB=REASON.",
        )
    return Pool(
        labs=labs,
        left_out=tuple(_left_out(one, out) for one in ordered if one.evidence.lab in out),
        table=found.table or None,
        gaps=tuple(_gaps(accounts)),
        blocked=found.blocked,
    )


def account_of(one: Revealed, protocol: Protocol) -> LabAccount:
    """Return what a lab's checked evidence tells."""
    evidence = one.evidence
    return lab_account(
        protocol,
        evidence.lab,
        one.plan.settings,
        evidence.configurations or (),
        evidence.deviations,
        evidence.counts,
        one.sealed_by,
    )


def _in_every_cell(
    account: LabAccount, blocked: Mapping[tuple[str, Cell], tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the settings that keep all cells of a lab out; none if one of them is pooled."""
    cells = [blocked.get((account.lab, cell), ()) for cell in account.cells]
    return tuple(sorted({name for names in cells for name in names})) if all(cells) else ()


def _left_out(one: Revealed, out: Mapping[str, tuple[str, ...]]) -> LeftOut:
    names = out[one.evidence.lab]
    return LeftOut(
        institute=one.evidence.institute,
        lab=one.evidence.lab,
        because="not-comparable",
        reason=f"it ran with another {_listed(names)}, and did not say so",
        evidence=one.entry.digest,
    )


def _gaps(accounts: Mapping[str, LabAccount]) -> Iterator[Gap]:
    silent = [lab for lab, account in accounts.items() if account.cells and not account.tells]
    if silent:
        yield Gap(
            section=SECTION,
            reason=f"how {', '.join(silent)} ran it is not told, so it could not be compared with "
            "the protocol or with others",
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
