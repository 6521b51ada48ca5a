# SPDX-License-Identifier: Apache-2.0
"""What an analysis is given beside the scores: what was declared, and what else is known.

What a protocol *declares* was settled before anybody saw a score, and makes the analysis what it
is. What is *known beside* it are other data of the exercise; where they are missing, the section
that needs them says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from countermark.statistics.agreement import Agreement
from countermark.statistics.arms import Arm
from countermark.statistics.bootstrap import REPLICATES
from countermark.statistics.columns import Floats
from countermark.statistics.correction import Validity
from countermark.statistics.crossing import Crossing
from countermark.statistics.elicitation import Better
from countermark.statistics.errors import StatisticsError
from countermark.statistics.intervals import check_level
from countermark.statistics.languages import Worse
from countermark.statistics.planning import Costs
from countermark.statistics.rectification import Labelled
from countermark.statistics.rejudging import JudgeRepeatability
from countermark.statistics.threshold import Direction, Guard, check_threshold

_IN_ANSWERS = Costs(lab=0, item=0, run=1)


@dataclass(frozen=True, slots=True, order=True)
class CellKey:
    """What a joint rate is of."""

    task: str
    model: str
    language: str
    scorer: str

    @property
    def words(self) -> str:
        """The cell in words, for messages."""
        return f"task {self.task}, model {self.model}, language {self.language}"


@dataclass(frozen=True, slots=True)
class Margin:
    """How languages are to be compared: with which, and what difference does not matter.

    ``worse`` says for each task whether a higher or a lower rate is worse.
    """

    reference: str
    margin: float
    worse: Mapping[str, Worse]


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold of one task's rate, with its two error budgets and guard band."""

    task: str
    limit: float
    direction: Direction
    alpha_miss: float
    alpha_false: float
    guard: float | Guard = 0.0

    def __post_init__(self) -> None:
        check_threshold(self.limit, self.direction, self.alpha_miss, self.alpha_false, self.guard)


@dataclass(frozen=True, slots=True)
class AnalysisProtocol:
    """What was declared before the scores were seen.

    Parameters
    ----------
    seed
        Of every draw, from 0 up. It must not have been chosen with the scores in view.
    level
        Two-sided confidence of all intervals.
    replicates
        Of the bootstrap, at least 100.
    judges
        The scorers that are judges; all others are objective.
    comparison
        How languages are compared, if they are to be.
    limits
        Thresholds, at most one a task.
    costs
        What labs, items and runs cost; if nothing is said, answers are counted.
    """

    seed: int
    level: float = 0.95
    replicates: int = REPLICATES
    judges: frozenset[str] = frozenset()
    comparison: Margin | None = None
    limits: tuple[Limit, ...] = ()
    costs: Costs = _IN_ANSWERS

    def __post_init__(self) -> None:
        check_level(self.level)
        if self.seed < 0 or self.replicates < 100:
            raise StatisticsError(
                f"{self.replicates} replicates with seed {self.seed} make no bootstrap. Give at "
                "least 100 replicates and a seed from 0 up."
            )
        tasks = [one.task for one in self.limits]
        if len(set(tasks)) != len(tasks):
            raise StatisticsError(
                "A task has two thresholds. Analyse once for each, or declare one."
            )


@dataclass(frozen=True, slots=True)
class Judging:
    """What is known of the judges of one cell.

    Parameters
    ----------
    versions
        The judge version that each lab used.
    validity
        How often each version was right on answers that people labelled.
    labelled
        A sample of the cell's own answers that people labelled, if there is one.
    agreement
        How far judges and people agree beyond chance, by any coefficients.
    repeatability
        What judging the same answers again showed, if that was done.
    """

    versions: Mapping[str, str]
    validity: Mapping[str, Validity]
    labelled: Labelled | None = None
    agreement: tuple[Agreement, ...] = ()
    repeatability: JudgeRepeatability | None = None


@dataclass(frozen=True, slots=True)
class Elicited:
    """Other ways of asking, by name, and whether a higher or a lower rate is the better show."""

    better: Better
    crossings: Mapping[str, Crossing]


@dataclass(frozen=True, slots=True)
class InOrder:
    """Scores of one lab in the item order that it had committed to, ``(n,)``, from 0 to 1.

    ``population`` is how many items there are in all.
    """

    lab: str
    scores: Floats
    population: int


@dataclass(frozen=True, slots=True)
class KnownBeside:
    """What else is known of an exercise.

    Parameters
    ----------
    settings
        By lab, the value of each factor that may differ between labs.
    judging
        Of cells that judges scored.
    arms
        The designed arms of a cell: the reference setting and one-factor swaps.
    elicited
        Other ways of asking, to be set beside the cell itself.
    in_order
        Runs whose item order was committed to beforehand.
    uninformative
        Cells whose rates say nothing, such as those where the model failed its control items, and
        why; they are neither compared over languages nor held against a threshold.
    """

    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    judging: Mapping[CellKey, Judging] = field(default_factory=dict)
    arms: Mapping[CellKey, Sequence[Arm]] = field(default_factory=dict)
    elicited: Mapping[CellKey, Elicited] = field(default_factory=dict)
    in_order: Mapping[CellKey, Sequence[InOrder]] = field(default_factory=dict)
    uninformative: Mapping[CellKey, str] = field(default_factory=dict)
