# SPDX-License-Identifier: Apache-2.0
"""Records of Every Eval Ever, versions 0.3 to 0.0, with the samples that lie beside them.

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
   The samples that a record of version 0.1 holds itself have no score: it is *not attempted*.
5. What the record states is in the settings as ``stated.<scorer>``; if the samples give another
   mean, or are fewer than the record says, a note says so and the rest is *missing*. The record
   says it by the ids that were used, if it has any, else by the number of samples.
6. Earlier versions lack ``evaluation_result_id`` and where the samples are, and a note says which
   version was read. Other versions are refused.
7. Rows of an evaluation that the record does not name are a run of their own, and a note says so.
   Rows of a model that it does not name, by id or by name, are refused: they are of another file.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
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
from countermark.exercise.reading.every_eval_ever_samples import (
    AGAIN,
    TOOL,
    InnerSamples,
    Rows,
    RowSamples,
    index_rows,
)
from countermark.exercise.reading.found import (
    FoundRun,
)

VERSIONS = ("0.3.", "0.2.", "0.1.", "0.0.")
SAMPLES = "_samples"
_WHY = "the record may weight or filter samples, or use another unit"
_ALGORITHMS = {"sha256": hashlib.sha256, "md5": hashlib.md5}


def recognises(_path: Path, start: bytes) -> bool:
    """Tell whether a file is a record or a samples file of Every Eval Ever."""
    if b'"evaluation_id"' not in start or b'"$schema"' in start[:4096]:
        return False  # the schema of the form has the same names in it
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
    for (model, name), rows in index_rows(path).items():
        note = "The samples file was read without the record that it belongs to."
        yield _run(path, {"model_info": {"id": model}}, name, [], rows, (note,))


def _read_record(path: Path, record: Any, where: str, *, alone: bool = False) -> Iterator[FoundRun]:
    results = mapping(record).get("evaluation_results")
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        refuse("has no list of evaluation_results", where, AGAIN)
    version = text(record.get("schema_version")) or ""
    if not version.startswith(VERSIONS):
        refuse(f"has schema_version {version!r}, which is not read", where, AGAIN)
    names = _model_names(record)
    if not names:
        refuse("names no model", where, AGAIN)
    notes = () if version.startswith(VERSIONS[0]) else (f"This is a record of version {version}.",)
    samples = None if alone else sibling(path, f"{path.stem}{SAMPLES}.jsonl", TOOL)
    indexed: dict[str, Rows] = {}
    if samples is not None:
        _check_samples(samples, mapping(record.get("detailed_evaluation_results")))
        indexed = _rows_of_model(samples, names)
    by_name: dict[str, list[dict[str, Any]]] = {}
    for place, result in enumerate(results):
        name = text(result.get("evaluation_name"))
        if name is None:
            refuse("has no evaluation_name", f"{where}: result {place}", AGAIN)
        by_name.setdefault(name, []).append(result)
    for name, of_name in by_name.items():
        yield _run(path, record, name, of_name, indexed.pop(name, None), notes)
    for name, rows in indexed.items():
        yield _run(
            path, record, name, [], rows, (*notes, "The record does not name this evaluation.")
        )


def _model_names(record: dict[str, Any]) -> list[str]:
    """Return the model's id, and its name, which rows of version 0.2 may give in its place."""
    model = mapping(record.get("model_info"))
    return [name for key in ("id", "name") if (name := text(model.get(key))) is not None]


def _rows_of_model(samples: Path, names: list[str]) -> dict[str, Rows]:
    """Return the rows of each evaluation (rule 7)."""
    found = {}
    for (model, name), rows in index_rows(samples).items():
        if model not in names or name in found:
            refuse(
                f"has rows of {name!r} by {model!r}, which the record does not know",
                str(samples),
                AGAIN,
            )
        found[name] = rows
    return found


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
        refuse("is not the samples file whose checksum the record gives", str(path), AGAIN)


def _run(
    path: Path,
    record: dict[str, Any],
    name: str,
    results: list[dict[str, Any]],
    rows: Rows | None,
    notes: tuple[str, ...],
) -> FoundRun:
    names = _scorers(results)
    stated = {
        scorer: value
        for scorer, result in zip(names.values(), results, strict=True)
        if (value := number(mapping(result.get("score_details")).get("score"))) is not None
    }
    source = mapping(record.get("source_data"))  # before version 0.2 one for all results
    submitted = max((_said(result, source) for result in results), default=0)
    inner = sequence(record.get("detailed_evaluation_results_per_samples"))
    found: tuple[str, ...] = ()
    reader: RowSamples | InnerSamples | None = None
    if rows is not None:
        reader = RowSamples(rows, names)
    elif inner:
        reader = InnerSamples(path, inner, tuple(names.values()))
    if reader is None:
        found = ("No samples lie beside the record: only what it states is known.",)
    else:
        counted = tally(reader.samples)
        found = differences(counted.means, stated, _WHY)
        if counted.samples < submitted:
            found += (f"The file holds {counted.samples:,} of {submitted:,} samples.",)
        submitted = max(submitted, counted.samples)
    first = results[0] if results else {}
    library = mapping(record.get("eval_library"))
    return FoundRun(
        file=str(path),
        tool=TOOL,
        tool_version=text(record.get("schema_version")),
        model=next(iter(_model_names(record)), "unknown"),
        task=name,
        samples=reader.samples if reader else lambda: iter(()),
        created=text(first.get("evaluation_timestamp")) or text(record.get("evaluation_timestamp")),
        settings=settings(
            evaluation_id=record.get("evaluation_id"),
            library=library,
            model={k: v for k, v in mapping(record.get("model_info")).items() if k != "id"},
            source=record.get("source_metadata"),
            dataset=first.get("source_data") or record.get("source_data"),
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


def _said(result: dict[str, Any], source: dict[str, Any]) -> int:
    """Return of how many samples a result is (rule 5)."""
    uncertainty = mapping(mapping(result.get("score_details")).get("uncertainty"))
    dataset = mapping(result.get("source_data")) or source
    if ids := sequence(dataset.get("sample_ids")):
        return len(ids)
    counts = (uncertainty.get("num_samples"), dataset.get("samples_number"))
    return max((n for n in counts if isinstance(n, int) and not isinstance(n, bool)), default=0)
