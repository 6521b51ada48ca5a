# SPDX-License-Identifier: Apache-2.0
"""Run folders of HELM, or one of their files, with the others read from beside it.

1. A run is one split of one run folder, or one part of a split that HELM sets apart (toxic and
   not), under one perturbation or none: HELM states its aggregates so. All three are in the
   settings.
2. A sample is one instance in one trial; the trial, from 1, is its epoch. Several requests about
   one instance (a request for each choice, a calibration, the pieces of a long text whose
   likelihood is asked for) are one sample.
3. A request that failed, or gave no completion, makes its sample *errored*; its scores are *not
   attempted*, whatever HELM counts there, and a note says so. An empty completion is an answer.
4. Each statistic of an instance is a score, except those that describe the request (tokens, time,
   why it ended), which are metadata. One without a value is *unparsed*, and so is one that an
   instance lacks and another instance of the run has. Several metrics of a run may give a statistic
   of one name, of which HELM only warns: equal values count once, another one is named ``name/2``.
5. The aggregates that ``stats.json`` states are in the settings as ``stats.<metric>``; where the
   mean of the samples differs from one, a note says so.
6. An instance that has statistics and no request is refused: the files are not of one run. Without
   ``scenario_state.json`` every instance with statistics counts as *answered*, and a note says so.
7. Where ``scenario_state.json`` is not in the folder, the samples are read from the files for
   HELM's web pages, if these are there, by the rules of ``helm_display.py``. With neither, the
   aggregates alone are known, and as many samples are *missing* as they say.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    differences,
    mapping,
    number,
    read_document,
    refuse,
    sequence,
    settings,
    sibling,
    tally,
    text,
)
from countermark.exercise.reading.found import (
    FoundRun,
)
from countermark.exercise.reading.helm_display import FILES as DISPLAYED
from countermark.exercise.reading.helm_display import NOTE, TOOL, Displayed
from countermark.exercise.reading.helm_samples import DESCRIBES, Instance, InstanceSamples

SPEC, STATE, INSTANCES, STATS, SCENARIO = FILES = (
    "run_spec.json",
    "scenario_state.json",
    "per_instance_stats.json",
    "stats.json",
    "scenario.json",
)
_AGAIN = "Give the whole run folder as HELM wrote it: " + ", ".join(FILES) + "."
_WHY = "HELM averages trials first, and may count failed requests"
_WHOLE = "language_modeling"
_Key = tuple[str, str, str]  # split, part of it, and perturbation


def recognises(path: Path, start: bytes) -> bool:
    """Tell whether a file is one of the files of a run."""
    marks = {
        SPEC: b'"adapter_spec"',
        STATE: b'"adapter_spec"',
        INSTANCES: b'"id"',
        STATS: b'"sum_squared"',
        SCENARIO: b'"tags"',
        **dict.fromkeys(DISPLAYED, b'"id"'),
    }
    return path.name in marks and marks[path.name] in start.replace(b'"instance_id"', b'"id"')


def together(path: Path) -> Path:
    """Return the run folder that a file is of."""
    return path.parent


def read(path: Path) -> Iterator[FoundRun]:
    """Yield the runs of a run folder (rule 1).

    Raises
    ------
    InputError
        If a file is broken, or they are not of one run.
    """
    folder = path if path.is_dir() else path.parent
    files = {
        name: read_document(found, TOOL) if (found := sibling(folder / SPEC, name, TOOL)) else None
        for name in FILES
    }
    spec = mapping(files[SPEC])
    state = mapping(files[STATE])
    adapter = mapping(spec.get("adapter_spec")) or mapping(state.get("adapter_spec"))
    if not adapter:
        refuse("has no adapter_spec in its run_spec.json", str(folder), _AGAIN)
    if files[STATE] is None:
        _take_displayed(files, folder)
    requests = _requests(files[STATE], folder, several=adapter.get("method") == _WHOLE)
    instances = _instances(files[INSTANCES], folder)
    if requests:
        _check_same_run(requests, instances, folder)
    stated = _stated(files[STATS])
    for key in dict.fromkeys((*requests, *instances)) or stated or (("", "", ""),):
        yield _run(folder, files, adapter, key, requests, instances, stated.get(key, {}))


def _take_displayed(files: dict[str, Any], folder: Path) -> None:
    """Rule 7."""
    shown = Displayed(folder)
    if shown.predictions:
        files[STATE] = {"request_states": list(shown.states()), "displayed": True}
    if shown.predictions and files[INSTANCES] is None:
        files[INSTANCES] = list(shown.statistics())


def _run(
    folder: Path,
    files: dict[str, Any],
    adapter: dict[str, Any],
    key: _Key,
    requests: dict[_Key, dict[Instance, list[dict[str, Any]]]],
    instances: dict[_Key, dict[Instance, dict[str, dict[str, Any]]]],
    stated: dict[str, float],
) -> FoundRun:
    split, part, perturbation = key
    spec = mapping(files[SPEC])
    reader = InstanceSamples(requests.get(key, {}), instances.get(key, {}))
    counted = tally(reader.samples)
    notes = [f"{name} is not in the folder." for name in FILES if files[name] is None]
    if mapping(files[STATE]).get("displayed"):
        notes.append(NOTE)
    if not requests and instances:
        notes.append(
            "Without scenario_state.json each instance with statistics counts as answered."
        )
    failed = sum(sample.outcome == "errored" for sample in reader.samples())
    if failed:
        notes.append(f"{failed} requests failed; HELM may score them, here no scorer is attempted.")
    return FoundRun(
        file=str(folder),
        tool=TOOL,
        tool_version=None,
        model=text(adapter.get("model")) or text(adapter.get("model_deployment")) or "unknown",
        task=text(spec.get("name")) or text(mapping(files[SCENARIO]).get("name")) or folder.name,
        samples=reader.samples,
        created=_created(reader.requests),
        settings=settings(
            adapter={k: v for k, v in adapter.items() if k != "model"},
            scenario=spec.get("scenario_spec") or spec.get("scenario"),
            metrics=spec.get("metric_specs") or spec.get("metrics"),
            data_augmenter=spec.get("data_augmenter_spec"),
            groups=spec.get("groups"),
            split=split or None,
            sub_split=part or None,
            perturbation=json.loads(perturbation) if perturbation else None,
            stats=stated,
        ),
        submitted=counted.samples or _asked(files[STATS], key, adapter),
        stated=stated,
        notes=(*notes, *differences(counted.means, stated, _WHY)),
    )


def _requests(
    state: Any, folder: Path, *, several: bool
) -> dict[_Key, dict[Instance, list[dict[str, Any]]]]:
    if state is None:
        return {}
    listed = mapping(state).get("request_states")
    where = f"{folder / STATE}"
    if not isinstance(listed, list):
        refuse("has no list of request_states", where, _AGAIN)
    found: dict[_Key, dict[Instance, list[dict[str, Any]]]] = {}
    seen: set[tuple[Any, ...]] = set()
    for place, request in enumerate(listed):
        spot = f"{where}: request {place}"
        instance = mapping(mapping(request).get("instance"))
        if not instance:
            refuse("has no instance", spot, _AGAIN)
        key = (*_split(instance), _perturbation(instance.get("perturbation")))
        sample = (_id(instance.get("id"), spot), _trial(request, spot))
        mark = (key, sample, request.get("reference_index"), text(request.get("request_mode")))
        if mark in seen and not several:
            refuse(f"has instance {sample[0]!r} twice in trial {sample[1]}", spot, _AGAIN)
        seen.add(mark)
        found.setdefault(key, {}).setdefault(sample, []).append(request)
    return found


def _instances(listed: Any, folder: Path) -> dict[_Key, dict[Instance, dict[str, dict[str, Any]]]]:
    if listed is None:
        return {}
    where = f"{folder / INSTANCES}"
    if not isinstance(listed, list):
        refuse("is no list of instances", where, _AGAIN)
    found: dict[_Key, dict[Instance, dict[str, dict[str, Any]]]] = {}
    for place, entry in enumerate(listed):
        spot = f"{where}: entry {place}"
        if not isinstance(entry, dict) or not isinstance(entry.get("stats"), list):
            refuse("has no list of stats", spot, _AGAIN)
        sample = (_id(entry.get("instance_id"), spot), _trial(entry, spot))
        perturbation = _perturbation(entry.get("perturbation"))
        for stat in entry["stats"]:
            name = mapping(mapping(stat).get("name"))
            metric = text(name.get("name"))
            if metric is None:
                refuse("has a statistic without a name", spot, _AGAIN)
            own = _perturbation(name.get("perturbation")) or perturbation
            stats = found.setdefault((*_split(name), own), {}).setdefault(sample, {})
            if metric.startswith(DESCRIBES):
                stats.setdefault(metric, stat)
            else:
                _add_statistic(stats, metric, stat)
    return found


def _add_statistic(stats: dict[str, dict[str, Any]], metric: str, stat: dict[str, Any]) -> None:
    """Take note of one statistic of an instance under a name of its own (rule 4)."""
    name, count = metric, 1
    while name in stats:
        if stats[name].get("mean") == stat.get("mean"):
            return
        count += 1
        name = f"{metric}/{count}"
    stats[name] = stat


def _split(value: dict[str, Any]) -> tuple[str, str]:
    return text(value.get("split")) or "", text(value.get("sub_split")) or ""


def _check_same_run(
    requests: dict[_Key, dict[Instance, list[dict[str, Any]]]],
    instances: dict[_Key, dict[Instance, dict[str, dict[str, Any]]]],
    folder: Path,
) -> None:
    """Rule 6."""
    for key, samples in instances.items():
        strange = [sample for sample in samples if sample not in requests.get(key, {})]
        if strange:
            refuse(
                f"has statistics of instance {strange[0][0]!r} in trial {strange[0][1]}, "
                f"which {STATE} does not know",
                str(folder / INSTANCES),
                _AGAIN,
            )


def _asked(stats: Any, key: _Key, adapter: dict[str, Any]) -> int:
    """Return how many samples the aggregates are of; each counts the instances of one trial."""
    for stat in sequence(stats):
        name = mapping(mapping(stat).get("name"))
        count, trials = number(mapping(stat).get("mean")), adapter.get("num_train_trials", 1)
        own = (*_split(name), _perturbation(name.get("perturbation")))
        if name.get("name") == "num_instances" and own == key and count is not None:
            return round(count * trials) if isinstance(trials, int) else round(count)
    return 0


def _stated(stats: Any) -> dict[_Key, dict[str, float]]:
    found: dict[_Key, dict[str, float]] = {}
    for stat in sequence(stats):
        name = mapping(mapping(stat).get("name"))
        metric, mean = text(name.get("name")), number(mapping(stat).get("mean"))
        perturbation = name.get("perturbation")
        if mapping(perturbation).get("computed_on") in {"worst", "original"}:
            continue
        if metric is not None and mean is not None and not metric.startswith(DESCRIBES):
            key = (*_split(name), _perturbation(perturbation))
            found.setdefault(key, {}).setdefault(metric, mean)
    return found


def _created(requests: Mapping[Instance, list[dict[str, Any]]]) -> str | None:
    times = [
        moment
        for asked in requests.values()
        for request in asked
        if (moment := number(mapping(request.get("result")).get("request_datetime"))) is not None
    ]
    return str(int(min(times))) if times else None


def _perturbation(value: Any) -> str:
    """Return one text for a perturbation, or an empty one for none."""
    known = {k: v for k, v in mapping(value).items() if k not in {"computed_on", "seed"}}
    return json.dumps(known, sort_keys=True) if known else ""


def _id(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        refuse("has no id of its instance", where, _AGAIN)
    return str(value)


def _trial(value: dict[str, Any], where: str) -> int:
    trial = value.get("train_trial_index", 0)
    if isinstance(trial, bool) or not isinstance(trial, int) or trial < 0:
        refuse(f"has the trial {trial!r}, which is no number", where, _AGAIN)
    return trial + 1
