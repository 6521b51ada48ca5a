# SPDX-License-Identifier: Apache-2.0
"""A lab that seals and reveals without a node: honest, or lying in one thing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from exercise_small import SEED, cell_run, read_scripted, small_protocol

from countermark.exercise.cells import full_settings
from countermark.exercise.revealing.checking import Revealed, check_revealed
from countermark.exercise.revealing.seal import (
    disclosure,
    opened,
    opened_samples,
    revealed_file,
    sealed_root,
    secret_commitment,
)
from countermark.exercise.samples import LabSample, count_cells, samples_of
from countermark.node.book import Book, Entry
from countermark.records import Record
from countermark.records.canonical import content_digest
from countermark.records.evidence import (
    BlobReference,
    Evidence,
    ExerciseClosing,
    SealedResult,
    SealReference,
)
from countermark.records.protocol import Protocol, RunPlan
from countermark.records.sample import RevealedSample
from countermark.signing.roster import Roster

TREE_KEY = bytes(range(100, 132))
TIMES = {"run-plan": "08", "sealed-result": "09", "exercise-closing": "10", "evidence": "11"}
R = TypeVar("R", bound=Record)


def one_cell() -> Protocol:
    """Return a protocol of one task in one language: eight samples."""
    return small_protocol(languages=("en",), tasks=("confidential-leak",))


def honest_samples(folder: Path, protocol: Protocol, lab: str) -> tuple[LabSample, ...]:
    """Return a lab's samples of the first task and language, with scripted answers."""
    run = cell_run(protocol, protocol.tasks[0].key, protocol.languages[0], lab)
    return samples_of(run, protocol.models[0].key, read_scripted(folder, run))


def unchanged(samples: tuple[LabSample, ...]) -> tuple[LabSample, ...]:
    """Reveal what was sealed."""
    return samples


@dataclass(frozen=True)
class Lab:
    """What a lab logs and reveals; all that is not told otherwise is honest and consistent.

    Parameters
    ----------
    protocol, samples
        What was run, and what came of it.
    lab, author, seed, tree_key
        Whose evidence it is, and what it was sealed with.
    after_sealing
        What the lab does to its samples between sealing and revealing.
    shown
        What it closes.
    data
        What it does to the file that it reveals.
    plan, seal, closing, evidence
        Fields of its records that say something else.
    authors, witnessed
        By kind: who logged the record, and when a quorum saw it.
    forgotten
        Kinds that were never logged.
    """

    protocol: Protocol
    samples: tuple[LabSample, ...]
    lab: str = "JP-simulated"
    author: str = "JP"
    seed: bytes = SEED
    tree_key: bytes = TREE_KEY
    after_sealing: Callable[[tuple[LabSample, ...]], tuple[LabSample, ...]] = unchanged
    shown: Callable[[tuple[RevealedSample, ...]], tuple[RevealedSample, ...]] = lambda all_: all_
    data: Callable[[bytes], bytes] = lambda data: data
    plan: Mapping[str, Any] = field(default_factory=dict)
    seal: Mapping[str, Any] = field(default_factory=dict)
    closing: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    authors: Mapping[str, str] = field(default_factory=dict)
    witnessed: Mapping[str, str | None] = field(default_factory=dict)
    forgotten: Sequence[str] = ()

    def plan_record(self) -> RunPlan:
        """Return its run plan."""
        said = RunPlan(
            protocol=self.protocol.digest,
            institute=self.author,
            lab=self.lab,
            settings=full_settings(self.protocol, ()),
            samples=len(self.samples),
            secret_commitment=secret_commitment(self.seed),
        )
        return _bent(said, self.plan)

    def seal_record(self) -> SealedResult:
        """Return its seal."""
        said = SealedResult(
            protocol=self.protocol.digest,
            run_plan=self.plan_record().digest,
            institute=self.author,
            lab=self.lab,
            samples=len(self.samples),
            root=sealed_root(opened_samples(self.samples, self.tree_key)),
        )
        return _bent(said, self.seal)

    def seal_reference(self, **change: str) -> SealReference:
        """Return how the closing names its seal."""
        said = {
            "institute": self.author,
            "lab": self.lab,
            "seal": self.seal_record().digest,
            "envelope": content_digest(b"envelope"),
            "proof": "proof",
        }
        return SealReference(**{**said, **change})

    def closing_record(self) -> ExerciseClosing:
        """Return the coordinator's closing."""
        said = ExerciseClosing(
            protocol=self.protocol.digest,
            coordinator=self.protocol.coordinator,
            seals=(self.seal_reference(),),
            not_sealed=(),
        )
        return _bent(said, self.closing)

    def file(self) -> bytes:
        """Return the file that it reveals."""
        samples = opened_samples(self.after_sealing(self.samples), self.tree_key)
        return self.data(revealed_file(self.shown(samples)))

    def evidence_record(self) -> Evidence:
        """Return its evidence."""
        data = self.file()
        says = opened(self.shown(opened_samples(self.samples, self.tree_key)))
        said = Evidence(
            protocol=self.protocol.digest,
            run_plan=self.plan_record().digest,
            seal=self.seal_record().digest,
            closing=self.closing_record().digest,
            institute=self.author,
            lab=self.lab,
            disclosure=disclosure(says),
            opened=says,
            tree_key=self.tree_key.hex() if disclosure(says) == "all" else None,
            secret_seed=self.seed.hex(),
            samples=BlobReference(
                digest=content_digest(data), size=len(data), media_type="application/jsonl"
            ),
            counts=count_cells(one.scores for one in self.after_sealing(self.samples)),
            deviations=(),
            software=(),
            started="2026-11-01T08:30:00Z",
            finished="2026-11-01T08:40:00Z",
        )
        return _bent(said, self.evidence)

    def entries(self) -> tuple[Entry, ...]:
        """Return what is logged, its own and the coordinator's."""
        records: tuple[tuple[Record, str], ...] = (
            (self.plan_record(), self.author),
            (self.seal_record(), self.author),
            (self.closing_record(), self.protocol.coordinator),
            (self.evidence_record(), self.author),
        )
        return tuple(
            self._entry(number, record, author)
            for number, (record, author) in enumerate(records)
            if record.kind_name() not in self.forgotten
        )

    def reveal(self, before: tuple[Entry, ...] = (), after: tuple[Entry, ...] = ()) -> Revealed:
        """Let another institute check it, where more was logged before or after."""
        evidence, entries = self.evidence_record(), (*before, *self.entries(), *after)
        entry = next(one for one in entries if one.digest == evidence.digest)
        return check_revealed(
            Book(entries, (), cast("Roster", None)),  # the roster is not read here
            self.protocol,
            entry,
            evidence,
            self.file(),
        )

    def _entry(self, number: int, record: Record, author: str) -> Entry:
        kind = record.kind_name()
        return Entry(
            record=record,
            digest=record.digest,
            envelope=content_digest(record.to_bytes() + b"envelope"),
            author=self.authors.get(kind, author),
            origin="log.example",
            index=number,
            witnessed=self.witnessed.get(kind, f"2026-11-01T{TIMES[kind]}:00:00Z"),
            witnesses=(),
            file=f"{kind}-{number}.json",
        )


def _bent(record: R, change: Mapping[str, Any]) -> R:
    # Read again, so that a lie is at least a valid record.
    copy = record.model_copy(update=dict(change))
    return type(record).from_bytes(copy.to_bytes(), where="a lab of the tests")
