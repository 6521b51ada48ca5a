# SPDX-License-Identifier: Apache-2.0
"""A run of any log as a record of Every Eval Ever 0.3, with its samples by lines.

1. One run is one record, and each scorer one of its results. A scorer that scored nothing has no
   result, because the form asks for a number.
2. A row is one score of one sample. The form has no room for a sample without a score: those are
   counted, by what became of them, in ``score_details.details`` of each result, and how many rows
   that are left out is in ``detailed_evaluation_results``.
3. The score is the mean over the scored samples. Its standard error takes items as clusters: it is
   that of the mean of the items' means. The interval is Wilson's, and given only where all scores
   are 0 or 1 and no item came twice; there is no standard error of a single item.
4. What a log does not say is said to be unknown, never guessed: developer, how the model is run,
   range of a scorer. ``is_correct``, which the form asks for, says that the score is 1. A row
   without its question has no digest of it.
5. The name of the record comes from its contents, so the same run gives the same bytes.
"""

import hashlib
import math
import re
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

from countermark.exercise.exporting.every_eval_ever_samples import (
    VERSION,
    line_of,
    result_id,
    row_of,
)
from countermark.exercise.reading.found import FoundRun, FoundScore
from countermark.records.errors import InputError
from countermark.statistics import wilson

UNKNOWN = "unknown"
JUDGE_REFUSED = "judge-refused"
"""Why a score is unparsed where the judge itself refused; it is counted apart."""
Relationship = Literal["first_party", "third_party", "collaborative", "other"]
RELATIONSHIPS: tuple[Relationship, ...] = ("first_party", "third_party", "collaborative", "other")
_LEVEL = 0.95
_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Source:
    """Who exports a run, and when.

    Parameters
    ----------
    organisation, relationship
        Who evaluated, and whose system it is, seen from there.
    retrieved
        When it is exported, in seconds since 1970.
    lab, details
        Which lab of theirs, where several are exported. Where the run can be found again, and
        what else a reader has to know of it.
    """

    organisation: str
    relationship: Relationship
    retrieved: int
    lab: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def to_value(self) -> dict[str, Any]:
        """Return it in the form's words."""
        return {
            "source_name": "countermark",
            "source_type": "evaluation_run",
            "source_organization_name": self.organisation,
            "evaluator_relationship": self.relationship,
            **({"additional_details": dict(self.details)} if self.details else {}),
        }


@dataclass(frozen=True, slots=True)
class Exported:
    """A record and the file of its samples.

    Parameters
    ----------
    record
        The record.
    record_path, samples_path
        Where the form wants them, under the folder of all records.
    rows
        Returns the lines of the samples' file, anew each time.
    """

    record: dict[str, Any]
    record_path: PurePosixPath
    samples_path: PurePosixPath
    rows: Callable[[], Iterator[bytes]]


@dataclass(slots=True)
class _Scorer:
    """What one scorer made of a run."""

    values: list[float] = field(default_factory=list)
    by_item: dict[str, list[float]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)

    def take(self, item: str, score: FoundScore) -> None:
        status = JUDGE_REFUSED if score.reason == JUDGE_REFUSED else score.status
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if score.value is not None:
            self.values.append(score.value)
            self.by_item.setdefault(item, []).append(score.value)


def to_every_eval_ever(
    run: FoundRun, source: Source, lower_is_better: Collection[str] = ()
) -> Exported:
    """Return a run as a record of Every Eval Ever.

    Parameters
    ----------
    run
        A run of any log.
    source
        Who exports it.
    lower_is_better
        The scorers whose higher numbers are worse, such as a rate of harm.

    Raises
    ------
    InputError
        If the run has no score.
    """
    scorers, outcomes, without = _scorers(run)
    scored = {name: scorer for name, scorer in scorers.items() if scorer.values}
    if not scored:
        raise InputError(
            "has no score of any sample, and a record of Every Eval Ever needs one",
            where=f"{run.file}: {run.task}",
            next_step="Export a run whose log holds scores of its samples.",
        )
    lab = f"{source.lab}/" if source.lab else ""
    identity = f"{lab}{run.task}/{run.model}/{source.retrieved}"

    def rows() -> Iterator[bytes]:
        for sample in run.samples():
            for score in sample.scores:
                if score.value is not None:
                    yield line_of(row_of(run, identity, sample, score))

    digest, count = hashlib.sha256(), 0
    for row in rows():
        digest.update(row)
        count += 1
    submitted = max(run.submitted or 0, sum(outcomes.values()))
    unseen = submitted - sum(outcomes.values())
    outcomes["missing"] = outcomes.get("missing", 0) + unseen
    record = {
        "schema_version": VERSION,
        "evaluation_id": identity,
        **({"evaluation_timestamp": run.created} if run.created else {}),
        "retrieved_timestamp": str(source.retrieved),
        "source_metadata": source.to_value(),
        "eval_library": {"name": run.tool, "version": run.tool_version or UNKNOWN},
        "model_info": {
            "name": run.model.rsplit("/", 1)[-1],
            "id": run.model,
            "additional_details": {"deployment_type": UNKNOWN, "model_availability": UNKNOWN},
        },
        "evaluation_results": [
            _result(run, name, scorer, outcomes, submitted, lower_is_better=name in lower_is_better)
            for name, scorer in scored.items()
        ],
    }
    folder = PurePosixPath("data", _safe(run.task), *_developer_and_model(run.model))
    made = hashlib.sha256(line_of(record) + digest.digest()).digest()
    name = folder / str(uuid.UUID(bytes=made[:16], version=4))
    record["detailed_evaluation_results"] = {
        "format": "jsonl",
        "file_path": f"{name}_samples.jsonl",
        "hash_algorithm": "sha256",
        "checksum": digest.hexdigest(),
        "total_rows": count,
        "additional_details": {
            "scores_left_out_because_they_have_no_number": str(without + unseen * len(scorers))
        },
    }
    return Exported(
        record, name.with_name(f"{name.name}.json"), PurePosixPath(f"{name}_samples.jsonl"), rows
    )


def export_runs(
    runs: Iterable[FoundRun], source: Source, lower_is_better: Collection[str] = ()
) -> tuple[tuple[Exported, ...], tuple[str, ...]]:
    """Return the records of all runs that have a score, and the tasks of those that have none.

    Raises
    ------
    InputError
        If none has one, a log is broken, or ``lower_is_better`` names a scorer of no run.
    """
    made, without = [], []
    known: set[str] = set()
    where = ""
    for run in runs:
        where = run.file
        if any(score.value is not None for sample in run.samples() for score in sample.scores):
            made.append(to_every_eval_ever(run, source, lower_is_better))
            known |= {
                result["metric_config"]["metric_name"]
                for result in made[-1].record["evaluation_results"]
            }
        else:
            without.append(run.task)
    if not made:
        raise InputError(
            "has no score of any sample, and a record of Every Eval Ever needs one",
            where=where,
            next_step="Export a log that holds scores of its samples.",
        )
    strange = sorted(set(lower_is_better) - known)
    if strange:
        raise InputError(
            f"has no scorer {strange[0]!r}",
            where=where,
            next_step=f"Name one of: {', '.join(sorted(known))}.",
        )
    return tuple(made), tuple(without)


def _scorers(run: FoundRun) -> tuple[dict[str, _Scorer], dict[str, int], int]:
    """Return the scorers, what became of the samples, and how many scores have no number."""
    scorers: dict[str, _Scorer] = {}
    outcomes: dict[str, int] = {}
    for sample in run.samples():
        outcomes[sample.outcome] = outcomes.get(sample.outcome, 0) + 1
        for score in sample.scores:
            scorers.setdefault(score.scorer, _Scorer()).take(sample.item, score)
    told = sum(sum(one.statuses.values()) - len(one.values) for one in scorers.values())
    return scorers, outcomes, told


def _result(
    run: FoundRun,
    name: str,
    scorer: _Scorer,
    outcomes: dict[str, int],
    submitted: int,
    *,
    lower_is_better: bool,
) -> dict[str, Any]:
    binary = set(scorer.values) <= {0.0, 1.0}
    counted = {"submitted": submitted, **outcomes, **scorer.statuses}
    return {
        "evaluation_result_id": result_id(run, name),
        "evaluation_name": run.task,
        "source_data": {
            "dataset_name": run.task,
            "source_type": "other",
            "samples_number": submitted,
            **({"additional_details": {"language": run.language}} if run.language else {}),
        },
        "metric_config": {
            "metric_id": name,
            "metric_name": name,
            "lower_is_better": lower_is_better,
            **(
                {"score_type": "binary"}
                if binary
                else {"score_type": "continuous", "min_score": None, "max_score": None}
            ),
        },
        "score_details": {
            "score": math.fsum(scorer.values) / len(scorer.values),
            "details": {key: str(count) for key, count in counted.items()},
            "uncertainty": _uncertainty(scorer, binary=binary),
        },
    }


def _uncertainty(scorer: _Scorer, *, binary: bool) -> dict[str, Any]:
    """Rule 3."""
    count = len(scorer.values)
    found: dict[str, Any] = {"num_samples": count}
    if count >= _ENOUGH:
        found["standard_deviation"] = _deviation(scorer.values)
    means = [math.fsum(values) / len(values) for values in scorer.by_item.values()]
    if len(means) >= _ENOUGH:
        found["standard_error"] = {
            "value": _deviation(means) / math.sqrt(len(means)),
            "method": "of the mean of the items' means",
        }
    if binary and len(means) == count:
        interval = wilson(math.fsum(scorer.values), count, _LEVEL)
        found["confidence_interval"] = {
            "lower": interval.lower,
            "upper": interval.upper,
            "confidence_level": _LEVEL,
            "method": "Wilson 1927",
        }
    return found


def _deviation(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _developer_and_model(model: str) -> tuple[str, str]:
    developer, _, name = model.rpartition("/")
    return _safe(developer or UNKNOWN), _safe(name)


def _safe(text: str) -> str:
    """Return a text as one part of a path."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:100].strip(".") or UNKNOWN
