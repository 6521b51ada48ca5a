# SPDX-License-Identifier: Apache-2.0
"""``countermark commitments report``: a report that a law or code asks for, filled from records."""

from pathlib import Path

import click

from countermark.app.cli.output import data, data_json, json_option, talk
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Verb
from countermark.commitments.reports import REPORTS, as_markdown, as_value, fill, outline
from countermark.records.decision import Decision
from countermark.records.determination import Determination
from countermark.records.finding import Finding
from countermark.records.framework import Framework

FILE = click.Path(path_type=Path)
EXAMPLE = "countermark commitments report --for eu-code --framework f.json --decision d.json"


@click.command(name="report", cls=Verb, example=EXAMPLE)
@click.option("--for", "key", type=click.Choice(REPORTS), required=True, help="Which report.")
@click.option("--framework", "framework_file", type=FILE, required=True)
@click.option("--finding", "findings", type=FILE, multiple=True, help="May be given again.")
@click.option("--decision", "decisions", type=FILE, multiple=True, help="May be given again.")
@click.option("--determination", "determinations", type=FILE, multiple=True,
              help="May be given again; such as that a mitigation is in place.")  # fmt: skip
@click.option("--model", help="Key of the model, if the evidence is about several or none.")
@json_option
def report(
    key: str,
    framework_file: Path,
    findings: tuple[Path, ...],
    decisions: tuple[Path, ...],
    determinations: tuple[Path, ...],
    model: str | None,
    *,
    as_json: bool,
) -> None:
    """Fill the outline of a report; what no record tells is marked missing. No legal advice."""
    filled = fill(
        outline(key),
        read_record(Framework, framework_file),
        model=model,
        findings=[read_record(Finding, path) for path in findings],
        decisions=[read_record(Decision, path) for path in decisions],
        determinations=[read_record(Determination, path) for path in determinations],
    )
    if as_json:
        data_json(as_value(filled))
    else:
        data(as_markdown(filled).rstrip("\n"))
    talk(
        f"{filled.count('filled')} fields filled, {filled.count('in part')} in part, "
        f"{filled.count('missing')} missing. A draft, no legal advice."
    )
