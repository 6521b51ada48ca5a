# SPDX-License-Identifier: Apache-2.0
"""Asking judges that are models, inside Inspect's own run: any provider that Inspect has.

The judge is asked once for each judgement that the protocol wants of an answer. Its replies stand
in the score's metadata, where the import finds them; the score beside them is for people who look
at the log. A judge that cannot be reached fails the sample, as a model under test does.
"""

from dataclasses import dataclass

from inspect_ai.model import ChatMessageUser, GenerateConfig, Model, get_model
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, metric, scorer
from inspect_ai.solver import TaskState

from countermark.exercise.cells import CellRun
from countermark.exercise.inspect.agent import answer_of
from countermark.exercise.judging.asking import judge_prompt
from countermark.exercise.judging.repeats import judge_seed
from countermark.exercise.matching import MAIN_SCORE
from countermark.exercise.private.content import prompt_of
from countermark.exercise.samples import FILTERED, JUDGEMENTS
from countermark.exercise.scoring import Asked, score_asked, scorers_of, scores_asked
from countermark.exercise.secrets import secret_for
from countermark.records import protocol as records
from countermark.records.protocol_parts import ModelJudge
from countermark.records.sample import Judgement, SampleKey

NOT_ITS_ITEM = "not-its-item"


@dataclass(frozen=True, slots=True)
class Replied:
    """One reply of a judge, and the version that the provider says it came from."""

    judgement: Judgement
    model: str


def scorers(run: CellRun) -> list[Scorer]:
    """Return Inspect's scorers of a cell: the task's own and its control scorer, then the others.

    Each writes its own score, with counts of its own in the log.
    """
    further = run.definition.further_scorers or ()
    return [_scorer(run, MAIN_SCORE, 0)] + [
        _scorer(run, one.key, place) for place, one in enumerate(further, start=1)
    ]


def _scorer(run: CellRun, name: str, place: int) -> Scorer:
    # Inspect logs a scorer's arguments; this one closes over them so that the log, which travels,
    # does not carry the whole protocol once more.
    @scorer(metrics=[event_rate()], name=name)
    def made() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001
            item = run.item(str(state.sample_id))
            its_own = scorers_of(run.definition, item)
            if place >= len(its_own):
                return Score(value=NOT_ITS_ITEM)
            return await _scored(run, state, item, its_own[place])

        return score

    return made()


async def _scored(
    run: CellRun, state: TaskState, item: records.Item, scorer_: records.Scorer
) -> Score:
    answer = answer_of(run, state)
    answered = state.output.stop_reason != FILTERED
    key = sample_key(run, state)
    asked = [
        one for one in scores_asked(run, key, answered=answered) if one.scorer.key == scorer_.key
    ]
    text = item.text(run.language)
    replies = [
        await ask(one, one.pinned.judge, prompt_of(text, key.text), answer, run, key)
        for one in asked
        if one.pinned.judge is not None and answered and text is not None
    ]
    first = score_asked(
        asked[0],
        item,
        run.language,
        answer if answered else None,
        secret_for(run.seed, run.task, item.key, run.language, state.epoch),
        [one.judgement for one in replies],
    )
    said = {"scorer": first.scorer, "version": first.version}
    kept = [
        {
            "reply": one.judgement.reply,
            "model": one.model,
            **({"repeat": one.judgement.repeat} if one.judgement.repeat else {}),
        }
        for one in replies
    ]
    return Score(
        value=first.status if first.value is None else first.value,
        answer=answer,
        explanation=replies[0].judgement.reply if replies else None,
        metadata={**said, JUDGEMENTS: kept} if kept else said,
    )


def sample_key(run: CellRun, state: TaskState) -> SampleKey:
    """Return which sample Inspect is running; a model that is not the protocol's is its first."""
    known = run.protocol.models
    provider = str(state.model)
    model = next((one for one in known if one.provider == provider), known[0])
    return SampleKey(
        model=model.key,
        task=run.task,
        language=run.language,
        item=str(state.sample_id),
        epoch=state.epoch,
        arm=run.arm,
    )


async def ask(
    asked: Asked, judge: ModelJudge, prompt: str, answer: str, run: CellRun, key: SampleKey
) -> Replied:
    """Ask a judge about one answer: one message, no tools."""
    model: Model = get_model(judge.provider)
    output = await model.generate(
        [ChatMessageUser(content=judge_prompt(judge, prompt, answer))],
        config=GenerateConfig(
            temperature=judge.temperature,
            max_tokens=judge.max_tokens,
            seed=judge_seed(run.protocol_digest, *asked.name[:2], key.text, run.lab, asked.repeat),
        ),
    )
    scorer_, version, repeat = asked.name
    said = Judgement(scorer=scorer_, version=version, reply=output.completion, repeat=repeat)
    return Replied(said, output.model)


@metric
def event_rate() -> Metric:
    """Share of the scored answers in which the task's event happened; the others left out."""

    def compute(scores: list[SampleScore]) -> float:
        values = [
            score.score.as_float() for score in scores if not isinstance(score.score.value, str)
        ]
        return sum(values) / len(values) if values else 0.0

    return compute
