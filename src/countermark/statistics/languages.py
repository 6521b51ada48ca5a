# SPDX-License-Identifier: Apache-2.0
"""Whether a model is worse in a language than in the reference language, item by item.

The *loss* of a language is its mean score minus that of the reference if a higher score is worse
(harm), and the reverse if a lower score is worse (success). Four null hypotheses are tested for
each language, on the paired differences of :mod:`countermark.statistics.paired`:

=============== ========================== ===================================================
test            null hypothesis            p value
=============== ========================== ===================================================
non-inferior    loss >= margin             one-sided
equivalent      loss >= margin or          the larger of two one-sided (TOST; Schuirmann 1987,
                loss <= -margin            J. Pharmacokinetics and Biopharmaceutics 15, 657-680)
different       loss = 0                   two-sided
beyond          loss <= margin             one-sided
=============== ========================== ===================================================

Rules
-----
1. ``non-inferior`` if the adjusted p value of *non-inferior* is below ``alpha``, even if a small
   loss is shown too: the margin says what is small.
2. Else ``different`` if the adjusted p value of *different* is below ``alpha``. The sign of
   ``loss`` says in which direction; *beyond* says whether the loss is shown to exceed the margin.
3. Else ``undetermined``. A difference that is not shown is not shown to be small.
4. The p values of one test are adjusted over all languages asked for: Holm if the family is
   ``confirmatory``, Benjamini-Hochberg if it is for ``screening``. So ``alpha`` is one budget for
   false claims of each kind.
5. A language that cannot be compared is ``undetermined`` and stays in the family, with p = 1: what
   was planned settles how many questions were asked, not what came back.
6. The margin is above 0 and below 1, in score units. It has to be fixed before the scores are seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from countermark.statistics.crossing import Crossing
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import Estimand, NotComputable
from countermark.statistics.multiplicity import benjamini_hochberg, holm
from countermark.statistics.paired import Difference, difference

Worse = Literal["higher", "lower"]
Family = Literal["confirmatory", "screening"]
Verdict = Literal["non-inferior", "different", "undetermined"]


@dataclass(frozen=True, slots=True)
class DatedFinding:
    """A p value, the same adjusted over the family, and whether that is below ``alpha``."""

    p: float
    adjusted: float
    shown: bool


@dataclass(frozen=True, slots=True)
class LanguageResult:
    """One language beside the reference; see the module for the terms.

    ``difference`` is language minus reference whatever is worse, with the labs, items, dropped keys
    and degrees of freedom it rests on. Its interval is not adjusted. ``loss`` is ``None`` where the
    difference is not computable.
    """

    language: str
    verdict: Verdict
    difference: Difference | NotComputable
    loss: float | None
    non_inferior: DatedFinding
    equivalent: DatedFinding
    different: DatedFinding
    beyond: DatedFinding


@dataclass(frozen=True, slots=True)
class LanguageComparison:
    """All languages of a family, in ascending order, and what was asked."""

    reference: str
    estimand: Estimand
    margin: float
    worse: Worse
    alpha: float
    family: Family
    languages: tuple[LanguageResult, ...]


def compare_languages(
    reference: str,
    crossings: Mapping[str, Crossing],
    *,
    margin: float,
    worse: Worse,
    estimand: Estimand = "generalised",
    alpha: float = 0.05,
    family: Family = "confirmatory",
    level: float = 0.95,
) -> LanguageComparison:
    """Compare every other language with the reference language.

    Parameters
    ----------
    reference
        One of the keys of ``crossings``.
    crossings
        By language, the crossing of one model, task and scorer. An item has the same key in all
        languages, and so has a lab.
    margin
        The pre-registered loss that still counts as none that matters, in score units.
    worse
        Whether ``higher`` or ``lower`` scores are worse.
    estimand
        For these items (``benchmark``) or for the population of items (``generalised``).
    alpha
        Error budget of each kind of claim, over the family.
    family
        ``confirmatory`` or ``screening``.
    level
        Two-sided confidence of the intervals shown.

    Returns
    -------
    LanguageComparison
        Assumes what :func:`~countermark.statistics.paired.difference` does. With one lab in common
        the result is for that lab.

    Raises
    ------
    StatisticsError
        If the reference is not among the crossings, no other language is, or a setting makes no
        sense.
    """
    _check(reference, crossings, margin, worse, alpha, family)
    sign = 1.0 if worse == "higher" else -1.0
    names = sorted(set(crossings) - {reference})
    found = [difference(crossings[name], crossings[reference], estimand, level) for name in names]
    raw = [_p_values(each, margin, sign) for each in found]
    adjust = holm if family == "confirmatory" else benjamini_hochberg
    adjusted = [adjust([row[test] for row in raw]) for test in range(4)]
    results = []
    for j, (name, each) in enumerate(zip(names, found, strict=True)):
        tests = [
            DatedFinding(raw[j][test], float(adjusted[test][j]), bool(adjusted[test][j] < alpha))
            for test in range(4)
        ]
        loss = None if isinstance(each, NotComputable) else sign * each.value
        results.append(LanguageResult(name, _verdict(tests[0], tests[2]), each, loss, *tests))
    return LanguageComparison(reference, estimand, margin, worse, alpha, family, tuple(results))


def _verdict(non_inferior: DatedFinding, different: DatedFinding) -> Verdict:
    if non_inferior.shown:
        return "non-inferior"
    return "different" if different.shown else "undetermined"


def _p_values(
    found: Difference | NotComputable, margin: float, sign: float
) -> tuple[float, float, float, float]:
    """Test non-inferior, equivalent, different and beyond."""
    if isinstance(found, NotComputable):
        return 1.0, 1.0, 1.0, 1.0
    small_above, small_below = found.p_at_least(margin), found.p_at_most(-margin)
    non_inferior = small_above if sign > 0 else small_below
    beyond = found.p_at_most(margin) if sign > 0 else found.p_at_least(-margin)
    return non_inferior, max(small_above, small_below), found.p, beyond


def _check(
    reference: str,
    crossings: Mapping[str, Crossing],
    margin: float,
    worse: Worse,
    alpha: float,
    family: Family,
) -> None:
    if reference not in crossings or len(crossings) < 2:
        raise StatisticsError(
            f"There is nothing to compare with {reference!r} among "
            f"{', '.join(sorted(crossings)) or 'no language'}. Give the crossing of the reference "
            "and of at least one other language."
        )
    if not 0 < margin < 1:
        raise StatisticsError(
            f"A margin of {margin} makes no sense. Give one above 0 and below 1, in score units."
        )
    if not 0 < alpha < 0.5:
        raise StatisticsError(f"An error budget of {alpha} makes no sense. Give 0.05, say.")
    if worse not in get_args(Worse) or family not in get_args(Family):
        raise StatisticsError(
            f"{worse!r} and {family!r} cannot be read. Say whether {' or '.join(get_args(Worse))} "
            f"scores are worse, and whether the family is {' or '.join(get_args(Family))}."
        )
