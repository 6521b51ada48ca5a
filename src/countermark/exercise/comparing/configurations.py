# SPDX-License-Identifier: Apache-2.0
"""How a lab really ran a cell, from its own log: what it will sign, and others compare.

1. Every setting that the log holds is said by its name in :mod:`countermark.exercise.vocabulary`,
   redacted.
2. What the model was told is taken from the samples, not from what the log was meant to run.
3. A setting that had several values during the run is said with all of them, and is listed under
   ``changed-during-run``; so is the model, if the provider says that several answered.
4. Models that answered in the place of the one asked are listed under ``model.fallback``.
5. The seeds are told by a digest, and whether they are those that the lab's secret seed gives.
6. Scorers are said with the version that the log says it used, else with the one that scored here.
7. Of a model that the protocol seals, nothing is said but its key, or that it was another: what
   names it (its name, route and arguments) stays with the lab.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from countermark.exercise import vocabulary as names
from countermark.exercise.cells import CellRun
from countermark.exercise.comparing.consumption import Price, consumption_of
from countermark.exercise.comparing.expectations import (
    asked,
    asked_items,
    is_public,
    items_digest,
)
from countermark.exercise.comparing.naming import digest, named, route
from countermark.exercise.logs import Log
from countermark.exercise.prompting import SECRET
from countermark.exercise.reading.inspect_log.settings import generation, settings
from countermark.exercise.reading.inspect_log.shapes import LogHeader, LogMessage, LogSample
from countermark.exercise.secrets import secret_for, seed_for
from countermark.records.canonical import JsonValue, canonical
from countermark.records.evidence import CellConfiguration, EffectiveSetting
from countermark.records.protocol import ModelUnderTest

TOOL = "inspect"
OWN_SCORER = "event"
LONGEST = 20_000


def configuration_of(
    log: Log, run: CellRun, model: str, price: Price | None = None
) -> CellConfiguration:
    """Return how a cell was really run.

    Parameters
    ----------
    log
        The lab's log of the cell.
    run, model
        The cell that the log was matched to, and the key of the model under test.
    price
        What the lab declared for that model, if it did.
    """
    found = header_settings(log.header)
    found.update(_of_samples(log, run))
    found.update(_scorers(log, run, model))
    tested = run.protocol.frozen.model(model)
    if tested is not None and tested.sealed is not None:
        found = _pseudonymous(found, run.protocol.model(model))
    return CellConfiguration(
        model=model,
        task=run.task,
        language=run.language,
        arm=run.arm,
        settings=written_settings(found),
        consumption=consumption_of(log.header, log.samples, price),
    )


def _pseudonymous(
    found: Mapping[str, JsonValue], opened: ModelUnderTest | None
) -> dict[str, JsonValue]:
    """Take out whatever names a model that the protocol seals (rule 7)."""
    kept = {name: value for name, value in found.items() if not name.startswith("model.")}
    is_it = opened is not None and found.get(names.MODEL_NAME) == opened.provider
    kept[names.MODEL_NAME] = opened.key if is_it and opened else "another model"
    others = found.get(names.MODEL_FALLBACK)
    kept[names.MODEL_FALLBACK] = ["another model"] if others else []
    return kept


def written_settings(found: Mapping[str, JsonValue]) -> tuple[EffectiveSetting, ...]:
    """Return settings in the form of a record, by name; a value too long becomes its digest."""
    pairs = [(name, names.written(found[name])) for name in sorted(found)]
    return tuple(
        EffectiveSetting(
            name=name,
            value=value if len(value) <= LONGEST else names.written(digest(value)),
        )
        for name, value in pairs
    )


def header_settings(header: LogHeader) -> dict[str, JsonValue]:
    """Return what the header of an Inspect log says, by our names."""
    spec = header.eval
    found: dict[str, JsonValue] = {
        "tool.name": TOOL,
        "task.name": spec.task,
        names.MODEL_NAME: spec.model,
        names.MODEL_ROUTE: route(spec.model, spec.model_base_url),
        names.EPOCHS: 1,
        "error-policy.retries": 0,
        **named(TOOL, settings(header)),
    }
    if "inspect_ai" in spec.packages:
        found["tool.version"] = spec.packages["inspect_ai"]
    if spec.eval_id:
        found[names.RUN_ID] = spec.eval_id
    for name, text in (
        (names.STARTED, header.stats.started_at),
        (names.FINISHED, header.stats.completed_at),
    ):
        if (when := _utc(text)) is not None:
            found[name] = when
    return found


def _of_samples(log: Log, run: CellRun) -> dict[str, JsonValue]:
    found = {**_told(log.samples, run), **_answered(log.samples), **_seeds(log.samples, run)}
    changed = {name for name, value in found.items() if isinstance(value, list)}
    changed -= {names.MODEL_FALLBACK}
    used = _used(log)
    for name, values in used.items():
        found[name] = list(values) if len(values) > 1 else values[0]
    changed |= {name for name, values in used.items() if len(values) > 1}
    for update in log.header.config_updates or ():
        for change in update.changes:
            changed |= set(named(TOOL, {f"{change.config}.{change.name}": "changed"}))
    found[names.CHANGED] = [*sorted(changed - {"agent.solvers"})]
    return found


def _told(samples: Sequence[LogSample], run: CellRun) -> dict[str, JsonValue]:
    """Say what the model was told (rule 2), with each sample's secret put back to its place."""
    frozen = run.protocol.frozen
    task = frozen.task(run.task) or run.definition
    wanted = asked_items(frozen, task, run.language, run.full_settings)
    known = {item.key for item in task.items}
    public = {item.key for item in task.items if is_public(item, run.language)}
    systems: set[str] = set()
    told: dict[str, list[JsonValue]] = {}
    for sample in samples:
        key = str(sample.id)
        if key not in known or not sample.messages:
            continue
        said = [(one.role, _unsealed(sample, one, run)) for one in _before_answer(sample)]
        systems.add("\n".join(text for role, text in said if role == "system"))
        own: list[JsonValue] = [[role, text] for role, text in said if role != "system"]
        if key in public and own != told.get(key, wanted.get(key)):
            told.setdefault(key, own)
    if not systems:
        return {}
    digests = [digest(text) if text else None for text in sorted(systems)]
    return {
        names.SYSTEM_PROMPT: digests[0] if len(digests) == 1 else digests,
        names.ITEMS: items_digest({**wanted, **told}),
    }


def _unsealed(sample: LogSample, message: LogMessage, run: CellRun) -> str:
    secret = secret_for(run.seed, run.task, str(sample.id), run.language, sample.epoch)
    return sample.text(message).replace(secret, SECRET)


def _before_answer(sample: LogSample) -> list[LogMessage]:
    # Of a conversation with tools, what was told is what came before the model first spoke.
    said = sample.messages
    first = next((n for n, one in enumerate(said) if one.role == "assistant"), len(said))
    if any(one.role == "tool" for one in said):
        return said[:first]
    return said[:-1] if said[-1].role == "assistant" else said


def _answered(samples: Iterable[LogSample]) -> dict[str, JsonValue]:
    """Say which models answered, by the provider's own word (rules 3 and 4)."""
    answered, instead = set(), set()
    for sample in samples:
        if sample.output.model:
            answered.add(sample.output.model)
        instead |= {one.fallback_model for one in sample.model_fallbacks or ()}
    found: dict[str, JsonValue] = {names.MODEL_FALLBACK: [*sorted(instead)]}
    if answered:
        found[names.MODEL_ANSWERED] = _one_or_all(answered)
    return found


def _seeds(samples: Iterable[LogSample], run: CellRun) -> dict[str, JsonValue]:
    """Say the seeds of the calls (rule 5), where the log says any."""
    said: list[tuple[str, int, int]] = []
    for sample in samples:
        for config in _calls(sample):
            seed = config.get("seed")
            if isinstance(seed, int):
                said.append((str(sample.id), sample.epoch, seed))
    if not said:
        return {}
    own = all(
        seed == seed_for(run.seed, run.task, item, run.language, epoch)
        for item, epoch, seed in said
    )
    if own:
        policy: JsonValue = "per sample, from the lab's secret seed"
    else:
        policy = "one for all" if len({seed for *_, seed in said}) == 1 else "per sample"
    found: dict[str, JsonValue] = {names.SEED_POLICY: policy}
    if own:  # seeds that a protocol gives to all may well be the same everywhere
        found[names.SEEDS] = digest([list(one) for one in sorted(set(said))])
    return found


def _used(log: Log) -> dict[str, list[JsonValue]]:
    """Return the values that calls really had of each setting, where they were not the header's."""
    launched = generation(log.header)
    seen: dict[str, dict[bytes, JsonValue]] = {}
    calls = 0
    for sample in log.samples:
        for config in _calls(sample):
            calls += 1
            for name, value in named(TOOL, _generating(config, launched)).items():
                seen.setdefault(name, {})[canonical(value)] = value
    return {
        name: [values[key] for key in sorted(values)]
        for name, values in seen.items()
        if calls and not name.startswith("operation.") and name not in _NOT_OF_CALLS
    }


_NOT_OF_CALLS = frozenset({names.SEED_POLICY, "agent.solvers"})


def _generating(config: Mapping[str, Any], launched: Mapping[str, Any]) -> dict[str, JsonValue]:
    # A call that leaves out what the run was launched with has it all the same.
    said = {name: value for name, value in config.items() if value is not None}
    return {f"generate.{name}": value for name, value in {**launched, **said}.items()}


def _calls(sample: LogSample) -> Iterator[dict[str, Any]]:
    for event in sample.events:
        if event.event == "model" and event.role is None:
            config = msgspec.json.decode(event.config)
            if isinstance(config, dict):
                yield config


def _scorers(log: Log, run: CellRun, model: str) -> dict[str, JsonValue]:
    """Say the scorers (rule 6): what scored here, and over it what the log says of its own."""
    wanted = asked(run.protocol, model, run.task, run.language, run.full_settings)
    found = {
        name: names.read(value)
        for name, value in wanted.items()
        if name.startswith("scorer.") and name.endswith((".version", ".digest"))
    }
    said: dict[str, set[str]] = {}
    for sample in log.samples:
        score = (sample.scores or {}).get(OWN_SCORER)
        told = (score.metadata if score else None) or {}
        if isinstance(told.get("scorer"), str) and isinstance(told.get("version"), str):
            said.setdefault(told["scorer"], set()).add(told["version"])
    for scorer, versions in said.items():
        name = f"scorer.{scorer}.version"
        used = _one_or_all(versions)
        if found.get(name) != used:
            found[name] = used
            found.pop(f"scorer.{scorer}.digest", None)
    return found


def _one_or_all(values: Collection[str]) -> JsonValue:
    return next(iter(values)) if len(values) == 1 else [*sorted(values)]


def _utc(text: str) -> str | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
