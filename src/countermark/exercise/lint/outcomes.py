# SPDX-License-Identifier: Apache-2.0
"""The counts that Moonshot's results report, beside the number of answers they are counts of."""

from collections.abc import Iterator

from countermark.exercise.lint.model import Outcome, text_of
from countermark.records.canonical import JsonValue

_MOST_NODES = 1_000_000


def read_outcomes(path: str, fields: dict[str, JsonValue]) -> Iterator[Outcome]:
    """Yield what each metric reported of each model and dataset.

    A result nests cookbooks, recipes, models and datasets, and the nesting has changed between
    versions. What has not changed: an object with ``data``, the answers, and ``metrics``.
    """
    stack: list[tuple[JsonValue, str]] = [(fields.get("results"), "")]
    seen = 0
    while stack and seen < _MOST_NODES:
        node, place = stack.pop()
        seen += 1
        if isinstance(node, list):
            stack.extend((one, place) for one in reversed(node))
        elif isinstance(node, dict):
            names = [text_of(node.get(name)) for name in ("id", "model_id", "dataset_id")]
            here = " / ".join(name for name in (place, *names) if name)
            data, metrics = node.get("data"), node.get("metrics")
            if isinstance(data, list) and isinstance(metrics, list):
                for metric in metrics:
                    yield from _outcome(path, here, metric, len(data))
            else:
                stack.extend((one, here) for one in reversed(node.values()))


def _outcome(path: str, place: str, metric: JsonValue, answers: int) -> Iterator[Outcome]:
    # A metric either reports its counts itself, or under its own name.
    inner = [metric, *metric.values()] if isinstance(metric, dict) else []
    for one in inner:
        if not isinstance(one, dict):
            continue
        counts = tuple(
            (name, float(value))
            for name, value in one.items()
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0
        )
        rates = tuple(
            (name, float(value))
            for name, value in one.items()
            if name.endswith("rate") and isinstance(value, int | float)
        )
        if counts:
            yield Outcome(path, place, counts, answers, rates)
