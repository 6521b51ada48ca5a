# SPDX-License-Identifier: Apache-2.0
"""A lab's private folder for one exercise: ``runs/<protocol>/`` in its node's folder.

::

    secrets.json      the secret seed and the tree key; opened by the evidence, private until then
    running/          where Inspect writes; see pending.py
    unfinished/       logs of runs that were interrupted; their cells go on from them
    logs/             finished Inspect logs, one a model, task, language and arm
    deviations.json   what was declared when logs were imported
    prices.json       what a million tokens of each model cost, as the lab declared it
    samples.jsonl     what was sealed; becomes a public blob when it is revealed
    configurations.json  how each cell was run, as sealed
    private.json      what opens the protocol's seals, where it has any; see private/content.py
"""

import secrets as entropy
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from countermark.exercise.comparing.consumption import Price
from countermark.exercise.logged import own_record
from countermark.exercise.logs import Log, read_log
from countermark.node.files import read_file, storage_errors, write_atomic
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.records.base import Hex32, Part
from countermark.records.canonical import canonical, read_object
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import CellConfiguration, Deviation
from countermark.records.protocol import Protocol, RunPlan

LOG_FORMS = (".eval", ".json")
SECRETS = "secrets.json"
CONFIGURATIONS = "configurations.json"
_PRIVATE = 0o600
P = TypeVar("P", bound=Part)


class _Secrets(Part):
    seed: Hex32
    tree_key: Hex32


class _Configured(Part):
    configurations: tuple[CellConfiguration, ...]


class _Prices(Part):
    models: dict[str, Price]


class _Declared(Part):
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder and the two secrets of one lab's run."""

    folder: Path
    seed: bytes
    tree_key: bytes

    @property
    def run_folder(self) -> Path:
        """Where Inspect writes while it runs."""
        return self.folder / "running"

    @property
    def log_folder(self) -> Path:
        """Finished and imported logs, which are sealed."""
        return self.folder / "logs"

    def logs(self) -> tuple[Log, ...]:
        """Read all logs, in order of their names."""
        paths = sorted(path for form in LOG_FORMS for path in self.log_folder.glob(f"*{form}"))
        return tuple(read_log(path) for path in paths)

    def deviations(self) -> tuple[Deviation, ...]:
        """Return what was declared so far."""
        path = self.folder / "deviations.json"
        data = read_file(path)
        if data is None:
            return ()
        return _read(_Declared, data, path).deviations

    def declare(self, deviation: Deviation) -> None:
        """Add a deviation to those that the evidence will show, once."""
        known = self.deviations()
        if deviation in known:
            return  # the step that declared it was interrupted and is taken again
        _write(_Declared(deviations=(*known, deviation)), self.folder / "deviations.json")

    def keep_private_part(self, data: bytes) -> None:
        """Keep what opens the protocol's seals."""
        write_atomic(self.folder / "private.json", data, mode=_PRIVATE)

    def private_part(self) -> bytes | None:
        """Return what opens the protocol's seals, if it was kept."""
        return read_file(self.folder / "private.json")

    def prices(self) -> dict[str, Price]:
        """Return what the lab declared that models cost, by their keys in the protocol."""
        path = self.folder / "prices.json"
        data = read_file(path)
        return {} if data is None else dict(_read(_Prices, data, path).models)

    def declare_price(self, model: str, price: Price) -> None:
        """Keep what a model costs; what was declared before is replaced."""
        _write(_Prices(models={**self.prices(), model: price}), self.folder / "prices.json")

    def keep_samples(self, data: bytes) -> None:
        """Keep the file that opens the seal."""
        write_atomic(self.folder / "samples.jsonl", data, mode=_PRIVATE)

    def keep_configurations(self, configurations: tuple[CellConfiguration, ...]) -> None:
        """Keep how each cell was run, as it is sealed."""
        _write(_Configured(configurations=configurations), self.folder / CONFIGURATIONS)

    def configurations(self) -> tuple[CellConfiguration, ...] | None:
        """Return how each cell was run, as it was sealed; nothing if that was not sealed."""
        path = self.folder / CONFIGURATIONS
        data = read_file(path)
        return None if data is None else _read(_Configured, data, path).configurations

    def samples(self) -> bytes:
        """Return the file that opens the seal.

        Raises
        ------
        StateError
            If nothing was sealed.
        """
        data = read_file(self.folder / "samples.jsonl")
        if data is None:
            raise StateError(
                "has nothing sealed",
                where=str(self.folder),
                next_step="Seal first: countermark exercise seal.",
            )
        return data


def make_workspace(node: Node, protocol: Protocol, seed: bytes | None = None) -> Workspace:
    """Make the folder of a run with fresh secrets, or with the seed of an imported log."""
    workspace = Workspace(
        _folder(node, protocol), seed or entropy.token_bytes(32), entropy.token_bytes(32)
    )
    with storage_errors(node.folder.runs):
        # Inspect's logs, which hold the seed, have no mode of their own.
        node.folder.runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    said = _Secrets(seed=workspace.seed.hex(), tree_key=workspace.tree_key.hex())
    _write(said, workspace.folder / SECRETS)
    return workspace


def open_workspace(node: Node, protocol: Protocol) -> Workspace | None:
    """Return the folder of a run, or nothing if this node has not begun one."""
    folder = _folder(node, protocol)
    data = read_file(folder / SECRETS)
    if data is None:
        return None
    said = _read(_Secrets, data, folder / SECRETS)
    return Workspace(folder, bytes.fromhex(said.seed), bytes.fromhex(said.tree_key))


def planned_workspace(node: Node, protocol: Protocol) -> Workspace | None:
    """Return the private folder of this lab's run once its plan is logged."""
    planned = own_record(read_book(node), node, RunPlan, protocol) is not None
    return open_workspace(node, protocol) if planned else None


def own_workspace(node: Node, protocol: Protocol) -> Workspace:
    """Return the private folder of this lab's run.

    Raises
    ------
    StateError
        If there is none.
    """
    workspace = open_workspace(node, protocol)
    if workspace is None:
        raise StateError(
            "was not begun on this node",
            where=f"{node.code} {protocol.name}",
            next_step="Begin with countermark exercise run or import.",
        )
    return workspace


def _folder(node: Node, protocol: Protocol) -> Path:
    return node.folder.runs / protocol.digest.removeprefix("sha256:")[:16]


def _write(value: Part, path: Path) -> None:
    data = canonical(value.model_dump(mode="json", exclude_none=True))
    write_atomic(path, data, mode=_PRIVATE)


def _read(kind: type[P], data: bytes, path: Path) -> P:
    try:
        return kind.model_validate_json(canonical(read_object(data, where=str(path))))
    except ValidationError as error:
        raise InputError(
            f"is damaged: {error.errors(include_url=False, include_input=False)[0]['msg']}",
            where=str(path),
            next_step="Bring the file back from your backup.",
        ) from error
