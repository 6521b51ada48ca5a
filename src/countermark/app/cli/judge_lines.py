# SPDX-License-Identifier: Apache-2.0
"""The scorers of a finding's cell as the terminal shows them: one line a figure."""

from collections.abc import Iterator

from countermark.records.finding import Finding, FindingCell
from countermark.records.judging import Repeatability, ScorerFigures


def scorer_lines(cell: FindingCell) -> Iterator[str]:
    """Return the lines of each scorer, then of each pair of them."""
    for one in cell.scorers or ():
        yield from _scorer(one)
    for pair in cell.judges_compared or ():
        beyond = ", ".join(f"{found.measure} {found.value:.2f}" for found in pair.agreement)
        yield (
            f"{pair.first} {pair.first_version} and {pair.second} {pair.second_version}: alike on "
            f"{pair.alike} of {pair.answers}" + (f"  ({beyond})" if beyond else "")
        )


def rejudgement_lines(finding: Finding) -> Iterator[str]:
    """Return a line for each rejudgement, also of those that were not taken."""
    for one in finding.rejudgements or ():
        yield (
            f"{one.lab} judged {one.answers} answers of {one.of_lab or 'the labelled ones'} again "
            f"by {one.scorer} {one.scorer_version}  {one.task}  {one.language}"
            + (f": not taken, {one.left_out}" if one.left_out else "")
        )


def _scorer(one: ScorerFigures) -> Iterator[str]:
    yield (
        f"{one.scorer} {one.version}: {one.status}, {one.submitted} submitted, {one.answered} "
        f"answered, {one.scored} scored, {one.unparsed} unparsed, {one.judge_refused} refused by "
        f"the judge, {one.not_attempted} not attempted"
    )
    if one.rate is not None:
        bounds = f", bounds {one.least:.4f} and {one.most:.4f}" if one.least is not None else ""
        yield (
            f"    as it counts {one.rate.value:.4f}  ({one.rate.lower:.4f} to "
            f"{one.rate.upper:.4f} at {one.rate.level:g}){bounds}"
        )
    if one.corrected is not None:
        yield (
            f"    corrected    {one.corrected.value:.4f}  ({one.corrected.lower:.4f} to "
            f"{one.corrected.upper:.4f} at {one.corrected.level:g})"
        )
    if one.repeated is not None:
        yield f"    repeated at its labs: {_repeats(one.repeated)}"
    for run in one.rejudged:
        yield f"    run again at {', '.join(run.labs)}: {_repeats(run)}"


def _repeats(found: Repeatability) -> str:
    return (
        f"{found.answers} answers {found.sessions} times, {found.unread} unread, flips "
        f"{found.flips:.4f}  ({found.flips_lower:.4f} to {found.flips_upper:.4f}), variance by "
        f"chance {found.s2_chance:.4f}, between runs {found.s2_session:.4f}"
    )
