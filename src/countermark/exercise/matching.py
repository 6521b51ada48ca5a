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
10. Where the log recorded a score, it is the one that the protocol's scorer gives.

Differences under rules 1 to 3 and items that the protocol lacks (8) cannot be taken as a declared
deviation: without them nobody can say what was tested.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from countermark.exercise.cells import CellRun, full_settings, swaps_of
from countermark.exercise.logs import Log, LogSample
from countermark.exercise.prompting import messages, temperature
from countermark.exercise.samples import conversation, rescore, told_and_answer
from countermark.exercise.secrets import secret_for
from countermark.records.errors import InputError
from countermark.records.protocol import FactorSetting, ModelUnderTest, Protocol

METADATA_KEY = "countermark"
Cell = tuple[str, str, str, str | None]
"""Model, task, language and arm."""
MOST_LISTED = 5


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
    """

    rule: int
    text: str
    waivable: bool = True


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
        found.append(Difference(5, f"the model is {header.eval.model}, not {wanted}"))
    epochs = header.eval.config.get("epochs", 1)
    if epochs != run.protocol.epochs:
        found.append(Difference(6, f"ran {epochs} epochs, not {run.protocol.epochs}"))
    wanted_settings = {
        "max_tokens": run.protocol.generation.max_tokens,
        "top_p": run.protocol.generation.top_p,
        "temperature": temperature(run.protocol, run.definition, run.full_settings),
    }
    for name, wanted_value in wanted_settings.items():
        used = header.plan.config.get(name)
        if used != wanted_value:
            found.append(Difference(7, f"{name} is {used}, not {wanted_value}"))
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
    for rule, words, texts in (
        (9, "told the model something else in", _altered(log, run, items)),
        (10, "recorded another score than the protocol's scorer gives in", _rescored(log, run)),
    ):
        if listed := list(texts):
            found.append(Difference(rule, f"{words}: {_some(listed)}"))
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
    keys = {item.key for item in run.definition.items}
    for sample in log.samples:
        recorded = (sample.scores or {}).get("event")
        answer = _split(sample, run)[1]
        if recorded is None or str(sample.id) not in keys or answer is None:
            continue
        own = rescore(run, run.item(str(sample.id)), sample.epoch, "answered", answer)
        if not _same_score(recorded.value, own.value):
            yield f"{sample.id} epoch {sample.epoch}"


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
