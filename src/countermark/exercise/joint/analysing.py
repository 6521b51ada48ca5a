# SPDX-License-Identifier: Apache-2.0
"""From an exercise to its analysis: what the protocol declares, and what the labs' plans say. Pure.

1. The seed of all draws is taken from the protocol's digest, which was fixed before any score.
2. Labs' settings are those of their run plans.
3. Where the protocol has control items and the model did not pass them, the cell's rates say
   nothing: it is neither compared nor held against a threshold.
4. Each swap is a designed arm: its answers stand against those of the reference arm of the same
   labs, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from countermark.exercise.revealing.checking import Revealed
from countermark.records.protocol import Protocol
from countermark.statistics import (
    AnalysisProtocol,
    Arm,
    CellKey,
    Grid,
    JointAnalysis,
    Judging,
    KnownBeside,
    Margin,
    analyse,
)

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Answer:
    """One scored answer to a test item; ``arm`` is the swap that it is of."""

    cell: CellKey
    lab: str
    item: str
    epoch: int
    value: float
    arm: str | None = None


def analysed(
    protocol: Protocol,
    labs: Sequence[Revealed],
    answers: Sequence[Answer],
    judging: Mapping[CellKey, Judging],
    uninformative: Mapping[CellKey, str],
    swapped: Sequence[Answer] = (),
) -> JointAnalysis:
    """Analyse an exercise.

    Parameters
    ----------
    protocol
        What was declared.
    labs
        Whose answers they are.
    answers
        Those of the reference arm, at least one.
    judging
        What is known of the judges, for cells that judges scored.
    uninformative
        Cells whose rates say nothing, and why.
    swapped
        Answers of the labs' swaps.
    """
    grid = _grid(answers)
    settings = {
        one.evidence.lab: {entry.factor: entry.value for entry in one.plan.settings} for one in labs
    }
    beside = KnownBeside(
        settings=settings,
        judging=judging,
        arms=_designed(answers, swapped),
        uninformative=uninformative,
    )
    return analyse(grid, declared(protocol), beside)


def _designed(
    answers: Sequence[Answer], swapped: Sequence[Answer]
) -> dict[CellKey, tuple[Arm, ...]]:
    """Return each cell's swaps, beside what the same labs answered in the reference arm."""
    found: dict[CellKey, tuple[Arm, ...]] = {}
    for cell, arm in sorted({(one.cell, one.arm or "") for one in swapped}):
        own = [one for one in swapped if (one.cell, one.arm) == (cell, arm)]
        labs = {one.lab for one in own}
        reference = [one for one in answers if one.cell == cell and one.lab in labs]
        if reference:
            made = Arm(arm, _grid(reference).crossing(), _grid(own).crossing())
            found[cell] = (*found.get(cell, ()), made)
    return found


def _grid(answers: Sequence[Answer]) -> Grid:
    return Grid.from_rows(
        lab=[one.lab for one in answers],
        model=[one.cell.model for one in answers],
        language=[one.cell.language for one in answers],
        task=[one.cell.task for one in answers],
        item=[one.item for one in answers],
        epoch=[one.epoch for one in answers],
        scorer=[one.cell.scorer for one in answers],
        score=[one.value for one in answers],
    )


def declared(protocol: Protocol) -> AnalysisProtocol:
    """Return what a protocol declares of the analysis."""
    comparison = protocol.comparison
    return AnalysisProtocol(
        seed=int(protocol.digest.removeprefix("sha256:")[:8], 16),
        level=LEVEL,
        judges=frozenset(
            task.scorer.key for task in protocol.tasks if task.scorer.nature == "judge"
        ),
        comparison=None
        if comparison is None
        else Margin(
            comparison.reference,
            comparison.margin,
            {task.key: task.worse for task in protocol.tasks},
        ),
    )
