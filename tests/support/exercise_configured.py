# SPDX-License-Identifier: Apache-2.0
"""What an honest lab tells of how it ran, and one that lies in one thing."""

from collections.abc import Mapping

from countermark.exercise.cells import full_settings
from countermark.exercise.comparing.configurations import written_settings
from countermark.exercise.comparing.expectations import asked
from countermark.exercise.vocabulary import read
from countermark.records.canonical import JsonValue
from countermark.records.evidence import CellConfiguration
from countermark.records.protocol import FactorSetting, Protocol

ALIKE: Mapping[str, JsonValue] = {"model.route": "openai", "tool.name": "inspect"}


def configured(
    protocol: Protocol,
    settings: Mapping[str, str] | None = None,
    change: Mapping[str, JsonValue] | None = None,
    only: tuple[str, str] | None = None,
) -> tuple[CellConfiguration, ...]:
    """Return how a lab tells that it ran all cells.

    Parameters
    ----------
    protocol, settings
        What it planned.
    change
        What it really had otherwise; a setting that is nothing is hidden.
    only
        In which task and language; everywhere if not given.
    """
    chosen = full_settings(
        protocol,
        tuple(FactorSetting(factor=f, value=v) for f, v in (settings or {}).items()),
    )
    return tuple(
        _configuration(
            protocol,
            (model.key, task.key, language),
            chosen,
            change or {} if only in (None, (task.key, language)) else {},
        )
        for model in protocol.models
        for task in protocol.tasks
        for language in protocol.languages
    )


def _configuration(
    protocol: Protocol,
    cell: tuple[str, str, str],
    settings: tuple[FactorSetting, ...],
    change: Mapping[str, JsonValue],
) -> CellConfiguration:
    wanted = asked(protocol, *cell, settings)
    told = {**ALIKE, **{name: read(value) for name, value in wanted.items()}, **change}
    hidden = {name for name, value in change.items() if value is None}
    return CellConfiguration(
        model=cell[0],
        task=cell[1],
        language=cell[2],
        settings=written_settings({k: v for k, v in told.items() if k not in hidden}),
    )
