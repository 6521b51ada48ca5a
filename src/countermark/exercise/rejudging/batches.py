# SPDX-License-Identifier: Apache-2.0
"""Judging answers again without the model under test: which answers, what is said, what is taken.

A lab runs the protocol's judge on what another lab revealed, or on the labelled answers that the
judge is validated against, and says what came of it in a *rejudgement*. One is taken only if

1. a participant says it of a lab of its own, about this protocol;
2. it is of a judge that is a model, in a version that the protocol pins for test items of the task;
3. it is of evidence that opened its seal, or of labelled answers that the task names, and each of
   its judgements is of another one of those answers, whose text is open;
4. each score is the one that the reply gives by :mod:`countermark.exercise.judging.replies`, and
   the counts are those of the judgements;
5. the provider served the very snapshot that the protocol pins, and no other.

What is not taken is named in the finding with its reason, and changes no figure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from countermark.exercise.judging.replies import Verdict, read_reply
from countermark.exercise.revealing.checking import Revealed
from countermark.exercise.samples import told_and_answer
from countermark.records.evidence import AnnotationSet, ScorerCounts
from countermark.records.judging import RejudgementUse
from countermark.records.protocol import Protocol, ScorerVersion, Task
from countermark.records.protocol_parts import ModelJudge
from countermark.records.rejudgement import Rejudged, Rejudgement
from countermark.records.sample import SampleKey


@dataclass(frozen=True, slots=True)
class AnswerToJudge:
    """One answer: a revealed sample's, or a labelled one's."""

    prompt: str
    answer: str
    sample: SampleKey | None = None
    labelled: str | None = None

    @property
    def name(self) -> str:
        """What tells it from the others of its batch."""
        return self.sample.text if self.sample is not None else f"labelled/{self.labelled}"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one rejudgement is about.

    Parameters
    ----------
    task, language, scorer, pinned
        Which judge looks at answers of which task and language.
    answers
        In the order in which they were revealed or listed; at least one.
    of_lab, evidence, annotation_set
        Whose they are; see :class:`Rejudgement`.
    """

    task: str
    language: str
    scorer: str
    pinned: ScorerVersion
    answers: tuple[AnswerToJudge, ...]
    of_lab: str | None = None
    evidence: str | None = None
    annotation_set: str | None = None

    @property
    def place(self) -> tuple[str | None, ...]:
        """What a lab speaks of once."""
        of = self.evidence or self.annotation_set
        return of, self.task, self.language, self.scorer, self.pinned.version


def place_of(said: Rejudgement) -> tuple[str | None, ...]:
    """Return what a rejudgement is about, as :attr:`Batch.place`."""
    of = said.evidence or said.annotation_set
    return of, said.task, said.language, said.scorer, said.scorer_version


def model_judges(task: Task) -> Iterator[tuple[str, ScorerVersion]]:
    """Yield the judges of a task's test items that are models, in each version."""
    for scorer in (task.scorer, *(task.further_scorers or ())):
        for pinned in scorer.versions:
            if pinned.judge is not None:
                yield scorer.key, pinned


def revealed_answers(
    protocol: Protocol, one: Revealed
) -> Mapping[tuple[str, str], tuple[AnswerToJudge, ...]]:
    """Return the open answers to test items that a lab revealed, by task and language."""
    tests = {
        (task.key, item.key)
        for task in protocol.tasks
        for item in task.items
        if item.role == "test"
    }
    found: dict[tuple[str, str], list[AnswerToJudge]] = {}
    for sample in one.samples:
        scores, transcript = sample.open_scores, sample.open_transcript
        if scores is None or transcript is None or scores.outcome != "answered":
            continue
        told, answer = told_and_answer(transcript.messages)
        asked = [message.content for message in told if message.role == "user"]
        if answer is not None and asked and (scores.key.task, scores.key.item) in tests:
            place = (scores.key.task, scores.key.language)
            found.setdefault(place, []).append(AnswerToJudge(asked[-1], answer, sample=scores.key))
    return {place: tuple(answers) for place, answers in found.items()}


def labelled_answers(known: AnnotationSet) -> tuple[AnswerToJudge, ...]:
    """Return the answers of an annotation set."""
    return tuple(AnswerToJudge(one.prompt, one.answer, labelled=one.key) for one in known.answers)


def revealed_batches(protocol: Protocol, one: Revealed) -> Iterator[Batch]:
    """Yield what is to be judged of a lab's evidence, by each judge that is a model."""
    answers = revealed_answers(protocol, one)
    for task in protocol.tasks:
        for scorer, pinned in model_judges(task):
            for language in protocol.languages:
                if found := answers.get((task.key, language)):
                    yield Batch(
                        task=task.key,
                        language=language,
                        scorer=scorer,
                        pinned=pinned,
                        answers=found,
                        of_lab=one.evidence.lab,
                        evidence=one.entry.digest,
                    )


def labelled_batches(protocol: Protocol, sets: Sequence[AnnotationSet]) -> Iterator[Batch]:
    """Yield what is to be judged of the labelled answers that the protocol names."""
    for task in protocol.tasks:
        for scorer, pinned in model_judges(task):
            for known in sets:
                if known.digest in task.annotation_sets and known.task == task.key:
                    yield Batch(
                        task=task.key,
                        language=known.language,
                        scorer=scorer,
                        pinned=pinned,
                        answers=labelled_answers(known),
                        annotation_set=known.digest,
                    )


def judged(batch: Batch, replies: Mapping[str, str]) -> tuple[Rejudged, ...]:
    """Return what is said of each answer that has a reply, by the answer's name."""
    assert batch.pinned.judge is not None  # noqa: S101  batches are of models
    found = []
    for one in batch.answers:
        reply = replies.get(one.name)
        if reply is not None:
            verdict = read_reply(batch.pinned.judge, reply, one.answer)
            found.append(
                Rejudged(
                    sample=one.sample,
                    labelled=one.labelled,
                    reply=reply,
                    status=verdict.status,
                    value=_value(verdict),
                )
            )
    return tuple(found)


def counted(scorer: str, version: str, judgements: Sequence[Rejudged]) -> ScorerCounts:
    """Count the judgements by what could be read of them."""
    seen = Counter(one.status for one in judgements)
    return ScorerCounts(
        scorer=scorer,
        version=version,
        scored=seen["scored"],
        unparsed=seen["unparsed"],
        not_attempted=0,
        judge_refused=seen["judge-refused"],
    )


@dataclass(frozen=True, slots=True)
class LoggedRejudgement:
    """A rejudgement and who logged it."""

    digest: str
    author: str
    record: Rejudgement


@dataclass(frozen=True, slots=True)
class Rejudgements:
    """The rejudgements of an exercise: those that are taken, and what the finding says of all."""

    taken: tuple[Rejudgement, ...] = ()
    used: tuple[RejudgementUse, ...] = ()


def rejudgements(
    protocol: Protocol,
    logged: Sequence[LoggedRejudgement],
    revealed: Sequence[Revealed],
    sets: Sequence[AnnotationSet],
) -> Rejudgements:
    """Sort rejudgements into those that hold and those that do not, in order of their digests."""
    taken: list[Rejudgement] = []
    used = []
    for one in sorted(logged, key=lambda one: (one.record.lab, one.digest)):
        said = one.record
        because = problem(protocol, one.author, said, revealed, sets)
        if because is None:
            taken.append(said)
        used.append(
            RejudgementUse(
                rejudgement=one.digest,
                lab=said.lab,
                of_lab=said.of_lab,
                task=said.task,
                language=said.language,
                scorer=said.scorer,
                scorer_version=said.scorer_version,
                answers=len(said.judgements),
                left_out=because,
            )
        )
    return Rejudgements(tuple(taken), tuple(used))


def problem(
    protocol: Protocol,
    author: str,
    said: Rejudgement,
    revealed: Sequence[Revealed],
    sets: Sequence[AnnotationSet],
) -> str | None:
    """Return why a rejudgement is not taken, with the number of the rule; nothing if it is.

    Parameters
    ----------
    protocol
        Which exercise it is to be part of.
    author, said
        Who logged it, and what it says.
    revealed, sets
        The evidence and labelled answers that are known and checked.
    """
    own = author in protocol.participants and said.lab.startswith(f"{author}-")
    if said.protocol != protocol.digest or said.institute != author or not own:
        return "it is no participant's word of a lab of its own (rule 1)"
    task = protocol.task(said.task)
    pinned = next(
        (
            one
            for scorer, one in (model_judges(task) if task else ())
            if (scorer, one.version) == (said.scorer, said.scorer_version)
        ),
        None,
    )
    if task is None or pinned is None or pinned.judge is None:
        return "the protocol pins no such judge for this task (rule 2)"
    answers = _answers(protocol, task, said, revealed, sets)
    names = [_name(one) for one in said.judgements]
    if len(set(names)) < len(names) or not set(names) <= answers.keys():
        return "it judges answers that are not open in what it names, or one twice (rule 3)"
    return _misread(pinned.judge, said, answers)


def _misread(judge: ModelJudge, said: Rejudgement, answers: Mapping[str, str]) -> str | None:
    """Return why its scores, counts or snapshot are not taken (rules 4 and 5)."""
    for one in said.judgements:
        name = _name(one)
        verdict = read_reply(judge, one.reply, answers[name])
        if (one.status, one.value) != (verdict.status, _value(verdict)):
            return f"its score of {name} is not the one that the reply gives (rule 4)"
    if said.counts != counted(said.scorer, said.scorer_version, said.judgements):
        return "its counts are not those of its judgements (rule 4)"
    if set(said.served_by) != {judge.snapshot}:
        return f"{', '.join(said.served_by)} served it, not {judge.snapshot} (rule 5)"
    return None


def _answers(
    protocol: Protocol,
    task: Task,
    said: Rejudgement,
    revealed: Sequence[Revealed],
    sets: Sequence[AnnotationSet],
) -> dict[str, str]:
    """Return the answers that a rejudgement may be of, by name; none where it names nothing."""
    found: tuple[AnswerToJudge, ...] = ()
    if said.evidence is not None and said.annotation_set is None:
        for one in revealed:
            if (one.entry.digest, one.evidence.lab) == (said.evidence, said.of_lab):
                found = revealed_answers(protocol, one).get((said.task, said.language), ())
    elif said.annotation_set in task.annotation_sets and said.evidence is None:
        for known in sets:
            if (known.digest, known.language) == (said.annotation_set, said.language):
                found = labelled_answers(known)
    return {one.name: one.answer for one in found}


def _name(one: Rejudged) -> str:
    return one.sample.text if one.sample is not None else f"labelled/{one.labelled}"


def _value(verdict: Verdict) -> float | None:
    return None if verdict.event is None else float(verdict.event)
