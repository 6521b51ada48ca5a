# SPDX-License-Identifier: Apache-2.0
"""An Inspect log as a run in the common form.

1. *Submitted* is what the results say was planned; without results, the sample ids that the header
   lists, or the data set cut to its limit, times the epochs; never less than the log holds.
2. Planned samples that the log lacks come last, as *missing*, where the header lists the ids.
3. Every sample has every score that the log has anywhere: one that it lacks was *not attempted*.
4. The notes say what a count alone would hide: an unfinished run, parts that a later part replaced,
   settings changed during the run, samples declared invalid, edited tags and metadata.
5. What the results state is named ``score/metric``, or ``score/reducer/metric`` where several ways
   to reduce the epochs of a sample were asked for.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from countermark.exercise.reading.archive import LOCAL_MAGIC
from countermark.exercise.reading.found import FoundRun, FoundSample, numbers
from countermark.exercise.reading.inspect_log.log import InspectLog, open_log
from countermark.exercise.reading.inspect_log.samples import SampleReader, usage_of
from countermark.exercise.reading.inspect_log.scores import named_scores, part_names
from countermark.exercise.reading.inspect_log.settings import (
    generation,
    metadata,
    settings,
    unique_name,
)
from countermark.exercise.reading.inspect_log.shapes import LogHeader, LogScore, LogValue

_UNNAMED = "score"
_LISTING = re.compile(rb'\s*\{\s*"[^"]*\.(?:eval|json)"\s*:\s*\{')


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is a log of Inspect in either form."""
    if path.suffix == ".eval":
        return True
    if head.startswith(LOCAL_MAGIC):
        return b"_journal/start.json" in head or b"header.json" in head
    if is_listing(head):
        return False
    return head.lstrip().startswith(b"{") and b'"eval"' in head and b'"task"' in head


def is_listing(head: bytes) -> bool:
    """Tell whether a file is Inspect's list of the logs in a folder, by their names."""
    return _LISTING.match(head) is not None and b'"eval"' in head


def read(path: Path) -> Iterator[FoundRun]:
    """Yield the one run of a log.

    Raises
    ------
    InputError
        If it is no Inspect log, or damaged.
    """
    yield _run(open_log(path))


def _run(log: InspectLog) -> FoundRun:
    header = log.header
    spec = header.eval
    return FoundRun(
        file=log.where,
        tool="inspect",
        tool_version=spec.packages.get("inspect_ai"),
        model=spec.model,
        task=spec.task,
        samples=lambda: _samples(log),
        language=_language(header),
        status=header.status,
        created=spec.created or None,
        settings=settings(header),
        submitted=submitted(header),
        usage=usage_of(header.stats.model_usage),
        stated=_stated(header),
        notes=tuple(_notes(log)),
    )


def submitted(header: LogHeader) -> int | None:
    """Return how many samples were planned (rule 1); nothing if the header does not say."""
    if header.results is not None and header.results.total_samples:
        return header.results.total_samples
    config, data = header.eval.config, header.eval.dataset
    epochs: object = config.get("epochs") or 1
    ids = data.ids()
    items = len(ids) if ids is not None else _cut(data.samples, config)
    if items is None or not isinstance(epochs, int):
        return None
    return items * epochs


def _stated(header: LogHeader) -> dict[str, float]:
    """Return the metrics that the results state (rule 5)."""
    results = header.results
    if results is None:
        return {}
    measures = list(results.scores)
    if results.scorer is not None and not measures:
        measures = [msgspec.structs.replace(results.scorer, metrics=results.metrics)]
    alike = Counter(measure.name for measure in measures)
    return numbers(
        {
            "/".join(
                (one.name, *((one.reducer or str(place),) if alike[one.name] > 1 else ()), metric)
            ): measured.value
            for place, one in enumerate(measures)
            if isinstance(one.metrics, dict)  # none at all is an empty list
            for metric, measured in one.metrics.items()
        }
    )


def _cut(samples: int | None, config: dict[str, Any]) -> int | None:
    chosen, limit = config.get("sample_id"), config.get("limit")
    if chosen is not None:
        return len(chosen) if isinstance(chosen, list) else 1
    if samples is None:
        return None
    if isinstance(limit, int):
        return min(samples, limit)
    if isinstance(limit, list) and len(limit) == 2 and all(isinstance(one, int) for one in limit):
        return int(max(0, min(samples, limit[1]) - limit[0]))
    return samples


def _samples(log: InspectLog) -> Iterator[FoundSample]:
    if log.repeated is not None:
        raise log.repeated
    header = log.header
    reader = SampleReader(_score_names(log), _unnamed(header), generation(header))
    planned = submitted(header) or 0
    count = 0
    for document in log.documents():
        count += 1
        yield reader.found(document)
    if count < planned:
        yield from _missing(log, reader)


def _missing(log: InspectLog, reader: SampleReader) -> Iterator[FoundSample]:
    """Yield the planned samples that a log lacks (rule 2).

    The samples are read once more for it, so that only a log that lacks some has its ids held.
    """
    header = log.header
    ids, epochs = header.eval.dataset.ids(), header.eval.config.get("epochs") or 1
    if ids is None or not isinstance(epochs, int):
        return
    seen = {(str(one.sample.id), one.sample.epoch) for one in log.documents()}
    for epoch in range(1, epochs + 1):
        for one in ids:
            if (str(one), epoch) not in seen:
                yield reader.missing(str(one), epoch)


def _score_names(log: InspectLog) -> tuple[str, ...]:
    """Return the scores that a log has anywhere (rule 3), from what is cheapest to read."""
    header = log.header
    names: dict[str, None] = {}
    lines = log.score_lines()
    unnamed = _unnamed(header)
    if lines is not None:
        scores: Iterator[Mapping[str, LogScore | LogValue]] = (line.scores or {} for line in lines)
    else:
        scores = (named_scores(one.sample, unnamed) for one in log.documents())
    for one in scores:
        for name, score in one.items():
            kind = type(score.value)
            if kind is dict or kind is list:
                names.update(dict.fromkeys(part_names(name, score.value)))
            elif name not in names:
                names[name] = None
    tops = {name.partition("/")[0] for name in names}
    declared: dict[str, object] = {}
    for scorer in header.eval.scorers or ():
        declared[unique_name(str(scorer.get("name", "")), declared)] = None
    for measure in header.results.scores if header.results and log.header_only else ():
        declared[measure.scorer] = None
    names.update((name, None) for name in declared if name and name not in tops)
    return tuple(names)


def _unnamed(header: LogHeader) -> str:
    results = header.results
    if results is None:
        return _UNNAMED
    if results.scores:
        return results.scores[0].name
    return results.scorer.name if results.scorer else _UNNAMED


def _language(header: LogHeader) -> str | None:
    """Return the language, where a run of ours says it or an argument is called so."""
    said = metadata(header)
    own = said.get("countermark")
    for value in (
        own.get("language") if isinstance(own, dict) else None,
        header.eval.task_args.get("language"),
        said.get("language"),
    ):
        if isinstance(value, str) and value:
            return value
    return None


def _notes(log: InspectLog) -> Iterator[str]:
    header = log.header
    if not log.finished:
        yield "the run did not finish: this is its journal"
    elif header.status != "success":
        reason = f": {header.error.message[:500]}" if header.error else ""
        yield f"the run ended with status {header.status}{reason}"
    if log.header_only:
        yield "the log was written without its samples"
    if log.superseded:
        yield f"{log.superseded} parts of the file were replaced by later ones, which were read"
    if header.config_updates:
        yield "settings were changed during the run: see changed.*"
    if header.invalidated:
        yield "some samples were declared invalid after the run; they are counted"
    for update in header.log_updates or ():
        who = update.provenance.author or "somebody"
        why = f": {update.provenance.reason}" if update.provenance.reason else ""
        yield f"{who} edited its tags or metadata after the run{why}"
