# SPDX-License-Identifier: Apache-2.0
"""Does a log made elsewhere match the protocol? A list of differences, by numbered rules.

1. The log says which protocol it ran, and it is this one.
2. It says which task, language, lab and arm it ran, and they are the protocol's and this lab's.
3. It says its settings and its secret seed, and the settings are values the protocol has, and those
   of its arm where the protocol has swaps.
4. The run finished.
5. The model is the protocol's.
6. The number of epochs is the protocol's.
7. The generation settings (tokens, top-p, temperature) are the protocol's for those settings.
8. The samples are the protocol's items, each epoch once: none missing, none else.
9. What each sample told the model is what the protocol says, word for word; in a task with tools,
    what it was told before its first message.
10. Where the log recorded a score, it is the one that the protocol's scorer gives, to a judge's
    recorded reply if the judge is a model.
11. Where a judge that is a model was to score an answer, the log holds its reply, for each
    judgement that the protocol asks for; where the log says what served it, that is the pinned
    snapshot.

Differences under rules 1 to 3 and items that the protocol lacks (8) cannot be taken as a declared
deviation: without them nobody can say what was tested.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from countermark.exercise import vocabulary as names
from countermark.exercise.cells import CellRun, full_settings, swaps_of
from countermark.exercise.logs import Log
from countermark.exercise.prompting import messages, temperature
from countermark.exercise.reading.inspect_log.shapes import LogSample
from countermark.exercise.samples import (
    JUDGEMENTS,
    asked_judgements,
    conversation,
    logged_judgements,
    outcome_of,
    rescore_all,
    told_and_answer,
)
from countermark.exercise.scoring import scores_asked
from countermark.exercise.secrets import secret_for
from countermark.records.errors import InputError, StateError
from countermark.records.protocol import FactorSetting, ModelUnderTest, Protocol
from countermark.records.sample import SampleKey

METADATA_KEY = "countermark"
MAIN_SCORE = "event"
"""The name in the log of the score by the task's own scorer."""
Cell = tuple[str, str, str, str | None]
"""Model, task, language and arm."""
MOST_LISTED = 5
OF_ANOTHER_MODEL = (names.MODEL_NAME, names.MODEL_ROUTE, names.MODEL_ANSWERED)
TOLD = (names.SYSTEM_PROMPT, names.ITEMS)


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a log is not what the protocol asks for.

    Parameters
    ----------
    rule
        Number of the rule in the module docstring.
    text
        What differs, in words.
    waivable
        Whether it can be taken as a declared deviation.
    settings
        Names of the settings that it is about, as labs are compared by them.
    """

    rule: int
    text: str
    waivable: bool = True
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """What a log was found to be.

    Parameters
    ----------
    run, model
        The cell and the model under test, where rules 1 to 3 and 5 could tell.
    differences
        In the order of the rules; none if the log matches.
    """

    run: CellRun | None
    model: ModelUnderTest | None
    differences: tuple[Difference, ...]


def match_log(log: Log, protocol: Protocol, lab: str) -> Match:
    """Hold a log against the protocol that a lab says it ran."""
    run, differences = _cell(log, protocol, lab)
    if run is None:
        return Match(None, None, tuple(differences))
    model = _model(log, protocol)
    differences += _header_differences(log, run, model)
    differences += _sample_differences(log, run)
    return Match(run, model or _stand_in(protocol), tuple(differences))


def cell_of(log: Log, protocol: Protocol, lab: str) -> Cell | None:
    """Return which cell a log is of, or nothing by rules 1 to 3."""
    run, _ = _cell(log, protocol, lab)
    if run is None:
        return None
    return (_model(log, protocol) or _stand_in(protocol)).key, run.task, run.language, run.arm


def logs_by_cell(protocol: Protocol, lab: str, logs: Sequence[Log]) -> dict[Cell, Log]:
    """Return the logs of a lab by the cell that each is of; those of no cell are passed over.

    Raises
    ------
    StateError
        If two logs are of one cell.
    """
    found: dict[Cell, Log] = {}
    for log in logs:
        cell = cell_of(log, protocol, lab)
        if cell is None:
            continue
        if cell in found:
            raise StateError(
                f"is of the same cell as {found[cell].name}",
                where=log.name,
                next_step="Keep the log of the first run, and move the other away.",
            )
        found[cell] = log
    return found


def _model(log: Log, protocol: Protocol) -> ModelUnderTest | None:
    ran = log.header.eval.model
    return next((model for model in protocol.models if model.provider == ran), None)


def _stand_in(protocol: Protocol) -> ModelUnderTest:
    # A model that is not the protocol's stands in for its first one, as a declared deviation.
    return protocol.models[0]


def _cell(log: Log, protocol: Protocol, lab: str) -> tuple[CellRun | None, list[Difference]]:
    """Rules 1 to 3."""
    said = (log.header.eval.metadata or {}).get(METADATA_KEY)
    if not isinstance(said, dict):
        text = "the log names no protocol: it was not run by `inspect eval countermark/exercise`"
        return None, [Difference(1, text, waivable=False)]
    wrong = _misnamed(said, protocol, lab)
    if wrong is not None:
        return None, [wrong]
    try:
        return _declared_run(said, protocol, lab), []
    except (InputError, ValueError) as error:
        return None, [Difference(3, f"its settings or seed are off: {error}", waivable=False)]


def _misnamed(said: dict[str, Any], protocol: Protocol, lab: str) -> Difference | None:
    task, language = said.get("task"), said.get("language")
    if said.get("protocol") != protocol.digest:
        text = f"the log ran protocol {said.get('protocol')}, not {protocol.digest}"
        return Difference(1, text, waivable=False)
    if said.get("lab") != lab:
        text = f"the log was made for lab {said.get('lab')}, not {lab}"
        return Difference(2, text, waivable=False)
    if task not in [known.key for known in protocol.tasks] or language not in protocol.languages:
        return Difference(2, f"the protocol has no task {task} in {language}", waivable=False)
    arm = said.get("arm")
    if arm is not None and arm not in [swap.arm for swap in swaps_of(protocol, lab, task)]:
        return Difference(2, f"the protocol has no arm {arm} of {task} at {lab}", waivable=False)
    if not isinstance(said.get("settings"), dict):
        return Difference(3, "the log does not say its settings", waivable=False)
    return None


def _declared_run(said: dict[str, Any], protocol: Protocol, lab: str) -> CellRun:
    arm = said.get("arm")
    settings = tuple(
        FactorSetting(factor=factor, value=value) for factor, value in said["settings"].items()
    )
    run = CellRun(
        protocol=protocol,
        task=said["task"],
        language=said["language"],
        lab=lab,
        # An arm's settings are the protocol's, so what the log says of them is only compared.
        settings=settings if arm is None else (),
        seed=bytes.fromhex(str(said.get("seed"))),
        arm=arm,
    )
    if full_settings(protocol, settings) != run.full_settings:
        raise ValueError(f"they are not those of the arm {arm}")
    secret_for(run.seed, run.task, "", run.language, 1)
    return run


def _header_differences(log: Log, run: CellRun, model: ModelUnderTest | None) -> list[Difference]:
    header = log.header
    found = []
    if header.status != "success":
        found.append(Difference(4, f"the run ended with status {header.status}"))
    if model is None:
        wanted = ", ".join(model.provider or model.key for model in run.protocol.models)
        text = f"the model is {header.eval.model}, not {wanted}"
        found.append(Difference(5, text, settings=OF_ANOTHER_MODEL))
    epochs = header.eval.config.get("epochs", 1)
    if epochs != run.protocol.epochs:
        text = f"ran {epochs} epochs, not {run.protocol.epochs}"
        found.append(Difference(6, text, settings=(names.EPOCHS,)))
    wanted_settings = {
        "max_tokens": run.protocol.generation.max_tokens,
        "top_p": run.protocol.generation.top_p,
        "temperature": temperature(run.protocol, run.definition, run.full_settings),
    }
    for name, wanted_value in wanted_settings.items():
        used = header.plan.config.get(name)
        if used != wanted_value:
            text = f"{name} is {used}, not {wanted_value}"
            found.append(Difference(7, text, settings=(f"generation.{name}",)))
    return found


def _sample_differences(log: Log, run: CellRun) -> list[Difference]:
    seen = Counter((str(sample.id), sample.epoch) for sample in log.samples)
    items = [item.key for item in run.definition.items if item.text(run.language) is not None]
    wanted = {(key, epoch) for key in items for epoch in range(1, run.protocol.epochs + 1)}
    unknown = sorted({key for key, _ in seen} - set(items))
    found = []
    if unknown:
        found.append(
            Difference(8, f"items that the protocol lacks: {_some(unknown)}", waivable=False)
        )
    beyond = sorted(f"{key} epoch {epoch}" for key, epoch in seen.keys() - wanted if key in items)
    repeated = sorted(f"{key} epoch {epoch}" for (key, epoch), times in seen.items() if times > 1)
    missing = sorted(f"{key} epoch {epoch}" for key, epoch in wanted - seen.keys())
    for samples, words in ((beyond, "beyond the protocol"), (missing, "missing")):
        if samples:
            found.append(Difference(8, f"samples {words}: {_some(samples)}"))
    if repeated:
        found.append(Difference(8, f"samples twice: {_some(repeated)}", waivable=False))
    scorers = (run.definition.scorer, run.definition.control_scorer)
    scored = tuple(f"scorer.{one.key}.version" for one in scorers if one is not None)
    for rule, words, texts, settings in (
        (9, "told the model something else in", _altered(log, run, items), TOLD),
        (
            10,
            "recorded another score than the protocol's scorer gives in",
            _rescored(log, run),
            scored,
        ),
        (11, "lack a reply of the pinned judge for", _unjudged(log, run), ()),
    ):
        if listed := list(texts):
            found.append(Difference(rule, f"{words}: {_some(listed)}", settings=settings))
    return found


def _altered(log: Log, run: CellRun, items: list[str]) -> Iterator[str]:
    for sample in log.samples:
        if str(sample.id) not in items or not sample.messages:
            continue
        item = run.item(str(sample.id))
        secret = secret_for(run.seed, run.task, item.key, run.language, sample.epoch)
        wanted = messages(
            run.protocol, run.definition, item, run.language, run.full_settings, secret
        )
        if _split(sample, run)[0] != [(message.role, message.content) for message in wanted]:
            yield f"{sample.id} epoch {sample.epoch}"


def _rescored(log: Log, run: CellRun) -> Iterator[str]:
    for sample, key, answer in _answered(log, run):
        judgements = logged_judgements(sample)
        own = rescore_all(run, key, "answered", answer, judgements)
        values = {score.scorer: score.value for score in own if score.repeat is None}
        for name, recorded in (sample.scores or {}).items():
            scorer = (recorded.metadata or {}).get("scorer")
            if scorer is None and name == MAIN_SCORE:
                scorer = own[0].scorer
            if scorer in values and not _same_score(recorded.value, values[scorer]):
                yield f"{sample.id} epoch {sample.epoch}"
                break


def _unjudged(log: Log, run: CellRun) -> Iterator[str]:
    for sample, key, answer in _answered(log, run):
        if outcome_of(sample, answer) != "answered":
            continue
        asked = {
            one.name: one.pinned.judge.snapshot
            for one in scores_asked(run, key, answered=True)
            if one.pinned.judge is not None
        }
        found = asked_judgements(run, key, "answered", logged_judgements(sample))
        served = _served(sample)
        if len(found) < len(asked) or any(
            served.get((scorer, version), snapshot) != snapshot
            for (scorer, version, _), snapshot in asked.items()
        ):
            yield f"{sample.id} epoch {sample.epoch}"


def _served(sample: LogSample) -> dict[tuple[object, object], object]:
    """Return which model the log says served each judge of a sample, where it says it."""
    said = [score.metadata or {} for score in (sample.scores or {}).values()]
    return {
        (one.get("scorer"), one.get("version")): reply["model"]
        for one in said
        for reply in one.get(JUDGEMENTS) or ()
        if isinstance(reply, dict) and "model" in reply
    }


def _answered(log: Log, run: CellRun) -> Iterator[tuple[LogSample, SampleKey, str]]:
    keys = {item.key for item in run.definition.items}
    for sample in log.samples:
        answer = _split(sample, run)[1]
        if str(sample.id) in keys and answer is not None:
            key = SampleKey(
                model=_key_of_model(log, run),
                task=run.task,
                language=run.language,
                item=str(sample.id),
                epoch=sample.epoch,
                arm=run.arm,
            )
            yield sample, key, answer


def _key_of_model(log: Log, run: CellRun) -> str:
    return (_model(log, run.protocol) or _stand_in(run.protocol)).key


def _split(sample: LogSample, run: CellRun) -> tuple[list[tuple[str, str]], str | None]:
    """Return what the model was told, and its answer (see :func:`told_and_answer`)."""
    if run.definition.agent is not None:
        opened, answer = told_and_answer(conversation(sample), tools=True)
        return [(message.role, message.content) for message in opened], answer
    said = [(message.role, sample.text(message)) for message in sample.messages]
    if said and said[-1][0] == "assistant":
        return said[:-1], said[-1][1]
    return said, None


def _same_score(recorded: object, own: float | None) -> bool:
    if own is None or not isinstance(recorded, int | float):
        return own is None and not isinstance(recorded, int | float)
    return float(recorded) == own


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more
