# SPDX-License-Identifier: Apache-2.0
"""Reports of garak (``*.report.jsonl``), of the versions whose outputs are texts and since.

1. A run is one probe. The model is the target that the setup line names, or ``model_type``
   before. The first versions wrote a line ``config`` in its place, and none at the end.
2. A sample is one output of one attempt: the attempt's sequence number is its item, with the
   first digits of its uuid where numbers come twice, and the generation, from 1, is its epoch.
3. garak writes an attempt when the model has answered (status 1) and again when its detectors
   have run (status 2): the last line of an attempt counts. One that never got beyond status 1 has
   outputs and no verdicts: its scores are *not attempted*.
4. An output that is absent is *errored*, and so is an attempt without outputs. An empty text is
   an answer.
   Detectors skip an absent output: where one gives as many numbers as there are outputs that are
   not absent, these are the ones they belong to.
5. Each detector's number from 0 to 1 is one score, and ``<detector>/hit`` is 1 where it reaches
   the threshold of the run (0.5 unless it says otherwise) and 0 below: what garak counts as
   failed. A detector that gives no number for an answer leaves it *unparsed*.
6. What the ``eval`` lines state is in the settings as ``eval.<detector>.<count>``. If they count
   more outputs than the file holds, the rest is *missing*; if their share of hits is another, a
   note says so.
7. The language is the run's target language, if all prompts are in it.
8. A report that holds only its digest, on one line or over many, gives its probes without samples;
   the share that passed is in the settings as ``eval.<detector>.absolute_score``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    Keys,
    Line,
    decode,
    differences,
    mapping,
    number,
    read_document,
    read_lines,
    read_start,
    refuse,
    settings,
    tally,
    text,
)
from countermark.exercise.reading.found import (
    FoundRun,
    numbers,
)
from countermark.exercise.reading.garak_samples import (
    DETECTED,
    TOOL,
    Probe,
    ProbeSamples,
    language_of,
)

THRESHOLD = 0.5
_AGAIN = "Give the report (.report.jsonl) as garak wrote it; a hit log is no report."
_WHY = "garak may have judged outputs that the report does not hold, or by another threshold"
_CONFIG = "config."
_NAMES = ("plugins.target", "plugins.model", f"{_CONFIG}model")
_KINDS = (b'"config"', b'"start_run setup"', b'"init"', b'"attempt"', b'"eval"', b'"digest"')


def recognises(_path: Path, start: bytes) -> bool:
    """Tell whether a file is a report of garak."""
    head = start[:4096]
    return b'"entry_type"' in head and any(kind in head for kind in _KINDS)


def is_hit_log(start: bytes) -> bool:
    """Tell whether a file is the other file of a run, which holds only the attempts that hit."""
    first = start.split(b"\n", 1)[0]
    return b'"entry_type"' not in first and b'"attempt_id"' in first and b'"detector"' in first


def read(path: Path) -> Iterator[FoundRun]:
    """Yield the runs of a report, one a probe.

    Raises
    ------
    InputError
        If it is broken; it names the file and the line.
    """
    report = _read_report(path)
    if not report.probes:
        refuse("holds no attempt and no eval", str(path), _AGAIN)
    for name, probe in report.probes.items():
        yield _run(path, report, name, probe)


@dataclass(slots=True)
class _Report:
    """What one pass over a report finds."""

    setup: dict[str, Any] = field(default_factory=dict)
    version: str | None = None
    started: str | None = None
    finished: bool = False
    endless: bool = False
    probes: dict[str, Probe] = field(default_factory=dict)

    @property
    def threshold(self) -> float:
        """From which number on a detector has hit."""
        given = number(
            self.setup.get("run.eval_threshold", self.setup.get(f"{_CONFIG}eval_threshold"))
        )
        return THRESHOLD if given is None else given


def _read_report(path: Path) -> _Report:
    report = _Report()
    judged = Keys("the attempt")
    waiting: dict[str, tuple[str, Line]] = {}
    for line, value in _entries(path):
        where = f"{path}:{line.number}"
        if not isinstance(value, dict) or not isinstance(value.get("entry_type"), str):
            refuse("has no entry_type", where, _AGAIN)
        match value["entry_type"]:
            case "start_run setup":
                report.setup = report.setup or value
                report.version = report.version or text(value.get("_config.version"))
            case "config":
                report.setup = {f"{_CONFIG}{name}": one for name, one in value.items()}
                report.endless = True
            case "init":
                report.version = text(value.get("garak_version")) or report.version
                report.started = report.started or text(value.get("start_time"))
            case "attempt":
                _take_attempt(report, value, line, where, judged, waiting)
            case "eval":
                _take_eval(report, value, where)
            case "completion" | "digest":
                report.finished = True
                _take_digest(report, value)
            case _:
                pass  # later versions add kinds of lines; they hold no sample
    judged.close()
    for name, line in waiting.values():
        report.probes[name].lines.add(line)
    return report


def _entries(path: Path) -> Iterator[tuple[Line, Any]]:
    if read_start(path, 64).split(b"\n", 1)[0].strip() == b"{":
        yield Line(0, 1, b""), read_document(path, TOOL)
        return
    for line in read_lines(path, TOOL):
        yield line, decode(line.data, f"{path}:{line.number}", TOOL)


def _take_digest(report: _Report, value: dict[str, Any]) -> None:
    """Rule 8."""
    meta = mapping(value.get("meta"))
    report.setup = report.setup or mapping(meta.get("setup"))
    report.version = report.version or text(meta.get("garak_version"))
    report.started = report.started or text(meta.get("start_time"))
    if report.probes:
        return
    for group in mapping(value.get("eval")).values():
        for name, detectors in mapping(group).items():
            evals = {
                detector: mapping(verdict)
                for detector, verdict in mapping(detectors).items()
                if not detector.startswith("_")
            }
            if evals and not name.startswith("_"):
                report.probes[name.removeprefix("probes.")] = Probe(evals=evals)


def _take_attempt(
    report: _Report,
    value: dict[str, Any],
    line: Line,
    where: str,
    judged: Keys,
    waiting: dict[str, tuple[str, Line]],
) -> None:
    """Rule 3."""
    name, uuid = text(value.get("probe_classname")), text(value.get("uuid"))
    if name is None or uuid is None:
        refuse("has no probe or no uuid", where, _AGAIN)
    name = name.removeprefix("probes.")
    probe = report.probes.setdefault(name, Probe())
    probe.languages.add(language_of(value) or "")
    status = value.get("status", DETECTED)
    if status != DETECTED:
        waiting[uuid] = (name, Line(line.offset, line.number, b""))
        return
    waiting.pop(uuid, None)
    judged.add(uuid, where)
    probe.lines.add(line)
    probe.detectors |= dict.fromkeys(mapping(value.get("detector_results")))
    order = value.get("seq")
    if isinstance(order, int):
        probe.repeated = probe.repeated or order in probe.sequence_numbers
        probe.sequence_numbers.add(order)


def _take_eval(report: _Report, value: dict[str, Any], where: str) -> None:
    name, detector = text(value.get("probe")), text(value.get("detector"))
    if name is None or detector is None:
        refuse("has no probe or no detector", where, _AGAIN)
    name, detector = name.removeprefix("probes."), detector.removeprefix("detector.")
    known = report.probes.setdefault(name, Probe()).evals
    if detector in known:
        refuse(f"has the eval of {name} by {detector} twice", where, _AGAIN)
    known[detector] = {
        key: count
        for key, count in value.items()
        if key not in {"entry_type", "probe", "detector", "run"}
    }


def _run(path: Path, report: _Report, name: str, probe: Probe) -> FoundRun:
    detectors = tuple(probe.detectors | dict.fromkeys(probe.evals))
    reader = ProbeSamples(path, probe, detectors, report.threshold)
    counted = tally(reader.samples)
    notes = [] if counted.samples else ["The report holds no attempt of this probe."]
    if not report.finished and not report.endless:
        notes.append("The report has no end: the run may not have finished.")
    stated: dict[str, float] = {}
    processed = 0
    for detector, eval_line in probe.evals.items():
        total = number(eval_line.get("total_evaluated", eval_line.get("total"))) or 0.0
        fails = number(eval_line.get("fails"))
        if fails is None:
            fails = total - (number(eval_line.get("passed")) or 0.0)
        nones = number(eval_line.get("nones")) or 0.0
        whole = number(eval_line.get("total_processed"))
        processed = max(processed, int(whole if whole is not None else total + nones))
        if total > 0:
            stated[f"{detector}/hit"] = fails / total
    if processed > counted.samples:
        notes.append(f"The report holds {counted.samples:,} of the {processed:,} outputs judged.")
    setup = {k: v for k, v in report.setup.items() if not k.endswith("entry_type")}
    languages = probe.languages - {""}
    target = text(setup.get("run.target_lang"))
    if len(languages) > 1:
        notes.append(f"The prompts are in {', '.join(sorted(languages))}: no one language.")
    return FoundRun(
        file=str(path),
        tool=TOOL,
        tool_version=report.version,
        model=_model(setup),
        task=name,
        samples=reader.samples,
        language=target if languages == {target} else None,
        status=None if report.endless else "success" if report.finished else "started",
        created=report.started or text(setup.get("transient.starttime_iso")),
        settings={
            **{key: value for key, value in setup.items() if value is not None},
            **settings(eval=probe.evals, threshold=report.threshold),
        },
        submitted=max(processed, counted.samples) or None,
        stated={**numbers(settings(**probe.evals)), **stated},
        notes=(*notes, *differences(counted.means, stated, _WHY)),
    )


def _model(setup: dict[str, Any]) -> str:
    parts = (
        next((name for key in _NAMES if (name := text(setup.get(f"{key}_{part}")))), None)
        for part in ("type", "name")
    )
    return "/".join(part for part in parts if part) or "unknown"
