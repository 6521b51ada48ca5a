# SPDX-License-Identifier: Apache-2.0
"""What settings do, in plain language. Pure: a finding in, sentences out.

1. What a designed swap measured is kept apart from what only differs between labs: in a swap the
   same labs ran the same items again with one setting changed, and nothing else differs.
2. Of a difference between labs it is said that it goes with other differences between them, and
   never what the setting does. The declared settings that changed together with it are named.
3. An effect or a difference is said to be shown only where the adjusted test shows it at 5 %.
"""

from collections.abc import Iterator

from countermark.exercise.explaining.wording import counted, signed
from countermark.exercise.joint.differences import LAB
from countermark.records.finding import Finding
from countermark.records.finding_figures import FactorFigures
from countermark.taxonomy.languages import language

MEASURED = "What changing one setting did"
"""What was measured by designed swaps."""
OBSERVED = "Why labs differ"
"""What only differs between labs."""
_SHOWN = 0.05


def measured(finding: Finding) -> tuple[FactorFigures, ...]:
    """Return the contrasts that designed swaps measured."""
    return tuple(one for one in finding.factors if one.designed is not None)


def observed(finding: Finding) -> tuple[FactorFigures, ...]:
    """Return the contrasts that are differences between labs."""
    return tuple(one for one in finding.factors if one.designed is None)


def beside(finding: Finding, factor: str) -> str:
    """Say what a factor's differences between labs go with, besides the factor."""
    aliases = next((one.aliases for one in finding.differences if one.factor == factor), ())
    others = [alias for alias in aliases if alias != LAB]
    if others:
        words = f"{' and '.join(others)} changed at the same labs, so it may as well be that"
    else:
        words = "no other declared setting changed at the same labs"
    if LAB in aliases:
        return f"{words}; every lab had a value of its own, so it may be anything peculiar to a lab"
    return f"{words}; what else is peculiar to these labs may be behind it"


def measured_sentences(finding: Finding) -> Iterator[str]:
    """Say what each designed swap did."""
    for one in measured(finding):
        labs = one.designed or ()
        yield (
            f"{_place(one)}: {' and '.join(labs)} ran the same items with {one.factor} "
            f"{one.setting} in place of {one.against} and nothing else changed "
            f"({counted(len(labs), 'lab')}). Measured: {_figures(one)}; an effect is "
            f"{_shown(one)} (p = {one.p_adjusted:.2g})."
        )


def observed_sentences(finding: Finding) -> Iterator[str]:
    """Say what differs between labs, and what that goes with."""
    for one in observed(finding):
        yield (
            f"{_place(one)}: labs with {one.factor} {one.setting} had rates "
            f"{_figures(one)} from those with {one.against}; a difference is {_shown(one)} "
            f"(p = {one.p_adjusted:.2g}). This is between labs, not measured by a swap: "
            f"{beside(finding, one.factor)}."
        )


def _place(one: FactorFigures) -> str:
    return f"{one.model}, {one.task}, {language(one.language).english}"


def _figures(one: FactorFigures) -> str:
    return f"{signed(one.difference)} ({signed(one.lower)} to {signed(one.upper)})"


def _shown(one: FactorFigures) -> str:
    return "shown" if one.p_adjusted < _SHOWN else "not shown"
