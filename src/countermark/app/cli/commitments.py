# SPDX-License-Identifier: Apache-2.0
"""``countermark commitments``: what logged statements say of the companies' commitments."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from countermark.app.cli.commitments_report import report
from countermark.app.cli.logged import read_logged, record_argument
from countermark.app.cli.output import data, data_json, json_option, node_option
from countermark.app.cli.saying import reply
from countermark.app.cli.verb import Noun
from countermark.commitments.reference import Company, companies, load_commitments
from countermark.commitments.tracker import STATES, Cell, Grid, demonstrated, grid
from countermark.records.errors import InputError


@click.group(cls=Noun, example="countermark commitments status record")
def command() -> None:
    """Show what logged statements say of the commitments, and fill reports that laws ask for."""


@command.command(example="countermark commitments status record --company anthropic")
@record_argument
@node_option
@click.option("--company", "slug", metavar="SLUG", help="Only this company, with every cell.")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day to compute for; else today (UTC).",
)
@click.option(
    "--demonstration", is_flag=True, help="Compute from demonstrations, for their developers only."
)
@json_option
def status(
    record: Path | None,
    node_folder: Path,
    slug: str | None,
    at: datetime | None,
    *,
    demonstration: bool,
    as_json: bool,
) -> None:
    """Show the state of each commitment, and the statements behind it. It is no grade."""
    entries = read_logged(record, node_folder).entries
    listed = demonstrated(entries) if demonstration else companies()
    found = grid(
        _chosen(listed, slug),
        load_commitments(),
        entries,
        f"{at or datetime.now(UTC):%Y-%m-%d}",
        demonstration=demonstration,
    )
    if as_json:
        data_json(found.to_value())
        return
    for line in lines(found, every=slug is not None):
        data(line)


def _chosen(listed: tuple[Company, ...], slug: str | None) -> tuple[Company, ...]:
    chosen = tuple(company for company in listed if slug in {None, company.slug})
    if slug is not None and not chosen:
        known = ", ".join(company.slug for company in listed) or "none"
        raise InputError(
            f"{slug!r} is no company of the list",
            where="--company",
            next_step=f"Known are {known}. Example developers: add --demonstration.",
        )
    return chosen


def lines(found: Grid, *, every: bool) -> Iterator[str]:
    """Yield a grid as lines: the states, then the statements behind each cell.

    With ``every``, cells without statements are told too.
    """
    titles = {key: title.split(".", 1)[0] for key, title in found.commitments}
    for slug, name in found.companies:
        row = found.row(slug)
        states = ", ".join(f"{titles[cell.commitment]} {cell.state}" for cell in row)
        yield f"{name}: {states}"
        for cell in row:
            if cell.statements or cell.replies or every:
                yield from _cell_lines(titles[cell.commitment], cell)
    yield f"As of {found.at}. States, which are no grades:"
    for state, meaning in STATES.items():
        yield f"  {state}: {meaning}"


def _cell_lines(title: str, cell: Cell) -> Iterator[str]:
    since = f" since {cell.since}" if cell.since else ""
    yield f"  {title} {cell.state}{since} (rule {cell.rule}). {cell.words}"
    for one in cell.statements:
        day = f", {one.date}" if one.date else ""
        if one.witnessed not in (None, one.date):
            day += f" (witnessed {one.witnessed})"
        yield f"    {one.stance} (rule {one.rule}): {one.words}"
        yield f"      {one.kind} by {one.author}{day}, {one.digest}"
    for answer in cell.replies:
        yield f"    the developer replied on {answer.date}: {answer.words}"


command.add_command(report)
command.add_command(reply)
