# SPDX-License-Identifier: Apache-2.0
"""Does another institute's computation give the same finding? Compared figure by figure.

1. Two figures agree when they differ by at most the relative tolerance of the larger, or by the
   absolute tolerance; floats are never compared by a hash. Both tolerances are those of the own
   computation, which has them from the protocol: a published finding cannot widen them.
2. Everything else (keys, texts, whole-number counts, statuses) must be the same.
3. A figure that one finding has and the other lacks is a disagreement.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from countermark.records.canonical import JsonValue
from countermark.records.finding import Finding, OwnFigure


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two findings agree.

    Parameters
    ----------
    figures
        How many numbers were compared.
    largest_difference
        Largest relative difference among the numbers that agree.
    disagreements
        Places where they do not, with both figures where both are numbers.
    """

    figures: int
    largest_difference: float
    disagreements: tuple[OwnFigure, ...]

    @property
    def agrees(self) -> bool:
        """Whether there is no disagreement."""
        return not self.disagreements


def compare(published: Finding, own: Finding) -> Comparison:
    """Compare a published finding with one's own computation of it."""
    pairs = list(_pairs("", published.to_value(), own.to_value()))
    relative, absolute = own.relative_tolerance, own.absolute_tolerance
    largest = 0.0
    disagreements: list[OwnFigure] = []
    for where, theirs, mine in pairs:
        if _is_figure(theirs, mine):
            gap, size = _gap(theirs, mine)
            if gap > max(relative * size, absolute):
                disagreements.append(
                    OwnFigure(where=where, published=_number(theirs), own=_number(mine))
                )
            elif size > 0:
                largest = max(largest, gap / size)
        elif type(theirs) is not type(mine) or theirs != mine:  # True is no 1
            disagreements.append(
                OwnFigure(where=where, published=_number(theirs), own=_number(mine))
            )
    figures = sum(isinstance(theirs, float) for _, theirs, _ in pairs)
    return Comparison(figures, largest, tuple(disagreements))


def _is_figure(theirs: JsonValue, mine: JsonValue) -> bool:
    # Canonical JSON writes 1.0 as 1, so one side of a figure may have been read as a whole number.
    return {type(theirs), type(mine)} <= {float, int} and float in {type(theirs), type(mine)}


def _gap(theirs: JsonValue, mine: JsonValue) -> tuple[float, float]:
    first, second = _number(theirs) or 0.0, _number(mine) or 0.0
    return abs(first - second), max(abs(first), abs(second))


def _pairs(
    where: str, theirs: JsonValue, mine: JsonValue
) -> Iterator[tuple[str, JsonValue, JsonValue]]:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        for key in sorted(theirs.keys() | mine.keys()):
            yield from _pairs(f"{where}.{key}".lstrip("."), theirs.get(key), mine.get(key))
    elif isinstance(theirs, list) and isinstance(mine, list):
        for index in range(max(len(theirs), len(mine))):
            yield from _pairs(
                f"{where}[{index}]",
                theirs[index] if index < len(theirs) else None,
                mine[index] if index < len(mine) else None,
            )
    else:
        yield where, theirs, mine


def _number(value: JsonValue) -> float | None:
    # A boolean is an int in Python, and no figure.
    return float(value) if isinstance(value, float | int) and not isinstance(value, bool) else None
