# SPDX-License-Identifier: Apache-2.0
"""Records of Every Eval Ever, versions 0.3 and 0.2, with the samples that lie beside them.

1. A run is one ``evaluation_name`` of one model; each metric that has it is one scorer, named by
   ``metric_name``, else ``metric_id``, else ``evaluation_result_id``.
2. Samples are read from the file beside the record, ``<name of the record>_samples.jsonl``,
   wherever the record says that they are. If the record gives their checksum it must be right. A
   samples file that is given alone tells its model and evaluation itself.
3. A sample is one ``sample_id`` in one epoch, which is the ``epoch`` of its metadata, else 1.
   Rows of one sample under several ``evaluation_result_id`` are its scores.
4. A row with an ``error`` is *errored*, and so is one without output or messages; an empty output
   is an answer, and an output without any text is one that the record does not show. Scores of an
   errored sample are *not attempted*. A score that is no number is *unparsed*; where there is none
   but a verdict ``is_correct``, that is the score.
5. What the record states is in the settings as ``stated.<scorer>``; if the samples give another
   mean, or are fewer than the record says, a note says so and the rest is *missing*.
6. Version 0.2 lacks ``evaluation_result_id`` and where the samples are, and a note says which
   version was read. Other versions are refused.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    Keys,
    Line,
    LineIndex,
    decode,
    differences,
    mapping,
    number,
    read_document,
    read_lines,
    refuse,
    sequence,
    settings,
    sibling,
    tally,
    text,
)
from countermark.exercise.reading.found import (
    FoundMessage,
    FoundRun,
    FoundSample,
    FoundScore,
    Outcome,
    Trajectory,
    Usage,
)

TOOL = "every-eval-ever"
VERSIONS = ("0.3.", "0.2.")
SAMPLES = "_samples"
_AGAIN = "Give a record of Every Eval Ever 0.3 or 0.2 (.json), with its _samples.jsonl beside it."
_WHY = "the record may weight or filter samples, or use another unit"
_ALGORITHMS = {"sha256": hashlib.sha256, "md5": hashlib.md5}


def recognises(_path: Path, start: bytes) -> bool:
    """Tell whether a file is a record or a samples file of Every Eval Ever."""
    if b'"evaluation_id"' not in start:
        return False
    return b'"evaluation_results"' in start or b'"sample_id"' in start


def together(path: Path) -> Path:
    """Return the record that a samples file lies beside, if there is one."""
    if path.suffix != ".jsonl" or not path.stem.endswith(SAMPLES):
        return path
    return sibling(path, path.stem.removesuffix(SAMPLES) + ".json", TOOL) or path


def read(path: Path) -> Iterator[FoundRun]:
    """Yield the runs of a record, of a file of records by lines, or of a samples file.

    Raises
    ------
    InputError
        If a file is broken; it names the file and the line.
    """
    if path.suffix != ".jsonl":
        yield from _read_record(path, read_document(path, TOOL), str(path))
        return
    for line in read_lines(path, TOOL):
        value = mapping(decode(line.data, f"{path}:{line.number}", TOOL))
        if "evaluation_results" not in value:
            break
        yield from _read_record(path, value, f"{path}:{line.number}", alone=True)
    else:
        return
    record = sibling(path, path.stem.removesuffix(SAMPLES) + ".json", TOOL)
    if record is not None:
        yield from _read_record(record, read_document(record, TOOL), str(record))
        return
    for (model, name), rows in _index(path).items():
        note = "The samples file was read without the record that it belongs to."
        yield _run(path, {"model_info": {"id": model}}, name, [], rows, (note,))


@dataclass(slots=True)
class _Rows:
    """The rows of one evaluation of one model in a samples file."""

    path: Path
    lines: LineIndex = field(default_factory=LineIndex)
    by_sample: dict[tuple[str, int], LineIndex] = field(default_factory=dict)
    results: dict[str, None] = field(default_factory=dict)


def _read_record(path: Path, record: Any, where: str, *, alone: bool = False) -> Iterator[FoundRun]:
    results = mapping(record).get("evaluation_results")
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        refuse("has no list of evaluation_results", where, _AGAIN)
    version = text(record.get("schema_version")) or ""
    if not version.startswith(VERSIONS):
        refuse(f"has schema_version {version!r}, which is not read", where, _AGAIN)
    model = text(mapping(record.get("model_info")).get("id"))
    if model is None:
        refuse("names no model", where, _AGAIN)
    notes = () if version.startswith(VERSIONS[0]) else (f"This is a record of version {version}.",)
    samples = None if alone else sibling(path, f"{path.stem}{SAMPLES}.jsonl", TOOL)
    indexed: dict[tuple[str, str], _Rows] = {}
    if samples is not None:
        _check_samples(samples, mapping(record.get("detailed_evaluation_results")))
        indexed = _index(samples)
    by_name: dict[str, list[dict[str, Any]]] = {}
    for place, result in enumerate(results):
        name = text(result.get("evaluation_name"))
        if name is None:
            refuse("has no evaluation_name", f"{where}: result {place}", _AGAIN)
        by_name.setdefault(name, []).append(result)
    strange = [key for key in indexed if key[0] != model or key[1] not in by_name]
    if strange:
        refuse(
            f"has rows of {strange[0][1]!r} by {strange[0][0]!r}, which the record does not know",
            str(samples),
            _AGAIN,
        )
    for name, of_name in by_name.items():
        yield _run(path, record, name, of_name, indexed.get((model, name)), notes)


def _check_samples(path: Path, said: dict[str, Any]) -> None:
    """Rule 2."""
    algorithm = _ALGORITHMS.get(text(said.get("hash_algorithm")) or "sha256")
    checksum = text(said.get("checksum"))
    if checksum is None or algorithm is None:
        return
    made = algorithm(usedforsecurity=False)
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            made.update(part)
    if made.hexdigest() != checksum.lower():
        refuse("is not the samples file whose checksum the record gives", str(path), _AGAIN)


def _index(path: Path) -> dict[tuple[str, str], _Rows]:
    found: dict[tuple[str, str], _Rows] = {}
    for line, row in _rows(path, read_lines(path, TOOL)):
        where = f"{path}:{line.number}"
        model, name = text(row.get("model_id")), text(row.get("evaluation_name"))
        if model is None or name is None:
            refuse("has no model_id or no evaluation_name", where, _AGAIN)
        rows = found.setdefault((model, name), _Rows(path))
        rows.lines.add(line)
        rows.results[_result(row)] = None
    for rows in found.values():
        if len(rows.results) > 1:
            for line, row in _rows(path, rows.lines.lines(path, TOOL)):
                key = _key(row, f"{path}:{line.number}")
                rows.by_sample.setdefault(key, LineIndex()).add(line)
    return found


def _rows(path: Path, lines: Iterator[Line]) -> Iterator[tuple[Line, dict[str, Any]]]:
    for line in lines:
        row = decode(line.data, f"{path}:{line.number}", TOOL)
        if not isinstance(row, dict):
            refuse("is no row", f"{path}:{line.number}", _AGAIN)
        yield line, row


def _result(row: dict[str, Any]) -> str:
    return text(row.get("evaluation_result_id")) or ""


def _key(row: dict[str, Any], where: str) -> tuple[str, int]:
    item = row.get("sample_id")
    if isinstance(item, bool) or not isinstance(item, str | int):
        refuse("has no sample_id", where, _AGAIN)
    epoch = mapping(row.get("metadata")).get("epoch")
    if isinstance(epoch, str) and epoch.isascii() and epoch.isdigit() and len(epoch) < 10:
        epoch = int(epoch)
    if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 1:
        epoch = 1
    return str(item), epoch


def _run(
    path: Path,
    record: dict[str, Any],
    name: str,
    results: list[dict[str, Any]],
    rows: _Rows | None,
    notes: tuple[str, ...],
) -> FoundRun:
    names = _scorers(results)
    stated = {
        scorer: value
        for scorer, result in zip(names.values(), results, strict=True)
        if (value := number(mapping(result.get("score_details")).get("score"))) is not None
    }
    submitted = max((_said(result) for result in results), default=0)
    found: tuple[str, ...] = ()
    reader = None
    if rows is None:
        found = ("No samples lie beside the record: only what it states is known.",)
    else:
        reader = _Samples(rows, names)
        counted = tally(reader.samples)
        found = differences(counted.means, stated, _WHY)
        if counted.samples < submitted:
            found += (f"The samples file holds {counted.samples:,} of {submitted:,} samples.",)
        submitted = max(submitted, counted.samples)
    first = results[0] if results else {}
    library = mapping(record.get("eval_library"))
    return FoundRun(
        file=str(path),
        tool=TOOL,
        tool_version=text(record.get("schema_version")),
        model=text(mapping(record.get("model_info")).get("id")) or "unknown",
        task=name,
        samples=reader.samples if reader else lambda: iter(()),
        created=text(first.get("evaluation_timestamp")) or text(record.get("evaluation_timestamp")),
        settings=settings(
            evaluation_id=record.get("evaluation_id"),
            library=library,
            model={k: v for k, v in mapping(record.get("model_info")).items() if k != "id"},
            source=record.get("source_metadata"),
            dataset=first.get("source_data"),
            generation=first.get("generation_config"),
            metric={
                scorer: result.get("metric_config")
                for scorer, result in zip(names.values(), results, strict=True)
            },
            stated=stated,
        ),
        submitted=submitted or None,
        stated=stated,
        notes=(*notes, *found),
    )


def _scorers(results: list[dict[str, Any]]) -> dict[str, str]:
    """Return the scorer of each evaluation_result_id (rule 1)."""
    found: dict[str, str] = {}
    for place, result in enumerate(results):
        own = text(result.get("evaluation_result_id")) or ("" if len(results) == 1 else str(place))
        metric = mapping(result.get("metric_config"))
        named = text(metric.get("metric_name")) or text(metric.get("metric_id")) or own or "score"
        found[own] = named if named not in found.values() else own or f"{named}-{place}"
    return found


def _said(result: dict[str, Any]) -> int:
    uncertainty = mapping(mapping(result.get("score_details")).get("uncertainty"))
    dataset = mapping(result.get("source_data"))
    counts = (uncertainty.get("num_samples"), dataset.get("samples_number"))
    return max((n for n in counts if isinstance(n, int) and not isinstance(n, bool)), default=0)


@dataclass(frozen=True, slots=True)
class _Samples:
    """The samples of one run."""

    rows: _Rows
    names: dict[str, str]

    def samples(self) -> Iterator[FoundSample]:
        """Yield them; rows of one sample come together (rule 3)."""
        path = self.rows.path
        for key, lines in self.rows.by_sample.items():
            members = list(_rows(path, lines.lines(path, TOOL)))
            if len({_result(row) for _, row in members}) != len(members):
                where = f"{path}:{members[-1][0].number}"
                refuse(f"has the sample {key[0]!r} twice for one metric", where, _AGAIN)
            yield self._sample(key, members)
        if self.rows.by_sample:
            return
        keys = Keys("the sample")
        for line, row in _rows(path, self.rows.lines.lines(path, TOOL)):
            where = f"{path}:{line.number}"
            key = _key(row, where)
            keys.add(f"{key[0]} epoch {key[1]}", where)
            yield self._sample(key, [(line, row)])
        keys.close()

    def _sample(
        self, key: tuple[str, int], members: list[tuple[Line, dict[str, Any]]]
    ) -> FoundSample:
        line, row = members[0]
        messages, answered = _conversation(row)
        error = text(row.get("error"))
        if error is None and not answered:
            error = "the row has no output"
        outcome: Outcome = "errored" if error else "answered"
        usage, performance = mapping(row.get("token_usage")), mapping(row.get("performance"))
        calls = _whole(mapping(row.get("evaluation")).get("tool_calls_count"))
        reference = mapping(row.get("input")).get("reference")
        target = next(iter(reference), None) if isinstance(reference, list) else reference
        milliseconds = number(performance.get("latency_ms"))
        return FoundSample(
            item=key[0],
            epoch=key[1],
            outcome=outcome,
            scores=tuple(self._score(member, outcome) for _, member in members),
            messages=messages,
            target=target if isinstance(target, str) else None,
            error=error,
            usage=Usage(
                input_tokens=_whole(usage.get("input_tokens")),
                output_tokens=_whole(usage.get("output_tokens")),
                total_tokens=_whole(usage.get("total_tokens")),
                seconds=None if milliseconds is None else milliseconds / 1000,
            )
            if usage or performance
            else None,
            trajectory=None if calls is None else Trajectory(tool_calls=calls),
            metadata={k: v for k, v in mapping(row.get("metadata")).items() if k != "epoch"},
            digest=line.digest if len(members) == 1 else None,
        )

    def _score(self, row: dict[str, Any], outcome: Outcome) -> FoundScore:
        scorer = self.names.get(_result(row))
        if scorer is None:
            alone = next(iter(self.names.values())) if len(self.names) == 1 else None
            scorer = alone or _result(row) or "score"
        verdict = mapping(row.get("evaluation"))
        raw = verdict.get("score", verdict.get("is_correct"))
        if raw is None:
            raw = verdict.get("is_correct")
        extracted = [mapping(one) for one in sequence(row.get("answer_attribution"))]
        final = next((one for one in reversed(extracted) if one.get("is_terminal")), None)
        answer = text(mapping(final).get("extracted_value"))
        if outcome != "answered":
            return FoundScore(scorer, "not-attempted", raw=raw)
        value = number(raw)
        if value is None:
            return FoundScore(scorer, "unparsed", raw=raw, answer=answer)
        return FoundScore(scorer, "scored", value, raw, answer)


def _conversation(row: dict[str, Any]) -> tuple[tuple[FoundMessage, ...], bool]:
    turns = [mapping(turn) for turn in sequence(row.get("messages"))]
    if turns:
        told = tuple(
            FoundMessage(
                text(turn.get("role")) or "user",
                _plain(turn.get("content")) or "",
                tuple(
                    called
                    for one in sequence(turn.get("tool_calls"))
                    if (called := text(mapping(one).get("name"))) is not None
                ),
            )
            for turn in turns
        )
        return told, any(message.role == "assistant" for message in told)
    asked = mapping(row.get("input"))
    prompt = _plain(asked.get("formatted")) or _plain(asked.get("raw"))
    told = (FoundMessage("user", prompt),) if prompt is not None else ()
    output = mapping(row.get("output")).get("raw")
    given = _plain(next(iter(output), None) if isinstance(output, list) else output)
    if given is None:
        return told, output == []
    return (*told, FoundMessage("assistant", given)), True


def _plain(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
