# SPDX-License-Identifier: Apache-2.0
"""Auditors' challenges: samples that a lab is asked to open, and whether its answers hold.

The choice (see :mod:`countermark.transparency.challenge`) follows from the coordinator's log up to
and with the closing, which names the seal. For a lab of the coordinator itself it follows from the
log of the first other participant to reveal, up to and with its evidence: nobody is challenged by
a root that they could try again until it suits them.

A set of answers is accepted only if

1. each file is a disclosed sample that verifies against the challenged seal;
2. every challenged sample is answered, and the scores and the transcript of each are open;
3. each answer is of the sample that the protocol asks for at that place;
4. each sealed score is the one that the protocol's scorer gives to the opened answer, and each
   transcript told the model what the protocol says (rules 8, 9 and 11 of
   :mod:`countermark.exercise.revealing.checking`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from countermark.exercise.cells import planned_keys
from countermark.exercise.logged import closing_of
from countermark.exercise.revealing.sample import sample_problem
from countermark.node.book import Book, Entry
from countermark.node.index import book as read_book
from countermark.node.index import statement_file
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import Evidence, ExerciseClosing, SealedResult
from countermark.records.protocol import Protocol, RunPlan
from countermark.records.sample import DisclosedSample, SampleKey
from countermark.transparency.challenge import challenged, root_through
from countermark.transparency.disclosure import read_disclosed, verify_disclosure
from countermark.transparency.statement import StatementFile, leaf_of
from countermark.transparency.tree import leaf_hash
from countermark.transparency.verify import Check

TITLES = {
    1: "Each file shows what was sealed",
    2: "Every challenged sample is answered in full",
    3: "Each answer is of the sample at its place",
    4: "Each sealed score is the one that the answer gives",
}
"""A short title of each rule, for people."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Which samples a lab is asked to open.

    Parameters
    ----------
    lab, seal, sealed
        Whose samples, under which seal, and the seal itself.
    because_of, root
        The statement up to which the choosing log was taken, and the root there.
    indices, keys
        The samples' places, and which they are, in the order in which they were drawn.
    """

    lab: str
    seal: str
    sealed: SealedResult
    because_of: str
    root: bytes
    indices: tuple[int, ...]
    keys: tuple[SampleKey, ...]


def make_challenge(node: Node, protocol: Protocol, lab: str, count: int) -> Challenge:
    """Choose ``count`` samples of a lab; the same for everybody who holds the logs.

    Raises
    ------
    InputError
        If the closing lists no such lab, or it sealed fewer samples.
    StateError
        If the exercise is not closed, or what chooses is not witnessed yet.
    """
    known = read_book(node)
    closing = closing_of(known, protocol)
    listed = next((one for one in closing.seals if one.lab == lab), None) if closing else None
    held = known.find(listed.seal) if listed else None
    if closing is None or held is None or not isinstance(held.record, SealedResult):
        raise StateError(
            f"has no closed seal of {lab}",
            where=protocol.name,
            next_step="Name a lab that sealed, and pull until the closing is here.",
        )
    sealed = held.record
    if count > sealed.samples:
        raise InputError(
            f"sealed {sealed.samples} samples, fewer than {count}",
            where=lab,
            next_step="Ask for fewer.",
        )
    source = _source(known, protocol, closing, held.author)
    data = statement_file(node, source) if source else None
    if source is None or data is None:
        raise StateError(
            f"has nothing yet from another party that would choose for {lab}",
            where=protocol.name,
            next_step="Wait for the closing to be witnessed and for another lab to reveal, then: "
            "countermark sync pull.",
        )
    statement = StatementFile.from_bytes(data)
    proof = statement.proof
    leaf = leaf_hash(leaf_of(statement.envelope))
    root = root_through(leaf, proof.index, proof.checkpoint.size, proof.hashes)
    indices = challenged(root, held.digest, sealed.samples, count)
    planned = tuple(planned_keys(protocol, lab))
    keys = tuple(planned[index] for index in indices if index < len(planned))
    return Challenge(lab, held.digest, sealed, source.file, root, indices, keys)


def check_answers(
    node: Node, protocol: Protocol, challenge: Challenge, files: Sequence[bytes]
) -> tuple[Check, ...]:
    """Check a lab's answers by all rules of the module docstring; one check a rule."""
    seals = {challenge.seal: (challenge.sealed.root, challenge.sealed.samples)}
    bad = []
    answers: dict[int, DisclosedSample] = {}
    for number, data in enumerate(files, start=1):
        failed = next((one for one in verify_disclosure(data, seals) if not one.ok), None)
        if failed is not None:
            bad.append(f"file {number}: {failed.detail}")
        else:
            disclosed = read_disclosed(data, where=f"file {number}")
            whole = disclosed.sample.open_scores and disclosed.sample.open_transcript
            if whole or disclosed.index not in answers:
                answers[disclosed.index] = disclosed
    keys = dict(zip(challenge.indices, challenge.keys, strict=True))
    lacking = [
        keys[index].text
        for index in challenge.indices
        if index not in answers
        or answers[index].sample.open_scores is None
        or answers[index].sample.open_transcript is None
    ]
    asked = {index: one.sample for index, one in answers.items() if index in keys}
    misplaced = [
        keys[index].text
        for index, sample in asked.items()
        for part in (sample.open_scores, sample.open_transcript)
        if part is not None and part.key != keys[index]
    ]
    evidence, plan = _said(read_book(node), protocol, challenge)
    wrong = []
    for index, sample in asked.items():
        if keys[index].text not in misplaced:
            problem = sample_problem(protocol, evidence, plan, sample)
            if problem is not None:
                wrong.append(problem[1])
    return (
        _check(1, bad, f"{len(files)} files"),
        _check(2, lacking, f"{len(keys)} asked for"),
        _check(3, misplaced, f"{len(asked)} answers"),
        _check(4, wrong, f"{len(asked)} scores computed again"),
    )


def _source(known: Book, protocol: Protocol, closing: ExerciseClosing, author: str) -> Entry | None:
    """Return the statement up to which the choosing log is taken."""
    if author != protocol.coordinator:
        return known.find(closing.digest)
    others = [
        entry
        for entry, evidence in known.of_kind(Evidence)
        if evidence.closing == closing.digest
        and entry.author != author
        and entry.author in protocol.participants
        and entry.witnessed is not None
    ]
    return min(others, key=lambda entry: (entry.witnessed or "", entry.origin), default=None)


def _said(known: Book, protocol: Protocol, challenge: Challenge) -> tuple[Evidence, RunPlan]:
    for _, evidence in known.of_kind(Evidence):
        plan = known.find(evidence.run_plan)
        if evidence.seal == challenge.seal and plan and isinstance(plan.record, RunPlan):
            return evidence, plan.record
    raise StateError(
        "has logged no evidence, so that its answers cannot be scored",
        where=f"{challenge.lab} {protocol.name}",
        next_step="Ask the lab to reveal first; counts only will do.",
    )


def _check(rule: int, faults: list[str], fine: str) -> Check:
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    return Check(rule, TITLES[rule], not faults, "; ".join(faults[:3]) + more if faults else fine)
