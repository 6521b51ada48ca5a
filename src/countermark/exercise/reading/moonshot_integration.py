# SPDX-License-Identifier: Apache-2.0
"""Results of Moonshot for continuous integration: ``run_metadata`` and ``run_results``.

The rules are those of :mod:`~countermark.exercise.reading.moonshot`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countermark.exercise.reading.documents import (
    differences,
    mapping,
    number,
    refuse,
    sequence,
    settings,
    tally,
    text,
)
from countermark.exercise.reading.found import (
    FoundRun,
    FoundSample,
    FoundScore,
    Outcome,
    numbers,
)
from countermark.exercise.reading.moonshot_samples import (
    AGAIN,
    TOOL,
    WHY,
    one_sample,
    prediction_of,
)

_DONE = {"completed", "complete", "success"}


def integration_runs(whole: dict[str, Any], path: Path) -> Iterator[FoundRun]:
    """Yield the runs of a result file; ``whole`` is what it holds."""
    results = whole["run_results"]
    if not isinstance(results, list):
        refuse("has no list of run_results", str(path), AGAIN)
    for place, entry in enumerate(results):
        where = f"{path}: result {place}"
        told = mapping(mapping(entry).get("metadata"))
        result = mapping(mapping(entry).get("results"))
        listed = result.get("individual_results")
        if not told or not isinstance(listed, dict | list):
            refuse("has no metadata or no individual_results", where, AGAIN)
        groups = listed.values() if isinstance(listed, dict) else [listed]
        prompts = [one for group in groups for one in sequence(group)]
        reader = _Verdicts(where, prompts, text(mapping(told.get("metric")).get("name")))
        connector = mapping(told.get("connector"))
        counted = tally(reader.samples)
        stated = dict(_percentages(result.get("evaluation_summary"), counted.means))
        yield FoundRun(
            file=str(path),
            tool=TOOL,
            tool_version=None,
            model=text(connector.get("model")) or text(connector.get("connector_adapter"))
            or "unknown",
            task="/".join(
                name for key in ("test_name", "dataset") if (name := text(told.get(key)))
            ) or "unknown",
            samples=reader.samples,
            created=text(told.get("start_time"))
            or text(mapping(whole.get("run_metadata")).get("start_time")),
            settings=settings(
                connector={k: v for k, v in connector.items() if k != "model"},
                metric=told.get("metric"),
                type=told.get("type"),
                run=whole.get("run_metadata"),
                metrics=result.get("evaluation_summary"),
            ),
            submitted=counted.samples,
            stated=numbers(settings(**mapping(result.get("evaluation_summary")))),
            notes=differences(counted.means, stated, WHY),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Verdicts:
    """The samples of one result of the form for continuous integration."""

    where: str
    prompts: list[Any]
    metric: str | None

    def samples(self) -> Iterator[FoundSample]:
        """Yield them, each with the verdicts on it (rule 5)."""
        seen = set()
        verdicts = list(
            dict.fromkeys(
                name
                for entry in self.prompts
                for name, value in mapping(mapping(entry).get("evaluated_result")).items()
                if isinstance(value, bool | int | float)
            )
        )
        for place, entry in enumerate(self.prompts, start=1):
            where = f"{self.where}: sample {place}"
            if not isinstance(entry, dict) or "prompt" not in entry:
                refuse("has no prompt", where, AGAIN)
            item = str(entry.get("prompt_id", place))
            if item in seen:
                refuse(f"has the prompt_id {item!r} twice", where, AGAIN)
            seen.add(item)
            state = text(entry.get("state"))
            error = None
            if prediction_of(entry) is None:
                error = "the log has no prediction"
            elif state is not None and state.lower() not in _DONE:
                error = f"its state is {state}"
            outcome: Outcome = "errored" if error else "answered"
            evaluated = mapping(entry.get("evaluated_result"))
            scores = tuple(self._score(name, evaluated, outcome) for name in verdicts)
            yield one_sample(item, entry, outcome, scores, error)

    def _score(self, name: str, evaluated: Mapping[str, Any], outcome: Outcome) -> FoundScore:
        raw = evaluated.get(name)
        scorer = f"{self.metric}/{name}" if self.metric else name
        word = text(evaluated.get("evaluated_response"))
        if outcome != "answered":
            return FoundScore(scorer, "not-attempted", raw=raw)
        value = number(raw)
        if value is None:
            return FoundScore(scorer, "unparsed", raw=raw, explanation=word)
        return FoundScore(scorer, "scored", value, raw, explanation=word)


def _percentages(summary: Any, means: dict[str, float]) -> Iterator[tuple[str, float]]:
    """Yield what the summary states of a verdict; ``attack_success_rate`` is of attack_success."""
    for name, value in settings(summary=summary).items():
        last, stated = name.rsplit(".", 1)[-1], number(value)
        for scorer in means:
            verdict = scorer.rsplit("/", 1)[-1]
            if stated is not None and last in {verdict, f"{verdict}_rate"}:
                yield scorer, stated / 100.0
