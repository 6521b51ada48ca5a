# SPDX-License-Identifier: Apache-2.0
"""``countermark exercise read``: what is in a log of any supported tool, without a protocol."""

from pathlib import Path

import click

from countermark.app.cli.output import data, data_json, json_option, talk
from countermark.app.cli.verb import Verb
from countermark.exercise.reading.detect import find_logs
from countermark.exercise.reading.summary import OUTCOMES, RunSummary, summarise
from countermark.records.errors import InputError

BROKEN = 1
MOST_WIDE = 200
MOST_PASSED = 10


@click.command(cls=Verb, example="countermark exercise read logs/popularity.eval --json")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def read(files: tuple[Path, ...], *, as_json: bool) -> int:
    """Say what is in logs of Inspect and other tools; of a folder, in all logs in it.

    If any file is broken, all that are broken are named and nothing else is said: a list with a
    hole in it could be taken for the whole.
    """
    found: list[RunSummary] = []
    passed: list[Path] = []
    broken = 0
    for path in files:
        try:
            logs = find_logs(path)
            found += [summarise(run) for run in logs.runs()]
            passed += logs.passed
        except InputError as error:
            broken += 1
            talk(f"Error: {error}\nNext: {error.next_step}")
    if broken:
        talk(f"{broken} of {len(files)} could not be read, so nothing is shown.")
        return BROKEN
    if passed:
        names = ", ".join(_shown(str(path)) for path in passed[:MOST_PASSED])
        more = f" and {len(passed) - MOST_PASSED:,} more" if len(passed) > MOST_PASSED else ""
        talk(f"Passed over, for they are no logs: {names}{more}")
    if as_json:
        data_json([one.to_value() for one in found])
    else:
        data("\n\n".join("\n".join(lines(one)) for one in found))
    return 0


def lines(one: RunSummary) -> list[str]:
    """Return a run as lines for people, each short and without control characters."""
    return [_shown(line) for line in _lines(one)]


def _shown(line: str) -> str:
    clean = "".join(mark if mark.isprintable() else " " for mark in line)
    return clean if len(clean) <= MOST_WIDE else f"{clean[:MOST_WIDE]} …"


def _lines(one: RunSummary) -> list[str]:
    run = one.run
    tool = f"{run.tool} {run.tool_version}" if run.tool_version else run.tool
    return [
        run.file,
        f"  {run.model} on {run.task}" + (f" in {run.language}" if run.language else ""),
        f"  {tool}; status {run.status or 'not told'}; {run.created or 'date not told'}",
        f"  {one.submitted:,} samples submitted, {one.samples:,} in the log",
        f"  {one.items:,} items, {one.epochs:,} epochs",
        "  " + ", ".join(f"{one.outcomes[name]:,} {name}" for name in OUTCOMES),
        *_score_lines(one),
        *(
            f"  stated by the file, not computed here: {name} = {value:.4g}"
            for name, value in (run.stated or {}).items()
        ),
        *_trajectory_lines(one),
        *(f"  note: {note}" for note in one.notes),
        *(f"  {name} = {value}" for name, value in sorted((run.settings or {}).items())),
    ]


def _score_lines(one: RunSummary) -> list[str]:
    return [
        f"  score {name}: mean {'none' if score.mean is None else f'{score.mean:.4g}'} "
        f"of {score.scored:,} scored; {score.unparsed:,} unparsed, "
        f"{score.not_attempted:,} not attempted"
        for name, score in one.scores.items()
    ]


def _trajectory_lines(one: RunSummary) -> list[str]:
    usage, calls = one.run.usage, one.trajectory
    found = []
    if usage is not None and usage.total_tokens is not None:
        found.append(f"  {usage.total_tokens:,} tokens")
    if calls is not None:
        limits = "".join(f"; {count:,} stopped by {name}" for name, count in calls.limits.items())
        found.append(
            f"  {calls.tool_calls:,} calls of tools, {calls.repeated_calls:,} repeated, "
            f"{calls.failed_calls:,} failed{limits}"
        )
    return found
