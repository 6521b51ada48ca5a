# SPDX-License-Identifier: Apache-2.0
"""Where the error of a joint rate comes from: the four parts of its variance. Pure.

1. The parts are those of the generalised rate as scored, before any correction for a judge: the
   labs' ``s2_lab / K``, the items' ``s2_item / I``, the items at labs' ``s2_lab_item / (K I)`` and
   the epochs' ``s2_epoch / (K I E)`` (docs/statistics.md, *Model*).
2. With one epoch the last two cannot be told apart; what they are together is the mean square of
   lab by item over ``K I``.
3. Estimated variances below 0 count as 0.
"""

from dataclasses import dataclass

from countermark.records.finding import FindingCell
from countermark.records.finding_figures import Components, Figure


@dataclass(frozen=True, slots=True)
class ErrorShare:
    """One source of error: its variance, and its share of the four together."""

    source: str
    variance: float
    share: float


def error_shares(cell: FindingCell) -> tuple[ErrorShare, ...]:
    """Return the sources of a cell's error, or nothing where the finding has no components."""
    figure = cell.figure("generalised")
    if figure is None or figure.components is None or not figure.labs or not figure.items:
        return ()
    parts = _parts(figure, figure.components)
    total = sum(variance for _, variance in parts)
    return tuple(
        ErrorShare(source, variance, variance / total if total else 0.0)
        for source, variance in parts
    )


def _parts(figure: Figure, found: Components) -> tuple[tuple[str, float], ...]:
    labs, items = figure.labs, figure.items
    both = (
        ("which labs ran it", max(0.0, found.s2_lab) / labs),
        ("which items were asked", max(0.0, found.s2_item) / items),
    )
    if found.s2_lab_item is None or found.s2_epoch is None:
        rest = max(0.0, found.ms_lab_item) / (labs * items)
        return (*both, ("items at labs, and chance from run to run", rest))
    return (
        *both,
        ("items at one lab more than at another", max(0.0, found.s2_lab_item) / (labs * items)),
        ("chance from run to run", max(0.0, found.s2_epoch) / (labs * items * found.epochs)),
    )
