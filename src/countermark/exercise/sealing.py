# SPDX-License-Identifier: Apache-2.0
"""Sealing a lab's samples, revealing them, and checking what another lab revealed.

What is revealed is one file with one canonical JSON line a sample. It is accepted only if

1. the evidence is a participant's, for a lab of its own; the run plan, the seal and the closing
   that it names are logged by whom they must be, all for this protocol and lab; the plan is the
   first that the lab logged, and names a value that the protocol has for every factor;
2. the closing was witnessed after the seal, lists it and lists no other of that lab;
3. the file has the digest and size that the evidence says;
4. each line is a canonical revealed sample, as many as were sealed, and they are exactly those that
   the protocol asks for, in its order (what was not run is there as *missing*);
5. the salted leaves give the sealed root: nothing was changed, dropped or added after sealing;
6. the salts derive from the tree key, and the secret seed opens the run plan's commitment;
7. the counts in the evidence are those of the samples;
8. each outcome is one that the transcript allows, and each score is the one that the protocol's
   scorer gives to the answer, under the planned settings;
9. each sample told the model what the protocol says, unless the evidence declares a deviation.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from pydantic import ValidationError

from countermark.exercise.cells import CellRun, full_settings, planned_keys
from countermark.exercise.prompting import messages
from countermark.exercise.samples import LabSample, count_cells, rescore, told_and_answer
from countermark.exercise.secrets import secret_for
from countermark.node.book import Book, Entry
from countermark.records.base import Part
from countermark.records.canonical import JsonValue, canonical, content_digest
from countermark.records.errors import InputError, StateError, VerificationError
from countermark.records.evidence import Evidence, ExerciseClosing, SealedResult
from countermark.records.protocol import Protocol, RunPlan
from countermark.records.sample import RevealedSample
from countermark.transparency.commitment import commitment_root, salt_of, salted_leaves


@dataclass(frozen=True, slots=True)
class Revealed:
    """One lab's evidence, checked against its seal.

    Parameters
    ----------
    entry, evidence, plan
        The statement, what it says, and the plan it followed.
    samples
        What was revealed, in the sealed order.
    """

    entry: Entry
    evidence: Evidence
    plan: RunPlan
    samples: tuple[RevealedSample, ...]


def secret_commitment(seed: bytes) -> str:
    """Return what a run plan says of a secret seed, in hex."""
    return hashlib.sha256(seed).hexdigest()


def sealed_root(samples: Sequence[LabSample] | Sequence[RevealedSample], tree_key: bytes) -> str:
    """Return the root that a lab seals, in hex: two salted leaves a sample."""
    return commitment_root(salted_leaves(tree_key, _values(samples))).hex()


def revealed_file(samples: Sequence[LabSample], tree_key: bytes) -> bytes:
    """Return the file that opens the seal: one canonical JSON line a sample."""
    return b"".join(
        canonical(
            _value(
                RevealedSample(
                    scores=sample.scores,
                    scores_salt=salt_of(tree_key, 2 * index).hex(),
                    transcript=sample.transcript,
                    transcript_salt=salt_of(tree_key, 2 * index + 1).hex(),
                )
            )
        )
        + b"\n"
        for index, sample in enumerate(samples)
    )


def read_revealed(data: bytes) -> tuple[RevealedSample, ...]:
    """Read the file that opens a seal, unchecked.

    Raises
    ------
    pydantic.ValidationError
        If a line is no sample.
    """
    return tuple(RevealedSample.model_validate_json(line) for line in _lines(data))


def _lines(data: bytes) -> list[bytes]:
    return data.removesuffix(b"\n").split(b"\n")


def check_revealed(
    book: Book, protocol: Protocol, entry: Entry, evidence: Evidence, data: bytes
) -> Revealed:
    """Check one lab's revealed samples by all rules of the module docstring.

    Parameters
    ----------
    book
        All statements known.
    protocol
        The protocol that the evidence names.
    entry, evidence
        The statement and what it says.
    data
        The file of samples.

    Raises
    ------
    VerificationError
        If a rule is broken.
    StateError
        If the witnesses of the seal or the closing are not known here yet.
    """
    _check_author(protocol, entry, evidence)
    plan, seal = _foundation(book, protocol, entry, evidence)
    samples = _read(protocol, evidence, seal, data)
    _check_commitment(evidence, plan, seal, samples)
    if tuple(count_cells(sample.scores for sample in samples)) != evidence.counts:
        _distrust(evidence, 7, "counts that are not those of its samples")
    _check_scores(protocol, evidence, plan, samples)
    return Revealed(entry, evidence, plan, samples)


def _check_author(protocol: Protocol, entry: Entry, evidence: Evidence) -> None:
    if evidence.protocol != protocol.digest or entry.author not in protocol.participants:
        _distrust(evidence, 1, "an author who is no participant in this exercise")
    if evidence.institute != entry.author or not evidence.lab.startswith(f"{entry.author}-"):
        _distrust(evidence, 1, f"the author {entry.author}, whose lab this is not")


def _foundation(
    book: Book, protocol: Protocol, entry: Entry, evidence: Evidence
) -> tuple[RunPlan, SealedResult]:
    where = (evidence.protocol, evidence.lab)
    plans = [
        (known.digest, plan)
        for known, plan in book.of_kind(RunPlan)
        if (known.author, plan.protocol, plan.lab) == (entry.author, *where)
    ]
    seal = book.find(evidence.seal)
    closing = book.find(evidence.closing)
    # A second plan would let a lab draw its secrets again until they suit it.
    if not plans or plans[0][0] != evidence.run_plan or not _is_complete(protocol, plans[0][1]):
        _distrust(evidence, 1, "another run plan than the first of its own")
    if (
        seal is None
        or not isinstance(seal.record, SealedResult)
        or (seal.author, seal.record.protocol, seal.record.lab) != (entry.author, *where)
        or seal.record.run_plan != evidence.run_plan
    ):
        _distrust(evidence, 1, "no seal of its own")
    if (
        closing is None
        or not isinstance(closing.record, ExerciseClosing)
        or (closing.author, closing.record.protocol) != (protocol.coordinator, evidence.protocol)
    ):
        _distrust(evidence, 1, "no closing of this exercise by its coordinator")
    if seal.witnessed is None or closing.witnessed is None:
        raise StateError(
            "rests on a seal or a closing whose witnesses are not known here yet",
            where=f"the evidence of {evidence.lab}",
            next_step="Pull again from the peers: countermark sync pull.",
        )
    listed = {known.seal for known in closing.record.seals if known.lab == evidence.lab}
    if listed != {seal.digest} or seal.witnessed > closing.witnessed:
        _distrust(evidence, 2, "a closing that came before its seal, or does not list it alone")
    return plans[0][1], seal.record


def _is_complete(protocol: Protocol, plan: RunPlan) -> bool:
    try:
        return full_settings(protocol, plan.settings) == plan.settings
    except InputError:
        return False


def _read(
    protocol: Protocol, evidence: Evidence, seal: SealedResult, data: bytes
) -> tuple[RevealedSample, ...]:
    if content_digest(data) != evidence.samples.digest or len(data) != evidence.samples.size:
        _distrust(evidence, 3, "a file of samples with another digest or size")
    lines = _lines(data)
    if not data.endswith(b"\n") or len(lines) != seal.samples:
        _distrust(evidence, 4, f"{len(lines)} samples where {seal.samples} were sealed")
    try:
        samples = read_revealed(data)
    except ValidationError as error:
        _distrust(evidence, 4, f"a line that is no sample ({error.error_count()} faults)")
    for line, sample in zip(lines, samples, strict=True):
        if canonical(_value(sample)) != line or sample.scores.key != sample.transcript.key:
            _distrust(evidence, 4, "a sample that is not in canonical form or has two keys")
    if [sample.scores.key for sample in samples] != list(planned_keys(protocol)):
        _distrust(evidence, 4, "other samples than the protocol asks for")
    return samples


def _check_commitment(
    evidence: Evidence,
    plan: RunPlan,
    seal: SealedResult,
    samples: tuple[RevealedSample, ...],
) -> None:
    tree_key = bytes.fromhex(evidence.tree_key)
    leaves = salted_leaves(tree_key, _values(samples))
    if commitment_root(leaves).hex() != seal.root:
        _distrust(evidence, 5, "samples that are not those it sealed")
    for index, sample in enumerate(samples):
        salts = (salt_of(tree_key, 2 * index).hex(), salt_of(tree_key, 2 * index + 1).hex())
        if (sample.scores_salt, sample.transcript_salt) != salts:
            _distrust(evidence, 6, "salts that its tree key does not give")
    if secret_commitment(bytes.fromhex(evidence.secret_seed)) != plan.secret_commitment:
        _distrust(evidence, 6, "a secret seed that its run plan did not commit to")


def _check_scores(
    protocol: Protocol, evidence: Evidence, plan: RunPlan, samples: tuple[RevealedSample, ...]
) -> None:
    for sample in samples:
        key = sample.scores.key
        run = CellRun(
            protocol=protocol,
            task=key.task,
            language=key.language,
            lab=evidence.lab,
            settings=plan.settings,
            seed=bytes.fromhex(evidence.secret_seed),
        )
        item = run.item(key.item)
        told, answer = told_and_answer(sample.transcript.messages)
        if not _is_possible(sample, answer):
            what = f"{_name(sample)}, whose transcript is not of one {sample.scores.outcome}"
            _distrust(evidence, 8, what)
        score = rescore(run, item, key.epoch, sample.scores.outcome, answer or "")
        if sample.scores.scores != (score,):
            _distrust(evidence, 8, f"a score of {_name(sample)} that its answer does not give")
        secret = secret_for(run.seed, key.task, key.item, key.language, key.epoch)
        asked = messages(protocol, run.definition, item, key.language, plan.settings, secret)
        if sample.transcript.messages and told != asked and not evidence.deviations:
            _distrust(evidence, 9, f"{_name(sample)}, which told the model something else")


def _is_possible(sample: RevealedSample, answer: str | None) -> bool:
    """Tell whether a lab that follows the rules of :mod:`samples` may give this outcome."""
    error = sample.transcript.error
    match sample.scores.outcome:
        case "missing":
            return error is None and not sample.transcript.messages
        case "errored":
            return error is not None or answer is None
        case "answered" | "refused":
            return error is None and answer is not None


def _values(samples: Sequence[LabSample] | Sequence[RevealedSample]) -> list[JsonValue]:
    return [_value(part) for sample in samples for part in (sample.scores, sample.transcript)]


def _value(part: Part) -> JsonValue:
    value: JsonValue = part.model_dump(mode="json", exclude_none=True)
    return value


def _name(sample: RevealedSample) -> str:
    key = sample.scores.key
    return f"{key.task}/{key.language}/{key.item} epoch {key.epoch}"


def _distrust(evidence: Evidence, rule: int, what: str) -> NoReturn:
    raise VerificationError(
        f"has {what} (rule {rule} of revealing)",
        where=f"the evidence of {evidence.lab}",
        next_step="Leave this lab out, and ask it to explain; its log keeps what it said.",
    )
