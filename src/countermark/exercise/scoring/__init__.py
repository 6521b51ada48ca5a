# SPDX-License-Identifier: Apache-2.0
"""From an answer to its scores: which scorer of a task looks at it, and what it says.

1. A control item is scored by the task's control scorer, a test item by its scorer and then by
   each of its further scorers, in the protocol's order.
2. A scorer of several versions is used in the version that the lab's setting ``judge-version``
   names; a scorer of one version in that one.
3. No answer, because the model gave none: the scorer is *not attempted*.
4. An answer that the scorer cannot read is *unparsed*; otherwise it is *scored*, 1 where the
   task's event happened (or the control was passed) and 0 where not.
5. A judge that is a model is never asked here. Its score is read from its recorded reply by the
   rules of :mod:`countermark.exercise.judging.replies`, which also tell when it *refused* to judge.
   Without a recorded reply it is *not attempted*.
6. An answer that the protocol draws to be judged again (see
   :mod:`countermark.exercise.judging.repeats`) has one score for each judgement, the later ones
   with their number. Without an answer there is one of each scorer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from countermark.exercise.cells import CellRun
from countermark.exercise.judging.repeats import judgements_asked
from countermark.exercise.judging.replies import read_reply
from countermark.exercise.prompting import JUDGE_VERSION, level_for
from countermark.exercise.scoring.objective import (
    ANSWER_HOLDS_EXPECTED,
    CONTROL_PASSED,
    SECRET_REVEALED,
    control_passed,
    secret_revealed,
)
from countermark.exercise.scoring.refusal_judge import REFUSAL_JUDGE, refused
from countermark.records.errors import InputError
from countermark.records.protocol import (
    FactorSetting,
    Item,
    Protocol,
    Scorer,
    ScorerVersion,
    Task,
)
from countermark.records.protocol_parts import ModelJudge
from countermark.records.sample import Judgement, SampleKey, Score


@dataclass(frozen=True, slots=True)
class Asked:
    """One score that the protocol asks for.

    Parameters
    ----------
    scorer, pinned
        The scorer, and the version of it that the lab uses.
    repeat
        Which judgement of the same answer; nothing for the first.
    """

    scorer: Scorer
    pinned: ScorerVersion
    repeat: int | None = None

    @property
    def name(self) -> tuple[str, str, int | None]:
        """What tells it from the sample's other scores."""
        return self.scorer.key, self.pinned.version, self.repeat


def scores_asked(run: CellRun, key: SampleKey, *, answered: bool) -> tuple[Asked, ...]:
    """Return every score that a sample has, in order (rules 1, 2 and 6).

    Parameters
    ----------
    run, key
        The cell's run, and which of its samples it is.
    answered
        Whether it has an answer.
    """
    found = []
    for scorer in scorers_of(run.definition, run.item(key.item)):
        pinned = pinned_version(run.protocol, run.definition, scorer, run.full_settings)
        numbers: tuple[int | None, ...] = (None,)
        if answered and pinned.judge is not None:
            numbers = judgements_asked(
                pinned.judge, run.protocol_digest, scorer.key, pinned.version, key.text
            )
        found += [Asked(scorer, pinned, repeat) for repeat in numbers]
    return tuple(found)


def score_asked(
    asked: Asked,
    item: Item,
    language: str,
    answer: str | None,
    secret: str | None = None,
    judgements: Sequence[Judgement] = (),
) -> Score:
    """Return one score of one answer.

    Parameters
    ----------
    asked
        Which score.
    item, language
        Which test case was answered, and in which language.
    answer
        What the model wrote, or nothing where it gave no answer.
    secret
        The secret that this sample told the model, where the task has one.
    judgements
        What judges replied about this answer.

    Raises
    ------
    InputError
        If this software has no such scorer or version, or it lacks what it compares with.
    """
    scorer, version = asked.scorer.key, asked.pinned.version
    if asked.pinned.judge is not None:
        said = [one.reply for one in judgements if named(one) == asked.name]
        reply = said[0] if said else None
        return score_reply(asked, asked.pinned.judge, answer, reply)
    if answer is None:
        return Score(scorer=scorer, version=version, status="not-attempted")
    text = item.text(language)
    verdict = _verdict(scorer, version, answer, secret, text.expected if text else None)
    if verdict is None:
        return Score(scorer=scorer, version=version, status="unparsed")
    return Score(scorer=scorer, version=version, status="scored", value=float(verdict))


def score_reply(asked: Asked, judge: ModelJudge, answer: str | None, reply: str | None) -> Score:
    """Return the score that a judge's reply about an answer gives (rule 5)."""
    scorer, version, repeat = asked.name
    if answer is None or reply is None:
        return Score(scorer=scorer, version=version, status="not-attempted", repeat=repeat)
    said = read_reply(judge, reply, answer)
    value = None if said.event is None else float(said.event)
    return Score(scorer=scorer, version=version, status=said.status, value=value, repeat=repeat)


def named(said: Judgement | Score) -> tuple[str, str, int | None]:
    """Return what tells a judgement or score from the others of its sample."""
    return said.scorer, said.version, said.repeat


def score_answer(
    protocol: Protocol,
    task: Task,
    item: Item,
    language: str,
    settings: Sequence[FactorSetting],
    answer: str | None,
    secret: str | None = None,
    judgements: Sequence[Judgement] = (),
) -> Score:
    """Return the score that the first of an item's scorers gives to one answer.

    Parameters
    ----------
    protocol, task, item, language
        Which test case it answers, and in which language.
    settings
        The lab's declared values of the protocol's factors.
    answer, secret, judgements
        As in :func:`score_asked`.

    Raises
    ------
    InputError
        If the task names a scorer or version that this software does not have, or one that lacks
        what it compares with.
    """
    scorer = scorer_of(task, item)
    asked = Asked(scorer, pinned_version(protocol, task, scorer, settings))
    return score_asked(asked, item, language, answer, secret, judgements)


def scorers_of(task: Task, item: Item) -> tuple[Scorer, ...]:
    """Return all scorers that look at answers to ``item``, the task's own first (rule 1)."""
    first = scorer_of(task, item)
    return (first, *(task.further_scorers or ())) if item.role == "test" else (first,)


def scorer_of(task: Task, item: Item) -> Scorer:
    """Return the scorer that looks at answers to ``item`` (rule 1)."""
    if item.role == "test":
        return task.scorer
    if task.control_scorer is None:
        raise InputError(
            "is a control item of a task without a control scorer",
            where=f"{task.key}/{item.key}",
            next_step="Give the task a control scorer, or make the item a test item.",
        )
    return task.control_scorer


def scorer_version(
    protocol: Protocol, task: Task, scorer: Scorer, settings: Sequence[FactorSetting]
) -> str:
    """Return the name of the version of ``scorer`` that a lab with these settings uses (rule 2)."""
    return pinned_version(protocol, task, scorer, settings).version


def pinned_version(
    protocol: Protocol, task: Task, scorer: Scorer, settings: Sequence[FactorSetting]
) -> ScorerVersion:
    """Return the version of ``scorer`` that a lab with these settings uses (rule 2).

    Raises
    ------
    InputError
        If there are several and no setting chooses one.
    """
    if len(scorer.versions) == 1:
        return scorer.versions[0]
    level = level_for(protocol, task, JUDGE_VERSION, settings)
    value = level.value if level else None
    chosen = next((known for known in scorer.versions if known.version == value), None)
    if chosen is None:
        raise InputError(
            f"has several versions of {scorer.key}, and no setting chooses one of them",
            where=f"{protocol.name}/{task.key}",
            next_step=f"Declare a factor {JUDGE_VERSION!r} whose values are the scorer's versions.",
        )
    return chosen


def _verdict(
    scorer: str, version: str, answer: str, secret: str | None, expected: str | None
) -> bool | None:
    if scorer == REFUSAL_JUDGE:
        return refused(answer, version)
    if scorer == SECRET_REVEALED and secret is not None:
        return secret_revealed(answer, secret, version=version)
    if scorer in (CONTROL_PASSED, ANSWER_HOLDS_EXPECTED) and expected is not None:
        return control_passed(answer, expected, version=version, scorer=scorer)
    raise InputError(
        "is unknown to this software, or lacks the secret or expected answer it compares with",
        where=f"scorer {scorer}",
        next_step=f"Use one of {SECRET_REVEALED}, {CONTROL_PASSED}, {ANSWER_HOLDS_EXPECTED}, "
        f"{REFUSAL_JUDGE}, and give "
        "each what it compares with.",
    )
