# SPDX-License-Identifier: Apache-2.0
"""One revealed sample against the protocol: rules 8, 9 and 11 of :mod:`.checking`. Pure."""

from countermark.exercise.cells import CellRun
from countermark.exercise.prompting import messages
from countermark.exercise.samples import asked_judgements, rescore_all, told_and_answer
from countermark.exercise.scoring import scores_asked
from countermark.exercise.secrets import secret_for
from countermark.exercise.trajectories import trajectory
from countermark.records.evidence import Evidence
from countermark.records.protocol import Item, Protocol, RunPlan
from countermark.records.sample import (
    Message,
    RevealedSample,
    SampleKey,
    SampleScores,
    Score,
    Trajectory,
    Transcript,
)


def run_of(protocol: Protocol, evidence: Evidence, plan: RunPlan, key: SampleKey) -> CellRun:
    """Return the cell's run in which a lab's sample was made."""
    return CellRun(
        protocol=protocol,
        task=key.task,
        language=key.language,
        lab=evidence.lab,
        settings=plan.settings,
        seed=bytes.fromhex(evidence.secret_seed),
        known_digest=evidence.protocol,
        arm=key.arm,
    )


def blank_scores(
    protocol: Protocol, evidence: Evidence, plan: RunPlan, key: SampleKey
) -> tuple[Score, ...]:
    """Return what the protocol's scorers say of a sample that was not run."""
    return rescore_all(run_of(protocol, evidence, plan, key), key, "missing", "")


def sample_problem(
    protocol: Protocol, evidence: Evidence, plan: RunPlan, sample: RevealedSample
) -> tuple[int, str] | None:
    """Return the rule (8, 9 or 11) that one sample breaks, and how; nothing if it breaks none."""
    scores, transcript = sample.open_scores, sample.open_transcript
    if transcript is not None and not _are_asked_for(protocol, evidence, plan, scores, transcript):
        return 11, f"{_name(transcript.key)} with judgements that the protocol does not ask for"
    if scores is not None and not _is_scored_right(protocol, evidence, plan, scores, transcript):
        what = "a score of {} that its answer does not give"
        if transcript is None:
            what = "a score of {} that the protocol's scorer never gives"
        elif not _is_possible(run_of(protocol, evidence, plan, scores.key), scores, transcript):
            what = "{}, whose transcript is not of one " + scores.outcome
        return 8, what.format(_name(scores.key))
    if transcript is not None and transcript.messages and not evidence.deviations:
        key, run = transcript.key, run_of(protocol, evidence, plan, transcript.key)
        secret = secret_for(run.seed, key.task, key.item, key.language, key.epoch)
        item = run.item(key.item)
        if _is_private(item, key):
            return None
        asked = messages(protocol, run.definition, item, key.language, run.full_settings, secret)
        if _split(run, transcript)[0] != asked:
            return 9, f"{_name(key)}, which told the model something else"
    return None


def _is_scored_right(
    protocol: Protocol,
    evidence: Evidence,
    plan: RunPlan,
    scores: SampleScores,
    transcript: Transcript | None,
) -> bool:
    key = scores.key
    run = run_of(protocol, evidence, plan, key)
    item = run.item(key.item)
    if transcript is not None and (
        not _is_possible(run, scores, transcript)
        or scores.trajectory != _trajectory(run, scores, transcript)
    ):
        return False
    if transcript is None or (item.role == "control" and _is_private(item, key)):
        asked = scores_asked(run, key, answered=scores.outcome == "answered")
        return len(scores.scores) == len(asked) and all(
            (score.scorer, score.version, score.repeat) == one.name
            and _could_score(score, scores.outcome, is_model=one.pinned.judge is not None)
            for score, one in zip(scores.scores, asked, strict=True)
        )
    _, answer = _split(run, transcript)
    judgements = transcript.judgements or ()
    return scores.scores == rescore_all(run, key, scores.outcome, answer or "", judgements)


def _split(run: CellRun, transcript: Transcript) -> tuple[tuple[Message, ...], str | None]:
    return told_and_answer(transcript.messages, tools=run.definition.agent is not None)


def _trajectory(run: CellRun, scores: SampleScores, transcript: Transcript) -> Trajectory | None:
    if run.definition.agent is None or not transcript.messages:
        return None
    return trajectory(transcript.messages, scores.trajectory.limit if scores.trajectory else None)


def _is_private(item: Item, key: SampleKey) -> bool:
    text = item.text(key.language)
    return text is not None and text.prompt is None


def _are_asked_for(
    protocol: Protocol,
    evidence: Evidence,
    plan: RunPlan,
    scores: SampleScores | None,
    transcript: Transcript,
) -> bool:
    given = transcript.judgements
    if given is None:
        return True
    run = run_of(protocol, evidence, plan, transcript.key)
    # With closed scores nobody says whether it counts as answered, so it may have replies.
    outcome = scores.outcome if scores else "answered"
    return bool(given) and asked_judgements(run, transcript.key, outcome, given) == given


def _could_score(score: Score, outcome: str, *, is_model: bool) -> bool:
    match score.status:
        case "scored":
            return outcome == "answered" and score.value in (0.0, 1.0)
        case "unparsed":
            return outcome == "answered" and score.value is None
        case "judge-refused":
            return outcome == "answered" and score.value is None and is_model
        case "not-attempted":
            return (outcome != "answered" or is_model) and score.value is None


def _is_possible(run: CellRun, scores: SampleScores, transcript: Transcript) -> bool:
    """Tell whether a lab that follows :mod:`countermark.exercise.samples` may give this outcome."""
    _, answer = _split(run, transcript)
    match scores.outcome:
        case "missing":
            return transcript.error is None and not transcript.messages
        case "errored":
            return transcript.error is not None or answer is None
        case "answered" | "refused":
            return transcript.error is None and answer is not None


def _name(key: SampleKey) -> str:
    name = f"{key.task}/{key.language}/{key.item} epoch {key.epoch}"
    return name if key.arm is None else f"{name} of {key.arm}"
