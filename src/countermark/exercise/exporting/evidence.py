# SPDX-License-Identifier: Apache-2.0
"""What labs revealed, as records of Every Eval Ever: one a lab, model, task, language and arm.

1. It is taken from each lab's first evidence, checked against its seal
   (:mod:`countermark.exercise.revealing.checking`), and only if everybody may have it
   (``node/policy.py``, rules 12 and 13). A lab of which that cannot be said is left out, and named.
2. A cell with a closed score is left out, and named with its counts: a mean over the others would
   be of what the lab chose. So is one without any score that is a number.
3. A sample whose transcript is closed is counted, and its row has the score and no text; the form
   has no word for that, so the row's metadata says it.
4. Text is taken from open transcripts only, and the model is named as the frozen protocol does: a
   node that holds the private part of a protocol exports no more than others.
5. Counts and scores are of first judgements, each scorer under its version. A lower rate is better
   where the protocol says that a higher one is worse.
6. The evaluator is the institute. Where the statement is can be read from the record: its digest,
   its log and place there; the protocol, the seal, and the model's snapshot or the seal of it.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from countermark.exercise.exporting.every_eval_ever import (
    JUDGE_REFUSED,
    Exported,
    Relationship,
    Source,
    to_every_eval_ever,
)
from countermark.exercise.reading.found import (
    FoundMessage,
    FoundRun,
    FoundSample,
    FoundScore,
    Trajectory,
)
from countermark.exercise.revealing.checking import Revealed, check_revealed
from countermark.exercise.revealing.held import first_evidence
from countermark.node.blobs import Blobs
from countermark.node.book import Book
from countermark.node.policy import may_export
from countermark.records.errors import InputError, StateError, VerificationError
from countermark.records.evidence import CellCounts, Evidence
from countermark.records.protocol import Protocol
from countermark.records.sample import RevealedSample, Score

TOOL = "inspect_ai"


def export_evidence(
    known: Book,
    blobs: Blobs,
    protocol: Protocol,
    *,
    today: str,
    retrieved: int,
    relationship: Relationship,
) -> tuple[tuple[Exported, ...], tuple[str, ...]]:
    """Return the records of an exercise, and what was left out with the reason.

    Parameters
    ----------
    known, blobs
        The statements and the files that are held.
    protocol
        Of which exercise.
    today
        As ``2026-01-31``; what is under an embargo on this day is left out.
    retrieved
        When the records say that they were made, in seconds since 1970.
    relationship
        Whose system the model is, seen from the institutes.

    Raises
    ------
    InputError
        If nothing is left to be exported.
    """
    made: list[Exported] = []
    without: list[str] = []
    for lab, digest in sorted(first_evidence(known, protocol, None).items()):
        try:
            checked = _checked(known, blobs, protocol, digest, today)
        except (StateError, VerificationError) as error:
            without.append(f"{lab}: {error.what}")
            continue
        party = known.roster.party(checked.entry.author)
        name = party.name if party is not None else checked.entry.author
        source = Source(name, relationship, retrieved, lab)
        records, left_out = records_of(protocol, checked, source)
        made += records
        without += left_out
    if not made:
        raise InputError(
            "has no revealed cell that may be exported"
            + "".join(f"; {reason}" for reason in without),
            where=protocol.name,
            next_step="Wait until labs have revealed their scores and everybody may have them.",
        )
    return tuple(made), tuple(without)


def records_of(
    protocol: Protocol, revealed: Revealed, source: Source
) -> tuple[tuple[Exported, ...], tuple[str, ...]]:
    """Return the records of one lab's cells, and which cells were left out (rules 2 to 6)."""
    evidence, made, without = revealed.evidence, [], []
    for counts in evidence.counts:
        samples = tuple(one for one in revealed.samples if _is_of(one, counts))
        name = _name(counts)
        if len(samples) < counts.submitted:
            closed = counts.submitted - len(samples)
            without.append(
                f"{evidence.lab}: {name}: {closed} of {counts.submitted} scores are closed"
            )
        elif all(one.scored == 0 for one in counts.scorers):
            without.append(f"{evidence.lab}: {name}: none of {counts.submitted} samples is scored")
        else:
            made.append(_record(protocol, revealed, counts, samples, source))
    return tuple(made), tuple(without)


def _checked(known: Book, blobs: Blobs, protocol: Protocol, digest: str, today: str) -> Revealed:
    """Return evidence that everybody may have, checked against its seal (rule 1)."""
    entry, evidence = next(
        (entry, record) for entry, record in known.of_kind(Evidence) if entry.digest == digest
    )
    permission = may_export(entry, evidence, known.entries, today)
    data = blobs.get(evidence.samples.digest) if permission.allowed else None
    if data is None:
        raise StateError(
            "its samples are not held here" if permission.allowed else permission.reason,
            where=f"the evidence of {evidence.lab}",
            next_step="Pull from the peers: countermark sync pull.",
        )
    return check_revealed(known, protocol, entry, evidence, data)


def _is_of(sample: RevealedSample, counts: CellCounts) -> bool:
    scores = sample.open_scores
    if scores is None:
        return False
    key = scores.key
    return (key.model, key.task, key.language, key.arm) == (
        counts.model,
        counts.task,
        counts.language,
        counts.arm,
    )


def _name(counts: CellCounts) -> str:
    parts = (counts.model, counts.task, counts.language, counts.arm)
    return "/".join(part for part in parts if part is not None)


def _record(
    protocol: Protocol,
    revealed: Revealed,
    counts: CellCounts,
    samples: tuple[RevealedSample, ...],
    source: Source,
) -> Exported:
    evidence, entry = revealed.evidence, revealed.entry
    model = protocol.frozen.model(counts.model)
    versions = [one.version for one in evidence.software if one.name == TOOL]
    run = FoundRun(
        file=f"the evidence of {evidence.lab}",
        tool=TOOL,
        tool_version=", ".join(versions) or None,
        model=(model.provider if model is not None else None) or counts.model,
        task="/".join(part for part in (counts.task, counts.language, counts.arm) if part),
        samples=partial(_found, samples),
        language=counts.language,
        created=evidence.started,
        submitted=counts.submitted,
    )
    closed = sum(one.open_transcript is None for one in samples)
    details = {
        "statement": entry.digest,
        "log": entry.origin,
        "place_in_log": str(entry.index),
        "protocol": evidence.protocol,
        "seal": evidence.seal,
        "lab": evidence.lab,
        "model_under_test": counts.model,
        "language": counts.language,
        "transcripts_closed": str(closed),
        "demonstration": str(protocol.demonstration).lower(),
    }
    if counts.arm is not None:
        details["arm"] = counts.arm
    if model is not None and model.identity:
        details["model_snapshot"] = model.identity
    if evidence.deviations:
        details["declared_deviations"] = "; ".join(one.reason for one in evidence.deviations)
    harmful = _lower_is_better(protocol, counts)
    return to_every_eval_ever(run, replace(source, details=details), harmful)


def _lower_is_better(protocol: Protocol, counts: CellCounts) -> frozenset[str]:
    task = protocol.task(counts.task)
    if task is None or task.worse != "higher":
        return frozenset()
    tests = {one.key for one in (task.scorer, *(task.further_scorers or ()))}
    return frozenset(
        _scorer(one.scorer, one.version) for one in counts.scorers if one.scorer in tests
    )


def _scorer(scorer: str, version: str) -> str:
    return f"{scorer}/{version}"


def _found(samples: tuple[RevealedSample, ...]) -> Iterator[FoundSample]:
    for sample in samples:
        scores, transcript = sample.open_scores, sample.open_transcript
        if scores is None:
            continue
        facts = scores.trajectory
        shown = transcript is not None
        yield FoundSample(
            item=scores.key.item,
            epoch=scores.key.epoch,
            outcome=scores.outcome,
            scores=tuple(_score(one) for one in scores.scores if one.repeat is None),
            messages=tuple(
                FoundMessage(one.role, one.content, tuple(call.tool for call in one.calls or ()))
                for one in (transcript.messages if transcript is not None else ())
            ),
            error=transcript.error if transcript is not None else None,
            # Without its conversation the form has no room for what was called in it.
            trajectory=Trajectory(
                facts.tool_calls, facts.repeated_calls, facts.failed_calls, facts.limit
            )
            if facts is not None and shown
            else None,
            metadata=None if shown else {"transcript": "closed"},
        )


def _score(score: Score) -> FoundScore:
    name = _scorer(score.scorer, score.version)
    if score.status == "judge-refused":
        return FoundScore(name, "unparsed", reason=JUDGE_REFUSED)
    return FoundScore(name, score.status, score.value)
