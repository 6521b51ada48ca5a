# SPDX-License-Identifier: Apache-2.0
"""The whole analysis of a joint test, section by section, in the order in which it is reported.

== ============== ================================================================================
no section        what it answers
== ============== ================================================================================
0  comparability  Did the labs run the same, and is it all there?
1  raw            What did each lab see?
2  scorers        Can the judges be believed, and what is left when their errors are taken out?
3  rates          What is the joint rate, on these items and on such items?
4  between_labs   How far do labs and runs scatter, and which lab stands out?
5  why            Why do labs differ, and can these data say?
6  languages      Does the model behave the same in each language?
7  threshold      Is the threshold crossed?
8  anytime        Could the run have stopped earlier?
9  next_run       What should be run next?
== ============== ================================================================================

Rules
-----
1. Each section has one result for each cell (a task, model, language and scorer), or one for each
   family of cells; a result is a figure or a :class:`NotComputable` with the reason.
2. Every lab's cell is kept; nothing is left out because of what it shows.
3. Equal input and seed give equal bits on one machine.
4. A threshold takes every case of estimand, correction and lab left out; the worst decides.
5. Without its declaration (a margin, a threshold) or its data (labels, settings, arms, an
   item order) a section is not computed, and says what was missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Generic, TypeVar

from countermark.statistics.bootstrap import Replicates, pigeonhole
from countermark.statistics.comparability import (
    Coverage,
    LabRate,
    SettingDifference,
    coverage,
    lab_rates,
    setting_differences,
)
from countermark.statistics.declared import AnalysisProtocol, CellKey, KnownBeside
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.grid import Grid
from countermark.statistics.planning import NextRun
from countermark.statistics.sections import (
    BetweenLabs,
    Cell,
    JointRate,
    LabAnytime,
    Languages,
    Scorer,
    Why,
    anytime_of,
    between_of,
    joint_of,
    languages_of,
    next_run_of,
    scorer_of,
    threshold_of,
    why_of,
)
from countermark.statistics.sensitivity import Sensitivity

T = TypeVar("T")

SECTIONS = (
    "comparability",
    "raw",
    "scorers",
    "rates",
    "between_labs",
    "why",
    "languages",
    "threshold",
    "anytime",
    "next_run",
)
"""The names of the sections, in the order of the report."""

MOST_LABS = 500


@dataclass(frozen=True, slots=True)
class Of(Generic[T]):
    """The result of one section for one cell."""

    cell: CellKey
    result: T | NotComputable


@dataclass(frozen=True, slots=True)
class Comparability:
    """Section 0: settings that differ between labs, and how complete each cell is."""

    settings: tuple[SettingDifference, ...] | NotComputable
    cells: tuple[Of[Coverage], ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """What could not be computed, and why.

    Parameters
    ----------
    section
        One of :data:`SECTIONS`.
    cell
        Of which cell; ``None`` if of none or all.
    part
        Which part of the section, as its results are named; empty for all of it.
    reason
        Why.
    """

    section: str
    cell: CellKey | None
    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class JointAnalysis:
    """All sections, in the order of the report."""

    protocol: AnalysisProtocol
    comparability: Comparability
    raw: tuple[Of[tuple[LabRate, ...]], ...]
    scorers: tuple[Of[Scorer], ...]
    rates: tuple[Of[JointRate], ...]
    between_labs: tuple[Of[BetweenLabs], ...]
    why: tuple[Of[Why], ...]
    languages: tuple[Languages, ...] | NotComputable
    threshold: tuple[Of[Sensitivity], ...]
    anytime: tuple[Of[tuple[LabAnytime, ...]], ...]
    next_run: tuple[Of[NextRun], ...]

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Every section, or part of one, that could not be computed, with the reason."""
        return tuple(
            found for section in SECTIONS for found in _missing(section, getattr(self, section))
        )


def analyse(
    grid: Grid, protocol: AnalysisProtocol, beside: KnownBeside | None = None
) -> JointAnalysis:
    """Analyse a joint test.

    Parameters
    ----------
    grid
        All scores.
    protocol
        What was declared before they were seen.
    beside
        What else is known of the exercise; nothing if left out.

    Raises
    ------
    StatisticsError
        If what is given contradicts the grid: settings that lack a lab, a judge version that a
        lab does not have, labels of answers that do not exist.
    """
    known = beside or KnownBeside()
    if len(grid.labs) > MOST_LABS:
        raise StatisticsError(
            f"The grid has {len(grid.labs)} labs, and each is left out once in turn. Analyse at "
            f"most {MOST_LABS}; if these are runs of fewer labs, name them as epochs."
        )
    cells = tuple(_cells(grid, known))
    draws = _draws(cells, protocol)
    joint = {cell.key: joint_of(cell, protocol, draws[cell.key]) for cell in cells}
    return JointAnalysis(
        protocol=protocol,
        comparability=Comparability(
            settings=_settings(grid, known),
            cells=tuple(Of(cell.key, coverage(cell.crossing)) for cell in cells),
        ),
        raw=tuple(
            Of(cell.key, lab_rates(cell.crossing, grid.scale, protocol.level)) for cell in cells
        ),
        scorers=tuple(Of(cell.key, scorer_of(cell, protocol)) for cell in cells),
        rates=tuple(Of(key, rate) for key, rate in joint.items()),
        between_labs=tuple(Of(cell.key, between_of(cell, protocol)) for cell in cells),
        why=tuple(Of(cell.key, why_of(cell, protocol, known)) for cell in cells),
        languages=languages_of(cells, protocol, known),
        threshold=tuple(
            Of(key, threshold_of(key, rate, protocol, known)) for key, rate in joint.items()
        ),
        anytime=tuple(
            Of(cell.key, anytime_of(cell, known.in_order.get(cell.key, ()), protocol))
            for cell in cells
        ),
        next_run=tuple(
            Of(cell.key, next_run_of(cell, joint[cell.key], protocol)) for cell in cells
        ),
    )


def _settings(grid: Grid, known: KnownBeside) -> tuple[SettingDifference, ...] | NotComputable:
    if not known.settings:
        return NotComputable("The labs' settings are not known.")
    absent = [lab for lab in grid.labs if lab not in known.settings]
    if absent:
        raise StatisticsError(
            f"There are no settings for {', '.join(map(repr, absent))}. Give every lab its own."
        )
    return setting_differences({lab: known.settings[lab] for lab in grid.labs})


def _cells(grid: Grid, known: KnownBeside) -> Iterator[Cell]:
    keys = sorted({CellKey(g.task, g.model, g.language, g.scorer) for g in grid.groups})
    for key in keys:
        part = grid.pick(task=key.task, model=key.model, language=key.language, scorer=key.scorer)
        yield Cell(key, part, part.crossing(), known.judging.get(key))


def _draws(
    cells: tuple[Cell, ...], protocol: AnalysisProtocol
) -> dict[CellKey, Replicates | NotComputable]:
    """Draw labs and items; cells with the same labs and items share the draws."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Cell]] = {}
    for cell in cells:
        alike.setdefault((cell.crossing.labs, cell.crossing.items), []).append(cell)
    found: dict[CellKey, Replicates | NotComputable] = {}
    for together in alike.values():
        crossings = [cell.crossing for cell in together]
        drawn = pigeonhole(crossings, protocol.seed, protocol.replicates)
        found |= {cell.key: one for cell, one in zip(together, drawn, strict=True)}
    return found


def _missing(
    section: str, found: object, cell: CellKey | None = None, part: str = ""
) -> Iterator[Missing]:
    """Walk through the results of a section."""
    if isinstance(found, NotComputable):
        yield Missing(section, cell, part, found.reason)
    elif isinstance(found, Of):
        yield from _missing(section, found.result, found.cell, part)
    elif isinstance(found, tuple):
        for one in found:
            yield from _missing(section, one, cell, part)
    elif is_dataclass(found) and not isinstance(found, CellKey):
        for field in fields(found):
            inner = f"{part}.{field.name}".lstrip(".")
            yield from _missing(section, getattr(found, field.name), cell, inner)
