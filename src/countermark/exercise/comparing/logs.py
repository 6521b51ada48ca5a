# SPDX-License-Identifier: Apache-2.0
"""Comparing logs that nobody sealed: any tool's with each other, or a protocol's own with it.

1. Without a protocol each run is a lab of its own, and all are compared as one cell: whatever
   differs that would matter in a pooled rate is shown.
2. The wording of items is compared over the items that all runs have; where they have none in
   common, their items differ.
3. With a protocol, a log must be one that says which of its cells it ran; runs of one lab go
   together, and what is asked follows from the settings that the log says.
4. A secret that a sample told the model is put back to its place where the log has its seed.
5. What a log does not hold is not guessed: nothing is asked of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from countermark.exercise import vocabulary as names
from countermark.exercise.comparing.accounts import lab_account
from countermark.exercise.comparing.comparability import (
    Cell,
    CellAccount,
    Comparability,
    LabAccount,
    compare_labs,
)
from countermark.exercise.comparing.configurations import configuration_of
from countermark.exercise.comparing.expectations import items_digest
from countermark.exercise.comparing.naming import digest, named, route
from countermark.exercise.logs import read_log
from countermark.exercise.matching import METADATA_KEY, match_log
from countermark.exercise.prompting import SECRET
from countermark.exercise.reading.detect import read_runs
from countermark.exercise.reading.found import FoundRun, FoundSample
from countermark.exercise.samples import count_cells, samples_of
from countermark.exercise.secrets import SEED_BYTES, secret_for
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError
from countermark.records.evidence import CellConfiguration, CellCounts
from countermark.records.protocol import FactorSetting, Protocol

ONE_CELL = Cell("any", "any", "any")
MOST_VALUES = 20
_OWN = f"metadata.{METADATA_KEY}"


@dataclass(frozen=True, slots=True)
class Compared:
    """Logs side by side.

    Parameters
    ----------
    found
        How they compare.
    files
        By the key of a lab or a run, the files that are its.
    """

    found: Comparability
    files: Mapping[str, tuple[str, ...]]


def compare_logs(paths: Sequence[Path]) -> Compared:
    """Compare logs of any tools with each other (rules 1 and 2).

    Raises
    ------
    InputError
        If a log cannot be read.
    """
    runs = [_told(run) for path in paths for run in read_runs(path)]
    common = set.intersection(*(set(one.items) for one in runs)) if runs else set()
    accounts, files = [], {}
    for number, one in enumerate(runs, start=1):
        # A run needs the key of a lab, and XX is the code of no member.
        key = f"XX-run-{number}"
        files[key] = (one.file,)
        told = {name: names.written(value) for name, value in one.settings.items()}
        if one.items:
            kept = {item: one.items[item] for item in common} or one.items
            told[names.ITEMS] = names.written(items_digest(kept))
        asked = {name: names.written(value) for name, value in names.ALWAYS.items() if name in told}
        accounts.append(LabAccount(key, {ONE_CELL: CellAccount(told, asked, asked)}))
    return Compared(compare_labs(accounts), files)


def compare_with(protocol: Protocol, paths: Sequence[Path]) -> Compared:
    """Compare logs of a protocol with it and with each other (rule 3).

    Raises
    ------
    InputError
        If a log cannot be read, or does not say which cell of the protocol it ran.
    """
    labs: dict[tuple[str, tuple[FactorSetting, ...]], list[_OfCell]] = {}
    for path in paths:
        one = _of_cell(protocol, path)
        labs.setdefault((one.lab, one.plan), []).append(one)
    accounts = [
        lab_account(
            protocol,
            lab,
            plan,
            [one.configuration for one in own],
            (),
            [counts for one in own for counts in one.counts],
        )
        for (lab, plan), own in labs.items()
    ]
    files = {lab: tuple(one.file for one in own) for (lab, _), own in labs.items()}
    return Compared(compare_labs(accounts), files)


@dataclass(frozen=True, slots=True)
class _OfCell:
    file: str
    lab: str
    plan: tuple[FactorSetting, ...]
    configuration: CellConfiguration
    counts: tuple[CellCounts, ...]


def _of_cell(protocol: Protocol, path: Path) -> _OfCell:
    log = read_log(path)
    said = (log.header.eval.metadata or {}).get(METADATA_KEY)
    lab = said.get("lab") if isinstance(said, dict) else None
    match = match_log(log, protocol, str(lab))
    if match.run is None or match.model is None:
        raise InputError(
            match.differences[0].text,
            where=str(path),
            next_step="Compare it without --protocol, or give the protocol that it ran.",
        )
    run, model = match.run, match.model.key
    return _OfCell(
        str(path),
        run.lab,
        run.full_settings,
        configuration_of(log, run, model),
        count_cells(sample.scores for sample in samples_of(run, model, log)),
    )


@dataclass(frozen=True, slots=True)
class _Run:
    file: str
    settings: Mapping[str, JsonValue]
    items: Mapping[str, list[JsonValue]]


def _told(run: FoundRun) -> _Run:
    """Return what a log of any tool tells, by our names."""
    said = run.settings or {}
    found: dict[str, JsonValue] = {
        "tool.name": run.tool,
        "task.name": run.task,
        names.MODEL_NAME: run.model,
    }
    beside = {
        "tool.version": run.tool_version,
        "task.language": run.language,
        names.STARTED: run.created,
    }
    found.update({name: value for name, value in beside.items() if value is not None})
    if run.tool == "inspect":
        found[names.MODEL_ROUTE] = route(run.model, said.get("model.base_url"))
        found[names.EPOCHS] = 1
    found.update(named(run.tool, said))
    samples = _Samples(run)
    found.update(samples.told(found))
    return _Run(run.file, found, samples.items)


@dataclass(slots=True)
class _Used:
    """Values of a setting in samples that did not have the run's, and how many those are."""

    samples: int = 0
    values: list[JsonValue] = field(default_factory=list)


class _Samples:
    """What the samples of a run tell: wordings, and settings that were not the run's."""

    def __init__(self, run: FoundRun) -> None:
        self.items: dict[str, list[JsonValue]] = {}
        self._run = run
        self._systems: set[str] = set()
        self._called = 0
        self._other: dict[str, _Used] = {}
        self._instead: set[str] = set()
        for sample in run.samples():
            self._add(sample)

    def told(self, launched: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Return the settings that the samples tell, where a run was launched with others."""
        found: dict[str, JsonValue] = {
            names.MODEL_FALLBACK: [*sorted(self._instead)],
        }
        changed: list[JsonValue] = []
        for name, used in sorted(self._other.items()):
            # What all calls had alike was not changed: the provider's default stood in for nothing.
            if used.samples == self._called and len(used.values) == 1:
                found[name] = used.values[0]
            else:
                changed.append(name)
                found[name] = [launched.get(name), *used.values[:MOST_VALUES]]
        found[names.CHANGED] = changed
        if self._systems:
            digests = [digest(text) if text else None for text in sorted(self._systems)]
            found[names.SYSTEM_PROMPT] = (
                digests[0] if len(digests) == 1 else digest([*sorted(self._systems)])
            )
        return found

    def _add(self, sample: FoundSample) -> None:
        texts = list(self._texts(sample))
        if texts:
            self._systems.add("\n".join(text for role, text in texts if role == "system"))
            told: list[JsonValue] = [[role, text] for role, text in texts if role != "system"]
            self.items.setdefault(sample.item, told)
        self._called += bool(texts)
        settings = sample.settings or {}
        for name, value in named(self._run.tool, settings).items():
            if name in _OF_EACH or name.startswith("operation."):
                continue
            used = self._other.setdefault(name, _Used())
            used.samples += 1
            if value not in used.values:
                used.values.append(value)
        self._instead |= {
            str(value) for name, value in settings.items() if name.startswith("fallback.")
        }

    def _texts(self, sample: FoundSample) -> Iterator[tuple[str, str]]:
        """Yield what the model was told before it first spoke."""
        secret = self._secret(sample)
        for message in sample.messages:
            if message.role == "assistant":
                return
            text = message.text.replace(secret, SECRET) if secret else message.text
            yield message.role, text

    def _secret(self, sample: FoundSample) -> str | None:
        said = self._run.settings or {}
        task, language, seed = (said.get(f"{_OWN}.{key}") for key in ("task", "language", "seed"))
        try:
            own = bytes.fromhex(str(seed))
        except ValueError:
            return None
        if len(own) != SEED_BYTES:
            return None
        return secret_for(own, str(task), sample.item, str(language), sample.epoch)


_OF_EACH = frozenset({names.SEED_POLICY, "agent.solvers"})
