# SPDX-License-Identifier: Apache-2.0
"""Checking what another lab revealed, wholly or in part, against what it sealed.

A revealed file (see :mod:`.seal`) is accepted only if

1. the evidence is a participant's, for a lab of its own; the run plan, the seal and the closing
   that it names are logged by whom they must be, all for this protocol and lab; the plan is the
   first that the lab logged, and names a value that the protocol has for every factor: the
   reference, if the protocol has swaps;
2. the closing was witnessed after the seal, lists it and lists no other of that lab;
3. the file has the digest and size that the evidence says;
4. each line is a canonical revealed sample, as many as were sealed; what is open at a place is of
   the sample that the protocol asks for there (what was not run is there as *missing*);
5. the leaves, open or closed, give the sealed root: nothing was changed, dropped, swapped or added
   after sealing;
6. as much is open as the evidence says, and its word for it is the right one; if that is *all*, the
   salts derive from the tree key, and else no tree key is published; the secret seed opens the run
   plan's commitment;
7. the counts in the evidence are those of the samples; where scores are closed, they are counts
   that the protocol's samples could have, and not below those of the open scores;
8. where scores and transcript are open, the outcome is one that the transcript allows, and the
   scores are those that the protocol's scorers give to the answer, and its judges' recorded replies
   about it, under the planned settings; the facts of a conversation with tools are those of the
   transcript (but for the limit, which is the lab's word); where only the scores are open, they are
   of those scorers and fit their outcome;
9. each open transcript told the model what the protocol says, unless the evidence declares a
   deviation;
10. the configurations are those whose digest was sealed, or there are neither; each is of a cell
    of the protocol and no cell has two; settings are in order of their names, each once and in
    canonical form;
11. the replies of judges in an open transcript are of judgements that the protocol asks for, each
    once and in its order.

Rules 8, 9 and 11 are of one sample, and are in :mod:`countermark.exercise.revealing.sample`.

Of an item that is private, and that no private part of the protocol opened here, nobody here knows
what it asks and expects: rule 9 leaves it out, and rule 8 takes a control item as if its transcript
were closed.

Of closed parts nothing is known but that they were sealed. How many transcripts were open to rule 8
is said with the evidence and in the finding; :mod:`countermark.exercise.stages.challenges` asks for
more.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from pydantic import ValidationError

from countermark.exercise.cells import check_arm, full_settings, planned_keys
from countermark.exercise.matching import Cell
from countermark.exercise.revealing.sample import blank_scores, sample_problem
from countermark.exercise.revealing.seal import (
    disclosure,
    lines_of,
    opened,
    read_revealed,
    sealed_root,
    secret_commitment,
    value_of,
)
from countermark.exercise.samples import (
    count_cells,
)
from countermark.node.book import Book, Entry
from countermark.records.canonical import canonical, content_digest, read_json
from countermark.records.errors import InputError, StateError, VerificationError
from countermark.records.evidence import (
    CellCounts,
    Evidence,
    ExerciseClosing,
    ScorerCounts,
    SealedResult,
    configurations_digest,
)
from countermark.records.protocol import Protocol, RunPlan
from countermark.records.sample import (
    OpenScores,
    OpenTranscript,
    RevealedSample,
    SampleScores,
)
from countermark.transparency.commitment import salt_of
from countermark.transparency.cosignature import claimed_seconds
from countermark.transparency.proof import parse_proof


@dataclass(frozen=True, slots=True)
class Revealed:
    """One lab's evidence, checked against its seal.

    Parameters
    ----------
    entry, evidence, plan
        The statement, what it says, and the plan it followed.
    samples
        What was revealed, in the sealed order, open or closed.
    sealed_by
        When the last witness that the closing names had seen the seal, if it says.
    """

    entry: Entry
    evidence: Evidence
    plan: RunPlan
    samples: tuple[RevealedSample, ...]
    sealed_by: datetime | None = None

    @property
    def scores(self) -> tuple[SampleScores, ...] | None:
        """The scores of all samples; nothing if some are closed, for what is left was chosen."""
        known = tuple(one for sample in self.samples if (one := sample.open_scores) is not None)
        return known if len(known) == len(self.samples) else None


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
    plan, seal, closing = _foundation(book, protocol, entry, evidence)
    samples = _read(protocol, evidence, seal, data)
    _check_commitment(evidence, plan, seal, samples)
    _check_counts(protocol, evidence, plan, samples)
    _check_configurations(evidence, seal)
    for sample in samples:
        problem = sample_problem(protocol, evidence, plan, sample)
        if problem is not None:
            _distrust(evidence, *problem)
    return Revealed(entry, evidence, plan, samples, _sealed_by(closing, evidence.lab))


def _check_author(protocol: Protocol, entry: Entry, evidence: Evidence) -> None:
    if evidence.protocol != protocol.digest or entry.author not in protocol.participants:
        _distrust(evidence, 1, "an author who is no participant in this exercise")
    if evidence.institute != entry.author or not evidence.lab.startswith(f"{entry.author}-"):
        _distrust(evidence, 1, f"the author {entry.author}, whose lab this is not")


def _foundation(
    book: Book, protocol: Protocol, entry: Entry, evidence: Evidence
) -> tuple[RunPlan, SealedResult, ExerciseClosing]:
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
    return plans[0][1], seal.record, closing.record


def _sealed_by(closing: ExerciseClosing, lab: str) -> datetime | None:
    # Of the closing, which is the same everywhere: nodes may know other cosignatures of the seal.
    proof = next((known.proof for known in closing.seals if known.lab == lab), "")
    try:
        lines = parse_proof(proof.encode()).note.signatures
    except InputError:
        return None
    times = [seconds for line in lines if (seconds := claimed_seconds(line)) is not None]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def _is_complete(protocol: Protocol, plan: RunPlan) -> bool:
    try:
        check_arm(protocol, plan.settings)
        return full_settings(protocol, plan.settings) == plan.settings
    except InputError:
        return False


def _read(
    protocol: Protocol, evidence: Evidence, seal: SealedResult, data: bytes
) -> tuple[RevealedSample, ...]:
    if content_digest(data) != evidence.samples.digest or len(data) != evidence.samples.size:
        _distrust(evidence, 3, "a file of samples with another digest or size")
    lines = lines_of(data)
    if not data.endswith(b"\n") or len(lines) != seal.samples:
        _distrust(evidence, 4, f"{len(lines)} samples where {seal.samples} were sealed")
    try:
        samples = read_revealed(data)
    except ValidationError as error:
        _distrust(evidence, 4, f"a line that is no sample ({error.error_count()} faults)")
    planned = tuple(planned_keys(protocol, evidence.lab))
    if len(samples) != len(planned):
        _distrust(evidence, 4, "other samples than the protocol asks for")
    for line, sample, key in zip(lines, samples, planned, strict=True):
        if canonical(value_of(sample)) != line:
            _distrust(evidence, 4, "a sample that is not in canonical form")
        keys = [part.key for part in (sample.open_scores, sample.open_transcript) if part]
        if any(found != key for found in keys):
            _distrust(evidence, 4, "other samples than the protocol asks for, or one with two keys")
    return samples


def _check_commitment(
    evidence: Evidence,
    plan: RunPlan,
    seal: SealedResult,
    samples: tuple[RevealedSample, ...],
) -> None:
    if sealed_root(samples) != seal.root:
        _distrust(evidence, 5, "samples that are not those it sealed")
    shown = opened(samples)
    if evidence.opened != shown or evidence.disclosure != disclosure(shown):
        _distrust(evidence, 6, "another word for what is open than its file shows")
    if (evidence.tree_key is not None) != (evidence.disclosure == "all"):
        _distrust(evidence, 6, "a tree key where not all is open, or none where all is")
    if evidence.tree_key is not None:
        _check_salts(evidence, bytes.fromhex(evidence.tree_key), samples)
    if secret_commitment(bytes.fromhex(evidence.secret_seed)) != plan.secret_commitment:
        _distrust(evidence, 6, "a secret seed that its run plan did not commit to")


def _check_salts(evidence: Evidence, tree_key: bytes, samples: tuple[RevealedSample, ...]) -> None:
    for index, sample in enumerate(samples):
        for leaf, part in ((2 * index, sample.scores), (2 * index + 1, sample.transcript)):
            given = part.salt if isinstance(part, OpenScores | OpenTranscript) else None
            if given != salt_of(tree_key, leaf).hex():
                _distrust(evidence, 6, "salts that its tree key does not give")


def _check_counts(
    protocol: Protocol, evidence: Evidence, plan: RunPlan, samples: tuple[RevealedSample, ...]
) -> None:
    known = [one for sample in samples if (one := sample.open_scores) is not None]
    if len(known) == len(samples):
        if count_cells(known) != evidence.counts:
            _distrust(evidence, 7, "counts that are not those of its samples")
        return
    nothing_run = count_cells(
        SampleScores(key=key, outcome="missing", scores=blank_scores(protocol, evidence, plan, key))
        for key in planned_keys(protocol, evidence.lab)
    )
    least = {_cell(counts): counts for counts in count_cells(known)}
    if [_cell(counts) for counts in evidence.counts] != [_cell(one) for one in nothing_run]:
        _distrust(evidence, 7, "counts of other cells than the protocol's")
    for said, planned in zip(evidence.counts, nothing_run, strict=True):
        if not _could_be(said, planned, *_scoring(protocol, planned.task)):
            _distrust(evidence, 7, f"counts of {_words(said)} that no samples can have")
        if _cell(said) in least and not _covers(said, least[_cell(said)]):
            _distrust(evidence, 7, f"counts of {_words(said)} below its open scores")


def _check_configurations(evidence: Evidence, seal: SealedResult) -> None:
    shown = evidence.configurations
    digest = None if shown is None else configurations_digest(shown)
    if digest != seal.configurations:
        _distrust(evidence, 10, "configurations that are not those it sealed")
    cells = [(one.model, one.task, one.language, one.arm) for one in shown or ()]
    known = {_cell(counts) for counts in evidence.counts}
    if len(set(cells)) != len(cells) or any(cell not in known for cell in cells):
        _distrust(evidence, 10, "configurations of other cells than the protocol's, or two of one")
    for one in shown or ():
        names = [setting.name for setting in one.settings]
        if names != sorted(set(names)) or not all(_is_canonical(s.value) for s in one.settings):
            _distrust(evidence, 10, "settings that are out of order, twice, or not canonical")


def _is_canonical(text: str) -> bool:
    try:
        return canonical(read_json(text.encode(), where="a setting")) == text.encode()
    except (InputError, UnicodeEncodeError):
        return False


def _cell(counts: CellCounts) -> Cell:
    return counts.model, counts.task, counts.language, counts.arm


def _words(counts: CellCounts) -> str:
    return " ".join(part for part in _cell(counts) if part)


def _scoring(protocol: Protocol, task: str) -> tuple[list[set[str]], set[str]]:
    """Return the scorers that together look at each answer once, and those that are models."""
    known = next(one for one in protocol.tasks if one.key == task)
    control = {known.control_scorer.key} if known.control_scorer else set()
    tests = (known.scorer, *(known.further_scorers or ()))
    every = (*tests, *((known.control_scorer,) if known.control_scorer else ()))
    models = {one.key for one in every if any(pinned.judge for pinned in one.versions)}
    return [{one.key} | control for one in tests], models


def _could_be(
    said: CellCounts, planned: CellCounts, once: list[set[str]], models: set[str]
) -> bool:
    """Tell whether both axes sum to what was planned, for the scorers that were planned.

    A model may not have been asked about an answer; a scorer by rules always looks at it.
    """
    outcomes = said.answered + said.refused + said.errored + said.missing
    scorers = [(one.scorer, one.version) for one in said.scorers]
    attempts = {one.scorer: _attempted(one) for one in said.scorers}
    totals = [_attempted(one) + one.not_attempted for one in said.scorers]
    return (
        outcomes == said.submitted == planned.submitted
        and scorers == [(one.scorer, one.version) for one in planned.scorers]
        and totals == [one.not_attempted for one in planned.scorers]
        and all(one.scorer in models or not one.judge_refused for one in said.scorers)
        and all(
            (attempted := sum(attempts.get(key, 0) for key in together)) == said.answered
            or (attempted < said.answered and bool(together & models))
            for together in once
        )
    )


def _attempted(counts: ScorerCounts) -> int:
    return counts.scored + counts.unparsed + (counts.judge_refused or 0)


def _covers(said: CellCounts, least: CellCounts) -> bool:
    """Tell whether no count is below that of the open scores."""
    by_scorer = {(one.scorer, one.version): one for one in said.scorers}
    pairs = [(said.answered, least.answered), (said.refused, least.refused)]
    pairs += [(said.errored, least.errored), (said.missing, least.missing)]
    for one in least.scorers:
        other = by_scorer.get((one.scorer, one.version))
        if other is None:
            return False
        pairs += [(other.scored, one.scored), (other.unparsed, one.unparsed)]
        pairs += [(other.not_attempted, one.not_attempted)]
        pairs += [(other.judge_refused or 0, one.judge_refused or 0)]
    return all(whole >= part for whole, part in pairs)


def _distrust(evidence: Evidence, rule: int, what: str) -> NoReturn:
    raise VerificationError(
        f"has {what} (rule {rule} of revealing)",
        where=f"the evidence of {evidence.lab}",
        next_step="Leave this lab out, and ask it to explain; its log keeps what it said.",
    )
