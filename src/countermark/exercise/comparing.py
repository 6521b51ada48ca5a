# SPDX-License-Identifier: Apache-2.0
"""Languages held against the reference language that the protocol declares. Pure.

1. Only what the protocol declared before the runs is compared: its reference, its margin.
2. A task is compared if its scorer is objective. A judge errs differently in each language, so its
   own rates would compare judges.
3. A language is compared if its cell is *reported*, and so is the reference's.
4. Both estimands are given; each is a family of its own, adjusted by Holm's method.
5. What is not compared, is named with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from countermark.exercise.figures import LEVEL, Rounding
from countermark.records import finding as records
from countermark.records.protocol import Protocol, Task
from countermark.statistics import Crossing, NotComputable, compare_languages

SECTION = "languages"


@dataclass(frozen=True, slots=True)
class Compared:
    """The differences between languages, and what could not be compared."""

    figures: tuple[records.LanguageFigures, ...]
    gaps: tuple[records.Gap, ...]


def compared(
    protocol: Protocol, reported: Mapping[tuple[str, str, str], Crossing], rounding: Rounding
) -> Compared:
    """Compare languages.

    Parameters
    ----------
    protocol
        What was declared.
    reported
        By model, task and language: the labs x items of each cell whose rates say something.
    rounding
        How figures are published.
    """
    if protocol.comparison is None:
        undeclared = "the protocol declares no reference language and no margin"
        return Compared((), (records.Gap(section=SECTION, reason=undeclared),))
    figures: list[records.LanguageFigures] = []
    gaps: list[records.Gap] = []
    for model in protocol.models:
        for task in protocol.tasks:
            crossings = {
                language: reported[model.key, task.key, language]
                for language in protocol.languages
                if (model.key, task.key, language) in reported
            }
            reason = _refusal(protocol, task, crossings)
            if reason is None:
                found = _task(protocol, model.key, task, crossings, rounding)
                figures += found.figures
                gaps += found.gaps
            else:
                gaps.append(
                    records.Gap(section=SECTION, model=model.key, task=task.key, reason=reason)
                )
    return Compared(tuple(figures), tuple(gaps))


def _refusal(protocol: Protocol, task: Task, crossings: Mapping[str, Crossing]) -> str | None:
    assert protocol.comparison is not None  # noqa: S101  asked by the caller
    if task.scorer.nature == "judge":
        return "a judge errs differently in each language, so its rates would compare judges"
    if protocol.comparison.reference not in crossings:
        return f"the reference language {protocol.comparison.reference} has no reported rate"
    if len(crossings) == 1:
        return "no other language has a reported rate"
    return None


def _task(
    protocol: Protocol,
    model: str,
    task: Task,
    crossings: Mapping[str, Crossing],
    rounding: Rounding,
) -> Compared:
    assert protocol.comparison is not None  # noqa: S101  asked by the caller
    reference, margin = protocol.comparison.reference, protocol.comparison.margin
    figures: list[records.LanguageFigures] = []
    gaps: list[records.Gap] = []
    for estimand in get_args(records.Estimand):
        family = compare_languages(
            reference, crossings, margin=margin, worse=task.worse, estimand=estimand, level=LEVEL
        )
        for one in family.languages:
            found = one.difference
            if isinstance(found, NotComputable):
                gaps.append(
                    records.Gap(
                        section=SECTION,
                        model=model,
                        task=task.key,
                        language=one.language,
                        reason=f"{estimand}: {found.reason}",
                    )
                )
                continue
            figures.append(
                records.LanguageFigures(
                    model=model,
                    task=task.key,
                    language=one.language,
                    reference=reference,
                    estimand=estimand,
                    difference=rounding.number(found.value),
                    lower=rounding.number(found.lower),
                    upper=rounding.number(found.upper),
                    level=found.level,
                    margin=margin,
                    p_adjusted=rounding.number(one.different.adjusted),
                    verdict=one.verdict,
                    items=found.items,
                    items_dropped=len(found.items_dropped),
                )
            )
    return Compared(tuple(figures), tuple(gaps))
