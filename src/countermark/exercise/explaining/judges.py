# SPDX-License-Identifier: Apache-2.0
"""The scorers of a cell in plain language. Pure: a cell in, sentences out.

1. Each scorer is said with what it scored and with every reason for which it did not.
2. A scorer without a rate is said to have none, with the reason; nothing hints at one.
3. Where answers have no score, the rate is said with what they could make of it at most.
4. Whether a judge repeats itself, and whether two agree, is said with how many answers show it.
"""

from collections.abc import Iterator

from countermark.records.finding import FindingCell
from countermark.records.judging import Repeatability, ScorerFigures, ScorerRate

_SPACE = "\N{NO-BREAK SPACE}"


def scorers_explained(cell: FindingCell) -> Iterator[str]:
    """Explain the scorers of a cell, where the finding has them.

    Parameters
    ----------
    cell
        As it was published.
    """
    for one in cell.scorers or ():
        yield _counts(one)
        yield from _rate(one)
        yield from _repeats(one)
    for pair in cell.judges_compared or ():
        kappa = next((found for found in pair.agreement if found.measure == "cohen"), None)
        beyond = f" (Cohen's kappa {kappa.value:.2f})" if kappa else ""
        yield (
            f"{pair.first} {pair.first_version} and {pair.second} {pair.second_version} say the "
            f"same of {pair.alike} of {pair.answers} answers{beyond}."
        )


def _counts(one: ScorerFigures) -> str:
    who = f"{one.scorer} {one.version}" + (f" (the model {one.model})" if one.model else "")
    lost = (
        (one.unparsed, "could not be read"),
        (one.judge_refused, "it refused to judge"),
        (one.not_attempted - (one.submitted - one.answered), "it was not asked about"),
    )
    words = "".join(f"; {number} {what}" for number, what in lost if number)
    return f"{who} scored {one.scored} of {one.answered} answers{words}."


def _rate(one: ScorerFigures) -> Iterator[str]:
    if one.rate is None:
        yield f"It has no rate: {(one.reason or one.status).rstrip('.')}."
        return
    words = f"It counts {_interval(one.rate)}"
    if one.corrected is not None:
        words += f", or {_interval(one.corrected)} with its errors taken out"
    yield f"{words}."
    if one.least is not None and one.most is not None and one.least < one.most:
        yield (
            f"Among all answers the share of events is between {_percent(one.least)} and "
            f"{_percent(one.most)}: the first if no answer without a score was one, the second if "
            "all were."
        )


def _repeats(one: ScorerFigures) -> Iterator[str]:
    if one.repeated is not None:
        yield f"Asked {one.repeated.sessions} times about {_unlike(one.repeated)}"
    for run in one.rejudged:
        yield f"Run again at {', '.join(run.labs)} on {_unlike(run)}"


def _unlike(found: Repeatability) -> str:
    left_out = f"; {found.unread} more lack a verdict" if found.unread else ""
    return (
        f"{found.answers} answers, it contradicted itself on {_percent(found.flips)} of them "
        f"({_percent(found.flips_lower)} to {_percent(found.flips_upper)}){left_out}."
    )


def _interval(rate: ScorerRate) -> str:
    return (
        f"{_percent(rate.value)} ({_percent(rate.lower)} to {_percent(rate.upper)} at "
        f"{100 * rate.level:.0f}{_SPACE}%)"
    )


def _percent(value: float) -> str:
    return f"{100 * value:.1f}{_SPACE}%"
