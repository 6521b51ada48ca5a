# SPDX-License-Identifier: Apache-2.0
"""The sections of a joint analysis, one function each; see :mod:`countermark.statistics.analysis`.

Each takes the data of one cell (or of all, where it compares them) and what was declared, and
returns its figures or says why there are none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from countermark.statistics.agreement import Agreement
from countermark.statistics.arms import ArmContrast, designed_arms
from countermark.statistics.attribution import LabExplanation, explain_labs
from countermark.statistics.bootstrap import Replicates
from countermark.statistics.choice import Choice, choose
from countermark.statistics.comparability import (
    coverage,
)
from countermark.statistics.consensus import Consensus, consensus
from countermark.statistics.correction import Correction, Judge, correct
from countermark.statistics.covariance import lab_means
from countermark.statistics.crossing import Crossing
from countermark.statistics.declared import (
    AnalysisProtocol,
    CellKey,
    InOrder,
    Judging,
    KnownBeside,
    Limit,
    Margin,
)
from countermark.statistics.designs import Size
from countermark.statistics.elicitation import LabGap, elicitation_gaps
from countermark.statistics.equivalence import (
    Equivalence,
    RobustEquivalence,
    equivalence,
    robust_equivalence,
)
from countermark.statistics.estimate import Estimand, Estimate, NotComputable
from countermark.statistics.grid import Grid
from countermark.statistics.languages import LanguageComparison, compare_languages
from countermark.statistics.modelled import LabModel, lab_model, modelled
from countermark.statistics.planning import NextRun, next_best_run
from countermark.statistics.precision import Precision, precision
from countermark.statistics.rates import Rates, Reading, rates
from countermark.statistics.rectification import rectify
from countermark.statistics.rejudging import JudgeRepeatability
from countermark.statistics.sensitivity import NamedEstimate, Sensitivity, cases, sensitivity
from countermark.statistics.sequential import Anytime, anytime
from countermark.statistics.threshold import Guard
from countermark.statistics.variances import Variances


@dataclass(frozen=True, slots=True)
class Cell:
    """The data of one cell."""

    key: CellKey
    grid: Grid
    crossing: Crossing
    judging: Judging | None


@dataclass(frozen=True, slots=True)
class Scorer:
    """Section 2 of one cell that judges scored.

    ``benchmark`` and ``generalised`` set the two corrections side by side, with the reason for the
    one that leads.
    """

    judges: tuple[Judge, ...]
    agreement: tuple[Agreement, ...]
    repeatability: JudgeRepeatability | NotComputable
    corrected: Correction
    benchmark: Choice | NotComputable
    generalised: Choice | NotComputable


@dataclass(frozen=True, slots=True)
class JointRate:
    """Section 3 of one cell: by three methods, and by every case that a threshold takes."""

    methods: Rates
    cases: tuple[NamedEstimate, ...]

    def estimate(
        self, estimand: Estimand, correction: str = "none"
    ) -> Estimate | NotComputable | None:
        """Return one case with all labs."""
        return next(
            (
                one.estimate
                for one in self.cases
                if (one.estimand, one.correction, one.without_lab) == (estimand, correction, None)
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class BetweenLabs:
    """Section 4 of one cell. The consensus is of the labs' generalised rates, by REML."""

    precision: Precision | NotComputable
    equivalence: tuple[Equivalence, ...] | NotComputable
    robust: RobustEquivalence | NotComputable
    consensus: Consensus | NotComputable


@dataclass(frozen=True, slots=True)
class Why:
    """Section 5 of one cell."""

    explanation: LabExplanation | NotComputable
    arms: tuple[ArmContrast, ...] | NotComputable
    elicitation: tuple[LabGap, ...] | NotComputable


@dataclass(frozen=True, slots=True)
class LanguageLeftOut:
    """A language whose cell says nothing, and why."""

    language: str
    reason: str


@dataclass(frozen=True, slots=True)
class Languages:
    """Section 6: all languages of one task and model against the reference."""

    task: str
    model: str
    scorer: str
    estimand: Estimand
    left_out: tuple[LanguageLeftOut, ...]
    result: LanguageComparison | NotComputable


@dataclass(frozen=True, slots=True)
class LabAnytime:
    """Section 8 of one lab."""

    lab: str
    result: Anytime


def joint_of(
    cell: Cell, protocol: AnalysisProtocol, drawn: Replicates | NotComputable
) -> JointRate:
    """Section 3: the joint rate by three methods, and every case of it."""
    model = lab_model(cell.grid)
    judging = cell.judging
    return JointRate(
        methods=rates(
            cell.crossing,
            protocol.level,
            protocol.seed,
            mixed=_reader(model),
            replicates=protocol.replicates,
            drawn=drawn,
        ),
        cases=cases(
            cell.crossing,
            versions=judging.versions if judging else None,
            validity=judging.validity if judging else None,
            language=cell.key.language,
            level=protocol.level,
        ),
    )


def _reader(
    model: LabModel | NotComputable,
) -> Callable[[Crossing, Estimand, float], Reading | NotComputable]:
    def read(_: Crossing, estimand: Estimand, level: float) -> Reading | NotComputable:
        return model if isinstance(model, NotComputable) else modelled(model, estimand, level)

    return read


def scorer_of(cell: Cell, protocol: AnalysisProtocol) -> Scorer | NotComputable:
    """Section 2: what is known of the judges, and both corrections."""
    if cell.key.scorer not in protocol.judges:
        return NotComputable("The scorer is objective, so no judge's errors are to be taken out.")
    judging = cell.judging
    if judging is None:
        return NotComputable(
            f"No answers in {cell.key.language} were labelled by people, so nobody knows how often "
            "this judge is right here."
        )
    level, language = protocol.level, cell.key.language
    corrected = correct(cell.crossing, judging.versions, judging.validity, language, level)
    unlabelled = NotComputable(
        "No recorded random sample of this cell's answers was labelled by people."
    )
    rectified = (
        None
        if judging.labelled is None
        else rectify(cell.crossing, judging.versions, judging.labelled, language, level)
    )
    return Scorer(
        judges=corrected.judges,
        agreement=judging.agreement,
        repeatability=judging.repeatability
        or NotComputable("No answers were judged again, so nothing shows how the judge repeats."),
        corrected=corrected,
        benchmark=choose(rectified, corrected, "benchmark") if rectified else unlabelled,
        generalised=choose(rectified, corrected, "generalised") if rectified else unlabelled,
    )


def between_of(cell: Cell, protocol: AnalysisProtocol) -> BetweenLabs | NotComputable:
    """Section 4: how far labs and runs scatter, and which lab stands out."""
    if len(cell.crossing.labs) < 2:
        return NotComputable("One lab alone shows nothing of how labs differ.")
    means = lab_means(cell.crossing, "generalised")
    return BetweenLabs(
        precision=precision(cell.crossing, protocol.level),
        equivalence=equivalence(cell.crossing),
        robust=robust_equivalence(cell.crossing),
        consensus=means
        if isinstance(means, NotComputable)
        else consensus(means.values, means.covariance, "reml", protocol.level),
    )


def why_of(cell: Cell, protocol: AnalysisProtocol, known: KnownBeside) -> Why | NotComputable:
    """Section 5: why labs differ, as far as these data can say."""
    if len(cell.crossing.labs) < 2:
        return NotComputable("One lab alone shows nothing of why labs differ.")
    arms, elicited = known.arms.get(cell.key), known.elicited.get(cell.key)
    return Why(
        explanation=explain_labs(cell.crossing, known.settings, protocol.level)
        if known.settings
        else NotComputable("The labs' settings are not known."),
        arms=designed_arms(arms, protocol.level)
        if arms
        else NotComputable(
            "No designed arm was run: no lab ran its items again with one setting changed."
        ),
        elicitation=elicitation_gaps(
            cell.crossing,
            elicited.crossings,
            better=elicited.better,
            seed=protocol.seed,
            level=protocol.level,
        )
        if elicited
        else NotComputable("Labs asked in one way only, so there is no gap of elicitation."),
    )


def languages_of(
    cells: Sequence[Cell], protocol: AnalysisProtocol, known: KnownBeside
) -> tuple[Languages, ...] | NotComputable:
    """Section 6: every language against the reference, by both estimands."""
    declared = protocol.comparison
    if declared is None:
        return NotComputable("The protocol declares no reference language and no margin.")
    families: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        families.setdefault((cell.key.task, cell.key.model, cell.key.scorer), []).append(cell)
    found = []
    for (task, model, scorer), family in families.items():
        out = tuple(
            LanguageLeftOut(cell.key.language, known.uninformative[cell.key])
            for cell in family
            if cell.key in known.uninformative
        )
        crossings = {
            cell.key.language: cell.crossing
            for cell in family
            if cell.key not in known.uninformative
        }
        why = _not_comparable(crossings, scorer, declared, protocol.judges)
        for estimand in get_args(Estimand):
            result = why or compare_languages(
                declared.reference,
                crossings,
                margin=declared.margin,
                worse=declared.worse[task],
                estimand=estimand,
                level=protocol.level,
            )
            found.append(Languages(task, model, scorer, estimand, out, result))
    return tuple(found)


def _not_comparable(
    family: Mapping[str, Crossing], scorer: str, declared: Margin, judges: frozenset[str]
) -> NotComputable | None:
    if scorer in judges:
        return NotComputable(
            "A judge errs differently in each language, so its rates would compare judges."
        )
    if declared.reference not in family:
        return NotComputable(
            f"The reference language {declared.reference} has no rate that says something."
        )
    if len(family) == 1:
        return NotComputable(
            f"No language but {declared.reference} has a rate that says something."
        )
    return None


def _limit(key: CellKey, protocol: AnalysisProtocol) -> Limit | NotComputable:
    found = next((one for one in protocol.limits if one.task == key.task), None)
    return found or NotComputable("No threshold was declared for this task.")


def threshold_of(
    key: CellKey, rate: JointRate, protocol: AnalysisProtocol, known: KnownBeside
) -> Sensitivity | NotComputable:
    """Section 7: every case against the declared threshold; the worst decides."""
    limit = _limit(key, protocol)
    if isinstance(limit, NotComputable):
        return limit
    if key in known.uninformative:
        return NotComputable(known.uninformative[key])
    return sensitivity(
        rate.cases,
        limit.limit,
        limit.direction,
        limit.alpha_miss,
        limit.alpha_false,
        guard=limit.guard,
    )


def anytime_of(
    cell: Cell, runs: Sequence[InOrder], protocol: AnalysisProtocol
) -> tuple[LabAnytime, ...] | NotComputable:
    """Section 8: bounds of one lab's run that hold at every moment."""
    limit = _limit(cell.key, protocol)
    if not runs:
        return NotComputable(
            "No lab had committed to an order of its items, so no bound holds at every moment."
        )
    if isinstance(limit, NotComputable):
        return limit
    if isinstance(limit.guard, Guard):
        return NotComputable(
            "A guard band in multiples of an uncertainty has no meaning for bounds that hold at "
            "every moment."
        )
    return tuple(
        LabAnytime(
            run.lab,
            anytime(
                run.scores,
                limit.limit,
                limit.direction,
                limit.alpha_miss,
                limit.alpha_false,
                guard=limit.guard,
                population=run.population,
            ),
        )
        for run in runs
    )


def next_run_of(cell: Cell, rate: JointRate, protocol: AnalysisProtocol) -> NextRun | NotComputable:
    """Section 9: one lab, some items or an epoch more, by what each saves for its cost."""
    estimate = rate.estimate("generalised")
    known = Variances.of(estimate or NotComputable("There is no generalised rate."))
    if isinstance(known, NotComputable):
        return known
    found = coverage(cell.crossing)
    if found.labs < 2:
        return NotComputable("One lab alone shows nothing of how labs differ.")
    now = Size(found.labs, found.common, max(1, round(found.scores / (found.labs * found.items))))
    return next_best_run(known, now, protocol.costs, level=protocol.level)
