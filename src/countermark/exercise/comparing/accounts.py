# SPDX-License-Identifier: Apache-2.0
"""What each lab tells of its runs, beside what the protocol asks of it: the input of comparing.

1. A lab's cells are those of which it has answers; what was not answered is not pooled anyway.
2. What is asked follows from the lab's logged plan, never from what it says it ran; of a swap, from
   the plan with that one factor changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from countermark.exercise.cells import CellRun, arm_settings, full_settings
from countermark.exercise.comparing.comparability import Cell, CellAccount, LabAccount
from countermark.exercise.comparing.configurations import configuration_of
from countermark.exercise.comparing.consumption import Price
from countermark.exercise.comparing.expectations import asked, factor_of
from countermark.exercise.logs import Log
from countermark.exercise.matching import Cell as LoggedCell
from countermark.records.evidence import CellConfiguration, CellCounts, Deviation
from countermark.records.protocol import FactorSetting, Protocol


def configurations_of(
    protocol: Protocol,
    runs: Sequence[CellRun],
    logs: Mapping[LoggedCell, Log],
    prices: Mapping[str, Price],
) -> tuple[CellConfiguration, ...]:
    """Return how a lab ran each of its cells, in the protocol's order.

    Parameters
    ----------
    protocol, runs
        What the lab planned.
    logs
        Its logs by model, task, language and arm.
    prices
        What it declared that models cost.
    """
    return tuple(
        configuration_of(log, run, model.key, prices.get(model.key))
        for model in protocol.models
        for run in runs
        if (log := logs.get((model.key, run.task, run.language, run.arm))) is not None
    )


def lab_account(
    protocol: Protocol,
    lab: str,
    settings: tuple[FactorSetting, ...],
    configurations: Iterable[CellConfiguration],
    deviations: Iterable[Deviation],
    counts: Iterable[CellCounts],
    sealed: datetime | None = None,
) -> LabAccount:
    """Return what a lab tells, beside what is asked of it.

    Parameters
    ----------
    protocol, lab
        Which exercise, and whose account it is.
    settings
        The value of every factor in the lab's plan.
    configurations, deviations
        What it tells and declares.
    counts
        What came of its cells (rule 1).
    sealed
        When its seal had been witnessed, if that is known.
    """
    told = {
        Cell(one.model, one.task, one.language, one.arm): {
            setting.name: setting.value for setting in one.settings
        }
        for one in configurations
    }
    cells = {}
    for one in counts:
        cell = Cell(one.model, one.task, one.language, one.arm)
        if one.answered:
            run_with = arm_settings(protocol, lab, settings, cell.arm)
            cells[cell] = _cell(protocol, cell, run_with, told.get(cell))
    named = frozenset(name for one in deviations for name in one.settings or ())
    return LabAccount(lab, cells, named, sealed)


def _cell(
    protocol: Protocol,
    cell: Cell,
    settings: tuple[FactorSetting, ...],
    told: Mapping[str, str] | None,
) -> CellAccount:
    place = (protocol, cell.model, cell.task, cell.language)
    if told is None:
        return CellAccount(None, {}, {})
    reference = full_settings(protocol, ())
    wanted = asked(*place, settings)
    values = {entry.factor: entry.value for entry in settings}
    levels = {
        name: values[factor]
        for name in told
        if (factor := factor_of(protocol, cell.task, name)) is not None and factor in values
    }
    return CellAccount(
        told=told,
        asked=wanted,
        reference=wanted if settings == reference else asked(*place, reference),
        levels=levels,
    )
