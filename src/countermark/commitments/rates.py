# SPDX-License-Identifier: Apache-2.0
"""Rules 2 to 9 of the gate: a limit on a rate, held against one finding."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from countermark.commitments.case import DatedFinding
from countermark.records.decision import BoundUsed, ComparisonUsed
from countermark.records.errors import VerificationError
from countermark.records.finding import FindingCell
from countermark.records.finding_figures import Correction, Estimand, Figure, NotComputed
from countermark.records.threshold_rules import MetricBound
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Counts, Estimate, Judged, bound
from countermark.statistics.threshold import outcome_of
from countermark.taxonomy.languages import language

HeldState: TypeAlias = Literal["kept", "crossed", "undetermined"]
Gaps: TypeAlias = list[tuple[int, str]]
STATES: dict[bool | None, HeldState] = {True: "kept", False: "crossed", None: "undetermined"}
SEVERITY = ("kept", "undetermined", "crossed")


@dataclass(frozen=True, slots=True)
class Held:
    """What one finding, or those who determined it, say of one threshold.

    Parameters
    ----------
    state, rule, reason
        What became of it, by which rule of the gate, and why.
    bounds, comparisons
        Every interval that was held against the limit.
    deciding
        The worst of the bounds.
    distance
        From the limit to the bound that decides, negative on the allowed side.
    institutes
        Whose evidence it is.
    evidence
        Digests of the findings and determinations.
    """

    state: HeldState
    rule: int
    reason: str
    bounds: tuple[BoundUsed, ...] = ()
    comparisons: tuple[ComparisonUsed, ...] = ()
    deciding: BoundUsed | None = None
    distance: float | None = None
    institutes: frozenset[str] = frozenset()
    evidence: tuple[str, ...] = ()


def hold_metric(rule: MetricBound, tested: DatedFinding, model: str, looks: int) -> Held:
    """Hold a limit on a rate against one finding, which is one of ``looks``.

    Raises
    ------
    VerificationError
        If the finding has a figure whose interval its own other figures do not give.
    """
    gaps: Gaps = []
    bounds: list[BoundUsed] = []
    institutes: set[str] = set()
    for tag in rule.languages:
        cell = sound_cell(tested, model, rule.task, tag, gaps)
        if cell is not None:
            asked = [one for one in cell.figures if is_asked(cell, rule.estimands, one)]
            bounds += [_bound(one, rule, tag, looks) for one in asked]
            gaps += missing_figures(cell, rule.estimands)
            gaps += doubts(cell, rule.minimum_labs)
            institutes |= {one.institute for one in cell.labs}
    worst = max(bounds, key=lambda one: _severity(one, rule), default=None)
    state, number, reason = weigh(worst, _told(worst, rule) if worst else "", gaps)
    return Held(
        state,
        number,
        reason,
        bounds=tuple(bounds),
        deciding=worst,
        distance=_distance(worst, rule) if worst else None,
        institutes=frozenset(institutes),
    )


def weigh(
    worst: BoundUsed | ComparisonUsed | None, told: str, gaps: Gaps
) -> tuple[HeldState, int, str]:
    """Return what the worst bound and the gaps make of a threshold (rules 2 to 9)."""
    if worst is not None and worst.state == "crossed":
        return "crossed", 5, told
    if worst is not None and worst.state == "undetermined":
        return "undetermined", 6, told
    if gaps:
        return ("undetermined", *min(gaps))
    if worst is None:
        return "undetermined", 2, "the finding has no figure for it"
    return "kept", 9, told


def sound_cell(
    tested: DatedFinding, model: str, task: str, tag: str, gaps: Gaps
) -> FindingCell | None:
    """Return a cell whose rates say something, or say among the gaps why there is none."""
    cell = tested.cell(model, task, tag)
    if cell is None:
        gaps.append((2, f"the finding has no result for {model}, {task}, {tag}"))
        return None
    if cell.status in ("judge-not-validated", "not-computable"):
        gaps.append((3, f"{tag}: {cell.reason}"))
        return None
    return cell


def is_asked(
    cell: FindingCell, estimands: tuple[Estimand, ...], figure: Figure | NotComputed
) -> bool:
    """Tell whether a figure is one that rule 4 holds against the limit."""
    labs = max((known.labs for known in cell.figures), default=0)
    return figure.estimand in estimands and (figure.without_lab is None or labs > 2)


def missing_figures(
    cell: FindingCell, estimands: tuple[Estimand, ...]
) -> Iterator[tuple[int, str]]:
    """Yield what the cell should have said and does not (rule 6)."""
    for lost in cell.not_computed:
        if is_asked(cell, estimands, lost):
            yield 6, f"{cell.language}: {lost.estimand} not computable: {lost.reason}"
    corrections: tuple[Correction, ...] = ("none", "rogan-gladen") if cell.validity else ("none",)
    for estimand in estimands:
        for correction in corrections:
            yield from _unsaid(cell, estimand, correction)


def _unsaid(
    cell: FindingCell, estimand: Estimand, correction: Correction
) -> Iterator[tuple[int, str]]:
    # A finding that is silent about a figure must not fare better than one that gives it.
    name = f"{cell.language}: the finding has no {estimand} figure ({correction})"
    wanted = (estimand, correction)
    known = [one for one in cell.figures if (one.estimand, one.correction) == wanted]
    lost = [one for one in cell.not_computed if (one.estimand, one.correction) == wanted]
    without = {one.without_lab for one in known} | {one.without_lab for one in lost}
    labs = max((one.labs for one in known), default=0)
    if None not in without:
        yield 6, name
    elif labs > 2 and len(without) <= labs:
        yield 6, f"{name} without each one of its {labs} labs"


def doubts(cell: FindingCell, minimum_labs: int) -> Iterator[tuple[int, str]]:
    """Yield why a cell's figures cannot show a threshold kept (rules 7 and 8)."""
    if cell.status == "not-informative":
        yield 7, f"{cell.language}: {cell.reason}"
    labs = min((figure.labs for figure in cell.figures if figure.without_lab is None), default=0)
    if labs < minimum_labs:
        count = "1 lab" if labs == 1 else f"{labs} labs"
        yield 8, f"{cell.language}: {count}, and the threshold asks for {minimum_labs}"


def estimate_of(figure: Figure) -> Estimate:
    """Return a signed figure as an estimate: it carries all that a bound is taken from."""
    counts, judged = figure.counts, figure.judged
    return Estimate(
        estimand=figure.estimand,
        value=figure.value,
        se=figure.se,
        df=figure.df,
        lower=figure.lower,
        upper=figure.upper,
        level=figure.level,
        method=figure.method,  # type: ignore[arg-type]
        shape=figure.shape,
        counts=Counts(counts.events, counts.trials, counts.found, counts.labelled)
        if counts
        else None,
        judged=Judged(
            judged.reported,
            judged.slope,
            judged.sampling_se,
            judged.sampling_df,
            judged.judge_se,
            judged.judge_df,
        )
        if judged
        else None,
        labs=figure.labs,
        items=figure.items,
        items_dropped=figure.items_dropped,
        components=None,
    )


def unsound(figure: Figure, task: str, tag: str, why: str) -> VerificationError:
    """Return the error for a figure that its own parts do not give."""
    left_out = f", without {figure.without_lab}" if figure.without_lab else ""
    return VerificationError(
        f"has a figure that its own parts do not give. {why}",
        where=f"finding, {task}, {tag}, {figure.estimand} rate ({figure.correction}{left_out})",
        next_step="Decide nothing on this finding; ask its coordinator for a sound one.",
    )


def rate_name(used: BoundUsed | ComparisonUsed) -> str:
    """Return which rate an interval is of, in words."""
    corrected = " corrected for the judge" if used.correction != "none" else ""
    left_out = f" without {used.without_lab}" if used.without_lab else ""
    return f"the {used.estimand} rate{corrected} in {language(used.language).english}{left_out}"


def _bound(figure: Figure, rule: MetricBound, tag: str, looks: int) -> BoundUsed:
    at_most = rule.direction == "at-most"
    miss, false = 1 - rule.alpha_miss / looks, 1 - rule.alpha_false
    try:
        estimate = estimate_of(figure)
        lower = bound(estimate, false if at_most else miss, "lower")
        upper = bound(estimate, miss if at_most else false, "upper")
    except (StatisticsError, ArithmeticError) as error:
        raise unsound(figure, rule.task, tag, str(error)) from error
    side = outcome_of(lower, upper, rule.limit, "at most" if at_most else "at least", rule.guard)
    kept = None if side == "undetermined" else (side == "below") == at_most
    return BoundUsed(
        language=tag,
        estimand=figure.estimand,
        correction=figure.correction,
        without_lab=figure.without_lab,
        value=figure.value,
        lower=lower,
        upper=upper,
        state=STATES[kept],
    )


def _severity(used: BoundUsed, rule: MetricBound) -> tuple[int, float]:
    far = used.upper if rule.direction == "at-most" else -used.lower
    return SEVERITY.index(used.state), far


def _distance(used: BoundUsed, rule: MetricBound) -> float:
    crossed = used.state == "crossed"
    if rule.direction == "at-most":
        return (used.lower if crossed else used.upper) - rule.limit
    return rule.limit - (used.upper if crossed else used.lower)


def _told(used: BoundUsed, rule: MetricBound) -> str:
    name, limit, at_most = rate_name(used), f"{rule.limit:.1%}", rule.direction == "at-most"
    match used.state:
        case "crossed" if at_most:
            return f"{name} is at least {used.lower:.1%}, above the limit of {limit}"
        case "crossed":
            return f"{name} is at most {used.upper:.1%}, below the limit of {limit}"
        case "kept" if at_most:
            return f"even {name} is at most {used.upper:.1%}, within the limit of {limit}"
        case "kept":
            return f"even {name} is at least {used.lower:.1%}, above the limit of {limit}"
        case "undetermined":
            across = used.lower <= rule.limit <= used.upper
            return (
                f"{name} may lie anywhere from {used.lower:.1%} to {used.upper:.1%}, "
                f"{'across' if across else 'within the guard band of'} the limit of {limit}"
            )
