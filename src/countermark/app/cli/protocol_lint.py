# SPDX-License-Identifier: Apache-2.0
"""``countermark protocol lint``: what would make figures wrong, before anyone runs."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from countermark.app.cli.output import data_json, json_option, talk
from countermark.app.cli.verb import Verb
from countermark.node.files import write_atomic

if TYPE_CHECKING:
    from countermark.exercise.lint.finding import Finding, Report

_ERRORS_FOUND = 3
_EXAMPLES = {"error": 8, "warning": 3, "note": 3}
_PLACES = 3
_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


@click.command("lint", cls=Verb, example="countermark protocol lint my-exercise/")
@click.argument(
    "paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PATH..."
)
@click.option(
    "--fix",
    "fix_it",
    is_flag=True,
    help="Put right what is safe: stray characters in keys, translated category codes, and "
    "language codes that the text confirms.",
)
@click.option(
    "--sarif",
    "sarif_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write SARIF 2.1.0 for code hosts and editors.",
)
@click.option(
    "--html",
    "html_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page for people.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[Path, ...],
    sarif_file: Path | None,
    html_file: Path | None,
    *,
    fix_it: bool,
    as_json: bool,
) -> None:
    """Find what would make figures wrong: in a protocol's folder, or in Moonshot's files.

    Several files of one folder are held against each other. The exit code is 3 if there are
    errors; warnings and notes leave it 0.
    """
    # They bring numpy and the model of languages, which the other verbs do without.
    from countermark.exercise.lint import lint  # noqa: PLC0415
    from countermark.exercise.lint.fixing import fix  # noqa: PLC0415
    from countermark.exercise.lint.reporting import report_value, sarif  # noqa: PLC0415

    found = lint(*paths)
    if fix_it:
        changes = fix(paths[0], found)
        for change in changes:
            talk(f"Fixed {change}")
        talk(f"{len(changes)} changes." if changes else "Nothing that is safe to fix.")
        # Files that were renamed are not there any more.
        left = [path for path in paths if path.exists()]
        found = lint(*left) if changes and left else found
    if as_json:
        data_json(report_value(found))
    else:
        _show(found)
    if sarif_file is not None:
        write_atomic(sarif_file, (json.dumps(sarif(found), indent=1) + "\n").encode())
        talk(f"Wrote {sarif_file}")
    if html_file is not None:
        from countermark.app.site.lint import lint_page  # noqa: PLC0415  brings the templates

        write_atomic(html_file, lint_page(found, paths[0].resolve().name))
        talk(f"Wrote {html_file}")
    counts = found.counts
    talk(
        f"{counts['error']} errors, {counts['warning']} warnings, {counts['note']} notes. "
        "The rules are in docs/lint.md."
    )
    if counts["error"]:
        context.exit(_ERRORS_FOUND)


def _show(report: "Report") -> None:
    """Write a table, grouped by rule, with the first findings of each."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(
        f"{report.files} files, {report.items} items, {len(report.tasks)} tasks, languages "
        + (", ".join(report.languages) or "none")
    )
    if not report.findings:
        console.print("No rule found anything.")
        return
    table = Table(show_lines=True, expand=True)
    table.add_column("rule", ratio=2)
    table.add_column("found", justify="right", no_wrap=True)
    table.add_column("where, what, and what to do", ratio=7)
    for rule, causes in report.causes.items():
        name = Text(f"{rule.number} {rule.name}\n")
        name.append(rule.severity, style=_STYLES[rule.severity])
        table.add_row(name, str(sum(map(len, causes))), _examples(causes, _EXAMPLES[rule.severity]))
    console.print(table)


def _examples(causes: "tuple[tuple[Finding, ...], ...]", most: int) -> Text:
    """Show the first causes, of as many files as there are, each with its first places."""
    text = Text()
    seen: Counter[str] = Counter()
    turns = []
    for cause in causes:
        turns.append(seen[cause[0].file])
        seen[cause[0].file] += 1
    chosen = sorted(range(len(causes)), key=turns.__getitem__)[:most]
    for cause in (causes[place] for place in sorted(chosen)):
        first, *others = cause
        text.append(first.place, style="bold")
        text.append(f": {first.message}\n")
        if others:
            shown = ", ".join(one.place for one in others[:_PLACES])
            more = len(others) - _PLACES
            text.append(f"  the same in {shown}" + (f" and {more} more\n" if more > 0 else "\n"))
        text.append(f"  → {first.suggestion}\n")
    if len(causes) > most:
        text.append(f"and {len(causes) - most} more (--json lists all)", style="dim")
    text.rstrip()
    return text
