# SPDX-License-Identifier: Apache-2.0
"""What stands beside a statement: the decisions that used it, and the commitments it speaks to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from countermark.app.site.context import Site
from countermark.app.site.decided import Decided
from countermark.commitments.tracker import Cell, Grid
from countermark.commitments.tracker_rules import Behind
from countermark.records.decision import EvidenceUsed, ThresholdOutcome

STANCES = {
    "contradicts": "speaks against it",
    "supports": "supports it",
    "declines": "says that it does not apply",
    "claims": "is the developer’s own word on it",
}
"""What a statement says to a commitment, in words."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one decision made of a piece of evidence."""

    made: Decided
    used: EvidenceUsed | None
    outcomes: tuple[ThresholdOutcome, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """What the same statements say to a commitment.

    Parameters
    ----------
    kind, author
        The kind and the author that all of them have.
    words
        What they say, each sentence once.
    statements
        Content address and day of each.
    """

    kind: str
    author: str
    words: tuple[str, ...]
    statements: tuple[tuple[str, str | None], ...]


def uses(site: Site, digest: str) -> tuple[Use, ...]:
    """Return the decisions that were given a piece of evidence, the newest first."""
    found = []
    for made in site.decisions:
        decided = made.decision
        given = next((one for one in decided.evidence or () if one.statement == digest), None)
        resting = tuple(one for one in decided.outcomes if digest in (one.evidence or ()))
        if given or resting:
            found.append(Use(made, given, resting))
    return tuple(found)


def spoken_to(grids: Iterable[Grid], digest: str) -> tuple[tuple[Cell, Behind], ...]:
    """Return the cells to which a statement speaks, each with the first thing it says there."""
    return tuple(
        (cell, first)
        for grid in grids
        for cell in grid.cells
        if (first := next((one for one in cell.statements if one.digest == digest), None))
    )


def lines(statements: Sequence[Behind]) -> tuple[Line, ...]:
    """Return what stands behind a cell, with each sentence once and beside it all that say it.

    The first sentence is that of the statement that gives the state.
    """
    saying: dict[tuple[str, str, str], dict[tuple[str, str | None], None]] = {}
    for one in statements:
        said = saying.setdefault((one.kind, one.author, one.words), {})
        said[one.digest, one.date] = None
    alike: dict[tuple[str, str, tuple[tuple[str, str | None], ...]], list[str]] = {}
    for (kind, author, words), said in saying.items():
        alike.setdefault((kind, author, tuple(said)), []).append(words)
    return tuple(
        Line(kind, author, tuple(words), said) for (kind, author, said), words in alike.items()
    )
